"""What people do: operators' verbs, terminals that repeat themselves, or are copied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulation.faults.machines import primary, some_node
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


def bootstrapped_again(run: Scenario) -> None:
    """An operator bootstraps a pair that has a record: refused in words."""
    for node in run.nodes.values():
        run.ask(node, "bootstrap")
