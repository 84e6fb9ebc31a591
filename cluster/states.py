"""The states of a node, and what each lets others see. The names are those of the operator's
manual.
"""

from __future__ import annotations

import enum


class State(enum.StrEnum):
    """Where a node stands. Guards (paused, strict, maintenance) are not states."""

    INIT = "INIT"
    READING = "READING"
    PRIMARY_GATED = "PRIMARY_GATED"
    PRIMARY_SYNC = "PRIMARY_SYNC"
    PRIMARY_STALLED = "PRIMARY_STALLED"
    GOING_SOLO = "GOING_SOLO"
    PRIMARY_SOLO = "PRIMARY_SOLO"
    SYNC_ENTRY = "SYNC_ENTRY"
    DRAINING = "DRAINING"
    STANDBY_CATCHUP = "STANDBY_CATCHUP"
    STANDBY_SYNC = "STANDBY_SYNC"
    CLAIMING = "CLAIMING"
    PROMOTING = "PROMOTING"
    RECLAIMING = "RECLAIMING"
    ISOLATED = "ISOLATED"
    FENCING = "FENCING"
    REJOIN_CHECK = "REJOIN_CHECK"
    REWINDING = "REWINDING"
    RECLONING = "RECLONING"
    FAULT = "FAULT"


PRIMARIES = frozenset(
    {
        State.PRIMARY_GATED,
        State.PRIMARY_SYNC,
        State.PRIMARY_STALLED,
        State.GOING_SOLO,
        State.PRIMARY_SOLO,
        State.SYNC_ENTRY,
    }
)
"""States in which this node believes the record names it and it has been opened."""
STANDBYS = frozenset({State.STANDBY_CATCHUP, State.STANDBY_SYNC, State.CLAIMING, State.PROMOTING})


def role_of(state: State) -> str:
    """A state in one word for people: primary, standby, or none (starting, fenced, cloning …)."""
    if state in PRIMARIES:
        return "primary"
    return "standby" if state in STANDBYS else "none"
