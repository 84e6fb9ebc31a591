"""Which day may be opened: near the node's own date, because days only go forward."""

import datetime as dt

import pytest

from mpowerd.days.rules import near_date
from protocols.refusals import Refused

TODAY = dt.date(2026, 11, 24)


@pytest.mark.parametrize("text", ["2026-10-24", "2026-11-23", "2026-11-24", "2026-11-25"])
def test_a_near_day_may_be_opened(text: str) -> None:
    assert near_date("days.open", text, TODAY) == dt.date.fromisoformat(text)


@pytest.mark.parametrize("text", ["2026-10-23", "2026-11-26", "2036-11-24", "9999-12-31"])
def test_a_day_far_off_is_a_typing_mistake(text: str) -> None:
    with pytest.raises(Refused) as refused:
        near_date("days.open", text, TODAY)
    assert refused.value.code == "DAY_FAR"
    assert refused.value.sentence == (
        f"The day {text} is far from today, 2026-11-24, and was not opened: only 2026-10-24 to"
        " 2026-11-25 can be. Check the date; if today is wrong, tell operations: the server's"
        " clock is."
    )
