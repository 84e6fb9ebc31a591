"""The words of the house: values with their unit in the type, checked where they enter.

A value that reached the inside is right: ASCII only, bounded, normalised. Bounds live in the type
(msgspec checks them while decoding), so an operation never asks again. Money is integer paise,
always; a float never comes near it. Everything here is also what the wire carries, so a type's
bound is its wire limit. This file must not know operations.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

MAX_PAISE: Final = 10_000_000_000_000
"""Rs 10,000 crore / 100: above any single payment a board takes, far below int64 so that sums never
overflow.
"""

PaiseDue = Annotated[int, Meta(ge=-MAX_PAISE, le=MAX_PAISE)]
"""A balance in paise; negative means the board owes the consumer."""

Paise = Annotated[int, Meta(ge=0, le=MAX_PAISE)]
"""An amount in paise as a figure in an answer; zero is allowed."""

PaisePaid = Annotated[int, Meta(ge=-MAX_PAISE, le=MAX_PAISE)]
"""An amount as a person offered it. Zero, negative and huge ones are refused *by name*, by the
payment rules.
"""

ConsumerNumber = Annotated[
    str, Meta(pattern=r"^[0-9]{10}\Z", description="ten ASCII digits, 1000000001")
]
CounterCode = Annotated[str, Meta(pattern=r"^[A-Z][A-Z0-9]{1,11}\Z", description="e.g. C001")]
NoCounter = Annotated[
    str, Meta(pattern=r"^([A-Z][A-Z0-9]{1,11})?\Z", description="a counter's code, or nothing")
]
UserName = Annotated[
    str, Meta(pattern=r"^[a-z][a-z0-9._-]{1,31}\Z", description="lower-case sign-in name")
]
StaffNumber = Annotated[
    str, Meta(pattern=r"^[A-Z][A-Z0-9-]{0,15}\Z", description="a staff number, e.g. E1042")
]
"""Who a person is to the board; rules bind the person, who may hold several logins."""
Office = Annotated[
    str, Meta(pattern=r"^[A-Z][A-Z0-9-]{0,15}\Z", description="an office's code, e.g. SD-101")
]
HEAD_OFFICE: Final = "HO"
"""The office above all others: masters and logins are its matter."""
BusinessDate = Annotated[
    str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\Z", description="ISO date, 2026-04-01")
]
NoDate = Annotated[
    str,
    Meta(
        pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?\Z", description="ISO date, 2026-04-01, or nothing"
    ),
]
NoStaff = Annotated[
    str, Meta(pattern=r"^([A-Z][A-Z0-9-]{0,15})?\Z", description="a staff number, or nothing")
]
Text = Annotated[str, Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f\ud800-\udfff]*\Z")]
"""One line a person typed: no control characters, no lone surrogates."""
Mark = Annotated[
    str,
    Meta(
        max_length=120,
        pattern=r"^[A-Za-z0-9 .:/_-]*\Z",
        description="where a list goes on, as it was answered, or nothing",
    ),
]
Name = Annotated[
    str, Meta(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f-\x9f\ud800-\udfff]+\Z")
]
Password = Annotated[
    str, Meta(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f-\x9f\ud800-\udfff]+\Z")
]
"""A secret as typed (NFC, exact): any printable character. Its length is capped before it is
hashed.
"""
ReceiptNumber = Annotated[
    str,
    Meta(
        pattern=r"^[A-Z][A-Z0-9]{1,11}/[0-9]{4}-[0-9]{2}/[0-9]{1,9}\Z",
        description="C001/2026-27/42",
    ),
]
Sequence = Annotated[int, Meta(ge=1, le=2**62)]
ClientId = Annotated[bytes, Meta(min_length=16, max_length=16)]


class RequestKey(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The idempotency key of one intent: 128-bit client id and its sequence; the counter comes from
    the certificate.
    """

    client: ClientId
    sequence: Sequence


def receipt_number(counter: str, financial_year: str, number: int) -> str:
    """Write a receipt number as it is printed, e.g. ``C001/2026-27/42``."""
    return f"{counter}/{financial_year}/{number}"


def numbered(text: str) -> tuple[str, int, int] | None:
    """Read a number as it is printed, of a receipt or a slip: whose series it is, the year its
    financial year begins in, the running number. None: there is no such year.
    """
    series, year, number = text.split("/")
    begins = int(year[:4])
    if not 2000 <= begins <= 2255 or year != f"{begins}-{(begins + 1) % 100:02d}":
        return None
    return series, begins, int(number)


def rupees(paise: int) -> str:
    """Write paise for a person, in Indian grouping: ``123456789`` → ``Rs 12,34,567.89``."""
    sign, whole, rest = "-" if paise < 0 else "", abs(paise) // 100, abs(paise) % 100
    head, tail = str(whole)[:-3], str(whole)[-3:]
    groups: list[str] = []
    while head:
        groups.insert(0, head[-2:])
        head = head[:-2]
    return f"{sign}Rs {','.join([*groups, tail])}.{rest:02d}"


def paise_from_text(text: str) -> int | None:
    """Read an amount a person typed (``1240``, ``1,240.50``) into paise; ``None`` if it is not one.

    ASCII digits only, at most two decimals. Commas are accepted only between digits, as written in
    India.
    """
    clean = text.strip()
    if not clean.isascii() or not clean:
        return None
    whole, dot, fraction = clean.partition(".")
    groups = whole.split(",")
    if not all(group.isdigit() for group in groups) or (dot and not fraction.isdigit()):
        return None
    if len(groups) > 1 and (len(groups[-1]) != 3 or any(len(g) > 3 or not g for g in groups)):
        return None
    digits = "".join(groups)
    if len(digits) > 14 or len(fraction) > 2:
        return None
    return int(digits) * 100 + int(fraction.ljust(2, "0") or "0")
