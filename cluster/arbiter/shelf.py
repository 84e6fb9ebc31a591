"""What a witness keeps for others beside its record: a shelf of lines, the newest and the first of
each day.

Whoever can write may add and never take away: what stood here a day ago still does, whatever comes
after it. Invariants: bounded (a node that floods pushes out the last minutes only); a line that
comes too soon after another is refused, the same again changes nothing. The lines are sealed by
whoever wrote them; what they say this file must not know. ``Shelf`` blocks: call it from a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog
from msgspec import Struct

from cluster.durable import NotOursError, read_sealed, write_durably
from cluster.session import Session
from protocols.peer import KeepLine, LineKept

FILE_NAME: Final = "kept.json"
LINE_MAX: Final = 1000
"""Characters of a line: a signed checkpoint has some 350."""
NEWEST: Final = 200
DAYS: Final = 400
"""Together some 200 KB, one answer to an operator; the auditor comes once a year."""
APART_S: Final = 10.0
"""Lines come twice a minute; one node's mistake does not fill the shelf in an hour."""
DAY_S: Final = 86_400


class Line(Struct, frozen=True):
    """A line, by whom it was left, and when it came (Unix seconds of the witness)."""

    at_s: float
    by: str
    text: str


class Lines(Struct, frozen=True, forbid_unknown_fields=True):
    """All of them, the oldest first."""

    lines: tuple[Line, ...] = ()


def judge(kept: Lines, line: Line) -> str:
    """Why this line is not kept, or ''."""
    if len(line.text) > LINE_MAX:
        return f"a line has at most {LINE_MAX} characters"
    last = kept.lines[-1] if kept.lines else None
    if last is not None and 0 <= line.at_s - last.at_s < APART_S:
        return f"another line came within {APART_S:g} s"
    return ""


def with_line(kept: Lines, line: Line) -> Lines:
    """The lines with one more: of the older ones the first of each day stays."""
    lines = (*kept.lines, line)
    older, newest = lines[:-NEWEST], lines[-NEWEST:]
    first: dict[int, Line] = {}
    for one in older:
        first.setdefault(int(one.at_s) // DAY_S, one)
    return Lines((*list(first.values())[-DAYS:], *newest))


class Shelf:
    """The lines in one sealed file of ``folder``. A file that cannot be read is put aside: the
    record matters more than what is kept for others.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self.kept = Lines()
        try:
            content = read_sealed(self._path)
            if content is not None:
                self.kept = msgspec.json.decode(content, type=Lines)
        except (NotOursError, msgspec.MsgspecError) as wrong:
            aside = self._path.with_suffix(".unread")
            self._path.replace(aside)
            structlog.get_logger("witness").warning(
                "what was kept here cannot be read", why=str(wrong), put_aside=str(aside)
            )

    def keep(self, line: Line) -> str:
        """Keep it durably; why it was not, or ''."""
        refusal = judge(self.kept, line)
        if refusal:
            return refusal
        if self.kept.lines and self.kept.lines[-1].text == line.text:
            return ""
        kept = with_line(self.kept, line)
        try:
            write_durably(self._path, msgspec.json.encode(kept))
        except OSError as wrong:
            return f"the witness's disk: {wrong.strerror}"
        self.kept = kept
        return ""


class Shelving:
    """Takes lines from nodes, one after the other, beside the record's own writes: a swap never
    waits for a line. ``wall`` gives Unix seconds.
    """

    def __init__(self, shelf: Shelf, wall: Callable[[], float]) -> None:
        self._shelf = shelf
        self._wall = wall
        self._writing: asyncio.Task[None] | None = None

    def take(self, session: Session, message: KeepLine) -> None:
        """Keep a line and say so; one that comes while another is written is refused."""
        if self._writing is not None and not self._writing.done():
            session.send(LineKept(message.id, "another line is being written"))
        else:
            self._writing = asyncio.ensure_future(self._keep(session, message))

    async def _keep(self, session: Session, message: KeepLine) -> None:
        line = Line(self._wall(), session.who.name, message.text)
        session.send(LineKept(message.id, await asyncio.to_thread(self._shelf.keep, line)))

    async def kept(self) -> dict[str, Any]:
        """The answer to an operator's ``kept``."""
        return {"kept": [[one.at_s, one.by, one.text] for one in self._shelf.kept.lines]}

    async def stop(self) -> None:
        """What is being written is finished."""
        if self._writing is not None:
            await asyncio.wait({self._writing})
