"""The register as a pure value: what the witness stores, and what the fake is made of.

Invariants: the epoch grows by exactly one with every stored record; nothing is answered as done
before the caller has made it durable (``judge``, then store, then ``swapped``). After a start it
does not believe its own file until both nodes' beats have confirmed it, or a record says that an
operator stands for a lost one in this very life: until then nobody claims and nobody goes alone. If
a node has seen a later epoch, the file was rolled back; then nothing is stored but a record of a
new incarnation, by which people rebuild it; nor after one that was moved to another arbiter. It
must not know who is right, only what follows what.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct, structs

from cluster.record import is_forced
from protocols.peer import NodeBeat, Record, Relay

ROLLED_BACK: Final = "a node has seen a later epoch than is stored here (rolled back?)"


class Kept(Struct, frozen=True, forbid_unknown_fields=True):
    """What is durable: the record, and the highest flush the standby reported in its generation,
    or the primary of itself while it serves alone.
    """

    record: Record | None = None
    high_flush: int = 0


class Heard(Struct, frozen=True):
    """A node's freshest beat, and when its counter last moved on our clock."""

    beat: NodeBeat
    moved_s: float


class Register(Struct, frozen=True):
    """The stored record and what this process has heard since it began (``nonce``)."""

    nodes: tuple[str, ...]
    nonce: str
    record: Record | None = None
    high_flush: int = 0
    confirmed: frozenset[str] = frozenset()
    ahead_epoch: int = 0
    heard: tuple[Heard, ...] = ()


def start(nodes: tuple[str, ...], nonce: str, kept: Kept) -> Register:
    """A new process on what the file holds."""
    return Register(nodes, nonce, record=kept.record, high_flush=kept.high_flush)


def kept_of(register: Register, record: Record) -> Kept:
    """What to write, durably, before ``record`` may be called stored."""
    return Kept(record, _flush_after(register, record))


def kept_flush(register: Register, kept: Kept) -> Kept | None:
    """What to write when nothing else is: a higher flush than the file remembers, or None.

    Without it a restarted arbiter would let a standby claim that was set back meanwhile.
    """
    if register.record is None or register.high_flush <= kept.high_flush:
        return None
    return Kept(register.record, register.high_flush)


def judge(register: Register, expected: int | None, record: Record) -> str:
    """Why ``record`` may not be stored, or ''."""
    stored = register.record
    stored_epoch = stored.epoch if stored is not None else 0
    if _is_rebuilt(register, record):
        return _may_not_rebuild(register, expected, record)
    if register.ahead_epoch > stored_epoch:
        return ROLLED_BACK
    if stored is not None and stored.moved:
        return closed_to(stored)
    if (expected or 0) != stored_epoch or (expected is None) != (stored is None):
        return f"epoch {expected} was expected, {stored_epoch} is stored"
    if record.epoch != stored_epoch + 1:
        return f"epoch {record.epoch} does not follow {stored_epoch}"
    if stored is None:
        return ""
    return _does_not_follow(register, stored, record)


def closed_to(stored: Record) -> str:
    """What is said of an arbiter whose record was moved away."""
    return f"this arbiter is closed: the record was moved to {stored.moved}"


def _is_rebuilt(register: Register, record: Record) -> bool:
    """A record of a new incarnation, with the names of those who agreed."""
    stored = register.record
    later = record.incarnation > (stored.incarnation if stored is not None else 0)
    return later and bool(record.consented) and not is_forced(stored, record)


def _may_not_rebuild(register: Register, expected: int | None, record: Record) -> str:
    """A register that is whole is never rebuilt; whoever agreed is here, whoever did not is not."""
    stored = register.record
    stored_epoch = stored.epoch if stored is not None else 0
    if expected != (stored.epoch if stored is not None else None):
        return f"epoch {expected} was expected, {stored_epoch} is stored"
    if stored is not None and register.ahead_epoch <= stored_epoch and not stored.moved:
        return f"the record here is whole (epoch {stored_epoch}): there is nothing to rebuild"
    if stored is not None and record.cluster_id != stored.cluster_id:
        return "the record is of another cluster"
    if record.epoch <= max(stored_epoch, register.ahead_epoch):
        return f"a node has seen epoch {register.ahead_epoch}, and {record.epoch} is not above it"
    there = {one.beat.node for one in register.heard}
    for node in sorted(register.nodes):
        if node in record.consented and node not in there:
            return f"{node} agreed and is not heard here"
        if node not in record.consented and node in there:
            return f"{node} is heard here and did not agree"
    return ""


def doubt(register: Register) -> str:
    """Why nobody may claim or go alone for now, or ''."""
    stored_epoch = register.record.epoch if register.record is not None else 0
    if register.ahead_epoch > stored_epoch:
        return ROLLED_BACK
    if register.record is not None and register.record.moved:
        return closed_to(register.record)
    waiting = sorted(set(register.nodes) - register.confirmed)
    vouched = register.record is not None and register.record.trusted == register.nonce
    if register.record is not None and waiting and not vouched:
        return f"this arbiter was restarted and {', '.join(waiting)} has not confirmed its epoch"
    return ""


def _does_not_follow(register: Register, stored: Record, record: Record) -> str:
    if (record.cluster_id, record.system_id) != (stored.cluster_id, stored.system_id):
        return "the record is of another cluster"
    if record.incarnation < stored.incarnation:
        return "the incarnation is older than the stored one"
    if record.sync_gen < stored.sync_gen:
        return "the sync generation is older than the stored one"
    moved = record.primary != stored.primary or is_forced(stored, record)
    if record.term != stored.term + (1 if moved else 0):
        return "the term grows by one with a new primary, and only then"
    alone = stored.sync != "" and record.sync == ""
    return doubt(register) if moved or alone else ""


def _flush_after(register: Register, record: Record) -> int:
    stored = register.record
    same = stored is not None and _flushing(stored) == _flushing(record)
    return register.high_flush if same else 0


def _flushing(record: Record) -> tuple[str, int, int]:
    """Whose flush is remembered: the standby's of a generation, or the primary's that is alone."""
    return (record.sync, record.sync_gen, record.term)


def swapped(register: Register, record: Record) -> Register:
    """``record`` is durable."""
    anew = register.record is None or _is_rebuilt(register, record)
    confirmed = frozenset(register.nodes) if anew else register.confirmed
    return structs.replace(
        register,
        record=record,
        high_flush=_flush_after(register, record),
        confirmed=confirmed,
        ahead_epoch=0 if anew else register.ahead_epoch,
    )


def took(register: Register, beat: NodeBeat, now_s: float) -> Register:
    """A node left its beat. ``now_s``: our monotonic time, for people only."""
    record = register.record
    known = [one for one in register.heard if one.beat.node != beat.node]
    before = [one for one in register.heard if one.beat.node == beat.node]
    same = before and before[0].beat.boot == beat.boot
    if same and beat.counter <= before[0].beat.counter:
        return register  # a duplicate or an overtaken one
    stored = (record.incarnation, record.epoch) if record is not None else (0, 0)
    unmade = record is not None and _knows_later_term(beat, record)
    if (beat.incarnation, beat.epoch) <= stored and not unmade:
        confirmed = register.confirmed | {beat.node}
        ahead = register.ahead_epoch
    else:
        confirmed = register.confirmed - {beat.node}
        ahead = max(register.ahead_epoch, beat.epoch, stored[1] + 1 if unmade else 0)
    flush = register.high_flush
    if record is not None and (record.sync, record.sync_gen) == (beat.node, beat.token):
        flush = max(flush, beat.receive_lsn)
    if record is not None and (record.primary, record.epoch) == (beat.node, beat.epoch):
        flush = max(flush, beat.vouched_lsn)
    return structs.replace(
        register,
        heard=(*known, Heard(beat, now_s)),
        confirmed=confirmed,
        ahead_epoch=ahead,
        high_flush=flush,
    )


def _knows_later_term(beat: NodeBeat, record: Record) -> bool:
    """Terms only grow: the node knows of a claim that is not in this history, whatever its epoch
    has been counted up to.
    """
    return beat.incarnation == record.incarnation and beat.term > record.term


def relay_for(register: Register, node: str, now_s: float) -> Relay:
    """The answer to ``node``'s beat."""
    others = [one for one in register.heard if one.beat.node != node]
    other = others[-1] if others else None
    return Relay(
        peer=other.beat if other else None,
        still_ms=int((now_s - other.moved_s) * 1000) if other else 0,
        high_flush=register.high_flush,
        nonce=register.nonce,
        epoch=register.record.epoch if register.record is not None else 0,
        doubt=doubt(register),
    )
