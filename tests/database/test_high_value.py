"""What decides about much: only with a fresh sign-in, and by one stroke only up to a value."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from protocols.catalogue.approvals import Approve, ApproveMany, Decision
from protocols.catalogue.consumers import ChangeLoad
from protocols.catalogue.emergencies import BreakGlass
from protocols.operation import Role
from protocols.powers import AGAIN_FROM, AT_ONCE, Power
from tests.database.town import OLD, RAM, SITA, Town, add_people, town
from tests.postgres_nodes import Node, on_reactor

MORE = {
    "rita": ("E-RITA", Role.RECEIVER, "counter/C001"),
    "anita": ("E-ANITA", Role.ADMIN, "ops/desk2"),
}
EMERGENCY = BreakGlass("E-OMAR", Power.REFUND, "HO", 0, 2, "the officer is ill")


def hold(t: Town, most: int | None) -> None:
    t.look(
        "INSERT INTO mpower.powers (person, power, most, office, valid_from, granted_at)"
        " VALUES ('E-OMAR', 'LOAD', %s, 'HO', current_date, now()) RETURNING 1",
        most,
    )


def stale(t: Town, who: str) -> None:
    """As dispatch gives a caller whose sign-in is some time ago."""
    t.people[who] = replace(t.people[who], fresh=False)


def fresh(t: Town, who: str) -> None:
    t.people[who] = replace(t.people[who], fresh=True)


async def to_load(t: Town, consumer: str, watts: int) -> Approve:
    body = ChangeLoad(consumer, watts, "the application")
    asked = await t.done("rita", "consumers.change_load", body)
    return Approve(asked.request, 1, asked.content)


@on_reactor
async def test_a_stale_sign_in_settles_nothing_and_the_same_key_goes_on_after_a_fresh_one(
    node: Node,
) -> None:
    async with town(node) as t:
        add_people(t, MORE)
        key = t.key(t.people["adil"])
        stale(t, "adil")
        for _ in range(2):
            no = await t.refused("adil", "security.break_glass", EMERGENCY, key)
            assert no == "PROVE_AGAIN"
        assert t.look("SELECT FROM mpower.approvals") == []
        assert t.look("SELECT FROM mpower.requests WHERE operation = 'security.break_glass'") == []
        fresh(t, "adil")
        asked = await t.done("adil", "security.break_glass", EMERGENCY, key)
        seen = Approve(asked.request, 1, asked.content)
        stale(t, "anita")
        assert await t.refused("anita", "approvals.approve", seen) == "PROVE_AGAIN"
        fresh(t, "anita")
        await t.done("anita", "approvals.approve", seen)
        stale(t, "adil")  # what was done is told to who asks under its key, fresh or not
        assert (await t.done("adil", "security.break_glass", EMERGENCY, key)) == asked


@on_reactor
async def test_an_approval_asks_again_from_a_value_on(node: Node) -> None:
    async with town(node) as t:
        add_people(t, MORE)
        hold(t, None)
        line = AGAIN_FROM[Power.LOAD]
        stale(t, "omar")
        await t.done("omar", "approvals.approve", await to_load(t, RAM, line - 1))
        high = await to_load(t, RAM, line)
        assert await t.refused("omar", "approvals.approve", high) == "PROVE_AGAIN"
        fresh(t, "omar")
        await t.done("omar", "approvals.approve", high)
        t.is_well()


async def decided(t: Town, *requests: Approve) -> list[str]:
    body = ApproveMany([Decision(one.request, one.version, one.content) for one in requests])
    answer: Any = await t.done("omar", "approvals.approve_many", body)
    return [one.code for one in answer.decided]


@on_reactor
async def test_one_stroke_is_bounded_by_the_persons_own_limit_together(node: Node) -> None:
    async with town(node) as t:
        add_people(t, MORE)
        hold(t, 10_000)
        three = [await to_load(t, one, 4_000) for one in (RAM, SITA, OLD)]
        assert await decided(t, *three) == ["", "", "BULK_VALUE"]
        await t.done("omar", "approvals.approve", three[2])
        loads = t.look("SELECT sanctioned_load_w FROM mpower.consumers ORDER BY consumer LIMIT 3")
        assert loads == [(4_000,)] * 3
        t.is_well()


@on_reactor
async def test_one_stroke_is_bounded_for_who_has_no_limit_and_many_small_ones_are_high_together(
    node: Node,
) -> None:
    async with town(node) as t:
        add_people(t, MORE)
        hold(t, None)
        most = AT_ONCE[Power.LOAD]
        two = [await to_load(t, RAM, most), await to_load(t, SITA, 3_000)]
        assert await decided(t, *two) == ["", "BULK_VALUE"]
        half = AGAIN_FROM[Power.LOAD] // 2
        stale(t, "omar")
        pair = [await to_load(t, one, half) for one in (SITA, OLD)]
        body = ApproveMany([Decision(one.request, one.version, one.content) for one in pair])
        assert await t.refused("omar", "approvals.approve_many", body) == "PROVE_AGAIN"
        assert t.look("SELECT count(*) FROM mpower.approvals WHERE state = 'APPROVED'") == [(1,)]
