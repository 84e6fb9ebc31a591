"""Fields and records are two writings of the same row; what is not one is refused by name."""

from __future__ import annotations

import struct

import pytest

from protocols import evidence
from protocols.evidence import ENTRY, Fields, fields_of, record_of

REQUEST: Fields = {
    "counter": "C001",
    "client": "00000000-0000-0000-0000-000000000001",
    "sequence": 7,
    "at": "2026-11-24T10:00:00.000001+00:00",
    "receipt": 2**40,
    "previous_receipt": 0,
    "consumer": 1,
    "amount_paise": 100,
    "day": "2026-11-24",
    "user_id": 3,
    "position": 1,
    "fingerprint": "00ff",
    "operation": "payments.take",
    "actor": "asha",
    "address": "10.0.0.1:1",
    "mode": "CASH",
    "instrument": None,
    "purpose": "DUES",
    "name": "रवि",
    "refusal": None,
    "refusal_fields": None,
    "reply": None,
}


def test_a_row_comes_back_as_it_was_written() -> None:
    assert fields_of("request", record_of("request", REQUEST)) == REQUEST


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("position", 2**15),
        ("sequence", "7"),
        ("at", "yesterday"),
        ("day", "2026-02-30"),
        ("client", "x"),
        ("fingerprint", "0"),
        ("name", 1),
    ],
)
def test_a_field_that_cannot_be_one_is_named(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"{field} of a request"):
        record_of("request", REQUEST | {field: value})


def test_other_fields_and_other_records_are_refused() -> None:
    record = record_of("request", REQUEST)
    with pytest.raises(ValueError, match="other fields"):
        record_of("entry", REQUEST)
    with pytest.raises(ValueError, match="no entry"):
        fields_of("entry", record)
    with pytest.raises(ValueError, match="cut off"):
        fields_of("request", record[:50])
    with pytest.raises(ValueError, match="cut off"):
        fields_of("request", b"")
    wrong = struct.pack(">iIi", len(ENTRY), evidence.TEXT, -1)
    with pytest.raises(ValueError, match="position of a entry has the type 25"):
        fields_of("entry", wrong)
