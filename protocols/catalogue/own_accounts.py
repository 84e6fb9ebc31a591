"""Whose own a consumer's account is, or their household's: that person decides nothing about it."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from protocols.catalogue.approvals import Pending
from protocols.catalogue.body import Body
from protocols.catalogue.security import ADMINS, RIGHTS
from protocols.operation import About, Operation, Role
from protocols.values import ConsumerNumber, Mark, NoStaff, StaffNumber, Text


class OwnAccount(Body, frozen=True):
    """Note that a consumer's account is a person's own, or their household's: that person approves
    nothing about it.
    """

    person: StaffNumber
    consumer: ConsumerNumber


class DisownAccount(Body, frozen=True):
    """A consumer's account is that person's own no longer."""

    person: StaffNumber
    consumer: ConsumerNumber
    reason: Annotated[Text, Meta(min_length=3)]


class Owned(Body, frozen=True):
    """One account that is a person's own, since when (ISO UTC; '' just noted)."""

    person: str
    consumer: str
    since: str = ""


class OwnAccounts(Body, frozen=True):
    """Whose own accounts: one person's, or '' for everybody's; after the page that answered
    ``mark``.
    """

    person: NoStaff = ""
    mark: Mark = ""


class OwnedAccounts(Body, frozen=True):
    """The accounts, by person; ``mark``: where the next page begins, '' at the end."""

    accounts: list[Owned]
    mark: str = ""


OPERATIONS = (
    Operation(
        "security.own_account",
        OwnAccount,
        Owned,
        ADMINS,
        keyed=True,
        purpose="note a person's own account",
        about=About("person", "person"),
    ),
    Operation(
        "security.disown_account",
        DisownAccount,
        Pending,
        ADMINS,
        keyed=True,
        purpose="end a person's own account",
        again="always",
        four_eyes=RIGHTS,
    ),
    Operation(
        "security.own_accounts",
        OwnAccounts,
        OwnedAccounts,
        frozenset({Role.ADMIN, Role.AUDITOR}),
        keyed=False,
        purpose="see whose own which account is",
    ),
)
