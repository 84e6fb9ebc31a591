"""Freezing with a note of whom to thaw, and healing: the strokes that change which processes the
demo has.

A second shell does this while the demo's owner goes on; the state file is how the owner learns of
it.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from clients.demo import running, strokes
from clients.demo.running import Running
from clients.demo.stage import launch


def freeze(found: Running, name: str) -> None:
    """Stop the clock of a service's whole family and note its members."""
    members = strokes.freeze(found.services[name])
    noted = {**found.frozen, name: [*found.frozen.get(name, []), *members]}
    running.keep(msgspec.structs.replace(found, frozen=noted))


def heal(found: Running, name: str) -> bool:
    """Thaw a frozen service, start a dead one; False if nothing was wrong with it."""
    now = running.find() or found
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
