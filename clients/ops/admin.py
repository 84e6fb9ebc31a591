"""``mpower admin``: users, counters, sessions, loading consumers. Each verb is one declared
operation over the link; who may do what is in rights.py.

An administrator signs in for every call; passwords come from a prompt or a file. This file must not
know how a file is read (consumer_file.py) nor how the link works.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Final

import click
import msgspec

from clients.asking import Asking, submit_file
from clients.columns import FileRefused
from clients.door import Ended, Exit, answer, json_option, talk
from clients.ops import emergencies, logins, matrix, rights
from clients.ops.paged import all_pages
from clients.ops.passwords import password
from clients.ops.signed import as_admin, checked, signed_in
from protocols.catalogue.consumers import Load, Row
from protocols.catalogue.security import AddCounter, AddUser, AskSessions, DisableUser
from protocols.operation import PEOPLE, Role
from protocols.values import rupees

HELP: Final = """\
Users, counters, sessions; load consumers.

\b
Examples:
  mpower admin add person E1042 --name "Asha K" --designation Cashier
  mpower admin add user asha --person E1042 --role clerk
  mpower admin appoint asha --role officer --reason "order 17"
  mpower admin load consumers consumers.csv --dry-run
"""


@click.group(help=HELP)
def admin() -> None:
    """Group the administrator's verbs."""


for verb in (*rights.VERBS, *logins.VERBS, *emergencies.VERBS, matrix.roles):
    admin.add_command(verb)


@admin.group()
def load() -> None:
    """Load the board's files."""


@load.command("consumers")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--as-of", help="Date of the opening dues (2026-04-01); else today.")
@click.option("--dry-run", is_flag=True, help="Only read and check the file.")
@as_admin
@json_option
def load_consumers(
    file: Path,
    *,
    as_of: str | None,
    dry_run: bool,
    me: str,
    password_file: str | None,
    as_json: bool,
) -> None:
    """Load consumers with their dues from FILE (CSV). Loading the same file again changes nothing.

    Columns: number,name,address,category,meter,mobile,load_kw,lpsc,arrears,current,fixed,duty and,
    if wanted, total. Amounts in rupees.
    """
    from clients.ops.consumer_file import batches, parse_consumers

    data = file.read_bytes()
    try:
        rows = parse_consumers(data)
    except FileRefused as refused:
        raise Ended(Exit.REFUSED, f"{file}:\n{refused}\nNothing was loaded.") from refused
    date = as_of or dt.datetime.now(dt.UTC).astimezone().date().isoformat()
    cut = [Load(date, one) for one in batches(rows)]
    checked(msgspec.structs.replace(cut[0], rows=cut[0].rows[:1]))
    dues = sum(sum(row.dues.values()) for row in rows)
    if dry_run:
        answer(
            {"consumers": len(rows), "dues_paise": dues, "requests": len(cut), "dry_run": True},
            f"{len(rows):,} consumers with dues of {rupees(dues)}: the file is right."
            " Nothing was loaded (dry run).",
            as_json=as_json,
        )
        return
    done = signed_in(me, password_file, lambda link: _load(link, cut))
    answer(
        {"added": done[0], "already": done[1], "dues_paise": done[2]},
        f"added {done[0]:,} · already there {done[1]:,} · dues {rupees(done[2])}",
        as_json=as_json,
    )


async def _load(link: Asking, cut: list[Load]) -> tuple[int, int, int]:
    added = already = dues = 0
    for number, body in enumerate(cut, 1):
        got = await submit_file(link, "consumers.load", body, "load consumers", number)
        rows: list[Row] = body.rows
        # A replay is the first answer again: those rows stand there already, nothing was added now.
        added += 0 if got.replay else got.body.added
        already += len(rows) if got.replay else got.body.already
        dues += 0 if got.replay else got.body.dues_paise
        talk(f"{number} of {len(cut)} parts")
    return added, already, dues


@admin.group()
def add() -> None:
    """Add a person, a user or a counter."""


@add.command("user")
@click.argument("user")
@click.option("--person", required=True, help="Staff number of the human behind the login (E1042).")
@click.option(
    "--role", required=True, type=click.Choice([role.value for role in Role if role in PEOPLE])
)
@click.option("--new-password-file", help="File with the new user's password, or -.")
@as_admin
@json_option
def add_user(
    user: str,
    *,
    person: str,
    role: str,
    new_password_file: str | None,
    me: str,
    password_file: str | None,
    as_json: bool,
) -> None:
    """Add USER. The new password is asked for twice, or read from a file."""
    if password_file == new_password_file == "-":  # noqa: S105 - a dash is no password
        raise click.UsageError("Standard input holds one password; give the other in a file.")
    checked(AddUser(user, person, Role(role), "x"))
    new = password(new_password_file, f"New password of {user}", twice=True)
    body = checked(AddUser(user, person, Role(role), new))
    got = signed_in(me, password_file, lambda link: link.submit("security.add_user", body)).body
    answer(msgspec.structs.asdict(got), f"added {got.user} as {got.role}", as_json=as_json)


add.add_command(rights.add_person)


@add.command("counter")
@click.argument("counter")
@click.option("--office", required=True, help="Code of the office it belongs to (SD-101).")
@click.option("--bank", is_flag=True, help="It is a bank's link, not a counter.")
@as_admin
@json_option
def add_counter(
    counter: str, *, office: str, bank: bool, me: str, password_file: str | None, as_json: bool
) -> None:
    """Add COUNTER, its code as in its certificate (C001, SBI)."""
    body = checked(AddCounter(counter, office, "BANK" if bank else "COUNTER"))
    got = signed_in(me, password_file, lambda link: link.submit("security.add_counter", body)).body
    text = f"added {got.kind.lower()} {got.counter} of {got.office}"
    answer(msgspec.structs.asdict(got), text, as_json=as_json)


@admin.group()
def disable() -> None:
    """Disable a user."""


@disable.command("user")
@click.argument("user")
@click.option("--reason", required=True, help="Why; it goes to the audit.")
@as_admin
@json_option
def disable_user(
    user: str, *, reason: str, me: str, password_file: str | None, as_json: bool
) -> None:
    """Disable USER; every session of it ends within five seconds."""
    body = checked(DisableUser(user, reason))
    got = signed_in(me, password_file, lambda link: link.submit("security.disable_user", body)).body
    text = f"disabled {got.user}, {got.sessions_ended} session(s) ended"
    answer(msgspec.structs.asdict(got), text, as_json=as_json)


@admin.command("sessions")
@as_admin
@json_option
def sessions(*, me: str, password_file: str | None, as_json: bool) -> None:
    """Show who is signed in where."""
    asked = AskSessions()
    got = signed_in(
        me, password_file, lambda link: all_pages(link, "security.sessions", asked, "sessions")
    )
    rows = [msgspec.structs.asdict(one) for one in got.sessions]
    lines = [f"{'user':<16} {'role':<8} {'where':<24} since"]
    lines += [f"{r['user']:<16} {r['role']:<8} {r['subject']:<24} {r['since']}" for r in rows]
    answer({"sessions": rows}, "\n".join(lines) if rows else "nobody is signed in", as_json=as_json)


@admin.group()
def sample() -> None:
    """Invent data to try with."""


@sample.command("consumers")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--count", type=click.IntRange(1, 1_000_000), default=5000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="Same seed, same file.")
@click.option("--office", "offices", multiple=True, help="Spread over these (SD-101); else HO.")
@json_option
def sample_consumers_command(
    file: Path, *, count: int, seed: int, offices: tuple[str, ...], as_json: bool
) -> None:
    """Write FILE with invented consumers, for 'mpower admin load consumers'."""
    from clients.ops.sample import sample_consumers
    from config.files import write_file

    if file.exists():
        raise Ended(Exit.FAILED, f"{file} exists already; choose another name or remove it.")
    write_file(file, sample_consumers(count, seed, offices or ("HO",)))
    answer(
        {"file": str(file), "consumers": count, "seed": seed},
        f"wrote {count:,} invented consumers to {file}",
        as_json=as_json,
    )
