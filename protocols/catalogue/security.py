"""People: who may sign in, at which terminal they sit; counters they sit at."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from protocols.catalogue.approvals import Pending
from protocols.catalogue.body import Body
from protocols.operation import PEOPLE, About, FourEyes, Operation, Role
from protocols.powers import Power
from protocols.values import (
    MAX_PAISE,
    BusinessDate,
    CounterCode,
    Mark,
    Name,
    NoDate,
    NoStaff,
    Office,
    Password,
    StaffNumber,
    Text,
    UserName,
)


class AddPerson(Body, frozen=True):
    """Add a person of the board: staff number, name, designation, office. A person may hold several
    logins; rules bind the person.
    """

    person: StaffNumber
    name: Name
    designation: Name
    office: Office = "HO"


class PersonAdded(Body, frozen=True):
    """The person as stored."""

    person: str
    name: str


class AddUser(Body, frozen=True):
    """Add a login for a person, as clerk, receiver or ops. Other roles are appointed, with a second
    administrator.
    """

    user: UserName
    person: StaffNumber
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


class Appoint(Body, frozen=True):
    """Give a user another role, e.g. officer; their sessions end, so that the next has it."""

    user: UserName
    role: Role
    reason: Annotated[Text, Meta(min_length=3)]


class GrantPower(Body, frozen=True):
    """Grant a person a power in an office and below it, from a day on.

    ``most``: up to this value, in the power's unit; 0: without limit. ``valid_to`` '': until
    withdrawn.
    """

    person: StaffNumber
    power: Power
    most: Annotated[int, Meta(ge=0, le=MAX_PAISE)]
    office: Office
    valid_from: BusinessDate
    reason: Annotated[Text, Meta(min_length=3)]
    valid_to: NoDate = ""


class WithdrawPower(Body, frozen=True):
    """Withdraw a power, at once and by one administrator: less power needs no second person."""

    power_id: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    reason: Annotated[Text, Meta(min_length=3)]


class HeldPower(Body, frozen=True):
    """A power as it stands. ``most`` 0: without limit; ``valid_to`` '': until withdrawn."""

    power_id: int
    person: str
    power: str
    most: int
    office: str
    valid_from: str
    valid_to: str
    withdrawn_at: str = ""


class Powers(Body, frozen=True):
    """Whose powers: one person's, or '' for everybody's; after the page that answered ``mark``."""

    person: NoStaff = ""
    mark: Mark = ""


class PowersHeld(Body, frozen=True):
    """The powers, the withdrawn ones too, newest first; ``mark``: where the next page begins, ''
    at the end.
    """

    powers: list[HeldPower]
    mark: str = ""


class AddCounter(Body, frozen=True):
    """Add a counter (or a bank link's own series): its code as in the certificate, and the code of
    the office it belongs to.
    """

    counter: CounterCode
    office: Office
    kind: Literal["COUNTER", "BANK"] = "COUNTER"


class CounterAdded(Body, frozen=True):
    """The counter as stored."""

    counter: str
    office: str
    kind: str


class AskSessions(Body, frozen=True):
    """Who is signed in where, after the page that answered ``mark``?"""

    mark: Mark = ""


class SessionRow(Body, frozen=True):
    """One live session: user, role, where, since (ISO UTC)."""

    user: str
    role: str
    subject: str
    since: str


class Sessions(Body, frozen=True):
    """The live sessions by terminal; ``mark``: where the next page begins, '' at the end."""

    sessions: list[SessionRow]
    mark: str = ""


class EnrolFactor(Body, frozen=True):
    """Give my login a second factor: the secret an authenticator was given (RFC 6238, 160 bits in
    base 32), and the code it shows now. The terminal makes the secret; no answer ever tells it.
    """

    secret: Annotated[str, Meta(pattern=r"^[A-Z2-7]{32}\Z", description="32 letters of base 32")]
    code: Annotated[str, Meta(pattern=r"^[0-9]{6}\Z", description="six ASCII digits")]


class FactorEnrolled(Body, frozen=True):
    """Whose login needs a code from now on."""

    user: str


class EnableUser(Body, frozen=True):
    """Let a disabled user sign in again."""

    user: UserName
    reason: Annotated[Text, Meta(min_length=3)]


class AllowReset(Body, frozen=True):
    """Allow, once and for a day, that an appointed user gets a new password."""

    user: UserName
    reason: Annotated[Text, Meta(min_length=3)]


class ResetPassword(Body, frozen=True):
    """Put a new password of a user who lost theirs; every session ends. Appointed users first need
    an allowed reset.
    """

    user: UserName
    password: Password
    reason: Annotated[Text, Meta(min_length=3)]


class SessionsEnded(Body, frozen=True):
    """Whose sessions were ended, and how many."""

    user: str
    sessions_ended: int


class ResetFactor(Body, frozen=True):
    """Take a login's second factor away: the device is lost."""

    user: UserName
    reason: Annotated[Text, Meta(min_length=3)]


ADMINS = frozenset({Role.ADMIN})
RIGHTS = FourEyes(Power.RIGHTS, ADMINS)
ADDED = frozenset({Role.CLERK, Role.RECEIVER, Role.OPS})
"""Roles that one administrator gives; any other is appointed, with a second one."""
OPERATIONS = (
    Operation(
        "security.enrol_factor",
        EnrolFactor,
        FactorEnrolled,
        PEOPLE,
        keyed=True,
        purpose="enrol a second factor",
    ),
    Operation(
        "security.enable_user",
        EnableUser,
        Pending,
        ADMINS,
        keyed=True,
        purpose="let a disabled user in again",
        again="always",
        four_eyes=RIGHTS,
        about=About("user", "user"),
    ),
    Operation(
        "security.allow_reset",
        AllowReset,
        Pending,
        ADMINS,
        keyed=True,
        purpose="allow a new password",
        again="always",
        four_eyes=RIGHTS,
        about=About("user", "user"),
    ),
    Operation(
        "security.reset_password",
        ResetPassword,
        SessionsEnded,
        ADMINS,
        keyed=True,
        purpose="put a new password",
        again="always",
        about=About("user", "user"),
    ),
    Operation(
        "security.reset_factor",
        ResetFactor,
        Pending,
        ADMINS,
        keyed=True,
        purpose="reset a second factor",
        again="always",
        four_eyes=RIGHTS,
    ),
    Operation(
        "security.add_person",
        AddPerson,
        PersonAdded,
        ADMINS,
        keyed=True,
        purpose="add a person",
        about=About("person", "person"),
    ),
    Operation(
        "security.appoint",
        Appoint,
        Pending,
        ADMINS,
        keyed=True,
        purpose="give a user another role",
        again="always",
        four_eyes=RIGHTS,
    ),
    Operation(
        "security.grant_power",
        GrantPower,
        Pending,
        ADMINS,
        keyed=True,
        purpose="grant a power",
        again="always",
        four_eyes=RIGHTS,
    ),
    Operation(
        "security.withdraw_power",
        WithdrawPower,
        HeldPower,
        ADMINS,
        keyed=True,
        purpose="withdraw a power",
        about=About("power", "power_id"),
    ),
    Operation(
        "security.powers",
        Powers,
        PowersHeld,
        frozenset({Role.ADMIN, Role.OFFICER, Role.AUDITOR}),
        keyed=False,
        purpose="see who holds which power",
    ),
    Operation(
        "security.add_user",
        AddUser,
        UserAdded,
        ADMINS,
        keyed=True,
        purpose="add a user",
        about=About("user", "user"),
    ),
    Operation(
        "security.disable_user",
        DisableUser,
        UserDisabled,
        ADMINS,
        keyed=True,
        purpose="disable a user",
        about=About("user", "user"),
    ),
    Operation(
        "security.add_counter",
        AddCounter,
        CounterAdded,
        ADMINS,
        keyed=True,
        purpose="add a counter",
        about=About("counter", "counter"),
    ),
    Operation(
        "security.sessions",
        AskSessions,
        Sessions,
        frozenset({Role.OPS, Role.ADMIN}),
        keyed=False,
        purpose="who is signed in where",
    ),
)
