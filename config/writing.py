"""From typed settings to the file a person edits: every setting with its comment, defaults shown
but commented out.

The comment is the description in the declaration, so the file cannot drift from the code, and
reading the written text gives the same settings back. This file must not know any particular
setting.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from config.explain import description_of, group_of, item_of
from config.settings import Settings

WIDTH: Final = 96
PLAIN: Final = re.compile(r"^[A-Za-z./][A-Za-z0-9./_-]*\Z")
WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def settings_text(settings: Settings, head: str = "") -> str:
    """Write settings as commented YAML; ``head`` (prose) goes above."""
    lines = [f"# {line}".rstrip() for line in head.splitlines()]
    return "\n".join([*lines, *([""] if lines else []), *_group(settings, "")]) + "\n"


def _group(settings: Settings, indent: str) -> Iterator[str]:
    for field in msgspec.structs.fields(settings):
        value = getattr(settings, field.name)
        for line in textwrap.wrap(description_of(field.type), WIDTH - len(indent)):
            yield f"{indent}# {line}"
        group = group_of(field.type)
        if group is not None and value is None:
            yield f"{indent}# {field.name}:"
            yield from _absent(group, indent + "  ")
        elif group is not None:
            yield f"{indent}{field.name}:"
            yield from _group(value, indent + "  ")
        elif group_of(item_of(field.type)) is not None:
            yield f"{indent}{field.name}:"
            for item in value:
                first, *rest = _uncommented_first(_group(item, indent + "    "))
                yield first
                yield from rest
        else:
            default = value is None or (not field.required and value == _default(field))
            yield f"{indent}{'# ' if default else ''}{field.name}: {scalar(value)}".rstrip()
        if not indent:
            yield ""


def _absent(group: type[Settings], indent: str) -> Iterator[str]:
    """A group that is left out: what it would hold, commented out."""
    for field in msgspec.structs.fields(group):
        for line in textwrap.wrap(description_of(field.type), WIDTH - len(indent)):
            yield f"{indent}# {line}"
        value = None if field.required else _default(field)
        yield f"{indent}# {field.name}: {scalar(value)}".rstrip()


def _uncommented_first(lines: Iterator[str]) -> Iterator[str]:
    """Put the dash of a list item before its first setting; comments above it stay above."""
    dashed = False
    for line in lines:
        if not dashed and not line.lstrip().startswith("#"):
            dashed = True
            indent = len(line) - len(line.lstrip())
            yield f"{line[: indent - 2]}- {line.lstrip()}"
        else:
            yield line if dashed else line[2:]


def _default(field: Any) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


def scalar(value: Any) -> str:
    """One value as it stands after ``key:``."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(scalar(one) for one in value)}]"
    if isinstance(value, int):
        return str(value)
    text = str(value)
    assert isinstance(value, str | Path), value
    if PLAIN.match(text) and text.lower() not in WORDS:
        return text
    return json.dumps(text, ensure_ascii=False)
