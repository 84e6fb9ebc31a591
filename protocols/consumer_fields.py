"""A consumer's own data: which role may read a field whole, who may ask to change it, who decides.

One declaration: the server masks and refuses by it, the matrix prints it, the tests walk it. A
field without a power is changed at once; the change is kept with before and after either way. A
number that reaches a consumer's pocket (mobile) is shown by its last digits to who does not need
it. This file must not know how the data is stored.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from protocols.operation import Role
from protocols.powers import Power

COUNTER: Final = frozenset({Role.CLERK, Role.RECEIVER, Role.OFFICER})
EVERYBODY: Final = COUNTER | {Role.AUDITOR}
MAKERS: Final = frozenset({Role.RECEIVER, Role.OFFICER})
SHOWN_DIGITS: Final = 4


class Field(Struct, frozen=True):
    """Roles that read a field whole (the others see it masked), roles that may ask for a change,
    and the power that decides; None: it is done at once.
    """

    read: frozenset[Role]
    change: frozenset[Role]
    power: Power | None


FIELDS: Final[dict[str, Field]] = {
    "name": Field(EVERYBODY, MAKERS, Power.CONSUMER),
    "address": Field(EVERYBODY, MAKERS, Power.CONSUMER),
    "category": Field(EVERYBODY, MAKERS, Power.CONSUMER),
    "meter": Field(EVERYBODY, frozenset(), None),
    "mobile": Field(MAKERS | {Role.AUDITOR}, MAKERS, None),
    "sanctioned_load_w": Field(EVERYBODY, MAKERS, Power.LOAD),
    "office": Field(EVERYBODY, MAKERS, Power.CONSUMER),
}
"""A meter changes by its replacement, in metering, never as a field."""


def shown(role: Role, field: str, text: str) -> str:
    """Give a field as that role sees it: whole, or all but its last digits masked."""
    if role in FIELDS[field].read:
        return text
    return "•" * max(len(text) - SHOWN_DIGITS, 0) + text[-SHOWN_DIGITS:]
