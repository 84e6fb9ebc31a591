"""Tells everybody who watches this node what happened: the ops port, the operator's programs.

Invariant: who listens can neither stop nor delay the node: a listener that raises is logged and
hears the next one, and nothing is waited for. It must not know who listens nor what a happening
means.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from cluster.happening import Happening, alarmed, between
from cluster.standing import Standing

Listener = Callable[[Happening], None]


class Herald:
    """``stood`` takes every standing, ``alarm`` every alarm begun or ended (no text)."""

    def __init__(self, standing: Standing) -> None:
        self.standing = standing
        self.listeners: list[Listener] = []

    def stood(self, standing: Standing) -> None:
        """A new standing was published."""
        before, self.standing = self.standing, standing
        for one in between(before, standing):
            self._tell(one)

    def alarm(self, kind: str, text: str) -> None:
        """An alarm began, or ended."""
        self._tell(alarmed(self.standing, kind, text))

    def _tell(self, happening: Happening) -> None:
        for listener in self.listeners:
            try:
                listener(happening)
            except Exception as wrong:  # noqa: BLE001 - who watches must not stop the node
                structlog.get_logger("cluster").error("a listener failed", exc_info=wrong)
