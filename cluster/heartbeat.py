"""What this node has heard of its peer, on the links and through the arbiter, and for how long not.

Silent means: no link alive both ways carried a healthy beat. A beat counts once: a duplicate, an
overtaken one, or one of a process that was replaced is not news. Silence is counted on the hearer's
own monotonic clock and only while its loop ran (``deafened`` after a stall). At the arbiter it is
the peer's counter that must stand still, in answers asked for after it was last seen to advance.
This file must not know what follows from silence.
"""

from __future__ import annotations

from msgspec import Struct, structs

from cluster.states import State
from protocols.peer import NodeBeat

MAX_BOOTS = 4
"""Replaced processes whose late beats are recognised: beats live seconds, restarts are rarer."""

BUFFERED_S = 0.05
"""What comes this soon after a stall of ours waited in a buffer meanwhile: it is no news."""

SERVING = frozenset({State.PRIMARY_SYNC, State.PRIMARY_SOLO, State.SYNC_ENTRY})
"""States in which a node that is well acknowledges payments."""


class Hearing(Struct, frozen=True):
    """The newest beat on any path and when it came; times in monotonic seconds, -inf for never.

    ``good_at_s``: a healthy beat came on a link and said that the peer hears us. ``both_at_s``: any
    that said so. ``peer_at_s``: any on a link. ``counter_at_s``: the arbiter was first seen with
    the peer's present counter. ``still_asked_s``: when the latest answer was asked for that still
    showed that counter.
    ``beat_at_s``: the newest beat came, on whatever path.
    ``served_at_s``: a beat came, on whatever path, by which the peer served.
    """

    beat: NodeBeat | None = None
    boots: tuple[tuple[str, int], ...] = ()
    """The latest processes of the peer, each with its last counter: one that still counts lives."""
    good_at_s: float = float("-inf")
    both_at_s: float = float("-inf")
    peer_at_s: float = float("-inf")
    beat_at_s: float = float("-inf")
    since_s: float = 0.0
    boot_at_arbiter: str = ""
    counter_at_arbiter: int = -1
    counter_at_s: float = float("-inf")
    still_asked_s: float = float("-inf")
    served_at_s: float = float("-inf")
    high_flush: int = 0
    term_epoch: int = 0
    """What the arbiter said before this epoch is of an earlier term's log."""
    progress: tuple[str, int] = ("", 0)
    progress_at_s: float = float("-inf")


def deafened(hearing: Hearing, now_s: float) -> Hearing:
    """After a stall of our own loop, or a new arbiter process: silence begins now."""
    return structs.replace(hearing, since_s=now_s, counter_at_s=now_s, still_asked_s=float("-inf"))


def _newer(hearing: Hearing, beat: NodeBeat) -> bool:
    return all(beat.boot != boot or beat.counter > last for boot, last in hearing.boots)


def _took(hearing: Hearing, beat: NodeBeat, now_s: float) -> Hearing:
    others = [one for one in hearing.boots if one[0] != beat.boot]
    boots = (*others, (beat.boot, beat.counter))[-MAX_BOOTS:]
    progress = (beat.state, beat.replay_lsn)
    hearing = structs.replace(hearing, beat=beat, boots=boots, beat_at_s=now_s)
    if progress == hearing.progress:
        return hearing
    return structs.replace(hearing, progress=progress, progress_at_s=now_s)


def _served(took: Hearing, now_s: float) -> float:
    beat = took.beat
    serves = beat is not None and beat.healthy and beat.handover == "" and beat.state in SERVING
    return now_s if serves else took.served_at_s


def _alive(hearing: Hearing, beat: NodeBeat, at_s: float) -> Hearing:
    """A link was alive both ways when this beat came."""
    both_at_s = max(hearing.both_at_s, at_s)
    good_at_s = max(hearing.good_at_s, at_s) if beat.healthy else hearing.good_at_s
    return structs.replace(hearing, both_at_s=both_at_s, good_at_s=good_at_s)


def heard(hearing: Hearing, beat: NodeBeat, now_s: float, suspect_s: float) -> Hearing:
    """A beat came on a link. ``suspect_s``: how recently the peer must have heard us."""
    alive = 0 <= beat.heard_ms < suspect_s * 1000
    if not _newer(hearing, beat):
        # The newest once more, over another link: that one may be alive both ways, the first not.
        # It counts from when the first came: a late copy is no news.
        same = (beat.boot, beat.counter) in hearing.boots[-1:]
        return _alive(hearing, beat, hearing.peer_at_s) if same and alive else hearing
    took = _took(hearing, beat, now_s)
    if hearing.beat is not None and now_s - hearing.since_s < BUFFERED_S:
        return took
    took = structs.replace(took, peer_at_s=now_s, served_at_s=_served(took, now_s))
    return _alive(took, beat, now_s) if alive else took


def relayed(
    hearing: Hearing, beat: NodeBeat | None, high_flush: int, asked_at_s: float, now_s: float
) -> Hearing:
    """The arbiter answered with the peer's freshest beat (None: it has none)."""
    boot, counter = (beat.boot, beat.counter) if beat else ("", -1)
    if (boot, counter) == (hearing.boot_at_arbiter, hearing.counter_at_arbiter):
        still = max(hearing.still_asked_s, asked_at_s)
        return structs.replace(hearing, still_asked_s=still, high_flush=high_flush)
    if beat is not None and _newer(hearing, beat):
        hearing = _took(hearing, beat, now_s)
        hearing = structs.replace(hearing, served_at_s=_served(hearing, now_s))
    return structs.replace(
        hearing,
        boot_at_arbiter=boot,
        counter_at_arbiter=counter,
        counter_at_s=now_s,
        still_asked_s=float("-inf"),
        high_flush=high_flush,
    )


def link_silence_s(hearing: Hearing, now_s: float) -> float:
    """For how long no link alive both ways carried a healthy beat."""
    return now_s - max(hearing.good_at_s, hearing.since_s)


def only_links_cut(hearing: Hearing, now_s: float, suspect_s: float) -> bool:
    """The peer lives, for its counter advances at the arbiter, and no link carries its beats."""
    at_arbiter = hearing.counter_at_arbiter >= 0 and now_s - hearing.counter_at_s < suspect_s
    return at_arbiter and now_s - hearing.peer_at_s >= suspect_s


def still_s(hearing: Hearing) -> float:
    """For how long the peer's counter provably stood still at the arbiter (negative: no proof)."""
    return hearing.still_asked_s - hearing.counter_at_s
