"""Powers: what an officer may decide about, up to which value, where.

A power is granted to a person (four-eyes), for an office and all below it, up to a value in the
power's unit; delegation lends it for a time. An operation that is four-eyes names its power; who
asks needs none, who approves does. Adding a power here is all that a new kind of decision needs:
the grants, the inbox and the matrix read it. This file must not know operations or people.
"""

from __future__ import annotations

import enum
from typing import Final

from protocols.values import rupees


class Power(enum.StrEnum):
    """The powers of the board's officers. RIGHTS and MASTERS belong to every administrator."""

    RIGHTS = "RIGHTS"
    MASTERS = "MASTERS"
    CONSUMER = "CONSUMER"
    LOAD = "LOAD"
    REFUND = "REFUND"
    TRANSFER = "TRANSFER"
    CHARGE = "CHARGE"


UNITS: Final[dict[Power, str]] = {
    Power.RIGHTS: "",
    Power.MASTERS: "",
    Power.CONSUMER: "",
    Power.LOAD: "W",
    Power.REFUND: "paise",
    Power.TRANSFER: "paise",
    Power.CHARGE: "paise",
}
"""What the limit of a power is counted in; '' where it has none: the power is held or it is not."""

MEANS: Final[dict[Power, str]] = {
    Power.RIGHTS: "users, their roles and powers",
    Power.MASTERS: "offices, rates, holidays and the other masters",
    Power.CONSUMER: "a consumer's name, address and category",
    Power.LOAD: "a sanctioned load",
    Power.REFUND: "a refund",
    Power.TRANSFER: "a transfer of funds",
    Power.CHARGE: "a charge, an assessment or an instalment plan",
}
"""For people: the power over ..."""


AGAIN_FROM: Final[dict[Power, int]] = {
    Power.RIGHTS: 0,
    Power.LOAD: 50_000,
    Power.REFUND: 0,
    Power.TRANSFER: 10_000_00,
    Power.CHARGE: 1_00_000_00,
}
"""From this value on, in the power's unit, an approval needs a fresh sign-in: an unattended desk
must not be enough. A power that is not here never asks again.
"""
AT_ONCE: Final[dict[Power, int]] = {
    Power.LOAD: 500_000,
    Power.REFUND: 1_00_000_00,
    Power.TRANSFER: 10_00_000_00,
    Power.CHARGE: 10_00_000_00,
}
"""What several requests approved by one stroke may come to together, besides the limit of the
person's own power: what is larger is looked at alone.
"""


def worded(power: Power, value: int) -> str:
    """Write a value in the power's unit for a person; '' where the power has none."""
    unit = UNITS[power]
    return "" if not unit else rupees(value) if unit == "paise" else f"{value:,} {unit}"
