"""What people do: operators' verbs, terminals that repeat themselves, or are copied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulation.faults.machines import primary, some_node
from tests.simulation.node import TIMERS
from tests.simulation.server import Request, Server

if TYPE_CHECKING:
    from tests.simulation.scenario import Scenario


def another_body(run: Scenario) -> None:
    """A copied terminal sends keys that the primary shows with another content."""
    server = run.servers[primary(run).name]
    known = {key: row[0] for key, row in server.node.postgres.visible.items()}
    _again(run, server, known, "not ")
    if run.world.chance(0.8):
        run.world.after(run.world.between(0.01, 0.3), another_body, run)


def known_key_again(run: Scenario) -> None:
    """A copied terminal sends keys once more, answered or not: the first answer, or none yet."""
    server = run.servers[primary(run).name]
    known = {key: body for one in run.counters for key, body in one.sent.items()}
    _again(run, server, known, "")
    if run.world.chance(0.8):
        run.world.after(run.world.between(0.01, 0.3), known_key_again, run)


def _again(run: Scenario, server: Server, known: dict[bytes, str], changed: str) -> None:
    if not known:
        return
    key = run.world.rng.choice(list(known)[-4:])

    def answer(code: str, number: int, replay: bool) -> None:
        if changed and code == "RECEIPT":
            run.checks.fail(f"replies: {key!r} with another body got a receipt")

    server.take(Request(key, changed + known[key], key[:2].decode(), answer))


def handed_over(run: Scenario) -> None:
    """A UPS says that it is on battery."""
    run.ask(primary(run), "handover")


def switched_over(run: Scenario) -> None:
    """An operator switches over: now, or planned a little ahead and sometimes cancelled."""
    if run.world.chance(0.7):
        run.ask(primary(run), "switchover")
        return
    at_s = int(1e9 + run.world.now + run.world.between(1.0, 4.0))
    run.ask(some_node(run), "switchover", at=str(at_s))
    if run.world.chance(0.3):
        run.world.after(run.world.between(0.2, 3.0), lambda: run.ask(some_node(run), "cancel"))


def paused(run: Scenario) -> None:
    """An operator pauses and resumes."""
    run.ask(primary(run), "pause")
    run.world.after(run.world.between(0.5, 3.0), lambda: run.ask(primary(run), "resume"))


def forced(run: Scenario) -> None:
    """The standby is away, the primary goes alone and dies: a person forces what is left."""
    record = run.checks.record
    if record is None or not record.sync:
        return
    gone, left = run.nodes[record.primary], run.nodes[record.sync]
    away_s = run.world.between(1.2, 2.5)
    run.crash(left, host=True, down_s=away_s)

    def ask(times: int) -> None:
        if gone.alive or not times:  # only a server that is powered off is given up
            return
        run.ask(left, "failover", accept="yes")
        run.world.after(0.5, ask, times - 1)

    def dies() -> None:
        known = run.checks.record
        if known is not None and known.primary == gone.name and gone.alive:
            run.crash(gone, host=True, down_s=run.world.between(5.0, 9.0))
            run.world.after(run.world.between(0.5, 3.0), ask, 8)

    run.world.after(away_s + run.world.between(-0.2, 0.8), dies)


def forced_for_nothing(run: Scenario) -> None:
    """A person asks for it while all is well, or where it would happen by itself: refused.

    He asks without looking where the other node can be heard. A server that runs behind cut lines
    no node can know of: there the command has him go and look, and he lets it be.
    """

    def ask() -> None:
        node = some_node(run)
        hearable = run.network.carried(node.name, node.peer_name, TIMERS.takeover_s)
        if hearable or not (node.peer.alive and node.peer.standing.open):
            run.ask(node, "failover", accept="yes")
        else:
            run.world.hit["not forced: he looked, and it serves"] += 1

    for after_s in (0.0, 0.5, 1.5, 3.0):
        run.world.after(after_s, ask)


def strictly(run: Scenario) -> None:
    """A person forbids working on one copy for a while; nothing goes on alone then."""
    run.ask(primary(run), "strict", to="on")
    run.world.after(run.world.between(0.5, 4.0), lambda: run.ask(primary(run), "strict", to="off"))


def maintained(run: Scenario) -> None:
    """The standby is worked on for a while: it is not asked to take over."""
    record = run.checks.record
    if record is None:
        return
    node = "b" if record.primary == "a" else "a"
    run.ask(primary(run), "maintenance", node=node, to="on")

    def over() -> None:
        run.ask(primary(run), "maintenance", node=node, to="off")

    run.world.after(run.world.between(0.5, 3.0), over)


def copied_anew(run: Scenario) -> None:
    """An operator has a node's copy thrown away: the standby's, or he names the wrong one."""
    node = some_node(run)
    run.ask(node, "reinit", node=node.name)


def arbiter_confirmed(run: Scenario) -> None:
    """A node is lost for long and the arbiter starts anew, which waits for it: a person, who has
    looked that it is powered off, stands for it. At times the arbiter starts once more after that.
    """
    record = run.checks.record
    if record is None or not record.sync:
        return
    gone = run.nodes[run.world.rng.choice((record.primary, record.sync))]
    left = gone.peer
    run.crash(gone, host=True, down_s=run.world.between(4.0, 8.0))
    run.stop_witness(run.world.between(0.1, 0.4))

    def ask(times: int) -> None:
        if gone.alive or not times:
            return
        run.ask(left, "confirm")
        run.world.after(0.5, ask, times - 1)

    run.world.after(run.world.between(0.5, 1.5), ask, 8)
    if run.world.chance(0.5):
        run.world.after(run.world.between(1.5, 3.5), lambda: run.stop_witness(0.2))


def bootstrapped_again(run: Scenario) -> None:
    """An operator bootstraps a pair that has a record: refused in words."""
    for node in run.nodes.values():
        run.ask(node, "bootstrap")
