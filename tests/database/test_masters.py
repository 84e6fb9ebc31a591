"""Masters on a real PostgreSQL: effective from a day, whole or not at all, by two people."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import msgpack
from msgspec.structs import replace

from protocols.catalogue.approvals import Approve, Show
from protocols.catalogue.masters import ChangeMaster, ListMaster, MasterHistory
from protocols.catalogue.security import AddCounter
from protocols.masters import MasterError, checked
from protocols.messages import MAX_FRAME_BYTES
from protocols.operation import Role
from tests.database.town import DAY, Town, add_people, here, town
from tests.postgres_nodes import Node, on_reactor

SECOND = {"anita": ("E-ANITA", Role.ADMIN, "ops/desk2")}
CHANGE = "masters.change"
ZONE = {"code": "Z1", "name": "East", "kind": "ZONE", "parent": "HO"}
CIRCLE = {"code": "C1", "name": "Lake", "kind": "CIRCLE", "parent": "Z1"}
OFFICES = ChangeMaster("offices", DAY, [CIRCLE, ZONE], [], "the board's tree")
HEADS = ChangeMaster(
    "charge_heads", DAY, [{"code": "METER", "name": "Meter", "owner": "BOARD"}], [], "order 3"
)
RATE = {"code": "M1", "name": "Meter 1-ph", "unit": "each", "paise": "120000", "head": "METER"}
RATES = ChangeMaster("rates", DAY, [RATE], [], "rate book 2026")


async def both(t: Town, body: ChangeMaster) -> None:
    """Ask as one administrator, approve as the other."""
    asked = await t.done("adil", CHANGE, body)
    assert not asked.done
    await t.done("anita", "approvals.approve", Approve(asked.request, 1, asked.content))


async def stands(t: Town, master: Any, as_of: str = "") -> dict[str, dict[str, str]]:
    rows = (await t.read("asha", "masters.list", ListMaster(master, as_of))).rows
    return {row.key: row.fields for row in rows}


@on_reactor
async def test_offices_stand_once_two_people_agree_and_carry_what_needs_them(node: Node) -> None:
    async with town(node) as t:
        add_people(t, SECOND)
        counter = AddCounter("C009", "C1")
        assert await t.refused("adil", "security.add_counter", counter) == "NO_OFFICE"
        asked = await t.done("adil", CHANGE, OFFICES)
        assert set(await stands(t, "offices")) == {"HO"}
        shown = await t.read("anita", "approvals.show", Show(asked.request))
        assert ("Z1.name", "", "East") in [(c.field, c.before, c.after) for c in shown.changes]
        await t.done("anita", "approvals.approve", Approve(asked.request, 1, asked.content))
        assert (await stands(t, "offices"))["C1"] == CIRCLE
        assert (await t.done("adil", "security.add_counter", counter)).office == "C1"
        assert t.look(
            "SELECT mpower.office_within('C1', 'Z1'), mpower.office_within('Z1', 'C1')"
        ) == [(True, False)]
        t.is_well()


@on_reactor
async def test_what_held_on_a_day_can_be_told_for_ever(node: Node) -> None:
    async with town(node) as t:
        add_people(t, SECOND)
        await both(t, HEADS)
        await both(t, RATES)
        dearer = replace(
            RATES, valid_from="2027-04-01", rows=[{**RATE, "paise": "150000"}], reason="new book"
        )
        await both(t, dearer)
        assert (await stands(t, "rates"))["M1"]["paise"] == "120000"
        assert (await stands(t, "rates", "2027-03-31"))["M1"]["paise"] == "120000"
        assert (await stands(t, "rates", "2027-04-01"))["M1"]["paise"] == "150000"
        ended = ChangeMaster("rates", "2028-01-01", [], ["M1"], "no longer bought")
        await both(t, ended)
        assert await stands(t, "rates", "2028-01-01") == {}
        history = (await t.read("asha", "masters.history", MasterHistory("rates", "M1"))).versions
        assert [one.valid_from for one in history] == ["2028-01-01", "2027-04-01", DAY]
        assert history[0].fields is None


@on_reactor
async def test_a_change_is_whole_and_right_or_nothing(node: Node) -> None:
    async with town(node) as t:
        add_people(t, SECOND)

        async def flaws(body: ChangeMaster) -> str:
            outcome = await t.ask("adil", CHANGE, body)
            assert outcome.refusal is not None
            assert outcome.refusal[0] == "BAD_MASTER", outcome.refusal
            return outcome.refusal[1]

        assert "head METER is not among the charge heads" in await flaws(RATES)
        await both(t, HEADS)
        for wrong, flaw in (
            ({**RATE, "paise": "12.5"}, "paise: '12.5' is not a whole number"),
            ({**RATE, "paise": "-1"}, "paise: expected `int` >= 0"),
            ({**RATE, "code": "m1"}, "code: expected `str` matching"),
            ({**RATE, "colour": "red"}, "there is no field colour"),
            ({"code": "M1"}, "name, unit, paise, head is missing"),
        ):
            assert flaw in await flaws(replace(RATES, rows=[wrong]))
        assert "there twice" in await flaws(replace(RATES, rows=[RATE, RATE]))
        assert "does not stand" in await flaws(replace(RATES, rows=[], ended=["M9"]))
        await both(t, RATES)
        without = ChangeMaster("charge_heads", DAY, [], ["METER"], "no longer")
        assert "rates M1 still refers to it" in await flaws(without)
        loop = replace(OFFICES, rows=[{**ZONE, "parent": "C1"}, CIRCLE])
        assert "cannot stand below" in await flaws(loop)
        assert "only the board has no parent" in await flaws(
            replace(OFFICES, rows=[{**ZONE, "parent": ""}])
        )


@on_reactor
async def test_a_day_that_has_passed_is_not_rewritten(node: Node) -> None:
    async with town(node) as t:
        add_people(t, SECOND)
        await both(t, replace(HEADS, valid_from="2020-04-01"))
        renamed = [{"code": "METER", "name": "Meters", "owner": "BOARD"}]
        past = replace(HEADS, valid_from="2025-04-01", rows=renamed)
        assert await t.refused("adil", CHANGE, past) == "MASTER_DATE"
        assert (
            await t.refused("adil", CHANGE, replace(past, valid_from="2026-13-01")) == "MASTER_DATE"
        )
        future = replace(OFFICES, valid_from="2030-01-01")
        assert await t.refused("adil", CHANGE, future) == "MASTER_DATE"
        await both(t, replace(past, valid_from=str(here["date"])))
        assert (await stands(t, "charge_heads", "2025-04-01"))["METER"]["name"] == "Meter"


@on_reactor
async def test_what_changed_since_it_was_shown_is_not_approved(node: Node) -> None:
    async with town(node) as t:
        add_people(t, SECOND)
        await both(t, HEADS)
        slow = replace(HEADS, rows=[{"code": "METER", "name": "Slow", "owner": "BOARD"}])
        quick = replace(HEADS, rows=[{"code": "METER", "name": "Quick", "owner": "BOARD"}])
        asked = await t.done("adil", CHANGE, slow)
        await both(t, quick)
        late = Approve(asked.request, 1, asked.content)
        assert await t.refused("anita", "approvals.approve", late) == "REQUEST_STALE"
        assert (await stands(t, "charge_heads"))["METER"]["name"] == "Quick"


@on_reactor
async def test_a_master_of_any_length_is_listed_page_by_page(node: Node) -> None:
    """An answer is one frame: whoever asks goes on after the last key."""
    async with town(node) as t:
        add_people(t, SECOND)
        await both(t, ChangeMaster("banks", DAY, [BANK], [], "banks"))
        every = [branch(n) for n in range(1200)]
        for n in range(0, len(every), 400):
            t.look(
                "INSERT INTO mpower.masters SELECT 'branches', c::json ->> 'code', %s, c, now()"
                " FROM unnest(%s::text[]) c RETURNING 1",
                *(DAY, [json.dumps(one) for one in every[n : n + 400]]),
            )
        found: list[dict[str, str]] = []
        after, more = "", True
        while more:
            page = await t.read("asha", "masters.list", ListMaster("branches", DAY, after))
            assert len(msgpack.encode(page)) < MAX_FRAME_BYTES
            found += [one.fields for one in page.rows]
            after, more = page.rows[-1].key, page.more
        assert found == every


@on_reactor
async def test_what_nobody_could_be_shown_is_not_asked_for(node: Node) -> None:
    """It would wait for an approver whose answer never fits a frame."""
    async with town(node) as t:
        add_people(t, SECOND)
        await both(t, ChangeMaster("banks", DAY, [BANK], [], "banks"))
        long = ChangeMaster("branches", DAY, [branch(n) for n in range(300)], [], "all of them")
        assert await t.refused("adil", CHANGE, long) == "TOO_MUCH_TO_READ"
        fits = replace(long, rows=[branch(n) for n in range(90)])
        asked = await t.done("adil", CHANGE, fits)
        shown = await t.read("anita", "approvals.show", Show(asked.request))
        assert len(msgpack.encode(shown)) < MAX_FRAME_BYTES
        await t.done("anita", "approvals.approve", Approve(asked.request, 1, asked.content))
        assert len(await stands(t, "branches")) == 90


BANK = {"code": "SBI", "name": "State Bank"}


def branch(n: int) -> dict[str, str]:
    """One whose name is as long as a name may be, in a script of three bytes a letter."""
    return {"code": f"BR{n:05}", "bank": "SBI", "name": "क" * 80, "city": "ख" * 80}


@on_reactor
async def test_nothing_is_left_in_the_air_on_a_day_to_come(node: Node) -> None:
    async with town(node) as t:
        add_people(t, SECOND)
        await both(t, ChangeMaster("banks", DAY, [BANK], [], "banks"))
        first = replace(BRANCHES, valid_from="2027-04-01")
        await both(t, first)

        async def flaws(body: ChangeMaster) -> str:
            outcome = await t.ask("adil", CHANGE, body)
            assert outcome.refusal is not None
            return str(outcome.refusal[1])

        # the branch opens after its bank would have ended
        ending = ChangeMaster("banks", str(here["date"]), [], ["SBI"], "merged")
        assert "from 2027-04-01 SBI: branches BR00001 still refers to it" in await flaws(ending)
        # a bank that ends at a day leaves no branch behind that opens before it
        await both(t, ChangeMaster("branches", "2027-04-01", [], ["BR00001"], "not opened"))
        await both(t, replace(ending, valid_from="2028-01-01"))
        early = replace(BRANCHES, valid_from="2027-06-01")
        assert "from 2028-01-01 BR00001: bank SBI is not among the banks" in await flaws(early)
        # the bank that is put once more until then stands no longer for it
        renamed = [{**BANK, "name": "State Bank of the Hills"}]
        await both(t, ChangeMaster("banks", str(here["date"]), renamed, [], "new name"))
        assert "from 2028-01-01 BR00001" in await flaws(early)


BRANCHES = ChangeMaster("branches", DAY, [branch(1)], [], "a branch")


@on_reactor
async def test_who_approves_sees_that_something_stands_otherwise_again_later(node: Node) -> None:
    async with town(node) as t:
        add_people(t, SECOND)
        await both(t, HEADS)
        await both(t, RATES)
        await both(t, replace(RATES, valid_from="2027-04-01", rows=[{**RATE, "paise": "150000"}]))
        ended = ChangeMaster("rates", str(here["date"]), [], ["M1"], "no longer bought")
        asked = await t.done("adil", CHANGE, ended)
        shown = await t.read("anita", "approvals.show", Show(asked.request))
        assert ("M1.until", "", "2027-04-01") in [
            (c.field, c.before, c.after) for c in shown.changes
        ]


@pytest.mark.parametrize(
    ("master", "row", "flaw"),
    [
        ("rates", {**RATE, "paise": "1.0"}, "M1: paise: '1.0' is not a whole number, as 1200"),
        ("rates", {**RATE, "paise": "1e3"}, "M1: paise: '1e3' is not a whole number, as 1200"),
        ("rates", {**RATE, "paise": "١٢"}, "M1: paise: '١٢' is not a whole number, as 1200"),
        ("rates", {**RATE, "paise": "1_000"}, "M1: paise: '1_000' is not a whole number, as 1200"),
        (
            *("banks", {**BANK, "name": "St\u202eate"}),
            "SBI: name: it holds a character that is not seen, '\\u202e'",
        ),
        (
            *("banks", {**BANK, "name": "St\ud800"}),
            "SBI: name: it holds a character that is not seen, '\\ud800'",
        ),
        ("banks", {**BANK, "name": " "}, "SBI: name: spaces stand before or after it"),
        (
            *("holidays", {"day": "2027-02-29", "name": "Leap", "office": "HO"}),
            "2027-02-29: day: there is no day 2027-02-29",
        ),
    ],
)
def test_what_cannot_be_what_it_says_is_named(master: str, row: dict[str, str], flaw: str) -> None:
    with pytest.raises(MasterError) as wrong:
        checked(master, row)
    assert str(wrong.value) == flaw


def test_joiners_of_devanagari_are_letters() -> None:
    row = {**BANK, "name": "क्\u200dष"}
    assert checked("banks", row) == row
