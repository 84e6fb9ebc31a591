"""What happened to this node and why: the last lines of history, and the alarms that stand.

Every line goes to the log at once and stays here for ``mpower cluster status``. Times: wall time
for people to compare machines, and monotonic seconds so that a clock step cannot bend a gap. It
must not know what anything means.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Final

import structlog
from msgspec import Struct

MAX_LINES: Final = 200
"""Some takeovers' worth; the whole is in the log. Bounded so that a status answer fits a frame."""
MAX_TEXT: Final = 400


class Line(Struct, frozen=True):
    """One line: when (Unix seconds, and monotonic seconds), in which state and epoch, and the
    sentence.
    """

    wall_s: float
    at_s: float
    state: str
    epoch: int
    text: str


class Chronicle:
    """Keeps the lines. ``wall`` is for people, ``clock`` for gaps."""

    def __init__(self, node: str, wall: Callable[[], float], clock: Callable[[], float]) -> None:
        self._log: Any = structlog.get_logger("cluster").bind(node=node)
        self.wall = wall
        self._clock = clock
        self.lines: deque[Line] = deque(maxlen=MAX_LINES)
        self.alarms: dict[str, str] = {}
        self.on_alarm: Callable[[str, str], None] = _nobody_listens
        """Told of every alarm begun or ended (no text); it must not raise."""

    def note(self, text: str, state: str = "", epoch: int = 0) -> None:
        """Write one line of history."""
        line = Line(self.wall(), self._clock(), state, epoch, text[:MAX_TEXT])
        self.lines.append(line)
        self._log.info("note", state=state, epoch=epoch, text=line.text)

    def alarm(self, kind: str, text: str) -> None:
        """Raise an alarm, or end it by an empty text; the same again says nothing new."""
        if text == self.alarms.get(kind, ""):
            return
        if text:
            self.alarms[kind] = text[:MAX_TEXT]
            self._log.warning("alarm", kind=kind, text=text)
        else:
            del self.alarms[kind]
            self._log.info("alarm ended", kind=kind)
        self.on_alarm(kind, self.alarms.get(kind, ""))

    def fault(self, fault_id: str, where: str, wrong: BaseException) -> None:
        """Log what must not happen, with the id a person can quote."""
        text = f"FAULT {fault_id} in {where}: {type(wrong).__name__}: {wrong}"
        self.note(text, "FAULT")
        self._log.error("fault", id=fault_id, where=where, exc_info=wrong)


def _nobody_listens(_kind: str, _text: str) -> None:
    """Before somebody watches."""
