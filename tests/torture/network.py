"""The hosts' network: a namespace a host, three bridges in the cage, and rules that cut.

    town   10.77.1.0/24   everybody: nodes a b, witness w, terminals t (office) and s (slow branch)
    cross  10.77.2.0/24   the second link, only between the nodes
    watch  10.77.9.0/24   the rig's own eyes; never cut, and no host has a reason to use it

A cut drops what *arrives*, so it works one way; it is silent, as a pulled cable is. Addresses end
with the host's number everywhere. This file must not know what a host runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from tests.torture.system import attempt, run

NUMBERS: Final = {"a": 1, "b": 2, "w": 3, "t": 11, "s": 12}
WATCHER: Final = 254
NETWORKS: Final = {"town": 1, "cross": 2, "watch": 9}
HOSTS_OF: Final = {"town": tuple(NUMBERS), "cross": ("a", "b"), "watch": ("a", "b", "w", "t", "s")}
SLOW_LINE: Final = "rate 64kbit burst 3000 latency 800ms"
"""A branch's line: 64 kbit/s, two frames at once, no more than 800 ms in its queue."""
BAD_LINE: Final = "rate 300kbit burst 3000 latency 400ms"
"""What a failing switch port leaves of a gigabit."""


def address(host: str, network: str) -> str:
    """Where a host is on a network."""
    return f"10.77.{NETWORKS[network]}.{NUMBERS[host]}"


def inside(host: str, *words: str) -> list[str]:
    """The command that runs ``words`` in a host's network, with the cage's mounts."""
    return ["nsenter", f"--net=/run/netns/{host}", *words]


def build() -> None:
    """Make hosts and networks."""
    for network, number in NETWORKS.items():
        run("ip", "link", "add", network, "type", "bridge")
        run("ip", "link", "set", network, "up")
        if network == "watch":
            run("ip", "addr", "add", f"10.77.{number}.{WATCHER}/24", "dev", network)
    for host in NUMBERS:
        run("ip", "netns", "add", host)
        run("ip", "-n", host, "link", "set", "lo", "up")
    for network, hosts in HOSTS_OF.items():
        for host in hosts:
            _plug(host, network)
    for network in ("town", "cross"):
        for host in HOSTS_OF[network]:
            via = address(host, "watch")
            run("ip", "route", "add", f"{address(host, network)}/32", "via", via)


def branch_line() -> bool:
    """Give the branch its slow line; False if this kernel cannot."""
    return all([_shape("s", "town", SLOW_LINE), _shape_bridge("s", "town", SLOW_LINE)])


def _plug(host: str, network: str) -> None:
    here, there = f"{network}-{host}", network
    run("ip", "link", "add", here, "type", "veth", "peer", "name", there, "netns", host)
    run("ip", "link", "set", here, "master", network)
    run("ip", "link", "set", here, "up")
    run("ip", "-n", host, "addr", "add", f"{address(host, network)}/24", "dev", network)
    run("ip", "-n", host, "link", "set", network, "up")


def _shape(host: str, network: str, line: str) -> bool:
    words = ("tc", "qdisc", "replace", "dev", network, "root", "tbf", *line.split())
    return attempt(*inside(host, *words))


def _shape_bridge(host: str, network: str, line: str) -> bool:
    words = ("tc", "qdisc", "replace", "dev", f"{network}-{host}", "root", "tbf", *line.split())
    return attempt(*words)


def slow_down(host: str, network: str) -> bool:
    """Let a host's line on a network go bad, both ways; False if this kernel cannot."""
    return _shape(host, network, BAD_LINE) and _shape_bridge(host, network, BAD_LINE)


def speed_up(host: str, network: str) -> None:
    """Give a line back its speed."""
    attempt(*inside(host, "tc", "qdisc", "del", "dev", network, "root"))
    attempt("tc", "qdisc", "del", "dev", f"{network}-{host}", "root")


class Way(Struct, frozen=True):
    """One direction of one network between two hosts."""

    network: str
    source: str
    target: str


IPTABLES: Final = ("iptables", "-w", "5")
CUTS: Final = "INPUT"
DETOURS: Final = ("-t", "mangle", "PREROUTING")
"""Before the cuts, and in another chain: what comes back from a detour meets them all the same."""


def _rule(way: Way, share: float) -> Iterator[str]:
    yield from ("-i", way.network, "-s", address(way.source, way.network))
    if share < 1:
        yield from ("-m", "statistic", "--mode", "random", "--probability", f"{share:.2f}")
    yield from ("-j", "DROP")


def cut(way: Way, share: float = 1.0) -> None:
    """Drop (that share of) what the target would receive from the source."""
    run(*inside(way.target, *IPTABLES, "-A", CUTS, *_rule(way, share)))


def mend(way: Way, share: float = 1.0) -> int:
    """Undo a cut of the same words; how many packets it has met."""
    met = _met(way, share)
    run(*inside(way.target, *IPTABLES, "-D", CUTS, *_rule(way, share)))
    return met


def _met(way: Way, share: float) -> int:
    """How many packets the rules of a cut have dropped."""
    source = f"-s {address(way.source, way.network)}/32 -i {way.network} "
    rules = run(*inside(way.target, *IPTABLES, "-v", "-S", CUTS)).splitlines()
    counts = (
        int(rule.partition(" -c ")[2].split()[0])
        for rule in rules
        if source in rule and ("--probability" in rule) == (share < 1)
    )
    return sum(counts)


def detour(way: Way, queue: int) -> None:
    """Send what the target receives from the source through a queue of the kernel."""
    run(*inside(way.target, *_detour("-A", way, queue)))


def straight(way: Way, queue: int) -> None:
    """Undo a detour."""
    run(*inside(way.target, *_detour("-D", way, queue)))


def _detour(order: str, way: Way, queue: int) -> tuple[str, ...]:
    table, mangle, chain = DETOURS
    where = ("-i", way.network, "-s", address(way.source, way.network))
    whither = ("-j", "NFQUEUE", "--queue-num", str(queue))
    return (*IPTABLES, table, mangle, order, chain, *where, *whither)


def mend_all() -> None:
    """Undo every cut and every detour."""
    table, mangle, chain = DETOURS
    for host in NUMBERS:
        run(*inside(host, *IPTABLES, "-F", CUTS))
        run(*inside(host, *IPTABLES, table, mangle, "-F", chain))
