"""The verification of a whole day: asked once, in steps, whatever is killed in between."""

from __future__ import annotations

import asyncio
import random

import psycopg
import pytest

from mpowerd.payments import whole_days
from mpowerd.payments.whole_days import carry_on
from protocols.catalogue.payments import (
    Cancel,
    HeadPosted,
    Take,
    Verification,
    Verify,
    VerifyDay,
    WatchVerification,
)
from protocols.refusals import Refused
from tests.database.town import DAY, OLD, RAM, RICH, SITA, Town, town
from tests.postgres_nodes import Node, on_reactor

VERIFY_DAY = "payments.verify_day"


async def many(t: Town, who: str, count: int) -> int:
    """Take that many payments; their sum."""
    chance, total = random.Random(count), 0
    for start in range(0, count, 250):
        bodies = [
            Take(
                chance.choice([RAM, SITA, OLD, RICH]),
                chance.randrange(1, 900),
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
    monkeypatch.setattr(whole_days, "STEP", 4)
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


@on_reactor
async def test_killed_anywhere_it_neither_loses_nor_doubles(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole_days, "STEP", 60)
    async with town(node) as t:
        total = await many(t, "asha", 1_500) + await many(t, "bina", 500)
        asked = await t.done("omar", VERIFY_DAY, VerifyDay(DAY))
        assert asked.receipts == 2_000
        kills = 0
        with psycopg.connect(t.superuser, autocommit=True) as base:
            while (await watch(t, asked.verification)).state == "OPEN":
                both = [asyncio.ensure_future(carry_on(t.database)) for _ in range(2)]
                await asyncio.sleep(random.uniform(0, 0.12))
                if kills < 12:
                    kills += base.execute(
                        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                        " WHERE usename = 'mpower_app' AND datname = current_database()"
                        " AND state <> 'idle'"
                    ).fetchall()[0][0]
                    both[0].cancel()
                await asyncio.gather(*both, return_exceptions=True)
        said = await watch(t, asked.verification)
        assert (said.state, said.posted, said.posted_paise) == ("DONE", 2_000, total)
        assert sum(one.amount_paise for one in said.heads) == total
        assert kills
        assert t.look(
            "SELECT count(*), count(DISTINCT receipt) FROM mpower.receipt_events"
            " WHERE state = 'VERIFIED'"
        ) == [(2_000, 2_000)]
        assert t.look("SELECT sum(places) FROM mpower.verification_steps") == [(2_000,)]
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
