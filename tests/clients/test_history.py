"""The page of history: a line a term, a line an act, read at three in the morning."""

import msgspec
from msgspec import structs

from clients.ops.asking import Heard
from clients.ops.history import Told, history_json, page, told_of
from protocols.annals import Entry
from protocols.peer import Answer
from tests.protocols.test_annals import CLAIM, MADE, OPEN, PAUSED, SYNC


def answer(address: str, node: str, *entries: Entry) -> Heard:
    data = msgspec.json.encode({"node": node, "entries": entries}).decode()
    return Heard(address, Answer(1, ok=True, data=data))


STORY = [MADE, SYNC, PAUSED, CLAIM, OPEN]


def test_a_page_has_a_line_for_each_term_and_act_and_no_routine() -> None:
    lines = page(told_of([answer("x:1", "a", *STORY), answer("x:2", "b", *STORY)])).splitlines()
    assert len(lines) == 4, lines
    assert "a made the cluster" in lines[1]
    assert "Paused by asha" in lines[2]
    assert "b took over from a: no beat of a" in lines[3]
    assert lines[3].endswith("2.41 s")


def test_every_change_is_shown_on_request() -> None:
    assert len(page(Told(STORY, ["a", "b"], {}), every=True).splitlines()) == 6


def test_one_node_alone_says_that_some_may_be_missing_and_a_dead_link_does_not() -> None:
    gone = Heard("x:3", None, "refused")
    alone = page(told_of([answer("x:1", "a", *STORY), gone]), silent=["b: no answer (refused)"])
    assert "Told by a alone" in alone
    assert alone.count("no answer") == 1
    both = told_of([answer("x:1", "a", *STORY), answer("x:2", "b", *STORY), gone])
    assert "no answer" not in page(both, silent=["b, one link: no answer"])


def test_what_is_not_known_is_said_and_never_guessed() -> None:
    unknown = structs.replace(OPEN, epoch=7, op_id="b-y-6-pause", gap_ms=-1, wall_time=0.0)
    text = page(Told([unknown], ["a", "b"], {}))
    assert "b took over from a: no beat of a" in text
    assert text.count("not known") == 2, text
    assert "not open yet" in page(Told([MADE, CLAIM], ["a", "b"], {}))
    assert "Nothing has happened yet" in page(Told([], ["a"], {}))


def test_programs_get_terms_acts_and_changes() -> None:
    found = history_json(Told(STORY, ["a", "b"], {}))
    assert [one["gap_ms"] for one in found["terms"]] == [-1, 2412]
    assert [one["kind"] for one in found["acts"]] == ["bootstrap", "pause"]
    assert [one["routine"] for one in found["changes"]] == [False, True, False, False, False]


def test_who_made_the_cluster_and_what_failed_have_their_lines() -> None:
    made = structs.replace(MADE, why="bootstrap by asha", reason="bootstrap by asha")
    why = "hand-over on battery (asked by asha): nobody took over"
    kept = structs.replace(SYNC, epoch=3, op_id="a-x-2-untaken", reason=why, why=made.why)
    lines = page(Told([made, SYNC, kept], ["a", "b"], {})).splitlines()
    assert lines[1].endswith("a made the cluster by asha")
    assert lines[2].endswith("Hand-over on battery (asked by asha): nobody took over")
    later = structs.replace(SYNC, why=made.why)
    assert "a made the cluster by asha" in page(Told([later], ["a", "b"], {}))
