"""Which certificate is which seat: whose series its keys belong to, who may sit there, what it may
ask by itself.

A certificate's subject is ``kind/name``, e.g. ``counter/C001``. Default deny: a kind that is not
named here has no seat. This file must not know sockets or the database.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from mpowerd.caller import Caller
from protocols.operation import Operation, Role
from protocols.refusals import Refused

SEATS: Final[dict[str, frozenset[Role]]] = {
    "counter": frozenset({Role.CLERK, Role.RECEIVER, Role.OFFICER}),
    "ops": frozenset({Role.ADMIN, Role.AUDITOR, Role.OFFICER, Role.OPS}),
    "bank": frozenset(),
}
"""Roles whose people may sign in at a kind of certificate; at a bank's nobody: it acts for itself.
"""
PRINCIPALS: Final = {"bank": Role.BANK, "counter": Role.TERMINAL, "ops": Role.TERMINAL}
"""As what a certificate acts for itself, whoever sits there."""
CONNECTIONS: Final = {"counter": 1, "bank": 2, "ops": 4}
"""Connections one certificate may hold; one more closes the oldest. An operator runs several
commands at once.
"""


class Asker(Struct, frozen=True):
    """Who is at the other end of a connection: the certificate's subject, and the network address
    it came from.
    """

    subject: str
    address: str


def kind_of(subject: str) -> str:
    """Give the kind of a subject: ``counter`` of ``counter/C001``."""
    return subject.partition("/")[0]


def counter_of(subject: str) -> str:
    """Give the series a certificate's keys belong to: its counter, its bank, or OPS for every
    operator.
    """
    kind, _, name = subject.partition("/")
    return "OPS" if kind == "ops" else name


def check_seat(subject: str) -> None:
    """Refuse (CERTIFICATE) a certificate that is no seat: a node's or the witness's own."""
    if kind_of(subject) not in SEATS:
        raise Refused("CERTIFICATE", subject=subject)


def check_role(subject: str, role: Role) -> None:
    """Refuse (CERTIFICATE_ROLE) a person whose role may not work from this certificate."""
    if role not in SEATS.get(kind_of(subject), frozenset()):
        raise Refused("CERTIFICATE_ROLE", role=role, subject=subject)


def principal(asker: Asker) -> Caller | None:
    """Give the certificate itself as a caller, if its kind acts for itself."""
    role = PRINCIPALS.get(kind_of(asker.subject))
    if role is None:
        return None
    return Caller(
        user=asker.subject,
        person=asker.subject,
        role=role,
        subject=asker.subject,
        counter=counter_of(asker.subject),
        address=asker.address,
        session=b"",
    )


def is_own(subject: str, operation: Operation) -> bool:
    """Say whether a certificate asks that by itself, without a person: a principal operation of its
    kind's role.
    """
    return operation.principal and PRINCIPALS.get(kind_of(subject)) in operation.roles


def own_operations(subject: str, declared: Iterable[Operation]) -> frozenset[str]:
    """Give the operations a certificate may ask without a person."""
    return frozenset(one.name for one in declared if is_own(subject, one))
