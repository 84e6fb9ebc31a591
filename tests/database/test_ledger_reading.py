"""The ledger read and proven through its operations, on real PostgreSQL: statements, trial balance,
what a head is made up of, and the proof that names the first thing that is wrong.
"""

from __future__ import annotations

import itertools
import re
from typing import Any

import psycopg
import pytest

from protocols.accounts import CHART, CODES, PLACES, VOUCHERS
from protocols.catalogue.banking import Line as BankLine
from protocols.catalogue.banking import Post
from protocols.catalogue.charges import Raise
from protocols.catalogue.ledger import (
    Ask,
    AskSubledger,
    AskTrial,
    Check,
    Checked,
    Line,
    Statement,
    Subledger,
    Trial,
    Wrong,
)
from protocols.catalogue.payments import Cancel, Part, Take, Verify
from protocols.catalogue.transfers import Match, Move
from protocols.refusals import Refused
from tests.database.officers import agreed, appoint
from tests.database.town import DAY, OLD, RAM, RICH, SITA, Town, town
from tests.postgres_nodes import Node, on_reactor

NEXT_DAY = "2026-11-25"


async def pages(t: Town, consumer: str = RAM, **how: Any) -> list[Statement]:
    """All pages of a statement, Ram's; the newest first."""
    said = [await t.read("omar", "ledger.statement", Ask(consumer, **how))]
    while said[-1].more:
        body = Ask(consumer, mark=said[-1].mark, **how)
        said.append(await t.read("omar", "ledger.statement", body))
    return said


def short(line: Line) -> tuple[Any, ...]:
    return line.kind, line.number.partition("-")[0], line.about, line.paise, line.balance


async def ram_pays(t: Town) -> tuple[str, str]:
    """Ram pays on two days; the receipts that were verified and cancelled."""
    first = await t.pay("asha", RAM, 20_000)
    second = await t.pay("asha", RAM, 5_000, mode="CHEQUE", instrument="123456")
    await t.done("omar", "payments.cancel", Cancel(second.number, "typed twice"))
    await t.done("omar", "payments.verify", Verify("C001", DAY))
    await t.close_day(DAY)
    await t.open_day(NEXT_DAY)
    await t.pay("bina", RAM, 1_000)
    await t.pay("bina", SITA, 7_000)
    return first.number, second.number


@on_reactor
async def test_a_statement_tells_every_voucher_and_what_was_payable_after_it(node: Node) -> None:
    async with town(node) as t:
        first, second = await ram_pays(t)
        (said,) = await pages(t)
        assert [short(line) for line in said.lines] == [
            ("OPENING", "V", "", 63_000, 63_000),
            ("RECEIPT", "C001/2026", "", -20_000, 43_000),
            ("RECEIPT", "C001/2026", "", -5_000, 38_000),
            ("CANCEL", "V", second, 5_000, 43_000),
            ("VERIFY", "V", first, 0, 43_000),
            ("RECEIPT", "C002/2026", "", -1_000, 42_000),
        ]
        assert (said.opening, said.closing) == (0, 42_000)
        heads = {one.head: one.paise for one in said.lines[4].heads}
        assert heads == {"RECEIVED": 20_000, "LPSC": -500, "ARREARS": -10_000, "CURRENT": -9_500}
        assert (said.lines[2].words, said.lines[2].paid) == (
            "Receipt",
            f"CHEQUE 123456 {DAY} SBI MALL-ROAD",
        )
        assert (said.lines[3].reason, said.lines[3].by) == ("typed twice", "omar")


@on_reactor
async def test_pages_and_dates_of_a_statement_join_without_a_gap(node: Node) -> None:
    async with town(node) as t:
        await ram_pays(t)
        (whole,) = await pages(t)
        for most in (1, 2, 5):
            parts = (await pages(t, most=most))[::-1]
            assert [line for part in parts for line in part.lines] == whole.lines
            for before, after in itertools.pairwise(parts):
                assert after.opening == before.closing
        (today,) = await pages(t, since=DAY, until=DAY)
        assert (today.opening, today.closing, len(today.lines)) == (63_000, 43_000, 4)
        (later,) = await pages(t, since=NEXT_DAY)
        assert (later.opening, later.closing, len(later.lines)) == (43_000, 42_000, 1)
        (none,) = await pages(t, since="2027-01-01")
        assert (none.opening, none.closing, none.lines) == (42_000, 42_000, [])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (Ask("0000000077"), "NO_CONSUMER"),
        (Ask(RAM, "2026-02-30"), "NO_SUCH_DAY"),
        (Ask(RAM, "2026-11-25", "2026-11-24"), "DAYS_REVERSED"),
    ],
)
@on_reactor
async def test_what_cannot_be_stated_is_refused(node: Node, body: Ask, code: str) -> None:
    async with town(node) as t:
        with pytest.raises(Refused) as no:
            await t.read("asha", "ledger.statement", body)
        assert no.value.code == code


@on_reactor
async def test_a_mark_of_another_consumer_shows_nothing_of_them(node: Node) -> None:
    async with town(node) as t:
        await t.pay("asha", SITA, 1_000)
        await t.pay("asha", SITA, 2_000)
        mark = (await t.read("omar", "ledger.statement", Ask(SITA, most=1))).mark
        said = await t.read("omar", "ledger.statement", Ask(RAM, mark=mark))
        assert {line.kind for line in said.lines} == {"OPENING"}


@on_reactor
async def test_a_statement_says_why_each_figure_is_what_it_is(node: Node) -> None:
    async with town(node) as t:
        appoint(t)
        await agreed(t, "charges.raise", Raise(RAM, "SUNDRY", 700, "N-7", "meter seal"))
        first = await t.pay("asha", RAM, 20_000)
        own = await t.pay("asha", RAM, 700, purpose="SUNDRY")
        split = await t.pay("asha", RAM, 300)
        parts = [Part(split.number, "CURRENT", 300)]
        await t.done("omar", "payments.verify", Verify("C001", DAY, [split.number], parts))
        await t.done("omar", "payments.verify", Verify("C001", DAY))
        await agreed(t, "transfers.move", Move(RAM, SITA, 20_000, "wrong number", first.number))
        line = BankLine("UTR-1", "0000000077", 900, DAY)
        await t.done("SBI", "banking.post", Post("S1", 1, 1, 900, [line]))
        found = Match("SBI/2026-27/1", SITA, "by the counterfoil")
        await t.done("omar", "transfers.match", found)
        (ram,), (sita,) = await pages(t), await pages(t, SITA)
        order = "in the board's order LPSC, CHEQUE_CHARGE, ARREARS, CURRENT, FIXED, DUTY;"
        told = [(one.kind, one.about, one.reason, one.rule) for one in ram.lines]
        rest = f"{order} the rest is an advance"
        assert told[1:] == [
            ("CHARGE", "N-7", "meter seal", "under its own head; an instalment plan moves arrears"),
            ("RECEIPT", "", "", "for DUES"),
            ("RECEIPT", "", "", "for SUNDRY"),
            ("RECEIPT", "", "", "for DUES"),
            ("VERIFY", split.number, "split by the officer", ""),
            ("VERIFY", f"{first.number} {own.number}", "", f"SUNDRY pays SUNDRY; {rest}"),
            ("MOVE", f"{first.number}, to consumer {SITA}", "wrong number", ""),
        ]
        assert [(one.kind, one.about, one.rule) for one in sita.lines[1:]] == [
            ("MOVE", f"{first.number}, from consumer {RAM}", rest),
            ("MATCH", "SBI/2026-27/1, UTR-1", rest),
        ]


async def grown(t: Town, count: int) -> None:
    """Ram pays that many times, and each fifty are verified."""
    for start in range(0, count, 50):
        bodies = [Take(RAM, 5 + start + n, purpose="ADVANCE") for n in range(50)]
        await t.take(*(t.item("asha", body) for body in bodies))
        await t.done("omar", "payments.verify", Verify("C001", DAY))


def blocks(t: Town) -> int:
    """How many pages of the database the first page of Ram's statement is read from."""
    page = "SELECT FROM mpower.statement_v1(1, NULL, NULL, NULL, NULL, NULL, 50)"
    with psycopg.connect(t.superuser, autocommit=True) as base:
        base.execute("ANALYZE")
        base.execute(page.encode())  # what a session reads once: the catalogue
        asked = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {page}"
        ((plan,),) = base.execute(asked.encode()).fetchall()
        return int(plan[0]["Plan"]["Shared Hit Blocks"] + plan[0]["Plan"]["Shared Read Blocks"])


@on_reactor
async def test_a_page_costs_the_same_however_long_the_history_is(node: Node) -> None:
    async with town(node) as t:
        await grown(t, 600)  # fewer would be read whole, for less than an index costs
        short_history = blocks(t)
        await grown(t, 1_600)
        assert blocks(t) < short_history * 2, short_history
        said = await pages(t, most=100)
        assert sum(len(one.lines) for one in said) == 1 + 2_200 + 44
        assert said[-1].opening == 0


@on_reactor
async def test_the_trial_balance_agrees_to_the_paisa_on_any_day(node: Node) -> None:
    async with town(node) as t:
        await ram_pays(t)
        now: Trial = await t.read("omar", "ledger.trial_balance", AskTrial())
        first: Trial = await t.read("omar", "ledger.trial_balance", AskTrial(DAY))
        before: Trial = await t.read("omar", "ledger.trial_balance", AskTrial("2026-11-23"))
        nothing: Trial = await t.read("omar", "ledger.trial_balance", AskTrial("2026-10-31"))
        for said in (now, first, before):
            assert said.debit == said.credit > 0
        assert (nothing.groups, nothing.debit) == ([], 0)
        cash = {one.code: one.debit for one in now.groups if one.kind == "COUNTER"}
        assert cash == {"CASH": 8_000, "STRONG_ROOM": 20_000}
        heads = {one.code: (one.debit, one.credit) for one in first.groups}
        assert heads["STRONG_ROOM"] == (20_000, 0)
        assert heads["CURRENT"] == (90_000_000_00 + 50_000 + 30_000 - 9_500, 0)
        assert heads["ADVANCE"] == (0, 7_000)
        assert "CASH" not in {one.code for one in before.groups}
        order = [one.code for one in CHART]
        assert [one.code for one in now.groups] == sorted(
            (one.code for one in now.groups), key=order.index
        )


@on_reactor
async def test_a_head_is_made_up_of_accounts_and_an_account_of_days(node: Node) -> None:
    async with town(node) as t:
        await ram_pays(t)
        ask = AskSubledger("CURRENT", most=2)
        current: Subledger = await t.read("omar", "ledger.subledger", ask)
        assert [one.name for one in current.lines] == [RAM, SITA]
        assert (current.accounts, current.more, current.credit) == (3, True, 0)
        assert current.debit == 90_000_000_00 + 50_000 + 30_000 - 9_500
        rest = await t.read("omar", "ledger.subledger", AskSubledger("CURRENT", SITA))
        assert ([one.name for one in rest.lines], rest.more) == ([RICH], False)
        cash = await t.read("omar", "ledger.subledger", AskSubledger("CASH"))
        assert [(one.name, one.balance) for one in cash.lines if one.balance] == [("C002", 8_000)]
        days = await t.read("omar", "ledger.subledger", AskSubledger("C001/CHEQUE"))
        (one,) = days.lines
        assert (one.name, one.debit, one.credit, one.balance) == (DAY, 5_000, 5_000, 0)
        ram = await t.read("omar", "ledger.subledger", AskSubledger(f"{RAM}/RECEIVED"))
        assert [(one.name, one.balance) for one in ram.lines] == [(DAY, 0), (NEXT_DAY, -1_000)]
        old = await t.read("omar", "ledger.subledger", AskSubledger(f"{OLD}/ADVANCE"))
        assert (old.debit, old.credit) == (0, 7_000)
        none = await t.read("omar", "ledger.subledger", AskSubledger(f"{SITA}/THEFT"))
        assert (none.accounts, none.debit, none.lines) == (0, 0, [])
        for name, meant in (
            *(("CAHS", "CASH"), ("C009/CASH", "RECEIVED, LPSC"), (f"{RAM}/CASH", "RECEIVED, LPSC")),
            *(("0000000077/ARREARS", "RECEIVED, LPSC"), ("HO/CASH", "RECEIVED, LPSC")),
        ):
            with pytest.raises(Refused, match=rf"There is no account {name}\. .*\({meant}"):
                await t.read("omar", "ledger.subledger", AskSubledger(name))


@on_reactor
async def test_every_account_and_every_kind_of_voucher_has_words(node: Node) -> None:
    async with town(node) as t:
        ((rule,),) = t.look(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'vouchers_kind'"
        )
        assert set(re.findall("'([A-Z_]+)'", rule)) <= set(VOUCHERS)
        places = t.look(
            "SELECT DISTINCT CASE WHEN account >= 0 THEN 'CONSUMER' WHEN account > -16 THEN 'BOARD'"
            " ELSE 'COUNTER' END, (abs(account) % 16)::integer FROM mpower.accounts"
        )
        assert set(places) <= set(PLACES)
        assert len(CHART) == len(PLACES) == len(CODES)


SPOIL = {
    "balance": "UPDATE mpower.accounts SET balance_paise = balance_paise + 1 WHERE account = 16",
    "owed": "UPDATE mpower.accounts SET owed_paise = owed_paise - 1 WHERE account = 32",
    "number": "UPDATE mpower.requests SET receipt = receipt + 5 WHERE consumer = 2",
    "series": "UPDATE mpower.series SET last_number = last_number + 1 WHERE counter_id = 2",
    "entry": "DELETE FROM mpower.entries WHERE voucher IN (SELECT receipt FROM mpower.requests"
    " WHERE consumer = 2)",
    "voucher": "DELETE FROM mpower.vouchers WHERE kind = 'OPENING'",
    "list": "UPDATE mpower.accounts SET last_receipt = 0 WHERE account = 16",
    "amount": "UPDATE mpower.entries SET amount_paise = amount_paise + 1 WHERE voucher IN"
    " (SELECT voucher FROM mpower.vouchers WHERE kind = 'VERIFY')",
}
NAMED = {
    "balance": ("balance of an account is the sum of its entries", "0000000001 slot 0"),
    "owed": ("what a consumer owes is the sum of the heads", "0000000002"),
    "number": ("a series has no gap", "C002/2026, number 2"),
    "series": ("a series has no gap", "C002/2026"),
    "entry": ("balance of an account is the sum of its entries", "C002 slot 1"),
    "voucher": ("an entry belongs to a receipt or a voucher", "1"),
    "list": ("a consumer's receipts are one list", "0000000001"),
    "amount": ("balance of an account is the sum of its entries", "0000000001 slot 0"),
}


async def proven(t: Town, parts: int) -> list[Wrong]:
    found = []
    for part in range(parts):
        said: Checked = await t.read("adil", "ledger.check", Check(part, parts))
        assert (said.part, said.parts) == (part, parts)
        found += said.wrong
    return found


@pytest.mark.parametrize("what", SPOIL)
@on_reactor
async def test_the_proof_names_the_first_thing_that_is_wrong(node: Node, what: str) -> None:
    async with town(node) as t:
        await ram_pays(t)
        assert await proven(t, 1) == await proven(t, 7) == []
        with psycopg.connect(t.superuser, autocommit=True) as base:
            base.execute("SET session_replication_role = replica")
            for table in ("accounts", "series", "entries", "vouchers", "requests"):
                base.execute(f"ALTER TABLE mpower.{table} DISABLE TRIGGER USER".encode())
            base.execute(SPOIL[what].encode())
        whole, parted = await proven(t, 1), await proven(t, 7)
        assert (whole[0].rule, whole[0].which) == NAMED[what]
        assert sorted(map(str, whole)) == sorted(map(str, parted))
        if what == "balance":
            alone = [(await t.read("adil", "ledger.check", Check(n, 7))).wrong for n in range(7)]
            assert [bool(one) for one in alone].count(True) == 2  # the account's part, and all's


@on_reactor
async def test_the_server_says_how_many_parts_there_are(node: Node) -> None:
    async with town(node) as t:
        assert (await t.read("olga", "ledger.check", Check())).parts == 1
        with pytest.raises(Refused, match="there are 3 parts"):
            await t.read("olga", "ledger.check", Check(3, 3))
