"""The history of the cluster on this node's disk: every change of the record that it learnt of.

One file beside the keepsake, one line a change, appended and fsynced after the record itself is
kept, so that no takeover waits for it; a crash in between costs nothing, for the kept record is
entered again at the next start. It is here and not in the arbiter's record, which must stay one
small message, nor in the database, which is down when people ask. Both nodes keep it: the loss of
one costs nothing that the other has read. Blocking: use it from threads. It decides nothing: a line
that cannot be read is passed over.
"""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import Final

import msgspec

from cluster.durable import append_durably, replace_durably
from protocols.annals import ROUTINE, Entry, entry_of, merged
from protocols.peer import Record

FILE_NAME: Final = "annals.jsonl"
MAX_LINES: Final = 4000
"""At some 250 bytes a line 1 MB: a takeover makes two lines, a planned one three, and what repeats
gives way first.
"""
KEPT_LINES: Final = 3000
"""What a full file is thinned to: so it is rewritten once in a thousand lines, not with each."""
KEPT_ROUTINE: Final = 500
TOLD: Final = 300
"""Lines in one answer: at their longest, 700 bytes, still less than one message may hold."""

CHAPTER: Final = 100
"""Entries told to the peer when a link comes up: 25 KB, which no beat waits long for."""


class Annals:
    """The file in the node's folder; two writers at once write one after the other."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._writing = threading.Lock()
        self._entries: list[Entry] | None = None
        self._torn = False

    def begin(self, kept: Record | None) -> None:
        """Enter what was kept and perhaps not entered before the process ended; a disk that takes
        no writes now is no reason not to start.
        """
        with contextlib.suppress(OSError):
            if kept is not None:
                self.add(kept)

    def add(self, record: Record) -> None:
        """Enter this record durably, once. OSError: it is told of, and written with the next."""
        with self._writing:
            entries = self._read()
            entry = entry_of(record)
            if any(one.place == entry.place for one in entries):
                return
            entries.append(entry)
            if len(entries) > MAX_LINES or self._torn:
                self._rewrite(_thinned(entries) if len(entries) > MAX_LINES else entries)
                return
            self._torn = True
            append_durably(self._path, _line(entry))
            self._torn = False

    def learn(self, told: list[Entry]) -> None:
        """Enter durably what another node kept and this one did not, each in its place. OSError."""
        with self._writing:
            known = self._read()
            places = {one.place for one in known}
            if any(one.place not in places for one in told):
                entries = merged(told, known)
                self._rewrite(_thinned(entries) if len(entries) > MAX_LINES else entries)

    def kept(self) -> list[Entry]:
        """Everything, the oldest first."""
        with self._writing:
            return list(self._read())

    def told(self) -> list[Entry]:
        """The newest entries, for an answer: what repeats gives way to what does not."""
        with self._writing:
            return _thinned(self._read(), TOLD, TOLD // 5)

    def chapter(self) -> list[Entry]:
        """The newest of what does not repeat, for the other node."""
        with self._writing:
            return [one for one in self._read() if one.kind not in ROUTINE][-CHAPTER:]

    def _read(self) -> list[Entry]:
        if self._entries is None:
            try:
                lines = self._path.read_bytes().splitlines(keepends=True)
            except FileNotFoundError:
                lines = []
            self._entries = [one for line in lines if (one := _entry(line)) is not None]
            self._torn = len(self._entries) != len(lines)
        return self._entries

    def _rewrite(self, entries: list[Entry]) -> None:
        self._torn = True
        replace_durably(self._path, b"".join(_line(one) for one in entries))
        self._entries, self._torn = entries, False


def _thinned(
    entries: list[Entry], lines: int = KEPT_LINES, routine: int = KEPT_ROUTINE
) -> list[Entry]:
    """The newest ``lines``; of what repeats at most the newest ``routine``."""
    if len(entries) <= lines:
        return entries
    repeats = [one for one in entries if one.kind in ROUTINE]
    dropped = {one.place for one in repeats[: max(0, len(repeats) - routine)]}
    return [one for one in entries if one.place not in dropped][-lines:]


def _line(entry: Entry) -> bytes:
    return msgspec.json.encode(entry) + b"\n"


def _entry(line: bytes) -> Entry | None:
    """The entry of a whole line; None for one that a power cut tore."""
    try:
        return msgspec.json.decode(line, type=Entry) if line.endswith(b"\n") else None
    except msgspec.MsgspecError:
        return None
