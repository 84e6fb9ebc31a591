"""Everything the machine may order, as values. The shell carries them out in order and reports by
events.

PostgreSQL actions run one after the other (never two at once); arbiter actions run beside them. An
order is complete in itself: the shell decides nothing. What the world may see (the gate, the beat)
is not ordered but derived from the mind after every step, so that it can never lag behind a
decision.
"""

from __future__ import annotations

from msgspec import Struct

from protocols.peer import Record


class Action(Struct, frozen=True):
    """The base of all actions."""


class ReadTheRecord(Action, frozen=True):
    """Read the record linearizably → RecordRead | ReadFailed."""


class SwapRecord(Action, frozen=True):
    """Compare-and-swap; the record carries its op_id → SwapConfirmed | SwapRefused |
    SwapAmbiguous.
    """

    expected: int | None
    record: Record


class KeepEpoch(Action, frozen=True):
    """fsync the highest epoch and incarnation seen → EpochKept."""

    epoch: int
    incarnation: int


class KeepToken(Action, frozen=True):
    """fsync this standby's sync generation and reconnect its walreceiver as ``<me>_<generation>`` →
    TokenKept.
    """

    generation: int


class KeepClaim(Action, frozen=True):
    """fsync the claim's op_id before promoting → ClaimKept."""

    op_id: str


class StartPrimary(Action, frozen=True):
    """Start PostgreSQL without standby.signal, with these names on disk before → PostgresStarted |
    ActionFailed.
    """

    names: str


class StartStandby(Action, frozen=True):
    """Start with standby.signal; follow ``source`` ('' = nobody) under ``<me>_<generation>`` →
    PostgresStarted.
    """

    source: str
    generation: int


class StopPostgres(Action, frozen=True):
    """Stop: ``fast`` with a deadline, or ``immediate``; SIGKILL after 2 s →
    PostgresExited(asked=True).
    """

    mode: str


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


class Clone(Action, frozen=True):
    """Keep the old data folder once, take a base backup of ``source`` into a new one → Cloned |
    ActionFailed.
    """

    source: str


class Alarm(Action, frozen=True):
    """Raise an alarm for people (``kind`` is its name in the runbook), or end it with an empty
    text.
    """

    kind: str
    text: str


class Note(Action, frozen=True):
    """A line of history: the rule's reason, as the operator reads it."""

    text: str
