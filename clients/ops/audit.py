"""``mpower audit``: prove that nothing that was written or signed has been changed since.

The walk is ``proving``'s; here is where the board's public key and the checkpoints kept elsewhere
come from, and how the finding is said. This file must not know how a proof is made.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from clients.door import Ended, Exit, answer, client_settings, json_option, talk
from clients.ops.rotate_key import rotate_key
from clients.ops.signed import as_person, checked, signed_in

if TYPE_CHECKING:
    from clients.asking import Asking
    from clients.ops.kept import Kept
    from clients.ops.proving import Proof
    from protocols.checkpoints import Keys

HELP: Final = """\
Prove that nothing was changed; who did what, when.

\b
Examples:
  mpower audit verify --as meera
  mpower audit show --receipt C001/2026-27/42 --as meera
  mpower audit export --from 2026-04-01 --to 2026-04-30 --reason "audit of April"
  mpower audit verify audit-2026-04-01-2026-04-30.jsonl
"""
WITNESS: Final = "witness"
NOTHING: Final = (
    "There is no such entry. Names are whole: a login, an operation as payments.cancel, a receipt"
    " as C001/2026-27/42."
)
WRITTEN_ANEW: Final = (
    "The audit is NOT as it was written. Keep this answer; copy the database's disk before anything"
    " else is done to it."
)
FILE_CHANGED: Final = (
    "This file is NOT an export as it was written. Compare it with where it came from, or export"
    " anew; the audit itself is proven by 'mpower audit verify' without a file."
)
STRANGER: Final = "not signed by this board's key"
KEY_CHANGED: Final = (
    "\nUnless the key was changed ('mpower audit rotate-key') and your pki/audit.pub is older: get"
    " the new one (mpower pack MACHINE --part audit), and verify again."
)
as_auditor = as_person("admin")
F = TypeVar("F", bound=Callable[..., Any])


def counted(number: int, what: str) -> str:
    """Say how many: 1 entry, 2 entries."""
    many = what if number == 1 else f"{what[:-1]}ies" if what.endswith("y") else f"{what}s"
    return f"{number:,} {many}"


def with_period(command: F) -> F:
    """Add ``--from`` (``first``) and ``--to`` (``last``)."""
    for option in (
        click.option("--to", "last", default="", help="This day included; or before a moment."),
        click.option("--from", "first", default="", help="From this day, or this moment."),
    ):
        command = option(command)
    return command


@click.group(help=HELP)
def audit() -> None:
    """Group the verbs of the audit."""


@audit.command("show")
@click.option("--user", default="", help="Only what this login did.")
@click.option("--object", "about", default="", help="Only what was done to this: a user, a day …")
@click.option("--receipt", default="", help="Only what was done to this receipt.")
@click.option("--operation", default="", help="Only this operation, as payments.cancel.")
@with_period
@click.option("--most", type=click.IntRange(1), default=50, show_default=True, help="At most.")
@as_auditor
@json_option
def show(
    *,
    user: str,
    about: str,
    receipt: str,
    operation: str,
    first: str,
    last: str,
    most: int,
    me: str,
    password_file: str | None,
    as_json: bool,
) -> None:
    """Who did what, when, where and why, the newest first; with --json a line an entry."""
    from clients.ops.reading import period, printed
    from protocols.catalogue.audit import Look
    from protocols.catalogue.payments import Duplicate

    if about and receipt:
        raise click.UsageError("--object and --receipt are one filter: give one of them.")
    if receipt:
        checked(Duplicate(receipt))
    wanted = checked(Look(user, about or receipt, operation, *period(first, last)))
    seen = signed_in(me, password_file, lambda link: printed(link, wanted, most, as_json=as_json))
    talk(f"{counted(seen, 'entry')}." if seen else NOTHING)


@audit.command("export")
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@with_period
@click.option("--reason", required=True, help="Why; it stands in the audit.")
@as_auditor
@json_option
def export_command(
    *,
    file: Path | None,
    first: str,
    last: str,
    reason: str,
    me: str,
    password_file: str | None,
    as_json: bool,
) -> None:
    """Write the audit into FILE, whole or a range of days, with what proves it: 'mpower audit
    verify FILE' then needs no server. Without a name: audit-FROM-TO.jsonl, here.
    """
    from clients.ops.reading import check_new, export_to, period
    from protocols.catalogue.audit import Export

    settings, body = client_settings(), checked(Export(reason, *period(first, last)))
    name = "-".join(part.replace(":", "") for part in ("audit", first, last) if part)
    file = file or Path(f"{name}.jsonl")
    check_new(file)
    done = signed_in(me, password_file, lambda link: export_to(link, settings.cluster, body, file))
    span = f"\nThe time: from {body.since or 'the beginning'} until before {body.until or 'now'}"
    answer(
        {
            "file": str(file),
            "from": body.since,
            "to": body.until,
            "links": done.links,
            "entries": done.entries,
            "signed_until": done.signed_until,
        },
        f"{counted(done.entries, 'entry')} in {counted(done.links, 'link')} are in {file}."
        f"{span}; what is newer than {done.signed_until} was not signed yet and is not in it."
        f"\nWhat next: mpower audit verify {file}",
        as_json=as_json,
    )


@audit.command("verify", epilog="Exit codes: 0 all is as it was written · 1 it is not.")
@click.argument(
    "file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The board's public key, pki/audit.pub; else as the settings say.",
)
@click.option(
    "--against",
    metavar="FILE|witness",
    help="What the database is compared with: checkpoints in a file, one JSON object a line, or"
    " those the witness keeps. Else the witness, if it answers.",
)
@as_auditor
@json_option
def verify(
    *,
    file: Path | None,
    key: Path | None,
    against: str | None,
    me: str,
    password_file: str | None,
    as_json: bool,
) -> None:
    """Recompute every chain and every checkpoint; name the first entry that is not as it was. With
    FILE, an export: without any server.
    """
    from clients.ops.kept import Kept, in_file, kept_outside
    from clients.ops.proving import prove

    if file is not None:
        if against is not None:
            raise click.UsageError(
                "FILE is proven by itself; --against is for the servers' audit. Give one of them."
            )
        _say(_offline(file, key), None, keyed=True, as_json=as_json)
        return
    settings = client_settings()
    public = _public_keys(key or settings.audit_key)
    named = Kept(in_file(Path(against))) if against not in {None, WITNESS} else None

    async def work(link: Asking) -> tuple[Proof, Kept]:
        kept = named or await kept_outside(settings)
        if kept.trouble and against is not None:
            raise Ended(
                Exit.NOT_REACHABLE,
                f"The witness could not be asked ({kept.trouble}). Start it, or compare with a"
                " file (--against FILE).",
            )
        return await prove(link.ask, settings.cluster, public, kept.sealed), kept

    proof, kept = signed_in(me, password_file, work)
    _say(proof, kept, keyed=public is not None, as_json=as_json)


audit.add_command(rotate_key)


def _public_keys(path: Path | None) -> Keys | None:
    from protocols.checkpoints import KeyRefused, public_keys

    if path is None:
        return None
    try:
        return public_keys(path.read_bytes())
    except (OSError, KeyRefused) as wrong:
        why = wrong.strerror if isinstance(wrong, OSError) else str(wrong)
        raise Ended(
            Exit.FAILED,
            f"The board's public key {path} cannot be used ({why}). Get pki/audit.pub from the"
            " settings folder.",
        ) from None


def _offline(file: Path, key: Path | None) -> Proof:
    from clients.ops.exported import Proving

    settings = client_settings() if key is None else None
    public = _public_keys(key if settings is None else settings.audit_key)
    if public is None:
        raise Ended(
            Exit.USAGE,
            "The key inside an export proves nothing: give the board's own (--key pki/audit.pub).",
        )
    with file.open("rb") as lines:
        return Proving(settings.cluster if settings is not None else "", public).prove(lines)


def _say(proof: Proof, kept: Kept | None, *, keyed: bool, as_json: bool) -> None:
    trouble, newest = proof.trouble, proof.newest
    data: dict[str, Any] = {
        "ok": trouble is None,
        "entries": proof.entries,
        "links": proof.links,
        "checkpoints": proof.checkpoints,
        "from": proof.span.first if proof.span else "",
        "to": proof.span.until if proof.span else "",
        "inside": proof.span.inside if proof.span else proof.entries,
        "signed_until": newest.at if newest is not None else "",
        "signature_checked_here": keyed,
        "against": [one.place for one in kept.sealed] if kept is not None else [],
        "not_compared": kept.trouble if kept is not None else "",
        "first_bad": None,
    }
    if trouble is not None:
        where = {"chain": trouble.chain, "link": trouble.link, "position": trouble.position}
        data["first_bad"] = {**where, "what": trouble.what}
    answer(data, _text(proof, kept, keyed=keyed), as_json=as_json)
    if trouble is not None:
        what = FILE_CHANGED if kept is None else WRITTEN_ANEW
        raise Ended(Exit.FAILED, what + (KEY_CHANGED if STRANGER in trouble.what else ""))


def _text(proof: Proof, kept: Kept | None, *, keyed: bool) -> str:
    newest, trouble = proof.newest, proof.trouble
    seen = f"{counted(proof.entries, 'entry')} in {counted(proof.links, 'link')}"
    if trouble is not None:
        row = f", entry {trouble.position}" if trouble.position else ""
        where = f"chain {trouble.chain}, link {trouble.link}{row}" if trouble.chain >= 0 else "log"
        return f"BAD: {where}: {trouble.what}\n(seen until there: {seen})"
    lines = [f"{seen}: all as written."]
    if proof.span is not None:
        span = proof.span
        lines.append(
            f"Of these {span.inside:,} are from {span.first or 'the beginning'} until before"
            f" {span.until}, and none of that time is missing"
            + ("; the others prove its edges." if span.inside < proof.entries else ".")
        )
    if newest is None:
        lines.append("No checkpoint is signed yet: look for the alarm audit-unsigned.")
    else:
        whose = "checked here by your own key" if keyed else "checked by the servers only"
        many = counted(proof.checkpoints, "checkpoint")
        lines.append(f"{many}, the newest of {newest.at}: {whose}.")
    if kept is None:
        lines.append("Proven from the file alone; nothing was asked of any server.")
    elif kept.sealed:
        first, last = kept.sealed[0], kept.sealed[-1]
        since = f"from {first.checkpoint.at} to " if first != last else "of "
        many = counted(len(kept.sealed), "checkpoint")
        lines.append(f"Agrees with {many} kept outside, {since}{last.checkpoint.at}: {last.place}.")
    else:
        why = kept.trouble or "there is none yet"
        lines.append(f"NOT compared with any checkpoint kept outside the database: {why}.")
    return "\n".join(lines)
