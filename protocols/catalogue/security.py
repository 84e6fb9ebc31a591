"""People: who may sign in, at which terminal they sit; counters they sit at."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from protocols.catalogue.body import Body, Nothing
from protocols.operation import Operation, Role
from protocols.values import CounterCode, Name, Password, Text, UserName


class AddUser(Body, frozen=True):
    """Add a user. ``person`` is the human behind the login: rules bind the person, who may hold
    several logins.
    """

    user: UserName
    person: Name
    role: Role
    password: Password


class UserAdded(Body, frozen=True):
    """The user as stored."""

    user: str
    role: str


class DisableUser(Body, frozen=True):
    """Disable a user: every session ends within five seconds."""

    user: UserName
    reason: Annotated[Text, Meta(min_length=3)]


class UserDisabled(Body, frozen=True):
    """The user and how many sessions were ended."""

    user: str
    sessions_ended: int


class AddCounter(Body, frozen=True):
    """Add a counter (or a bank link's own series): its code as in the certificate, and the office
    it belongs to.
    """

    counter: CounterCode
    office: Name
    kind: Literal["COUNTER", "BANK"] = "COUNTER"


class CounterAdded(Body, frozen=True):
    """The counter as stored."""

    counter: str
    office: str
    kind: str


class SessionRow(Body, frozen=True):
    """One live session: user, role, where, since (ISO UTC)."""

    user: str
    role: str
    subject: str
    since: str


class Sessions(Body, frozen=True):
    """The live sessions by terminal."""

    sessions: list[SessionRow]


ADMINS = frozenset({Role.ADMIN})
OPERATIONS = (
    Operation("security.add_user", AddUser, UserAdded, ADMINS, keyed=True, purpose="add a user"),
    Operation(
        "security.disable_user",
        DisableUser,
        UserDisabled,
        ADMINS,
        keyed=True,
        purpose="disable a user",
    ),
    Operation(
        "security.add_counter",
        AddCounter,
        CounterAdded,
        ADMINS,
        keyed=True,
        purpose="add a counter",
    ),
    Operation(
        "security.sessions",
        Nothing,
        Sessions,
        frozenset({Role.OPS, Role.ADMIN}),
        keyed=False,
        purpose="who is signed in where",
    ),
)
