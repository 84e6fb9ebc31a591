"""Everything the machine may order, as values. The shell carries them out in order and reports by
events.

PostgreSQL and disk actions run one after the other in the order given, arbiter actions and
KeepEpoch beside them. Every action that names a result gives exactly one (or ActionFailed with its
class name); StopPostgres overtakes: what runs or waits before it is abandoned without a result, and
PostgresExited comes even if nothing was running. What the world may see (the gate, the beat) is not
ordered but derived from the mind after every step, and published before the actions are carried
out, so that it never lags behind a decision.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from protocols.peer import Record

ANYTHING: Final = -1
STOP_DEADLINE_S: Final = 3.0
"""A fast stop of a daemon that is itself asked to end: its supervisor does not wait for ever."""


class Action(Struct, frozen=True):
    """The base of all actions."""


class ReadTheRecord(Action, frozen=True):
    """Read the record linearizably → RecordRead | ReadFailed."""


class SwapRecord(Action, frozen=True):
    """Compare-and-swap → SwapConfirmed | SwapRefused | SwapAmbiguous | SwapFailed.

    ``expected`` ANYTHING: whatever is stored now (a rebuild; the arbiter knows whether it may be).
    The record carries its op_id; the shell stamps ``wall_time``. Ambiguous after a deadline of
    about a second.
    """

    expected: int | None
    record: Record


class KeepEpoch(Action, frozen=True):
    """fsync the highest epoch and incarnation seen, and the record that has them → EpochKept |
    ActionFailed; until then no compare-and-swap leaves.

    ``excluded``: this node did not agree to the new incarnation, or gives its copy up; the rejoin
    marker goes with it.
    """

    epoch: int
    incarnation: int
    record: Record | None = None
    excluded: bool = False


class AdoptArbiter(Action, frozen=True):
    """An operator says that the arbiter was made anew. Reports nothing."""


class KeepToken(Action, frozen=True):
    """fsync this standby's sync generation and reconnect its walreceiver as ``<me>_<generation>`` →
    TokenKept. Also removes the rejoin marker: this copy is whole.
    """

    generation: int


class KeepClaim(Action, frozen=True):
    """fsync the claim's op_id before promoting → ClaimKept."""

    op_id: str


class StartPrimary(Action, frozen=True):
    """Start PostgreSQL without standby.signal, with these names on disk before, and let nobody
    follow it → PostgresStarted | ActionFailed.
    """

    names: str


class AdmitStandby(Action, frozen=True):
    """This copy was shown to be whole: the other node may follow and copy it → StandbyAdmitted."""


class StartStandby(Action, frozen=True):
    """Start with standby.signal; follow ``source`` ('' = nobody) under ``<me>_<generation>`` →
    PostgresStarted.

    On disk before the start: ``cluster.record.NOBODY_NAMES``, which nobody matches, so that a
    server promoted by hand blocks.
    """

    source: str
    generation: int


class Reroute(Action, frozen=True):
    """The network changed, not the record: replication goes over the peer's address number ``via``
    from now on; what still hangs on the addresses ``away`` is dropped. Reports nothing.
    """

    via: int
    away: tuple[str, ...]


class StopPostgres(Action, frozen=True):
    """Stop: ``fast`` with a deadline, or ``immediate``; SIGKILL after 2 s →
    PostgresExited(asked=True).

    A fast stop waits for the standby to take the last WAL; at the deadline it becomes immediate
    (fact F11).
    """

    mode: str
    deadline_s: float = STOP_DEADLINE_S


class Promote(Action, frozen=True):
    """pg_promote(false) and poll until out of recovery → Promoted | ActionFailed."""


class SetNames(Action, frozen=True):
    """Write synchronous_standby_names to postgresql.auto.conf, fsync, reload, confirm →
    NamesSet.
    """

    names: str


class HangProbe(Action, frozen=True):
    """Write until a commit is seen waiting for the names of ``generation`` → WaitSeen |
    ActionFailed.
    """

    generation: int


class WriteFence(Action, frozen=True):
    """Write the term into the fence row → FenceWritten."""

    term: int


class PrepareForStandby(Action, frozen=True):
    """After a promotion: a replication slot for the peer and a CHECKPOINT (so that rejoin checks
    tell the truth).
    """

    peer: str


class Checkpoint(Action, frozen=True):
    """CHECKPOINT, beside whatever else is ordered → Checkpointed | ActionFailed."""


class FinishWork(Action, frozen=True):
    """The gate is shut: let what is being served come to its end, for a moment → WorkFinished."""


class Clone(Action, frozen=True):
    """Take a base backup of ``source`` into a new data folder → Cloned | ActionFailed.

    ``keep`` the old folder until DropOldCopy; else it goes first, to make room. Lays the rejoin
    marker before it begins; forgets claim and token when done.
    """

    source: str
    keep: bool


class TakeStock(Action, frozen=True):
    """What stands here beyond ``left_at`` (0 unknown) of timeline ``tli``, kept durably for people,
    and whether a second copy fits → StockTaken | ActionFailed. ``forced``: an operator gave this
    copy up; what stands beyond may have been acknowledged.
    """

    tli: int
    left_at: int
    forced: bool = False


class Rewind(Action, frozen=True):
    """Rewind PGDATA to ``left_at`` and onto timeline ``tli`` of ``source`` → Rewound |
    ActionFailed.

    Lays the rejoin marker, and that this copy is torn, before it begins; forgets claim and token
    when done. What is not shown to be right has failed.
    """

    source: str
    tli: int
    left_at: int


class DropOldCopy(Action, frozen=True):
    """Remove the data folder kept by the last clone; nothing is reported."""


class Initialise(Action, frozen=True):
    """initdb in an absent PGDATA, for the first primary only → Initialised | ActionFailed. ``who``
    asked for it.
    """

    cluster_id: str
    who: str = ""


class BeatNow(Action, frozen=True):
    """Send a beat on every link and to the arbiter: something the peer acts on has changed."""


class Quit(Action, frozen=True):
    """Nothing is left to guard: PostgreSQL is down and the peer knows. The process may end."""


class AnswerVerb(Action, frozen=True):
    """What to say to the operator who asked ``verb``; ``ok`` means taken up (see status)."""

    verb: str
    ok: bool
    code: str
    sentence: str


class Alarm(Action, frozen=True):
    """Raise an alarm for people (``kind`` is its name in the runbook), or end it with an empty
    text.
    """

    kind: str
    text: str


class Note(Action, frozen=True):
    """A line of history: the rule's reason, as the operator reads it."""

    text: str
