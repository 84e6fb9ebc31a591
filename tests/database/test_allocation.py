"""To which heads money goes: by the board's rule of the day it was paid, or as an officer says."""

from __future__ import annotations

from protocols.catalogue.approvals import Approve
from protocols.catalogue.consumers import Dues, Load
from protocols.catalogue.masters import ChangeMaster
from protocols.catalogue.payments import Part, Take, Verify
from protocols.operation import Role
from tests.database.officers import books
from tests.database.test_purposes import MOHAN, OWING, judged
from tests.database.town import DAY, ON_PAPER, RAM, Town, add_people, town
from tests.postgres_nodes import Node, on_reactor

VERIFY = "payments.verify"
AMNESTY = {
    "code": "BOARD",
    "allocation": "ARREARS,CURRENT,FIXED,DUTY,LPSC,CHEQUE_CHARGE",
    "stale_months": "1",
    "bar_days": "30",
    "dishonour_paise": "5000",
    "surcharge_bp": "200",
}


async def rule(t: Town, row: dict[str, str], day: str = DAY) -> str:
    """Two administrators set the board's rule; the code of a refusal."""
    if "anita" not in t.people:
        add_people(t, {"anita": ("E-ANITA", Role.ADMIN, "ops/desk2")})
    body = ChangeMaster("payment_rules", day, [row], [], "the board's order 7")
    asked = await t.ask("adil", "masters.change", body)
    if asked.refusal is not None:
        return asked.refusal[0]
    ((request, content),) = t.look(
        "SELECT request, content FROM mpower.approvals ORDER BY request DESC LIMIT 1"
    )
    await t.done("anita", "approvals.approve", Approve(request, 1, content))
    return ""


async def heads(t: Town, consumer: str) -> dict[str, int]:
    dues = await t.read("asha", "consumers.dues", Dues(consumer))
    return {one.head: one.due_paise for one in dues.heads}


@on_reactor
async def test_in_an_amnesty_principal_goes_first(node: Node) -> None:
    async with town(node) as t:
        assert await rule(t, AMNESTY) == ""
        await t.pay("asha", RAM, 12_000)
        await t.done("omar", VERIFY, Verify("C001", DAY))
        assert await heads(t, RAM) == {"LPSC": 500, "CURRENT": 48_000, "DUTY": 2_500}
        t.is_well()


@on_reactor
async def test_the_rule_is_that_of_the_day_on_which_it_was_paid(node: Node) -> None:
    async with town(node) as t:
        assert await rule(t, AMNESTY, "2026-11-25") == ""
        await t.pay("asha", RAM, 12_000)
        await t.close_day(DAY)
        await t.open_day("2026-11-25")
        await t.done("omar", VERIFY, Verify("C001", DAY))
        assert "LPSC" not in await heads(t, RAM)
        t.is_well()


@on_reactor
async def test_the_rule_says_when_a_cheque_is_stale(node: Node) -> None:
    async with town(node) as t:
        old = {**ON_PAPER, "dated": "2026-10-23"}
        cheque = Take(RAM, 100, "CHEQUE", "204411", **old)  # type: ignore[arg-type]
        assert await judged(t, cheque) == [""]
        assert await rule(t, AMNESTY) == ""
        other = Take(RAM, 101, "CHEQUE", "204411", **old)  # type: ignore[arg-type]
        assert await judged(t, other) == ["INSTRUMENT_STALE"]


@on_reactor
async def test_an_order_that_leaves_a_head_out_is_no_rule(node: Node) -> None:
    async with town(node) as t:
        short = {**AMNESTY, "allocation": "ARREARS,CURRENT,FIXED,DUTY,LPSC"}
        assert await rule(t, short) == "BAD_MASTER"
        twice = {**AMNESTY, "allocation": "ARREARS,CURRENT,FIXED,DUTY,LPSC,LPSC"}
        assert await rule(t, twice) == "BAD_MASTER"
        assert await rule(t, {**AMNESTY, "code": "OTHER"}) == "BAD_MASTER"


@on_reactor
async def test_an_officer_splits_a_receipt_and_it_adds_up(node: Node) -> None:
    async with town(node) as t:
        await t.done("adil", "consumers.load", Load("2026-11-01", [OWING]))
        one = (await t.pay("asha", RAM, 12_000)).number
        theft = (await t.pay("asha", MOHAN, 1_000, purpose="THEFT")).number
        before = books(t)
        for parts, code in (
            ([Part(one, "CURRENT", 11_999)], "ALLOCATION_SUM"),
            ([Part(one, "CURRENT", 12_000), Part(one, "DUTY", 1)], "ALLOCATION_SUM"),
            ([Part(one, "DUTY", 2_501), Part(one, "CURRENT", 9_499)], "ALLOCATION_OVER"),
            ([Part(one, "DUTY", 2_000), Part(one, "DUTY", 10_000)], "ALLOCATION_OVER"),
            ([Part(one, "THEFT", 12_000)], "ALLOCATION_HEAD"),
            ([Part(theft, "CURRENT", 1_000)], "ALLOCATION_HEAD"),
            ([Part("C001/2026-27/77", "CURRENT", 1)], "NO_RECEIPT"),
        ):
            assert await t.refused("omar", VERIFY, Verify("C001", DAY, [], parts)) == code
        assert books(t) == before
        parts = [Part(one, "DUTY", 2_500), Part(one, "CURRENT", 9_000), Part(one, "ADVANCE", 500)]
        await t.done("omar", VERIFY, Verify("C001", DAY, [], parts))
        assert await heads(t, RAM) == {
            "LPSC": 500,
            "ARREARS": 10_000,
            "CURRENT": 41_000,
            "ADVANCE": -500,
        }
        t.is_well()
