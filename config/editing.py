"""Changes one setting in the text of a settings file, and leaves everything else as it stands: the
comments a person wrote too. Pure.

Invariant: what is given back reads as the old settings with that one changed, or EditError says
that it must be done by hand. It must not know what a setting means.
"""

from __future__ import annotations

import copy
import re
from typing import Any, Final

import yaml
from msgspec import Struct

from config.writing import scalar
from config.yaml import YamlError, composed, read_yaml

STEP: Final = "  "


class EditError(ValueError):
    """It cannot be changed here; str() is the sentence."""


class _Place(Struct, frozen=True):
    """Where a group's settings stand: lines ``first`` up to (not including) ``last``, and how deep
    they are indented.
    """

    first: int
    last: int
    indent: str


def changed(text: str, key: str, value: Any) -> str:
    """The text with ``key`` (dotted) at ``value``; None takes it out, which leaves the default."""
    parts = key.split(".")
    root = composed(text)
    if not isinstance(root, yaml.MappingNode):
        raise EditError("the file holds no settings")
    place, node, at = _Place(0, len(text.splitlines()), ""), root, 0
    while at < len(parts):
        found = _child(node, parts[at])
        if found is None:
            break
        name, inner = found
        if at == len(parts) - 1:
            return _sure(text, _replaced(text, key, name, inner, value), parts, value)
        if not isinstance(inner, yaml.MappingNode):
            if inner.value:
                raise EditError(f"{'.'.join(parts[: at + 1])} is no group of settings")
            inner = yaml.MappingNode("", [])
        place, node, at = _place(text, name, inner), inner, at + 1
    if value is None:
        return text
    return _sure(text, _added(text, place, parts[at:], value), parts, value)


def _child(node: yaml.MappingNode, part: str) -> tuple[yaml.ScalarNode, yaml.Node] | None:
    return next(((name, inner) for name, inner in node.value if name.value == part), None)


def _place(text: str, name: yaml.ScalarNode, inner: yaml.MappingNode) -> _Place:
    """From the line below the group's name to the next setting that is not deeper than it."""
    lines = text.splitlines()
    first, column = name.start_mark.line + 1, name.start_mark.column
    if inner.value:
        if getattr(inner, "flow_style", False):
            raise EditError(f"{name.value} is written in one line; change it there by hand")
        indent = " " * inner.value[0][0].start_mark.column
    else:
        indent = " " * column + STEP
    last = first
    while last < len(lines) and (
        not lines[last].strip()
        or lines[last].lstrip().startswith("#")
        or len(lines[last]) - len(lines[last].lstrip()) > column
    ):
        last += 1
    return _Place(first, last, indent)


def _replaced(text: str, key: str, name: yaml.ScalarNode, inner: yaml.Node, value: Any) -> str:
    """Another value in the place of the one that stands there."""
    start, end = inner.start_mark, inner.end_mark
    if inner.start_mark.line != name.start_mark.line or end.line != start.line:
        raise EditError(f"{key} is written over several lines; change it there by hand")
    if value is None:
        lines = text.splitlines(keepends=True)
        column = name.start_mark.column
        line = lines[name.start_mark.line]
        lines[name.start_mark.line] = f"{line[:column]}# was: {line[column:]}"
        return "".join(lines)
    gap = "" if text[start.index - 1] == " " else " "
    return f"{text[: start.index]}{gap}{scalar(value)}{text[end.index :]}"


def _added(text: str, place: _Place, parts: list[str], value: Any) -> str:
    """In the place of its default, which stands there commented out, else first in its group."""
    lines = text.splitlines()
    *groups, last = parts
    written = f"{place.indent}{STEP * len(groups)}{last}: {scalar(value)}"
    above = [f"{place.indent}{STEP * n}{group}:" for n, group in enumerate(groups)]
    shown = re.compile(rf"{place.indent}# {re.escape(last)}:(?: .*)?")
    for n in range(place.first, place.last):
        if not groups and shown.fullmatch(lines[n]):
            lines[n] = written
            return "\n".join(lines) + "\n"
    at = place.last if place.indent == "" else place.first
    return "\n".join([*lines[:at], *above, written, *lines[at:]]) + "\n"


def _sure(before: str, after: str, parts: list[str], value: Any) -> str:
    """Read it back: exactly that is changed."""
    wanted = copy.deepcopy(read_yaml(before.encode()))
    group = wanted
    for part in parts[:-1]:
        if group.get(part) is None:
            group[part] = {}
        group = group[part]
    if value is None:
        group.pop(parts[-1], None)
    else:
        group[parts[-1]] = value
    try:
        said = read_yaml(after.encode())
    except YamlError:
        said = None
    if _bare(said) != _bare(wanted):
        raise EditError(f"{'.'.join(parts)} stands in a way that is not understood; do it by hand")
    return after


def _bare(value: Any) -> Any:
    """Without empty groups: they mean their defaults."""
    if not isinstance(value, dict):
        return value
    found = {key: _bare(inner) for key, inner in value.items()}
    return {key: inner for key, inner in found.items() if inner not in ({}, None)}
