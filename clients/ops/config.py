"""``mpower cluster config``: the settings both nodes work by, and a careful way to change them.

No node writes its settings: they name programs that run as the daemon, so whoever could write them
over the network would own the servers. An edit therefore writes the operator's folder and says
which file goes where; ``show`` then proves that both nodes took it. It must not know what is right:
``compared`` and ``edited`` do.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from clients.door import Ended, Exit, answer, client_settings, json_option, talk
from clients.ops.compared import ills, leads_of, lines, page
from clients.ops.edited import SHARED, Edit, drift, edit, unsafe, wanted
from clients.ops.reactor import on_reactor
from clients.ops.verbs import look, record_of
from config.files import PUBLIC, write_file
from config.shown import Shown

if TYPE_CHECKING:
    from clients.ops.asking import Asking
    from clients.ops.seen import Seen
    from config.settings import ClientSettings

ASK_S: Final = 3.0
"""A file is read for it; a hung disk is given up."""
EDIT_EPILOG: Final = """\b
Examples:
  mpower cluster config edit cluster.timers.takeover_ms=3000 --dry-run
  mpower cluster config edit limits.sessions=4000
  mpower cluster config edit log_level=debug --node b
  mpower cluster config edit log_level=        (its default again)
"""


@click.group()
def config() -> None:
    """The settings that both nodes work by."""


@config.command(epilog="Exit codes: 0 all agrees · 1 something to act on · 3 nobody reachable.")
@json_option
def show(*, as_json: bool) -> None:
    """Show every setting of both nodes, where it comes from, and where they differ."""
    settings = client_settings("ops")
    _, said, quiet = on_reactor(settings, lambda asking: _asked(asking, settings))
    if not said:
        why = "; ".join(f"{who} ({trouble})" for who, trouble in quiet.items())
        raise Ended(Exit.NOT_REACHABLE, f"No node told its settings: {why}. See their logs.")
    leads = leads_of(settings.forwards)
    found = ills(said, leads)
    data = {
        "files": {one.node: one.file for one in said},
        "settings": msgspec.to_builtins(lines(said, leads)),
        "findings": msgspec.to_builtins(found),
        "silent": quiet,
    }
    silence = "".join(f"\n{who}: no answer ({trouble})" for who, trouble in quiet.items())
    answer(data, page(said, leads) + silence, as_json=as_json)
    if found or len(said) < 2:
        click.get_current_context().exit(int(Exit.FAILED))


async def _asked(
    asking: Asking, settings: ClientSettings
) -> tuple[Seen, list[Shown], dict[str, str]]:
    """What the nodes that answer say of their settings, and why others do not."""
    seen = await look(asking, settings)
    found, quiet = [], dict(seen.silent)
    for node, place in seen.places.items():
        heard = await asking.one(place, "settings", {}, ASK_S)
        if heard.answer is not None and heard.answer.ok:
            found.append(msgspec.json.decode(heard.answer.data, type=Shown))
        else:
            quiet[node] = heard.trouble or (heard.answer.sentence if heard.answer else "")
    return seen, found, quiet


@config.command("edit", epilog=EDIT_EPILOG)
@click.argument("changes", nargs=-1, required=True, metavar="KEY=VALUE…")
@click.option("--node", help="Only this node's file; else both.")
@click.option("--dry-run", "dry", is_flag=True, help="Only show what would be written.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def edit_command(
    *, changes: tuple[str, ...], node: str | None, dry: bool, yes: bool, as_json: bool
) -> None:
    """Change settings in the operator's folder, checked, and say what to bring where."""
    settings = client_settings("ops")
    asked = wanted(changes)
    shared = next((key for key in asked if key.startswith(SHARED)), "")
    if node is not None and shared:
        raise Ended(Exit.REFUSED, f"{shared} is the same on both nodes: leave --node out.")
    files = _files(node)
    edits = [edit(name, file, file.read_text("utf-8"), asked) for name, file in files.items()]
    edits = [one for one in edits if one.before != one.after]
    if not edits:
        answer({"written": [], "diff": ""}, "The files say that already.", as_json=as_json)
        return
    seen, said, _ = on_reactor(settings, lambda asking: _asked(asking, settings))
    _safe(edits, said, asked)
    diff = "\n".join(one.diff for one in edits)
    if not as_json or not yes:
        talk(diff)
    if not dry:
        if not yes and not click.confirm("Write that?", err=True):
            raise Ended(Exit.REFUSED, "Nothing was written.")
        written(edits)
    steps = _next(edits, said, seen)
    data: dict[str, Any] = {"diff": diff, "next": steps, "dry": dry}
    data["written"] = [] if dry else [str(one.file) for one in edits]
    head = "Nothing was written (--dry-run). It would be:" if dry else "Written. What next:"
    answer(data, "\n".join([head, *(f"  {step}" for step in steps)]), as_json=as_json)


def _files(node: str | None) -> dict[str, Path]:
    """The nodes' files in the operator's folder, beside his own settings."""
    said = click.get_current_context().find_root().params.get("settings")
    place = Path(said or os.environ.get("MPOWER_HOME", "."))
    home = place if place.is_dir() else place.parent
    found = {one.stem.removeprefix("node-"): one for one in sorted(home.glob("node-*.yaml"))}
    wanted_here = {node} if node else set(found)
    if len(found) != 2 or not wanted_here <= set(found):
        raise Ended(
            Exit.FAILED,
            f"{home} does not hold the settings of {node or 'both nodes'} (node-NAME.yaml, found:"
            f" {', '.join(found) or 'none'}). Go to the folder that 'mpower init' wrote.",
        )
    return {name: file for name, file in found.items() if name in wanted_here}


def _safe(edits: list[Edit], said: list[Shown], asked: dict[str, Any]) -> None:
    """Ended(REFUSED) with the reason if it is not."""
    whys = [unsafe(edits, said)]
    for one in edits:
        whys += [drift(one, shown, asked) for shown in said if shown.node == one.node]
    if why := next((one for one in whys if one), ""):
        raise Ended(Exit.REFUSED, f"Nothing was written: {why}.")


def written(edits: list[Edit]) -> None:
    """All files, or none: the ones before are put back if a later one cannot be written."""
    done: list[Edit] = []
    try:
        for one in edits:
            write_file(one.file, one.after.encode(), PUBLIC)
            done.append(one)
    except OSError as wrong:
        for one in done:
            write_file(one.file, one.before.encode(), PUBLIC)
        raise Ended(Exit.FAILED, f"{wrong}. Both files are as before.") from wrong


def _next(edits: list[Edit], said: list[Shown], seen: Seen) -> list[str]:
    """What a person does: every setting is read at a node's start, and only then."""
    record = record_of(seen)
    primary = record.primary if record is not None else ""
    places = {one.node: one.file for one in said}
    steps = []
    for one in edits:
        there = places.get(one.node, f"the settings file of {one.node}")
        if Path(there) != one.file.absolute() or one.node not in places:
            steps.append(f"bring {one.file} to {one.node}: {there}")
    nodes = sorted((one.node for one in edits), key=lambda node: node == primary)
    for node in nodes:
        if node == primary:
            steps.append("mpower cluster switchover    (once the pair is safe to fail over)")
        steps.append(f"restart {node}, wait for 'mpower cluster status' to say safe to fail over")
    return [*steps, "mpower cluster config show    (proves that both took it)"]
