"""Gives one node an operator's verb: look first, ask with the epoch that was seen, say what came of
it.

A verb for the primary goes to the node that is open, any other to one that hears the arbiter: one
that is cut off knows only an old record, and could tell nobody. A refusal ends with the node's own
sentence. What was asked and not answered is never asked again by itself. It must not know what a
verb means.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from clients.door import Ended, Exit
from clients.ops.seen import Seen, sorted_out
from clients.ops.silence import PAIR, names_of, nobody
from clients.ops.verdict import hears

if TYPE_CHECKING:
    from clients.ops.asking import Asking
    from config.settings import ClientSettings
    from protocols.peer import Record

STATUS_DEADLINE_S: Final = 1.0
VERB_DEADLINE_S: Final = 10.0
"""A compare-and-swap takes milliseconds; an arbiter that hangs is given up after a second."""


class RefusedByNode(Ended):
    """A node said no; ``why`` is its code, for whoever may ask again."""

    def __init__(self, why: str, sentence: str) -> None:
        mistyped = why in {"USAGE", "UNKNOWN_NODE"}
        super().__init__(Exit.USAGE if mistyped else Exit.REFUSED, sentence)
        self.why = why


class Told(Struct, frozen=True):
    """What a node said to a verb, and what had been seen before it was asked."""

    node: str
    said: str
    seen: Seen
    data: dict[str, Any]


async def look(asking: Asking, settings: ClientSettings) -> Seen:
    """Ask everybody for their status."""
    at_s = time.time()
    witness = [settings.witness] if settings.witness else []
    heard = await asking.every([*settings.peers, *witness], "status", {}, STATUS_DEADLINE_S)
    return sorted_out(heard, len(settings.peers), at_s)


def record_of(seen: Seen) -> Record | None:
    """The newest record that anybody showed."""
    known = [one.record for one in seen.nodes if one.record is not None]
    if seen.witness is not None and seen.witness.record is not None:
        known.append(seen.witness.record)
    return max(known, key=lambda one: (one.incarnation, one.epoch), default=None)


def asked_node(seen: Seen, wanted: str | None) -> str:
    """Which node is asked: ``wanted``, "" the primary, None whichever can tell the arbiter, of the
    latest record; Ended if it does not answer.
    """
    names = [one.node for one in seen.nodes]
    if not names:
        raise Ended(Exit.NOT_REACHABLE, nobody(seen.silent))
    if wanted is None:
        best = max(seen.nodes, key=lambda one: (hears(one.arbiter_heard_ms), one.epoch, one.open))
        return best.node
    primary = wanted == ""
    if primary:
        record = record_of(seen)
        wanted = record.primary if record is not None else names[0]
    if wanted in names:
        return wanted
    pair = names_of(seen)
    if wanted not in pair and len(pair) == PAIR:
        raise Ended(Exit.USAGE, f"There is no node {wanted}. It can only be {' or '.join(pair)}.")
    back = f"Bring it back: power, network, 'systemctl start mpower-node' on {wanted}."
    if primary:
        why = f"{wanted}, the primary by record, does not answer, and only it can give its place up"
        back = f"'mpower cluster explain' says whether the other takes over by itself. {back}"
    else:
        why = f"Node {wanted} does not answer, and only it can do that"
    raise Ended(Exit.NO_PRIMARY, f"{why}. {back}")


async def give(
    asking: Asking,
    settings: ClientSettings,
    verb: str,
    arguments: dict[str, str],
    *,
    to: str | None = None,
    seen: Seen | None = None,
    deadline_s: float = VERB_DEADLINE_S,
) -> Told:
    """Ask a node this verb, at the epoch that is seen now (or was seen in ``seen``)."""
    seen = seen or await look(asking, settings)
    node = asked_node(seen, to)
    record = record_of(seen)
    at = {"epoch": str(record.epoch if record is not None else 0)}
    address = seen.places[node]
    heard = await asking.one(address, verb, {**at, **arguments}, deadline_s)
    if heard.answer is None:
        raise Ended(
            Exit.FAILED,
            f"{node} ({address}): {heard.trouble}. It may have been done or not:"
            f" see 'mpower cluster status' before you ask again.",
        )
    if not heard.answer.ok:
        raise RefusedByNode(heard.answer.code, heard.answer.sentence)
    data = msgspec.json.decode(heard.answer.data)
    return Told(node, str(data.get("said", "")), seen, data)
