"""A scroll is right in itself or refused whole, each flaw by line and column."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.bank.scroll import PART_LINES, Scroll, parse_scroll, parts
from clients.columns import FileRefused
from protocols.catalogue.banking import Line, Post
from protocols.messages import MAX_FRAME_BYTES

H = "H,SBI,2026/04-01,2026-04-01"
D1 = "D,UTR1,1000000001,100.50,2026-04-01"
D2 = "D,UTR2,X-9,200,2026-03-31"
T = "T,2,300.50"


def read(*lines: str) -> Scroll:
    return parse_scroll("\r\n".join(lines).encode())


def refused(*lines: str) -> str:
    with pytest.raises(FileRefused) as no:
        read(*lines)
    return str(no.value)


def test_a_right_scroll_is_read_exactly() -> None:
    scroll = read("\ufeff" + H, D1, D2, T)
    assert (scroll.bank, scroll.name, scroll.value_date) == ("SBI", "2026/04-01", "2026-04-01")
    assert scroll.lines == [
        Line("UTR1", "1000000001", 10050, "2026-04-01"),
        Line("UTR2", "X-9", 20000, "2026-03-31"),
    ]
    assert scroll.total_paise == 30050


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([], "the file must begin with a header line H"),
        ([D1, D2, T], "line 1: the file must begin with a header line H"),
        ([H, D1, D2], "line 3: the trailer line T is missing: the file is truncated"),
        ([H, D1, D2, "T,2"], "line 4: has 2 columns instead of 3"),
        ([H, T], "there are no payments in the file"),
        ([H, D1, "D,UTR2,X", T], "line 3: has 3 columns instead of 5"),
        ([H, D1, D2, T, D1, T], "line 4: is a second T line; one file holds one scroll"),
        ([H, D1, H, D2, T], "line 3: is a second H line; one file holds one scroll"),
        ([H, D1, "X,1", T], "line 3: begins with 'X' instead of H, D or T"),
        (
            [H, D1, D2, "T,3,300.50"],
            "line 4, column count: says 3, there are 2 payment lines",
        ),
        (
            [H, D1, D2, "T,2,300.51"],
            "line 4, column total: says 300.51, the lines sum to 300.50",
        ),
        ([H, D1, D2, "T,२,300.50"], "line 4, column count: '२' is not a count (ASCII digits)"),
        (
            [H, D1, D2, "T,2,x"],
            (
                "line 4, column total: 'x' is not an amount in rupees (as 1240 or 1240.50,"
                " ASCII digits)"
            ),
        ),
        (
            [H, D1, "D,UTR1,X-9,200,2026-03-31", T],
            "line 3, column reference: 'UTR1' stands already on line 2",
        ),
        (
            [H, D1, "D,UTR2,X-9,२००,2026-03-31", T],
            (
                "line 3, column amount: '२००' is not an amount in rupees (as 1240 or 1240.50,"
                " ASCII digits)"
            ),
        ),
        (
            [H, D1, "D,UTR2,X-9,-200,2026-03-31", T],
            (
                "line 3, column amount: '-200' is not an amount in rupees (as 1240 or 1240.50,"
                " ASCII digits)"
            ),
        ),
        (
            [H, D1, "D,UTR2,X-9,0,2026-03-31", "T,2,100.50"],
            "line 3, column amount: is zero; a payment has an amount",
        ),
        (
            [H, D1, "D,UTR2,X-9,200,2026-02-30", T],
            "line 3, column date: '2026-02-30' is not a date (as 2026-04-01)",
        ),
        (
            [H, D1, "D,UTR2,X-9,200,20260331", T],
            "line 3, column date: '20260331' is not a date (as 2026-04-01)",
        ),
        (
            [H, D1, "D,U 2,X-9,200,2026-03-31", T],
            (
                "line 3, column reference: 'U 2' is not a reference (letters, digits and / _ . -, 1"
                " to 35 characters)"
            ),
        ),
        (
            [H, D1, "D,UTR2,X_9,200,2026-03-31", T],
            (
                "line 3, column consumer: 'X_9' is not a consumer (letters, digits and -, 1 to"
                " 20 characters)"
            ),
        ),
        (
            ["H,sbi,s,2026-04-01", D1, D2, T],
            "line 1, column bank: 'sbi' is not a bank's code (as SBI)",
        ),
        (
            ["H,SBI,a b,2026-04-01", D1, D2, T],
            (
                "line 1, column scroll: 'a b' is not a scroll's name (letters, digits and / _ . -,"
                " 1 to 40 characters)"
            ),
        ),
        (
            ["H,SBI,s,1.4.2026", D1, D2, T],
            "line 1, column value date: '1.4.2026' is not a date (as 2026-04-01)",
        ),
    ],
)
def test_a_wrong_scroll_is_named(lines: list[str], sentence: str) -> None:
    assert refused(*lines) == f"{sentence}."


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=1300))
def test_parts_carry_every_line_once_with_right_controls(amounts: list[int]) -> None:
    lines = [Line(f"R{n}", "1", paise, "2026-04-01") for n, paise in enumerate(amounts)]
    cut = parts(Scroll("SBI", "s", "2026-04-01", lines))
    assert [line for part in cut for line in part.lines] == lines
    assert [part.part for part in cut] == list(range(1, len(cut) + 1))
    for part in cut:
        assert part.control_count == len(part.lines) <= PART_LINES
        assert part.control_paise == sum(line.amount_paise for line in part.lines)


def test_the_longest_part_fits_a_frame() -> None:
    line = Line("R" * 35, "C" * 20, 10**13, "2026-04-01")
    part = Post("s" * 40, 10_000, 500, 10**13, [line] * PART_LINES)
    assert len(msgspec.msgpack.encode(part)) < MAX_FRAME_BYTES - 2048


@given(st.lists(st.integers(1, 10**10), min_size=1, max_size=30))
def test_a_written_scroll_is_read_back_and_any_lost_line_is_seen(amounts: list[int]) -> None:
    def rupees(paise: int) -> str:
        return f"{paise // 100}.{paise % 100:02d}"

    details = [f"D,R{n},1,{rupees(paise)},2026-04-01" for n, paise in enumerate(amounts)]
    whole = [H, *details, f"T,{len(amounts)},{rupees(sum(amounts))}"]
    assert [line.amount_paise for line in read(*whole).lines] == amounts
    for n in range(len(whole)):
        refused(*whole[:n], *whole[n + 1 :])
