"""``mpower cluster pause, resume, strict, maintenance, handover``: what guards the failover.

Each asks one node to change the shared record, and says what stands then: asked for what stands
already, that there is nothing to do (exit 0, no new epoch). A hand-over is said to be done when the
other node is open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from clients.door import Ended, Exit, answer, client_settings, json_option
from clients.ops.reactor import on_reactor
from clients.ops.switchover import completed
from clients.ops.verbs import Told, give, record_of

if TYPE_CHECKING:
    from clients.ops.asking import Asking
    from clients.ops.seen import Seen
    from protocols.peer import Record

dry_option = click.option("--dry-run", "dry", is_flag=True, help="Only say whether it could be.")
SWITCH = click.Choice(["on", "off"])


def _ask(
    verb: str, said: dict[str, str], *, dry: bool, as_json: bool, to: str | None = None
) -> None:
    settings = client_settings("ops")
    arguments = {**said, **({"dry": "yes"} if dry else {})}

    async def work(asking: Asking) -> Told:
        return await give(asking, settings, verb, arguments, to=to)

    told = on_reactor(settings, work)
    data: dict[str, Any] = {"node": told.node, "said": told.said, "dry": dry}
    answer(data, told.said, as_json=as_json)


@click.command()
@dry_option
@json_option
def pause(*, dry: bool, as_json: bool) -> None:
    """Switch automatic takeover off, until resume; payments go on."""
    _ask("pause", {}, dry=dry, as_json=as_json)


@click.command()
@dry_option
@json_option
def resume(*, dry: bool, as_json: bool) -> None:
    """Switch automatic takeover on again."""
    _ask("resume", {}, dry=dry, as_json=as_json)


@click.command()
@click.argument("switch", type=SWITCH)
@dry_option
@json_option
def strict(*, switch: str, dry: bool, as_json: bool) -> None:
    """Acknowledge nothing while there is only one copy (on), or go on alone (off)."""
    _ask("strict", {"to": switch}, dry=dry, as_json=as_json)


@click.command(epilog="Example: mpower cluster maintenance b on")
@click.argument("node")
@click.argument("switch", type=SWITCH)
@dry_option
@json_option
def maintenance(*, node: str, switch: str, dry: bool, as_json: bool) -> None:
    """A node is worked on: it is not missed, and nothing is asked of it."""
    _ask("maintenance", {"node": node, "to": switch}, dry=dry, as_json=as_json)


@click.command(epilog="For a UPS or a mirror: mpower cluster handover --reason 'on battery'")
@click.option("--reason", required=True, help="Why; it stands in the history.")
@dry_option
@json_option
def handover(*, reason: str, dry: bool, as_json: bool) -> None:
    """The primary gives its place to the standby at once: this server will not last."""
    if not reason.strip():
        raise Ended(Exit.USAGE, "The history needs a reason: --reason 'on battery'.")
    said = {"reason": reason[:200]}
    if dry:
        _ask("handover", said, dry=dry, as_json=as_json, to="")
        return
    settings = client_settings("ops")

    async def work(asking: Asking) -> tuple[dict[str, Any], str]:
        told = await give(asking, settings, "handover", said, to="")
        return await completed(asking, settings, told.seen, not_taken)

    data, text = on_reactor(settings, work)
    answer({**data, "said": text, "dry": False}, text, as_json=as_json)


def not_taken(seen: Seen, before: Record) -> str:
    """The one that handed over serves again in its old term: nobody took its place; else ''."""
    now = record_of(seen)
    back = next((one for one in seen.nodes if one.open and one.node == before.primary), None)
    if back is None or now is None or now.term != before.term or now.epoch == before.epoch:
        return ""
    return (
        f"Nobody took over: {before.primary} is the primary and serves again."
        " See 'mpower cluster explain'."
    )
