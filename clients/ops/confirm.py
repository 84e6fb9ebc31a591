"""``mpower cluster arbiter confirm``: an operator decides for a node that is lost.

An arbiter that was restarted lets nobody take over or go alone until both nodes have told it which
record they know: its file might be an old one. A node that is gone can tell nothing; then a person
says that the file is right, knowing what it costs if it is not. Refused when nobody is waited for,
or when the one that is waited for still lives. It must not know how a register decides.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

import click

from clients.door import Ended, Exit, answer, client_settings, json_option
from clients.ops.reactor import on_reactor
from clients.ops.statement import be_sure
from clients.ops.verbs import RefusedByNode, Told, asked_node, give, look, record_of

if TYPE_CHECKING:
    from clients.ops.asking import Asking
    from clients.ops.seen import Seen
    from config.settings import ClientSettings

TRY_S: Final = 8.0
"""A node that waits for the arbiter asks it again and again; a verb finds its place in between."""
AGAIN_S: Final = 0.15
BUSY: Final = frozenset({"BUSY", "CHANGED"})
STATEMENT: Final = """\
The arbiter was restarted, and a node that does not answer has not confirmed what it holds:
  {doubt}
Its record: epoch {epoch}, term {term}, primary {primary}, in sync {sync}; last: {reason}.
If its file is an OLD one (a backup put back, a disk set back), the lost node may have gone on alone
after it and taken payments that are on no other server: they would be LOST. This is only right if
BOTH hold:
  - the arbiter's disk was not restored nor replaced; it was only restarted;
  - the node that does not answer is powered off.
"""


@click.command(epilog="Example: mpower cluster arbiter confirm")
@click.option("--confirm", "typed", help="The cluster's name, instead of typing it when asked.")
@click.option("--dry-run", "dry", is_flag=True, help="Only say whether it is needed.")
@json_option
def confirm(*, typed: str | None, dry: bool, as_json: bool) -> None:
    """Have a restarted arbiter wait no more for a node that is lost: your decision, your risk."""
    settings = client_settings("ops")

    async def work(asking: Asking) -> tuple[dict[str, Any], str]:
        seen = await _needed(asking, settings)
        statement = _statement(seen)
        if dry:
            return {"needed": True}, statement
        be_sure(settings.cluster, [statement], typed)
        told = await _insisted(asking, settings, {})
        return {"node": told.node, "said": told.said}, (
            f"{told.said}\nWhat next: mpower cluster status"
        )

    data, text = on_reactor(settings, work)
    answer(data, text, as_json=as_json)


def _statement(seen: Seen) -> str:
    record = record_of(seen)
    assert record is not None, "a node that has none refuses"
    return STATEMENT.format(
        doubt=next(one.doubt for one in seen.nodes),
        epoch=record.epoch,
        term=record.term,
        primary=record.primary,
        sync=record.sync or "nobody",
        reason=record.reason,
    )


async def _needed(asking: Asking, settings: ClientSettings) -> Seen:
    """What was seen, after a node has said that nothing speaks against it; Ended if it has."""
    seen = await look(asking, settings)
    asked_node(seen, None)
    if len(seen.nodes) > 1:
        raise Ended(
            Exit.REFUSED,
            "Both nodes answer, and confirm by themselves as soon as they reach the arbiter: see"
            " 'mpower cluster arbiter show'. Nothing was done.",
        )
    told = await _insisted(asking, settings, {"dry": "yes"})
    return told.seen


async def _insisted(asking: Asking, settings: ClientSettings, arguments: dict[str, str]) -> Told:
    """Ask until the node has a moment for it."""
    give_up_s = time.monotonic() + TRY_S
    while True:
        try:
            return await give(asking, settings, "confirm", arguments)
        except RefusedByNode as refused:
            if refused.why not in BUSY or time.monotonic() > give_up_s:
                raise
        await asyncio.sleep(AGAIN_S)
