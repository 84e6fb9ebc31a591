"""Which event can come in which state: the table's other half.

Every (state, event) pair has a row, or only teaches (``TEACHES`` says what), or is impossible. A
result can come only where the order that asks for it may still be under way: in the state that
gives it, and in those that can be reached before it is answered. An impossible event is our
mistake: it teaches nothing and raises an alarm. This file must not know what rows do.
"""

from __future__ import annotations

from typing import Final

from cluster import events as ev
from cluster.states import State

TEACHES: Final[dict[type[ev.Event], str]] = {
    ev.Booted: "A daemon that is already asked to stop reads its disk all the same.",
    ev.Tick: "Time passes; nothing is due.",
    ev.BeatHeard: "What the peer said, and that it lives.",
    ev.RelayHeard: "What the arbiter heard of the peer, and that the arbiter lives.",
    ev.ArbiterLost: "The arbiter is not heard from now on.",
    ev.RecordRead: "What the arbiter holds.",
    ev.ReadFailed: "Nothing; the next read may be ordered.",
    ev.SwapConfirmed: "What the arbiter holds, and that nothing older of ours can land.",
    ev.SwapRefused: "What the arbiter holds.",
    ev.SwapAmbiguous: "What may still land.",
    ev.SwapFailed: "That it cannot land.",
    ev.Probed: "How PostgreSQL stands.",
    ev.ProbeFailed: "Whether the machine starves; the time since the last good probe speaks.",
    ev.DiskSeen: "How the disk stands.",
    ev.PostgresStarted: "That PostgreSQL runs.",
    ev.PostgresExited: "That PostgreSQL does not run.",
    ev.StandbyAdmitted: "That this copy was shown to be whole, and the peer may follow it.",
    ev.Promoted: "That PostgreSQL left recovery.",
    ev.NamesSet: "Which names stand.",
    ev.WaitSeen: "The barrier, if the attempt is still the same.",
    ev.FenceWritten: "Which term the fence carries.",
    ev.EpochKept: "That the record known is on the disk: the next compare-and-swap may leave.",
    ev.TokenKept: "Which generation this copy acknowledges.",
    ev.ClaimKept: "Whose promotion comes.",
    ev.StockTaken: "Whether a second copy fits here.",
    ev.Rewound: "That this copy is a prefix of the peer's.",
    ev.Cloned: "That a fresh copy stands here.",
    ev.Initialised: "That an empty cluster stands here.",
    ev.Checkpointed: "That a switchover may go on.",
    ev.WorkFinished: "That nothing is being served any more.",
    ev.Leaving: "Nothing new: the daemon is leaving.",
    ev.ActionFailed: "That the order is over, and when to try again.",
}

_S = State
_KEPT_UP: Final = frozenset({_S.READING, _S.ISOLATED, _S.DRAINING})
"""A primary's orders may be under way when it goes there with PostgreSQL running."""

COMES_ONLY_IN: Final[dict[type[ev.Event], frozenset[State]]] = {
    ev.Booted: frozenset({_S.INIT, _S.DRAINING}),
    ev.PostgresStarted: _KEPT_UP
    | {_S.PRIMARY_GATED, _S.RECLAIMING, _S.PROMOTING, _S.STANDBY_CATCHUP, _S.STANDBY_SYNC},
    ev.StandbyAdmitted: _KEPT_UP | {_S.PRIMARY_GATED, _S.GOING_SOLO},
    ev.Promoted: frozenset({_S.PROMOTING, _S.DRAINING}),
    ev.NamesSet: _KEPT_UP
    | {_S.PRIMARY_GATED, _S.PRIMARY_SYNC, _S.PRIMARY_STALLED, _S.GOING_SOLO, _S.PRIMARY_SOLO}
    | {_S.SYNC_ENTRY, _S.PROMOTING, _S.RECLAIMING},
    ev.WaitSeen: _KEPT_UP | {_S.SYNC_ENTRY, _S.PRIMARY_SOLO, _S.PRIMARY_GATED},
    ev.FenceWritten: _KEPT_UP | {_S.PRIMARY_GATED, _S.GOING_SOLO, _S.PRIMARY_SOLO, _S.PROMOTING},
    ev.TokenKept: frozenset({_S.STANDBY_CATCHUP, _S.STANDBY_SYNC, _S.PROMOTING, _S.DRAINING}),
    ev.ClaimKept: frozenset({_S.PROMOTING, _S.FENCING, _S.READING, _S.DRAINING}),
    ev.StockTaken: frozenset({_S.REJOIN_CHECK, _S.RECLONING, _S.DRAINING}),
    ev.Rewound: frozenset({_S.REWINDING, _S.DRAINING}),
    ev.Cloned: frozenset({_S.RECLONING, _S.DRAINING}),
    ev.Initialised: frozenset({_S.READING, _S.FENCING, _S.DRAINING}),
}
NOT_IN_INIT: Final = (
    ev.RecordRead,
    ev.ReadFailed,
    ev.SwapConfirmed,
    ev.SwapRefused,
    ev.SwapAmbiguous,
    ev.SwapFailed,
    ev.Probed,
    ev.ProbeFailed,
    ev.DiskSeen,
    ev.PostgresExited,
    ev.EpochKept,
    ev.Checkpointed,
    ev.WorkFinished,
    ev.ActionFailed,
)
"""Before the disk is read nothing was ordered and PostgreSQL does not run."""
IMPOSSIBLE: Final[frozenset[tuple[State, type[ev.Event]]]] = frozenset(
    {
        *(
            (state, event)
            for event, only in COMES_ONLY_IN.items()
            for state in State
            if state not in only
        ),
        *((_S.INIT, event) for event in NOT_IN_INIT),
    }
)
"""Pairs that cannot come; ``step`` answers them with an alarm."""
