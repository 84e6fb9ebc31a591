"""Which fault a wait is charged to."""

from msgspec import structs

from tests.torture.evidence import Asked
from tests.torture.gaps import AFTER_S, Hit, longest, table

KILL = Hit("kill-host", "primary", 100.0, 104.0, alone=True)
CUT = Hit("cut-link", "town:a-b", 200.0, 205.0, alone=False)


def waited(saved_s: float, settled_s: float) -> Asked:
    return Asked("C001", f"k/{saved_s}", "payments.take", b"", b"x", False, saved_s, settled_s)


def test_a_wait_under_a_fault_is_its_wait() -> None:
    asked = [waited(99.9, 102.4), waited(101.0, 102.0), waited(150.0, 150.1)]
    assert [one.ms for one in longest([KILL, CUT], asked)] == [2500, 0]


def test_a_wait_that_begins_soon_after_a_fault_still_belongs_to_it() -> None:
    assert longest([KILL], [waited(104.0 + AFTER_S - 1, 111.0)])[0].ms == 2000
    assert longest([KILL], [waited(104.0 + AFTER_S + 1, 113.0)])[0].ms == 0


def test_what_is_not_answered_is_no_measured_wait() -> None:
    assert longest([KILL], [structs.replace(waited(99.0, 0.0), answer=b"")])[0].ms == 0


def test_of_two_faults_the_one_is_charged_that_the_wait_found_or_met_first() -> None:
    later = structs.replace(CUT, began_s=101.0, ended_s=103.0)
    assert [one.ms for one in longest([KILL, later], [waited(99.9, 102.4)])] == [2500, 0]
    assert [one.ms for one in longest([KILL, later], [waited(101.5, 102.5)])] == [0, 1000]


def test_what_a_new_fault_strikes_under_way_is_not_charged_to_the_one_before() -> None:
    nothing = structs.replace(CUT, kind="pause", began_s=96.0, ended_s=99.0)
    assert [one.ms for one in longest([nothing, KILL], [waited(99.95, 102.45)])] == [0, 2500]


def test_the_table_tells_alone_from_overlapped() -> None:
    again = structs.replace(KILL, began_s=300.0, ended_s=301.0, alone=False)
    waits = longest([KILL, again], [waited(100.5, 102.5), waited(300.5, 309.5)])
    assert table(waits) == [("kill-host", 2, 2000, 2000, 9000)]
