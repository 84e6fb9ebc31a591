"""``mpower masters``: what the board works by, as lists and files; changes are four-eyes.

Loading a file compares it with what stands, shows the difference, and asks for that difference as
one request. This file must not know a master's fields.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from clients.asking import Asking, submit_file
from clients.columns import FileRefused
from clients.door import Ended, Exit, answer, json_option, talk
from clients.ops.master_files import Difference, described, difference, read_rows, written
from clients.ops.paged import all_pages
from clients.ops.rights import show_pending
from clients.ops.signed import as_admin, checked, signed_in
from protocols.catalogue import masters as words
from protocols.masters import MASTERS, fields_of

MOST: Final = 500
"""Rows of one request: a second person reads them."""
MOST_BYTES: Final = 48 * 1024
"""Of a request, which is one frame."""
NAMES: Final = click.Choice(list(MASTERS))
HELP: Final = """\
Offices, categories, heads, rates, banks, holidays and the other masters.

\b
Examples:
  mpower masters list offices
  mpower masters export rates rates.csv
  mpower masters load rates rates.csv --from 2027-04-01 --dry-run
"""


@click.group(help=HELP)
def masters() -> None:
    """Group the verbs of masters."""


@masters.command("list")
@click.argument("master", type=NAMES)
@click.option("--as-of", default="", help="As it stands on this day; else today.")
@as_admin
@json_option
def list_master(
    master: Any, *, as_of: str, me: str, password_file: str | None, as_json: bool
) -> None:
    """List MASTER as it stands on a day."""
    body = checked(words.ListMaster(master, as_of))
    got = signed_in(me, password_file, lambda link: _whole(link, body))
    rows = [row.fields | {"since": row.valid_from} for row in got.rows]
    columns = (*fields_of(master), "since")
    wide = {one: max([len(one), *(len(row[one]) for row in rows)]) for one in columns}
    lines = ["  ".join(f"{one:<{wide[one]}}" for one in columns)]
    lines += ["  ".join(f"{row[one]:<{wide[one]}}" for one in columns) for row in rows]
    text = "\n".join(line.rstrip() for line in lines)
    answer({"master": master, "as_of": got.as_of, "rows": rows}, text, as_json=as_json)


@masters.command("history")
@click.argument("master", type=NAMES)
@click.argument("key")
@as_admin
@json_option
def history(master: Any, key: str, *, me: str, password_file: str | None, as_json: bool) -> None:
    """Show everything that was ever said about the object KEY of MASTER."""
    body = checked(words.MasterHistory(master, key))
    got = signed_in(
        me, password_file, lambda link: all_pages(link, "masters.history", body, "versions")
    )
    lines = [
        f"from {one.valid_from}: "
        + (", ".join(f"{n} {v}" for n, v in one.fields.items()) if one.fields else "ended")
        + f"  (changed {one.changed_at})"
        for one in got.versions
    ]
    rows = [msgspec.structs.asdict(one) for one in got.versions]
    answer({"versions": rows}, "\n".join(lines) or f"{key} never stood", as_json=as_json)


@masters.command("export")
@click.argument("master", type=NAMES)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--as-of", default="", help="As it stands on this day; else today.")
@as_admin
@json_option
def export(
    master: Any, file: Path, *, as_of: str, me: str, password_file: str | None, as_json: bool
) -> None:
    """Write MASTER to FILE (.csv, .yaml); 'mpower masters load' reads it again."""
    from config.files import write_file

    _check_name(file)
    body = checked(words.ListMaster(master, as_of))
    got = signed_in(me, password_file, lambda link: _whole(link, body))
    write_file(file, written(master, [row.fields for row in got.rows], file.name))
    text = f"wrote {len(got.rows)} rows to {file}"
    answer({"file": str(file), "rows": len(got.rows)}, text, as_json=as_json)


@masters.command("load")
@click.argument("master", type=NAMES)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--from", "first", help="From this day (2027-04-01); else today.")
@click.option("--whole", is_flag=True, help="What the file leaves out ends on that day.")
@click.option("--reason", default="", help="Why; the approver reads it.")
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@as_admin
@json_option
def load(
    master: Any,
    file: Path,
    *,
    first: str | None,
    whole: bool,
    reason: str,
    dry_run: bool,
    me: str,
    password_file: str | None,
    as_json: bool,
) -> None:
    """Ask for MASTER to become as FILE says. A second person approves the difference."""
    _check_name(file)
    if not dry_run and len(reason) < 3:
        raise click.UsageError("--reason is missing: the second person must know why.")
    rows = _rows(master, file)
    day = first or dt.datetime.now(dt.UTC).astimezone().date().isoformat()
    listing = checked(words.ListMaster(master, day))

    async def work(link: Asking) -> tuple[Difference, Any]:
        stands = {row.key: row.fields for row in (await _whole(link, listing)).rows}
        found = difference(master, rows, stands, whole=whole)
        for line in described(master, found, stands):
            talk(line)
        if dry_run or not (found.put or found.ended):
            return found, None
        if not _readable(found):
            raise Ended(Exit.REFUSED, _too_many(file, found))
        body = checked(words.ChangeMaster(master, day, found.put, found.ended, reason))
        return found, (await submit_file(link, "masters.change", body, f"{master} {day}")).body

    found, asked = signed_in(me, password_file, work)
    if asked is not None:
        show_pending(asked, as_json=as_json)
        return
    counts = {"put": len(found.put), "ended": len(found.ended), "same": len(found.same)}
    text = f"{counts['put']} rows differ, {counts['ended']} end, {counts['same']} stand already;"
    why = "dry run" if dry_run else "the file is what stands"
    answer({**counts, "dry_run": dry_run}, f"{text} nothing was asked for ({why})", as_json=as_json)


async def _whole(link: Asking, body: words.ListMaster) -> words.MasterRows:
    """Ask page after page, all as of the first one's day."""
    got: words.MasterRows = await link.ask("masters.list", body)
    page = got
    while page.more:
        following = words.ListMaster(body.master, got.as_of, page.rows[-1].key)
        page = await link.ask("masters.list", following)
        got.rows.extend(page.rows)
    return got


def _rows(master: str, file: Path) -> list[dict[str, str]]:
    try:
        return read_rows(master, file.name, file.read_bytes())
    except FileRefused as refused:
        raise Ended(Exit.REFUSED, f"{file}:\n{refused}\nNothing was asked for.") from refused


def _check_name(file: Path) -> None:
    if file.suffix not in {".csv", ".yaml", ".yml"}:
        raise click.UsageError(f"{file.name}: a master's file ends in .csv, .yaml or .yml.")


def _readable(found: Difference) -> bool:
    size = len(msgspec.msgpack.encode([found.put, found.ended]))
    return len(found.put) + len(found.ended) <= MOST and size <= MOST_BYTES


def _too_many(file: Path, found: Difference) -> str:
    count = len(found.put) + len(found.ended)
    return (
        f"{file}: {count} rows differ, more than one person is asked to read at once ({MOST}, fewer"
        " if they are long). Split the file. Nothing was asked for."
    )
