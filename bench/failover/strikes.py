"""The strikes: what exactly is done to a pair under work, the same on every system.

``killed``      SIGKILL of the primary's postmaster; its supervising daemon sees it die.
``daemon``      SIGKILL of every process that supervises the primary's PostgreSQL, which goes on.
``silent``      the primary's cable is pulled: no packet, no FIN, no RST reaches anybody.
``frozen``      SIGSTOP of the primary's postmaster and all its processes, as a hung disk leaves
                them: connections stand, nothing answers, the daemon lives. (With the postmaster
                alone stopped nobody who works would notice.)
``link_cut``    the two servers do not reach each other; both reach who decides and who writes.
``switchover``  the system's own command orders it; nothing is broken.

Each gives what undoes it. This file must not know any system, nor how a gap is measured.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from signal import SIGCONT, SIGKILL, SIGSTOP
from typing import Final

from bench.failover.ground import Ground
from bench.failover.system import SERVERS, System
from bench.pair import family, send

Undo = Callable[[], None]
Strike = Callable[[System, Ground, str], Undo]


def killed(system: System, ground: Ground, primary: str) -> Undo:
    """The database dies, the daemon lives and brings it back by itself."""
    del ground
    os.kill(system.postmaster(primary), SIGKILL)
    return _nothing


def daemon(system: System, ground: Ground, primary: str) -> Undo:
    """The daemon dies, the database lives; it is started again after the gap."""
    del ground
    send(system.daemons(primary), SIGKILL)
    return lambda: system.revive(primary)


def silent(system: System, ground: Ground, primary: str) -> Undo:
    """Nothing is heard of the node any more."""
    del system
    ground.pull(primary)
    return lambda: ground.plug(primary)


def frozen(system: System, ground: Ground, primary: str) -> Undo:
    """The database hangs."""
    del ground
    members = family(system.postmaster(primary))
    send(members, SIGSTOP)
    return lambda: send(members[::-1], SIGCONT)


def link_cut(system: System, ground: Ground, primary: str) -> Undo:
    """The nodes lose each other."""
    del system, primary
    ground.cut(*SERVERS)
    return lambda: ground.mend(*SERVERS)


def switchover(system: System, ground: Ground, primary: str) -> Undo:
    """An operator hands over."""
    del ground
    system.hand_over(primary)
    return _nothing


def _nothing() -> None:
    """What comes back by itself."""


STRIKES: Final[dict[str, Strike]] = {
    "killed": killed,
    "daemon": daemon,
    "silent": silent,
    "frozen": frozen,
    "link_cut": link_cut,
    "switchover": switchover,
}
PULLS_CABLES: Final = frozenset({"silent", "link_cut"})
"""Only in network namespaces."""
SHOWS_LATER_S: Final = {"daemon": 45.0}
"""A strike that writers at the old primary need not feel until its supervisor's word has run out:
how long they are watched (Patroni's key lives for 30 s and is looked at every 10 s).
"""
