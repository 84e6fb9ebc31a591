"""Why something did not decode, for a person: the field by its name and what was expected of it.

msgspec names a place by index (``$[3][0]``), because messages travel as arrays; a person needs
``lines[0].reference``. The names come from the declared type, so a reason never repeats what the
sender wrote: nothing of a password or of hostile text reaches a log or a screen this way. This file
must not know any message.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import inspect

WHERE: Final = re.compile(r"^(?P<what>.*?)(?: - at `(?P<path>.*)`)?\Z", re.DOTALL)
STEP: Final = re.compile(r"\[(\d+|\.\.\.)\]|\.(\w+)")
REGEX: Final = re.compile(r"^Expected `str` matching regex .*\Z", re.DOTALL)
BOUND: Final = re.compile(
    r"^Expected `(?P<kind>str|array|int)`(?: of length)? (?P<sign>[<>]=) (?P<number>-?\d+)\Z"
)
LIMIT_CHARACTERS: Final = 160
"""A reason stands on one line of a terminal's screen and of the log."""


def why(error: Exception, expected: object) -> str:
    """Give the reason of a decode error: the field, and what was expected of it; ``expected`` is
    the type that was decoded.
    """
    if isinstance(error, UnicodeDecodeError):
        return "a text is not valid UTF-8"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    found = WHERE.match(str(error))
    assert found is not None
    if not found["path"]:
        return _clean(found["what"])
    place, kind = _walk(found["path"], expected)
    bound = _bound(found["what"], kind)
    if bound and place:
        return _clean(f"{_named(place)} {bound}")
    return _clean(f"{place or 'message'}: {_expectation(found['what'], kind)}")


def _named(place: str) -> str:
    """``reason`` is said as a person does; a place within something stays as it is."""
    return f"the {place.replace('_', ' ')}" if place.isidentifier() else place


def _bound(what: str, kind: inspect.Type | None) -> str:
    """Say which bound was missed, '' if it is none that a person would understand."""
    described = _description(kind)
    if REGEX.match(what):
        return f"must be {described}" if described else "has characters that are not allowed"
    found = BOUND.match(what)
    if found is None:
        return ""
    least, number = found["sign"] == ">=", found["number"]
    if found["kind"] == "int":
        return f"must be at {'least' if least else 'most'} {number}"
    things = "characters" if found["kind"] == "str" else "entries"
    things = things if number != "1" else {"characters": "character", "entries": "entry"}[things]
    return f"needs at least {number} {things}" if least else f"has at most {number} {things}"


def _expectation(what: str, kind: inspect.Type | None) -> str:
    if what.startswith("Invalid"):
        bare = _bare(kind)
        known = bare.values if isinstance(bare, inspect.LiteralType) else []
        return f"expected one of {', '.join(map(str, known))}" if known else "is not known here"
    return what[:1].lower() + what[1:]


def _description(kind: inspect.Type | None) -> str:
    if isinstance(kind, inspect.Metadata) and kind.extra_json_schema:
        return str(kind.extra_json_schema.get("description", ""))
    return ""


def _walk(path: str, expected: object) -> tuple[str, inspect.Type | None]:
    """Follow ``$[1][0]`` through the declared type; give the place as a person reads it, and the
    type there.
    """
    kind: inspect.Type | None = inspect.type_info(expected)
    place = ""
    for index, name in STEP.findall(path):
        bare = _bare(kind)
        if name:
            place, kind = f"{place}.{name}", None
        elif isinstance(bare, inspect.UnionType):
            return place, None
        elif isinstance(bare, inspect.StructType) and index != "...":
            at = int(index) - (bare.tag is not None)
            if not 0 <= at < len(bare.fields):
                return place, None
            place, kind = f"{place}.{bare.fields[at].name}", bare.fields[at].type
        else:
            place, kind = f"{place}[{index}]", _inside(bare)
    return place.lstrip("."), kind


def _bare(kind: inspect.Type | None) -> inspect.Type | None:
    """Take the notes off a type, and None off an optional struct."""
    if isinstance(kind, inspect.Metadata):
        return _bare(kind.type)
    if isinstance(kind, inspect.UnionType):
        structs = [one for one in kind.types if isinstance(one, inspect.StructType)]
        return structs[0] if len(structs) == 1 else kind
    return kind


def _inside(kind: inspect.Type | None) -> inspect.Type | None:
    if isinstance(kind, inspect.ListType):
        return kind.item_type
    if isinstance(kind, inspect.DictType):
        return kind.value_type
    return None


def _clean(text: str) -> str:
    return "".join(one if one.isprintable() else "?" for one in text)[:LIMIT_CHARACTERS]
