"""Four eyes: what waits for a second person, and what that person does with it.

An operation that is four-eyes is answered with Pending: its request waits, with before and after,
until another person who holds the power approves it. Who decides names the version and the content
they saw.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from protocols.catalogue.body import Body
from protocols.operation import About, Operation, Role
from protocols.powers import Power
from protocols.values import BusinessDate, StaffNumber, Text

RequestNumber = Annotated[int, Meta(ge=1, le=2**62)]
Version = Annotated[int, Meta(ge=1, le=32_000)]
Content = Annotated[bytes, Meta(min_length=32, max_length=32)]
Remark = Annotated[Text, Meta(min_length=3)]
OperationName = Annotated[str, Meta(max_length=60, pattern=r"^[a-z_]+\.[a-z_]+\Z")]


class Pending(Body, frozen=True):
    """The answer of every four-eyes operation: request number, its version and content, who may
    approve, until when.

    ``done``: it was carried out at once, because nobody but its maker has ever held the power
    (the board's first administrator, alone); it stays marked so.
    """

    request: int
    version: int
    content: bytes
    power: str
    office: str
    due_at: str
    done: bool = False


class Inbox(Body, frozen=True):
    """What waits for me (``mine`` false), or what I asked for (true); after the page that answered
    ``mark``.
    """

    mine: bool = False
    most: Annotated[int, Meta(ge=1, le=100)] = 50
    mark: Annotated[str, Meta(pattern=r"^[0-9]{0,18}\Z")] = ""


class Waiting(Body, frozen=True):
    """One request in a list. ``value`` in the unit of its power."""

    request: int
    operation: str
    object: str
    power: str
    value: int
    office: str
    version: int
    content: bytes
    state: str
    maker: str
    maker_name: str
    reason: str
    asked_at: str
    due_at: str


class Requests(Body, frozen=True):
    """The requests, oldest first; my own newest first; ``mark``: where the next page begins, '' at
    the end.
    """

    requests: list[Waiting]
    mark: str = ""


class Show(Body, frozen=True):
    """One request whole; ``body``: as it was asked, in place of its changes, for an edit."""

    request: RequestNumber
    body: bool = False


class Change(Body, frozen=True):
    """One field as it is and as it would be; '' where there is none."""

    field: str
    before: str
    after: str


class Act(Body, frozen=True):
    """One act upon a request. ``lent_by``: whose power was used, if it was lent."""

    act: str
    version: int
    person: str
    user: str
    lent_by: str
    to: str
    remark: str
    at: str


class Shown(Body, frozen=True):
    """A request with its changes, or its body, and its history: the newest acts upon it, as many
    as fit (the audit has all).
    """

    request: Waiting
    changes: list[Change]
    acts: list[Act]
    forwarded_to: str = ""
    body: bytes = b""


class Approve(Body, frozen=True):
    """Approve: it is carried out in the same transaction. ``version`` and ``content`` as shown."""

    request: RequestNumber
    version: Version
    content: Content
    remark: Text = ""


class Approved(Body, frozen=True):
    """What was approved and its object."""

    request: int
    operation: str
    object: str


class Decision(Body, frozen=True):
    """One of several requests that are approved together."""

    request: RequestNumber
    version: Version
    content: Content


class ApproveMany(Body, frozen=True):
    """Approve up to 50 requests; each is carried out or refused on its own. Together they stay
    within the approver's power, and within what is decided by one stroke at all.
    """

    decisions: Annotated[list[Decision], Meta(min_length=1, max_length=50)]
    remark: Text = ""


class Decided(Body, frozen=True):
    """One of several: ``code`` is '' where it was approved and carried out, else the refusal's."""

    request: int
    code: str
    sentence: str


class ApprovedMany(Body, frozen=True):
    """What became of each, in the order asked."""

    decided: list[Decided]


class Answer(Body, frozen=True):
    """Return a request to its maker, reject it for good, or (its maker) withdraw it."""

    request: RequestNumber
    version: Version
    content: Content
    remark: Remark


class Forward(Body, frozen=True):
    """Endorse a request and forward it to somebody who holds the power for it."""

    request: RequestNumber
    version: Version
    content: Content
    to: StaffNumber
    remark: Remark


class Edit(Body, frozen=True):
    """Put another body in place of the request's: the maker's alone. What was said about the former
    one (an endorsement, a return) no longer stands.
    """

    request: RequestNumber
    version: Version
    content: Content
    operation: OperationName
    body: Annotated[bytes, Meta(max_length=60_000)]
    reason: Remark


class Settled(Body, frozen=True):
    """A request and its state now."""

    request: int
    state: str


class Delegate(Body, frozen=True):
    """Lend one of my powers to a colleague from a day to a day (both included, at most 60 days)."""

    to: StaffNumber
    power: Power
    valid_from: BusinessDate
    valid_to: BusinessDate
    reason: Remark


class EndDelegation(Body, frozen=True):
    """Take a lent power back now."""

    delegation: RequestNumber


class Delegation(Body, frozen=True):
    """A lent power."""

    delegation: int
    to: str
    power: str
    valid_from: str
    valid_to: str


DECIDERS = frozenset({Role.OFFICER, Role.ADMIN})
MAKERS = frozenset({Role.CLERK, Role.RECEIVER, Role.OFFICER, Role.OPS, Role.ADMIN})
OPERATIONS = (
    Operation(
        "approvals.inbox", Inbox, Requests, MAKERS, keyed=False, purpose="list pending requests"
    ),
    Operation(
        "approvals.show",
        Show,
        Shown,
        MAKERS | {Role.AUDITOR},
        keyed=False,
        purpose="look at a request",
    ),
    Operation(
        "approvals.approve",
        Approve,
        Approved,
        DECIDERS,
        keyed=True,
        purpose="approve a request",
        again="by value",
        about=About("request", "request"),
    ),
    Operation(
        "approvals.approve_many",
        ApproveMany,
        ApprovedMany,
        DECIDERS,
        keyed=True,
        purpose="approve several requests",
        again="by value",
    ),
    Operation(
        "approvals.reject",
        Answer,
        Settled,
        DECIDERS,
        keyed=True,
        purpose="reject a request",
        about=About("request", "request"),
    ),
    Operation(
        "approvals.send_back",
        Answer,
        Settled,
        DECIDERS,
        keyed=True,
        purpose="return a request to its maker",
        about=About("request", "request"),
    ),
    Operation(
        "approvals.forward",
        Forward,
        Settled,
        DECIDERS,
        keyed=True,
        purpose="endorse a request and forward it",
        about=About("request", "request"),
    ),
    Operation(
        "approvals.withdraw",
        Answer,
        Settled,
        MAKERS,
        keyed=True,
        purpose="withdraw a request",
        about=About("request", "request"),
    ),
    Operation(
        "approvals.edit",
        Edit,
        Pending,
        MAKERS,
        keyed=True,
        purpose="edit a request",
        again="by value",
        about=About("request", "request"),
    ),
    Operation(
        "approvals.delegate", Delegate, Delegation, DECIDERS, keyed=True, purpose="lend a power"
    ),
    Operation(
        "approvals.end_delegation",
        EndDelegation,
        Delegation,
        DECIDERS,
        keyed=True,
        purpose="take a lent power back",
        about=About("delegation", "delegation"),
    ),
)
