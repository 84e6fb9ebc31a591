"""What the rest of the house may know of the cluster: one frozen value, published after every step.

The daemon opens for terminals only while ``open``; it acknowledges only what the standby of
``sync_name`` has flushed, or alone where ``alone``. It reads the standing before a transaction and
again after the COMMIT: what changed in between is doubt, and doubt is answered PENDING. This file
must not know how a standing comes about.
"""

from __future__ import annotations

from msgspec import Struct


class Standing(Struct, frozen=True):
    """Where this node stands: state name, epoch, term, gate, who acknowledges, where the primary's
    terminals port is.

    ``sync_name`` is the application name whose flush acknowledges ('' none). ``alone`` is true only
    in PRIMARY_SOLO after the confirmed grant. ``finishing``: the gate is shut for a switchover, and
    what was begun before may still be acknowledged (as ``sync_name`` says), for a moment.
    ``copies`` is 2 or 1, for people. ``postmaster_start``: of which start of PostgreSQL all this is
    said (microseconds, compared for equality only); 0: of none that was seen, the gate is shut.
    """

    node: str
    state: str
    epoch: int
    term: int
    open: bool
    alone: bool
    sync_name: str
    primary: str
    where: str
    copies: int
    reason: str
    finishing: bool = False
    postmaster_start: int = 0
