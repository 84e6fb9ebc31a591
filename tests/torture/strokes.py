"""How each kind of fault is done, and undone: ``STROKES[kind](place, fault)`` gives a Struck.

A stroke begins at once, keeps itself up by ``tick`` and ends by ``end``; both may be called in any
order with other faults of the same host. A stroke that finds nothing to strike (the postmaster is
already dead) raises Missed: it is not counted as hit. Process and host strokes are here; links,
disks, clocks and operators in ``cuts``, ``outages``, ``deceits`` and ``verbs``.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import psycopg

from tests.torture import cuts, deceits, outages, verbs
from tests.torture.place import Place
from tests.torture.plan import Fault
from tests.torture.struck import Missed, Struck

Stroke = Callable[[Place, Fault], Struck]
CANCEL_EVERY_S: Final = 0.02
WAITING: Final = """
    SELECT pg_cancel_backend(pid) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
        AND (wait_event = 'SyncRep' OR state = 'active' AND query ILIKE 'commit%')
"""


def kill_daemon(place: Place, fault: Fault) -> Struck:
    """The service alone dies."""
    host = place.host(fault.whom)
    host.hold()
    if not host.strike(signal.SIGKILL, host.daemon()):
        host.let_go()
        raise Missed(f"nothing runs on {host.name}")
    return Struck(host.let_go)


def kill_postmaster(place: Place, fault: Fault) -> Struck:
    """The database dies, the service lives."""
    host = place.host(fault.whom)
    if not host.strike(signal.SIGKILL, host.postmaster()):
        raise Missed(f"no postmaster on {host.name}")
    return Struck()


def kill_backend(place: Place, fault: Fault) -> Struck:
    """One process of the database dies."""
    host = place.host(fault.whom)
    found = host.called("postgres:")
    if not found or not host.strike(signal.SIGKILL, [found[fault.dice % len(found)]]):
        raise Missed(f"no process of PostgreSQL on {host.name}")
    return Struck()


def kill_host(place: Place, fault: Fault) -> Struck:
    """Everything on a host dies, its disk lives."""
    host = place.host(fault.whom)
    host.hold()
    if not host.strike(signal.SIGKILL, host.members()):
        host.let_go()
        raise Missed(f"nothing runs on {host.name}")
    return Struck(host.let_go)


def stop_service(place: Place, fault: Fault) -> Struck:
    """The service is asked to stop."""
    host = place.host(fault.whom)
    host.hold()
    if not host.strike(signal.SIGTERM, host.daemon()):
        host.let_go()
        raise Missed(f"nothing runs on {host.name}")
    return Struck(host.let_go)


def restart_storm(place: Place, fault: Fault) -> Struck:
    """The service is killed whenever it has lived a moment; each life is a bit longer."""
    host = place.host(fault.whom)
    lives = [0, time.monotonic()]

    def tick() -> None:
        age_s = 0.3 + 0.2 * ((fault.dice + int(lives[0])) % 8)
        if host.daemon() and time.monotonic() - lives[1] > age_s:
            host.strike(signal.SIGKILL, host.daemon())
            lives[:] = [lives[0] + 1, time.monotonic()]

    return Struck(tick=tick, told=lambda: f"killed {lives[0]:.0f} times", hit=lambda: lives[0] > 1)


def freeze_daemon(place: Place, fault: Fault) -> Struck:
    """The service stands still, its database goes on."""
    host = place.host(fault.whom)
    frozen = host.strike(signal.SIGSTOP, host.daemon())
    if not frozen:
        raise Missed(f"nothing runs on {host.name}")
    return Struck(lambda: host.strike(signal.SIGCONT, frozen))


def freeze_process(place: Place, fault: Fault) -> Struck:
    """One process of the database stands still; those that replicate and write are drawn first."""
    host = place.host(fault.whom)
    found = host.called("walsender", "walreceiver", "checkpointer", "walwriter", "startup")
    found = [*found, *host.postmaster()]
    if not found:
        raise Missed(f"no process of PostgreSQL on {host.name}")
    frozen = host.strike(signal.SIGSTOP, [found[fault.dice % len(found)]])
    return Struck(lambda: host.strike(signal.SIGCONT, frozen))


def freeze_host(place: Place, fault: Fault) -> Struck:
    """Every process of the host stands still."""
    host = place.host(fault.whom)
    frozen = host.strike(signal.SIGSTOP, host.members())
    if not frozen:
        raise Missed(f"nothing runs on {host.name}")
    return Struck(lambda: host.strike(signal.SIGCONT, frozen[::-1]))


def cancelled_commits(place: Place, fault: Fault) -> Struck:
    """The machine's own superuser cancels commits that wait for the standby."""
    socket = place.board.socket(place.watch.who(fault.whom))
    hits, over = [0], threading.Event()

    def work() -> None:
        while not over.wait(CANCEL_EVERY_S):
            with suppress(psycopg.Error), _superuser(socket) as base:
                while not over.wait(CANCEL_EVERY_S):
                    hits[0] += sum(bool(row[0]) for row in base.execute(WAITING).fetchall())

    threading.Thread(target=work, daemon=True).start()
    return Struck(over.set, told=lambda: f"{hits[0]} commits cancelled", hit=lambda: hits[0] > 0)


def _superuser(socket: Path) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        host=str(socket), user="postgres", dbname="mpower", autocommit=True, connect_timeout=2
    )


def terminals_killed(place: Place, fault: Fault) -> Struck:
    """The counters' programs die with what they had not been answered."""
    office = place.watch.who(fault.whom)
    place.crowd.kill(office)
    return Struck(lambda: place.crowd.start(office))


STROKES: Final[dict[str, Stroke]] = {
    "kill-daemon": kill_daemon,
    "kill-postmaster": kill_postmaster,
    "kill-backend": kill_backend,
    "kill-host": kill_host,
    "stop-service": stop_service,
    "restart-storm": restart_storm,
    "freeze-daemon": freeze_daemon,
    "freeze-process": freeze_process,
    "freeze-host": freeze_host,
    "cut-one-way": cuts.link,
    "cut-link": cuts.link,
    "cut-host": cuts.host,
    "flap": cuts.flap,
    "loss": cuts.loss,
    "delay": cuts.delay,
    "slow-link": cuts.slow,
    "disk-full": outages.disk_full,
    "disk-hung": outages.disk_hung,
    "disk-slow": deceits.late,
    "disk-failing": deceits.failing,
    "clock-jump": deceits.clock,
    "disk-broken": outages.disk_broken,
    "power-loss": outages.power_loss,
    "blackout": outages.blackout,
    "witness-killed": kill_daemon,
    "witness-frozen": freeze_host,
    "witness-power-loss": outages.power_loss,
    "witness-rolled-back": outages.rolled_back,
    "cancelled-commits": cancelled_commits,
    "switchover": verbs.switchover,
    "handover": verbs.handover,
    "pause": verbs.pause,
    "terminals-killed": terminals_killed,
}
