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


def build() -> bool:
    """Make hosts and networks; say whether slow lines can be had here."""
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


def _rule(network: str, source: str, target: str, share: float) -> Iterator[str]:
    yield from ("-i", network, "-s", address(source, network))
    if share < 1:
        yield from ("-m", "statistic", "--mode", "random", "--probability", f"{share:.2f}")
    yield from ("-j", "DROP")


def cut(network: str, source: str, target: str, share: float = 1.0) -> None:
    """Drop (that share of) what ``target`` would receive from ``source`` on a network."""
    words = ("iptables", "-w", "5", "-A", "INPUT", *_rule(network, source, target, share))
    run(*inside(target, *words))


def mend(network: str, source: str, target: str, share: float = 1.0) -> None:
    """Undo a cut of the same words."""
    words = ("iptables", "-w", "5", "-D", "INPUT", *_rule(network, source, target, share))
    run(*inside(target, *words))


def mend_all() -> None:
    """Undo every cut."""
    for host in NUMBERS:
        run(*inside(host, "iptables", "-w", "5", "-F", "INPUT"))
