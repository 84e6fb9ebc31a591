"""The alarms of one term: what a business raised ends with it.

Whoever is primary next raises its own; a node that is no longer primary shows none of what it can
no longer see. This file must not know what an alarm is about.
"""

from __future__ import annotations

from collections.abc import Callable

Alarm = Callable[[str, str], None]
"""Takes an alarm's name and its text; '' ends it."""


class TermAlarms:
    """Passes alarms on to ``alarm`` until they are ended together."""

    def __init__(self, alarm: Alarm) -> None:
        self._alarm = alarm
        self._raised: set[str] = set()

    def tell(self, kind: str, text: str) -> None:
        """Raise an alarm, or end it by an empty text."""
        (self._raised.add if text else self._raised.discard)(kind)
        self._alarm(kind, text)

    def end(self) -> None:
        """End those that stand."""
        for kind in sorted(self._raised):
            self.tell(kind, "")
