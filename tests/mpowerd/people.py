"""Callers, certificates and requests as the tests of the server need them."""

from msgspec import Raw, msgpack

from mpowerd.caller import Caller
from mpowerd.seats import Asker, counter_of
from mpowerd.sessions import session_of
from protocols.messages import Request
from protocols.operation import MACHINES, Role
from protocols.values import RequestKey

CLIENT = bytes(range(16))
SEAT = {
    Role.CLERK: "counter/C001",
    Role.RECEIVER: "counter/C001",
    Role.OFFICER: "counter/C001",
    Role.AUDITOR: "ops/night",
    Role.OPS: "ops/night",
    Role.ADMIN: "ops/night",
    Role.BANK: "bank/SBI",
    Role.TERMINAL: "counter/C001",
}


def asker(subject: str = "counter/C001") -> Asker:
    return Asker(subject, "127.0.0.1:5000")


def caller(role: Role = Role.CLERK, subject: str = "", user: str = "asha") -> Caller:
    """A signed-in person of that role at a seat of its kind; a machine is its certificate."""
    seat = subject or SEAT[role]
    session = b"" if role in MACHINES else session_of(f"{user}@{seat}".encode())
    return Caller(user, f"person {user}", role, seat, counter_of(seat), "127.0.0.1:5000", session)


def request(operation: str, body: object, seq: int = 1, sequence: int | None = None) -> Request:
    key = None if sequence is None else RequestKey(CLIENT, sequence)
    return Request(seq, operation, key, Raw(msgpack.encode(body)))
