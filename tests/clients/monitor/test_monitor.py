"""The monitor's memory and page: who fell silent and since when, what is wrong first, nothing cut
that matters; and the command as a process when nobody answers.
"""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from msgspec import structs

from clients.ops.monitor.book import EVENTS, Book, View, as_json
from clients.ops.monitor.layout import lines
from clients.ops.seen import Seen
from clients.ops.strips import BAD, text
from clients.ops.verdict import Countdown, Links, NodeStatus, WitnessStatus
from protocols.peer import Record
from tests.house.sources import HOUSE

RECORD = Record(
    cluster_id="demo", system_id="7", incarnation=1, epoch=9, term=2, primary="a", sync="b"
)
LINKS = [
    Links(address=f"10.0.{n}.2:7501", open=True, heard_ms=90, beats="|!." * 20) for n in (1, 2)
]
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
    links=LINKS,
    alarms={},
    record=RECORD,
    healthy=True,
    arbiter_beats="|" * 60,
    history=[{"wall_s": 50.0, "state": "PRIMARY_SYNC", "text": "b is in sync."}],
    house={
        "doors_open": True,
        "connections": 3,
        "seats": {"counter/C001": [1, 1], "counter/C002": [1, 0], "bank/SBI": [1, 0]},
    },
)
B = structs.replace(A, node="b", state="STANDBY_SYNC", role="standby", open=False, house={})
W = WitnessStatus(witness="w", nonce="n", record=RECORD, beats={"a": 40, "b": 50})
SIZES = [(80, 24), (120, 40), (40, 10), (20, 4), (200, 60)]


def seen(*nodes: NodeStatus, witness: WitnessStatus | None = W, at_s: float = 100.0) -> Seen:
    return Seen(list(nodes), witness, {}, {}, at_s)


def page(view: View, width: int = 80, height: int = 24) -> str:
    return "\n".join(text(line) for line in lines(view, width, height))


def test_a_pair_in_sync_is_said_to_be_safe() -> None:
    view = Book("demo").view(seen(A, B))
    said = page(view)
    assert "copies: two" in said
    assert "safe to fail over? yes, lost: 0" in said
    assert "doors open, 3 connections" in said
    assert "C001*" in said
    assert "b is in sync." in said
    for node in ("a", "b"):
        for strip in ("link 1", "link 2", "witness"):
            assert f"{node} {strip}" in said


def test_a_node_that_falls_silent_is_shown_since_its_last_sign() -> None:
    book = Book("demo")
    book.view(seen(A, B, at_s=100.0))
    lonely = structs.replace(B, peer_heard_ms=9_000)
    view = book.view(seen(lonely, at_s=110.0, witness=structs.replace(W, beats={"a": 8_500})))
    a = view.nodes[0]
    assert (a.node, a.state, a.was, a.recorded) == ("a", "silent", "PRIMARY_SYNC", "primary")
    assert a.silent_since_s == pytest.approx(101.5)
    assert "silent" in page(view)
    assert "(8 s), was PRIMARY_SYNC" in page(view)
    assert not view.safe_to_fail_over
    assert view.lost is None


def test_a_node_that_never_answered_is_known_from_the_record() -> None:
    view = Book("demo").view(seen(B, witness=None))
    assert [one.node for one in view.nodes] == ["a", "b"]
    assert view.nodes[0].state == "silent"
    assert "witness does not answer" in page(view)
    assert (view.nodes[0].recorded, view.record_current) == ("unknown", False)
    assert "last known epoch 9  term 2" in page(view)


def test_why_it_is_not_safe_is_said_whole_though_it_needs_two_lines() -> None:
    paused = structs.replace(RECORD, paused=True, capped=True, sync="")
    said = page(Book("demo").view(seen(A, B, witness=structs.replace(W, record=paused))))
    assert " ".join(said.split()).count("until 'mpower cluster resume'") == 1


def test_nobody_answers_and_the_addresses_say_why() -> None:
    nobody = Seen([], None, {}, {"10.0.0.1:7501": "connection refused"}, 100.0)
    said = page(Book("demo").view(nobody))
    assert "10.0.0.1:7501: no answer (connection refused)" in said
    assert "safe to fail over? NO" in said


def test_a_countdown_and_alarms_come_first_with_their_runbook_line() -> None:
    alarmed = structs.replace(
        B, alarms={"no-arbiter": "Not heard."}, countdown=Countdown("takeover", 1200)
    )
    view = Book("demo").view(seen(structs.replace(A, alarms={"no-arbiter": "Not heard."}), alarmed))
    first = page(view).splitlines()[:5]
    assert first[2] == "b: takeover in 1.2 s, lost: 0"
    assert first[3].startswith("ALARM a, b no-arbiter: Not heard.")
    assert first[4].startswith("  do: Start the witness")


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_page_fits_whatever_the_size(width: int, height: int) -> None:
    history = [{"wall_s": float(n), "state": "X", "text": "long " * 40} for n in range(90)]
    alarms = {f"kind-{n}": "what is wrong " * 10 for n in range(3)}
    many = structs.replace(A, history=history, alarms=alarms)
    view = Book("demo").view(seen(many, B))
    fitted = lines(view, width, height)
    assert len(fitted) <= height
    assert all(len(text(line)) <= width for line in fitted)
    assert "mPower" in text(fitted[0])


def test_what_is_wrong_is_whole_even_on_a_narrow_screen() -> None:
    sentence = "the disk of this node is nearly full and will be full within an hour"
    view = Book("demo").view(seen(structs.replace(A, alarms={"disk": sentence}), B))
    said = " ".join(page(view, 40, 30).split())
    assert sentence in said


def test_missed_beats_are_painted_as_bad() -> None:
    view = Book("demo").view(seen(A, B))
    strips = [line for line in lines(view, 80, 40) if text(line).startswith("a link 1")]
    assert {kind for words, kind in strips[0] if words == "."} == {BAD}


def test_events_of_both_nodes_are_merged_once_and_bounded() -> None:
    book = Book("demo")
    history = [{"wall_s": float(n), "state": "X", "text": f"line {n}"} for n in range(150)]
    for _ in range(3):
        view = book.view(
            seen(structs.replace(A, history=history), structs.replace(B, history=history))
        )
    assert len(view.events) == EVENTS
    times = [one.at_s for one in view.events]
    assert times == sorted(times)


def test_the_json_answer_keeps_its_fields() -> None:
    """Programs read these: a field may be added here, none taken away within a version."""
    said = as_json(Book("demo").view(seen(A, B)))
    assert set(said) >= {
        *("cluster", "at_s", "primary", "copies", "epoch", "term", "paused", "strict", "lost"),
        *("safe_to_fail_over", "because", "witness", "nodes", "alarms", "seats", "connections"),
        *("doors_open", "events", "silent"),
    }
    assert set(said["nodes"][0]) >= {
        *("node", "state", "role", "recorded", "open", "timeline", "lag_bytes", "healthy"),
        *("peer_heard_ms", "arbiter_heard_ms", "arbiter_beats", "links", "countdown"),
        *("loop_lag_ms", "disk_free_mb", "reason", "silent_since_s", "was"),
    }
    assert said["lost"] == 0


def argv(home: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "clients", "--settings", str(home), "monitor", *words]


def test_once_with_nobody_there_says_so_and_ends_with_three(home: Path) -> None:
    said = subprocess.run(
        argv(home, "--once", "--json"),
        cwd=HOUSE,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert said.returncode == 3, said
    found = json.loads(said.stdout)
    assert (found["version"], found["nodes"], found["lost"]) == (1, [], None)
    assert len(found["silent"]) == 5
    assert "Nobody answered" in said.stderr


def test_a_pipe_that_closes_ends_it_quietly(home: Path) -> None:
    running = subprocess.Popen(
        argv(home, "--plain"), cwd=HOUSE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    assert "mPower" in running.stdout.readline()
    running.stdout.close()
    assert running.stderr is not None
    assert running.stderr.read() == ""
    running.stderr.close()
    assert running.wait(30) == 0


def test_on_a_terminal_it_has_its_own_screen_and_gives_it_back(home: Path) -> None:
    leader, follower = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
    running = subprocess.Popen(
        # A job in the background inherits an ignored SIGINT; a person's terminal never does.
        ["env", "--default-signal=INT", *argv(home)],
        cwd=HOUSE,
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=environment,
    )
    os.close(follower)
    said = b""
    give_up_s = time.monotonic() + 60
    while b"safe to fail over?" not in said and time.monotonic() < give_up_s:
        if select.select([leader], [], [], 0.2)[0]:
            said += os.read(leader, 65536)
    running.send_signal(signal.SIGINT)
    while time.monotonic() < give_up_s and select.select([leader], [], [], 5)[0]:
        try:
            said += os.read(leader, 65536)
        except OSError:
            break
    assert running.wait(30) == 0
    os.close(leader)
    assert b"\x1b[?1049h" in said, "its own screen"
    assert said.rindex(b"\x1b[?1049l") > said.rindex(b"\x1b[?1049h"), "given back"
