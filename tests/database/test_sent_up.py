"""What was sent up to head office is at the bank: no slip takes it there again, no cancellation
gives it back, and the proof names whoever gives what it does not hold.
"""

from __future__ import annotations

import psycopg
import pytest

from protocols.catalogue.banking import Line, Post
from protocols.catalogue.payments import Cancel, Mode, Verify
from protocols.catalogue.remittance import MakeSlip
from protocols.catalogue.transfers import Match, SendUp
from tests.database.officers import agreed, appoint
from tests.database.test_purposes import balance
from tests.database.town import DAY, RAM, SITA, Town, town
from tests.postgres_nodes import Node, on_reactor

MAKE, WHY = "remittance.make", "as the advice says"
SENT: list[Mode] = ["CARD", "UPI", "TRANSFER"]
HELD = (
    "SELECT a.balance_paise FROM mpower.accounts a JOIN mpower.counters c"
    " ON -a.account = c.counter_id * 16 + %s WHERE c.code = 'C001'"
)


async def taken(t: Town, mode: Mode, *parts: int) -> list[str]:
    """Asha takes by one mode; the receipts' numbers."""
    paid = [await t.pay("asha", RAM, part, mode=mode, instrument=f"60{part}") for part in parts]
    return [one.number for one in paid]


@pytest.mark.parametrize(("mode", "slot"), [("CARD", 4), ("UPI", 5), ("TRANSFER", 6)])
@on_reactor
async def test_money_sent_up_is_on_no_slip(node: Node, mode: Mode, slot: int) -> None:
    async with town(node) as t:
        appoint(t)
        await taken(t, mode, 1_000, 2_000)
        await t.pay("bina", SITA, 700, mode=mode, instrument="61")
        for counter in ("C001", "C002"):
            await t.done("omar", "payments.verify", Verify(counter, DAY))
        up = SendUp("C001", mode, 3_000, "ADVICE-7", WHY)  # type: ignore[arg-type]
        assert await agreed(t, "transfers.send_up", up) == ""
        await t.close_shift("asha")
        slip = MakeSlip("HO", mode, total_paise=3_000)
        assert await t.refused("omar", MAKE, slip) == "SENT_UP_BEFORE"
        await t.close_shift("bina")
        both = MakeSlip("HO", mode, total_paise=3_700)
        assert await t.refused("omar", MAKE, both) == "SLIP_TOTAL"
        made = await t.done("omar", MAKE, MakeSlip("HO", mode, total_paise=700))
        assert [line.paise for line in made.lines] == [700]
        assert t.look(HELD, slot) == [(0,)]
        t.is_well()


@on_reactor
async def test_a_part_sent_up_takes_the_oldest_receipts_and_the_rest_of_one_goes_up_too(
    node: Node,
) -> None:
    async with town(node) as t:
        appoint(t)
        await taken(t, "UPI", 1_000, 2_000, 400)
        await t.done("omar", "payments.verify", Verify("C001", DAY))
        assert await agreed(t, "transfers.send_up", SendUp("C001", "UPI", 1_200, "A-1", WHY)) == ""
        await t.close_shift("asha")
        whole = MakeSlip("HO", "UPI", total_paise=3_400)
        assert await t.refused("omar", MAKE, whole) == "SLIP_TOTAL"
        made = await t.done("omar", MAKE, MakeSlip("HO", "UPI", total_paise=400))
        assert [line.paise for line in made.lines] == [400]
        more = SendUp("C001", "UPI", 1_801, "A-2", WHY)
        assert await agreed(t, "transfers.send_up", more) == "OVER_FUND"
        assert await agreed(t, "transfers.send_up", SendUp("C001", "UPI", 1_800, "A-2", WHY)) == ""
        assert (t.look(HELD, 5), balance(t, -2)) == ([(0,)], 3_000)
        t.is_well()


@pytest.mark.parametrize("mode", SENT)
@on_reactor
async def test_a_receipt_whose_money_went_up_is_not_cancelled(node: Node, mode: Mode) -> None:
    async with town(node) as t:
        appoint(t)
        (number,) = await taken(t, mode, 2_000)
        up = SendUp("C001", mode, 1, "A-1", WHY)  # type: ignore[arg-type]
        assert await agreed(t, "transfers.send_up", up) == ""
        cancel = Cancel(number, "wrong consumer")
        assert await t.refused("omar", "payments.cancel", cancel) == "MONEY_GONE_UP"
        await t.done("omar", "payments.verify", Verify("C001", DAY))
        t.is_well()


@on_reactor
async def test_a_line_in_suspense_whose_money_went_up_is_matched_and_not_cancelled(
    node: Node,
) -> None:
    async with town(node) as t:
        appoint(t)
        line = Line("R1", "0000000077", 900, DAY)
        await t.done("SBI", "banking.post", Post("S1", 1, 1, 900, [line]))
        assert await agreed(t, "transfers.send_up", SendUp("SBI", "TRANSFER", 900, "H", WHY)) == ""
        cancel = Cancel("SBI/2026-27/1", "not ours")
        assert await t.refused("omar", "payments.cancel", cancel) == "MONEY_GONE_UP"
        await t.done("omar", "transfers.match", Match("SBI/2026-27/1", RAM, WHY))
        t.is_well()


@on_reactor
async def test_the_proof_names_who_gave_what_it_did_not_hold_though_it_came_in_later(
    node: Node,
) -> None:
    async with town(node) as t:
        appoint(t)
        await taken(t, "UPI", 1_000)
        assert await agreed(t, "transfers.send_up", SendUp("C001", "UPI", 1_000, "A", WHY)) == ""
        ((up,),) = t.look("SELECT voucher FROM mpower.vouchers WHERE kind = 'SENT_UP'")
        await t.close_day(DAY)
        moved = (
            "SELECT what, which, found FROM mpower.ledger_check_v1() WHERE what LIKE 'no count%%'"
        )
        assert t.look(moved) == []
        with psycopg.connect(t.superuser, autocommit=True) as base:
            base.execute("ALTER TABLE mpower.vouchers DISABLE TRIGGER ALL")
            base.execute("UPDATE mpower.vouchers SET day = day - 1 WHERE voucher = %s", (up,))
        said = f"C001 slot 5 on 2026-11-23, voucher {up}"
        assert t.look(moved) == [("no counter or bank gives what it does not hold", said, "-1000")]
