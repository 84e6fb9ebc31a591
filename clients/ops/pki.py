"""``mpower pki``: the board's certificates, in the operator's settings folder.

Every verb changes the folder only; it then says what has to be brought where, because a list that
stays in the folder keeps nobody out. Requests that machines sent over their links are in
``waiting``. The authority's key must be there for all but ``list`` and ``waiting``: keep it on a
medium that is otherwise locked away. This file must not know what a certificate looks like.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, Final

import click

from clients.door import answer, json_option, talk
from clients.ops.book import home, now, opened
from clients.ops.bringing import bring, bring_trust, in_step
from clients.ops.own_key import accept, request
from clients.ops.signed import as_admin
from clients.ops.waiting import refuse, sign_waiting, waiting
from config.pki import LIST_DAYS, SERVERS, Identity, PkiError
from config.registry import REASONS, Listed
from config.renewal import MAX_BYTES

KINDS: Final = click.Choice(["counter", "bank", "ops", "node", "witness"])
DAYS: Final = 366
"""A year and a day: the yearly renewal falls in the same week."""
SOON_DAYS: Final = 30
"""As the nodes' own alarm has it."""
days_option = click.option(
    "--days",
    type=click.IntRange(1, 825),
    default=DAYS,
    show_default=True,
    help="How long it lasts.",
)


@click.group()
def pki() -> None:
    """Certificates of nodes, counters, banks and operators: list, issue, renew, revoke, rotate."""


@pki.command(name="list")
@json_option
def listing(*, as_json: bool) -> None:
    """Show every certificate: whose, its serial, when it ends, revoked or not; and the list."""
    at = now()
    with opened(writing=False) as book:
        rows = book.listed(at)
        ends = min(one.next_update_utc or at for one in book.lists.values())
        waits = book.waiting(at) if book.rotating else []
    data = {
        "certificates": [_plain(one) for one in rows],
        "list_ends": ends.isoformat(),
        "rotating": book.rotating,
        "waiting": [one.serial for one in waits],
    }
    lines = [_row(one, at) for one in rows]
    lines.append(f"The list of the revoked ends on {ends:%Y-%m-%d}{_soon(ends, at)}.")
    if book.rotating:
        lines.append(
            f"A rotation is under way; {len(waits)} certificate(s) of the old authority are still"
            " valid. 'mpower pki rotate finish' says which."
        )
    answer(data, "\n".join(lines), as_json=as_json)


def _plain(one: Listed) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "name": one.name,
        "serial": one.serial,
        "ends": one.ends.isoformat(),
        "state": one.state,
        "revoked": one.state == "revoked",
        "reason": one.reason,
        "authority": one.authority,
    }


def _row(one: Listed, at: dt.datetime) -> str:
    state = f"revoked ({one.reason})" if one.state == "revoked" else one.state
    soon = _soon(one.ends, at) if one.state == "valid" else ""
    return f"{one.kind:8}{one.name:12} {one.serial:40} {one.ends:%Y-%m-%d}  {state}{soon}"


def _soon(ends: dt.datetime, at: dt.datetime) -> str:
    left = (ends - at).days
    return f" - in {left} days" if 0 <= left < SOON_DAYS else " - has ended" if left < 0 else ""


@pki.command(epilog="Example: mpower pki issue counter C017")
@click.argument("kind", type=KINDS)
@click.argument("name")
@click.option("--host", "hosts", multiple=True, help="What a node or the witness is reached by.")
@days_option
@json_option
def issue(kind: str, name: str, *, hosts: tuple[str, ...], days: int, as_json: bool) -> None:
    """Make a certificate and its key for a machine that has none that is valid."""
    with opened() as book:
        book.issue(Identity(book.cluster, kind, name), now(), hosts, days)
    said = [f"{kind} {name} has a new certificate for {days} days.", *bring(kind, name)]
    answer({"kind": kind, "name": name, "days": days}, "\n".join(said), as_json=as_json)


@pki.command(epilog="Example: mpower pki renew --within 60")
@click.argument("kind", type=KINDS, required=False)
@click.argument("name", required=False)
@click.option("--within", type=click.IntRange(1), metavar="DAYS", help="All that end within DAYS.")
@click.option("--all", "everybody", is_flag=True, help="All that are valid.")
@days_option
@json_option
def renew(
    kind: str | None,
    name: str | None,
    *,
    within: int | None,
    everybody: bool,
    days: int,
    as_json: bool,
) -> None:
    """Give the same machine its next certificate; the present one stays valid until it ends."""
    if [name is not None, within is not None, everybody].count(True) != 1:
        raise click.UsageError("Say KIND NAME, or --within DAYS, or --all.")
    at = now()
    with opened() as book:
        present = [one for one in book.listed(at) if one.state in {"valid", "expired"}]
        newest = list({(one.kind, one.name): one for one in reversed(present)}.values())[::-1]
        if name is not None:
            chosen = [one for one in newest if (one.kind, one.name) == (kind, name)]
            if not chosen:
                raise PkiError(f"{kind} {name} has no certificate here that could be renewed")
        else:
            limit = at + dt.timedelta(days=within) if within else None
            chosen = [one for one in newest if limit is None or one.ends <= limit]
        for one in chosen:
            book.renew(one, at, days)
    data = {"renewed": [[one.kind, one.name] for one in chosen], "days": days}
    said = [f"{one.kind} {one.name} has its next certificate." for one in chosen]
    said += [line for one in chosen for line in bring(one.kind, one.name)]
    said += ["When they are in use: mpower pki revoke --superseded --reason superseded"]
    answer(data, "\n".join(said) if chosen else "Nothing ends then.", as_json=as_json)


@pki.command(epilog="Example: mpower pki revoke counter C001 --reason key-compromise")
@click.argument("whom", nargs=-1, metavar="KIND NAME | SERIAL")
@click.option("--superseded", is_flag=True, help="Every one that has a newer of the same name.")
@click.option("--reason", type=click.Choice(sorted(REASONS)), required=True)
@json_option
def revoke(whom: tuple[str, ...], *, superseded: bool, reason: str, as_json: bool) -> None:
    """Take certificates back: all of a machine, or the one of a serial (its first digits do)."""
    if superseded == bool(whom) or len(whom) > 2:
        raise click.UsageError("Say KIND NAME, or a serial, or --superseded.")
    at = now()
    with opened() as book:
        chosen = _chosen(book.listed(at), whom)
        book.revoke(chosen, reason, at)
    data = {"revoked": [_plain(one)["serial"] for one in chosen], "reason": reason}
    said = [f"{one.kind} {one.name} ({one.serial}) is on the list." for one in chosen]
    everywhere = any(one.kind in SERVERS for one in chosen)
    said += bring_trust(home(), everywhere=everywhere)
    answer(data, "\n".join(said) if chosen else "There is none.", as_json=as_json)


def _chosen(listed: Iterable[Listed], whom: tuple[str, ...]) -> list[Listed]:
    """Whom a revocation means; PkiError if nobody, or a serial's beginning fits several."""
    alive = [one for one in listed if one.state in {"valid", "superseded"}]
    if not whom:
        return [one for one in alive if one.state == "superseded"]
    found = [
        one
        for one in alive
        if (one.kind, one.name) == whom
        or (len(whom) == 1 and one.serial.startswith(whom[0].lower()))
    ]
    if not found:
        raise PkiError(f"'{' '.join(whom)}' has no valid certificate here; see 'mpower pki list'")
    if len(whom) == 1 and len(found) > 1:
        raise PkiError(f"{len(found)} serials begin with '{whom[0]}'; give more of its digits")
    return found


@pki.command(epilog="Example: mpower pki publish")
@click.option("--days", type=click.IntRange(1, LIST_DAYS), default=LIST_DAYS, show_default=True)
@json_option
def publish(*, days: int, as_json: bool) -> None:
    """Sign the list of the revoked anew before it ends, and say where to bring it."""
    at = now()
    with opened() as book:
        book.publish(at, days)
    said = [f"The list lasts until {at + dt.timedelta(days=days):%Y-%m-%d}."]
    said += bring_trust(home(), everywhere=True)
    answer({"days": days}, "\n".join(said), as_json=as_json)


for verb in (request, accept, waiting, refuse):
    pki.add_command(verb)


@pki.command(epilog="Example: mpower pki sign --waiting")
@click.argument("what", nargs=-1, metavar="FILE | KIND/NAME…")
@click.option("--waiting", "over_link", is_flag=True, help="What machines sent over their links.")
@days_option
@as_admin
@json_option
def sign(
    what: tuple[str, ...],
    *,
    over_link: bool,
    days: int,
    me: str,
    password_file: str | None,
    as_json: bool,
) -> None:
    """Sign the requests that wait (--waiting; all, or those of the machines named), or the one in a
    FILE (- for standard input): its certificate goes to standard output.
    """
    if over_link:
        sign_waiting(what, days, me=me, password_file=password_file, as_json=as_json)
        return
    if len(what) != 1:
        raise click.UsageError("Say the FILE of one request, or --waiting.")
    sent = click.open_file(what[0], "rb")
    with opened() as book:
        one, certificate = book.sign(sent.read(MAX_BYTES + 1), now(), days)
    click.echo(certificate.decode(), nl=False)
    talk(f"{one.kind} {one.name} has its next certificate; bring it back: mpower pki accept")


@pki.group()
def rotate() -> None:
    """Change the authority: a second one, trusted beside the first, until nobody needs that."""


@rotate.command()
@json_option
def begin(*, as_json: bool) -> None:
    """Make the next authority; from now on it issues, and both are trusted."""
    with opened() as book:
        book.begin(now())
    said = ["A new authority stands beside the old one.", *in_step("begun", home())]
    answer({"rotating": True, "authorities": 2}, "\n".join(said), as_json=as_json)


@rotate.command()
@json_option
def finish(*, as_json: bool) -> None:
    """Drop the old authority; refused while one of its certificates could still be in use."""
    with opened() as book:
        book.finish(now())
    said = ["The old authority is trusted no more here.", *in_step("finished", home())]
    answer({"rotating": False, "authorities": 1}, "\n".join(said), as_json=as_json)
