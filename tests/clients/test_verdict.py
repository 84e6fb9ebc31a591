"""The operator's one line: safe to fail over or not, and why; and the table around it."""

import msgspec
import pytest
from msgspec import structs

from clients.door import Ended, Exit
from clients.ops.asking import Heard
from clients.ops.seen import Seen, sorted_out
from clients.ops.strips import lag
from clients.ops.verbs import asked_node
from clients.ops.verdict import (
    Links,
    NodeStatus,
    WitnessStatus,
    cluster_json,
    recorded_role,
    succeeded,
    verdict,
)
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
NEW = structs.replace(A, state="READING", open=False, epoch=0, record=None)
W = WitnessStatus(witness="w", nonce="n", record=RECORD, beats={"a": 40, "b": 50})


def test_a_pair_in_sync_under_a_witness_is_safe() -> None:
    judged = verdict([A, B], W)
    assert judged.safe
    assert judged.because.startswith("b holds everything acknowledged")


PAUSED = structs.replace(RECORD, paused=True)
SOLO = structs.replace(A, state="PRIMARY_SOLO")
STRICT = structs.replace(PAUSED, strict=True, sync="")


@pytest.mark.parametrize(
    ("nodes", "record", "because"),
    [
        ([A, B], RECORD, "a, the primary by record, is PRIMARY_SYNC: b is in sync"),
        ([B], RECORD, "a, the primary by record, does not answer. b takes over by itself"),
        ([B], PAUSED, "and the cluster is paused. 'mpower cluster resume' lets b, which is in"),
        ([B], structs.replace(RECORD, maintenance="b"), "'mpower cluster maintenance b off'"),
        ([B], structs.replace(RECORD, sync=""), "nobody else is in sync by record. Bring a back"),
        ([B], structs.replace(PAUSED, sync=""), "nobody else is in sync by record. Bring a back"),
        ([A, B], PAUSED, "two copies. Paused, what stopped by itself stays down. Go on: mpower"),
        ([SOLO], STRICT, "a, the primary by record, has the only copy, and strict is on. Bring"),
        ([B], None, "the record is not known: does the witness run?"),
    ],
)
def test_where_nobody_is_open_the_line_says_what_is_to_be_done(
    nodes: list[NodeStatus], record: Record | None, because: str
) -> None:
    shut = [structs.replace(one, open=False) for one in nodes]
    judged = verdict(shut, structs.replace(W, record=record) if record is not None else None)
    assert not judged.safe
    assert because in judged.because


@pytest.mark.parametrize(
    ("nodes", "witness", "because"),
    [
        ([], None, "no node is open"),
        ([B], W, "no node is open"),
        ([A, B], None, "the witness does not answer"),
        ([A, B], structs.replace(W, record=None), "know one: mpower cluster arbiter rebuild"),
        ([NEW], structs.replace(W, record=None), "no cluster yet. Make it: mpower cluster boot"),
        ([], structs.replace(W, record=None), "no cluster yet. Make it: mpower cluster bootstrap"),
        ([A, B], structs.replace(W, record=structs.replace(RECORD, paused=True)), "paused"),
        (
            [A, B],
            structs.replace(W, record=structs.replace(RECORD, paused=True, sync="")),
            "one copy only, and the cluster is paused: no automatic takeover until 'mpower",
        ),
        ([A], W, "the other node does not answer: it would not take over"),
        ([structs.replace(A, copies=1)], W, "the other node does not answer: one copy only"),
        (
            [A, structs.replace(B, state="RECLONING")],
            structs.replace(W, record=structs.replace(RECORD, sync="")),
            "one copy only: b is RECLONING",
        ),
        ([A, structs.replace(B, state="CLAIMING", reason="why")], W, "b is CLAIMING: why"),
        ([A, structs.replace(B, healthy=False)], W, "PostgreSQL of b does not answer"),
        ([A, structs.replace(B, arbiter_heard_ms=9000)], W, "b does not hear the witness"),
        ([A, structs.replace(B, arbiter_heard_ms=-1)], W, "b does not hear the witness"),
        ([A, structs.replace(B, hindrance="it is set back")], W, "b does not take over: it is set"),
    ],
)
def test_everything_else_is_not_safe_and_says_why(
    nodes: list[NodeStatus], witness: WitnessStatus | None, because: str
) -> None:
    judged = verdict(nodes, witness)
    assert not judged.safe
    assert because in judged.because


ALONE = structs.replace(RECORD, epoch=10, sync="")
DEAF = structs.replace(B, peer_heard_ms=9000)


@pytest.mark.parametrize(
    ("standby", "because"),
    [
        (structs.replace(DEAF, arbiter_heard_ms=9000), "b is cut off: it hears neither a nor the"),
        (DEAF, "one copy only: b and a do not hear each other: their links are cut"),
        (B, "one copy only: b is STANDBY_SYNC, not in sync yet"),
    ],
)
def test_one_copy_with_a_node_that_answers_us_says_what_is_cut(
    standby: NodeStatus, because: str
) -> None:
    assert because in verdict([A, standby], structs.replace(W, record=ALONE)).because


def test_of_two_that_are_open_the_later_term_counts_and_the_other_is_named() -> None:
    taken = structs.replace(RECORD, epoch=12, term=3, primary="b", sync="")
    b = structs.replace(B, state="PRIMARY_SOLO", open=True, term=3, record=taken)
    stale = structs.replace(A, state="PRIMARY_STALLED", peer_heard_ms=3000, arbiter_heard_ms=3000)
    data = cluster_json([stale, b], structs.replace(W, record=taken), {})
    assert (data["primary"], data["safe_to_fail_over"]) == ("b", False)
    assert "a is cut off" in data["because"]
    assert data["notices"][0].startswith("a has not heard yet that b is the primary")
    assert succeeded([A, B]) == []


def test_how_far_a_standby_is_behind_that_hears_nobody_is_not_known() -> None:
    assert (lag(A), lag(B), lag(DEAF)) == ("-", "96 B", "96 B")
    assert lag(structs.replace(DEAF, arbiter_heard_ms=9000)) == "unknown"


@pytest.mark.parametrize(
    ("a", "b", "asked"),
    [
        (A, B, "a"),
        (structs.replace(A, arbiter_heard_ms=9000), B, "b"),
        (A, structs.replace(B, epoch=12), "b"),
    ],
)
def test_a_verb_for_either_goes_to_the_one_that_can_tell_the_arbiter(
    a: NodeStatus, b: NodeStatus, asked: str
) -> None:
    assert asked_node(Seen([a, b], W, {}, {}, 10.0), None) == asked


def test_a_node_that_is_none_of_the_two_is_a_typing_mistake() -> None:
    with pytest.raises(Ended, match=r"There is no node c\. It can only be a or b\.") as wrong:
        asked_node(Seen([A], W, {}, {}, 10.0), "c")
    assert wrong.value.exit_code == Exit.USAGE


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ("", "a, the primary by record, does not answer, and only it can give its place up"),
        ("a", "Node a does not answer, and only it can do that. Bring it back: power, network"),
    ],
)
def test_a_node_that_is_needed_and_silent_is_to_be_brought_back(wanted: str, why: str) -> None:
    with pytest.raises(Ended, match=why) as wrong:
        asked_node(Seen([B], W, {}, {}, 10.0), wanted)
    assert wrong.value.exit_code == Exit.NO_PRIMARY


def test_where_the_record_is_unknown_the_last_primary_says_how_it_is_and_what_to_bring() -> None:
    cut = structs.replace(A, state="ISOLATED", open=False, arbiter_heard_ms=9000)
    why = verdict([cut], None).because
    assert "a, the primary as last read, is ISOLATED. Bring the witness back, or the node" in why
    assert "neither node answers. Start both" in verdict([], W).because


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
    assert not said["record_current"]
    assert {one["recorded"] for one in said["nodes"]} == {"unknown"}
    assert cluster_json([A, B], W, {})["record_current"]


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
    assert "a node, one link: no answer at 10.0.0.9:1 (refused)" in lines
    assert "copies: two   epoch 9, term 2" in lines
    assert any(line.startswith("safe to fail over? yes, lost: 0: b holds") for line in lines)
    at = lines.index("alarm on a: a serves alone.")
    assert lines[at + 1] == f"  do: {advice('one-copy').do}"


@pytest.mark.parametrize(("record", "copies"), [(STRICT, "one"), (RECORD, "unknown")])
def test_where_nobody_serves_one_copy_is_known_and_two_are_not(record: Record, copies: str) -> None:
    shut = structs.replace(SOLO, open=False, record=record)
    table = Seen([shut], structs.replace(W, record=record), {}, {}, 0.0).table()
    assert f"copies: {copies}   " in table


LINKED = structs.replace(
    A, links=[Links(f"10.{n}.0.2:7501", open=n < 1, heard_ms=90, beats="|!." * 20) for n in (0, 1)]
)
PLACES = {"a": ["a:1", "a:2"], "b": ["b:1", "b:2"]}


def test_every_link_has_its_beats_and_the_page_fits_a_terminal() -> None:
    trouble = structs.replace(LINKED.links[1], trouble="Connection was refused by other side " * 3)
    ill = structs.replace(LINKED, links=[LINKED.links[0], trouble], arbiter_beats="|" * 60)
    lines = Seen([ill, structs.replace(B, links=ill.links)], W, {}, {}, 0.0).table().splitlines()
    assert lines[1].endswith("1 of 2")
    assert sum(line.startswith(("a link", "b link")) for line in lines) == 4
    mute = structs.replace(LINKED, links=[structs.replace(LINKED.links[0], heard_ms=4_400)])
    silent = Seen([mute], W, {}, {}, 0.0).table().splitlines()
    assert silent[1].endswith("0 of 1"), "open and not heard is not alive"
    strip = next(line for line in lines if line.startswith("a link 1"))
    assert "|!." * 20 in strip
    assert strip.endswith("0.1s")
    assert len(lines) <= 24
    assert all(len(line) <= 80 for line in lines), max(lines, key=len)


def test_a_silent_node_is_named_once_with_its_last_sign() -> None:
    down = {"b:1": "refused", "b:2": "refused"}
    told = structs.replace(LINKED, peer="b", addresses=PLACES, peer_heard_ms=14_000)
    seen = Seen([told], structs.replace(W, beats={"a": 40, "b": 13_000}), {}, down, 100.0)
    (line,) = [one for one in seen.table().splitlines() if "no answer" in one]
    assert line.startswith("b: no answer since ")
    assert line.endswith("(13 s) at b:1 and b:2 (refused)")


def test_nobody_but_the_witness_answers_and_both_are_named() -> None:
    down = {"a:1": "refused", "b:1": "refused"}
    lines = Seen([], W, {}, down, 100.0).table().splitlines()
    assert lines[1].startswith("a and b: no answer since ")
    assert "at a:1 and b:1" in lines[1]


def test_while_the_arbiter_is_down_the_record_is_unknown_and_the_last_one_is_told_as_such() -> None:
    table = Seen([A, B], None, {}, {"w:1": "refused"}, 0.0, "w:1").table()
    assert "record unknown; last read: epoch 9, term 2, a primary, b in sync" in table
    assert table.splitlines()[1].split()[4] == "unknown"
    assert "the witness: no answer at w:1 (refused)" in table


def test_an_alarm_of_both_is_said_once() -> None:
    ill = {"no-arbiter": "The arbiter is not heard."}
    pair = [structs.replace(one, alarms=ill) for one in (A, B)]
    table = Seen(pair, W, {}, {}, 0.0).table()
    assert table.count("The arbiter is not heard.") == 1
    assert "alarm on a and b: The arbiter" in table
