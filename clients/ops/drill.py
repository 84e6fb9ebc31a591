"""``mpower cluster drill``: a failover is rehearsed on the running pair, in a quiet hour, so that
the first one is not at night.

Only where a failover now would lose nothing: the same guards as status and switchover, asked before
anything is done and again by the node itself. There and back; between the two the pair waits for
two copies, and stays where it is if they do not come. Meanwhile bells ring at the counters' doors
(see ``bells``): no payment is made for it. ``unsafe`` and ``sentence`` are pure.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

import click
from msgspec import Struct, to_builtins

from clients.door import Ended, Exit, answer, client_settings, json_option, talk
from clients.ops.reactor import on_reactor
from clients.ops.silence import nobody, sentences
from clients.ops.switchover import completed
from clients.ops.verbs import give, look, record_of
from clients.ops.verdict import verdict

if TYPE_CHECKING:
    from clients.ops.asking import Asking
    from clients.ops.bells import Bells
    from clients.ops.seen import Seen
    from config.settings import ClientSettings

AGAIN_S: Final = 180.0
"""The old primary returns by its log in seconds; a copy of some GB takes minutes and is no drill's
matter any more.
"""
LOOK_EVERY_S: Final = 0.25
BELL_S: Final = 10.0
"""Before: the door that all counters use must open to us. After: it must open soon."""
LOOK: Final = "See 'mpower cluster doctor', bring that into order, then rehearse."
EPILOG: Final = """\b
Examples:
  mpower cluster drill --dry-run
  mpower cluster drill
  mpower cluster drill --yes --json
Exit codes: 0 rehearsed · 1 it went wrong on the way · 5 not safe now, nothing was done.
"""
PLAN: Final = """\
A failover is rehearsed: {first} hands over to {second}, and, once there are two copies again, back.
  counters    each waits a moment, twice; what is under way is answered, nothing is refused
  payments    none is made by this; those of the counters go on and are kept as always
  if it fails the pair stays where it is then, and this says so
Meanwhile the doors of both nodes are tried twenty times a second, as a counter does it."""


class Leg(Struct, frozen=True, kw_only=True):
    """One change of places, and what was seen of it. Milliseconds; ``gap_ms``: the longest time
    between two rings that were welcomed. ``copies_ms``: until there were two copies again.
    """

    source: str
    target: str
    gap_ms: int
    took_ms: int
    copies_ms: int
    rings: int
    welcomed: int


def unsafe(seen: Seen) -> str:
    """Why no failover may be rehearsed now, ''."""
    silent = sentences(seen)
    if silent:
        return silent[0]
    judged = verdict(seen.nodes, seen.witness)
    record = record_of(seen)
    if not judged.safe or record is None:
        return judged.because
    if record.maintenance:
        return f"{record.maintenance} is in maintenance"
    if record.intent:
        return "a switchover is planned or under way (mpower cluster switchover --cancel)"
    return ""


def sentence(legs: list[Leg]) -> str:
    """What came of it, for people."""
    told = ", then ".join(
        f"{one.target} after {one.source}, closed to counters for {one.gap_ms / 1000:.2f} s at"
        f" most and with two copies again after {one.copies_ms / 1000:.1f} s"
        for one in legs
    )
    home = legs[-1].target
    return f"Rehearsed: {told}. {home} is the primary, as before. No payment was made for it."


@click.command(epilog=EPILOG)
@click.option("--yes", is_flag=True, help="Do not ask; for a planned job at night.")
@click.option("--dry-run", "dry", is_flag=True, help="Only say what would happen, if it is safe.")
@json_option
def drill(*, yes: bool, dry: bool, as_json: bool) -> None:
    """Rehearse a failover there and back, and measure what counters would have seen."""
    settings = client_settings("ops")
    if dry:
        first, second = on_reactor(settings, lambda asking: _safe(asking, settings))
        data = {"drill": "switchover", "primary": first, "standby": second, "dry": True}
        said = f"It is safe now to rehearse: {first} to {second}, and back. Nothing was done."
        answer({**data, "said": said}, said, as_json=as_json)
        return

    async def work(asking: Asking) -> list[Leg]:
        first, second = await _safe(asking, settings)
        if not yes and not click.confirm("Begin?", err=True):
            raise Ended(Exit.REFUSED, "Nothing was done.")
        return await _rehearsed(asking, settings, first, second)

    legs = on_reactor(settings, work)
    data = {"drill": "switchover", "primary": legs[-1].target, "legs": to_builtins(legs)}
    answer({**data, "said": sentence(legs)}, sentence(legs), as_json=as_json)


async def _safe(asking: Asking, settings: ClientSettings) -> tuple[str, str]:
    """The two nodes, primary first, if it is safe now; the plan is told. Ended if it is not."""
    seen = await look(asking, settings)
    if not seen.nodes:
        raise Ended(Exit.NOT_REACHABLE, nobody(seen.silent))
    if why := unsafe(seen):
        raise Ended(Exit.REFUSED, f"Not rehearsed, nothing was done: {why}. {LOOK}")
    await give(asking, settings, "switchover", {"at": "0", "dry": "yes"}, to="", seen=seen)
    record = record_of(seen)
    assert record is not None, "unsafe without one"
    first = record.primary
    second = next(one.node for one in seen.nodes if one.node != first)
    talk(PLAN.format(first=first, second=second))
    for one in seen.nodes:
        for text in one.alarms.values():
            talk(f"An alarm stands on {one.node}, not against it: {text}")
    return first, second


async def _rehearsed(
    asking: Asking, settings: ClientSettings, first: str, second: str
) -> list[Leg]:
    from clients.ops.bells import Bells

    bells = Bells(settings)
    there = await _leg(asking, settings, bells, first, second)
    talk(f"{second} is the primary; two copies again after {there.copies_ms / 1000:.1f} s.")
    return [there, await _leg(asking, settings, bells, second, first)]


async def _leg(
    asking: Asking, settings: ClientSettings, bells: Bells, source: str, target: str
) -> Leg:
    """One switchover under the bells, until there are two copies again."""
    from clients.ops.bells import waits

    async with bells:
        if not await bells.welcomed(source, BELL_S):
            doors = ", ".join(settings.nodes)
            why = f"no counter's door let us in as {source} ({doors})"
            raise Ended(Exit.REFUSED, f"Not rehearsed, nothing was done: {why}. {LOOK}")
        began_s = time.monotonic()
        told = await give(asking, settings, "switchover", {"at": "0", "to": target}, to="")
        done, _ = await completed(asking, settings, told.seen)
        opened = await bells.welcomed(target, BELL_S)
        came = waits(bells.rung)
    if not opened:
        why = f"{target} is the primary, and no counter's door of it opened in {BELL_S:g} s"
        raise Ended(Exit.FAILED, f"{why}. See 'mpower cluster status' and the log of {target}.")
    copies_s = await _two_copies(asking, settings, target) - began_s
    return Leg(
        source=source,
        target=target,
        gap_ms=came.longest_ms,
        took_ms=int(done["took_ms"]),
        copies_ms=round(copies_s * 1000),
        rings=came.rings,
        welcomed=came.welcomed,
    )


async def _two_copies(asking: Asking, settings: ClientSettings, primary: str) -> float:
    """When (monotonic) it was safe to fail over again."""
    give_up_s = time.monotonic() + AGAIN_S
    while True:
        seen = await look(asking, settings)
        judged = verdict(seen.nodes, seen.witness)
        if judged.safe:
            return time.monotonic()
        if time.monotonic() > give_up_s:
            raise Ended(
                Exit.FAILED,
                f"{primary} is the primary and serves, but after {AGAIN_S:g} s the pair is not safe"
                f" again: {judged.because}. It was left so. See 'mpower cluster doctor'.",
            )
        await asyncio.sleep(LOOK_EVERY_S)
