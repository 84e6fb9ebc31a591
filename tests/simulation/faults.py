"""What goes wrong, chosen by the seed: kinds, moments, victims, durations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.simulation.node import Node
from tests.simulation.server import Request

if TYPE_CHECKING:
    from tests.simulation.scenario import Scenario


def _node(run: Scenario) -> Node:
    return run.nodes[run.world.rng.choice("ab")]


def _primary(run: Scenario) -> Node:
    record = run.checks.record
    return run.nodes[record.primary] if record is not None else _node(run)


def daemon_killed(run: Scenario) -> None:
    """The daemon alone: its server runs on without a parent (F18)."""
    node = _node(run)
    run.world.note(node.name)
    run.crash(node, host=False, down_s=run.world.between(0.05, 3.0))


def host_crashed(run: Scenario) -> None:
    """Everything on one machine."""
    node = _node(run)
    run.world.note(node.name)
    run.crash(node, host=True, down_s=run.world.between(0.3, 8.0))


def primary_crashed(run: Scenario) -> None:
    """The machine of the recorded primary."""
    run.crash(_primary(run), host=True, down_s=run.world.between(0.3, 8.0))


def power_cut(run: Scenario) -> None:
    """All machines at once; they come back in any order."""
    for node in run.nodes.values():
        run.crash(node, host=True, down_s=run.world.between(0.3, 4.0))
    run.stop_witness(run.world.between(0.3, 4.0))


def postmaster_killed(run: Scenario) -> None:
    """The server alone."""
    node = _node(run)
    run.world.note(node.name)
    node.postgres.die()


def daemon_frozen(run: Scenario) -> None:
    """SIGSTOP of a daemon for a while."""
    node = _node(run)
    run.world.note(node.name)
    node.freeze()
    run.world.after(run.world.between(0.3, 6.0), node.thaw)


def server_hung(run: Scenario) -> None:
    """The server stands still: a disk that does not answer."""
    node = _node(run)
    run.world.note(node.name)
    run.hang(node.postgres, run.world.between(0.3, 4.0))


def disk_slow(run: Scenario) -> None:
    """Every flush of one machine takes its time."""
    node = _node(run)
    server = node.postgres
    server.slow_s = run.world.between(0.02, 0.3)
    run.world.after(run.world.between(1.0, 5.0), setattr, server, "slow_s", 0.0)


def checkpointer_stalled(run: Scenario) -> None:
    """Names are set and not in force for a while (F4)."""
    server = _primary(run).postgres
    server.stalled_until_s = run.world.now + run.world.between(0.5, 4.0)


def wait_cancelled(run: Scenario) -> None:
    """Somebody cancels backends that wait for replication (F1), more than once."""
    until_s = run.world.now + run.world.between(1.0, 4.0)

    def again() -> None:
        if _primary(run).postgres.cancel_wait():
            run.world.hit["wait cancelled (F1)"] += 1
        if run.world.now < until_s:
            run.world.after(run.world.between(0.02, 0.2), again)

    again()


def walreceiver_killed(run: Scenario) -> None:
    """The stream breaks and comes again."""
    for node in run.nodes.values():
        node.postgres.streaming = False


def links_cut(run: Scenario) -> None:
    """The nodes do not hear each other; both see the arbiter."""
    for_s = run.world.between(0.5, 6.0)
    for line in (("a", "b", 0), ("b", "a", 0), ("a", "b", 1), ("b", "a", 1)):
        run.network.cut(line, for_s)


def one_way_cut(run: Scenario) -> None:
    """One direction of some lines."""
    one, two = run.world.rng.choice((("a", "b"), ("b", "a")))
    for_s = run.world.between(0.5, 6.0)
    run.network.cut((one, two, 0), for_s)
    run.network.cut((one, two, 1), for_s)
    if run.world.chance(0.5):
        run.network.cut((one, "w", 0), for_s)


def node_cut_off(run: Scenario) -> None:
    """One node hears nobody."""
    one = run.world.rng.choice("ab")
    two = "b" if one == "a" else "a"
    for_s = run.world.between(0.5, 8.0)
    for other, number in ((two, 0), (two, 1), ("w", 0), ("t", 0)):
        run.network.cut((one, other, number), for_s)
        run.network.cut((other, one, number), for_s)


def arbiter_cut_off(run: Scenario) -> None:
    """One node, or both, and the arbiter do not hear each other."""
    for_s = run.world.between(0.5, 6.0)
    for name in run.world.rng.choice(("a", "b", "ab")):
        run.network.cut((name, "w", 0), for_s)
        run.network.cut(("w", name, 0), for_s)


def lines_flap(run: Scenario) -> None:
    """A line is cut and mended many times."""
    one, two = run.world.rng.choice((("a", "b"), ("a", "w"), ("b", "w")))
    number = run.world.rng.randrange(2) if two == "b" else 0
    at_s = 0.0
    for _ in range(8):
        at_s += run.world.between(0.2, 0.8)
        for_s = run.world.between(0.05, 0.6)
        run.world.after(at_s, run.network.cut, (one, two, number), for_s)
        run.world.after(at_s, run.network.cut, (two, one, number), for_s)


def witness_crashed(run: Scenario) -> None:
    """The arbiter's process is killed and started again."""
    run.stop_witness(run.world.between(0.1, 4.0))


def witness_killed_in_a_write(run: Scenario) -> None:
    """The arbiter's process is killed in the middle of its next write."""
    down_s = run.world.between(0.1, 2.0)
    run.witness.doomed = lambda: run.stop_witness(down_s)


def witness_frozen(run: Scenario) -> None:
    """SIGSTOP of the arbiter: what was in its sockets lands late."""
    run.witness.freeze()
    run.world.after(run.world.between(0.3, 4.0), run.witness.thaw)


def witness_slow(run: Scenario) -> None:
    """The arbiter's fsync takes its time; beats pass."""
    run.witness.slow_s = run.world.between(0.2, 2.5)
    run.world.after(run.world.between(1.0, 5.0), setattr, run.witness, "slow_s", 0.0)


def swaps_late(run: Scenario) -> None:
    """Compare-and-swaps, and nothing else, take seconds on their way."""
    run.network.swaps_late = True
    run.world.after(run.world.between(2.0, 8.0), setattr, run.network, "swaps_late", False)


def counter_killed(run: Scenario) -> None:
    """Kill −9 of a terminal."""
    run.world.rng.choice(run.counters).kill()


def another_body(run: Scenario) -> None:
    """A copied terminal sends a known key with another content."""
    if not run.checks.acknowledged:
        return
    key = run.world.rng.choice(list(run.checks.acknowledged))
    body, _ = run.checks.acknowledged[key]

    def answer(code: str, number: int, replay: bool) -> None:
        if code == "RECEIPT":
            run.checks.fail(f"{key!r} with another body got a receipt")

    request = Request(key, f"not {body}", key[:2].decode(), answer)
    run.servers[_primary(run).name].take(request)


def daemon_stopped(run: Scenario) -> None:
    """An orderly stop (SIGTERM), started again later."""
    node = _node(run)
    run.world.note(node.name)
    run.leave(node, run.world.between(0.5, 4.0))


def handed_over(run: Scenario) -> None:
    """A UPS says that it is on battery."""
    run.ask(_primary(run), "handover")


def switched_over(run: Scenario) -> None:
    """An operator switches over: now, or planned a little ahead and sometimes cancelled."""
    if run.world.chance(0.7):
        run.ask(_primary(run), "switchover")
        return
    at_s = int(1e9 + run.world.now + run.world.between(1.0, 4.0))
    run.ask(_node(run), "switchover", at=str(at_s))
    if run.world.chance(0.3):
        run.world.after(run.world.between(0.2, 3.0), lambda: run.ask(_node(run), "cancel"))


def paused(run: Scenario) -> None:
    """An operator pauses and resumes."""
    run.ask(_primary(run), "pause")
    run.world.after(run.world.between(0.5, 3.0), lambda: run.ask(_primary(run), "resume"))


def wall_clock_jumped(run: Scenario) -> None:
    """An hour forward: nothing reads it."""
    run.world.rng.random()


def snapshot_restored(run: Scenario) -> None:
    """A server's disk is set back to an earlier copy of itself, while the other has all."""
    run.restore_snapshot()


def stray_promotion(run: Scenario) -> None:
    """Somebody promotes the standby by hand (but not also sets the other copy back)."""
    if run.checks.restored:
        return
    run.checks.restored = True  # what it acknowledged will be cloned again
    for node in run.nodes.values():
        server = node.postgres
        record = run.checks.record
        if record is None or record.primary == node.name or not record.opened:
            continue
        if server.up and server.in_recovery and not server.hung and node.alive:
            server.promote("by hand")


KINDS: Final[dict[str, tuple[Any, int]]] = {
    "daemon killed": (daemon_killed, 3),
    "host crashed": (host_crashed, 3),
    "primary crashed": (primary_crashed, 4),
    "power cut": (power_cut, 1),
    "postmaster killed": (postmaster_killed, 4),
    "daemon frozen": (daemon_frozen, 3),
    "server hung": (server_hung, 2),
    "disk slow": (disk_slow, 2),
    "checkpointer stalled (F4)": (checkpointer_stalled, 2),
    "waits being cancelled": (wait_cancelled, 3),
    "walreceiver killed": (walreceiver_killed, 2),
    "links cut": (links_cut, 3),
    "one-way cut": (one_way_cut, 3),
    "node cut off": (node_cut_off, 3),
    "arbiter cut off": (arbiter_cut_off, 3),
    "lines flap": (lines_flap, 2),
    "witness crashed": (witness_crashed, 3),
    "witness killed in a write": (witness_killed_in_a_write, 2),
    "witness frozen": (witness_frozen, 2),
    "witness slow": (witness_slow, 2),
    "swaps late": (swaps_late, 3),
    "counter killed": (counter_killed, 2),
    "another body": (another_body, 2),
    "daemon stopped": (daemon_stopped, 2),
    "handover": (handed_over, 1),
    "switchover": (switched_over, 4),
    "paused": (paused, 1),
    "wall clock jumped": (wall_clock_jumped, 1),
    "snapshot restored": (snapshot_restored, 2),
    "stray promotion": (stray_promotion, 1),
}
"""Every kind, and how often it is chosen against the others."""
MET_ON_THE_WAY: Final = (
    "message lost",
    "message doubled",
    "message late",
    "witness crashed while writing",
    "swap ambiguous",
    "swap landed late",
    "swap never left",
    "names published late",
    "wait cancelled (F1)",
    "commit returned with a warning",
    "stray server stopped",
    "clone",
    "rewind",
    "rewind failed",
    "old copy dropped",
    "switched over",
    "replayed",
    "conflict refused",
)
"""Things that no schedule asks for and that must have happened all the same in a full run."""
