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

    from clients.ops.proving import Proof, Sealed
    from config.settings import ClientSettings

HELP: Final = """\
Prove that nothing was changed; who did what, when.

\b
Examples:
  mpower audit verify --as meera
  mpower audit verify --against checkpoints.json --json
"""
as_auditor = as_person("admin")


@click.group(help=HELP)
def audit() -> None:
    """Group the verbs of the audit."""


@audit.command("verify", epilog="Exit codes: 0 all is as it was written · 1 it is not.")
@click.option(
    "--against",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with checkpoints that were kept outside, one JSON object a line.",
)
@as_auditor
@json_option
def verify(*, against: Path | None, me: str, password_file: str | None, as_json: bool) -> None:
    """Recompute every chain and every checkpoint; name the first entry that is not as it was."""
    from clients.ops.proving import prove

    settings = client_settings()
    key = _public_key(settings)
    sealed = _sealed(against) if against is not None else []
    proof = signed_in(
        me, password_file, lambda link: prove(link.ask, settings.cluster, key, sealed)
    )
    _say(proof, key is not None, sealed, as_json=as_json)


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


def _sealed(file: Path) -> list[Sealed]:
    """Read checkpoints: one JSON object a line, other lines are not theirs."""
    import msgspec

    from clients.ops.proving import Sealed
    from clients.ops.sealed import Line, checkpoint_of

    found = []
    for number, line in enumerate(file.read_bytes().splitlines(), 1):
        try:
            said = msgspec.json.decode(line, type=Line)
        except msgspec.MsgspecError as wrong:
            raise Ended(
                Exit.FAILED, f"{file}, line {number}: {wrong}. Nothing was proven."
            ) from None
        if said.checkpoint is not None:
            found.append(Sealed(f"{file.name}, line {number}", checkpoint_of(said.checkpoint)))
    if not found:
        raise Ended(Exit.FAILED, f"{file} holds no checkpoint. Nothing was proven.")
    return found


def _say(proof: Proof, keyed: bool, sealed: list[Sealed], *, as_json: bool) -> None:  # noqa: FBT001
    trouble, newest = proof.trouble, proof.newest
    data: dict[str, Any] = {
        "ok": trouble is None,
        "entries": proof.entries,
        "links": proof.links,
        "checkpoints": proof.checkpoints,
        "signed_until": newest.at if newest is not None else "",
        "signature_checked_here": keyed,
        "against": [one.place for one in sealed],
        "first_bad": None,
    }
    if trouble is not None:
        where = {"chain": trouble.chain, "link": trouble.link, "position": trouble.position}
        data["first_bad"] = {**where, "what": trouble.what}
    answer(data, _text(proof, keyed, sealed), as_json=as_json)
    if trouble is not None:
        raise Ended(
            Exit.FAILED,
            "The audit is NOT as it was written. Keep this answer; copy the database's disk before"
            " anything else is done to it.",
        )


def _text(proof: Proof, keyed: bool, sealed: list[Sealed]) -> str:  # noqa: FBT001
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
    lines += [f"Agrees with {one.place} ({one.checkpoint.at})." for one in sealed]
    if not sealed:
        lines.append("Not compared with anything kept outside the database (--against FILE).")
    return "\n".join(lines)
