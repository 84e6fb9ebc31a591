"""PostgreSQL's own leaks, and servers that die, hang or are meddled with by hand."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Final

from tests.simulation.faults.machines import primary, some_node
from tests.simulation.wal import Sender

if TYPE_CHECKING:
    from tests.simulation.scenario import Scenario

FOREIGN_S: Final = 0.1
"""How often a foreign walreceiver reports its flush."""
LOOK_S: Final = 0.02
LOOKS: Final = 25
"""Looks at a server that is restarted beneath: the longest restart, and a probe's time after it."""


def postmaster_killed(run: Scenario) -> None:
    """The server alone."""
    some_node(run).postgres.die()


def server_restarted_beneath(run: Scenario) -> None:
    """Somebody restarts a server while commits wait; the daemon sees no exit (F2, F3). At every
    counter somebody looks just then, before a probe can have seen it, again and again.
    """
    node = some_node(run)
    if not (node.alive and node.postgres.up and not node.postgres.hung):
        return
    node.postgres.restart_beneath()
    server = run.servers[node.name]
    for look in range(1, LOOKS + 1):
        for counter in run.counters:
            run.world.after(look * LOOK_S, server.enquire, counter.name)


def server_hung(run: Scenario) -> None:
    """The server stands still: SIGSTOP, or a disk that does not answer."""
    run.hang(some_node(run).postgres, run.world.between(0.3, 4.0))


def checkpointer_stalled(run: Scenario) -> None:
    """Names are set and not in force for a while (F4)."""
    server = primary(run).postgres
    server.stalled_until_s = run.world.now + run.world.between(0.5, 4.0)


def replay_paused(run: Scenario) -> None:
    """Somebody pauses the replay of the standby, and resumes it."""
    server = some_node(run).postgres
    if server.up and server.in_recovery:
        server.replay_paused, server.replay_from = True, len(server.wal)
        run.world.after(run.world.between(0.5, 4.0), setattr, server, "replay_paused", False)


def waits_cancelled(run: Scenario) -> None:
    """Somebody cancels backends that wait for replication (F1), more than once."""
    until_s = run.world.now + run.world.between(1.0, 4.0)

    def again() -> None:
        if primary(run).postgres.cancel_wait():
            run.world.hit["wait cancelled (F1)"] += 1
        if run.world.now < until_s:
            run.world.after(run.world.between(0.02, 0.2), again)

    again()


def synchronous_commit_off(run: Scenario) -> None:
    """A role's setting was changed: its commits wait for nobody and no disk (F8)."""
    until_s = run.world.now + run.world.between(0.5, 3.0)
    for node in run.nodes.values():
        node.postgres.async_until_s = until_s


def walreceiver_killed(run: Scenario) -> None:
    """The stream breaks and comes again."""
    for node in run.nodes.values():
        node.postgres.streaming = False


def foreign_walreceiver(run: Scenario) -> None:
    """Somebody else streams from the primary: a backup, a copy of an old or the present standby."""
    server, record = primary(run).postgres, run.checks.record
    if record is None:
        return
    generation = record.sync_gen - run.world.rng.randrange(2)
    name = run.world.rng.choice(("backup", f"{server.peer.name}_{generation}"))
    until_s = run.world.now + run.world.between(1.0, 5.0)
    call = -next(_CALLS)

    def again() -> None:
        if server.up and not server.in_recovery and not server.hung:
            twin = name == server.names_awaited
            true = any(one.name == name and not one.foreign for one in server.senders)
            if not any(one.call == call for one in server.senders) and (true or not twin):
                server.senders.insert(0, Sender(name, call, run.world.now, foreign=True))
            server.acknowledged(call, server.flushed_lsn(), server.flushed_lsn())
        if run.world.now < until_s:
            run.world.after(FOREIGN_S, again)
        else:
            server.senders = [one for one in server.senders if one.call != call]

    again()


_CALLS: Final = count(1)


def stray_promotion(run: Scenario) -> None:
    """Somebody promotes the standby by hand."""
    record = run.checks.record
    if record is None or not record.opened:
        return
    node = run.nodes[record.primary].peer
    server = node.postgres
    well = server.up and server.in_recovery and not server.hung and node.alive
    if well and not run.checks.lessened and not run.budget.arbiter_lost:
        run.budget.lose(node)  # what it writes from here on is discarded with it
        server.promote("by hand")
