"""``mpower cluster arbiter replace``: moves the record of a living pair to another arbiter, while
payments go on.

Look, ask both nodes what their settings name, close the old arbiter, let both nodes change over,
have the record made in the new one. Whatever stops it in between, the same command goes on from
there; the old arbiter, once closed, never says yes again. What may be done is judged in
``replacing``; this file must not know how a register decides.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from clients.door import Ended, Exit, answer, client_settings, json_option
from clients.ops.reactor import on_reactor
from clients.ops.rebuilding import newest_of
from clients.ops.replacing import (
    Move,
    Prospect,
    cannot_move,
    is_closed,
    is_there,
    planned,
    works_with,
)
from clients.ops.verbs import give, look

if TYPE_CHECKING:
    from clients.ops.asking import Asking
    from clients.ops.seen import Seen
    from config.settings import ClientSettings

ASK_S: Final = 10.0
STEP_S: Final = 15.0
"""A swap, a new connection and some beats; a node that is isolated reads again within a second."""
AGAIN_S: Final = 0.3
HALF_WAY: Final = (
    " The old arbiter is closed and nobody takes over until this is finished; payments go on."
    " Ask once more for 'mpower cluster arbiter replace': it goes on from here."
)


@click.command(epilog="Example: mpower cluster arbiter replace --dry-run")
@click.option("--dry-run", "dry", is_flag=True, help="Only say whether it could be, and from what.")
@json_option
def replace(*, dry: bool, as_json: bool) -> None:
    """Move the record to the arbiter that both nodes' settings name now; payments go on."""
    settings = client_settings("ops")
    data, text = on_reactor(settings, lambda asking: _replace(asking, settings, dry=dry))
    answer(data, text, as_json=as_json)


async def _replace(
    asking: Asking, settings: ClientSettings, *, dry: bool
) -> tuple[dict[str, Any], str]:
    seen = await look(asking, settings)
    prospects = await _prospects(asking, seen)
    reason = cannot_move(seen, prospects)
    if reason:
        raise Ended(Exit.REFUSED, f"{reason} Nothing was done.")
    move = planned(seen, prospects)
    data: dict[str, Any] = {"to": move.to, "epoch": move.record.epoch, "closed": move.closed}
    if dry:
        return data, f"The record (epoch {move.record.epoch}) can be moved to {move.to}."
    if not move.closed:
        await give(asking, settings, "close", {"to": move.to}, seen=seen)
        await _until(asking, settings, lambda now: is_closed(now, move), "know that it is closed")
    for node in move.nodes:
        await _ask(asking, seen, node, "adopt", {})
    await _until(asking, settings, lambda now: works_with(now, move), f"work with {move.to}")
    made = await _made(asking, settings, move)
    record = newest_of(made)
    assert record is not None, "it was waited for"
    told = {"to": move.to, "epoch": record.epoch, "incarnation": record.incarnation}
    return told, (
        f"{move.to} holds the record: incarnation {record.incarnation}, epoch {record.epoch}.\n"
        "The old arbiter is closed and decides nothing any more; stop it. Write the new one into"
        " mpower.yaml too.\nWhat next: mpower cluster status"
    )


async def _prospects(asking: Asking, seen: Seen) -> dict[str, Prospect]:
    found: dict[str, Prospect] = {}
    for one in seen.nodes:
        data = await _ask(asking, seen, one.node, "prospect", {})
        found[one.node] = msgspec.convert(data, Prospect)
    return found


async def _made(asking: Asking, settings: ClientSettings, move: Move) -> Seen:
    """Have it made, asking again while the new arbiter has not heard everybody."""
    give_up_s = time.monotonic() + STEP_S
    while time.monotonic() < give_up_s:
        seen = await look(asking, settings)
        record = newest_of(seen)
        if is_there(seen, move):
            return seen
        by = next((one.node for one in seen.nodes if record in (one.record, one.kept_record)), "")
        if record is not None and record.moved == move.to and by:
            epoch = max(record.epoch, *(one.epoch for one in seen.nodes))
            said = {"consented": ",".join(move.nodes), "epoch": str(epoch), "arbiter": move.to}
            await asking.one(seen.places[by], "rebuild", said, ASK_S)
        await asyncio.sleep(AGAIN_S)
    raise Ended(Exit.FAILED, f"{move.to} did not take the record in time.{HALF_WAY}")


async def _until(
    asking: Asking, settings: ClientSettings, met: Callable[[Seen], bool], what: str
) -> None:
    give_up_s = time.monotonic() + STEP_S
    while time.monotonic() < give_up_s:
        if met(await look(asking, settings)):
            return
        await asyncio.sleep(AGAIN_S)
    raise Ended(Exit.FAILED, f"The nodes do not both {what} within {STEP_S:g} s.{HALF_WAY}")


async def _ask(
    asking: Asking, seen: Seen, node: str, verb: str, arguments: dict[str, str]
) -> dict[str, Any]:
    heard = await asking.one(seen.places[node], verb, arguments, ASK_S)
    if heard.answer is None:
        raise Ended(
            Exit.NOT_REACHABLE,
            f"{node} does not answer any more ({heard.trouble}). Ask again when it does:"
            " whatever was begun is gone on with.",
        )
    if not heard.answer.ok:
        raise Ended(Exit.REFUSED, f"{node}: {heard.answer.sentence}")
    data: dict[str, Any] = msgspec.json.decode(heard.answer.data)
    return data
