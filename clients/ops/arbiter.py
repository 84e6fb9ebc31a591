"""``mpower cluster arbiter``: what keeps the record of who is primary, and what to do when it is
lost.

``rebuild`` asks every node for its consent and one of them for the new record; the arbiter itself
refuses what is not safe (its record is whole, somebody who agreed is not there, somebody who did
not is). What can be said before anything is asked for is judged in ``rebuilding``. This file must
not know how the register decides.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from clients.door import Ended, Exit, answer, client_settings, json_option
from clients.ops.confirm import confirm
from clients.ops.reactor import on_reactor
from clients.ops.rebuilding import Consent, agreed, cannot
from clients.ops.replace import replace
from clients.ops.seen import Seen, sorted_out
from clients.ops.statement import be_sure
from clients.ops.verdict import NodeStatus, record_of

if TYPE_CHECKING:
    from clients.ops.asking import Asking
    from config.settings import ClientSettings

STATUS_DEADLINE_S: Final = 2.0
VERB_DEADLINE_S: Final = 10.0
DONE_S: Final = 15.0
"""A swap and one beat of each node; a node that is isolated reads again within a second."""
STATEMENT: Final = """\
{without} does not agree. This is only safe if BOTH hold now:
  - the server of {without} is powered off, and stays off until this is done;
  - the old arbiter is gone for good: nobody will start it, or its disk, again.
If {without} still runs somewhere, both could take money, and payments would be lost.
{without} is refused from now on until its database has been copied anew (it does that by itself).
"""


ABANDONED: Final = """\
The record was being moved, and may have arrived. This is only safe if the new arbiter is gone for
good: nobody will start it, or its disk, again. Else two arbiters could name two primaries, and
payments would be lost.
"""


@click.group()
def arbiter() -> None:
    """What keeps the record of who is primary: show it; move it; rebuild a lost one."""


arbiter.add_command(replace)
arbiter.add_command(confirm)


@arbiter.command(epilog="Exit codes: 0 it answers · 3 it does not.")
@json_option
def show(*, as_json: bool) -> None:
    """Show what the arbiter holds, what it is, and whom it hears."""
    settings = client_settings("ops")
    seen = on_reactor(settings, lambda asking: _look(asking, settings))
    record = record_of(seen.nodes, seen.witness)
    kind = next((one.arbiter for one in seen.nodes), "witness")
    data: dict[str, Any] = {
        "kind": kind,
        "witness": seen.witness,
        "record": record,
        "nodes": {one.node: one.arbiter_at for one in seen.nodes},
        "doubt": _doubt(seen),
        "silent": seen.silent,
    }
    answer(msgspec.to_builtins(data), _page(seen, kind), as_json=as_json)
    if seen.witness is None and not any(_hears(one) for one in seen.nodes):
        raise Ended(
            Exit.NOT_REACHABLE,
            f"The {kind} does not answer: nobody takes over. Start it; if its disk is lost, start"
            " it empty and 'mpower cluster arbiter rebuild'.",
        )


@arbiter.command(epilog="Example: mpower cluster arbiter rebuild")
@click.option("--without", help="A node that is powered off and cannot agree.")
@click.option("--old", help="host:port of the old witness, to be sure that it is gone.")
@click.option("--abandon", is_flag=True, help="The arbiter the record was moved to is no more.")
@click.option("--confirm", "typed", help="The cluster's name, instead of typing it when asked.")
@json_option
def rebuild(
    *, without: str | None, old: str | None, abandon: bool, typed: str | None, as_json: bool
) -> None:
    """Give a new, empty arbiter the record again, with the consent of both nodes."""
    settings = client_settings("ops")
    statements = [STATEMENT.format(without=without)] if without else []
    be_sure(settings.cluster, [*statements, *([ABANDONED] if abandon else [])], typed)
    made = on_reactor(
        settings, lambda asking: _rebuild(asking, settings, without, old, abandon=abandon)
    )
    record = record_of(made.nodes, made.witness)
    assert record is not None, "it was waited for"
    answer(
        {"epoch": record.epoch, "incarnation": record.incarnation, "primary": record.primary},
        f"The arbiter holds the record again: incarnation {record.incarnation}, epoch"
        f" {record.epoch}, {record.primary} is primary.\nWhat next: mpower cluster status",
        as_json=as_json,
    )


async def _rebuild(
    asking: Asking,
    settings: ClientSettings,
    without: str | None,
    old: str | None,
    *,
    abandon: bool,
) -> Seen:
    seen = await _look(asking, settings)
    if old is not None:
        heard = await asking.one(old, "status", {}, STATUS_DEADLINE_S)
        if heard.answer is not None and old != settings.witness:
            text = f"The old arbiter still answers at {old}. Stop it for good first."
            raise Ended(Exit.REFUSED, text)
    reason = cannot(seen, without, abandon=abandon)
    if reason:
        raise Ended(Exit.REFUSED, f"{reason} Nothing was done.")
    plan = agreed(seen, without)
    for node in plan.nodes:
        await _ask(asking, seen, node, "adopt", {})
    arguments = {"consented": ",".join(plan.nodes), "epoch": str(plan.epoch)}
    arguments["abandoned"] = plan.abandoned
    await _until_heard(asking, settings, plan)
    await _ask(asking, seen, plan.by, "rebuild", arguments)
    give_up_s = time.monotonic() + DONE_S
    while time.monotonic() < give_up_s:
        now = await _look(asking, settings)
        record = record_of(now.nodes, now.witness)
        if record is not None and record.incarnation > plan.incarnation:
            return now
        await asyncio.sleep(0.2)
    raise Ended(
        Exit.FAILED,
        "The arbiter did not take the new record in time; it says why in its log. See 'mpower"
        " cluster arbiter show', and try again.",
    )


async def _until_heard(asking: Asking, settings: ClientSettings, plan: Consent) -> None:
    """The new arbiter must hear everybody who agreed: a beat takes a moment."""
    for _ in range(10):
        seen = await _look(asking, settings)
        if seen.witness is not None and set(plan.nodes) <= set(seen.witness.beats):
            return
        if seen.witness is None and all(_hears(one) for one in seen.nodes):
            return
        await asyncio.sleep(0.2)


async def _ask(asking: Asking, seen: Seen, node: str, verb: str, arguments: dict[str, str]) -> None:
    heard = await asking.one(seen.places[node], verb, arguments, VERB_DEADLINE_S)
    if heard.answer is None:
        raise Ended(Exit.NOT_REACHABLE, f"{node} does not answer any more ({heard.trouble}).")
    if not heard.answer.ok:
        raise Ended(Exit.REFUSED, f"{node}: {heard.answer.sentence}")


async def _look(asking: Asking, settings: ClientSettings) -> Seen:
    at_s = time.time()
    witness = [settings.witness] if settings.witness else []
    heard = await asking.every([*settings.peers, *witness], "status", {}, STATUS_DEADLINE_S)
    return sorted_out(heard, len(settings.peers), at_s)


def _hears(node: NodeStatus) -> bool:
    return 0 <= node.arbiter_heard_ms < STATUS_DEADLINE_S * 1000


def _doubt(seen: Seen) -> str:
    if seen.witness is not None:
        return seen.witness.doubt
    return next((one.doubt for one in seen.nodes if one.doubt), "")


def _page(seen: Seen, kind: str) -> str:
    witness, record = seen.witness, record_of(seen.nodes, seen.witness)
    lines = [f"kind:       {kind}"]
    if witness is not None:
        lines += [
            f"name:       {witness.witness}, started {witness.starts} times",
            f"nonce:      {witness.nonce}",
            f"high flush: {witness.high_flush}",
            f"hears:      {_ages(witness.beats)}",
        ]
        lines += [f"warning:    runs on the machine of {one}: move it" for one in witness.beside]
    for one in seen.nodes:
        lines += [f"{key + ' at ' + one.node + ':':11} {value}" for key, value in _at(one).items()]
    if record is None:
        lines += ["record:     none"]
    else:
        lines += [
            (
                f"record:     epoch {record.epoch}, term {record.term}, incarnation"
                f" {record.incarnation}; primary {record.primary}, sync {record.sync or 'nobody'}"
            ),
            f"last change: {record.by}: {record.reason}",
        ]
    lines += [f"doubt:      {_doubt(seen) or 'none'}"]
    lines += [f"{address}: no answer ({why})" for address, why in seen.silent.items()]
    return "\n".join(lines)


def _at(node: NodeStatus) -> dict[str, Any]:
    return {key: value for key, value in node.arbiter_at.items() if value not in ("", None)}


def _ages(beats: dict[str, int]) -> str:
    return ", ".join(f"{node} {ms / 1000:.1f} s ago" for node, ms in sorted(beats.items())) or "-"
