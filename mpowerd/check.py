"""``mpowerd check``: the check-up of this machine, for people and for programs.

It must not judge: ``cluster.checkup.judging`` does.
"""

from __future__ import annotations

import json

import msgspec

from cluster.checkup.judging import Finding, findings
from cluster.checkup.looking import look
from config.settings import NodeSettings

JSON_VERSION = 1


def check(settings: NodeSettings) -> tuple[Finding, ...]:
    """What is found now, the grave first."""
    return findings(look(settings))


def shown(found: tuple[Finding, ...], *, as_json: bool) -> str:
    """The answer on stdout."""
    if as_json:
        return json.dumps({"version": JSON_VERSION, "findings": msgspec.to_builtins(found)})
    if not found:
        return "Nothing found: a node can run here."
    marks = {True: "GRAVE", False: "note"}
    return "\n".join(
        f"{marks[one.grave]}: {one.what}\n  why: {one.why}\n  do: {one.do}" for one in found
    )
