"""Masters: what the board works by, effective from a day, changed by two people."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from protocols.catalogue.approvals import Pending
from protocols.catalogue.body import Body
from protocols.operation import PEOPLE, FourEyes, Operation, Role
from protocols.powers import Power
from protocols.values import BusinessDate, Mark, NoDate, Text

MasterName = Literal[
    "offices",
    "categories",
    "supply_types",
    "charge_heads",
    "rates",
    "banks",
    "branches",
    "holidays",
    "number_series",
    "complaint_categories",
    "meter_makes",
    "tills",
    "payment_rules",
]
Key = Annotated[str, Meta(pattern=r"^[A-Z0-9-]{1,16}\Z", description="an object's code or day")]
NoKey = Annotated[str, Meta(pattern=r"^[A-Z0-9-]{0,16}\Z", description="a key, or nothing")]
FieldName = Annotated[str, Meta(pattern=r"^[a-z_]{1,30}\Z", description="a field's name")]
Row = Annotated[dict[FieldName, Text], Meta(max_length=20)]


class ListMaster(Body, frozen=True):
    """One master as it stands on a day ('' is today), by key; a page of it after the key
    ``after``.
    """

    master: MasterName
    as_of: NoDate = ""
    after: NoKey = ""


class MasterRow(Body, frozen=True):
    """One object: since when it stands so, and its fields."""

    key: str
    valid_from: str
    fields: dict[str, str]


class MasterRows(Body, frozen=True):
    """The objects by key; ``more``: ask again after the last."""

    master: str
    as_of: str
    rows: list[MasterRow]
    more: bool = False


class MasterHistory(Body, frozen=True):
    """Everything that was said about one object; ``mark``: after the page that answered it."""

    master: MasterName
    key: Key
    mark: Mark = ""


class MasterVersion(Body, frozen=True):
    """One version: from which day, its fields (none: ended), and when it was changed."""

    valid_from: str
    fields: dict[str, str] | None
    changed_at: str


class MasterVersions(Body, frozen=True):
    """The versions, newest first; ``mark``: where the next page begins, '' at the end."""

    versions: list[MasterVersion]
    mark: str = ""


class ChangeMaster(Body, frozen=True):
    """Put rows of a master from a day on, and end others; all of it or none."""

    master: MasterName
    valid_from: BusinessDate
    rows: Annotated[list[Row], Meta(max_length=500)]
    ended: Annotated[list[Key], Meta(max_length=500)]
    reason: Annotated[Text, Meta(min_length=3)]


OPERATIONS = (
    Operation("masters.list", ListMaster, MasterRows, PEOPLE, keyed=False, purpose="list a master"),
    Operation(
        "masters.history",
        MasterHistory,
        MasterVersions,
        PEOPLE,
        keyed=False,
        purpose="see how a master changed",
    ),
    Operation(
        "masters.change",
        ChangeMaster,
        Pending,
        frozenset({Role.ADMIN}),
        keyed=True,
        purpose="change a master",
        four_eyes=FourEyes(Power.MASTERS),
    ),
)
