"""Doors that stay shut on a primary are an alarm; they are tried again, and it ends then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import pytest
from msgspec import structs

from cluster.standing import Standing
from mpowerd import opening
from mpowerd.business import Business
from mpowerd.hall import Hall
from mpowerd.opening import Opening
from protocols.messages import NotPrimary
from tests.postgres_nodes import on_reactor

OPEN = Standing("a", "PRIMARY_SOLO", 4, 2, True, True, "", "a", "h:1", 1, "Promoted.")
WAIT_S = 5.0


class Shop:
    """A business that opens at once; until ``broken`` is empty, it cannot even be made."""

    doors = None

    def __init__(self) -> None:
        self.broken = "column p.given_by does not exist\nLINE 12"
        self.alarms: list[tuple[str, str]] = []
        self.tried = 0

    async def make(self) -> Business:
        self.tried += 1
        if self.broken:
            raise LookupError(self.broken)
        return cast("Business", self)

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def today(self) -> str:
        return "2026-04-01"

    def alarm(self, kind: str, text: str) -> None:
        self.alarms.append((kind, text))


async def _until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not reached():
            await asyncio.sleep(0)


def _doors(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Opening:
    monkeypatch.setattr(opening, "AGAIN_S", 0.0)
    monkeypatch.setattr(opening, "SELDOM_S", 0.0)
    hall = Hall(lambda: 0.0, NotPrimary(1), lambda _: None, lambda *_: None, shop.alarm)
    return Opening(hall, OPEN, shop.make, shop.alarm)


@on_reactor
async def test_doors_that_stay_shut_are_an_alarm_until_they_open() -> None:
    with pytest.MonkeyPatch.context() as patch:
        shop = Shop()
        doors = _doors(shop, patch)
        doors.start()
        await _until(lambda: shop.tried == opening.FAILS - 1)
        assert shop.alarms == [], "a database that was just promoted refuses for a moment"
        await _until(lambda: shop.tried > opening.FAILS)
        kind, why = shop.alarms[0]
        assert kind == "doors-shut"
        assert why.endswith("nobody can pay here: column p.given_by does not exist.")
        shop.broken = ""
        await _until(lambda: doors.business is not None)
        assert shop.alarms[-1] == ("doors-shut", "")
        await doors.close()


@on_reactor
async def test_who_is_no_primary_any_more_need_not_open() -> None:
    with pytest.MonkeyPatch.context() as patch:
        shop = Shop()
        doors = _doors(shop, patch)
        doors.start()
        await _until(lambda: bool(shop.alarms))
        doors.stood(structs.replace(OPEN, open=False, state="FENCING"))
        assert shop.alarms[-1] == ("doors-shut", "")
        await doors.close()
