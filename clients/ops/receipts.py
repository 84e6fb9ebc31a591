"""``mpower receipts``: verifying a whole day, with its progress.

The servers carry the work on by themselves; this command only asks for it and watches. It must not
know how receipts are verified.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click
from msgspec import structs

from clients.door import Ended, Exit, answer, json_option, talk
from clients.ops.signed import as_person, checked, named, signed_in

if TYPE_CHECKING:
    from clients.asking import Asking
    from protocols.catalogue.payments import Left, Verification

HELP: Final = """\
Verify the receipts of a whole day.

\b
Examples:
  mpower receipts verify --date 2026-11-24 --as meera
  mpower receipts verify --date 2026-11-24 --counter C001 --as meera
  mpower receipts verify --number 7 --as meera
"""
LOOK_S: Final = 0.5
NAMED: Final = 20
"""Receipts that a page names; --json names all."""
FAILED_NEXT: Final = (
    "It is mPower's mistake, not the clerk's: tell support the numbers and the reasons. The money"
    " stands as received; while its shift is open a receipt can be cancelled and taken anew, and"
    " when it is mended ask for the day again. 'day close' refuses until then, or until 'anyway'."
)
as_officer = as_person(None)


@click.group(help=HELP)
def receipts() -> None:
    """Group the verbs of receipts."""


@receipts.command(
    "verify", epilog="Exit codes: 0 all were verified · 1 it stopped, or some were left."
)
@click.option("--date", help="The business date.")
@click.option("--counter", default="", help="Only this counter's (C001); else everybody's.")
@click.option("--number", type=click.IntRange(1), help="Watch the verification of this number.")
@as_officer
@json_option
def verify(
    *,
    date: str | None,
    counter: str,
    number: int | None,
    me: str,
    password_file: str | None,
    as_json: bool,
) -> None:
    """Verify and post all that awaits it of a day. The servers go on with it if this command ends,
    or one of them; --number watches it again. Receipts you took yourself are left and named.
    """
    from protocols.catalogue.payments import VerifyDay

    if (date is None) == (number is None):
        raise click.UsageError("Say which day (--date 2026-11-24), or which --number to watch.")
    body = None if date is None else checked(VerifyDay(date, counter))

    async def work(link: Asking) -> Verification:
        asked = number
        if body is not None:
            asked = (await link.submit("payments.verify_day", body)).body.verification
            talk(f"Asked for as verification {asked}.")
        assert asked is not None
        return await _watched(link, asked)

    said = signed_in(me, password_file, work)
    answer(named(said), page(said), as_json=as_json)
    if said.state != "DONE" or said.left:
        raise Ended(Exit.FAILED, _next(said))


async def _watched(link: Asking, number: int) -> Verification:
    """Follow it to its end; with all the receipts that were left."""
    from clients.ops.progress import Bar
    from protocols.catalogue.payments import WatchVerification

    bar = Bar("receipts")
    while True:
        said: Verification = await link.ask("payments.verification", WatchVerification(number))
        bar.show(said.done, said.receipts)
        if said.state != "OPEN" or said.why:
            break
        await link.pause(LOOK_S)
    bar.close()
    left = list(said.left)
    while left and len(left) < said.done - said.posted:
        ask = WatchVerification(number, left[-1].place)
        more: Verification = await link.ask("payments.verification", ask)
        left += more.left
    return structs.replace(said, left=left)


def page(said: Verification) -> str:
    """For people: what was posted by head, and what was left."""
    from clients.ops.ledger_pages import amount

    what = f"Verification {said.verification} of {said.date}, {said.counter or 'all counters'}"
    posted = f"{said.posted:,} of {said.receipts:,} receipts, {amount(said.posted_paise)} posted"
    lines = [f"{what}: {posted}"]
    lines += [f"  {one.head:<14} {amount(one.amount_paise):>18}" for one in said.heads]
    lines += [f"  left: {one.receipt} {one.code}{_why(one)}" for one in said.left[:NAMED]]
    if len(said.left) > NAMED:
        lines.append(f"  … and {len(said.left) - NAMED:,} more (--json names them)")
    return "\n".join(lines)


def _why(one: Left) -> str:
    return f": {one.why}" if one.why else ""


def _next(said: Verification) -> str:
    if said.state == "OPEN":
        return (
            f"It waits: {said.why}. The servers go on with it when one is ('day open DATE');"
            f" 'mpower receipts verify --number {said.verification}' watches it."
        )
    if said.state != "DONE":
        return f"It stopped: {said.why}. An officer asks for the day again."
    failed = sum(one.code == "FAILED" for one in said.left)
    return (
        f"{len(said.left):,} receipts were left. OWN_WORK and OWN_ACCOUNT: another officer verifies"
        " those; the others need nothing more."
        + (f" But FAILED: {failed:,} could not be posted. {FAILED_NEXT}" if failed else "")
    )
