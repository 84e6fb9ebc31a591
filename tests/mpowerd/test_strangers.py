"""Who was refused in the handshake is told whole, once, and within bounds."""

from collections.abc import Sequence

import pytest

from mpowerd.strangers import NAMED, Strangers, Tally
from protocols.shell.refused import PeerRefused, Why
from tests.postgres_nodes import on_reactor

FOREIGN = PeerRefused(Why.AUTHORITY, "an unknown authority signed it")
REVOKED = PeerRefused(Why.REVOKED, "the certificate 3f is revoked", "counter/C005")


class Audit:
    def __init__(self) -> None:
        self.entries: list[Tally] = []
        self.broken = False
        self.now_s = 100.0
        self.strangers = Strangers(lambda: self.now_s)

    async def write(self, tallies: Sequence[Tally], now_s: float) -> None:
        if self.broken:
            raise ConnectionError("no database")
        assert now_s == self.now_s
        self.entries += tallies

    async def told(self) -> list[Tally]:
        self.entries = []
        await self.strangers.tell(self.write)
        return self.entries


@on_reactor
async def test_each_reason_is_one_entry_with_who_came_from_where() -> None:
    audit = Audit()
    for host in ("10.0.0.1", "10.0.0.2", "10.0.0.1"):
        audit.strangers.refused(FOREIGN, host)
    audit.now_s += 5
    audit.strangers.refused(REVOKED, "10.0.0.9")
    foreign, revoked = await audit.told()
    assert (foreign.why, foreign.times, foreign.others) == (Why.AUTHORITY, 3, 0)
    assert foreign.callers == {"10.0.0.1": 2, "10.0.0.2": 1}
    assert (foreign.since_s, foreign.words) == (100.0, str(FOREIGN))
    assert (revoked.times, revoked.since_s) == (1, 105.0)
    assert revoked.callers == {"counter/C005 at 10.0.0.9": 1}
    assert await audit.told() == []
    assert audit.strangers.seen == {"unknown authority": 3, "revoked": 1}


@on_reactor
async def test_a_flood_of_addresses_is_one_entry_that_names_who_came_most() -> None:
    audit = Audit()
    for number in range(10_000):
        audit.strangers.refused(FOREIGN, f"2001:db8::{number:x}")
        if number % 10 == 0:
            audit.strangers.refused(FOREIGN, "10.0.0.66")
    (told,) = await audit.told()
    assert len(told.callers) == NAMED
    assert told.callers["10.0.0.66"] == 1_000
    assert sum(told.callers.values()) + told.others == told.times == 11_000


@on_reactor
async def test_what_could_not_be_written_is_counted_on_and_told_the_next_time() -> None:
    audit = Audit()
    audit.strangers.refused(FOREIGN, "10.0.0.1")

    async def fails(_tallies: Sequence[Tally], _now_s: float) -> None:
        audit.now_s += 1
        audit.strangers.refused(FOREIGN, "10.0.0.2")
        audit.strangers.refused(REVOKED, "10.0.0.2")
        raise ConnectionError("no database")

    with pytest.raises(ConnectionError):
        await audit.strangers.tell(fails)
    audit.strangers.refused(FOREIGN, "10.0.0.1")
    foreign, revoked = await audit.told()
    assert (foreign.times, foreign.callers) == (3, {"10.0.0.1": 2, "10.0.0.2": 1})
    assert (foreign.since_s, revoked.since_s) == (100.0, 101.0)
    assert revoked.times == 1
