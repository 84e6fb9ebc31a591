"""What every PostgreSQL control promises: the fake and the real one pass the same suite."""

import asyncio

from cluster.postgres.control import BLOCKING_NAMES, PostmasterExit
from cluster.postgres.troubles import (
    CommandFailedError,
    DeadlinePassedError,
    FenceRefusedError,
    MisplacedError,
    PostgresTroubleError,
)
from tests.contracts.postgres_worlds import (
    NAMES,
    Opening,
    bind,
    followed_by,
    primary,
    refused,
    seen,
    standby,
)
from tests.postgres_nodes import (
    PASSWORD,
    on_reactor,
)


@on_reactor
async def test_a_new_cluster_serves_and_stops_clean(opening: Opening) -> None:
    async with opening() as world:
        control = await world.node("a")
        assert not await control.initialised()
        assert not (await control.probe()).ok
        await refused(control.start(as_standby=False, names=""), MisplacedError)

        await control.initialise(PASSWORD)
        assert (await control.live_settings()).names == BLOCKING_NAMES
        await control.start(as_standby=False, names="")
        first = await control.probe()
        assert (first.ok, first.in_recovery, first.timeline, first.names) == (True, False, 1, "")
        assert first.system_id > 0
        assert first.receive_lsn is None
        assert first.held_lsn == first.flush_lsn
        assert await control.barrier(5) >= (first.flush_lsn or 0)
        assert ((await control.probe()).flush_lsn or 0) > (first.flush_lsn or 0)

        await control.stop("fast")
        assert not control.running
        facts = await control.controldata()
        assert facts.clean
        assert (facts.system_id, facts.timeline) == (first.system_id, 1)
        await refused(control.initialise(PASSWORD), MisplacedError)
        await refused(control.barrier(1), PostgresTroubleError)


@on_reactor
async def test_the_fence_only_rises(opening: Opening) -> None:
    async with opening() as world:
        control = await primary(world)
        assert await control.read_fence(5) == 0
        await control.write_fence(7, 5)
        await control.write_fence(7, 5)
        await refused(control.write_fence(6, 5), FenceRefusedError)
        await control.stop("immediate")
        await control.start(as_standby=False, names="")
        assert await control.read_fence(5) == 7


@on_reactor
async def test_a_restart_keeps_the_names_on_disk_and_is_visible(opening: Opening) -> None:
    async with opening() as world:
        control = await primary(world)
        await control.set_names(NAMES)
        before = await control.probe()
        await control.stop("immediate")
        await control.start(as_standby=False, names=None)
        after = await control.probe()
        assert before.names == after.names == (await control.live_settings()).names == NAMES
        assert after.postmaster_start != before.postmaster_start


@on_reactor
async def test_nobody_follows_a_primary_that_was_started_before_it_admits(opening: Opening) -> None:
    async with opening() as world:
        a = await primary(world)
        await standby(world, a)
        await seen(a, followed_by("b_1"))
        await a.stop("immediate")
        await a.start(as_standby=False, names="")
        c = await world.node("c")
        await refused(c.clone(world.source(c, a, "c_1"), None), CommandFailedError)
        assert (await a.probe()).walsenders == ()
        await a.admit()
        await seen(a, followed_by("b_1"))


@on_reactor
async def test_a_primary_says_where_the_wal_ended_that_it_found(opening: Opening) -> None:
    async with opening() as world:
        a = await primary(world)
        b = await standby(world, a)
        await seen(a, followed_by("b_1"))
        ended = await a.barrier(5)
        await a.stop("immediate")
        await a.start(as_standby=False, names="")
        found = await a.began_lsn(clean=False)
        assert ended <= found < ((await a.probe()).flush_lsn or 0)
        assert await a.began_lsn(clean=False) == found, "what is written since does not count"

        await a.admit()
        await seen(a, followed_by("b_1"))
        await a.stop("fast")
        held = (await b.probe()).held_lsn
        await a.start(as_standby=False, names="")
        assert await a.began_lsn(clean=True) >= held, "it took the shutdown's last record along"


@on_reactor
async def test_commits_wait_for_a_listed_standby_and_only_for_it(opening: Opening) -> None:
    async with opening() as world:
        a = await primary(world)
        b = await standby(world, a)
        await seen(a, followed_by("b_1"))
        assert await a.hang_probe(0.2) is None

        await bind(a, NAMES)
        lsn = await a.barrier(10)
        assert (await b.probe()).held_lsn >= lsn
        await a.set_names('ANY 1 ("b_2")')
        position = await a.hang_probe(5)
        assert position is not None
        assert position > lsn
        late = asyncio.ensure_future(a.barrier(30))
        await refused(a.barrier(0.2), DeadlinePassedError)
        await seen(a, lambda facts: facts.oldest_sync_wait_s > 0.1)
        assert not late.done()

        await b.set_upstream(world.source(b, a, "b_1"), "b", "b_2")
        assert await late >= position
        assert (await seen(a, followed_by("b_2"))).names == 'ANY 1 ("b_2")'
        assert [s.sync_state for s in (await a.probe()).walsenders] == ["quorum"]


@on_reactor
async def test_emptied_names_release_what_waits(opening: Opening) -> None:
    async with opening() as world:
        control = await primary(world)
        await control.set_names(NAMES)
        assert await control.hang_probe(5) is not None
        waiting = asyncio.ensure_future(control.barrier(30))
        left = asyncio.ensure_future(control.barrier(30))
        await seen(control, lambda facts: facts.oldest_sync_wait_s > 0)
        left.cancel()  # a caller that goes away cancels nothing on the server
        before = await control.probe()
        await control.set_names("")
        assert await waiting > 0
        assert before.oldest_sync_wait_s > 0
        await seen(control, lambda facts: facts.oldest_sync_wait_s == 0)


@on_reactor
async def test_a_dead_primary_is_told_and_its_standby_promotes(opening: Opening) -> None:
    async with opening() as world:
        exits: asyncio.Queue[PostmasterExit] = asyncio.Queue()
        a = await primary(world)
        a.exited = exits.put_nowait
        b = await standby(world, a)
        await a.write_fence(3, 5)
        await bind(a, NAMES)
        lsn = await a.barrier(10)
        world.kill(a)
        exit_ = await exits.get()
        assert (exit_.asked, exit_.signal) == (False, 9)
        assert not a.running
        assert not (await a.probe()).ok

        assert (await b.probe()).in_recovery
        assert (await b.probe()).names == BLOCKING_NAMES
        assert await b.promote() == 2
        assert await b.switch_lsn(2) >= lsn
        assert await b.promote() == 2  # a repeated promotion is harmless
        await refused(b.barrier(0.2), DeadlinePassedError)
        await b.set_names("")
        assert await b.barrier(10) > lsn
        assert await b.read_fence(5) == 3
        facts = await b.probe()
        assert (facts.in_recovery, facts.timeline) == (False, 2)

        await a.stop("immediate")
        await b.checkpoint(10)
        await b.create_slot("a")
        source = world.source(a, b, "a_2")
        await a.clone(source, "a")
        await a.start(as_standby=True, names=BLOCKING_NAMES, conninfo=source, slot="a")
        end = await b.barrier(10)
        await seen(a, lambda f: f.in_recovery and f.timeline == 2 and f.held_lsn >= end)
        await seen(b, followed_by("a_2"))


@on_reactor
async def test_an_asked_stop_says_so_and_a_stopped_standby_does_not_promote(
    opening: Opening,
) -> None:
    async with opening() as world:
        exits: list[PostmasterExit] = []
        a = await primary(world)
        b = await standby(world, a)
        b.exited = exits.append
        await b.stop("fast")
        assert [e.asked for e in exits] == [True]
        assert (await b.controldata()).clean
        await refused(b.promote(), PostgresTroubleError)
        await a.drop_slot("b")
        await a.drop_slot("b")


@on_reactor
async def test_a_walsender_that_is_dropped_is_followed_by_a_new_one(opening: Opening) -> None:
    async with opening() as world:
        a = await primary(world)
        await standby(world, a)
        await seen(a, followed_by("b_1"))
        await a.drop_walsenders(("203.0.113.9",))
        await a.drop_walsenders(("127.0.0.1",))
        await seen(a, followed_by("b_1"))


@on_reactor
async def test_a_clone_of_nobody_fails_and_keeps_what_is_there(opening: Opening) -> None:
    async with opening() as world:
        a = await primary(world)
        b = await world.node("b")
        await a.stop("fast")
        await refused(b.clone(world.source(b, a, "b_1"), None), CommandFailedError)
        assert not await b.initialised()
        await a.start(as_standby=False, names="")
        await refused(b.clone(world.source(b, a, "b_1"), "no_such_slot"), CommandFailedError)
        assert not await b.initialised()
