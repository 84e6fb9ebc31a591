"""The servers' loop: uvloop's, and a descriptor whose poll has died is polled anew.

When a connection breaks, libuv closes the poll of its descriptor after one last call; uvloop keeps
the closed one, and every later ``add_writer`` for that number raises RuntimeError, for the dying
connection as for whoever gets its number next. Here the closed one is dropped and a new one made:
its owner then hears of the error from its own read or write, as on asyncio's own loop.

Source: MagicStack/uvloop issue 552, met with Twisted; seen here when peers are cut off under load.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVarTuple

import uvloop

Args = TypeVarTuple("Args")


class SteadyLoop(uvloop.Loop):
    """A loop on which a broken connection harms nobody else."""

    def add_reader(self, fd: Any, callback: Callable[[*Args], Any], *args: *Args) -> None:
        """Call back when ``fd`` can be read."""
        try:
            super().add_reader(fd, callback, *args)
        except RuntimeError:
            self._forget(fd)
            super().add_reader(fd, callback, *args)

    def add_writer(self, fd: Any, callback: Callable[[*Args], Any], *args: *Args) -> None:
        """Call back when ``fd`` can be written."""
        try:
            super().add_writer(fd, callback, *args)
        except RuntimeError:
            self._forget(fd)
            super().add_writer(fd, callback, *args)

    def _forget(self, fd: Any) -> None:
        """Drop the closed poll. A descriptor that a transport of the loop's own uses raises the
        same error, and raises it here once more.
        """
        self.remove_reader(fd)
        self.remove_writer(fd)
