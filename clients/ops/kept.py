"""The checkpoints that were kept outside the database: asked of the witness itself, or read from a
file.

The witness is asked directly, as an operator: what a server says that the witness said would prove
nothing. Where an etcd is the arbiter the nodes are asked for its one line. This file must not know
how a proof is made.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from clients.door import Ended, Exit
from clients.ops.proving import Sealed
from config.settings import ClientSettings
from protocols.checkpoints import in_line

DEADLINE_S: Final = 5.0
NEWEST: Final = 200
EACH: Final = 20
"""Of the newest ones (twice a minute) every so many and the last are compared: one that lies
between two that agree agrees too.
"""


class Kept(Struct, frozen=True):
    """What was kept outside; ``trouble``: why nothing could be asked."""

    sealed: list[Sealed] = []
    trouble: str = ""


class _Said(Struct, frozen=True):
    kept: list[tuple[float, str, str]]


async def kept_outside(settings: ClientSettings) -> Kept:
    """Ask the arbiter for what it keeps; the reactor is running."""
    from twisted.internet import reactor

    from clients.ops.asking import Asking
    from protocols.shell.bridge import to_deferred

    places = [settings.witness] if settings.witness else list(settings.peers)
    if not places:
        return Kept(trouble="the settings name neither a witness nor the nodes' links")
    asking = Asking(reactor, settings.cluster, settings.tls)
    heard = await to_deferred(asking.every(places, "kept", {}, DEADLINE_S))
    troubles = []
    for one in heard:
        if one.answer is not None and one.answer.ok:
            return Kept(_read(one.answer.data, one.address))
        said = one.answer.sentence if one.answer is not None else one.trouble
        troubles.append(f"{one.address}: {said}")
    return Kept(trouble="; ".join(troubles))


def _read(data: str, address: str) -> list[Sealed]:
    lines = msgspec.json.decode(data, type=_Said).kept
    newest = len(lines) - NEWEST
    found = []
    for number, (at_s, by, text) in enumerate(lines):
        if number > newest and (len(lines) - 1 - number) % EACH:
            continue
        try:
            checkpoint = in_line(text)
        except ValueError:
            continue  # not of this daemon: whatever else a node left there
        if checkpoint is not None:
            when = dt.datetime.fromtimestamp(at_s, dt.UTC).isoformat(timespec="seconds")
            since = f" since {when} by {by}" if by else ""
            found.append(Sealed(f"the witness ({address}{since})", checkpoint))
    return found


def in_file(file: Path) -> list[Sealed]:
    """Read checkpoints, one JSON object a line; other lines are not theirs."""
    found = []
    try:
        lines = file.read_bytes().splitlines()
    except OSError as wrong:
        raise Ended(Exit.FAILED, f"{file}: {wrong.strerror}. Nothing was proven.") from None
    for number, line in enumerate(lines, 1):
        try:
            one = in_line(line)
        except ValueError as wrong:
            why = f"{file}, line {number}: {wrong}. Nothing was proven."
            raise Ended(Exit.FAILED, why) from None
        if one is not None:
            found.append(Sealed(f"{file.name}, line {number}", one))
    if not found:
        raise Ended(Exit.FAILED, f"{file} holds no checkpoint. Nothing was proven.")
    return found
