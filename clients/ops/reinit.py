"""``mpower cluster reinit NODE``: throw a standby's copy away and have it copied anew.

The node itself is asked, with the epoch that was seen; it refuses while its copy may be the only
good one. The order is durable once it is taken up: the command may wait until the copy is in sync
again, or be left.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

import click

from clients.door import Ended, Exit, answer, client_settings, json_option
from clients.ops.reactor import on_reactor
from clients.ops.verbs import give, look, record_of

if TYPE_CHECKING:
    from clients.ops.asking import Asking
    from config.settings import ClientSettings

LOOK_EVERY_S: Final = 0.5


@click.command(epilog="Example: mpower cluster reinit b --dry-run")
@click.argument("node")
@click.option("--dry-run", "dry", is_flag=True, help="Only say whether it could be.")
@click.option("--wait", "wait_s", type=click.IntRange(0, 86_400), default=0, metavar="SECONDS")
@json_option
def reinit(*, node: str, dry: bool, wait_s: int, as_json: bool) -> None:
    """Copy a standby NODE anew from the primary; until it is in sync again there is one copy."""
    settings = client_settings("ops")

    async def work(asking: Asking) -> tuple[dict[str, Any], str]:
        arguments = {"node": node, **({"dry": "yes"} if dry else {})}
        seen = await look(asking, settings)
        names = [one.node for one in seen.nodes]
        told = await give(asking, settings, "reinit", arguments, to=node, seen=seen)
        data: dict[str, Any] = {"node": node, "said": told.said, "dry": dry}
        if dry:
            return data, f"{told.said} Until it is in sync again there would be one copy."
        assert node in names, "only the node itself takes it up"
        if not wait_s:
            return data, f"{told.said}\nSee 'mpower cluster status': two copies when it is done."
        took_s = await _in_sync(asking, settings, node, wait_s)
        return {**data, "took_s": took_s}, f"{node} holds a fresh copy and is in sync again."

    data, text = on_reactor(settings, work)
    answer(data, text, as_json=as_json)


async def _in_sync(asking: Asking, settings: ClientSettings, node: str, wait_s: int) -> float:
    began_s = time.monotonic()
    while time.monotonic() - began_s < wait_s:
        await asyncio.sleep(LOOK_EVERY_S)
        seen = await look(asking, settings)
        record = record_of(seen)
        state = next((one.state for one in seen.nodes if one.node == node), "silent")
        if record is not None and record.sync == node and state == "STANDBY_SYNC":
            return round(time.monotonic() - began_s, 1)
    raise Ended(
        Exit.FAILED,
        f"{node} is not in sync after {wait_s} s; the copying goes on."
        " See 'mpower cluster status'.",
    )
