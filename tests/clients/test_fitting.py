"""Names of any script stand in their columns, and a letter is never cut in two."""

from __future__ import annotations

import datetime as dt

import pytest
from msgspec.structs import replace

from clients.counter import paper
from clients.counter.fitting import fit, letters, width
from protocols.catalogue import consumers, payments

HINDI = "श्रीमती राजेश्वरी देवी विश्वकर्मा श्रीवास्तव"
LATIN = "Venkatanarasimharajuvaripeta Rao of Copper Lane"
RECEIPT = payments.Receipt(
    "C001/2026-27/42", "2026-04-01", "2026-04-01T05:32:00Z", "1000000001", "A", 12_34_56_789_01,
    "CASH", "", "DUES", "asha",
)  # fmt: skip


@pytest.mark.parametrize("columns", range(30))
@pytest.mark.parametrize("name", [HINDI, LATIN, "", "電力 board"])
def test_a_column_is_filled_and_letters_stay_whole(name: str, columns: int) -> None:
    held = fit(name, columns)
    assert width(held) == columns
    kept = letters(held.rstrip())
    assert kept == letters(name)[: len(kept)]


def test_a_sign_takes_no_column_and_belongs_to_its_letter() -> None:
    assert letters("श्री कुछ") == ["श्री", " ", "कु", "छ"]
    assert width("कु") == 1


@pytest.mark.parametrize("name", [HINDI, LATIN])
def test_what_is_found_is_in_line(name: str) -> None:
    rows = [
        consumers.Consumer("1000000001", one, one, "DS", "M", "", 1, 12_34_56_789_01)
        for one in (name, "A")
    ]
    lines = paper.found_text(consumers.Found(rows, more=False)).splitlines()
    assert {width(line) for line in lines} == {80}


@pytest.mark.parametrize("name", [HINDI, LATIN])
def test_a_long_name_is_on_the_receipt_whole(name: str) -> None:
    zone = dt.UTC
    lines = paper.receipt_text(replace(RECEIPT, name=name), duplicate=False, zone=zone).splitlines()
    assert any(name in line for line in lines)
    assert max(map(width, lines)) <= 80
    clerk = [line for line in lines if "Clerk:" in line]
    assert len(clerk) == 1
    assert "asha" in clerk[0]
