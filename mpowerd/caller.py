"""Who asks, and under which key: the two values that every operation of every room is given.

The counter and the subject come from the certificate (in a browser from the session), never from
the request. A machine that is permitted by its certificate alone (a bank link) has no session:
``session`` is empty, ``user`` and ``person`` are its subject. These values must not know how a
caller was recognised.
"""

from __future__ import annotations

from msgspec import Struct

from protocols.operation import Role


class Caller(Struct, frozen=True):
    """The person or principal behind a request.

    ``person`` is the human behind the login: rules bind the person. ``subject`` is the
    certificate's: ``counter/C001``, ``bank/SBI``, ``ops/night``. ``counter`` is the series code, ''
    where none. ``session`` is SHA-256 of the token.
    """

    user: str
    person: str
    role: Role
    subject: str
    counter: str
    address: str
    session: bytes
    must_enrol: bool = False
    """Their role works only with a second factor, and this login has none yet."""
    fresh: bool = False
    """They signed in a moment ago; told only to operations that ask for it (``again``)."""


class Key(Struct, frozen=True):
    """The idempotency key of one intent, complete with the counter it belongs to; unique over all
    operations.
    """

    counter: str
    client: bytes
    sequence: int
