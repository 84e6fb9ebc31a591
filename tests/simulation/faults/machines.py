"""Machines and processes that die, stop, stand still and come back."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulation.node import Node
    from tests.simulation.scenario import Scenario


def some_node(run: Scenario) -> Node:
    """Either, said in the trace."""
    node = run.nodes[run.world.rng.choice("ab")]
    run.world.note(node.name)
    return node


def primary(run: Scenario) -> Node:
    """The recorded one, or either."""
    record = run.checks.record
    return run.nodes[record.primary] if record is not None else some_node(run)


def daemon_killed(run: Scenario) -> None:
    """The daemon alone: its server runs on without a parent (F18)."""
    run.crash(some_node(run), host=False, down_s=run.world.between(0.05, 3.0))


def host_crashed(run: Scenario) -> None:
    """Everything on one machine."""
    run.crash(some_node(run), host=True, down_s=run.world.between(0.3, 8.0))


def primary_crashed(run: Scenario) -> None:
    """The machine of the recorded primary."""
    run.crash(primary(run), host=True, down_s=run.world.between(0.3, 8.0))


def power_cut(run: Scenario) -> None:
    """All machines at once; they come back in any order."""
    for node in run.nodes.values():
        run.crash(node, host=True, down_s=run.world.between(0.3, 4.0))
    run.stop_witness(run.world.between(0.3, 4.0))


def daemon_frozen(run: Scenario) -> None:
    """SIGSTOP of a daemon for a while."""
    node = some_node(run)
    node.freeze()
    run.world.after(run.world.between(0.3, 6.0), node.thaw)


def daemon_stopped(run: Scenario) -> None:
    """An orderly stop (SIGTERM), started again later."""
    run.leave(some_node(run), run.world.between(0.5, 4.0))


def witness_crashed(run: Scenario) -> None:
    """The arbiter's process is killed and started again, with a new nonce."""
    run.stop_witness(run.world.between(0.1, 4.0))


def witness_killed_in_a_write(run: Scenario) -> None:
    """The arbiter's process is killed in the middle of its next write."""
    down_s = run.world.between(0.1, 2.0)
    run.witness.doomed = lambda: run.stop_witness(down_s)


def witness_frozen(run: Scenario) -> None:
    """SIGSTOP of the arbiter: what was in its sockets lands late."""
    run.witness.freeze()
    run.world.after(run.world.between(0.3, 4.0), run.witness.thaw)


def counter_killed(run: Scenario) -> None:
    """Kill −9 of a terminal."""
    run.world.rng.choice(run.counters).kill()


def counter_frozen(run: Scenario) -> None:
    """SIGSTOP of a terminal; what reached its socket is read on resume."""
    counter = run.world.rng.choice(run.counters)
    counter.freeze()
    run.world.after(run.world.between(0.5, 5.0), counter.thaw)


def wall_clock_jumped(run: Scenario) -> None:
    """An hour forward or back on one machine."""
    node = some_node(run)
    node.wall_s += run.world.rng.choice((-3600.0, 3600.0))


def clock_drifts(run: Scenario) -> None:
    """One machine's monotonic clock runs three in a hundred fast or slow."""
    some_node(run).drift(run.world.rng.choice((0.97, 1.03)))


def machine_starved(run: Scenario) -> None:
    """Something eats the processors: no probe is answered in time, and all that is done is late."""
    server, for_s = some_node(run).postgres, run.world.between(1.0, 9.0)
    server.starved_until_s = run.world.now + for_s
    server.slow_s = max(server.slow_s, 0.1)
    run.world.after(for_s, setattr, server, "slow_s", 0.0)
