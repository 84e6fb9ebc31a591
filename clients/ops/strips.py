"""The last beats of every link as lines of words with a meaning, for ``monitor`` and ``status``.

Pure. ``|`` on time, ``!`` late, ``.`` missed; behind them how long ago the last one came. It must
not know terminals, nor what silence leads to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from clients.ops.verdict import Links, hears

GOOD, WARN, BAD, DIM, HEAD, PLAIN = "good", "warn", "bad", "dim", "head", ""
Span = tuple[str, str]
"""Words and their meaning."""
Line = list[Span]

STRIP: Final = 60
"""Marks in a line: with its label and age it fits 80 columns."""
LABEL: Final = 11
MARKS: Final = {"|": GOOD, "!": WARN, ".": BAD}


class Hearer(Protocol):
    """A node, as far as it says what it hears."""

    @property
    def node(self) -> str: ...
    @property
    def links(self) -> list[Links]: ...
    @property
    def arbiter(self) -> str: ...
    @property
    def arbiter_beats(self) -> str: ...
    @property
    def arbiter_heard_ms(self) -> int: ...


class Follower(Protocol):
    """A node, as far as it says how far it is behind."""

    @property
    def role(self) -> str: ...
    @property
    def lag_bytes(self) -> int: ...
    @property
    def peer_heard_ms(self) -> int: ...
    @property
    def arbiter_heard_ms(self) -> int: ...


def strips(nodes: Sequence[Hearer]) -> Iterable[Line]:
    """A line for each link of each node, and for what it hears of the arbiter."""
    for one in nodes:
        for number, link in enumerate(one.links, 1):
            trouble = "" if link.open else link.trouble
            yield _strip(f"{one.node} link {number}", link.beats, link.heard_ms, trouble)
        yield _strip(f"{one.node} {one.arbiter}", one.arbiter_beats, one.arbiter_heard_ms, "")


def _strip(label: str, beats: str, heard_ms: int, trouble: str) -> Line:
    line: Line = [(label.ljust(LABEL), DIM)]
    line += [(mark, MARKS.get(mark, PLAIN)) for mark in beats[-STRIP:].rjust(STRIP)]
    line.append((f" {ago(heard_ms)}", PLAIN))
    if trouble:
        line.append((f" {trouble}", BAD))
    return line


def text(line: Line) -> str:
    """A line without its meanings."""
    return "".join(words for words, _ in line).rstrip()


def cut(line: Line, width: int) -> Line:
    """As much of it as fits, an ellipsis where it was more."""
    used = 0
    kept: Line = []
    for words, kind in line:
        room = width - used
        if len(words) > room:
            kept.append((words[: max(0, room - 1)] + ("…" if room > 0 else ""), kind))
            break
        kept.append((words, kind))
        used += len(words)
    return kept


def ago(milliseconds: int) -> str:
    """An age; negative is never."""
    return "never" if milliseconds < 0 else f"{milliseconds / 1000:.1f}s"


def lag(node: Follower) -> str:
    """How far a standby is behind what its primary last said; unknown where it hears nobody."""
    if node.role != "standby":
        return "-"
    told = hears(node.peer_heard_ms) or hears(node.arbiter_heard_ms)
    return _size(node.lag_bytes) if told else "unknown"


def _size(count: int) -> str:
    """Bytes, short."""
    for unit in ("B", "kB", "MB"):
        if count < 1024:
            return f"{count} {unit}"
        count //= 1024
    return f"{count} GB"
