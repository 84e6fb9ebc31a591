"""``mpower admin``: who may do what. Persons, appointments, powers.

What gives rights is four-eyes: the verb answers with a request that another administrator approves
(``mpower approvals``). What takes rights away is done at once. This file must not know how a
request is decided.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import click
import msgspec

from clients.door import answer, json_option
from clients.ops.paged import all_pages
from clients.ops.signed import as_admin, checked, signed_in
from protocols.catalogue.approvals import Pending
from protocols.catalogue.own_accounts import DisownAccount, OwnAccount, OwnAccounts
from protocols.catalogue.security import (
    AddPerson,
    Appoint,
    GrantPower,
    HeldPower,
    Powers,
    WithdrawPower,
)
from protocols.operation import PEOPLE, Role
from protocols.powers import MEANS, UNITS, Power, worded
from protocols.values import paise_from_text


@click.command("person")
@click.argument("person", metavar="STAFF_NUMBER")
@click.option("--name", required=True, help="The person's name.")
@click.option("--designation", required=True, help="Cashier, Junior engineer, ...")
@click.option("--office", default="HO", show_default=True, help="Code of the person's office.")
@as_admin
@json_option
def add_person(
    person: str,
    *,
    name: str,
    designation: str,
    office: str,
    me: str,
    password_file: str | None,
    as_json: bool,
) -> None:
    """Add the person STAFF_NUMBER, who may then hold logins and powers."""
    body = checked(AddPerson(person, name, designation, office))
    got = signed_in(me, password_file, lambda link: link.submit("security.add_person", body)).body
    answer(msgspec.structs.asdict(got), f"added {got.name}, {got.person}", as_json=as_json)


@click.command("appoint")
@click.argument("user")
@click.option(
    "--role", required=True, type=click.Choice([one.value for one in Role if one in PEOPLE])
)
@click.option("--reason", required=True, help="Why; it stands in the request and the audit.")
@as_admin
@json_option
def appoint(
    user: str, *, role: str, reason: str, me: str, password_file: str | None, as_json: bool
) -> None:
    """Give USER another role. A second administrator approves it."""
    body = checked(Appoint(user, Role(role), reason))
    got = signed_in(me, password_file, lambda link: link.submit("security.appoint", body)).body
    show_pending(got, as_json=as_json)


@click.command("grant")
@click.argument("person", metavar="STAFF_NUMBER")
@click.argument("power", type=click.Choice([one.value for one in Power], case_sensitive=False))
@click.option("--most", help="Up to this: rupees (5,000) or watts; without it, no limit.")
@click.option("--office", required=True, help="Code of the office; the power reaches below it.")
@click.option("--from", "first", help="From this day (2026-04-01); else today.")
@click.option("--to", "last", default="", help="To this day; else until it is withdrawn.")
@click.option("--reason", required=True, help="Why; it stands in the request and the audit.")
@as_admin
@json_option
def grant(
    person: str,
    power: str,
    *,
    most: str | None,
    office: str,
    first: str | None,
    last: str,
    reason: str,
    me: str,
    password_file: str | None,
    as_json: bool,
) -> None:
    """Grant STAFF_NUMBER a POWER. A second administrator approves it."""
    which = Power(power.upper())
    begins = first or dt.datetime.now(dt.UTC).astimezone().date().isoformat()
    limit = limit_of(which, most)
    body = checked(GrantPower(person, which, limit, office, begins, reason, last))
    got = signed_in(me, password_file, lambda link: link.submit("security.grant_power", body)).body
    show_pending(got, as_json=as_json)


@click.command("withdraw")
@click.argument("power_id", type=int)
@click.option("--reason", required=True, help="Why; it goes to the audit.")
@as_admin
@json_option
def withdraw(
    power_id: int, *, reason: str, me: str, password_file: str | None, as_json: bool
) -> None:
    """Withdraw the power of that number ('mpower admin powers' lists them), at once."""
    body = checked(WithdrawPower(power_id, reason))
    done = signed_in(me, password_file, lambda link: link.submit("security.withdraw_power", body))
    text = f"withdrawn: {_said(done.body)}"
    answer(msgspec.structs.asdict(done.body), text, as_json=as_json)


@click.command("powers")
@click.argument("person", default="", metavar="[STAFF_NUMBER]")
@as_admin
@json_option
def powers(person: str, *, me: str, password_file: str | None, as_json: bool) -> None:
    """List who holds which power, the withdrawn ones too."""
    body = checked(Powers(person))
    got = signed_in(
        me, password_file, lambda link: all_pages(link, "security.powers", body, "powers")
    )
    lines = [f"{one.power_id:>5}  {_said(one)}" for one in got.powers]
    rows = [msgspec.structs.asdict(one) for one in got.powers]
    answer({"powers": rows}, "\n".join(lines) or "no power is granted", as_json=as_json)


@click.group("own-account")
def own_account() -> None:
    """Whose own a consumer's account is: that person approves nothing about it."""


@own_account.command("add")
@click.argument("person", metavar="STAFF_NUMBER")
@click.argument("consumer", metavar="NUMBER")
@as_admin
@json_option
def own_account_add(
    person: str, consumer: str, *, me: str, password_file: str | None, as_json: bool
) -> None:
    """Note that consumer NUMBER is STAFF_NUMBER's own account, or their household's."""
    body = checked(OwnAccount(person, consumer))
    got = signed_in(me, password_file, lambda link: link.submit("security.own_account", body)).body
    text = f"consumer {got.consumer} is {got.person}'s own: they approve nothing about it"
    answer(msgspec.structs.asdict(got), text, as_json=as_json)


@own_account.command("end")
@click.argument("person", metavar="STAFF_NUMBER")
@click.argument("consumer", metavar="NUMBER")
@click.option("--reason", required=True, help="Why; it stands in the request and the audit.")
@as_admin
@json_option
def own_account_end(
    person: str, consumer: str, *, reason: str, me: str, password_file: str | None, as_json: bool
) -> None:
    """Consumer NUMBER is STAFF_NUMBER's own no longer. A second administrator approves it."""
    body = checked(DisownAccount(person, consumer, reason))
    asked = signed_in(me, password_file, lambda link: link.submit("security.disown_account", body))
    show_pending(asked.body, as_json=as_json)


@own_account.command("list")
@click.argument("person", default="", metavar="[STAFF_NUMBER]")
@as_admin
@json_option
def own_account_list(person: str, *, me: str, password_file: str | None, as_json: bool) -> None:
    """List whose own which account is."""
    body = checked(OwnAccounts(person))
    got = signed_in(
        me, password_file, lambda link: all_pages(link, "security.own_accounts", body, "accounts")
    )
    rows = [msgspec.structs.asdict(one) for one in got.accounts]
    lines = [f"{one.person:<16} {one.consumer}  since {one.since}" for one in got.accounts]
    answer({"accounts": rows}, "\n".join(lines) or "no account is noted", as_json=as_json)


VERBS = (appoint, grant, withdraw, powers, own_account)


def show_pending(got: Pending, *, as_json: bool) -> None:
    """Answer with what became of a four-eyes operation."""
    text = (
        f"done, as request {got.request}: nobody else holds {got.power} yet, so it needed no"
        " second person and stays marked so"
        if got.done
        else f"asked: request {got.request} waits until {got.due_at} for somebody who holds"
        f" {got.power} at {got.office}; they use 'mpower approvals inbox'"
    )
    data = msgspec.structs.asdict(got) | {"content": got.content.hex()}
    answer(data, text, as_json=as_json)


def limit_of(power: Power, text: str | None) -> int:
    """Read the limit of a power as a person types it; None: without limit (0)."""
    if text is None:
        return 0
    unit = UNITS[power]
    if not unit:
        raise click.UsageError(f"{power} ({MEANS[power]}) has no limit. Leave --most away.")
    value = paise_from_text(text) if unit == "paise" else _watts(text)
    if not value:
        wanted = "rupees above zero (5,000)" if unit == "paise" else "watts above zero (5000)"
        raise click.UsageError(f"--most '{text}': {power} is limited in {wanted}.")
    return value


def _watts(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else None


def _said(held: HeldPower) -> str:
    parts: list[Any] = [held.person, held.power, f"at {held.office}"]
    parts += [f"up to {worded(Power(held.power), held.most)}"] if held.most else []
    parts += [f"from {held.valid_from}"] + ([f"to {held.valid_to}"] if held.valid_to else [])
    parts += [f"(withdrawn {held.withdrawn_at})"] if held.withdrawn_at else []
    return " ".join(parts)
