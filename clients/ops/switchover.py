"""``mpower cluster switchover``: the standby becomes the primary, in order, now or at a time.

Shows what would be (``--dry-run``) from the same table as status: roles before, roles after. Waits
until the other node is open, or until the nodes say that it was called off and why.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import re
import time
from typing import TYPE_CHECKING, Any, Final

import click

from clients.door import Ended, Exit, answer, client_settings, json_option
from clients.ops.reactor import on_reactor
from clients.ops.verbs import give, look, record_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from clients.ops.asking import Asking
    from clients.ops.seen import Seen
    from config.settings import ClientSettings
    from protocols.peer import Record

DONE_DEADLINE_S: Final = 75.0
"""The checkpoint before it may take a minute; the rest takes seconds."""
LOOK_EVERY_S: Final = 0.1
FORMS: Final = "23:30, or 2026-04-01T23:30, of this machine's time, or 2026-04-01T23:30+05:30"
CLOCK: Final = re.compile(r"(\d{1,2}):(\d{2})")
EPILOG: Final = """\b
Examples:
  mpower cluster switchover --dry-run
  mpower cluster switchover --at 23:30
  mpower cluster switchover --cancel
"""


@click.command(epilog=EPILOG)
@click.option("--to", help="The node that becomes the primary; else the standby.")
@click.option("--at", help="When: 23:30 (the next one), or 2026-04-01T23:30[+05:30].")
@click.option("--dry-run", "dry", is_flag=True, help="Only say whether it could be, and show it.")
@click.option("--cancel", is_flag=True, help="Take back a switchover that was planned.")
@json_option
def switchover(*, to: str | None, at: str | None, dry: bool, cancel: bool, as_json: bool) -> None:
    """Let the standby become the primary, in order; counters wait less than a second."""
    if cancel and (to or at):
        raise Ended(Exit.USAGE, "--cancel stands alone: it takes back what was planned.")
    at_s = moment(at, dt.datetime.now().astimezone()) if at else 0
    settings = client_settings("ops")
    arguments = {"at": str(at_s), **({"to": to} if to else {}), **({"dry": "yes"} if dry else {})}

    async def work(asking: Asking) -> tuple[dict[str, Any], str]:
        if cancel:
            told = await give(asking, settings, "cancel", {"dry": "yes"} if dry else {})
            return {"said": told.said, "node": told.node}, told.said
        told = await give(asking, settings, "switchover", arguments, to=None if at_s else "")
        before = topology(told.seen)
        if dry:
            after = {node: SWAPPED.get(role, role) for node, role in before.items()}
            data = {"said": told.said, "before": before, "after": after, "at_s": at_s}
            return data, f"{told.said}\n{drawn('now', before)}\n{drawn('after', after)}"
        if at_s:
            when = dt.datetime.fromtimestamp(at_s).astimezone().isoformat(timespec="minutes")
            data = {"said": told.said, "at_s": at_s, "at": when}
            but = told.said.removeprefix("Planned.")
            back = "Take it back: mpower cluster switchover --cancel"
            return data, f"Planned for {when}.{but} {back}"
        return await completed(asking, settings, told.seen)

    data, text = on_reactor(settings, work)
    answer(data, text, as_json=as_json)


SWAPPED: Final = {"primary": "standby in sync", "standby in sync": "primary"}


def topology(seen: Seen) -> dict[str, str]:
    """Node → role, as the record has it."""
    from clients.ops.verdict import recorded_role

    record = record_of(seen)
    return {one.node: recorded_role(one.node, record) for one in seen.nodes}


def drawn(when: str, roles: dict[str, str]) -> str:
    """One line for people."""
    return f"{when + ':':7}" + "   ".join(f"{node} {role}" for node, role in roles.items())


def _called_off(seen: Seen, before: Record) -> str:
    """Why the plan is gone from the record, ''."""
    now = record_of(seen)
    if now is None or now.epoch <= before.epoch + 1 or now.intent.startswith("switch"):
        return ""
    why = [one.alarms.get("switchover-aborted", "") for one in seen.nodes]
    return next((one for one in why if one), "")


async def completed(
    asking: Asking,
    settings: ClientSettings,
    before: Seen,
    failed: Callable[[Seen, Record], str] = _called_off,
) -> tuple[dict[str, Any], str]:
    """Wait until the record names another primary that is open, or it has ``failed`` (why)."""
    record = record_of(before)
    assert record is not None
    began_s = time.monotonic()
    while time.monotonic() - began_s < DONE_DEADLINE_S:
        seen = await look(asking, settings)
        now = record_of(seen)
        opened = next((one.node for one in seen.nodes if one.open), None)
        if now is not None and now.term > record.term and opened == now.primary:
            data = {"from": record.primary, "to": opened, "epoch": now.epoch, "term": now.term}
            took_ms = round((time.monotonic() - began_s) * 1000)
            text = f"{opened} is the primary and open; {record.primary} comes back as its standby."
            return {**data, "took_ms": took_ms}, text
        if why := failed(seen, record):
            raise Ended(Exit.FAILED, why)
        await asyncio.sleep(LOOK_EVERY_S)
    raise Ended(
        Exit.FAILED,
        f"No node opened in a later term within {DONE_DEADLINE_S:g} s."
        " See 'mpower cluster status'.",
    )


def moment(text: str, now: dt.datetime) -> int:
    """Unix seconds of what a person wrote: a time of day is the next one; Ended(USAGE) if it is
    none.
    """
    clock = CLOCK.fullmatch(text.strip())
    try:
        if clock:
            at = now.replace(hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0)
            at = at if at > now else at + dt.timedelta(days=1)
        else:
            at = dt.datetime.fromisoformat(text.strip())
            at = at if at.tzinfo else at.astimezone(now.tzinfo)
    except ValueError:
        raise Ended(Exit.USAGE, f"{text} is no time. Write {FORMS}.") from None
    if at <= now:
        raise Ended(Exit.USAGE, f"{at.isoformat(timespec='minutes')} is past. Name a later time.")
    return int(at.timestamp())
