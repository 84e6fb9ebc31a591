"""``mpower consumer``: a consumer's own data, how they changed, and the contacts with them.

Officers work from an operator's certificate; who sits at a counter names it. What a role does not
see comes masked from the server. This file must not know which field needs whose approval.
"""

from __future__ import annotations

from typing import Any, Final, get_args

import click

from clients.door import answer, json_option
from clients.ops.rights import show_pending
from clients.ops.signed import as_person, checked, named, signed_in
from protocols.catalogue import consumers as words

as_somebody = as_person(None)
at_counter = click.option("--counter", help="The counter I sit at (C001), if it is one.")
because = click.option("--reason", required=True, help="On which paper or word; it is kept.")
HELP: Final = """\
A consumer's own data: look, ask for a change, keep a contact.

\b
Examples:
  mpower consumer show 1000000001 --as meera
  mpower consumer change 1000000001 --name "R K Sharma" --reason "sale deed" --as meera
  mpower consumer note 1000000001 CALL IN "asks about the bill" --as meera
"""


@click.group(help=HELP)
def consumer() -> None:
    """Group the verbs of consumers."""


@consumer.command("show")
@click.argument("number")
@at_counter
@as_somebody
@json_option
def show(
    number: str, *, counter: str | None, me: str, password_file: str | None, as_json: bool
) -> None:
    """Show consumer NUMBER's data and how they changed."""
    body = checked(words.Account(number))
    got = signed_in(me, password_file, lambda link: link.ask("consumers.account", body), counter)
    lines = [f"{name:<18} {text}" for name, text in got.fields.items()]
    lines += [
        f"  {one.at} {one.field}: {one.before or '—'} → {one.after or '—'} ({one.user}:"
        f" {one.reason})"
        for one in got.changes
    ]
    if got.more:
        lines.append("  (older changes are in the audit: 'mpower audit show --consumer NUMBER')")
    if not got.told:
        lines.append("  (how they changed is told in the consumer's own office)")
    answer(named(got), "\n".join(lines), as_json=as_json)


@consumer.command("change")
@click.argument("number")
@click.option("--name", help="The new name.")
@click.option("--address", help="The new address.")
@click.option("--category", help="The new category.")
@click.option("--office", help="The office it moves to (SD-102).")
@because
@at_counter
@as_somebody
@json_option
def change(
    number: str,
    *,
    name: str | None,
    address: str | None,
    category: str | None,
    office: str | None,
    reason: str,
    counter: str | None,
    me: str,
    password_file: str | None,
    as_json: bool,
) -> None:
    """Ask that consumer NUMBER's name, address, category or office change; an officer decides."""
    said = {"name": name, "address": address, "category": category, "office": office}
    fields: Any = {field: text for field, text in said.items() if text is not None}
    if not fields:
        raise click.UsageError("Say what changes: --name, --address, --category or --office.")
    body = checked(words.ChangeDetails(number, fields, reason))
    got = signed_in(
        me, password_file, lambda link: link.submit("consumers.change_details", body), counter
    ).body
    show_pending(got, as_json=as_json)


@consumer.command("load")
@click.argument("number")
@click.argument("watts", type=click.IntRange(1, 100_000_000))
@because
@at_counter
@as_somebody
@json_option
def load(
    number: str,
    watts: int,
    *,
    reason: str,
    counter: str | None,
    me: str,
    password_file: str | None,
    as_json: bool,
) -> None:
    """Ask that consumer NUMBER's sanctioned load become WATTS. An officer approves it."""
    body = checked(words.ChangeLoad(number, watts, reason))
    got = signed_in(
        me, password_file, lambda link: link.submit("consumers.change_load", body), counter
    ).body
    show_pending(got, as_json=as_json)


@consumer.command("mobile")
@click.argument("number")
@click.argument("mobile")
@because
@at_counter
@as_somebody
@json_option
def mobile(
    number: str,
    mobile: str,
    *,
    reason: str,
    counter: str | None,
    me: str,
    password_file: str | None,
    as_json: bool,
) -> None:
    """Put consumer NUMBER's MOBILE number, at once ('' takes it away)."""
    body = checked(words.ChangeMobile(number, mobile, reason))
    signed_in(me, password_file, lambda link: link.submit("consumers.change_mobile", body), counter)
    answer({"consumer": number}, f"consumer {number}'s mobile number is changed", as_json=as_json)


@consumer.command("note")
@click.argument("number")
@click.argument("kind", type=click.Choice(get_args(words.ContactKind)))
@click.argument("direction", type=click.Choice(["IN", "OUT"]))
@click.argument("subject")
@click.option("--remark", default="", help="What was said.")
@click.option("--reference", default="", help="Number of the letter or notice.")
@at_counter
@as_somebody
@json_option
def note(
    number: str,
    kind: Any,
    direction: Any,
    subject: str,
    *,
    remark: str,
    reference: str,
    counter: str | None,
    me: str,
    password_file: str | None,
    as_json: bool,
) -> None:
    """Keep a contact with consumer NUMBER: IN from them, OUT to them."""
    body = checked(words.NoteContact(number, kind, direction, subject, remark, reference))
    got = signed_in(
        me, password_file, lambda link: link.submit("consumers.note_contact", body), counter
    ).body
    answer({"contact": got.contact}, f"kept as contact {got.contact}", as_json=as_json)


@consumer.command("contacts")
@click.argument("number")
@click.option("--before", type=click.IntRange(0), default=0, help="Older than this contact.")
@at_counter
@as_somebody
@json_option
def contacts(
    number: str,
    *,
    before: int,
    counter: str | None,
    me: str,
    password_file: str | None,
    as_json: bool,
) -> None:
    """Show the contacts with consumer NUMBER, the newest first."""
    body = checked(words.Contacts(number, before))
    got = signed_in(me, password_file, lambda link: link.ask("consumers.contacts", body), counter)
    lines = [
        f"{one.contact:>6}  {one.at} {one.kind:<7} {one.direction:<3} {one.subject}"
        + (f" — {one.remark}" if one.remark else "")
        + (f" [{one.reference}]" if one.reference else "")
        + f" ({one.user})"
        for one in got.contacts
    ]
    if got.more:
        lines.append(f"older ones: --before {got.contacts[-1].contact}")
    answer(named(got), "\n".join(lines) or "no contact is kept", as_json=as_json)
