"""Lines that are cut one way, both ways, alone or together, for a while or again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulation.scenario import Scenario


def links_cut(run: Scenario) -> None:
    """The nodes do not hear each other; both see the arbiter."""
    for_s = run.world.between(0.5, 6.0)
    for line in (("a", "b", 0), ("b", "a", 0), ("a", "b", 1), ("b", "a", 1)):
        run.network.cut(line, for_s)


def one_link_cut(run: Scenario) -> None:
    """One of the two links between the nodes; replication runs over the first."""
    number = run.world.rng.randrange(2)
    for_s = run.world.between(0.5, 8.0)
    run.network.cut(("a", "b", number), for_s)
    run.network.cut(("b", "a", number), for_s)


def one_way_cut(run: Scenario) -> None:
    """One direction of some lines."""
    one, two = run.world.rng.choice((("a", "b"), ("b", "a")))
    for_s = run.world.between(0.5, 6.0)
    run.network.cut((one, two, 0), for_s)
    run.network.cut((one, two, 1), for_s)
    if run.world.chance(0.5):
        run.network.cut((one, "w", 0), for_s)


def node_cut_off(run: Scenario) -> None:
    """One node hears nobody; half of the time its terminals still reach it."""
    one = run.world.rng.choice("ab")
    two = "b" if one == "a" else "a"
    for_s = run.world.between(0.5, 9.0)
    terminals = (("t", 0),) if run.world.chance(0.5) else ()
    for other, number in ((two, 0), (two, 1), ("w", 0), *terminals):
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


def swaps_late(run: Scenario) -> None:
    """Compare-and-swaps, and nothing else, take seconds on their way."""
    run.network.swaps_late = True
    run.world.after(run.world.between(2.0, 8.0), setattr, run.network, "swaps_late", False)
