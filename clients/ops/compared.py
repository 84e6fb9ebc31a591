"""The settings of both nodes side by side: where each comes from, where they differ, and what a
node's file says that it does not work by yet. Pure.

What both nodes must agree about (``cluster.*``) is a fault where it differs; what names a machine
differs by nature and is no difference. Nor are two addresses that lead to one place: the operator
says which are forwarded (``leads``: near address → far). It must not know how the answers came.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from msgspec import Struct

from config.shown import Shown

OWN: Final = frozenset(
    {"node", "data", "tls.certificate", "tls.key", "ops.listen", "postgres.bindir"}
)
"""What each machine has for itself."""
SHARED: Final = "cluster."
"""What both nodes must agree about begins so; strict is read at bootstrap and never again."""
FORWARDED: Final = (
    "forwarded: the nodes use different addresses of one place, by 'forwards' in mpower.yaml."
)
OFTEN_PATHS: Final = ("tls.", "postgres.replication_password_file", "audit.signing_key")
"""Paths may differ from machine to machine; what they name may not, and is found by doctor."""


Leads = Mapping[str, str]


class Line(Struct, frozen=True):
    """One setting: by node the value it runs by and where that comes from; ``mark`` in a word:
    restart, DIFFERS (a fault), differs, forwarded (other addresses of one place) or none.
    """

    key: str
    values: dict[str, Any]
    sources: dict[str, str]
    mark: str = ""


class Ill(Struct, frozen=True):
    """What a person should act on."""

    key: str
    what: str
    do: str


def leads_of(forwards: list[str]) -> dict[str, str]:
    """Near address → far, of the operator's ``forwards``."""
    return dict(one.split("=") for one in forwards)


def lines(said: list[Shown], leads: Leads = MappingProxyType({})) -> list[Line]:
    """Every setting that any node runs by, in the order of the file."""
    keys = dict.fromkeys(key for one in said for key in one.running)
    return [_line(key, said, leads) for key in keys]


def _line(key: str, said: list[Shown], leads: Leads) -> Line:
    values = {one.node: one.running.get(key) for one in said}
    sources = {one.node: _source(one, key) for one in said}
    mark = ""
    if any(waits(one, key) for one in said):
        mark = "restart"
    elif not differ(key, list(values.values())):
        mark = ""
    elif not differ(key, [_led(value, leads) for value in values.values()]):
        mark = "forwarded"
    else:
        mark = "DIFFERS" if key.startswith(SHARED) else "differs"
    return Line(key, values, sources, mark)


def differ(key: str, values: list[Any]) -> bool:
    """The nodes have this otherwise, and not because each has its own."""
    own = key in OWN or key.startswith(OFTEN_PATHS)
    return not own and any(one != values[0] for one in values)


def _led(value: Any, leads: Leads) -> Any:
    """Where an address, or each of a list, leads in the end."""
    if isinstance(value, list):
        return [_led(one, leads) for one in value]
    return leads.get(value, value) if isinstance(value, str) else value


def waits(one: Shown, key: str) -> bool:
    """The file says something else than the node works by."""
    return one.on_disk is not None and one.on_disk.get(key) != one.running.get(key)


def _source(one: Shown, key: str) -> str:
    if waits(one, key):
        return "at its start"
    return f"line {one.lines[key]}" if key in one.lines else "default"


def ills(said: list[Shown], leads: Leads = MappingProxyType({})) -> list[Ill]:
    """What is not as it should be."""
    found = [
        Ill("", f"{one.node} cannot read its file: {one.trouble}", "Correct it before a restart.")
        for one in said
        if one.trouble
    ]
    for one in said:
        keys = [key for key in {**one.running, **(one.on_disk or {})} if waits(one, key)]
        for key in sorted(keys):
            was, now = one.running.get(key), (one.on_disk or {}).get(key)
            what = f"{one.node} works by {text(was)}, its file says {text(now)}"
            found.append(Ill(key, what, f"It takes it at its next start: restart {one.node}."))
    for line in lines(said, leads):
        if line.mark == "DIFFERS":
            told = ", ".join(f"{text(value)} on {node}" for node, value in line.values.items())
            do = f"Make it one: mpower cluster config edit {line.key}=…, and restart what waits."
            found.append(Ill(line.key, f"both nodes must agree, and it is {told}", do))
    return found


def text(value: Any) -> str:
    """A value as a person reads it; '-' is none."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(str, value))}]"
    return str(value)


def page(said: list[Shown], leads: Leads = MappingProxyType({})) -> str:
    """The answer for people."""
    told = lines(said, leads)
    head = ["setting", *(f"{one.node}" for one in said), "from", ""]
    rows = [head, *(_row(line) for line in told)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(head))]
    body = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    files = [f"{one.node}: {one.file}" for one in said]
    wrong = [f"{one.key or 'file'}: {one.what}\n  do: {one.do}" for one in ills(said, leads)]
    if not wrong:
        wrong = ["Each node works by what its file says, and they agree where they must."]
    if any(line.mark == "forwarded" for line in told):
        wrong.append(FORWARDED)
    return "\n".join([*files, "", *body, "", *wrong])


def _row(line: Line) -> list[str]:
    sources = list(line.sources.values())
    same = all(one == sources[0] for one in sources)
    where = sources[0] if same else ", ".join(f"{n} {one}" for n, one in line.sources.items())
    return [line.key, *(text(one) for one in line.values.values()), where, line.mark]
