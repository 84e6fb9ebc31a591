"""What a stroke can lay hands on, in one place: hosts, network, terminals, eyes.

Links are written as in ``kinds``: ``network:from>to`` or ``network:one-other``, with roles.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tests.torture.board import Board
from tests.torture.crowd import Crowd
from tests.torture.host import Host
from tests.torture.lies import Lies
from tests.torture.network import Way
from tests.torture.watching import Watch


class Place:
    """Everything that a fault may strike."""

    def __init__(
        self,
        board: Board,
        crowd: Crowd,
        watch: Watch,
        lies: Mapping[str, Lies],
        lacks: Mapping[str, str],
    ) -> None:
        """``lacks``: kinds that this machine cannot do, and why."""
        self.lies = lies
        self.lacks = lacks
        self.board = board
        self.crowd = crowd
        self.watch = watch

    @property
    def hosts(self) -> dict[str, Host]:
        """Nodes and witness by name."""
        return self.board.hosts

    def host(self, role: str) -> Host:
        """The host of that role now."""
        return self.hosts[self.watch.who(role)]

    def ways(self, link: str) -> Iterator[Way]:
        """The directions that a link's words name."""
        network, one, sign, other = re.fullmatch(r"(\w+):(\w+)([>-])(\w+)", link).groups()  # type: ignore[union-attr]
        first, second = self.watch.who(one), self.watch.who(other)
        yield Way(network, first, second)
        if sign == "-":
            yield Way(network, second, first)
