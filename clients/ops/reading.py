"""Reading the audit at a command line: entries as they come, page by page; an export into a file.

This file must not know how pages are cut, nor how an export proves itself.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import secrets
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from clients.asking import Asking
from clients.door import JSON_VERSION, Ended, Exit
from clients.ops.exporting import CHAIN_BITS, PLACE, Done, export
from protocols.catalogue.audit import Entries, Entry, Export, Look
from protocols.values import RequestKey

WEST: Final = dt.timedelta(hours=-12)
EAST: Final = dt.timedelta(hours=14)
"""Between these lie all zones of the earth."""


def period(first: str, last: str) -> tuple[str, str]:
    """Read --from and --to as a person writes them: from a moment until before another. A day is
    the whole day, the last one too; without a zone it is this machine's.
    """
    since, before = _moment("--from", first), _moment("--to", last, end=True)
    if since and before and since >= before:
        raise click.UsageError(
            f"--to {last} is not after --from {first}. Give the earlier of the two as --from."
        )
    return tuple("" if one is None else one.isoformat() for one in (since, before))  # type: ignore[return-value]


def _moment(option: str, text: str, *, end: bool = False) -> dt.datetime | None:
    if not text:
        return None
    try:
        found = _day(text, dt.timedelta(days=end)) or dt.datetime.fromisoformat(text)
        whole = found if found.tzinfo else found.astimezone()
        whole.astimezone(dt.UTC)
        away = whole.utcoffset()
    except (ValueError, OverflowError):
        away = None
    if away is None or not WEST <= away <= EAST:
        raise click.UsageError(
            f"{option} {text} is not a day or a moment. Write the year first, as 2026-04-01; with a"
            " time as 2026-04-01T10:00; with a zone other than this machine's as"
            " 2026-04-01T10:00+05:30."
        )
    return whole


def _day(text: str, later: dt.timedelta) -> dt.datetime | None:
    try:
        return dt.datetime.combine(dt.date.fromisoformat(text) + later, dt.time())
    except ValueError:
        return None


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


def _what(said: dict[str, Any], known: set[str]) -> list[str]:
    """What was asked, but for what stands elsewhere, and what it changed."""
    before, after, callers = (_fields(said.pop(one, {})) for one in ("before", "after", "callers"))
    others = said.pop("others", 0)
    asked = [f"{name} {one}" for name, one in said.items() if one and str(one) not in known]
    lines = [f"    with {' · '.join(asked)}"] if asked else []
    for field in sorted({*before, *after}):
        was, now = before.get(field, ""), after.get(field, "")
        if was != now:
            lines.append(f"    {field}: {was or '—'} → {now or '—'}")
    lines += [
        f"    {callers[one]} × {one}"
        for one in sorted(callers, key=callers.__getitem__, reverse=True)
    ]
    return [*lines, f"    {others} × others"] if others else lines


def _fields(said: Any) -> dict[str, Any]:
    return said if isinstance(said, dict) else {}


def _text(one: Entry) -> str:
    who = f"{one.user} ({one.person})" if one.person else one.user or "nobody"
    where = " ".join(part for part in (one.subject, one.address) if part)
    at = dt.datetime.fromisoformat(one.at).astimezone().isoformat(" ", timespec="seconds")
    lines = [f"{at}  {one.what}  {one.outcome}  {who} {one.role}".rstrip()]
    if one.object:
        lines.append(f"    about {one.object}")
    lines += _what(_said(one), {one.object, one.reason})
    if one.reason:
        lines.append(f"    because {one.reason}")
    place = f"{one.link >> CHAIN_BITS}/{one.link & PLACE}.{one.position}"
    lines.append(f"    at {where} · request {one.key or '—'} · term {one.term} · link {place}")
    return "\n".join(lines)


def check_new(file: Path) -> None:
    """Refuse a place where no new file can be, before anybody types a password."""
    if file.exists():
        why = "it is there already, and an export never overwrites. Name another file."
    elif not file.parent.is_dir():
        why = f"there is no folder {file.parent}. Make it, or name another file."
    elif not os.access(file.parent, os.W_OK):
        why = f"you may not write into {file.parent}. Name a file elsewhere."
    else:
        return
    raise Ended(Exit.FAILED, f"{file}: {why} Nothing was exported.")


async def export_to(link: Asking, cluster: str, body: Export, file: Path) -> Done:
    """Export into ``file``, which is there when all of it is."""
    draft = file.with_name(f".{file.name}.{os.getpid()}.new")
    try:
        with draft.open("x", encoding="utf-8") as out:

            def write(line: dict[str, Any]) -> None:
                out.write(json.dumps(line, ensure_ascii=False) + "\n")

            key = RequestKey(secrets.token_bytes(16), 1)
            done = await export(link, cluster, body, key, write)
        draft.rename(file)
    except OSError as wrong:
        why = f"{file}: {wrong.strerror}. Nothing was exported."
        raise Ended(Exit.FAILED, why) from None
    finally:
        draft.unlink(missing_ok=True)
    return done
