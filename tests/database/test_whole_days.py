"""The verification of a whole day: asked once, in steps, whatever is killed in between."""

from __future__ import annotations

import asyncio
import random
from typing import Final

import psycopg
import pytest
from msgspec.structs import replace

from mpowerd.database import Busy, Gated
from mpowerd.payments import verification
from mpowerd.payments.carried_on import FAILS, CarriedOn
from mpowerd.payments.whole_days import make_step
from protocols.catalogue.body import Body
from protocols.catalogue.days import CloseDay
from protocols.catalogue.payments import (
    Cancel,
    HeadPosted,
    Left,
    Part,
    Take,
    Verification,
    Verify,
    VerifyDay,
    WatchVerification,
)
from protocols.refusals import Refused
from tests.database.by_hand.planted import Plant, planted
from tests.database.town import DAY, OLD, RAM, RICH, SITA, Town, carry_on, town
from tests.postgres_nodes import Node, on_reactor

VERIFY_DAY = "payments.verify_day"
HELD: Final = [int(consumer) * 16 for consumer in (RAM, SITA, OLD, RICH)]


async def many(t: Town, who: str, count: int, least: int = 1) -> int:
    """Take that many payments; their sum."""
    chance, total = random.Random(count), 0
    for start in range(0, count, 250):
        bodies = [
            Take(
                chance.choice([RAM, SITA, OLD, RICH]),
                chance.randrange(least, 900),
                purpose="ADVANCE",
                confirmed=True,
            )
            for _ in range(min(250, count - start))
        ]
        await t.take(*(t.item(who, body) for body in bodies))
        total += sum(body.amount_paise for body in bodies)
    return total


async def watch(t: Town, number: int, after: int = 0) -> Verification:
    said: Verification = await t.read(
        "omar", "payments.verification", WatchVerification(number, after)
    )
    return said


@on_reactor
async def test_what_may_be_verified_is_posted_and_the_rest_is_named(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "STEP", 4)
    async with town(node) as t:
        theirs = [await t.pay("asha", RAM, 1_000) for _ in range(3)]
        ours = [await t.pay("bina", SITA, 2_000) for _ in range(6)]
        asked = await t.done("asha.officer", VERIFY_DAY, VerifyDay(DAY))
        assert (asked.state, asked.receipts, asked.done) == ("OPEN", 9, 0)
        await t.done("omar.two", "payments.cancel", Cancel(ours[0].number, "typed twice"))
        await t.done("omar", "payments.verify", Verify("C002", DAY, [ours[1].number]))
        await t.pay("bina", SITA, 5)
        await carry_on(t.database)
        said = await watch(t, asked.verification)
        assert (said.state, said.done, said.posted, said.posted_paise) == ("DONE", 9, 4, 8_000)
        assert said.heads == [HeadPosted("CURRENT", 8_000)]
        codes = {one.receipt: one.code for one in said.left}
        assert codes == {
            **{one.number: "OWN_WORK" for one in theirs},
            ours[0].number: "RECEIPT_CANCELLED",
            ours[1].number: "RECEIPT_VERIFIED",
        }
        assert len((await watch(t, asked.verification, said.left[3].place)).left) == 1
        again = await t.done("omar", VERIFY_DAY, VerifyDay(DAY, "C001"))
        await carry_on(t.database)
        assert (await watch(t, again.verification)).posted == 3
        t.is_well()


@pytest.mark.parametrize(
    ("operation", "body"),
    [(VERIFY_DAY, VerifyDay(DAY)), ("payments.verify", Verify("C001", DAY))],
    ids=["a whole day", "a big counter's day"],
)
@on_reactor
async def test_killed_anywhere_it_neither_loses_nor_doubles(
    node: Node, monkeypatch: pytest.MonkeyPatch, operation: str, body: Body
) -> None:
    monkeypatch.setattr(verification, "STEP", 60)
    async with town(node) as t:
        total = await many(t, "asha", 1_500)
        if operation == VERIFY_DAY:
            total += await many(t, "bina", 500)
        key = t.key(t.people["omar"])
        asked = await t.done("omar", operation, body, key)
        receipts = (await watch(t, asked.verification)).receipts
        assert receipts == (2_000 if operation == VERIFY_DAY else 1_500)
        assert await t.done("omar", operation, body, key) == asked, "asked again, it is one"
        kills = 0
        with psycopg.connect(t.superuser, autocommit=True) as base:
            while (await watch(t, asked.verification)).state == "OPEN":
                both = [asyncio.ensure_future(carry_on(t.database)) for _ in range(2)]
                await asyncio.sleep(random.uniform(0, 0.12))
                struck = 0
                while kills < 12 and not struck and not all(one.done() for one in both):
                    struck = base.execute(
                        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                        " WHERE usename = 'mpower_app' AND datname = current_database()"
                        " AND state <> 'idle'"
                    ).fetchall()[0][0]
                    await asyncio.sleep(0)
                if struck:
                    both[0].cancel()
                kills += struck
                await asyncio.gather(*both, return_exceptions=True)
        said = await watch(t, asked.verification)
        assert (said.state, said.posted, said.posted_paise) == ("DONE", receipts, total)
        assert sum(one.amount_paise for one in said.heads) == total
        assert kills
        assert t.look(
            "SELECT count(*), count(DISTINCT receipt) FROM mpower.receipt_events"
            " WHERE state = 'VERIFIED'"
        ) == [(receipts, receipts)]
        assert t.look("SELECT sum(places) FROM mpower.verification_steps") == [(receipts,)]
        t.is_well()


@on_reactor
async def test_a_counter_s_day_of_more_than_one_step_is_not_split_by_hand(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "STEP", 4)
    async with town(node) as t:
        paid = [await t.pay("asha", RAM, 100 + n) for n in range(5)]
        parts = [Part(paid[0].number, "CURRENT", 100)]
        refused = Verify("C001", DAY, [], parts)
        assert await t.refused("omar", "payments.verify", refused) == "SPLIT_UNNAMED"
        assert t.look("SELECT count(*) FROM mpower.verifications") == [(0,)]
        named = Verify("C001", DAY, [paid[0].number], parts)
        assert (await t.done("omar", "payments.verify", named)).count == 1
        rest = await t.done("omar", "payments.verify", Verify("C001", DAY))
        assert (rest.count, rest.verification) == (4, 0)
        t.is_well()


@on_reactor
async def test_it_waits_for_an_open_day_and_stops_with_its_officer(node: Node) -> None:
    async with town(node) as t:
        await t.pay("asha", RAM, 1_000)
        asked = await t.done("omar", VERIFY_DAY, VerifyDay(DAY))
        await t.close_day(DAY)
        await carry_on(t.database)
        assert (await watch(t, asked.verification)).done == 0
        await t.open_day("2026-11-25")
        t.look("UPDATE mpower.users SET disabled_at = now() WHERE name = 'omar' RETURNING 1")
        await carry_on(t.database)
        said = await watch(t, asked.verification)
        assert (said.state, said.why) == ("STOPPED", "omar is not an officer any more")
        assert t.look("SELECT count(*) FROM mpower.receipt_events") == [(0,)]


@on_reactor
async def test_what_cannot_be_asked_for_is_refused(node: Node) -> None:
    async with town(node) as t:
        for body, code in (
            (VerifyDay(DAY), "NOTHING_TO_VERIFY"),
            (VerifyDay("2026-02-30"), "NOTHING_TO_VERIFY"),
            (VerifyDay(DAY, "C777"), "NO_COUNTER"),
        ):
            assert await t.refused("omar", VERIFY_DAY, body) == code
        with pytest.raises(Refused, match="There is no verification 7"):
            await watch(t, 7)
        assert t.look("SELECT count(*) FROM mpower.verifications") == [(0,)]


POISON: Final = 13
"""Paise that no receipt can be posted with."""
WRONG: Final = Plant(
    "post_receipts_v1", "ASSERT wrong IS NULL", f"ASSERT NOT {POISON} = ANY (line_paise)"
)
BROKEN: Final = Plant(
    "post_receipts_v1",
    "ASSERT wrong IS NULL",
    f"ASSERT 1 / (CASE WHEN {POISON} = ANY (line_paise) THEN 0 ELSE 1 END) = 1 AND wrong IS NULL",
)
REASON: Final = "the lines of a receipt do not sum to it, or are not of its own head"


@on_reactor
async def test_what_breaks_an_assertion_is_left_with_its_reason_and_the_day_names_it(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "STEP", 500)
    async with town(node) as t:
        bad = [(await t.pay("asha", RAM, POISON, purpose="ADVANCE")).number]
        total = await many(t, "asha", 999, 100)
        bad += [(await t.pay("asha", RAM, POISON, purpose="ADVANCE")).number]
        total += await many(t, "asha", 998, 100)
        bad += [(await t.pay("asha", RAM, POISON, purpose="ADVANCE")).number]
        planted(t, WRONG)
        asked = (await t.done("omar", VERIFY_DAY, VerifyDay(DAY))).verification
        await make_step(t.database, 1)
        await make_step(t.database, 400)
        await killed_in_a_step(t)
        assert (await watch(t, asked)).done == 401, "what a killed step did is undone whole"
        alarms: dict[str, str] = {}
        await CarriedOn(t.database, alarms.__setitem__)()
        assert alarms == {"verification-stuck": ""}
        said = await watch(t, asked)
        assert (said.state, said.done, said.posted) == ("DONE", 2_000, 1_997)
        assert said.posted_paise == total
        assert said.left == [
            Left(place, number, "FAILED", REASON)
            for place, number in zip((1, 1_001, 2_000), bad, strict=True)
        ]
        assert t.look("SELECT count(*), count(DISTINCT receipt) FROM mpower.receipt_events") == [
            (1_997, 1_997)
        ]
        t.is_well()
        await named_by_the_close(t, bad, asked)


async def named_by_the_close(t: Town, bad: list[str], asked: int) -> None:
    """Close the day: it names what is not cancelled, is closed over it knowingly, and what is
    mended is verified on the next.
    """
    await t.done("omar", "payments.cancel", Cancel(bad.pop(), "cannot be posted"))
    for clerk in ("asha", "bina"):
        await t.close_shift(clerk)
    no = await t.ask("omar", "days.close", CloseDay(DAY))
    assert no.refusal is not None
    assert no.refusal[0] == "RECEIPTS_FAILED"
    assert all(f"{number} (verification {asked})" in no.refusal[1] for number in bad)
    assert no.refusal[1].count("(verification") == 2
    assert t.look("SELECT count(*) FROM mpower.days WHERE closed_at IS NULL") == [(1,)]
    await t.done("omar", "days.close", CloseDay(DAY, confirmed=True))
    await t.open_day("2026-11-25")
    planted(t, Plant(WRONG.function, WRONG.wrong, WRONG.right))
    again = await t.done("omar", VERIFY_DAY, VerifyDay(DAY))
    await carry_on(t.database)
    assert (await watch(t, again.verification)).posted == 2
    await t.close_day("2026-11-25")
    t.is_well()


async def killed_in_a_step(t: Town) -> None:
    """Kill the server's end of a step that stands in the middle: it waits for an account."""
    with (
        psycopg.connect(t.superuser, autocommit=True) as base,
        psycopg.connect(t.superuser) as held,
    ):
        held.execute("SELECT FROM mpower.accounts WHERE account = ANY (%s) FOR UPDATE", (HELD,))
        step = asyncio.ensure_future(carry_on(t.database))
        killed: list[tuple[bool]] = []
        while not killed:
            await asyncio.sleep(0)
            killed = base.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE"
                " usename = 'mpower_app' AND datname = current_database()"
                " AND wait_event_type = 'Lock'"
            ).fetchall()
        with pytest.raises(Gated):
            await step


@on_reactor
async def test_a_step_that_fails_raises_an_alarm_that_names_the_receipt(node: Node) -> None:
    async with town(node) as t:
        paid = [await t.pay("asha", RAM, paise) for paise in (20, 30, POISON, 40)]
        await t.done("omar", VERIFY_DAY, VerifyDay(DAY))
        await t.done("omar", VERIFY_DAY, VerifyDay(DAY))
        alarms: dict[str, str] = {}
        carried_on = CarriedOn(t.database, alarms.__setitem__)
        planted(t, BROKEN)
        for turn in range(12):
            with pytest.raises(psycopg.errors.DivisionByZero):
                await carried_on()
            assert ("verification-stuck" in alarms) == (turn >= FAILS - 1)
        told = alarms["verification-stuck"]
        assert f"stands at 2 of 4 receipts, at {paid[2].number}; 1 more wait behind it" in told
        assert t.look("SELECT count(*) FROM mpower.receipt_events") == [(2,)]
        t.is_well()
        planted(t, Plant(BROKEN.function, BROKEN.wrong, BROKEN.right))
        await carried_on()
        assert alarms == {"verification-stuck": ""}
        assert t.look("SELECT state, posted FROM mpower.verifications ORDER BY 1, 2") == [
            ("DONE", 0),
            ("DONE", 4),
        ]
        t.is_well()


@on_reactor
async def test_somebody_who_holds_the_accounts_is_an_alarm_after_a_while_and_a_shut_gate_is_none(
    node: Node,
) -> None:
    async with town(node) as t:
        await t.pay("asha", RAM, 1_000)
        await t.done("omar", VERIFY_DAY, VerifyDay(DAY))
        alarms: dict[str, str] = {}
        carried_on = CarriedOn(t.database, alarms.__setitem__)
        t.standing[0] = replace(t.standing[0], open=False)
        for _ in range(FAILS):
            with pytest.raises(Gated):
                await carried_on()
        t.standing[0] = replace(t.standing[0], open=True)
        with psycopg.connect(t.superuser) as base:
            base.execute("SELECT FROM mpower.accounts WHERE account = 16 FOR UPDATE")
            for _ in range(FAILS):
                assert alarms == {}
                with pytest.raises((psycopg.errors.LockNotAvailable, Busy)):
                    await carried_on()
        assert f"stands at 0 of 1 receipts, at {'C001/2026-27/1'}" in alarms["verification-stuck"]
        await carried_on()
        assert alarms == {"verification-stuck": ""}
