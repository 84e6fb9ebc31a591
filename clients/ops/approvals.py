"""``mpower approvals``: what waits for a second person, and deciding about it.

A decision names the version and content that were shown on this screen: the request is fetched,
shown with before and after, confirmed, and decided over one link, so that an edit in between is
refused by the server and nobody approves what they have not seen. Its maker's edit goes the same
way (edit_request.py says what it becomes). This file must not know any operation but those of
approvals.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from clients.asking import Asking
from clients.door import Ended, Exit, answer, json_option, talk
from clients.ops.edit_request import differences, edited, listed
from clients.ops.paged import all_pages
from clients.ops.signed import as_person, checked, named, signed_in
from protocols.catalogue import approvals as words
from protocols.powers import Power, worded

F = TypeVar("F", bound=Callable[..., Any])
as_officer = as_person(None)
VOIDS: Final = (
    "What was said about version {} (an approval under way, an endorsement, a return) is void:"
    " the request is looked at and approved anew."
)
HELP: Final = """\
What waits for a second person: look, approve, return, forward.

\b
Examples:
  mpower approvals inbox --as meera
  mpower approvals show 17 --as meera
  mpower approvals approve 17 --as meera --remark "order seen"
  mpower approvals edit 17 --set amount=450 --reason "bill 31" --as meera
"""


@click.group(help=HELP)
def approvals() -> None:
    """Group the verbs of approvals."""


def _line(one: words.Waiting) -> str:
    value = worded(Power(one.power), one.value)
    what = f"{one.request:>6}  {one.operation:<24} {one.object:<32} {value}"
    return f"{what.rstrip()}  {one.state.lower()}, by {one.maker_name}, until {one.due_at}"


def _text(shown: words.Shown) -> str:
    one = shown.request
    lines = [_line(one).strip(), f"reason: {one.reason}"]
    lines += [f"  {row.field}: {row.before or '—'} → {row.after or '—'}" for row in shown.changes]
    lines += [f"with: {shown.forwarded_to}"] if shown.forwarded_to else []
    return "\n".join([*lines, *map(_said, shown.acts)])


def _said(act: words.Act) -> str:
    by = f"{act.person or 'the clock'}" + (f" for {act.lent_by}" if act.lent_by else "")
    to = f" to {act.to}" if act.to else ""
    return f"  {act.at} {act.act.lower()} v{act.version} by {by}{to}: {act.remark}"


@approvals.command("inbox")
@click.option("--mine", is_flag=True, help="What I asked for, whatever became of it.")
@as_officer
@json_option
def inbox(*, mine: bool, me: str, password_file: str | None, as_json: bool) -> None:
    """List what waits for me, the oldest first."""
    body = words.Inbox(mine)
    got = signed_in(
        me, password_file, lambda link: all_pages(link, "approvals.inbox", body, "requests")
    )
    nothing = "you asked for nothing" if mine else "nothing waits for you"
    text = "\n".join(_line(one) for one in got.requests) or nothing
    answer(named(got), text, as_json=as_json)


@approvals.command("show")
@click.argument("request", type=click.IntRange(1))
@as_officer
@json_option
def show(request: int, *, me: str, password_file: str | None, as_json: bool) -> None:
    """Show REQUEST: before and after, and everything that was done upon it."""
    body = words.Show(request)
    got = signed_in(me, password_file, lambda link: link.ask("approvals.show", body))
    answer(named(got), _text(got), as_json=as_json)


@approvals.command("approve")
@click.argument("requests", type=click.IntRange(1), nargs=-1, required=True)
@click.option("--remark", default="", help="What was seen; it stands in the audit.")
@click.option("--yes", is_flag=True, help="Do not ask: what is shown is approved.")
@as_officer
@json_option
def approve(
    requests: tuple[int, ...],
    *,
    remark: str,
    yes: bool,
    me: str,
    password_file: str | None,
    as_json: bool,
) -> None:
    """Approve REQUESTS after showing each; what was asked for is carried out at once."""
    numbers = list(dict.fromkeys(requests))

    async def work(link: Asking) -> Any:
        decisions = []
        for number in numbers:
            shown = await link.ask("approvals.show", words.Show(number))
            talk(_text(shown))
            if yes or click.confirm(f"Approve request {number}?", err=True):
                one = shown.request
                decisions.append(words.Decision(one.request, one.version, one.content))
        if not decisions:
            return words.ApprovedMany([])
        many = checked(words.ApproveMany(decisions, remark))
        return (await link.submit("approvals.approve_many", many)).body

    got = signed_in(me, password_file, work)
    lines = [f"{one.request}: {one.sentence or 'approved and carried out'}" for one in got.decided]
    answer(named(got), "\n".join(lines) or "nothing was approved", as_json=as_json)
    refused = [one for one in got.decided if one.code]
    if refused:
        raise Ended(Exit.REFUSED, f"{len(refused)} of {len(got.decided)} refused.")


def _deciding(verb: str, operation: str, said: str) -> click.Command:
    """Make a verb that needs a remark: look, then decide about what was seen."""

    @click.argument("request", type=click.IntRange(1))
    @click.option("--remark", required=True, help="Why; the maker reads it.")
    @as_officer
    @json_option
    def decide(
        request: int, *, remark: str, me: str, password_file: str | None, as_json: bool
    ) -> None:
        async def work(link: Asking) -> Any:
            one = (await link.ask("approvals.show", words.Show(request))).request
            body = checked(words.Answer(one.request, one.version, one.content, remark))
            return (await link.submit(operation, body)).body

        got = signed_in(me, password_file, work)
        answer(named(got), f"request {got.request} is {got.state.lower()}", as_json=as_json)

    return approvals.command(verb, help=said)(decide)


_deciding("reject", "approvals.reject", "Reject REQUEST for good.")
_deciding(
    "return",
    "approvals.send_back",
    "Return REQUEST to its maker, who edits it ('mpower approvals edit') or withdraws it.",
)
_deciding("withdraw", "approvals.withdraw", "Withdraw my own REQUEST.")


@approvals.command("edit")
@click.argument("request", type=click.IntRange(1))
@click.option("--set", "settings", multiple=True, help="FIELD=VALUE, amounts in rupees; repeat it.")
@click.option("--reason", default="", help="Why, as it now stands; it replaces the former reason.")
@click.option("--yes", is_flag=True, help="Do not ask: what is shown is put.")
@as_officer
@json_option
def edit(
    request: int,
    *,
    settings: tuple[str, ...],
    reason: str,
    yes: bool,
    me: str,
    password_file: str | None,
    as_json: bool,
) -> None:
    """Put other values into my own REQUEST. Without --set: list what may be set.

    The edit voids what was said about the request before: an approval under way, an endorsement, a
    return. It is looked at and approved anew.
    """
    if settings and not reason:
        raise click.UsageError("An edit needs --reason: it replaces the former reason.")

    async def work(link: Asking) -> Any:
        shown = await link.ask("approvals.show", words.Show(request, body=True))
        one = shown.request
        if not settings:
            return listed(one.operation, shown.body)
        raw = edited(one.operation, shown.body, settings, reason)
        talk("\n".join([_line(one).strip(), *differences(one.operation, shown.body, raw)]))
        talk(f"The edit makes version {one.version + 1}. {VOIDS.format(one.version)}")
        for act in shown.acts:
            if act.version == one.version and act.act not in {"ASKED", "EDITED"}:
                talk(_said(act))
        if not yes and not click.confirm(f"Edit request {request}?", err=True):
            return None
        seen = (one.request, one.version, one.content, one.operation)
        body = checked(words.Edit(*seen, raw, reason))
        return (await link.submit("approvals.edit", body)).body

    got = signed_in(me, password_file, work)
    if not isinstance(got, words.Pending):
        nothing = "nothing was edited" if settings else "\n".join(got)
        answer({"edited": False, "fields": got}, nothing, as_json=as_json)
        return
    text = (
        f"request {got.request} is version {got.version} now and waits until {got.due_at} for"
        f" somebody who holds {got.power} at {got.office}. {VOIDS.format(got.version - 1)}"
    )
    answer(named(got), text, as_json=as_json)


@approvals.command("forward")
@click.argument("request", type=click.IntRange(1))
@click.argument("to", metavar="STAFF_NUMBER")
@click.option("--remark", required=True, help="Why; it stands with the request.")
@as_officer
@json_option
def forward(
    request: int, to: str, *, remark: str, me: str, password_file: str | None, as_json: bool
) -> None:
    """Endorse REQUEST and send it to STAFF_NUMBER, who holds the power for it."""

    async def work(link: Asking) -> Any:
        one = (await link.ask("approvals.show", words.Show(request))).request
        body = checked(words.Forward(one.request, one.version, one.content, to, remark))
        return (await link.submit("approvals.forward", body)).body

    got = signed_in(me, password_file, work)
    answer(named(got), f"request {got.request} waits for {to}", as_json=as_json)


@approvals.command("delegate")
@click.argument("to", metavar="STAFF_NUMBER")
@click.argument("power", type=click.Choice([one.value for one in Power], case_sensitive=False))
@click.option("--from", "first", required=True, help="First day, e.g. 2026-04-06.")
@click.option("--to", "last", required=True, help="Last day, included.")
@click.option("--reason", required=True, help="Why: on leave, ...")
@as_officer
@json_option
def delegate(
    to: str,
    power: str,
    *,
    first: str,
    last: str,
    reason: str,
    me: str,
    password_file: str | None,
    as_json: bool,
) -> None:
    """Lend my POWER to STAFF_NUMBER for a time, at most 60 days."""
    body = checked(words.Delegate(to, Power(power.upper()), first, last, reason))
    got = signed_in(me, password_file, lambda link: link.submit("approvals.delegate", body)).body
    text = f"{got.power} is lent to {got.to} until {got.valid_to} (number {got.delegation})"
    answer(named(got), text, as_json=as_json)


@approvals.command("take-back")
@click.argument("delegation", type=click.IntRange(1))
@as_officer
@json_option
def take_back(delegation: int, *, me: str, password_file: str | None, as_json: bool) -> None:
    """Take the lent power of number DELEGATION back now."""
    body = words.EndDelegation(delegation)
    got = signed_in(
        me, password_file, lambda link: link.submit("approvals.end_delegation", body)
    ).body
    answer(named(got), f"{got.power} is taken back from {got.to}", as_json=as_json)
