"""Reads the traces that acts beside the rooms leave on this node: its history of the record, its
papers, its settings.

Blocking reads happen in a thread, and what has not changed is not read again. A trace that cannot
be read now is found later: nothing is told that is not there. This file must not know who enters
it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mpowerd.audit.happened import Happened
from mpowerd.audit.traces import of_papers, of_record, of_settings
from protocols.annals import Entry


class Traces:
    """``history`` gives what this node knows of the record's changes (blocking); ``trusted`` and
    ``revoked`` are the files it lets machines in by; ``settings`` those that ``node`` runs by.
    """

    def __init__(
        self,
        node: str,
        history: Callable[[], list[Entry]],
        trusted: Path,
        revoked: Path | None,
        settings: Mapping[str, Any],
    ) -> None:
        self._history, self._files = history, (trusted, revoked)
        self._settings = of_settings(node, settings)
        self._read: tuple[list[Entry], tuple[bytes, ...]] | None = None
        self._found: Sequence[Happened] = ()

    async def __call__(self) -> Sequence[Happened]:
        """Give all that happened, the oldest first; the same list if nothing did since."""
        return await asyncio.to_thread(self._look)

    def _look(self) -> Sequence[Happened]:
        read = (self._history(), tuple(_content(file) for file in self._files))
        if read != self._read:
            entries, papers = read
            self._found = [*of_record(entries), *of_papers(*papers), self._settings]
            self._read = read
        return self._found


def _content(file: Path | None) -> bytes:
    try:
        return file.read_bytes() if file is not None else b""
    except OSError:
        return b""
