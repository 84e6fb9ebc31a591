"""What every PostgreSQL control promises of its data folders: stock, rewinds, clones kept."""

from cluster.postgres.control import BLOCKING_NAMES, Control
from cluster.postgres.troubles import (
    CommandFailedError,
)
from tests.contracts.postgres_worlds import (
    NAMES,
    Opening,
    World,
    bind,
    followed_by,
    primary,
    refused,
    seen,
    standby,
)
from tests.postgres_nodes import (
    on_reactor,
)


async def diverged(world: World) -> tuple[Control, Control, int]:
    """`a`, stopped, with commits that `b`, promoted and checkpointed, never had; the switch."""
    a = await primary(world)
    b = await standby(world, a)
    await seen(a, followed_by("b_1"))
    await bind(a, NAMES)
    await a.barrier(10)
    await a.set_names("")
    await b.set_upstream("", None)
    for _ in range(3):
        await a.barrier(10)
    await b.promote()
    await b.set_names("")
    await b.barrier(10)
    world.kill(a)
    await a.stop("immediate")
    return a, b, await b.switch_lsn(2)


@on_reactor
async def test_stock_says_what_stands_beyond_the_switch_and_whether_a_copy_fits(
    opening: Opening,
) -> None:
    async with opening() as world:
        a, b, left_at = await diverged(world)
        stock = await a.take_stock(1, left_at)
        assert (stock.fits, stock.trouble) == (True, "")
        assert stock.commits >= 3
        assert stock.wal_bytes >= 3 * 40
        c = await world.node("c")
        assert (await c.take_stock(0, 0)).fits
        assert (await a.take_stock(1, 0)).commits == 0
        assert (await b.probe()).ok


@on_reactor
async def test_a_rewound_copy_follows_the_one_it_had_left(opening: Opening) -> None:
    async with opening() as world:
        a, b, left_at = await diverged(world)
        source = world.source(a, b, "a_2")
        await a.rewind(source, 2, left_at)
        assert (await a.live_settings()).names == BLOCKING_NAMES
        assert not await a.kept_old()
        await b.create_slot("a")
        await a.start(as_standby=True, names=BLOCKING_NAMES, conninfo=source, slot="a")
        end = await b.barrier(10)
        await seen(a, lambda f: f.in_recovery and f.timeline == 2 and f.held_lsn >= end)
        await seen(b, followed_by("a_2"))


@on_reactor
async def test_a_rewind_that_is_not_shown_right_has_failed(opening: Opening) -> None:
    async with opening() as world:
        a, b, left_at = await diverged(world)
        source = world.source(a, b, "a_2")
        await refused(a.rewind(source, 3, left_at), CommandFailedError)
        await a.rewind(source, 2, left_at)
        await refused(a.rewind(source, 2, left_at), CommandFailedError)  # F5: an equal timeline
        await b.stop("fast")
        await refused(a.rewind(source, 2, left_at), CommandFailedError)


@on_reactor
async def test_a_clone_keeps_the_old_copy_until_it_is_dropped(opening: Opening) -> None:
    async with opening() as world:
        a = await primary(world)
        b = await standby(world, a)
        assert not await b.kept_old()
        await b.stop("fast")
        source = world.source(b, a, "b_1")
        await b.clone(source, "b")
        assert await b.kept_old()
        await b.clone(source, "b")
        assert await b.kept_old()
        await b.drop_old()
        assert not await b.kept_old()
        await b.clone(source, "b", keep=False)
        assert not await b.kept_old()
        await b.start(as_standby=True, names=BLOCKING_NAMES, conninfo=source, slot="b")
        await seen(a, followed_by("b_1"))
