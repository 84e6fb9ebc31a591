"""The operator's one line: safe to fail over or not, and why; and the table around it."""

import msgspec
import pytest
from msgspec import structs

from clients.ops.asking import Heard
from clients.ops.seen import Seen, sorted_out
from clients.ops.verdict import NodeStatus, WitnessStatus, cluster_json, recorded_role, verdict
from protocols.peer import Answer, Record
from protocols.runbook import advice

RECORD = Record(
    cluster_id="demo",
    system_id="7",
    incarnation=1,
    epoch=9,
    term=2,
    primary="a",
    sync="b",
    sync_gen=3,
)
A = NodeStatus(
    node="a",
    state="PRIMARY_SYNC",
    role="primary",
    epoch=9,
    term=2,
    tli=2,
    open=True,
    copies=2,
    reason="b is in sync: two copies.",
    sync_name="b_3",
    flush_lsn=900,
    receive_lsn=0,
    replay_lsn=0,
    lag_bytes=0,
    peer_heard_ms=40,
    arbiter_heard_ms=30,
    links=[],
    alarms={},
    record=RECORD,
    healthy=True,
)
B = structs.replace(
    A, node="b", state="STANDBY_SYNC", role="standby", open=False, lag_bytes=96, sync_name=""
)
W = WitnessStatus(witness="w", nonce="n", record=RECORD, beats={"a": 40, "b": 50})


def test_a_pair_in_sync_under_a_witness_is_safe() -> None:
    judged = verdict([A, B], W)
    assert judged.safe
    assert judged.because.startswith("b holds everything acknowledged")


@pytest.mark.parametrize(
    ("nodes", "witness", "because"),
    [
        ([], None, "no node is open"),
        ([B], W, "no node is open"),
        ([A, B], None, "the witness does not answer"),
        ([A, B], structs.replace(W, record=None), "no record"),
        ([A, B], structs.replace(W, record=structs.replace(RECORD, paused=True)), "paused"),
        ([A], W, "the other node does not answer"),
        (
            [A, structs.replace(B, state="RECLONING")],
            structs.replace(W, record=structs.replace(RECORD, sync="")),
            "one copy only: b is RECLONING",
        ),
        ([A, structs.replace(B, state="CLAIMING", reason="why")], W, "b is CLAIMING: why"),
        ([A, structs.replace(B, healthy=False)], W, "PostgreSQL of b does not answer"),
        ([A, structs.replace(B, arbiter_heard_ms=9000)], W, "b does not hear the witness"),
        ([A, structs.replace(B, arbiter_heard_ms=-1)], W, "b does not hear the witness"),
    ],
)
def test_everything_else_is_not_safe_and_says_why(
    nodes: list[NodeStatus], witness: WitnessStatus | None, because: str
) -> None:
    judged = verdict(nodes, witness)
    assert not judged.safe
    assert because in judged.because


def test_reported_and_recorded_are_both_said() -> None:
    assert recorded_role("a", RECORD) == "primary"
    assert recorded_role("a", structs.replace(RECORD, opened=False)) == "claimant"
    assert recorded_role("b", RECORD) == "standby in sync"
    assert recorded_role("b", structs.replace(RECORD, sync="")) == "standby"
    assert recorded_role("b", None) == "unknown"


def test_json_names_nodes_roles_epoch_term_sync_and_copies() -> None:
    said = cluster_json([A, B], W, {})
    assert (said["primary"], said["epoch"], said["term"]) == ("a", 9, 2)
    assert (said["sync"], said["copies"], said["safe_to_fail_over"]) == ("b", 2, True)
    assert [(one["node"], one["role"]) for one in said["nodes"]] == [
        ("a", "primary"),
        ("b", "standby"),
    ]


def test_without_a_witness_the_record_is_what_the_nodes_last_read() -> None:
    said = cluster_json([A, B], None, {"w": "no answer"})
    assert (said["sync"], said["witness"], said["silent"]) == ("b", None, {"w": "no answer"})


def test_answers_are_sorted_out_one_a_node_and_silence_is_kept() -> None:
    def yes(address: str, data: object) -> Heard:
        return Heard(address, Answer(1, ok=True, data=msgspec.json.encode(data).decode()))

    heard = [
        yes("a1", A),
        yes("a2", A),
        Heard("b1", None, "no answer within 1 s"),
        yes("b2", structs.asdict(B) | {"something_new": 1}),
        yes("w", W),
    ]
    seen = sorted_out(heard, 4, 0.0)
    assert [one.node for one in seen.nodes] == ["a", "b"]
    assert seen.places == {"a": "a1", "b": "b2"}
    assert seen.silent == {"b1": "no answer within 1 s"}
    assert seen.witness == W


def test_the_table_shows_people_what_they_need() -> None:
    alarmed = structs.replace(A, alarms={"one-copy": "a serves alone."})
    table = Seen([alarmed, B], W, {}, {"10.0.0.9:1": "refused"}, 0.0).table()
    lines = table.splitlines()
    assert lines[0].split()[:3] == ["node", "role", "state"]
    assert "primary (open)" in lines[1]
    assert "96 B" in lines[2]
    assert "10.0.0.9:1: no answer (refused)" in lines
    assert "copies: two   epoch 9, term 2" in lines
    assert any(line.startswith("safe to fail over? yes:") for line in lines)
    at = lines.index("alarm on a: a serves alone.")
    assert lines[at + 1] == f"  do: {advice('one-copy').do}"
