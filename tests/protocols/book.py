"""Writes what the protocol's documentation takes from the declarations: vectors, messages,
operations, tables.

``python -m tests.protocols.book`` writes the files; the suite fails when they are not what it would
write.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect

from protocols import codec, conversation, terminal
from protocols.catalogue import CATALOGUE
from protocols.frames import frame
from protocols.messages import MAX_FRAME_BYTES, FromClient, FromServer, Packed
from protocols.refusals import SENTENCES, Refused
from tests.protocols import examples

FOLDER = Path(__file__).parents[2] / "docs" / "protocol"
DEFLATED = (
    "9bb2b0887df2c4d9eb512c323182580376cd160433c4c0d4cad808628d91b189a999b985a5c1aa20"
    "056f85600fc7205fc7730c8c4f12c0d62e00dbb124b138231162112358ee1000"
)
"""The example's deflated bytes as they were once: another zlib may deflate otherwise."""
NOTE = "Written from the declarations by `python -m tests.protocols.book`; do not edit.\n"


def plain(raw: bytes) -> Any:
    """Show MessagePack as JSON: bytes as {"hex": ...}."""

    def shown(value: Any) -> Any:
        if isinstance(value, bytes):
            return {"hex": value.hex()}
        if isinstance(value, list):
            return [shown(one) for one in value]
        if isinstance(value, dict):
            return {key: shown(one) for key, one in value.items()}
        return value

    return shown(msgspec.msgpack.decode(raw))


def vectors() -> dict[str, Any]:
    """Every example as its arrays, its MessagePack and its frame."""
    return {
        "note": NOTE.strip(),
        "protocol": 1,
        "from_client": [_message(name, one) for name, one in examples.FROM_CLIENT.items()],
        "from_server": [_message(name, one) for name, one in examples.FROM_SERVER.items()],
        "packed": {
            "note": "Packed holds raw deflate; inflated behind the dictionary it is the payload of"
            " the message within",
            "dictionary": codec.PACK_DICTIONARY.hex(),
            "payload": codec.encode(Packed(bytes.fromhex(DEFLATED))).hex(),
            "within": codec.encode(examples.LARGE).hex(),
        },
        "bodies": [
            {
                "operation": name,
                "request": _body(request),
                "reply": _body(reply),
            }
            for name, (request, reply) in examples.BODIES.items()
        ],
        "unreadable": [
            {"name": name, "payload": raw.hex(), "code": "BAD_FRAME", "sentence": _refused(raw)}
            for name, raw in examples.UNREADABLE.items()
        ],
        "bad_bodies": [
            {
                "name": name,
                "operation": operation,
                "body": raw.hex(),
                "code": "BAD_BODY",
                "sentence": _bad_body(operation, raw),
            }
            for name, (operation, raw) in examples.BAD_BODIES.items()
        ],
    }


def _message(name: str, message: Any) -> dict[str, Any]:
    raw = codec.encode(message)
    return {
        "name": name,
        "array": plain(raw),
        "payload": raw.hex(),
        "frame": frame(raw, MAX_FRAME_BYTES).hex(),
    }


def _body(body: Any) -> dict[str, Any]:
    raw = bytes(examples.body_raw(body))
    return {"array": plain(raw), "payload": raw.hex()}


def _refused(raw: bytes) -> str:
    try:
        codec.from_client(raw)
    except Refused as refused:
        return refused.sentence
    raise AssertionError(f"{raw!r} is readable")


def _bad_body(operation: str, raw: bytes) -> str:
    try:
        codec.decode_body(examples.declared(operation), raw)
    except Refused as refused:
        return refused.sentence
    raise AssertionError(f"{raw!r} is a body of {operation}")


# ---------------------------------------------------------------- types in words


def words(kind: inspect.Type) -> str:
    """Say a type as a reader needs it: its MessagePack type and its bounds."""
    match kind:
        case inspect.Metadata():
            note = (kind.extra_json_schema or {}).get("description", "")
            return f"{words(kind.type)}{f' ({note})' if note else ''}"
        case inspect.ListType():
            items = _range(kind.min_length, kind.max_length, " items")
            return f"array{items} of {words(kind.item_type)}"
        case inspect.DictType():
            return f"map of {words(kind.key_type)} to {words(kind.value_type)}"
        case inspect.UnionType():
            return " or ".join(words(one) for one in kind.types)
        case inspect.StructType():
            return f"[{kind.cls.__name__}](#{kind.cls.__name__.lower()})"
    return _value_words(kind)


def _value_words(kind: inspect.Type) -> str:
    match kind:
        case inspect.StrType():
            size = _range(kind.min_length, kind.max_length, " characters")
            return f"str{size}{_pattern(kind.pattern)}"
        case inspect.BytesType():
            return f"bin{_range(kind.min_length, kind.max_length, ' bytes')}"
        case inspect.IntType():
            return f"int{_range(kind.ge, kind.le, '')}"
        case inspect.LiteralType():
            return "one of " + ", ".join(f"`{one}`" for one in kind.values)
        case inspect.EnumType():
            return "one of " + ", ".join(f"`{one.value}`" for one in kind.cls)
    return {
        inspect.BoolType: "bool",
        inspect.NoneType: "nil",
        inspect.RawType: "any MessagePack value: the operation's body",
    }[type(kind)]


def _range(least: int | None, most: int | None, unit: str) -> str:
    if least is None and most is None:
        return ""
    if least == most:
        return f" of {most}{unit}"
    return f" {'' if least is None else least}..{'' if most is None else most}{unit}"


def _pattern(pattern: str | None) -> str:
    if pattern is None:
        return ""
    text = pattern.removesuffix(r"\Z").replace("|", r"\|")
    return f", `{text}$`"


def fields_table(struct: type) -> list[str]:
    """Write one struct as a table of its fields, in their order on the wire."""
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)
    lines = ["| # | field | type | if left out |", "|---|---|---|---|"]
    start = 0
    if info.tag is not None:
        lines.append(f"| 0 | tag | `{info.tag!r}` | |".replace("'", '"'))
        start = 1
    for place, one in enumerate(info.fields, start):
        left_out = "" if one.required else f"`{_default(one)}`"
        lines.append(f"| {place} | {one.name} | {words(one.type)} | {left_out} |")
    return [*lines, ""]


def _default(field: inspect.Field) -> str:
    value = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
    return json.dumps(
        value, default=lambda one: one.hex() if isinstance(one, bytes) else msgspec.to_builtins(one)
    )


def messages_page() -> str:
    """The messages, one table each."""
    lines = ["# Messages", "", NOTE]
    for title, union in (("From the client", FromClient), ("From the server", FromServer)):
        lines += [f"## {title}", ""]
        packed = (Packed,) if union is FromServer else ()
        for one in (*union.__args__, *packed):
            lines += [f"### {one.__name__}", "", _doc(one), "", *fields_table(one)]
    from protocols.values import RequestKey

    lines += ["## Parts", "", "### RequestKey", "", _doc(RequestKey), "", *fields_table(RequestKey)]
    return "\n".join(lines)


def _doc(thing: type) -> str:
    return " ".join((thing.__doc__ or "").split())


def operations_page() -> str:
    """The operations, their bodies, and every refusal."""
    lines = ["# Operations", "", NOTE]
    lines += ["| operation | what | roles | key | without sign-in |", "|---|---|---|---|---|"]
    for one in CATALOGUE:
        roles = ", ".join(sorted(one.roles))
        key, machine = ("yes" if flag else "" for flag in (one.keyed, one.principal))
        link = f"[{one.name}](#{one.name.replace('.', '')})"
        lines.append(f"| {link} | {one.purpose} | {roles} | {key} | {machine} |")
    lines.append("")
    seen: set[type] = set()
    for one in CATALOGUE:
        lines += [f"## {one.name}", "", f"{one.purpose[:1].upper()}{one.purpose[1:]}.", ""]
        for role, struct in (("Request", one.request), ("Reply", one.reply)):
            lines += [f"{role}: {words(inspect.type_info(struct))}", ""]
            lines += _structs(struct, seen)
    lines += ["## Refusals", "", "| code | settles the key | sentence |", "|---|---|---|"]
    lines += [
        f"| `{code}` | {'yes' if one.final else 'no: send again'} | {one.text} |"
        for code, one in SENTENCES.items()
    ]
    return "\n".join([*lines, ""])


def _structs(struct: type, seen: set[type]) -> list[str]:
    """Write a body and the structs within it, each once."""
    if struct in seen:
        return []
    seen.add(struct)
    lines = [f"### {struct.__name__}", "", _doc(struct), "", *fields_table(struct)]
    for inner in _within(inspect.type_info(struct)):
        lines += _structs(inner, seen)
    return lines


def _within(kind: inspect.Type) -> list[type]:
    match kind:
        case inspect.Metadata():
            return _within(kind.type)
        case inspect.StructType():
            inner = [one.type for one in kind.fields]
            return [
                found
                for one in inner
                for found in ([one.cls] if isinstance(one, inspect.StructType) else _within(one))
            ]
        case inspect.ListType():
            item = kind.item_type
            return [item.cls] if isinstance(item, inspect.StructType) else _within(item)
    return []


def tables_page() -> str:
    """Both sides' tables: state, event, next state, act, reason."""
    lines = ["# The two tables", "", NOTE]
    for title, rules in (
        ("The server's conversation", conversation.RULES),
        ("The terminal", terminal.RULES),
    ):
        lines += [f"## {title}", ""]
        lines += ["| state | when | then | does | reason |", "|---|---|---|---|---|"]
        for rule in rules:
            to = rule.to.name if rule.to is not None else "as it comes"
            act = rule.act.__name__.replace("_", " ")
            lines.append(
                f"| {rule.state.name} | {rule.event.value} | {to} | {act} | {rule.reason} |"
            )
        lines.append("")
    return "\n".join(lines)


def pages() -> dict[str, str]:
    """Every written file by name."""
    return {
        "vectors.json": json.dumps(vectors(), indent=1, ensure_ascii=False) + "\n",
        "messages.md": messages_page(),
        "operations.md": operations_page(),
        "tables.md": tables_page(),
    }


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
