"""``mpower audit``: prove that nothing that was written or signed has been changed since.

The walk is ``proving``'s; here is where the board's public key and the checkpoints kept elsewhere
come from, and how the finding is said. This file must not know how a proof is made.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from clients.door import Ended, Exit, answer, client_settings, json_option
from clients.ops.signed import as_person, signed_in

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from clients.asking import Asking
    from clients.ops.kept import Kept
    from clients.ops.proving import Proof
    from config.settings import ClientSettings

HELP: Final = """\
Prove that nothing was changed; who did what, when.

\b
Examples:
  mpower audit verify --as meera
  mpower audit verify --against checkpoints.json --json
"""
WITNESS: Final = "witness"
as_auditor = as_person("admin")


@click.group(help=HELP)
def audit() -> None:
    """Group the verbs of the audit."""


@audit.command("verify", epilog="Exit codes: 0 all is as it was written · 1 it is not.")
@click.option(
    "--against",
    metavar="FILE|witness",
    help="What the database is compared with: checkpoints in a file, one JSON object a line, or"
    " those the witness keeps. Else the witness, if it answers.",
)
@as_auditor
@json_option
def verify(*, against: str | None, me: str, password_file: str | None, as_json: bool) -> None:
    """Recompute every chain and every checkpoint; name the first entry that is not as it was."""
    from clients.ops.kept import Kept, in_file, kept_outside
    from clients.ops.proving import prove

    settings = client_settings()
    key = _public_key(settings)
    file = Kept(in_file(Path(against))) if against not in {None, WITNESS} else None

    async def work(link: Asking) -> tuple[Proof, Kept]:
        kept = file or await kept_outside(settings)
        if kept.trouble and against is not None:
            raise Ended(
                Exit.NOT_REACHABLE,
                f"The witness could not be asked ({kept.trouble}). Start it, or compare with a"
                " file (--against FILE).",
            )
        return await prove(link.ask, settings.cluster, key, kept.sealed), kept

    proof, kept = signed_in(me, password_file, work)
    _say(proof, key is not None, kept, as_json=as_json)


def _public_key(settings: ClientSettings) -> Ed25519PublicKey | None:
    from protocols.checkpoints import KeyRefused, public_key

    if settings.audit_key is None:
        return None
    try:
        return public_key(settings.audit_key.read_bytes())
    except (OSError, KeyRefused) as wrong:
        why = wrong.strerror if isinstance(wrong, OSError) else str(wrong)
        raise Ended(
            Exit.FAILED,
            f"The board's public key {settings.audit_key} cannot be used ({why}). Get pki/audit.pub"
            " from the settings folder, or take audit_key out of the settings.",
        ) from None


def _say(proof: Proof, keyed: bool, kept: Kept, *, as_json: bool) -> None:  # noqa: FBT001
    trouble, newest = proof.trouble, proof.newest
    data: dict[str, Any] = {
        "ok": trouble is None,
        "entries": proof.entries,
        "links": proof.links,
        "checkpoints": proof.checkpoints,
        "signed_until": newest.at if newest is not None else "",
        "signature_checked_here": keyed,
        "against": [one.place for one in kept.sealed],
        "not_compared": kept.trouble,
        "first_bad": None,
    }
    if trouble is not None:
        where = {"chain": trouble.chain, "link": trouble.link, "position": trouble.position}
        data["first_bad"] = {**where, "what": trouble.what}
    answer(data, _text(proof, keyed, kept), as_json=as_json)
    if trouble is not None:
        raise Ended(
            Exit.FAILED,
            "The audit is NOT as it was written. Keep this answer; copy the database's disk before"
            " anything else is done to it.",
        )


def _text(proof: Proof, keyed: bool, kept: Kept) -> str:  # noqa: FBT001
    newest, trouble = proof.newest, proof.trouble
    seen = f"{proof.entries:,} entries in {proof.links:,} links"
    if trouble is not None:
        row = f", entry {trouble.position}" if trouble.position else ""
        where = f"chain {trouble.chain}, link {trouble.link}{row}" if trouble.chain >= 0 else "log"
        return f"BAD: {where}: {trouble.what}\n(seen until there: {seen})"
    lines = [f"{seen}: all as written."]
    if newest is None:
        lines.append("No checkpoint is signed yet: look for the alarm audit-unsigned.")
    else:
        whose = "checked here by your own key" if keyed else "checked by the servers only"
        lines.append(f"{proof.checkpoints:,} checkpoints, the newest of {newest.at}: {whose}.")
    if kept.sealed:
        first, last = kept.sealed[0], kept.sealed[-1]
        lines.append(
            f"Agrees with {len(kept.sealed)} checkpoints kept outside, from {first.checkpoint.at}"
            f" to {last.checkpoint.at}: {last.place}."
        )
    else:
        why = kept.trouble or "there is none yet"
        lines.append(f"NOT compared with any checkpoint kept outside the database: {why}.")
    return "\n".join(lines)
