"""How long the machine waits for what, in seconds of the node's own monotonic clock.

Clocks move availability only: no value here can lose a payment. ``wrong`` names the one relation
that keeps a healthy pair from taking over while its primary is still deciding to go on alone.
"""

from __future__ import annotations

from msgspec import Struct

from config.settings import TimersSettings


class Timers(Struct, frozen=True):
    """The defaults of the failover page; ``timers_of`` builds this from the settings."""

    beat_s: float = 0.2
    suspect_s: float = 0.6
    """A link that was silent this long does not carry a peer's word any more."""
    stall_s: float = 0.5
    solo_s: float = 1.0
    takeover_s: float = 2.0
    isolate_s: float = 4.0
    yield_s: float = 1.0
    """After handing over, how long the old primary leaves the record to its standby."""
    hung_s: float = 2.0
    """PostgreSQL answers no probe for this long: hand over and stop it."""
    hung_alone_s: float = 10.0
    """The same where nobody could take over: a restart is all that is left, and on a disk that is
    only slow it costs a recovery and breaks the copy that the other node may be taking.
    """
    starved_s: float = 20.0
    """The same while the whole machine starves: a minute's burst of work passes, and the other
    server would meet it too; longer, and the clerks are better off with any change.
    """
    entry_s: float = 3.0
    """From offering a sync generation to the compare-and-swap that grants it."""
    backoff_s: float = 1.0
    backoff_cap_s: float = 30.0
    """Between attempts of sync entry, doubling: each stalls the clerks for up to entry_s."""
    retry_s: float = 0.2
    """Between two reads of the record, and between two compare-and-swaps of one intent."""
    restart_s: float = 0.5
    restart_cap_s: float = 5.0
    """Between attempts to start, clone or promote, doubling: no restart loop fills the log."""
    reclaim_s: float = 4.0
    """The claimant is silent this long: the previous primary may take its unopened claim back."""
    progress_s: float = 10.0
    """The claimant replays nothing for this long, or a standby streams nothing: not coming."""
    orphan_s: float = 20.0
    """A standby that cannot stream from a primary in good health for this long is cloned again."""
    leave_s: float = 2.0
    """How long a daemon that stops waits for its peer to know."""
    fault_s: float = 10.0
    """After a fault the node reads and judges again."""
    drain_s: float = 5.0
    """A switchover, from the shut gate to the other's claim; then this node serves again."""
    prepare_s: float = 60.0
    """The checkpoint before it; payments go on meanwhile."""
    told_s: float = 3600.0
    """How long an alarm about something that is over stands, unless somebody acts on it."""
    takeovers_per_hour: int = 6
    """After so many takeovers that nobody asked for, the pair pauses itself: see the settings."""
    gap_s: float = 0.5
    """A loop that stood still this long has heard nothing: silence is counted from its end."""
    fresh_s: float = 1.0
    """A probe's facts older than this prove nothing."""

    def wrong(self) -> str:
        """What does not fit, or ''."""
        if not self.solo_s < self.takeover_s:
            return "solo must be shorter than takeover: the primary decides before its standby"
        if not self.beat_s * 2 < self.suspect_s < self.takeover_s:
            return "suspect must lie between two beats and takeover"
        return ""


def timers_of(settings: TimersSettings) -> Timers:
    """The machine's timers as configured."""
    return Timers(
        beat_s=settings.beat_ms / 1000,
        suspect_s=settings.suspect_ms / 1000,
        stall_s=settings.stall_ms / 1000,
        solo_s=settings.solo_ms / 1000,
        takeover_s=settings.takeover_ms / 1000,
        isolate_s=settings.isolate_ms / 1000,
        takeovers_per_hour=settings.takeovers_per_hour,
    )
