"""``mpower cluster explain``: is it open, is it in sync, would it fail over; and if not, why not.

Both nodes explain themselves by the guards they decide by; the answer that counts is the one of the
node whose business it is. What a silent node would say is said to be unknown. ``judged`` and
``page`` are pure. It must not know what a guard means.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec
from msgspec import Struct

from clients.door import Ended, Exit, answer, client_settings, json_option
from clients.ops.reactor import on_reactor
from clients.ops.silence import nobody, sentences
from clients.ops.verbs import STATUS_DEADLINE_S, look

if TYPE_CHECKING:
    from clients.ops.asking import Asking, Heard
    from clients.ops.seen import Seen

QUESTIONS: Final = {
    "open": "Is it open for payments?",
    "sync": "Is the second copy in sync?",
    "failover": "Would the other node take over?",
}


class Guard(Struct, frozen=True):
    """One condition: how it stands, what it must be, what to do."""

    code: str
    holds: bool
    says: str
    need: str
    do: str


class Answer(Struct, frozen=True):
    """A node's answer to one question."""

    yes: bool
    text: str
    guards: list[Guard] = []
    counts: bool = True


class Explained(Struct, frozen=True):
    """What one node says of itself."""

    node: str
    peer: str
    state: str
    reason: str
    open: Answer
    sync: Answer
    failover: Answer
    known: tuple[int, int] = (0, 0)
    """Incarnation and epoch of the record it goes by; an earlier release does not say."""


class Judged(Struct, frozen=True):
    """One question answered by the ``node`` whose business it is ('' nobody could say)."""

    question: str
    yes: bool
    node: str
    text: str
    guards: list[Guard] = []


def judged(said: list[Explained]) -> list[Judged]:
    """The three answers that count, from whoever answered."""
    return [_judged(key, said) for key in QUESTIONS]


def _judged(key: str, said: list[Explained]) -> Judged:
    answers = [(one, getattr(one, key)) for one in said]
    # Who has not heard yet that it was succeeded speaks of a term that is over.
    best = max(answers, key=lambda pair: (pair[1].counts, pair[0].known, pair[1].yes))
    node, found = best
    if not found.counts:
        text = f"Not known: {node.peer}, which could say, does not answer. {found.text}"
        return Judged(key, False, "", text)
    return Judged(key, found.yes, node.node, found.text, found.guards)


def page(answers: list[Judged], silent: list[str], *, every: bool = False) -> str:
    """For people: each question, the verdict, what is against it and what to do; ``every`` guard
    with it, also those that are met. ``silent``: a sentence for each machine that is.
    """
    lines: list[str] = []
    for one in answers:
        word = "yes" if one.yes else "not known" if not one.node else "no"
        lines.append(f"{QUESTIONS[one.question]}  {word.upper()}")
        lines.append(f"  {one.text}")
        for guard in one.guards:
            waits = guard.code == "SILENT" and not guard.holds
            if not guard.holds and not waits:
                lines.append(f"  - {guard.says} (needed: {guard.need})")
                if guard.do:
                    lines.append(f"    do: {guard.do}")
            elif every:
                lines.append(f"  {'.' if waits else '+'} {guard.says} (needed: {guard.need})")
        lines.append("")
    lines += silent
    return "\n".join(lines).rstrip()


def heard_of(heard: list[Heard]) -> tuple[list[Explained], dict[str, str]]:
    """Sort the answers: each node once, and which addresses were silent."""
    said: dict[str, Explained] = {}
    silent: dict[str, str] = {}
    for one in heard:
        if one.answer is not None and one.answer.ok:
            found = msgspec.json.decode(one.answer.data, type=Explained)
            said.setdefault(found.node, found)
        else:
            silent[one.address] = one.trouble or (one.answer.sentence if one.answer else "")
    return sorted(said.values(), key=lambda one: one.node), silent


def explain_json(
    said: list[Explained], answers: list[Judged], silent: dict[str, str]
) -> dict[str, Any]:
    """For programs: the three answers, and what each node said."""
    found: dict[str, Any] = msgspec.to_builtins(
        {"answers": {one.question: one for one in answers}, "nodes": said, "silent": silent}
    )
    return found


@click.command(
    epilog="Exit codes, as status: 0 a primary is open · 3 no node answered · 4 no primary."
)
@click.option("--all", "every", is_flag=True, help="Every condition, those that are met too.")
@json_option
def explain(*, every: bool, as_json: bool) -> None:
    """Why not open, why not in sync, why not failing over: each condition, and what to do."""
    settings = client_settings("ops")

    async def ask(asking: Asking) -> tuple[Seen, list[Heard]]:
        asked = asking.every(settings.peers, "explain", {}, STATUS_DEADLINE_S)
        return await asyncio.gather(look(asking, settings), asked)

    seen, heard = on_reactor(settings, ask)
    said, silent = heard_of(heard)
    if not said:
        raise Ended(Exit.NOT_REACHABLE, nobody(seen.silent))
    answers = judged(said)
    text = page(answers, sentences(seen), every=every)
    answer(explain_json(said, answers, silent), text, as_json=as_json)
    # It has explained, whatever it is: 'doctor' is the command that fails when something is wrong.
    if not any(one.open.yes for one in said):
        click.get_current_context().exit(int(Exit.NO_PRIMARY))
