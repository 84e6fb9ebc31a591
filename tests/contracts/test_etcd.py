"""What only an etcd can do to us: members that die, hang or are old, compaction, a restored
snapshot, another etcd at the same addresses, no space left, a certificate of somebody else's.

All on a real one of three members; only its release is made up.
"""

import asyncio
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from cluster.arbiter import ArbiterUnreachable, SwapUnknown
from cluster.arbiter.gateway import too_old
from tests.cluster.first_record import FIRST
from tests.contracts.arbiters import EtcdWorld, reached, shared_etcd
from tests.contracts.test_arbiter import beat, bumped
from tests.etcd_members import Members, etcd_members
from tests.postgres_nodes import on_reactor

BLINK_S = 4.0
"""Two elections of an etcd at its defaults (one second each) on a loaded machine."""
pytestmark = pytest.mark.etcd
Test = Callable[[EtcdWorld], Coroutine[Any, Any, None]]


@asynccontextmanager
async def world_of(folder: Path, etcd: Members, ca: str = "ca.crt") -> AsyncIterator[EtcdWorld]:
    world = EtcdWorld(folder, etcd, ca)
    try:
        yield world
    finally:
        await world.end()


def on_etcd(test: Test) -> Any:
    @on_reactor
    async def in_world(tmp_path: Path) -> None:
        async with world_of(tmp_path, await asyncio.to_thread(shared_etcd)) as world:
            await test(world)

    return in_world


def on_own_etcd(**settings: Any) -> Callable[[Test], Any]:
    """For what an etcd does not recover from."""

    def wrap(test: Test) -> Any:
        @on_reactor
        async def in_world(tmp_path: Path) -> None:
            with etcd_members() as etcd:
                for name, value in settings.items():
                    setattr(etcd, name, value)
                await asyncio.to_thread(etcd.start)
                async with world_of(tmp_path, etcd) as world:
                    await test(world)

        return in_world

    return wrap


async def longest_gap_s(world: EtcdWorld, for_s: float, first: int) -> float:
    """Beat every 100 ms; the longest time without an answer."""
    began_s = last_s = time.monotonic()
    worst_s = 0.0
    counter = first
    while time.monotonic() - began_s < for_s:
        counter += 1
        try:
            await world.of("a").beat(beat("a", counter))
        except ArbiterUnreachable:
            pass
        else:
            worst_s = max(worst_s, time.monotonic() - last_s)
            last_s = time.monotonic()
        await asyncio.sleep(0.1)
    return max(worst_s, time.monotonic() - last_s)


@on_etcd
async def test_a_follower_that_is_killed_is_not_missed(world: EtcdWorld) -> None:
    await world.of("a").swap(None, FIRST)
    leader = world.etcd.leader()
    world.etcd.kill((leader + 1) % 3)
    gap_s = await longest_gap_s(world, 2.0, 0)
    print(f"follower killed: gap_ms={gap_s * 1000:.0f}")
    assert gap_s < 1.5
    assert (await world.of("a").swap(1, bumped(FIRST))).done
    await asyncio.to_thread(world.etcd.start, (leader + 1) % 3)


@on_etcd
async def test_a_leader_that_is_killed_costs_an_election(world: EtcdWorld) -> None:
    await world.of("a").swap(None, FIRST)
    leader = world.etcd.leader()
    world.etcd.kill(leader)
    gap_s = await longest_gap_s(world, BLINK_S + 1, 0)
    print(f"leader killed: gap_ms={gap_s * 1000:.0f}")
    assert gap_s < BLINK_S
    assert (await world.of("a").swap(1, bumped(FIRST))).done
    await asyncio.to_thread(world.etcd.start, leader)


@on_etcd
async def test_a_member_that_hangs_is_passed_by(world: EtcdWorld) -> None:
    await world.of("a").swap(None, FIRST)
    hung = next(n for n in range(3) if n != world.etcd.leader())
    for gateway in world.gateways.values():  # the one that is asked first
        gateway.members.sort(key=lambda one: one.address != world.etcd.endpoints[hung])
    pid = world.etcd.processes[hung].pid
    os.kill(pid, signal.SIGSTOP)
    try:
        gap_s = await longest_gap_s(world, 2.0, 0)
    finally:
        os.kill(pid, signal.SIGCONT)
    print(f"member hung: gap_ms={gap_s * 1000:.0f}")
    assert gap_s < 2.0


@on_etcd
async def test_a_compaction_takes_nothing_that_is_read(world: EtcdWorld) -> None:
    await world.of("a").swap(None, FIRST)
    for counter in range(1, 6):
        await world.of("a").beat(beat("a", counter))
    said = world.etcd.ctl("get", "x", "-w", "json").stdout
    revision = said.partition('"revision":')[2].partition(",")[0]
    world.etcd.ctl("compact", revision)
    assert (await world.of("b").read()).record == FIRST
    assert (await world.of("b").beat(beat("b", 1))).peer == beat("a", 5)
    assert (await world.of("a").swap(1, bumped(FIRST))).done


@on_own_etcd()
async def test_a_member_that_comes_back_with_an_old_disk_changes_nothing(world: EtcdWorld) -> None:
    """Its log is shorter than the leader knows it to be: it follows again, or ends itself."""
    member = next(n for n in range(3) if n != world.etcd.leader())
    await world.of("a").swap(None, FIRST)
    world.etcd.kill(member)
    old = world.folder / "old"
    shutil.copytree(world.etcd.data(member), old)
    await asyncio.to_thread(world.etcd.start, member)
    before = await world.of("a").read()
    assert (await world.of("a").swap(1, bumped(FIRST))).done
    world.etcd.kill(member)
    shutil.rmtree(world.etcd.data(member))
    shutil.copytree(old, world.etcd.data(member))
    await asyncio.to_thread(world.etcd.start, member)
    for gateway in world.gateways.values():  # the one that is asked first
        gateway.members.sort(key=lambda one: one.address != world.etcd.endpoints[member])
    after = await world.of("b").read()
    assert (after.record, after.nonce) == (bumped(FIRST), before.nonce)


@on_etcd
async def test_a_snapshot_from_before_is_told_and_nothing_is_stored_on_it(world: EtcdWorld) -> None:
    await world.of("a").swap(None, FIRST)
    await world.of("a").beat(beat("a", 1))
    await world.of("b").beat(beat("b", 1))
    before = await world.of("a").read()
    snapshot = world.folder / "older"
    await asyncio.to_thread(world.etcd.snapshot, snapshot)
    assert (await world.of("a").swap(1, bumped(FIRST))).done
    await asyncio.to_thread(world.etcd.restore, snapshot)
    await reached(world.of("a"))
    reading = await world.of("a").read()
    assert reading.record == FIRST
    assert reading.nonce != before.nonce
    relay = await world.of("a").beat(beat("a", 2, epoch=2))
    assert "rolled back" in relay.doubt
    refused = await world.of("b").swap(1, bumped(FIRST, "b"))
    assert "rolled back" in refused.refusal


@on_etcd
async def test_a_restored_snapshot_with_lifted_revisions_is_told_too(world: EtcdWorld) -> None:
    """As ``--bump-revision`` does: no number is lower than before, but our own beat is older."""
    await world.of("a").swap(None, FIRST)
    await world.of("a").beat(beat("a", 1))
    before = await world.of("a").read()
    snapshot = world.folder / "older"
    await asyncio.to_thread(world.etcd.snapshot, snapshot)
    await world.of("a").beat(beat("a", 2))
    await asyncio.to_thread(world.etcd.restore, snapshot)
    for n in range(20):
        await asyncio.to_thread(world.etcd.ctl, "put", "/others/key", str(n))
    await reached(world.of("a"))
    assert (await world.of("a").read()).nonce != before.nonce


@on_own_etcd()
async def test_another_etcd_at_the_same_addresses_is_not_believed(world: EtcdWorld) -> None:
    await world.of("a").swap(None, FIRST)
    snapshot = world.folder / "copy"
    await asyncio.to_thread(world.etcd.snapshot, snapshot)
    await asyncio.to_thread(lambda: world.etcd.restore(snapshot, token="second"))
    with pytest.raises(ArbiterUnreachable, match="another one") as refused:
        await world.of("a").read()
    assert refused.value.alarm == "arbiter-other"


@on_own_etcd(quota=2 * 1024 * 1024)
async def test_a_full_etcd_says_so(world: EtcdWorld) -> None:
    await world.of("a").swap(None, FIRST)
    filled = 0
    while world.etcd.ctl("put", f"/others/{filled}", "x" * 100_000, check=False).returncode == 0:
        filled += 1
        assert filled < 100
    with pytest.raises(ArbiterUnreachable, match="space exceeded") as full:
        await world.of("a").beat(beat("a", 1))
    assert full.value.alarm == "etcd-full"
    assert (await world.of("a").read()).record == FIRST
    with pytest.raises(SwapUnknown):
        await world.of("a").swap(1, bumped(FIRST))


@on_reactor
async def test_an_etcd_of_another_authority_is_not_spoken_with(tmp_path: Path) -> None:
    etcd = await asyncio.to_thread(shared_etcd)
    async with world_of(tmp_path, etcd, ca="other-ca.crt") as world:
        with pytest.raises(ArbiterUnreachable, match="certificate"):
            await world.of("a").read()


@on_etcd
async def test_a_member_of_an_old_release_is_refused_by_name(world: EtcdWorld) -> None:
    gateway: Any = world.gateways["a"]
    request = gateway._request

    async def old(member: Any, method: bytes, path: str, body: Any, deadline_s: float) -> Any:
        if path == "/version":
            return {"etcdserver": "3.5.2", "etcdcluster": "3.5.0"}
        return await request(member, method, path, body, deadline_s)

    gateway._request = old
    with pytest.raises(ArbiterUnreachable, match=r"release 3\.5\.2.*update it") as refused:
        await world.of("a").read()
    assert refused.value.alarm == "etcd-too-old"
    assert world.etcd.endpoints[0] in str(refused.value)


@pytest.mark.parametrize(
    ("release", "refused"),
    [
        ("3.3.27", True),
        ("3.4.21", True),
        ("3.4.22", False),
        ("3.5.5", True),
        ("3.5.6", False),
        ("3.6.0", False),
        ("4.0.0", False),
        ("2.3.8", True),
        ("", True),
        ("nginx", True),
    ],
)
def test_releases_that_lose_writes_are_known(release: str, refused: bool) -> None:
    assert bool(too_old(release)) is refused
