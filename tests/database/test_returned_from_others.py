"""A cheque comes back whose money is not with the one who paid it: found out of suspense, or moved.
And what moves, matches and returns at once never waits in a circle. On a real PostgreSQL.
"""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from protocols.catalogue.consumers import Contacts, Dues, HeadDue
from protocols.catalogue.instruments import Dishonour, Returned
from protocols.catalogue.payments import Take, Verify
from protocols.catalogue.receipt_books import Enter, Leaf, Register
from protocols.catalogue.transfers import Match, Move
from protocols.values import numbered
from tests.database.officers import agreed, appoint, books
from tests.database.test_purposes import balance, judged
from tests.database.town import DAY, ON_PAPER, RAM, SITA, Town, town
from tests.postgres_nodes import Node, on_reactor

WHY = "as the file says"
DISHONOUR = "instruments.dishonour"
LEAF = "B0017/2026-27/1"
WAIT_S = 10
HOLD = "SELECT FROM mpower.accounts WHERE account = %s FOR UPDATE"
WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND usename = 'mpower_app' AND wait_event_type = 'Lock'"
)
POSTED = "SELECT FROM mpower.posted_receipt_v1(%s, %s::smallint, %s, %s)"


async def in_suspense(t: Town, paise: int = 63_000) -> str:
    """A cheque written in a paper book, of a consumer that nobody can read."""
    await t.done("omar", "receipt_books.register", Register("B0017", "C001", 501, 510))
    leaf = Leaf(501, DAY, "unreadable", paise, "CHEQUE", "77")
    (said,) = (await t.done("asha", "receipt_books.enter", Enter("B0017", [leaf]))).leaves
    assert (said.receipt, said.outcome) == (LEAF, "SUSPENSE")
    return LEAF


def returned(number: str) -> Dishonour:
    return Dishonour(number, DAY, "Funds insufficient")


@on_reactor
async def test_a_cheque_found_out_of_suspense_comes_back_like_any_other(node: Node) -> None:
    async with town(node) as t:
        number = await in_suspense(t)
        before = books(t)
        assert await t.refused("omar", DISHONOUR, returned(number)) == "IN_SUSPENSE"
        assert books(t) == before
        await t.done("omar", "transfers.match", Match(number, RAM, WHY))
        assert balance(t, -5) == -2_500
        done = await t.done("omar", DISHONOUR, returned(number))
        assert (done.consumer, done.amount_paise, done.charge_paise) == (RAM, 63_000, 30_000)
        assert "Ram Prasad" in done.notice[0]
        dues = await t.read("asha", "consumers.dues", Dues(RAM))
        assert dues.heads == [
            HeadDue("LPSC", 500),
            HeadDue("ARREARS", 10_000),
            HeadDue("CURRENT", 50_000),
            HeadDue("DUTY", 2_500),
            HeadDue("CHEQUE_CHARGE", 30_000),
        ]
        assert balance(t, -5) == 0, "no duty is held any more"
        counters = t.look("SELECT counter_id FROM mpower.counters WHERE code = 'B0017'")
        hand = -(counters[0][0] * 16)
        assert (balance(t, hand - 2), balance(t, hand - 15)) == (0, 0)
        paper = Take(RAM, 100, "CHEQUE", "204412", **ON_PAPER)  # type: ignore[arg-type]
        assert await judged(t, paper) == ["CHEQUE_BARRED"]
        (contact,) = (await t.read("asha", "consumers.contacts", Contacts(RAM))).contacts
        assert contact.reference == number
        (one,) = (await t.read("asha", "instruments.returned", Returned(RAM))).instruments
        assert one.receipt == number
        assert await t.refused("omar", DISHONOUR, returned(number)) == "DISHONOURED_ALREADY"
        t.is_well()


@on_reactor
async def test_a_moved_cheque_is_taken_back_from_who_has_its_money(node: Node) -> None:
    async with town(node) as t:
        appoint(t)
        receipt = await t.pay("asha", RAM, 63_000, mode="CHEQUE", instrument="204411")
        await t.done("omar", "payments.verify", Verify("C001", DAY, [receipt.number]))
        assert await agreed(t, "transfers.move", Move(RAM, SITA, 63_000, WHY, receipt.number)) == ""
        done = await t.done("omar", DISHONOUR, returned(receipt.number))
        assert done.consumer == SITA
        rams = await t.read("asha", "consumers.dues", Dues(RAM))
        assert (rams.total_paise, rams.no_cheque_until) == (63_000, ""), "Ram is as before"
        sitas = await t.read("asha", "consumers.dues", Dues(SITA))
        assert sitas.heads == [HeadDue("CURRENT", 30_000), HeadDue("CHEQUE_CHARGE", 30_000)]
        assert sitas.no_cheque_until == "2027-11-24"
        again = Move(SITA, RAM, 63_000, WHY, receipt.number)
        assert await agreed(t, "transfers.move", again) == "DISHONOURED_ALREADY"
        t.is_well()


@pytest.mark.parametrize(("giver", "to"), [(RAM, SITA), (SITA, RAM)])
@on_reactor
async def test_a_move_holds_no_consumer_before_a_lower_one(node: Node, giver: str, to: str) -> None:
    """Somebody has the lower consumer: whoever moves a receipt waits there with nothing in hand."""
    async with town(node) as t:
        receipt = await t.pay("asha", giver, 30_000)
        await t.done("omar", "payments.verify", Verify("C001", DAY, [receipt.number]))
        move = Move(giver, to, 30_000, WHY, receipt.number)
        async with await psycopg.AsyncConnection.connect(t.superuser) as low:
            await low.execute(f"SET lock_timeout = '{WAIT_S}s'".encode())
            await low.execute(HOLD.encode(), (int(RAM) * 16,))
            asked = asyncio.ensure_future(t.ask("omar", "transfers.move", move))
            async with asyncio.timeout(WAIT_S):
                while t.look(WAITING) == [(0,)]:
                    assert not asked.done(), asked
                    await asyncio.sleep(0)
            await low.execute((HOLD + " NOWAIT").encode(), (int(SITA) * 16,))
        outcome = await asyncio.wait_for(asked, WAIT_S)
        assert outcome.refusal is None, outcome.refusal


@on_reactor
async def test_moves_both_ways_and_returns_at_once_never_wait_in_a_circle(node: Node) -> None:
    """Two sessions hold each receipt with its two consumers, in both directions, over and over."""
    async with town(node) as t:
        numbers = []
        for consumer in (RAM, SITA):
            receipt = await t.pay("asha", consumer, 1_000)
            numbers.append(numbered(receipt.number))
        await t.done("omar", "payments.verify", Verify("C001", DAY))

        async def over_and_over(parts: tuple[str, int, int], to: str) -> int:
            async with await psycopg.AsyncConnection.connect(t.superuser) as base:
                await base.execute(b"SET deadlock_timeout = '50ms'")
                for _ in range(60):
                    async with base.transaction(force_rollback=True):
                        await base.execute(POSTED.encode(), (*parts, int(to)))
            return 60

        first, second = numbers
        assert first is not None
        assert second is not None
        both = (over_and_over(first, SITA), over_and_over(second, RAM))
        done = await asyncio.wait_for(asyncio.gather(*both), 30)
        assert sum(done) == 120
