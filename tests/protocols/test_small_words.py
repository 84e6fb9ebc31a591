"""The small pure files: values a person types or reads, refusals, faults, operations."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.catalogue import CATALOGUE
from protocols.catalogue.body import Nothing
from protocols.faults import FAULT_RETRY_MS, Fault, fault_id, refusal
from protocols.messages import Refusal
from protocols.operation import Catalogue, Operation, Role
from protocols.powers import AGAIN_FROM, AT_ONCE, MEANS, UNITS, Power
from protocols.refusals import SENTENCES, Refused
from protocols.values import MAX_PAISE, paise_from_text, receipt_number, rupees


@given(st.integers(0, MAX_PAISE))
def test_what_is_written_for_a_person_is_read_back(paise: int) -> None:
    assert paise_from_text(rupees(paise).removeprefix("Rs ")) == paise


@pytest.mark.parametrize(
    ("text", "paise"),
    [
        ("1240", 124_000),
        (" 1,240.5 ", 124_050),
        ("12,34,567.89", 123_456_789),
        ("0.05", 5),
        ("", None),
        (".5", None),
        ("5.", None),
        ("1,2", None),
        (",240", None),
        ("1_000", None),
        ("1.234", None),
        ("-5", None),
        ("+5", None),
        ("1e3", None),
        ("१२", None),
        ("1,,240", None),
        ("9" * 15, None),
    ],
)
def test_an_amount_is_read_as_people_write_it_or_not_at_all(text: str, paise: int | None) -> None:
    assert paise_from_text(text) == paise


def test_amounts_and_numbers_are_written_as_in_india() -> None:
    assert rupees(-123_456_789) == "-Rs 12,34,567.89"
    assert rupees(5) == "Rs 0.05"
    assert receipt_number("C001", "2026-27", 42) == "C001/2026-27/42"


def test_a_refusal_carries_its_sentence_and_whether_it_settles_the_key() -> None:
    refused = Refused("NO_CONSUMER", consumer="1234567890")
    assert refusal(7, refused) == Refusal(
        7, "NO_CONSUMER", "There is no consumer 1234567890. Check the ten digits on the bill.", True
    )
    assert refusal(7, Refused("BUSY"), 200, replay=True) == Refusal(
        7, "BUSY", SENTENCES["BUSY"].text, False, 200, True
    )
    with pytest.raises(KeyError):
        Refused("NO_SUCH_CODE")


def test_a_fault_shows_its_id_and_nothing_else() -> None:
    fault = Fault(fault_id(b"\x7f\x3a\x09\xc2"), "column is missing")
    answer = refusal(7, Refused("FAULT", id=fault.fault_id), FAULT_RETRY_MS)
    assert (answer.code, answer.final, answer.retry_ms) == ("FAULT", False, FAULT_RETRY_MS)
    assert "7F3A-09C2" in answer.sentence
    assert "column" not in answer.sentence
    with pytest.raises(AssertionError, match="too little randomness"):
        fault_id(b"\x7f")


def operation(name: str, roles: frozenset[Role] = frozenset({Role.CLERK})) -> Operation:
    return Operation(name, Nothing, Nothing, roles, keyed=False, purpose="test")


@pytest.mark.parametrize(
    ("rooms", "why"),
    [
        ((operation("Room.verb"),), r"Room\.verb"),
        ((operation("room.verb"), operation("room.verb")), "declared twice"),
        ((operation("room.verb", frozenset()),), "allowed to nobody"),
    ],
)
def test_a_declaration_that_is_wrong_is_our_mistake(rooms: tuple[Operation, ...], why: str) -> None:
    with pytest.raises(AssertionError, match=why):
        Catalogue(rooms)


def test_a_catalogue_is_looked_up_by_name() -> None:
    catalogue = Catalogue((operation("room.verb"),), (operation("other.verb"),))
    assert [one.name for one in catalogue] == ["room.verb", "other.verb"]
    assert len(catalogue) == 2
    assert catalogue.get("room.verb") is not None
    assert catalogue.get("room.other") is None


def test_every_power_decides_something() -> None:
    used = {one.four_eyes.power for one in CATALOGUE if one.four_eyes is not None}
    assert used == set(Power)
    for named in (UNITS, MEANS):
        assert set(named) == used
    assert set(AGAIN_FROM) | set(AT_ONCE) <= used
