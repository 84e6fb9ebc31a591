"""The masters a board works by: what each object has, how it is named, what it refers to.

One declaration a master: loading, validation, diff, export and the screens read it. A row's fields
travel as texts, as in a CSV file, and are checked here by the declared type; what refers to another
master must be there on the same day. This file must not know how masters are stored or approved.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Annotated, Final, Literal, get_type_hints

import msgspec
from msgspec import Meta, Struct

from protocols.heads import ORDER

Code = Annotated[str, Meta(pattern=r"^[A-Z][A-Z0-9-]{0,15}\Z", description="a code, e.g. SD-101")]
NoCode = Annotated[
    str, Meta(pattern=r"^([A-Z][A-Z0-9-]{0,15})?\Z", description="a code, or nothing")
]
Words = Annotated[str, Meta(min_length=1, max_length=80)]
"""Checked by ``readable``."""
UNSEEN: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)
"""Controls, and what turns a text round or hides in it: an approver shall see what they approve.
Joiners stay, Devanagari is written with them.
"""
WHOLE: Final = re.compile(r"^-?(0|[1-9][0-9]*)\Z")
Day = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\Z", description="ISO date")]
Hours = Annotated[int, Meta(ge=1, le=24 * 365)]
Amount = Annotated[int, Meta(ge=0, le=10**12)]
"""Paise."""


class Office(Struct, frozen=True, forbid_unknown_fields=True):
    """An office; its kind's place in the tree is checked with its parent."""

    code: Code
    name: Words
    kind: Literal["BOARD", "ZONE", "CIRCLE", "DIVISION", "SUBDIVISION"]
    parent: NoCode


class Category(Struct, frozen=True, forbid_unknown_fields=True):
    """A consumer category, as tariffs name it."""

    code: Code
    name: Words


class SupplyType(Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of supply: voltage and phases."""

    code: Code
    name: Words
    level: Literal["LT", "HT", "EHT"]
    phases: Literal["1", "3"]


class ChargeHead(Struct, frozen=True, forbid_unknown_fields=True):
    """A head of charges. ``owner`` STATE: money that is not the board's (duty, compounding)."""

    code: Code
    name: Words
    owner: Literal["BOARD", "STATE"]


class Rate(Struct, frozen=True, forbid_unknown_fields=True):
    """A line of the rate book for estimates."""

    code: Code
    name: Words
    unit: Words
    paise: Amount
    head: Code


class Bank(Struct, frozen=True, forbid_unknown_fields=True):
    """A bank whose instruments are taken."""

    code: Code
    name: Words


class Branch(Struct, frozen=True, forbid_unknown_fields=True):
    """A bank's branch; its cheques are local at the counters whose city is the same."""

    code: Code
    bank: Code
    name: Words
    city: Words


class Holiday(Struct, frozen=True, forbid_unknown_fields=True):
    """A day on which offices are closed; below ``office``."""

    day: Day
    name: Words
    office: Code

    def __post_init__(self) -> None:
        """Refuse a day that no calendar has."""
        try:
            dt.date.fromisoformat(self.day)
        except ValueError:
            raise ValueError(f"day: there is no day {self.day}") from None


class NumberSeries(Struct, frozen=True, forbid_unknown_fields=True):
    """A series of numbers that are given without a gap."""

    code: Code
    name: Words
    prefix: NoCode
    digits: Annotated[int, Meta(ge=3, le=12)]


class ComplaintCategory(Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of complaint with its time limits."""

    code: Code
    name: Words
    urban_hours: Hours
    rural_hours: Hours
    compensation_paise: Amount


class Till(Struct, frozen=True, forbid_unknown_fields=True):
    """What holds for a counter, or for all counters of an office and below: ``code`` names either.

    The limit counts all cash in the till, the float too; it holds from the next shift on. A cheque
    drawn in ``city`` is local, any other outstation.
    """

    code: Code
    cash_limit_paise: Amount
    city: Words


class PaymentRule(Struct, frozen=True, forbid_unknown_fields=True):
    """How the board takes payments, one row for all of it. ``allocation``: the energy heads in the
    order in which dues are paid. ``stale_months``: how long a cheque is good. ``bar_days``: how
    long no cheque is taken after one came back. ``dishonour_paise``: the charge for it.
    ``surcharge_bp``: the surcharge that revives, in hundredths of a percent a month.
    """

    code: Literal["BOARD"]
    allocation: Annotated[str, Meta(max_length=100, description="heads, with commas")]
    stale_months: Annotated[int, Meta(ge=1, le=12)]
    bar_days: Annotated[int, Meta(ge=0, le=3650)]
    dishonour_paise: Amount
    surcharge_bp: Annotated[int, Meta(ge=0, le=10_000)]

    def __post_init__(self) -> None:
        """Refuse an order that leaves a head out or names one twice."""
        if sorted(self.allocation.split(",")) != sorted(ORDER):
            raise ValueError(f"allocation: expected each of {', '.join(ORDER)} once")


class MeterMake(Struct, frozen=True, forbid_unknown_fields=True):
    """A make of meters."""

    code: Code
    name: Words


class Master(Struct, frozen=True):
    """One master: its type, the field that names an object, and which field refers to which
    master.
    """

    kind: type[Struct]
    key: str = "code"
    refers: Mapping[str, str] = {}


MASTERS: Final[dict[str, Master]] = {
    "offices": Master(Office, refers={"parent": "offices"}),
    "categories": Master(Category),
    "supply_types": Master(SupplyType),
    "charge_heads": Master(ChargeHead),
    "rates": Master(Rate, refers={"head": "charge_heads"}),
    "banks": Master(Bank),
    "branches": Master(Branch, refers={"bank": "banks"}),
    "holidays": Master(Holiday, key="day", refers={"office": "offices"}),
    "number_series": Master(NumberSeries),
    "complaint_categories": Master(ComplaintCategory),
    "meter_makes": Master(MeterMake),
    "tills": Master(Till),
    "payment_rules": Master(PaymentRule),
}
RANKS: Final = ("BOARD", "ZONE", "CIRCLE", "DIVISION", "SUBDIVISION")

Fields = Mapping[str, str]


class MasterError(Exception):
    """A row that cannot stand; the message names row, field and what was expected."""


def fields_of(master: str) -> tuple[str, ...]:
    """Give a master's fields in their declared order: the columns of its file."""
    return MASTERS[master].kind.__struct_fields__


def checked(master: str, row: Fields) -> dict[str, str]:
    """Give a row's fields as they are kept; raises MasterError naming what is wrong."""
    declared = MASTERS[master]
    name = row.get(declared.key, "") or f"a row without {declared.key}"
    missing = [one for one in fields_of(master) if one not in row]
    if missing:
        raise MasterError(f"{name}: {', '.join(missing)} is missing")
    unknown = [one for one in row if one not in fields_of(master)]
    if unknown:
        raise MasterError(f"{name}: there is no field {', '.join(unknown)} in {master}")
    for field in fields_of(master):
        trouble = _unreadable(row[field], number=field in _numbers(declared.kind))
        if trouble:
            raise MasterError(f"{name}: {field}: {trouble}")
    try:
        kept = msgspec.convert(dict(row), declared.kind, strict=False)
    except msgspec.ValidationError as wrong:
        what, _, where = str(wrong).partition(" - at `$.")
        if not where:  # a whole row's own complaint names its field
            raise MasterError(f"{name}: {what}") from None
        field = where.removesuffix("`")
        raise MasterError(f"{name}: {field}: {what[:1].lower()}{what[1:]}") from None
    return {field: str(getattr(kept, field)) for field in fields_of(master)}


@cache
def _numbers(kind: type[Struct]) -> frozenset[str]:
    return frozenset(field for field, of in get_type_hints(kind).items() if of is int)


def _unreadable(text: str, *, number: bool) -> str:
    """Why nobody should read this text as what stands in a field, '' if they may."""
    if number:
        return "" if WHOLE.match(text) else f"{text!r} is not a whole number, as 1200"
    if UNSEEN.search(text):
        return f"it holds a character that is not seen, {UNSEEN.findall(text)[0]!r}"
    return "spaces stand before or after it" if text != text.strip() else ""


def dangling(
    master: str, rows: Mapping[str, Fields], there: Callable[[str], Mapping[str, Fields]]
) -> Iterator[str]:
    """Name every reference that leads nowhere; ``rows`` by key are what would stand of this
    master, ``there`` gives what stands of another.
    """
    for field, other in MASTERS[master].refers.items():
        known = rows if other == master else there(other)
        for key, row in rows.items():
            if row[field] and row[field] not in known:
                yield f"{key}: {field} {row[field]} is not among the {other.replace('_', ' ')}"
    if master == "offices":
        yield from _misplaced(rows)


def _misplaced(offices: Mapping[str, Fields]) -> Iterator[str]:
    for key, row in offices.items():
        parent = offices.get(row["parent"])
        if (row["kind"] == "BOARD") != (row["parent"] == ""):
            yield f"{key}: only the board has no parent"
        elif parent is not None and RANKS.index(parent["kind"]) >= RANKS.index(row["kind"]):
            yield f"{key}: a {row['kind']} cannot stand below the {parent['kind']} {row['parent']}"


def parents_first(keys: Mapping[str, Fields]) -> list[str]:
    """Order offices so that a parent comes before what is below it."""
    return sorted(keys, key=lambda key: (RANKS.index(keys[key]["kind"]), key))
