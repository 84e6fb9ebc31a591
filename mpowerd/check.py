"""``mpowerd check``: the check-up of this machine, for people and for programs.

It must not judge: ``cluster.checkup.judging`` does.
"""

from __future__ import annotations

import json

import msgspec

from cluster.checkup.bare import Fact
from cluster.checkup.judging import Finding, findings
from cluster.checkup.looking import look
from config.settings import NodeSettings

JSON_VERSION = 1


def check(settings: NodeSettings) -> tuple[Finding, ...]:
    """What is found now, the grave first."""
    return findings(look(settings))


def shown(found: tuple[Finding, ...], *, as_json: bool, facts: tuple[Fact, ...] = ()) -> str:
    """The answer on stdout; ``facts`` of a machine without settings."""
    if as_json:
        said = {"facts": msgspec.to_builtins(facts), "findings": msgspec.to_builtins(found)}
        return json.dumps({"version": JSON_VERSION, **said})
    lines = [f"ok: {one.what}: {one.found}" for one in facts]
    for one in found:
        mark = "GRAVE" if one.grave else "note"
        lines += [f"{mark}: {one.what}", f"  why: {one.why}", f"  do: {one.do}"]
    return "\n".join(lines if found else [*lines, "Nothing found: a node can run here."])
