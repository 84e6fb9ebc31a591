"""An operation is declared once; server, clients, permissions, documentation and tests read that
declaration.

Default deny: a role that is not named may not. ``keyed`` operations change something and carry an
idempotency key; the others change nothing and may be repeated freely. Declaring one here does not
serve it: a test asserts that declared == served == granted in the database. This file must not know
any particular operation.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from typing import Final, Literal

from msgspec import Struct

from protocols.powers import Power

SECRET_FIELDS: Final = ("password", "secret")
"""Fields of a body that are kept nowhere: not in a journal, a fingerprint, the audit or a log."""


class Role(enum.StrEnum):
    """The roles of the board's people and machines: which operations somebody may ask.

    In the database a role acts in its ``group``, the role ``mpower_<group>``.
    """

    CLERK = "clerk"
    RECEIVER = "receiver"
    OFFICER = "officer"
    AUDITOR = "auditor"
    OPS = "ops"
    BANK = "bank"
    ADMIN = "admin"
    TERMINAL = "terminal"

    @property
    def group(self) -> str:
        """The group role of the database that this role's transactions go into."""
        return GROUPS.get(self, self.value)


GROUPS: Final[dict[Role, str]] = {Role.RECEIVER: "clerk", Role.AUDITOR: "ops"}
"""Roles that share a group with another one; every other role is a group of its own."""
MACHINES: Final = frozenset({Role.BANK, Role.TERMINAL})
"""Roles of a certificate itself; nobody signs in as one. People sit at a terminal."""
PEOPLE: Final = frozenset(Role) - MACHINES


class FourEyes(Struct, frozen=True):
    """What a second person needs to approve an operation: the power, and one of these roles.

    The operation's reply is ``approvals.Pending``: it is carried out when it is approved.
    """

    power: Power
    by: frozenset[Role] = frozenset({Role.OFFICER, Role.ADMIN})


class About(Struct, frozen=True):
    """Whose state an operation changes: the kind of object, and the field of the body that names
    it. The audit keeps how it stood before and after.
    """

    kind: str
    field: str


class Within(Struct, frozen=True):
    """Whose office's matter an operation is: the kind of object, and the field of the body that
    names it. Refused OUT_OF_OFFICE to who neither belongs to that office or one above it nor holds
    a power there; but ``counters``: whoever sits at a counter serves every consumer of the city.
    """

    kind: Literal["consumer", "counter", "receipt", "office"]
    field: str
    counters: bool = False


Again = Literal["", "always", "by value"]
"""When an operation asks who is at the terminal to sign in anew, because their sign-in is no longer
fresh: never; whenever it is asked or approved; when the value of what is approved is high.
"""


class Operation(Struct, frozen=True):
    """One declared operation: its name ``room.verb``, body and reply types, who may, and whether it
    is keyed.
    """

    name: str
    request: type[Struct]
    reply: type[Struct]
    roles: frozenset[Role]
    keyed: bool
    purpose: str
    four_eyes: FourEyes | None = None
    about: About | None = None
    within: Within | None = None
    again: Again = ""
    principal: bool = False
    """True: permitted to a machine's certificate itself (a bank link), without a person's sign-in.
    """
    report: bool = False
    """True: it walks much of the books, so it may take longer and few run at once."""

    @property
    def holds_secret(self) -> bool:
        """Whether a request of it may stand on no disk."""
        return not set(SECRET_FIELDS).isdisjoint(self.request.__struct_fields__)


NAME: Final = re.compile(r"^[a-z_]+\.[a-z_]+\Z")


class Catalogue:
    """All declared operations by name; built once from the rooms' declarations, then only read."""

    def __init__(self, *rooms: tuple[Operation, ...]) -> None:
        self._by_name: dict[str, Operation] = {}
        for operation in (one for room in rooms for one in room):
            assert NAME.match(operation.name), operation.name
            assert operation.name not in self._by_name, f"{operation.name} is declared twice"
            assert operation.roles, f"{operation.name} is allowed to nobody"
            self._by_name[operation.name] = operation

    def __iter__(self) -> Iterator[Operation]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def get(self, name: str) -> Operation | None:
        """Give the operation of that name, or None: the caller refuses with UNKNOWN_OPERATION."""
        return self._by_name.get(name)
