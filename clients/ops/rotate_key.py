"""``mpower audit rotate-key``: another key signs the audit from now on.

The private key lies in the operator's settings folder and on both nodes. Here the folder gets the
next one and its public half joins the list; the board enters who changed it and why, and the nodes
take the files up when they are brought, without a restart. Invariant: the steps are in an order
that, cut off anywhere, says the same word again, and no list names a key whose private half is
lost. This file must not know how a checkpoint is signed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from clients.door import Ended, Exit, answer, json_option
from clients.ops.book import home, opened
from clients.ops.bringing import bring_audit
from clients.ops.signed import as_admin, checked, signed_in
from config.files import PUBLIC, SECRET, write_file
from config.pki import PkiError, signing_key

if TYPE_CHECKING:
    from clients.asking import Asking
    from protocols.catalogue.audit import Signers
    from protocols.checkpoints import Keys

OWN: Final = "secrets/audit.key"
NEXT: Final = "secrets/audit.next.key"
"""The next key until it is listed. Nothing packs it."""
LISTED: Final = "pki/audit.pub"


class Folder:
    """The keys of the audit in one settings folder; PkiError says why they cannot be changed."""

    def __init__(self, folder: Path) -> None:
        self._own, self._next, self._list = folder / OWN, folder / NEXT, folder / LISTED
        self.pem = self._read(self._list)
        self.keys = self._keys()
        following = self._place(self._next) if self._next.exists() else -1
        self.cut_off = 0 <= following == self.keys.newest
        """The next key is listed and signs nothing: a change was begun, and cut off."""
        if not self.cut_off and self._place(self._own) != self.keys.newest:
            raise PkiError(
                f"{self._own} is not the newest key of {self._list}: it was changed elsewhere;"
                " work in the folder where that was done"
            )

    @property
    def former(self) -> str:
        """The fingerprint of the key that signs before the change."""
        newest = self.keys.newest
        return self.keys.print_of(newest - 1 if self.cut_off else newest)

    def _read(self, file: Path) -> bytes:
        try:
            return file.read_bytes()
        except FileNotFoundError:
            raise PkiError(
                f"{file} is not there, so the key cannot be changed from here; go to the folder"
                " 'mpower init' wrote, where the board's secrets are kept"
            ) from None

    def _keys(self) -> Keys:
        from protocols.checkpoints import KeyRefused, public_keys

        try:
            return public_keys(self.pem)
        except KeyRefused as wrong:
            raise PkiError(f"{self._list}: {wrong}") from None

    def _place(self, file: Path) -> int:
        from protocols.checkpoints import KeyRefused, private_key

        try:
            return self.keys.place(private_key(self._read(file)).public_key())
        except KeyRefused as wrong:
            raise PkiError(f"{file}: {wrong}") from None

    def prepare(self) -> str:
        """Make the next key, unless one lies here already; gives its fingerprint."""
        from protocols.checkpoints import Keys, private_key

        if not self._next.exists():
            write_file(self._next, signing_key()[0], SECRET)
        return Keys([private_key(self._read(self._next)).public_key()]).print_of(0)

    def switch(self) -> None:
        """List the next key, then put it in place of the present one."""
        from protocols.checkpoints import private_key, public_pem

        if not self.cut_off:
            public = public_pem(private_key(self._read(self._next)).public_key())
            write_file(self._list, self.pem.rstrip() + b"\n" + public, PUBLIC)
        self._next.replace(self._own)


@click.command(
    "rotate-key",
    epilog='Example: mpower audit rotate-key --reason "yearly change" --dry-run',
)
@click.option("--reason", required=True, help="Why; it stands in the audit.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and change nothing.")
@as_admin
@json_option
def rotate_key(
    *, reason: str, dry_run: bool, me: str, password_file: str | None, as_json: bool
) -> None:
    """Make a new key that signs the audit, and say where to bring it. What the former keys signed
    stands. For administrators, in the board's settings folder.
    """
    from protocols.catalogue.audit import ChangeKey
    from protocols.catalogue.body import Nothing

    checked(ChangeKey("0" * 64, "1" * 64, reason))
    with opened() as _book:
        folder = Folder(home())
        former = folder.former

        async def work(link: Asking) -> str:
            known: Signers = await link.ask("audit.signers", Nothing())
            if folder.cut_off:
                return folder.keys.print_of(folder.keys.newest)
            _check(known, former)
            if dry_run:
                return ""
            following = folder.prepare()
            await link.submit("audit.change_key", checked(ChangeKey(former, following, reason)))
            return following

        following = signed_in(me, password_file, work)
        if not dry_run:
            folder.switch()
    data = {"former": former, "following": following, "changed": not dry_run}
    said = f"The key {following[:16]} follows {former[:16]}. It signs when the nodes have it:"
    if dry_run:
        said = f"Nothing was changed. A new key would follow {former[:16]}, and go to the nodes:"
    answer(data, "\n".join([said, *bring_audit(home())]), as_json=as_json)


def _check(known: Signers, former: str) -> None:
    """Refuse as the board would, also where nothing is to be changed."""
    from protocols.refusals import Refused

    present = known.prints[-1]
    wrong = None
    if known.signed and known.last != present:
        wrong = Refused("KEY_UNUSED", key=present[:16])
    elif present != former:
        wrong = Refused("OTHER_AUDIT_KEY", key=present[:16], former=former[:16])
    if wrong is not None:
        raise Ended(Exit.REFUSED, wrong.sentence)
