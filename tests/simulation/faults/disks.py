"""Disks that are slow, full, dead, lying or torn, and copies that are older than they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.simulation.faults.machines import primary, some_node

END_LOST_S: Final = 8.0
"""For so long the moment is waited for."""

if TYPE_CHECKING:
    from tests.simulation.postgres import Postgres
    from tests.simulation.scenario import Scenario


def disk_slow(run: Scenario) -> None:
    """Every flush of one machine takes its time; at times its power goes in the middle of one."""
    node = some_node(run)
    node.postgres.slow_s = run.world.between(0.02, 0.3)
    run.world.after(run.world.between(1.0, 5.0), setattr, node.postgres, "slow_s", 0.0)
    if run.world.chance(0.4):
        down_s = run.world.between(0.3, 4.0)
        run.world.after(run.world.between(0.2, 1.5), lambda: run.crash(node, True, down_s))


def disk_full(run: Scenario) -> None:
    """No room for WAL nor for the small file, until somebody makes room.

    It comes at once, or slowly enough for the ballast to be given up before.
    """
    node, for_s = some_node(run), run.world.between(0.3, 6.0)
    if run.world.chance(0.5):
        run.world.after(run.world.between(0.7, 2.0), _no_room, node.postgres)
        node.postgres.filling = True
    else:
        _no_room(node.postgres)
    run.world.after(for_s, _room, node.postgres)


def disk_read_only(run: Scenario) -> None:
    """An error was met and the filesystem takes no more writes."""
    server = some_node(run).postgres
    server.read_only = True
    _no_room(server)
    run.world.after(run.world.between(1.0, 6.0), _room, server)


def disk_hung(run: Scenario) -> None:
    """Nothing written comes to an end: the server stands still, and so do the small files."""
    server, for_s = some_node(run).postgres, run.world.between(1.0, 6.0)
    server.disk_hung_until_s = run.world.now + for_s
    run.hang(server, for_s)


def _no_room(server: Postgres) -> None:
    server.full = True


def _room(server: Postgres) -> None:
    server.full = server.filling = server.read_only = False


def disk_lies(run: Scenario) -> None:
    """Flushes return and nothing is down; mostly the power goes soon after."""
    node = some_node(run)
    server = node.postgres
    if server.honest_lsn is None:
        server.honest_lsn = len(server.wal)
        run.world.after(6.0, setattr, server, "honest_lsn", None)
    if run.world.chance(0.8):
        down_s = run.world.between(0.3, 4.0)
        run.world.after(run.world.between(1.5, 4.0), lambda: run.crash(node, True, down_s))


def power_cut_in_a_small_write(run: Scenario) -> None:
    """The machine goes dark while the small file is written; at times the file is torn then."""
    node = some_node(run)
    down_s, tears = run.world.between(0.3, 2.0), run.world.chance(0.85)
    node.disk.doomed = lambda: run.crash(node, True, down_s, tears=tears)


def snapshot_restored(run: Scenario) -> None:
    """A server's disk is set back to an earlier copy of itself, while the other has all."""
    run.snapshots.restore()


def only_copy_set_back(run: Scenario) -> None:
    """The same of a primary that is alone, which it becomes because the other's machine is down."""
    node = primary(run).peer
    run.crash(node, host=True, down_s=run.world.between(4.0, 9.0))
    run.world.after(run.world.between(2.5, 4.0), run.snapshots.restore_only_copy)


def unheard_end_lost(run: Scenario) -> None:
    """A primary loses an end that nobody but its standby has: in sync, or just after that one came
    back to one that was alone.
    """
    if run.world.chance(0.5):
        run.snapshots.lose_end(run.world.now + END_LOST_S)
        return
    run.crash(primary(run).peer, host=run.world.chance(0.5), down_s=run.world.between(1.5, 3.0))
    run.snapshots.lose_end(run.world.now + END_LOST_S)


def witness_slow(run: Scenario) -> None:
    """The arbiter's fsync takes its time; beats pass."""
    run.witness.slow_s = run.world.between(0.2, 2.5)
    run.world.after(run.world.between(1.0, 5.0), setattr, run.witness, "slow_s", 0.0)


def witness_rolled_back(run: Scenario) -> None:
    """The arbiter comes back with an older file (a lying disk, a backup); a person rebuilds it."""
    run.lose_arbiter(torn=False)


def witness_torn(run: Scenario) -> None:
    """The arbiter's file is torn: it does not start on it; a person rebuilds it."""
    run.lose_arbiter(torn=True)
