"""What a waiting request becomes by its maker's edit: its fields as a person reads and types them.

A field is named as the operation declares it; an amount (``amount_paise``) is called ``amount`` and
typed in rupees, a limit in the unit of its power, a field of a table by ``table.name``, a list as
JSON. What is no field, or no value of it, is refused by name before anything is sent. Pure. This
file must not know any operation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import click
import msgspec
from msgspec import Struct

from clients.ops.rights import limit_of
from clients.ops.signed import checked
from protocols.catalogue import CATALOGUE
from protocols.codec import decode_body
from protocols.operation import Operation
from protocols.powers import Power, worded
from protocols.values import paise_from_text, rupees

PAISE: Final = "_paise"


def listed(operation: str, raw: bytes) -> list[str]:
    """Write the fields that may be set, each as it stands and as it would be typed."""
    return [f"{name}={text}" for name, text in _told(_read(operation, raw)).items()]


def differences(operation: str, before: bytes, after: bytes) -> list[str]:
    """Write what an edit changes, line by line."""
    was, is_now = (_told(_read(operation, raw)) for raw in (before, after))
    names = [name for name in {**was, **is_now} if was.get(name) != is_now.get(name)]
    return [f"  {name}: {was.get(name) or '—'} → {is_now.get(name) or '—'}" for name in names]


def edited(operation: str, raw: bytes, settings: Sequence[str], reason: str) -> bytes:
    """Give the body with ``FIELD=VALUE`` settings in it, and that reason where it has one."""
    body = _read(operation, raw)
    fields = msgspec.structs.asdict(body)
    for setting in settings:
        named, equals, text = setting.partition("=")
        if not equals:
            raise click.UsageError(f"--set '{setting}': give FIELD=VALUE.")
        _put(body, fields, named.strip(), text)
    if "reason" in fields:
        fields["reason"] = reason
    return msgspec.msgpack.encode(checked(type(body)(**fields)))


def _declared(operation: str) -> Operation:
    found = CATALOGUE.get(operation)
    if found is None:
        raise click.UsageError(f"This program does not know {operation}. Update it.")
    return found


def _read(operation: str, raw: bytes) -> Struct:
    body: Struct = decode_body(_declared(operation), raw)
    return body


def _told(body: Struct) -> dict[str, str]:
    fields = msgspec.structs.asdict(body)
    return dict(_texts({name: one for name, one in fields.items() if name != "reason"}))


def _texts(fields: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in fields.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{key}", str(one)) for key, one in value.items())
        elif name.endswith(PAISE):
            yield name.removesuffix(PAISE), _typed(rupees(value))
        elif name == "most" and isinstance(fields["power"], Power):
            yield name, _typed(worded(fields["power"], value)) if value else ""
        elif isinstance(value, list):
            yield name, msgspec.json.encode(value).decode()
        else:
            yield name, str(value)


def _typed(text: str) -> str:
    """An amount or a limit as it is typed: without its unit."""
    return text.removeprefix("Rs ").removesuffix(" W")


def _put(body: Struct, fields: dict[str, Any], named: str, text: str) -> None:
    name, _, key = named.partition(".")
    types = {one.name: one.type for one in msgspec.structs.fields(body)}
    if name + PAISE in fields:
        fields[name + PAISE] = _amount(named, text)
    elif name not in fields or name == "reason" or bool(key) != isinstance(fields[name], dict):
        may = ", ".join(_told(body))
        raise click.UsageError(f"--set {named}: it may be one of {may}; the reason is --reason.")
    elif key:
        fields[name] = {**fields[name], key: text}
    elif name == "most" and isinstance(fields.get("power"), Power):
        fields[name] = limit_of(fields["power"], text.replace(",", "") or None)
    else:
        fields[name] = _value(named, text, types[name], rows=isinstance(fields[name], list))


def _amount(named: str, text: str) -> int:
    paise = paise_from_text(text)
    if not paise:
        raise click.UsageError(f"--set {named}={text}: give rupees above zero, e.g. 1,240.50.")
    return paise


def _value(named: str, text: str, wanted: Any, *, rows: bool) -> Any:
    try:
        return msgspec.convert(msgspec.json.decode(text) if rows else text, wanted, strict=False)
    except msgspec.MsgspecError as wrong:
        raise click.UsageError(f"--set {named}={text}: {wrong}.") from wrong
