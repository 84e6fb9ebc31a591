"""What a settings type says of itself, and a checker's complaint in words a person understands.

The comment of a setting is its hint in an error. This file must not read files nor know any
particular setting.
"""

from __future__ import annotations

import re
import types
import typing
from typing import Annotated, Any, Final, Union

import msgspec

from config.settings import Settings

KINDS: Final = {
    "str": "text",
    "int": "a whole number",
    "bool": "true or false",
    "float": "a number with decimals",
    "null": "nothing",
    "array": "a list",
    "object": "a group of settings",
}


def bare(wanted: Any) -> list[Any]:
    """Give the alternatives of a field's type without its annotations: ``Annotated[X | None, …]`` →
    [X, NoneType].
    """
    if typing.get_origin(wanted) is Annotated:
        return bare(typing.get_args(wanted)[0])
    if typing.get_origin(wanted) in {types.UnionType, Union}:
        return [one for part in typing.get_args(wanted) for one in bare(part)]
    return [wanted]


def group_of(wanted: Any) -> type[Settings] | None:
    """Give the group of settings a field's type is, or None."""
    kind = bare(wanted)[0]
    return kind if isinstance(kind, type) and issubclass(kind, Settings) else None


def item_of(wanted: Any) -> Any:
    """Give the type of the items if a field is a list, or None."""
    kind = bare(wanted)[0]
    return typing.get_args(kind)[0] if typing.get_origin(kind) is list else None


def description_of(wanted: Any) -> str:
    """Give the comment of a field, '' if it has none."""
    notes = typing.get_args(wanted)[1:] if typing.get_origin(wanted) is Annotated else ()
    return next((note.description for note in notes if getattr(note, "description", None)), "")


def explain(wrong: str, wanted: type[Settings]) -> tuple[str, str]:
    """Turn msgspec's words into a dotted key and a reason a person understands."""
    what, _, path = wrong.partition(" - at `$")
    key = path.rstrip("`").lstrip(".")
    if missing := re.match(r"Object missing required field `(\w+)`", what):
        key = f"{key}.{missing[1]}".strip(".")
        return key, f"this setting is missing ({_hint(wanted, key)})"
    if kind := re.match(r"Expected `([\w |]+)`, got `(\w+)`", what):
        needed = " or ".join(KINDS.get(one, one) for one in kind[1].split(" | "))
        return key, f"{needed} is needed, not {KINDS.get(kind[2], kind[2])}"
    if bound := re.match(r"Expected `\w+` (>=|<=) (\S+)", what):
        return key, f"it must be {'at least' if bound[1] == '>=' else 'at most'} {bound[2]}"
    if length := re.match(r"Expected `array` of length (>=|<=) (\d+)", what):
        return key, f"{'at least' if length[1] == '>=' else 'at most'} {length[2]} are needed"
    if "matching regex" in what:
        return key, f"it is not written as it must be ({_hint(wanted, key)})"
    if value := re.match(r"Invalid enum value (.*)", what):
        return key, f"{value[1]} is not one of the choices ({_hint(wanted, key)})"
    return key, what[:1].lower() + what[1:]


def _hint(wanted: Any, key: str) -> str:
    hint = ""
    for part in re.sub(r"\[\d+\]|\[\.\.\.\]", "", key).split("."):
        group = group_of(wanted) or group_of(item_of(wanted))
        if group is None:
            break
        wanted = {field.name: field.type for field in msgspec.structs.fields(group)}.get(part)
        hint = description_of(wanted).rstrip(".")
    return hint or "see the comments of the file"
