"""What becomes of the nodes' settings by an edit, before anything is written: the new texts, and
why not. Pure but for the paths it resolves.

Refused by name: what is no setting or no value of it, what does not fit together, what would take
the pair apart, and what is dangerous while one node already has the new value and the other still
the old one, as during every rolling restart.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from clients.door import Ended, Exit
from config.editing import EditError, changed
from config.load import SettingsError, settings_from
from config.settings import FAST, NodeSettings, TimersSettings
from config.shown import Shown, flat
from config.yaml import YamlError, read_yaml

FIXED: Final = {
    "node": "it says which machine the file is for",
    "data": "the data folder is moved by hand, with the node stopped",
    "cluster.name": "it stands in every certificate",
    "cluster.nodes": "addresses are moved one node at a time, by hand: see the operator's guide",
    "cluster.arbiter": "the record moves with it: mpower cluster arbiter replace",
    "cluster.witness": "the record moves with it: mpower cluster arbiter replace",
    "cluster.etcd": "the record moves with it: mpower cluster arbiter replace",
    "cluster.strict": "it counts at bootstrap only; now: mpower cluster strict on|off",
    "tls": "a certificate is exchanged in its place: put the new file there, restart the node",
}
SHARED: Final = "cluster."
UNTRIED: Final = (
    f"below {FAST.takeover_ms} ms a machine that stands still for a moment loses its place;"
    " shorter was never tried"
)


class Edit(Struct, frozen=True, kw_only=True):
    """One node's file: the text before and after, and the settings after."""

    node: str
    file: Path
    before: str
    after: str
    was: NodeSettings
    settings: NodeSettings

    @property
    def diff(self) -> str:
        """As diff -u shows it."""
        name = self.file.name
        lines = difflib.unified_diff(
            self.before.splitlines(), self.after.splitlines(), name, name, "now", "new", 1, ""
        )
        return "\n".join(lines)


def wanted(words: tuple[str, ...]) -> dict[str, Any]:
    """KEY=VALUE as a person wrote it; None is the default again. Ended(USAGE, REFUSED)."""
    found: dict[str, Any] = {}
    for word in words:
        key, is_said, value = word.partition("=")
        if not is_said or not key:
            raise Ended(Exit.USAGE, f"'{word}' is no KEY=VALUE. Example: log_level=debug")
        for fixed, why in FIXED.items():
            if key == fixed or key.startswith((f"{fixed}.", f"{fixed}[")):
                raise Ended(Exit.REFUSED, f"{key} is not changed here: {why}. Nothing was done.")
        try:
            found[key] = read_yaml(value.encode()) if value else None
        except YamlError as wrong:
            raise Ended(Exit.USAGE, f"{key}: {value} is no value ({wrong.reason}).") from None
        if value and found[key] is None:
            raise Ended(Exit.USAGE, f"{key}: write '{key}=' for the default.")
    return found


def edit(node: str, file: Path, before: str, changes: dict[str, Any]) -> Edit:
    """The file with these changes; Ended(REFUSED) names what is wrong with them."""
    after = before
    try:
        for key, value in changes.items():
            after = changed(after, key, value)
        was = settings_from(read_yaml(before.encode()), NodeSettings, file.name, file.parent)
        new = settings_from(read_yaml(after.encode()), NodeSettings, file.name, file.parent)
    except (EditError, SettingsError, YamlError) as wrong:
        raise Ended(Exit.REFUSED, f"{str(wrong).rstrip('.')}. Nothing was written.") from None
    return Edit(node=node, file=file, before=before, after=after, was=was, settings=new)


def unsafe(edits: list[Edit], said: list[Shown]) -> str:
    """Why these values would not be safe, ''; ``said``: what the nodes work by now."""
    for one in edits:
        was, new = one.was.cluster.timers, one.settings.cluster.timers
        if new.takeover_ms < min(FAST.takeover_ms, was.takeover_ms):
            return f"takeover_ms {new.takeover_ms}: {UNTRIED}"
    now = [one.was.cluster.timers for one in edits] + [timers(one) for one in said]
    whys = (mixed(old, one.settings.cluster.timers) for one in edits for old in now)
    return next((why for why in whys if why), "")


def timers(shown: Shown) -> TimersSettings:
    """Those that a node works by."""
    at = "cluster.timers."
    found = {k.removeprefix(at): v for k, v in shown.running.items() if k.startswith(at)}
    return msgspec.convert(found, TimersSettings)


def mixed(old: TimersSettings, new: TimersSettings) -> str:
    """Why the pair may not work by both at once, as it does between two restarts."""
    for primary, standby in ((old, new), (new, old)):
        if primary.solo_ms >= standby.takeover_ms:
            return (
                f"between the two restarts a primary that goes alone after {primary.solo_ms} ms"
                f" meets a standby that takes over after {standby.takeover_ms} ms: it would lose"
                " its place while it is deciding. Change it in two steps, restarting both after"
                " each: first so that solo_ms is below both takeover_ms"
            )
    return ""


def drift(one: Edit, shown: Shown, changes: dict[str, Any]) -> str:
    """What the server's own file says otherwise and would be lost with the new one, ''. Paths are
    each machine's own.
    """
    if shown.on_disk is None:
        return ""
    here, there = flat(one.was), shown.on_disk
    for key in here.keys() | there.keys():
        mine, theirs = here.get(key), there.get(key)
        paths = any(isinstance(value, str) and value.startswith("/") for value in (mine, theirs))
        if mine != theirs and not paths and key not in changes:
            return (
                f"{key} is {theirs} in {shown.file} of {one.node} and {mine} in {one.file}:"
                f" bringing the new file there would change that too. Say what it shall be: {key}=…"
            )
    return ""
