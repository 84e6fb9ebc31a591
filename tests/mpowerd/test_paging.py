"""Pages of a list: all of it, each row once, each page in a frame; what comes or goes between two
pages moves no other row.
"""

import pytest
from msgspec import Struct, msgpack

from mpowerd.paging import PAGE_BYTES, fitting, page


class Line(Struct, frozen=True, array_like=True):
    name: str
    text: str


def lines(count: int) -> list[Line]:
    return [Line(f"{n:05}", "क" * 200) for n in range(count)]


def test_a_page_holds_what_fits_and_at_least_one() -> None:
    kept = fitting(lines(500))
    size = len(msgpack.encode(lines(1)[0]))
    assert len(kept) == PAGE_BYTES // size
    assert fitting([Line("long", "x" * PAGE_BYTES)] * 2) == [Line("long", "x" * PAGE_BYTES)]
    assert fitting(lines(3)) == lines(3)
    assert fitting([]) == []


@pytest.mark.parametrize("newest_first", [False, True])
def test_pages_together_are_the_list_though_it_changes_meanwhile(newest_first: bool) -> None:
    rows = lines(300)
    expected = rows[::-1] if newest_first else rows
    first, mark = page(rows, lambda one: one.name, "", newest_first=newest_first)
    assert 0 < len(first) < 300
    found, gone = list(first), first[-1]
    rows = [one for one in rows if one != gone] + [Line(f"{gone.name}-", "came, out of order")]
    while mark:
        more, mark = page(rows, lambda one: one.name, mark, newest_first=newest_first)
        found += more
    assert [one for one in found if one in expected] == expected
