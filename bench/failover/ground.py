"""Where a cluster stands: four hosts ``a``, ``b`` (servers), ``w`` (who decides), ``t`` (who
writes).

As root each host is a network namespace with its own address, all on one bridge in a fifth: a cable
can be pulled so that no FIN and no RST reaches anybody. Without that right the hosts are addresses
of the loopback, and cables cannot be pulled. Every system of a comparison stands on the same
ground. Only namespaces of this rig are touched: leaving removes them, and the next start those of
a rig that was killed. This file must not know what runs there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from cluster.postgres.account import choose_account

HOSTS: Final = ("a", "b", "w", "t")
BRIDGE: Final = "mp-bench"
NOBODY_MAC: Final = "02:00:00:00:00:01"
"""No host has it: what is sent there reaches nobody, and the sender's kernel hears of no error."""
STEM: Final = "mpbench"
"""Before the pid of whoever made a namespace."""
SPACES: Final = Path("/run/netns")
FIRST: Final = 11
"""The last number of the first host's address."""


class Ground:
    """The loopback: hosts are addresses of it, and nothing can be cut."""

    pulls_cables = False
    network = "127.0.0"

    def address(self, host: str) -> str:
        """Give a host's address."""
        return f"{self.network}.{FIRST + HOSTS.index(host)}"

    def enter(self, host: str) -> list[str]:
        """Give the words before a command that make it run on that host."""
        del host
        return []

    def pull(self, host: str) -> None:
        """Pull a host's cable: no packet leaves or reaches it any more."""
        raise NotImplementedError(f"the loopback cannot be pulled from {host}")

    def plug(self, host: str) -> None:
        """Plug it in again."""

    def cut(self, one: str, other: str) -> None:
        """Cut the two off from each other; everybody else still reaches both."""
        raise NotImplementedError(f"the loopback cannot be cut between {one} and {other}")

    def mend(self, one: str, other: str) -> None:
        """Undo a cut."""


class Lan(Ground):
    """Network namespaces on a bridge; needs root and the right to make them."""

    pulls_cables = True
    network = "10.97.0"

    def __init__(self) -> None:
        self._stem = f"{STEM}{os.getpid()}"

    def make(self) -> None:
        """Make bridge, hosts and cables. CalledProcessError: not allowed here."""
        for name in ("lan", *HOSTS):
            _ip("netns", "add", self._space(name))
        lan = self._space("lan")
        _ip("-n", lan, "link", "add", BRIDGE, "type", "bridge")
        _ip("-n", lan, "link", "set", BRIDGE, "up")
        for host in HOSTS:
            space = self._space(host)
            ends = ("add", f"to-{host}", "type", "veth", "peer", "name", "eth0", "netns", space)
            _ip("-n", lan, "link", *ends)
            _ip("-n", lan, "link", "set", f"to-{host}", "master", BRIDGE, "up")
            _ip("-n", space, "address", "add", f"{self.address(host)}/24", "dev", "eth0")
            for device in ("lo", "eth0"):
                _ip("-n", space, "link", "set", device, "up")

    def remove(self) -> None:
        """Remove what was made."""
        for name in (*HOSTS, "lan"):
            with suppress(OSError, subprocess.CalledProcessError):
                _ip("netns", "delete", self._space(name))

    def enter(self, host: str) -> list[str]:
        """Give the words before a command that make it run on that host, in the same process."""
        return ["nsenter", f"--net=/run/netns/{self._space(host)}", "--"]

    def pull(self, host: str) -> None:
        """Take the host's cable out of the bridge."""
        _ip("-n", self._space("lan"), "link", "set", f"to-{host}", "nomaster")

    def plug(self, host: str) -> None:
        """Put it back."""
        _ip("-n", self._space("lan"), "link", "set", f"to-{host}", "master", BRIDGE)

    def cut(self, one: str, other: str) -> None:
        """Let both send what is for the other to nobody."""
        for here, there in ((one, other), (other, one)):
            self._neighbour("replace", here, there, "lladdr", NOBODY_MAC, "nud", "permanent")

    def mend(self, one: str, other: str) -> None:
        """Let both find each other again."""
        for here, there in ((one, other), (other, one)):
            self._neighbour("delete", here, there)

    def _neighbour(self, verb: str, here: str, there: str, *more: str) -> None:
        _ip("-n", self._space(here), "neigh", verb, self.address(there), "dev", "eth0", *more)

    def _space(self, host: str) -> str:
        return f"{self._stem}-{host}"


def _ip(*words: str) -> None:
    ip = shutil.which("ip", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if ip is None:
        raise FileNotFoundError("the command ip is not installed")
    subprocess.run([ip, *words], check=True, capture_output=True, text=True)


def orphans(names: Iterable[str], lives: Callable[[int], bool]) -> list[str]:
    """Name the namespaces of rigs that are not there any more: killed, they removed nothing."""
    found = []
    for name in names:
        pid = name.removeprefix(STEM).partition("-")[0]
        if name.startswith(STEM) and pid.isdecimal() and not lives(int(pid)):
            found.append(name)
    return sorted(found)


def _sweep() -> None:
    names = [one.name for one in SPACES.iterdir()] if SPACES.is_dir() else []
    for name in orphans(names, lambda pid: Path(f"/proc/{pid}").exists()):
        with suppress(OSError, subprocess.CalledProcessError):
            _ip("netns", "delete", name)


@contextmanager
def ground() -> Iterator[Ground]:
    """Give the best ground this process may make, until the context ends."""
    lan = Lan()
    try:
        made = os.geteuid() == 0 and _made(lan)
        yield lan if made else Ground()
    finally:
        if os.geteuid() == 0:
            lan.remove()


def _made(lan: Lan) -> bool:
    try:
        _sweep()
        lan.make()
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def as_postgres() -> list[str]:
    """Give the words that make root's command the account's that runs PostgreSQL; none for anybody
    else.
    """
    account = choose_account(None)
    if not account.switches:
        return []
    ids = [str(account.uid), "--regid", str(account.gid)]
    return ["setpriv", "--reuid", *ids, "--clear-groups", "--"]


def give(path: Path) -> None:
    """Make a folder of root's the account's that runs PostgreSQL."""
    account = choose_account(None)
    if account.switches:
        os.chown(path, account.uid, account.gid)
