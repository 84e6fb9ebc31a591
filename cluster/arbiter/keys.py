"""What mPower keeps in etcd, and how it is asked for: bodies of the v3 JSON gateway, pure.

Under the prefix lie ``record`` (the shared record), ``beat/<node>`` (what that node left last),
``lineage``, and ``kept`` (a sealed line that is not ours to read). Everything is read in one range
at one revision, and becomes the same ``Register`` as the witness's, so that what may be stored is
judged in one place. Invariants: a write compares whole
values, never parts; every beat carries what its writer knew to be the highest flush, so that it
outlives both writers; a node has confirmed its epoch only by a beat left in the present lineage.
It must not know how a body travels.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct

from cluster.arbiter import register as registers
from cluster.arbiter.register import Kept, Register
from protocols.peer import NodeBeat, Record

RECORD: Final = "record"
LINEAGE: Final = "lineage"
BEAT: Final = "beat/"
KEPT: Final = "kept"
T = TypeVar("T")


class Lineage(Struct, frozen=True, forbid_unknown_fields=True):
    """One unbroken history of this register; ``nonce`` names it, as a witness's process.

    ``doubted``: it began on what was restored, so each node confirms its epoch anew.
    """

    nonce: str
    doubted: bool = False


class Left(Struct, frozen=True, forbid_unknown_fields=True):
    """What a node left: its beat, in which lineage, and the highest flush of which generation it
    knew.
    """

    lineage: str
    beat: NodeBeat
    generation: int = 0
    high_flush: int = 0
    sync: str = ""
    term: int = 0


class KeptLine(Struct, frozen=True, forbid_unknown_fields=True):
    """A sealed line that a node left last."""

    text: str


class Stored(Struct, frozen=True):
    """One key's bytes, and the revision that wrote them."""

    raw: bytes
    modified: int


class Found(Struct, frozen=True):
    """All of it at one revision of one etcd cluster; ``done`` says whether the write that was
    asked for with it happened.
    """

    cluster: str
    revision: int
    keys: Mapping[str, Stored]
    done: bool = True

    @property
    def record(self) -> Record | None:
        """The shared record; None: there is none."""
        return self._one(RECORD, Record)

    @property
    def lineage(self) -> Lineage | None:
        """The present lineage; None: nobody was here yet."""
        return self._one(LINEAGE, Lineage)

    @property
    def line(self) -> KeptLine | None:
        """What was left to be kept; None: nothing."""
        return self._one(KEPT, KeptLine)

    def left(self, node: str) -> Left | None:
        """What this node left."""
        return self._one(BEAT + node, Left)

    def modified(self, name: str) -> int:
        """The revision that wrote this key; 0: it is not there."""
        return self.keys[name].modified if name in self.keys else 0

    def _one(self, name: str, kind: type[T]) -> T | None:
        if name not in self.keys:
            return None
        return msgspec.json.decode(self.keys[name].raw, type=kind)


def register_of(nodes: tuple[str, ...], found: Found) -> Register:
    """The register that these keys are."""
    record, lineage = found.record, found.lineage
    nonce = lineage.nonce if lineage is not None else ""
    there = {node: left for node in nodes if (left := found.left(node)) is not None}
    known = [
        left.high_flush
        for left in there.values()
        if record is not None
        and (left.sync, left.generation, left.term) == (record.sync, record.sync_gen, record.term)
    ]
    register = registers.start(nodes, nonce, Kept(record, max(known, default=0)))
    for left in there.values():
        register = registers.took(register, left.beat, 0.0)
    confirmed = register.confirmed
    if lineage is not None and not lineage.doubted:
        confirmed |= {node for node in nodes if node not in there}
    else:
        confirmed -= {node for node, left in there.items() if left.lineage != nonce}
    return msgspec.structs.replace(register, confirmed=confirmed)


def left_by(beat: NodeBeat, nonce: str, register: Register) -> Left:
    """What to leave with this beat, knowing this register."""
    record = register.record
    if record is None:
        return Left(nonce, beat)
    return Left(nonce, beat, record.sync_gen, register.high_flush, record.sync, record.term)


# ---- bodies


def everything(prefix: str) -> dict[str, Any]:
    """Range over all keys of ours, linearizably."""
    return {"key": _b64(prefix), "range_end": _b64(_after(prefix))}


def write(
    prefix: str, name: str, value: Struct, if_still: Mapping[str, Stored | None]
) -> dict[str, Any]:
    """Put ``value`` under ``name`` if each of ``if_still`` holds the same bytes, written by the
    same revision (None: is not there); either way everything is read.
    """
    compare: list[dict[str, Any]] = []
    for one, stored in if_still.items():
        key = _b64(prefix + one)
        if stored is None:
            compare.append({"key": key, "target": "CREATE", "create_revision": "0"})
            continue
        compare += [
            {"key": key, "target": "VALUE", "value": b64encode(stored.raw).decode()},
            {"key": key, "target": "MOD", "mod_revision": str(stored.modified)},
        ]
    put = {"key": _b64(prefix + name), "value": b64encode(msgspec.json.encode(value)).decode()}
    read = {"requestRange": everything(prefix)}
    return {
        "compare": compare,
        "success": [{"requestPut": put}, read],
        "failure": [read],
    }


def found_in(said: Mapping[str, Any], prefix: str) -> Found:
    """Read an answer to either body. int64 come as strings, and what is false, zero or empty is
    left out.
    """
    header = said.get("header", {})
    answers = said.get("responses")
    ranged = said
    done = True
    if answers is not None or "succeeded" in said:
        done = bool(said.get("succeeded", False))
        ranged = answers[-1].get("response_range", {}) if answers else {}
    keys = {
        b64decode(one["key"]).decode().removeprefix(prefix): Stored(
            b64decode(one.get("value", "")), int(one.get("mod_revision", 0))
        )
        for one in ranged.get("kvs", ())
    }
    return Found(
        cluster=str(header.get("cluster_id", "")),
        revision=int(header.get("revision", 0)),
        keys=keys,
        done=done,
    )


def _b64(text: str) -> str:
    return b64encode(text.encode()).decode()


def _after(prefix: str) -> str:
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)
