"""``mpower pki waiting``, ``sign --waiting`` and ``refuse``: the requests that machines sent over
their own links, answered where the authority's key lives.

Each request is judged by the folder's own book before it is signed; what the nodes say of it counts
for nothing but whose certificate it came by. A request that was signed before a cut gets the same
certificate again. This file must not know what a certificate looks like.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import click
from msgspec import Struct

from clients.asking import Asking, Declined
from clients.door import Ended, Exit, answer, json_option, talk
from clients.ops.book import now, opened
from clients.ops.signed import as_admin, checked, signed_in
from config.pki import PkiError
from config.registry import Registry
from protocols.catalogue.certificates import Settle, Waiting, WaitingRow


class Answered(Struct, frozen=True):
    """What became of one request at the signing: ``trouble`` '' means it has its certificate."""

    row: WaitingRow
    ends: str
    trouble: str


async def every_waiting(link: Asking) -> list[WaitingRow]:
    """All requests that wait, the oldest first."""
    rows: list[WaitingRow] = []
    more = True
    while more:
        page = await link.ask("certificates.waiting", Waiting(rows[-1].request_id if rows else 0))
        rows += page.rows
        more = page.more and bool(page.rows)
    return rows


@click.command(epilog="Example: mpower pki waiting")
@as_admin
@json_option
def waiting(*, me: str, password_file: str | None, as_json: bool) -> None:
    """Show which machines wait for their next certificate, and what speaks against signing it."""
    rows = signed_in(me, password_file, every_waiting)
    at = now()
    with opened(writing=False) as book:
        judged = [(one, book.refusal(one.request.encode(), at, one.subject)) for one in rows]
    lines = [_line(one, why or "can be signed") for one, why in judged]
    lines.append("'mpower pki sign --waiting' signs them." if rows else "No request waits.")
    data = {"waiting": [{**_plain(one), "trouble": why} for one, why in judged]}
    answer(data, "\n".join(lines), as_json=as_json)


def sign_waiting(
    whom: tuple[str, ...], days: int, *, me: str, password_file: str | None, as_json: bool
) -> None:
    """Sign all that waits, or the requests of these machines (``counter/C001``)."""
    with opened() as book:

        async def work(link: Asking) -> list[Answered]:
            rows = await every_waiting(link)
            missing = set(whom) - {one.subject for one in rows}
            if missing:
                raise Ended(Exit.REFUSED, f"No request of {', '.join(sorted(missing))} waits.")
            chosen = [one for one in rows if not whom or one.subject in whom]
            return [await _signed(link, book, one, days) for one in chosen]

        done = signed_in(me, password_file, work)
    bad = [one for one in done if one.trouble]
    lines = [
        _line(one.row, f"NOT signed: {one.trouble}" if one.trouble else f"signed until {one.ends}")
        for one in done
    ]
    lines.append(f"{len(done) - len(bad)} signed." if done else "No request waits.")
    said = [{**_plain(one.row), "ends": one.ends, "trouble": one.trouble} for one in done]
    answer({"answered": said}, "\n".join(lines), as_json=as_json)
    if bad:
        raise Ended(
            Exit.REFUSED,
            f"{len(bad)} were not signed and wait on; 'mpower pki refuse NUMBER --reason WHY'"
            " answers them.",
        )
    if done:
        talk(
            "The machines fetch them by themselves within the hour; when they are in use:"
            " mpower pki revoke --superseded --reason superseded"
        )


async def _signed(link: Asking, book: Registry, row: WaitingRow, days: int) -> Answered:
    try:
        one, certificate = book.sign(row.request.encode(), now(), days, row.subject)
        ends = next(
            listed.ends
            for listed in book.listed(now())
            if (listed.kind, listed.name, listed.state) == (one.kind, one.name, "valid")
        )
        await link.submit("certificates.settle", Settle(row.request_id, certificate.decode()))
    except PkiError as wrong:
        return Answered(row, "", str(wrong))
    except Declined as no:
        return Answered(row, "", no.sentence)
    return Answered(row, f"{ends:%Y-%m-%d}", "")


@click.command(epilog='Example: mpower pki refuse 17 --reason "the counter is closed"')
@click.argument("number", type=click.IntRange(1, 2**31 - 1))
@click.option("--reason", required=True, help="What the machine's people read.")
@as_admin
@json_option
def refuse(number: int, *, reason: str, me: str, password_file: str | None, as_json: bool) -> None:
    """Answer the waiting request NUMBER with no."""
    body = checked(Settle(number, "", reason))

    async def work(link: Asking) -> Any:
        return (await link.submit("certificates.settle", body)).body

    settled = signed_in(me, password_file, work)
    data = {"request": settled.request_id, "subject": settled.subject, "state": settled.state}
    answer(data, f"The request {number} of {settled.subject} is refused.", as_json=as_json)


def _plain(row: WaitingRow) -> dict[str, Any]:
    return {
        "request": row.request_id,
        "subject": row.subject,
        "since": row.since,
        "address": row.address,
    }


def _line(row: WaitingRow, said: str) -> str:
    since = dt.datetime.fromisoformat(row.since)
    return f"{row.request_id:6} {row.subject:16} {since:%Y-%m-%d %H:%M}Z  {row.address:22} {said}"
