"""Reading the audit at a command line: entries as they come, page by page; an export into a file.

This file must not know how pages are cut, nor how an export proves itself.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from pathlib import Path
from typing import Any

import click
import msgspec

from clients.asking import Asking
from clients.door import JSON_VERSION, Ended, Exit
from clients.ops.exporting import CHAIN_BITS, PLACE, export
from protocols.catalogue.audit import Entries, Entry, Export, Look
from protocols.values import RequestKey


def moment(text: str) -> str:
    """Read a day or a moment as a person writes it: without a zone it is this machine's."""
    if not text:
        return ""
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"{text} is not a day or a moment, as 2026-04-01T10:00.") from None
    return (found if found.tzinfo else found.astimezone()).isoformat()


async def printed(link: Asking, wanted: Look, most: int, *, as_json: bool) -> int:
    """Print at most ``most`` entries as they come; how many."""
    seen = 0
    while True:
        page: Entries = await link.ask("audit.show", wanted)
        for one in page.entries[: most - seen]:
            click.echo(json.dumps(_object(one)) if as_json else _text(one))
            seen += 1
        if page.done or seen >= most:
            return seen
        wanted = msgspec.structs.replace(
            wanted,
            before=page.before,
            before_link=page.before_link,
            before_position=page.before_position,
        )


def _said(one: Entry) -> dict[str, Any]:
    """The details: an object, or {} where they were cut."""
    try:
        said = json.loads(one.details or "{}")
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _object(one: Entry) -> dict[str, Any]:
    return {"version": JSON_VERSION, **msgspec.structs.asdict(one), "details": _said(one)}


def _text(one: Entry) -> str:
    who = f"{one.user} ({one.person})" if one.person else one.user or "nobody"
    where = " ".join(part for part in (one.subject, one.address) if part)
    lines = [f"{one.at}  {one.what}  {one.outcome}  {who} {one.role}".rstrip()]
    if one.object:
        lines.append(f"    about {one.object}")
    said = _said(one)
    before, after = said.get("before") or {}, said.get("after") or {}
    for field in sorted({*before, *after}):
        was, now = before.get(field, ""), after.get(field, "")
        if was != now:
            lines.append(f"    {field}: {was or '—'} → {now or '—'}")
    if one.reason:
        lines.append(f"    because {one.reason}")
    place = f"{one.link >> CHAIN_BITS}/{one.link & PLACE}.{one.position}"
    lines.append(f"    at {where} · request {one.key or '—'} · term {one.term} · link {place}")
    return "\n".join(lines)


async def export_to(link: Asking, cluster: str, body: Export, file: Path) -> tuple[int, int]:
    """Export into ``file``, which must not be there yet; links and entries."""
    try:
        out = file.open("x", encoding="utf-8")
    except OSError as wrong:
        raise Ended(Exit.FAILED, f"{file}: {wrong.strerror}. Nothing was exported.") from None

    def write(line: dict[str, Any]) -> None:
        out.write(json.dumps(line, ensure_ascii=False) + "\n")

    with out:
        key = RequestKey(secrets.token_bytes(16), 1)
        return await export(link, cluster, body, key, write)
