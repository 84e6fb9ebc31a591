"""The demo's board: its counters, people, consumers and the open day, made through the front door
like anybody's.

Everything goes over the link as declared operations; nothing is slipped into the database. Names,
passwords and consumers are invented and the same in every demo. This file must not know processes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final, Protocol

from msgspec import Struct

from clients.asking import Answer, Asking, Declined, submit_file
from clients.ops.consumer_file import batches, parse_consumers
from clients.ops.sample import FIRST_NUMBER, sample_consumers
from protocols.catalogue.consumers import Load
from protocols.catalogue.days import OpenDay
from protocols.catalogue.masters import ChangeMaster
from protocols.catalogue.security import AddCounter, AddPerson, AddUser, Appoint, GrantPower
from protocols.catalogue.shifts import OpenShift
from protocols.operation import Role
from protocols.powers import Power

ADMIN: Final = "admin"
PASSWORD: Final = "a quiet lamp over copper lane"  # noqa: S105 - the demo's, printed on the screen
ADMIN2: Final = "admin2"
FOUNDED: Final = "the demo's board is founded"
OFFICER: Final = "officer"
OPS: Final = "nightwatch"
CONSUMERS: Final = 5_000
UNTOUCHED: Final = 100
"""The first consumers: no scripted counter, nor the bank, pays for them, so that they owe what they
owe until a person takes their money.
"""
TREE: Final = (
    ("Z-1", "City zone", "ZONE", "HO"),
    ("CI-11", "East circle", "CIRCLE", "Z-1"),
    ("DV-111", "Canal division", "DIVISION", "CI-11"),
    ("SD-101", "Canal Road sub-division", "SUBDIVISION", "DV-111"),
    ("SD-102", "Copper Lane sub-division", "SUBDIVISION", "DV-111"),
    ("DV-112", "Mill division", "DIVISION", "CI-11"),
    ("SD-201", "Mill Gate sub-division", "SUBDIVISION", "DV-112"),
)
"""The demo's offices below the head office: code, name, kind, parent."""
BANKS: Final = (("SBI", "State bank of the demo"), ("PNB", "Second bank of the demo"))
"""The banks that consumers' cheques are drawn on."""
CITY: Final = "Patna"
"""Where the board's counters are: a cheque that is drawn elsewhere is outstation."""
CASH_LIMIT: Final = 20_000_00
"""Of the last counter, which a person gets; the scripted ones have no pick-ups, hence room."""
ROOMY: Final = 10_00_00_000_00
SUBDIVISIONS: Final = tuple(code for code, _, kind, _ in TREE if kind == "SUBDIVISION")
OFFICERS_POWERS: Final = (
    *(Power.CONSUMER, Power.REFUND),
    *(Power.TRANSFER, Power.CHARGE),
)
"""What the head office's officer and the deputy decide."""
DEPUTY: Final = "deputy"
"""Holds the officer's powers too: what one of them asks for, the other decides."""
ENGINEER: Final = "engineer101"
"""The officer of one sub-division only, beside the head office's."""
SEED: Final = 1


class Told(Protocol):
    """Who hears how far the board is."""

    def __call__(self, line: str) -> None:
        """One done line."""


def clerk_of(counter: str) -> str:
    """Name the clerk who sits at a counter: C001 → clerk001."""
    return f"clerk{counter[1:]}"


def people(counters: Sequence[str]) -> list[tuple[AddPerson, AddUser]]:
    """Everybody who works at the demo's board, with their login."""
    return [
        _employed("E-OFFICER", "Officer of the demo", "Assistant engineer", OFFICER, Role.CLERK),
        _employed("E-DEPUTY", "Deputy of the demo", "Assistant engineer", DEPUTY, Role.CLERK),
        _employed("E-101", "Engineer of SD-101", "Engineer", ENGINEER, Role.CLERK, "SD-101"),
        _employed("E-SECOND", "Second administrator of the demo", "Executive", ADMIN2, Role.OPS),
        _employed("E-NIGHT", "Night watch of the demo", "Operator", OPS, Role.OPS),
        *(
            _employed(
                f"E-{one}", f"Clerk of {one}", "Cashier", clerk_of(one), Role.CLERK, office_of(n)
            )
            for n, one in enumerate(counters)
        ),
    ]


def _employed(
    staff: str, name: str, designation: str, user: str, role: Role, office: str = "HO"
) -> tuple[AddPerson, AddUser]:
    return AddPerson(staff, name, designation, office), AddUser(user, staff, role, PASSWORD)


def office_of(nth: int) -> str:
    """Name the sub-division that the nth counter, or consumer, belongs to."""
    return SUBDIVISIONS[nth % len(SUBDIVISIONS)]


def consumer_numbers() -> list[str]:
    """The consumers' numbers."""
    return [str(FIRST_NUMBER + n) for n in range(CONSUMERS)]


async def furnish(link: Asking, counters: Sequence[str], bank: str, told: Told) -> None:
    """Add offices, counters, people and consumers as the administrator. Doing it again changes
    nothing.
    """
    await link.sign_in(ADMIN, PASSWORD)
    fields = ("code", "name", "kind", "parent")
    offices = [dict(zip(fields, one, strict=True)) for one in TREE]
    await _once(link, "masters.change", ChangeMaster("offices", today(), offices, [], FOUNDED))
    told(f"{len(TREE)} offices below the head office")
    banks = [{"code": code, "name": name} for code, name in BANKS]
    await _once(link, "masters.change", ChangeMaster("banks", today(), banks, [], FOUNDED))
    for n, counter in enumerate(counters):
        await _once(link, "security.add_counter", AddCounter(counter, office_of(n)))
    await _once(link, "security.add_counter", AddCounter(bank, "HO", "BANK"))
    limits = (("HO", ROOMY), (counters[-1], CASH_LIMIT))
    tills = [{"code": code, "cash_limit_paise": str(most), "city": CITY} for code, most in limits]
    await _once(link, "masters.change", ChangeMaster("tills", today(), tills, [], FOUNDED))
    told(f"{len(counters)} counters and the bank {bank}")
    everybody, date = people(counters), today()
    for person, user in everybody:
        await _once(link, "security.add_person", person)
        await _once(link, "security.add_user", user)
    # The only administrator gives the first rights alone: founding, and marked so. The last of
    # them makes a second administrator; from then on two people decide.
    for login in (OFFICER, DEPUTY, ENGINEER):
        await _once(link, "security.appoint", Appoint(login, Role.OFFICER, FOUNDED))
    for staff, power, office in (
        *((one, power, "HO") for one in ("E-OFFICER", "E-DEPUTY") for power in OFFICERS_POWERS),
        ("E-101", Power.CONSUMER, "SD-101"),
    ):
        grant = GrantPower(staff, power, 0, office, date, FOUNDED)
        await _once(link, "security.grant_power", grant)
    await _once(link, "security.appoint", Appoint(ADMIN2, Role.ADMIN, FOUNDED))
    told(f"{len(everybody)} people with their roles")
    rows = parse_consumers(sample_consumers(CONSUMERS, SEED, SUBDIVISIONS))
    for number, part in enumerate(batches(rows), start=1):
        await submit_file(link, "consumers.load", Load(date, part), "demo", number)
    told(f"{len(rows):,} consumers with their dues")


async def open_day(link: Asking, told: Told) -> None:
    """Open today as the officer, unless it is open."""
    await link.sign_in(OFFICER, PASSWORD)
    await _once(link, "days.open", OpenDay(today()))
    told(f"the business day {today()} is open")


async def open_shift(link: Asking) -> None:
    """Open the shift of the clerk who is signed in, without a float, unless it is open."""
    try:
        await link.submit("shifts.open", OpenShift())
    except Declined as no:
        if no.code != "SHIFT_OPEN":
            raise


def today() -> str:
    """The demo's business date: this machine's."""
    return dt.datetime.now(dt.UTC).astimezone().date().isoformat()


async def _once(link: Asking, operation: str, body: Struct) -> Answer | None:
    try:
        return await submit_file(link, operation, body, f"{operation} {today()}")
    except Declined as no:
        if no.code in {"USER_EXISTS", "DAY_OPEN", "NOTHING_CHANGES"}:
            return None
        raise
