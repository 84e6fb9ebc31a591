"""``mpower admin``: the emergency. Breaking the glass, and its review afterwards.

What is given is named whole: which power, where, up to what, how long. This file must not know how
a request is decided.
"""

from __future__ import annotations

import click
import msgspec

from clients.door import answer, json_option
from clients.ops.paged import all_pages
from clients.ops.rights import limit_of, show_pending
from clients.ops.signed import as_admin, checked, signed_in
from protocols.catalogue.emergencies import BreakGlass, Emergencies, Emergency, ReviewEmergency
from protocols.powers import UNITS, Power, worded


@click.command("break-glass")
@click.argument("person", metavar="STAFF_NUMBER")
@click.argument("power", type=click.Choice([one.value for one in Power], case_sensitive=False))
@click.option("--office", required=True, help="Code of the office; the power reaches below it.")
@click.option("--most", help="Up to this: rupees (5,000) or watts.")
@click.option("--without-limit", is_flag=True, help="Up to any value, instead of --most.")
@click.option("--hours", type=click.IntRange(1, 8), default=2, show_default=True)
@click.option("--reason", required=True, help="Why it cannot wait; it stands in the alarm's trail.")
@as_admin
@json_option
def break_glass(
    person: str,
    power: str,
    *,
    office: str,
    most: str | None,
    without_limit: bool,
    hours: int,
    reason: str,
    me: str,
    password_file: str | None,
    as_json: bool,
) -> None:
    """Give STAFF_NUMBER a POWER at one office for some hours, and nothing else there. A second
    administrator approves it; it is alarmed while it stands and until a third person reviewed it.
    """
    which = Power(power.upper())
    if UNITS[which] and (most is None) is not without_limit:
        message = f"Say up to what {which} is needed: --most VALUE, or --without-limit, not both."
        raise click.UsageError(message)
    limit = limit_of(which, most)
    body = checked(BreakGlass(person, which, office, limit, hours, reason))
    got = signed_in(me, password_file, lambda link: link.submit("security.break_glass", body)).body
    show_pending(got, as_json=as_json)


@click.group("emergency")
def emergency() -> None:
    """Emergency powers ('mpower admin break-glass' gives one): what was done with them."""


@emergency.command("list")
@click.option("--whole", is_flag=True, help="The reviewed ones too.")
@as_admin
@json_option
def emergency_list(*, whole: bool, me: str, password_file: str | None, as_json: bool) -> None:
    """List those that stand or wait for their review, with what was decided with each."""
    body = Emergencies(whole)
    got = signed_in(
        me,
        password_file,
        lambda link: all_pages(link, "security.emergencies", body, "emergencies"),
    )
    rows = [msgspec.structs.asdict(one) for one in got.emergencies]
    lines = [_said(one) for one in got.emergencies]
    text = "\n".join(lines) or "no emergency power stands or waits for its review"
    answer({"emergencies": msgspec.to_builtins(rows)}, text, as_json=as_json)


@emergency.command("review")
@click.argument("power_id", type=int)
@click.option("--remark", required=True, help="What you found; it stands with the power for ever.")
@as_admin
@json_option
def emergency_review(
    power_id: int, *, remark: str, me: str, password_file: str | None, as_json: bool
) -> None:
    """Settle the emergency power of that number, once it is over. Not by who gave or held it."""
    body = checked(ReviewEmergency(power_id, remark))
    got = signed_in(me, password_file, lambda link: link.submit("security.review_emergency", body))
    data = msgspec.structs.asdict(got.body)
    answer(data, f"emergency power {power_id} is reviewed", as_json=as_json)


def _said(one: Emergency) -> str:
    bound = f" up to {worded(Power(one.power), one.most)}" if one.most else ""
    state = "stands until" if one.stands else "over since"
    line = f"{one.power_id:>5}  {one.person} {one.power} at {one.office}{bound} {state} {one.until}"
    line += f", given by {', '.join(one.given_by)}"
    done = [f"\n       approved request {it.request}: {it.object}" for it in one.decisions]
    said = f"\n       reviewed by {one.reviewed_by}: {one.review}" if one.reviewed_by else ""
    return line + ("".join(done) or "\n       nothing was approved with it") + said


VERBS = (break_glass, emergency)
