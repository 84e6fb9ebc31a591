"""The settings of a running node as it tells them: what it runs by, what its file says now, and on
which line.

A setting is a dotted key (``cluster.timers.takeover_ms``, ``cluster.nodes[0].terminals``) with a
value writable as JSON. Secrets are never in a settings file, only the paths of theirs. It must not
know who asks.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from config.load import SettingsError, load_node
from config.settings import NodeSettings, Settings
from config.yaml import YamlError, lines_of

Flat = dict[str, Any]
"""Dotted key → value."""


class Shown(Struct, frozen=True, kw_only=True):
    """What a node says: ``running`` by what it works, ``on_disk`` what its ``file`` says now (None:
    it cannot be read, ``trouble`` says why), ``lines`` where in it; what has no line is a default.
    """

    node: str
    file: str
    running: Flat
    on_disk: Flat | None
    lines: dict[str, int]
    trouble: str = ""


def flat(settings: Settings) -> Flat:
    """Every setting with its value, as JSON has it."""
    found: Flat = {}
    _into(found, "", msgspec.to_builtins(settings, enc_hook=str))
    return found


def _into(found: Flat, key: str, value: Any) -> None:
    if isinstance(value, dict):
        for name, inner in value.items():
            _into(found, f"{key}.{name}" if key else name, inner)
    elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
        for n, inner in enumerate(value):
            _into(found, f"{key}[{n}]", inner)
    else:
        found[key] = value


class NodeFile:
    """The settings file of one node; called, it reads it again (blocking; SettingsError)."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    def __call__(self) -> NodeSettings:
        """Read it anew."""
        return load_node(self.path)

    def shown(self, running: NodeSettings) -> Shown:
        """What runs, beside what stands in the file now. Blocking; never raises."""
        lines: dict[str, int] = {}
        now: Flat | None = None
        trouble = ""
        try:
            lines = lines_of(self.path.read_bytes())
            now = flat(self())
        except (OSError, YamlError, SettingsError) as wrong:
            trouble = str(wrong)
        return Shown(
            node=running.node,
            file=str(self.path),
            running=flat(running),
            on_disk=now,
            lines=lines,
            trouble=trouble,
        )
