"""``mpower cluster failover --force --accept-data-loss``: the copy that is left becomes primary,
though payments that were acknowledged are not in it; also a primary's own that was set back.

The node says first what can be lost; then the operator says that the other server is powered off,
by typing the cluster's name. Asked with the epoch that was shown: whatever changed meanwhile, it is
refused. It must not decide whether a failover is needed: the node refuses one that is not.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

import click

from clients.door import Ended, Exit, answer, client_settings, json_option
from clients.ops.reactor import on_reactor
from clients.ops.statement import be_sure
from clients.ops.verbs import give, look, record_of

if TYPE_CHECKING:
    from clients.ops.asking import Asking
    from clients.ops.seen import Seen
    from clients.ops.verbs import Told
    from config.settings import ClientSettings

OPEN_S: Final = 60.0
"""Replaying what is left and leaving recovery takes seconds; a slow disk is given a minute."""
LOOK_EVERY_S: Final = 0.2
BY_ITSELF: Final = (
    "A failover happens by itself, without loss, as soon as the primary is silent and its standby"
    " in sync. In order: mpower cluster switchover. Only if the primary is gone for good and"
    " 'status' says that no copy in sync is left:"
    " mpower cluster failover --force --accept-data-loss"
)
STATEMENT: Final = """{bound}
This is only safe if the server of {gone} is powered off, and is not started before this is done.
If it still runs somewhere, both take money from now on. When {gone} comes back it is refused until
its database has been copied anew (it does that by itself, and reports what it held).
Better, if there is any hope: {better}; nothing is lost then.
"""
REPAIR: Final = "repair {gone} and start it"
NEWEST: Final = "put the newest copy of the disk of {node} back and start it"
"""Where the primary itself was set back: what it lacks is on that disk, and nowhere else."""


@click.command(epilog="Example: mpower cluster failover --force --accept-data-loss")
@click.option("--force", is_flag=True, help="The primary is gone, and no copy is in sync.")
@click.option("--accept-data-loss", "accept", is_flag=True, help="Payments may be lost by this.")
@click.option("--to", help="The node that becomes the primary; else the one that is not.")
@click.option("--dry-run", "dry", is_flag=True, help="Only say what could be lost.")
@click.option("--confirm", help="The cluster's name, instead of typing it when asked.")
@json_option
def failover(
    *, force: bool, accept: bool, to: str | None, dry: bool, confirm: str | None, as_json: bool
) -> None:
    """Make the copy that is left the primary, and lose what it lacks: the last resort."""
    if not (force and accept):
        raise Ended(Exit.USAGE, f"Nothing was done. {BY_ITSELF}")
    settings = client_settings("ops")

    async def work(asking: Asking) -> tuple[dict[str, Any], str]:
        asked = await _asked(asking, settings, to)
        if dry:
            return {"node": asked.node, "bound": asked.said, "dry": True}, asked.said
        be_sure(settings.cluster, [_statement(asked)], confirm)
        data, text = await _forced(asking, settings, asked)
        return {**data, "bound": asked.said}, text

    data, text = on_reactor(settings, work)
    answer(data, text, as_json=as_json)


async def _asked(asking: Asking, settings: ClientSettings, to: str | None) -> Told:
    """What can be lost; Ended with the node's reason if it refuses."""
    seen = await look(asking, settings)
    record = record_of(seen)
    others = [one.node for one in seen.nodes if record is None or one.node != record.primary]
    wanted = to or next(iter(others), None)
    arguments = {"accept": "yes", "dry": "yes"}
    return await give(asking, settings, "failover", arguments, to=wanted, seen=seen)


def _statement(asked: Told) -> str:
    record = record_of(asked.seen)
    gone = record.primary if record is not None else "the primary"
    better = REPAIR.format(gone=gone)
    if gone == asked.node:
        gone = next(one.peer for one in asked.seen.nodes if one.node == asked.node)
        better = NEWEST.format(node=asked.node)
    return STATEMENT.format(bound=asked.said, gone=gone, better=better)


async def _forced(
    asking: Asking, settings: ClientSettings, asked: Told
) -> tuple[dict[str, Any], str]:
    """At the epoch that was shown; then wait until it is open."""
    seen: Seen = asked.seen
    told = await give(asking, settings, "failover", {"accept": "yes"}, to=asked.node, seen=seen)
    give_up_s = time.monotonic() + OPEN_S
    while time.monotonic() < give_up_s:
        now = await look(asking, settings)
        record = record_of(now)
        if record is not None and any(one.open and one.node == told.node for one in now.nodes):
            data = {"primary": told.node, "epoch": record.epoch, "incarnation": record.incarnation}
            return data, (
                f"{told.node} is the primary and open, on one copy. What next: repair the other"
                " server and start it; then read 'left_behind' in its status: what it held."
            )
        await asyncio.sleep(LOOK_EVERY_S)
    raise Ended(
        Exit.NO_PRIMARY,
        f"{told.said} It is not open after {OPEN_S:g} s. See 'mpower cluster status'.",
    )
