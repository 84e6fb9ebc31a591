"""Taking payments in batches on a real PostgreSQL: each item on its own, each key once, numbers
without gaps.
"""

from __future__ import annotations

import asyncio

import psycopg

from mpowerd.caller import Key
from mpowerd.database import Cursor
from mpowerd.outcomes import Outcome
from mpowerd.payments.store import take_batch
from protocols.catalogue.consumers import Dues
from protocols.catalogue.payments import Mine, Take
from protocols.operation import Role
from tests.database.town import DAY, OLD, RAM, RICH, SITA, codes, decoded, town
from tests.postgres_nodes import Node, on_reactor


@on_reactor
async def test_a_payment_has_its_receipt_and_moves_money(node: Node) -> None:
    async with town(node) as t:
        receipt = await t.pay("asha", RAM, 20_000)
        assert receipt.number == "C001/2026-27/1"
        assert (receipt.business_date, receipt.name, receipt.clerk) == (DAY, "Ram Prasad", "asha")
        dues = await t.read("asha", "consumers.dues", Dues(RAM))
        assert (dues.total_paise, dues.unverified_paise, dues.payable_paise) == (
            63_000,
            20_000,
            43_000,
        )
        assert (dues.last_receipt, dues.last_paise) == (receipt.number, 20_000)
        t.is_well()


@on_reactor
async def test_each_item_of_a_batch_is_judged_on_its_own(node: Node) -> None:
    async with town(node) as t:
        outcomes = await t.take(
            t.item("asha", Take(RAM, 1_000)),
            t.item("asha", Take("0000000009", 1_000)),
            t.item("asha", Take(RAM, 0)),
            t.item("asha", Take(RAM, -5)),
            t.item("asha", Take(RICH, 10_00_000_01)),
            t.item("asha", Take(RAM, 1_000, "CHEQUE")),
            t.item("asha", Take(SITA, 30_001)),
            t.item("asha", Take(OLD, 1)),
            t.item("asha", Take(OLD, 1, purpose="ADVANCE")),
            t.item("bina", Take(SITA, 30_000, "UPI", "U-1")),
            t.item("asha", Take(RICH, 10_00_000_00)),
        )
        assert codes(outcomes) == [
            "",
            "NO_CONSUMER",
            "AMOUNT_ZERO",
            "AMOUNT_NEGATIVE",
            "AMOUNT_HUGE",
            "INSTRUMENT_MISSING",
            "ADVANCE_UNMARKED",
            "PAID_AHEAD",
            "",
            "",
            "",
        ]
        numbers = [decoded("payments.take", one).number for one in outcomes if one.reply]
        assert numbers == [
            "C001/2026-27/1",
            "C001/2026-27/2",
            "C002/2026-27/1",
            "C001/2026-27/3",
        ]
        refused = outcomes[6].refusal
        assert refused is not None
        assert "Rs 300.01 is more than the dues of Rs 300.00" in refused[1]
        t.is_well()


@on_reactor
async def test_two_payments_of_one_consumer_in_a_batch_are_judged_in_order(node: Node) -> None:
    async with town(node) as t:
        outcomes = await t.take(
            t.item("asha", Take(SITA, 20_000)),
            t.item("bina", Take(SITA, 20_000, confirmed=True)),
            t.item("bina", Take(SITA, 10_000)),
        )
        assert codes(outcomes) == ["", "ADVANCE_UNMARKED", ""]
        dues = await t.read("omar", "consumers.dues", Dues(SITA))
        assert dues.payable_paise == 0
        assert dues.last_receipt == "C002/2026-27/1"
        t.is_well()


@on_reactor
async def test_a_key_is_posted_once_and_answered_the_same_for_ever(node: Node) -> None:
    async with town(node) as t:
        good, bad = t.item("asha", Take(RAM, 1_000)), t.item("asha", Take(RAM, 0))
        first = await t.take(good, bad)
        again = await t.take(bad, t.item("asha", Take(SITA, 500)), good)
        assert [one.replay for one in again] == [True, False, True]
        assert (again[2].reply, again[0].refusal) == (first[0].reply, first[1].refusal)
        assert decoded("payments.take", again[1]).number == "C001/2026-27/2"
        other = t.item("asha", Take(RAM, 2_000), good.key)
        assert codes(await t.take(other)) == ["KEY_CONFLICT"]
        assert t.look("SELECT outcome FROM mpower.audit_entries WHERE what = 'payments.take'") == [
            ("KEY_CONFLICT",)
        ]
        t.is_well()


@on_reactor
async def test_a_repeat_is_looked_up_and_never_searched_for(node: Node) -> None:
    read = (
        "SELECT pg_stat_get_xact_numscans('mpower.requests'::regclass),"
        " pg_stat_get_xact_tuples_returned('mpower.requests_pk'::regclass)"
    )
    async with town(node) as t:
        with psycopg.connect(t.superuser, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE mpower.requests")
        items = [t.item("asha", Take(RICH, 100 + paise)) for paise in range(200)]
        await t.take(*items)  # planned on this connection, while the table was known to be empty

        async def work(cursor: Cursor) -> tuple[list[Outcome], tuple[int, int]]:
            outcomes = await take_batch(cursor, [*items[:3], t.item("asha", Take(RAM, 1))], 0)
            (found,) = await (await cursor.execute(read)).fetchall()
            return outcomes, found

        outcomes, (scans, keys) = await t.database.write("payments.take", Role.CLERK, work)
        assert [one.replay for one in outcomes] == [True, True, True, False]
        assert scans == 0, "the whole table was read for a key that has an index"
        assert keys < 20, "the whole index was read for a few keys"


@on_reactor
async def test_a_key_twice_in_a_batch_is_posted_once(node: Node) -> None:
    async with town(node) as t:
        one = t.item("asha", Take(RAM, 1_000))
        changed = t.item("asha", Take(RAM, 9_000), one.key)
        outcomes = await t.take(one, t.item("asha", Take(SITA, 100)), one, changed)
        assert codes(outcomes) == ["", "", "", "KEY_CONFLICT"]
        assert outcomes[2].replay
        assert outcomes[2].reply == outcomes[0].reply
        assert t.look("SELECT last_number FROM mpower.series ORDER BY counter_id LIMIT 1") == [(2,)]
        t.is_well()


@on_reactor
async def test_keys_race_and_one_posting_wins(node: Node) -> None:
    async with town(node) as t:
        items = [t.item("asha", Take(RAM, 100, confirmed=True)) for _ in range(20)]
        both = await asyncio.gather(
            *(t.take(*items[start : start + 10], chain=start % 3) for start in (0, 5, 10, 0))
        )
        replies: dict[Key, bytes | None] = {}
        for start, outcomes in zip((0, 5, 10, 0), both, strict=True):
            for place, outcome in enumerate(outcomes, start):
                assert replies.setdefault(items[place].key, outcome.reply) == outcome.reply
        assert t.look("SELECT count(*) FROM mpower.requests WHERE receipt IS NOT NULL") == [(20,)]
        t.is_well()


@on_reactor
async def test_lanes_that_meet_at_one_consumer_lose_nothing(node: Node) -> None:
    async with town(node) as t:
        lanes = [("asha", 1), ("bina", 2)]
        outcomes = await asyncio.gather(
            *(
                t.take(
                    *(t.item(who, Take(one, 700, confirmed=True)) for one in (RAM, SITA)),
                    chain=chain,
                )
                for who, chain in lanes
                for _ in range(20)
            )
        )
        assert sum(codes(batch) == ["", ""] for batch in outcomes) == 40
        dues = await t.read("asha", "consumers.dues", Dues(RAM))
        assert dues.unverified_paise == 40 * 700
        t.is_well()


@on_reactor
async def test_two_lanes_do_not_take_the_same_dues_twice(node: Node) -> None:
    async with town(node) as t:
        everything = [
            t.take(t.item(who, Take(SITA, 30_000, confirmed=True)), chain=chain)
            for chain, who in enumerate(["asha", "bina"] * 3)
        ]
        outcomes = [codes(batch)[0] for batch in await asyncio.gather(*everything)]
        assert sorted(outcomes) == ["", *["ADVANCE_UNMARKED"] * 5]
        t.is_well()


@on_reactor
async def test_whoever_may_not_take_is_refused_and_the_refusal_is_kept(node: Node) -> None:
    async with town(node) as t:
        officer = t.item("asha.officer", Take(RAM, 100))
        disabled = t.item("bina", Take(RAM, 100))
        t.look("SELECT mpower.disable_user_v1('bina', 'left the board')")
        unknown = t.item("asha", Take(RAM, 100), Key("C777", bytes(16), 1))
        bank = t.item("asha", Take(RAM, 100), Key("SBI", bytes(16), 1))
        nobody = t.item("SBI", Take(RAM, 100))
        batch = (officer, disabled, unknown, bank, nobody, t.item("asha", Take(RAM, 100)))
        expected = ["ROLE", "USER_DISABLED", "NO_COUNTER", "NO_COUNTER", "SIGN_IN_AGAIN", ""]
        assert codes(await t.take(*batch)) == expected
        again = await t.take(*batch)
        assert codes(again) == expected
        assert [one.replay for one in again] == [True] * 4 + [False, True]
        t.is_well()


@on_reactor
async def test_a_revoked_clerk_still_gets_the_receipt_that_was_made(node: Node) -> None:
    async with town(node) as t:
        item = t.item("bina", Take(RAM, 100))
        (first,) = await t.take(item)
        t.look("SELECT mpower.disable_user_v1('bina', 'left the board')")
        (again,) = await t.take(item)
        assert again.reply == first.reply
        assert again.replay


@on_reactor
async def test_without_an_open_day_nothing_is_taken(node: Node) -> None:
    async with town(node) as t:
        await t.pay("asha", RAM, 100)
        await t.close_day(DAY)
        assert codes(await t.take(t.item("asha", Take(RAM, 100)))) == ["DAY_NOT_OPEN"]
        t.is_well()


@on_reactor
async def test_my_receipts_are_mine_and_of_today(node: Node) -> None:
    async with town(node) as t:
        for paise in (100, 200, 300):
            await t.pay("asha", RAM, paise)
        await t.pay("bina", RAM, 50)
        mine = await t.read("asha", "payments.mine", Mine(2))
        assert [one.amount_paise for one in mine.receipts] == [300, 200]
        assert (mine.count, mine.total_paise) == (3, 600)


@on_reactor
async def test_what_the_check_says_when_a_figure_is_changed(node: Node) -> None:
    async with town(node) as t:
        receipt = await t.pay("asha", RAM, 100)
        await t.pay("asha", SITA, 100)
        with psycopg.connect(t.superuser, autocommit=True) as c:
            c.execute("ALTER TABLE mpower.requests DISABLE TRIGGER requests_stay")
            c.execute(
                "UPDATE mpower.requests SET amount_paise = 101 WHERE amount_paise = 100"
                " AND consumer = 1"
            )
            c.execute(
                "UPDATE mpower.accounts SET balance_paise = balance_paise + 1 WHERE account = 32"
            )
        wrong = t.look("SELECT what, which FROM mpower.ledger_check_v1()")
        assert ("a receipt has its one entry", receipt.number) in wrong
        assert ("balance of an account is the sum of its entries", "0000000002 slot 0") in wrong
        assert ("all balances sum to zero", "") in wrong
        assert t.look("SELECT chain, trouble FROM mpower.audit_check_v1()") == [
            (0, "a row was changed")
        ]


@on_reactor
async def test_who_has_paid_ahead_is_said_to_have_not_to_owe_less_than_nothing(node: Node) -> None:
    async with town(node) as t:
        await t.pay("asha", OLD, 131_250, purpose="ADVANCE")
        (outcome,) = await t.take(t.item("asha", Take(OLD, 10_000)))
        assert outcome.refusal is not None
        code, sentence = outcome.refusal
        assert code == "PAID_AHEAD"
        assert "has paid Rs 1,382.50 ahead" in sentence
        assert "take it as ADVANCE" in sentence
        await t.pay("asha", OLD, 10_000, purpose="ADVANCE")
        t.is_well()
