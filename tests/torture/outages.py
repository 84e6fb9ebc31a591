"""Faults of disks and of power, and the witness with an old record.

A host whose filesystem broke, or whose power was lost, comes back by a boot: everything on it is
killed, the disk is checked and mounted, the supervisor starts the service. The boots are done when
the fault ends; two faults that broke the same host boot it twice.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import Final

from tests.torture.host import Host
from tests.torture.place import Place
from tests.torture.plan import Fault
from tests.torture.struck import Missed, Struck
from tests.torture.system import RigError

REFILL_S: Final = 0.5
RECORD: Final = "record.json"


def disk_full(place: Place, fault: Fault) -> Struck:
    """No space is left, and what becomes free is taken at once."""
    disk = place.host(fault.whom).disk
    if disk.frozen:
        raise Missed("the disk hangs already")
    disk.fill()
    last = [time.monotonic()]

    def tick() -> None:
        if time.monotonic() - last[0] > REFILL_S and not disk.frozen:
            disk.fill()
            last[0] = time.monotonic()

    return Struck(disk.empty, tick)


def disk_hung(place: Place, fault: Fault) -> Struck:
    """Every write waits."""
    disk = place.host(fault.whom).disk
    try:
        disk.freeze()
    except OSError as wrong:
        raise Missed(f"the disk cannot be frozen ({wrong.strerror})") from wrong
    return Struck(disk.thaw)


def disk_broken(place: Place, fault: Fault) -> Struck:
    """The filesystem turns read-only under everybody's feet."""
    host = place.host(fault.whom)
    if host.disk.frozen or host.held:
        raise Missed("the disk hangs, or the host is down")
    host.disk.break_down()

    def boot() -> None:
        host.hold()
        host.disk.thaw()
        host.power_on()
        host.let_go()

    return Struck(boot)


def power_loss(place: Place, fault: Fault) -> Struck:
    """One host."""
    return _without_power([place.host(fault.whom)])


def blackout(place: Place, fault: Fault) -> Struck:
    """Both nodes and the witness; the power comes back in an order of its own."""
    hosts = list(place.hosts.values())
    turn = fault.dice % len(hosts)
    return _without_power([*hosts[turn:], *hosts[:turn]])


def _without_power(hosts: list[Host]) -> Struck:
    for host in hosts:
        host.hold()
        host.lose_power()

    def boot() -> None:
        for host in hosts:
            host.power_on()
            host.let_go()

    return Struck(boot)


def keep_record(place: Place) -> None:
    """Keep a copy of the witness's record as it is now, to roll back to later."""
    true = place.hosts["w"].disk.at / "data" / RECORD
    kept = _old_records(place)
    if true.exists() and (not kept or _epoch(kept[-1]) != _epoch(true)):
        shutil.copy2(true, place.board.home / f"record-{len(kept):04}.old")


def rolled_back(place: Place, fault: Fault) -> Struck:
    """The witness starts with an old record: it must store nothing, and is believed again only with
    the true one.
    """
    host = place.hosts["w"]
    if host.disk.frozen or host.held:
        raise Missed("the witness is down already")
    true = host.disk.at / "data" / RECORD
    olds = [one for one in _old_records(place) if _epoch(one) < _epoch(true)]
    if not olds:
        raise Missed("there is no older record")
    kept, laid = true.with_name("record.true"), true.with_name("record.laid")
    old = olds[fault.dice % len(olds)]
    shutil.copy2(old, laid)  # on a full disk this fails, before anything is touched
    host.hold()
    host.kill_all()
    true.rename(kept)
    laid.rename(true)
    _sync(true)
    host.let_go()

    def end() -> None:
        host.hold()
        host.disk.thaw()
        host.kill_all()
        stored = 0
        if kept.exists():
            stored = _epoch(true) - _epoch(old)
            kept.rename(true)
            _sync(true)
        host.let_go()
        if stored:
            raise RigError(f"A rolled-back witness stored {stored} more records.")

    return Struck(end, told=lambda: f"to epoch {_epoch(old)}")


def _old_records(place: Place) -> list[Path]:
    return sorted(place.board.home.glob("record-*.old"))


def _epoch(record: Path) -> int:
    found = json.loads(record.read_bytes().partition(b"\n")[2])["kept"]["record"]
    return int(found["epoch"]) if found else 0


def _sync(path: Path) -> None:
    for one in (path, path.parent):
        file = os.open(one, os.O_RDONLY)
        os.fsync(file)
        os.close(file)
