"""``mpower cluster history``: every term (who, when, why, how long nobody served), and every
person's act.

Each node keeps the changes of the record that it learnt of; both are asked and their answers
merged, so that the loss of one node costs little. Times are those of the node that made the change.
``page`` is pure. It must not know how a term comes about.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec
from msgspec import Struct

from clients.door import Ended, Exit, answer, client_settings, json_option
from clients.ops.notices import when
from clients.ops.reactor import on_reactor
from clients.ops.silence import nobody, sentences
from clients.ops.verbs import STATUS_DEADLINE_S, look
from protocols.annals import FIRST, ROUTINE, Entry, Term, acts_of, merged, terms_of

if TYPE_CHECKING:
    from clients.ops.asking import Asking, Heard
    from clients.ops.seen import Seen

COLUMNS: Final = ("when", "term", "what", "no service for")
PAIR: Final = 2
BEGAN: Final = {
    "bootstrap": "{primary} made the cluster",
    "claim": "{primary} took over from {prev}",
    "reclaim": "{primary} took its place back",
    "failover": "{primary} was made the primary by force",
}


class Book(Struct, frozen=True):
    """One node's answer."""

    node: str
    entries: list[Entry]


class Told(Struct, frozen=True):
    """What the ``nodes`` that answered have kept; ``silent`` which addresses did not, why."""

    entries: list[Entry]
    nodes: list[str]
    silent: dict[str, str]


def told_of(heard: list[Heard]) -> Told:
    """Merge the answers. Links are several addresses of one node: one that answers is enough."""
    books: list[Book] = []
    silent: dict[str, str] = {}
    for one in heard:
        if one.answer is not None and one.answer.ok:
            books.append(msgspec.json.decode(one.answer.data, type=Book))
        else:
            silent[one.address] = one.trouble or (one.answer.sentence if one.answer else "")
    nodes = sorted({book.node for book in books})
    return Told(merged(*(book.entries for book in books)), nodes, silent)


def history_json(told: Told) -> dict[str, Any]:
    """For programs: terms, people's acts, and every change."""
    changes = [
        {**msgspec.structs.asdict(one), "kind": one.kind, "routine": one.kind in ROUTINE}
        for one in told.entries
    ]
    acts = {one.place for one in acts_of(told.entries)}
    places = [one.place for one in told.entries]
    return {
        "terms": msgspec.to_builtins(terms_of(told.entries)),
        "acts": [change for change, at in zip(changes, places, strict=True) if at in acts],
        "changes": changes,
        "nodes": told.nodes,
        "silent": told.silent,
    }


def page(told: Told, *, every: bool = False, silent: list[str] | None = None) -> str:
    """For people: a line a term and a line an act, oldest first; ``every`` change with it;
    ``silent``: a sentence for each machine that is.
    """
    if not told.entries:
        return "Nothing has happened yet: no record was ever made (mpower cluster bootstrap)."
    terms = {one.epoch: one for one in terms_of(told.entries)}
    rows = [COLUMNS]
    for one in told.entries:
        term = terms.get(one.epoch)
        if term is not None:
            rows.append((when(term.since_s), str(term.term), _began(term), _gap(term)))
        elif every or not (one.kind in ROUTINE or one.kind == "open"):
            text = one.reason[:1].upper() + one.reason[1:]
            rows.append((when(one.wall_time), str(one.term), text, ""))
    widths = [max(len(row[n]) for row in rows) for n in (0, 1)]
    width = min(72, max(len(row[2]) for row in rows))
    lines = [
        f"{at.ljust(widths[0])}  {number.rjust(widths[1])}  {what.ljust(width)}  {gap}".rstrip()
        for at, number, what, gap in rows
    ]
    if len(told.nodes) < PAIR:
        lines += silent or []
        lines.append(f"Told by {told.nodes[0]} alone: what only the other node saw is missing.")
    return "\n".join(lines)


def _began(term: Term) -> str:
    guessed = FIRST if term.is_first else "claim" if term.prev else "reclaim"
    known = term.kind if term.whole else guessed
    began = BEGAN[known].format(primary=term.primary, prev=term.prev)
    return f"{began}{term.why.removeprefix(FIRST)}" if term.is_first else f"{began}: {term.why}"


def _gap(term: Term) -> str:
    if term.is_first:
        return ""
    if not term.opened:
        return "never opened" if term.until_s else "not open yet"
    return f"{term.gap_ms / 1000:.2f} s" if term.gap_ms >= 0 else "not known"


@click.command(epilog="Exit codes: 0 shown · 3 no node answered.")
@click.option("--all", "every", is_flag=True, help="Each change of the record, sync and solo too.")
@json_option
def history(*, every: bool, as_json: bool) -> None:
    """Every term: who, when, why, how long nobody served; and who asked for what."""
    settings = client_settings("ops")

    async def ask(asking: Asking) -> tuple[Seen, list[Heard]]:
        asked = asking.every(settings.peers, "history", {}, STATUS_DEADLINE_S)
        return await asyncio.gather(look(asking, settings), asked)

    seen, heard = on_reactor(settings, ask)
    told = told_of(heard)
    if not told.nodes:
        raise Ended(Exit.NOT_REACHABLE, nobody(seen.silent))
    text = page(told, every=every, silent=sentences(seen))
    answer(history_json(told), text, as_json=as_json)
