"""Breaking the glass: exactly the power an emergency needs, for hours, and its review afterwards.

It is one power, in one office and below it, up to a value. It opens the requests under that power
there and nothing else, is lent to nobody, and rings until somebody who neither gave nor held it has
seen what was decided with it.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from protocols.catalogue.approvals import Pending
from protocols.catalogue.body import Body
from protocols.catalogue.security import ADMINS, RIGHTS
from protocols.operation import About, Operation, Role
from protocols.powers import Power
from protocols.values import MAX_PAISE, Mark, Office, StaffNumber, Text


class BreakGlass(Body, frozen=True):
    """An emergency: give a person a power in an office and below it for some hours, up to a value
    in the power's unit (0: it has none, or no limit).
    """

    person: StaffNumber
    power: Power
    office: Office
    most: Annotated[int, Meta(ge=0, le=MAX_PAISE)]
    hours: Annotated[int, Meta(ge=1, le=8)]
    reason: Annotated[Text, Meta(min_length=3)]


class Emergencies(Body, frozen=True):
    """The emergency powers that stand or wait for their review; ``whole``: all there ever were.
    After the page that answered ``mark``.
    """

    whole: bool = False
    mark: Mark = ""


class DecidedThen(Body, frozen=True):
    """A request that was approved with it, and what it was about."""

    request: int
    object: str


class Emergency(Body, frozen=True):
    """An emergency power as it stands. ``most`` 0: without limit; ``until``: when it ends or ended;
    ``decisions``: what its holder approved under that power there meanwhile, the first that fit.
    """

    power_id: int
    person: str
    power: str
    most: int
    office: str
    since: str
    until: str
    stands: bool
    given_by: list[str]
    decisions: list[DecidedThen]
    reviewed_at: str = ""
    reviewed_by: str = ""
    review: str = ""


class EmergenciesFound(Body, frozen=True):
    """The emergency powers, newest first; ``mark``: where the next page begins, '' at the end."""

    emergencies: list[Emergency]
    mark: str = ""


class ReviewEmergency(Body, frozen=True):
    """Say, once it is over, what you found of what was decided with an emergency power."""

    power_id: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    remark: Annotated[Text, Meta(min_length=3)]


class EmergencyReviewed(Body, frozen=True):
    """Which emergency power is settled."""

    power_id: int


REVIEWERS = frozenset({Role.ADMIN, Role.AUDITOR})
OPERATIONS = (
    Operation(
        "security.break_glass",
        BreakGlass,
        Pending,
        ADMINS,
        keyed=True,
        purpose="give an emergency power",
        again="always",
        four_eyes=RIGHTS,
    ),
    Operation(
        "security.emergencies",
        Emergencies,
        EmergenciesFound,
        REVIEWERS,
        keyed=False,
        purpose="see emergency powers and what was decided with them",
    ),
    Operation(
        "security.review_emergency",
        ReviewEmergency,
        EmergencyReviewed,
        REVIEWERS,
        keyed=True,
        purpose="review an emergency power",
        about=About("power", "power_id"),
    ),
)
