"""A machine's next certificate, asked for over its own link: it keeps its key, the authority's key
is on no node, so a request waits until an administrator has signed it where that key lives.

Asking, fetching and using are the machine's own, by its certificate, whoever sits there.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from protocols.catalogue.body import Body
from protocols.operation import MACHINES, About, Operation, Role
from protocols.values import Text

PEM_CHARACTERS = 6_000
"""A request has under two kilobytes, a certificate under one; a page of requests fits a frame."""
PAGE = 8
Pem = Annotated[
    str,
    Meta(max_length=PEM_CHARACTERS, pattern=r"^[\x20-\x7e\n]+\Z", description="text of a PEM file"),
]
NoPem = Annotated[
    str,
    Meta(
        max_length=PEM_CHARACTERS,
        pattern=r"^[\x20-\x7e\n]*\Z",
        description="a PEM file, or nothing",
    ),
]
Digest = Annotated[
    str, Meta(pattern=r"^[0-9a-f]{64}\Z", description="SHA-256 of the request, in hexadecimal")
]
RequestId = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class Ask(Body, frozen=True):
    """Ask for this machine's next certificate: the request as ``mpower pki request`` writes it, and
    its SHA-256. A later one takes the place of the machine's request that still waits.
    """

    digest: Digest
    request: Pem


class Asked(Body, frozen=True):
    """The request as it is kept, since when (ISO UTC)."""

    request_id: int
    since: str


class Fetch(Body, frozen=True):
    """Ask what became of this machine's request."""

    digest: Digest


class Fetched(Body, frozen=True):
    """``state``: NONE, WAITING, SIGNED, REFUSED or USED; the certificate, or why it was refused."""

    state: str
    since: str = ""
    certificate: str = ""
    why: str = ""


class Use(Body, frozen=True):
    """Say that this machine now calls with the certificate of that request."""

    digest: Digest


class Used(Body, frozen=True):
    """The request, and since when its certificate is in use."""

    request_id: int
    since: str


class Waiting(Body, frozen=True):
    """The requests that wait for a signature, the oldest first, after that number."""

    after: RequestId = 0


class WaitingRow(Body, frozen=True):
    """One request: the machine that sent it, by its certificate (``counter/C001``), since when,
    from which address, and the request.
    """

    request_id: int
    subject: str
    since: str
    address: str
    request: str


class WaitingRows(Body, frozen=True):
    """A page of requests; ``more``: ask again after the last."""

    rows: list[WaitingRow]
    more: bool


class Settle(Body, frozen=True):
    """Answer a request once: with its certificate, or with the reason why there is none."""

    request_id: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    certificate: NoPem = ""
    reason: Text = ""


class Settled(Body, frozen=True):
    """Whose request it was, and what became of it: SIGNED or REFUSED."""

    request_id: int
    subject: str
    state: str


ADMINS = frozenset({Role.ADMIN})
OPERATIONS = (
    Operation(
        "certificates.ask",
        Ask,
        Asked,
        MACHINES,
        keyed=True,
        principal=True,
        purpose="ask for the machine's next certificate",
        about=About("certificate", "digest"),
    ),
    Operation(
        "certificates.fetch",
        Fetch,
        Fetched,
        MACHINES,
        keyed=False,
        principal=True,
        purpose="fetch the machine's next certificate",
    ),
    Operation(
        "certificates.use",
        Use,
        Used,
        MACHINES,
        keyed=True,
        principal=True,
        purpose="say that the machine's next certificate is in use",
        about=About("certificate", "digest"),
    ),
    Operation(
        "certificates.waiting",
        Waiting,
        WaitingRows,
        ADMINS,
        keyed=False,
        purpose="see which requests for a certificate wait",
    ),
    Operation(
        "certificates.settle",
        Settle,
        Settled,
        ADMINS,
        keyed=True,
        purpose="answer a request for a certificate",
        about=About("certificate", "request_id"),
    ),
)
