"""What is refused of a scroll before a line of it is posted, and with which words."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from mpowerd.banking.rules import UNKNOWN, check, consumer, fingerprint
from protocols.catalogue.banking import Line, Post
from protocols.refusals import Refused

ONE = Line("N1", "0000000001", 100, "2026-11-23")
TWO = Line("N2", "0000000002", 250, "2026-11-23")
GOOD = Post("S-1", 1, 2, 350, [ONE, TWO])


def test_a_scroll_that_fits_passes() -> None:
    refused = []
    try:
        check(GOOD)
    except Refused as no:
        refused.append(no.sentence)
    assert refused == []


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (replace(GOOD, control_paise=351), "says Rs 3.51, the lines sum to Rs 3.50"),
        (replace(GOOD, control_count=3), "says 3, there are 2 lines"),
        (replace(GOOD, lines=[ONE, ONE]), "Line 2 repeats reference N1 of line 1"),
        (replace(GOOD, lines=[ONE, replace(TWO, amount_paise=0)]), r"Line 2 \(N2\)"),
        (replace(GOOD, lines=[replace(ONE, value_date="2026-02-29"), TWO]), "no day 2026-02-29"),
    ],
)
def test_what_does_not_fit_is_named(bad: Post, says: str) -> None:
    with pytest.raises(Refused, match=says):
        check(bad)


@pytest.mark.parametrize(
    ("text", "number"),
    [("0000000001", 1), ("123456789", UNKNOWN), ("OLD-12", UNKNOWN), ("12345678901", UNKNOWN)],
)
def test_a_text_that_is_no_consumer_number_is_unknown(text: str, number: int) -> None:
    assert consumer(replace(ONE, consumer=text)) == number


def test_the_fingerprint_is_of_the_content() -> None:
    assert fingerprint(GOOD) == fingerprint(replace(GOOD))
    assert fingerprint(GOOD) != fingerprint(replace(GOOD, lines=[TWO, ONE]))
