"""History from entries: terms with who, when, why and gap, whichever node kept what."""

from msgspec import structs

from protocols.annals import Entry, acts_of, entry_of, merged, terms_of
from protocols.peer import Record

MADE = Entry(
    incarnation=1, epoch=1, term=1, primary="a", op_id="a-x-0-bootstrap", by="a", wall_time=10.0
)
SYNC = structs.replace(MADE, epoch=2, op_id="a-x-1-sync4", sync="b", wall_time=11.0)
PAUSED = structs.replace(
    SYNC, epoch=3, op_id="b-y-2-pause", reason="paused by asha", wall_time=12.0
)
CLAIM = Entry(
    incarnation=1,
    epoch=4,
    term=2,
    primary="b",
    op_id="b-y-3-claim",
    by="b",
    reason="no beat of a",
    wall_time=20.0,
    opened=False,
    prev="a",
)
OPEN = structs.replace(CLAIM, epoch=5, op_id="b-y-4-open", opened=True, wall_time=20.4, gap_ms=2412)


def test_two_nodes_that_each_missed_some_tell_the_whole() -> None:
    assert merged([MADE, SYNC, CLAIM], [SYNC, PAUSED, OPEN]) == [MADE, SYNC, PAUSED, CLAIM, OPEN]


def test_a_term_has_who_when_why_and_the_gap() -> None:
    first, second = terms_of([MADE, SYNC, PAUSED, CLAIM, OPEN])
    assert (first.term, first.primary, first.kind, first.until_s) == (1, "a", "bootstrap", 20.0)
    assert (second.term, second.primary, second.prev, second.why) == (2, "b", "a", "no beat of a")
    assert (second.since_s, second.opened_s, second.gap_ms) == (20.0, 20.4, 2412)
    assert first.whole
    assert second.whole


def test_a_term_is_told_by_any_record_of_it() -> None:
    later = structs.replace(OPEN, epoch=6, op_id="b-y-5-sync7", sync="a")
    (term,) = terms_of([structs.replace(later, why="no beat of a", since=20.0, reason="in sync")])
    assert not term.whole
    assert (term.why, term.since_s, term.opened_s) == ("no beat of a", 20.0, 0.0)
    assert term.gap_ms == 2412


def test_a_term_that_never_opened_has_no_gap() -> None:
    back = structs.replace(CLAIM, epoch=5, term=3, primary="a", op_id="a-z-4-reclaim")
    _, lost, _ = terms_of([MADE, CLAIM, back])
    assert (lost.opened_s, lost.gap_ms) == (0.0, -1)


def test_peoples_acts_are_what_no_machine_does_by_itself() -> None:
    forced = structs.replace(CLAIM, epoch=9, term=3, op_id="b-y-8-failover")
    rebuilt = structs.replace(OPEN, epoch=10, op_id="b-y-9-rebuild", incarnation=2)
    off = structs.replace(OPEN, epoch=11, op_id="b-y-9-called-off")
    assert acts_of([SYNC, PAUSED, CLAIM, OPEN, forced, off, rebuilt]) == [PAUSED, forced, rebuilt]


def test_an_arbiter_that_was_set_back_shows_both_stories() -> None:
    other = structs.replace(SYNC, op_id="b-y-1-claim", primary="b", term=2)
    assert merged([SYNC], [other]) == [SYNC, other]


def test_an_entry_is_the_record_without_what_only_machines_need() -> None:
    record = Record(
        cluster_id="c",
        system_id="7",
        incarnation=1,
        epoch=5,
        term=2,
        primary="b",
        op_id="b-y-4-open",
    )
    assert entry_of(structs.replace(record, gap_ms=7)).gap_ms == 7
    assert entry_of(record).kind == "open"
