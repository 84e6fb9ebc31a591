"""Freezing with a note of whom to thaw, and healing: the strokes that change which processes the
demo has.

A second shell does this while the demo's owner goes on; the state file is how the owner learns of
it.
"""

from __future__ import annotations

import shutil
import signal
import time
from pathlib import Path
from typing import Final

import msgspec

from clients.demo import running, strokes, wires
from clients.demo.running import Running
from clients.demo.stage import launch

CLEAR_S: Final = 5.0


def freeze(found: Running, name: str) -> bool:
    """Stop the clock of a service's whole family and note its members; False if it stands still."""
    if name in found.frozen:
        return False
    members = strokes.freeze(found.services[name])
    noted = {**found.frozen, name: [*found.frozen.get(name, []), *members]}
    note(msgspec.structs.replace(found, frozen=noted), name)
    return True


def note(found: Running, name: str) -> None:
    """Note when a service was struck: its failover is counted from there."""
    running.keep(msgspec.structs.replace(found, struck={**found.struck, name: time.time()}))


def clear(found: Running) -> int:
    """End what a demo left behind whose owner was killed; how many processes there were."""
    members = running.leftovers(found)
    for one in members:
        one.send(signal.SIGKILL)
        one.send(signal.SIGCONT)
    strokes.gone(members, CLEAR_S)
    running.forget(Path(found.home))
    shutil.rmtree(found.home, ignore_errors=True)
    return len(members)


def partition(found: Running, name: str) -> bool:
    """Cut a service off from all others, or (``links``) the two nodes from each other; False if it
    is cut already.
    """
    home = Path(found.home)
    cuts = wires.cuts_of(home)
    if name in cuts:
        return False
    wires.cut(home, {*cuts, name})
    note(found, name)
    return True


def heal(found: Running, name: str) -> bool:
    """Join what is cut off, thaw what is frozen, start what is dead; False if nothing was wrong."""
    cuts = wires.cuts_of(Path(found.home))
    wires.cut(Path(found.home), cuts - {name})
    return _revived(found, name) or name in cuts


def _revived(found: Running, name: str) -> bool:
    now = running.find() or found
    if name not in now.services:
        return False
    members = now.frozen.get(name, [])
    if members:
        strokes.thaw(members)
        left = {who: them for who, them in now.frozen.items() if who != name}
        now = msgspec.structs.replace(now, frozen=left)
    dead = not now.services[name].alive()
    if dead:
        started = running.process(launch(Path(now.home), name).pid)
        assert started is not None
        now = msgspec.structs.replace(now, services={**now.services, name: started})
    running.keep(now)
    return bool(members) or dead
