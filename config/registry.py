"""The operator's book of certificates: what the authority gave out, whom it took it back from, and
the change from one authority to the next.

    pki/ca.crt       the authorities that are trusted; the first one issues
    pki/ca.key       its key; pki/ca-old.key that of the one before, only while a rotation lasts
    pki/revoked.crl  one list for each of them
    pki/earlier/     certificates that have a newer one of the same name: still valid, still listed

Everything is read from the certificates and lists themselves, so there is no second book that could
differ. Invariant: files are written in an order that, cut off anywhere, says the same act again.
This file must not know the network, nor what is brought where.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Struct

from config.files import SECRET, make_folder, write_file
from config.next_papers import NextPapers
from config.pki import (
    LIST_DAYS,
    Authority,
    Identity,
    PkiError,
    authority_from,
    certify,
    identity_of,
    issue,
    key_pem,
    lists_from,
    make_authority,
    revocation_list,
    revoke,
)
from config.renewal import named_in, proven, public_key

REASONS: Final = {
    "key-compromise": x509.ReasonFlags.key_compromise,
    "retired": x509.ReasonFlags.cessation_of_operation,
    "superseded": x509.ReasonFlags.superseded,
    "withdrawn": x509.ReasonFlags.privilege_withdrawn,
}
"""Why a certificate is taken back, and what the list says of it (RFC 5280, 5.3.1)."""
WORDS: Final = {flag: word for word, flag in REASONS.items()}


class Listed(Struct, frozen=True, kw_only=True):
    """One certificate of the book. ``state``: valid, superseded, expired, revoked, or dropped with
    its authority; ``reason`` of a revocation; ``authority`` that issued it.
    """

    kind: str
    name: str
    serial: str
    ends: dt.datetime
    state: str
    reason: str
    authority: str
    file: Path


class Registry:
    """The book in one settings folder; PkiError says why it cannot be read."""

    def __init__(self, home: Path) -> None:
        self.pki = home / "pki"
        trusted = self._read("ca.crt")
        try:
            self.trusted = x509.load_pem_x509_certificates(trusted)
        except ValueError as wrong:
            raise PkiError(f"{self.pki / 'ca.crt'} holds no certificate") from wrong
        self._keys = [
            (self.pki / name).read_bytes()
            for name in ("ca.key", "ca-old.key")
            if (self.pki / name).exists()
        ]
        self.lists = {one.issuer: one for one in lists_from(self._read("revoked.crl"))}
        self.cluster, self.generation = _of_authority(self.trusted[0])

    @property
    def rotating(self) -> bool:
        """Two authorities are trusted."""
        return len(self.trusted) > 1

    # -------------------------------------------------------------------------- what there is

    def listed(self, now: dt.datetime) -> list[Listed]:
        """Every certificate that was given out, by kind and name, the newest of a name first."""
        present = sorted(self.pki.glob("*.crt"))
        earlier = sorted((self.pki / "earlier").glob("*.crt"))
        found = []
        for file in (*present, *earlier):
            if file.name == "ca.crt" or file.name.startswith("etcd-"):
                continue
            found.append(self._look(file, now, superseded=file in earlier))
        found.sort(key=lambda one: (one.kind, one.name, -one.ends.timestamp()))
        return found

    def _look(self, file: Path, now: dt.datetime, *, superseded: bool) -> Listed:
        pem = file.read_bytes()
        try:
            who, leaf = identity_of(pem), x509.load_pem_x509_certificate(pem)
        except ValueError as wrong:
            raise PkiError(f"{file}: {wrong}") from wrong
        state = "superseded" if superseded else "valid"
        state = "expired" if leaf.not_valid_after_utc <= now else state
        if all(one.subject != leaf.issuer for one in self.trusted):
            state = "dropped"
        listed = self.lists.get(leaf.issuer)
        entry = listed and listed.get_revoked_certificate_by_serial_number(leaf.serial_number)
        return Listed(
            kind=who.kind,
            name=who.name,
            serial=f"{leaf.serial_number:x}",
            ends=leaf.not_valid_after_utc,
            state="revoked" if entry else state,
            reason=_reason(entry) if entry else "",
            authority=_called(leaf.issuer),
            file=file,
        )

    # -------------------------------------------------------------------------- giving out

    def issue(self, identity: Identity, now: dt.datetime, hosts: Iterable[str], days: int) -> Path:
        """Give a machine that has none, or none that is valid, its certificate; gives its file."""
        file = self.pki / f"{identity.kind}-{identity.name}.crt"
        if file.exists() and self._look(file, now, superseded=False).state == "valid":
            raise PkiError(
                f"{identity.kind} {identity.name} has a valid certificate: 'renew' gives it the"
                " next one, and if its key may be known to others, revoke it first"
            )
        self._give(file, identity, now, hosts, days)
        return file

    def renew(self, one: Listed, now: dt.datetime, days: int) -> Path:
        """Give the same machine the next certificate with a new key; the present one stays valid
        until it ends or is revoked.
        """
        if one.state == "revoked":
            raise PkiError(
                f"the certificate of {one.kind} {one.name} is revoked: 'issue' gives it a new one"
            )
        leaf = x509.load_pem_x509_certificate(one.file.read_bytes())
        self._give(one.file, self._who(one), now, _hosts(leaf), days)
        return one.file

    def sign(
        self, sent: bytes, now: dt.datetime, days: int, subject: str = ""
    ) -> tuple[Listed, bytes]:
        """Answer a machine's own request with its next certificate (PEM). The key it was made for
        is not here, and the one that was here goes, unless this folder itself asked: then it
        switches. One that was signed already gets the same
        answer. ``subject`` (``counter/C001``) is whose certificate it came by, if that is known.
        """
        one, key = self._judged(sent, now, subject)
        if key is None:
            return one, one.file.read_bytes()
        leaf = x509.load_pem_x509_certificate(one.file.read_bytes())
        authority = self._authority(self.trusted[0])
        signed = certify(authority, self._who(one), key, now, _hosts(leaf), days)
        self._keep_earlier(one.file)
        own = NextPapers(one.file, one.file.with_suffix(".key"))
        if own.made(key):
            own.keep(signed)
            own.switch()
            return one, signed
        one.file.with_suffix(".key").unlink(missing_ok=True)
        write_file(one.file, signed)
        return one, signed

    def refusal(self, sent: bytes, now: dt.datetime, subject: str) -> str:
        """Say why a request would not be signed; '' if it would."""
        try:
            self._judged(sent, now, subject)
        except PkiError as wrong:
            return str(wrong)
        return ""

    def _judged(
        self, sent: bytes, now: dt.datetime, subject: str
    ) -> tuple[Listed, ec.EllipticCurvePublicKey | None]:
        """The machine's newest certificate and the key to sign; no key: it was signed, as that one.
        PkiError for a request that nobody may have signed.
        """
        name = named_in(sent)
        if subject and name != f"mpower:{self.cluster}/{subject}":
            raise PkiError(f"it came by the certificate of {subject} and asks for '{name}'")
        mine = [one for one in self.listed(now) if name == str(self._who(one))]
        alive = [one for one in mine if one.state in {"valid", "superseded"}]
        if not any(one.state == "valid" for one in alive):
            said = f" (the last is {mine[0].state})" if mine else ""
            raise PkiError(f"'{name}' has no valid certificate here{said}; 'issue' gives it one")
        key = _proven(sent, [one.file.read_bytes() for one in alive])
        for one in mine:
            if public_key(one.file.read_bytes()) == key:
                if one not in alive:
                    raise PkiError(f"it was signed already, and that certificate is {one.state}")
                return one, None
        return next(one for one in alive if one.state == "valid"), key

    def _who(self, one: Listed) -> Identity:
        return Identity(self.cluster, one.kind, one.name)

    def _give(
        self, file: Path, who: Identity, now: dt.datetime, hosts: Iterable[str], days: int
    ) -> None:
        issued = issue(self._authority(self.trusted[0]), who, now, hosts, days)
        if file.exists():
            self._keep_earlier(file)
        write_file(file.with_suffix(".key"), issued.key, SECRET)
        write_file(file, issued.certificate)

    def _keep_earlier(self, file: Path) -> None:
        before = file.read_bytes()
        serial = x509.load_pem_x509_certificate(before).serial_number
        make_folder(self.pki / "earlier")
        write_file(self.pki / "earlier" / f"{file.stem}.{serial:x}.crt", before)

    # -------------------------------------------------------------------------- taking back

    def revoke(self, chosen: Iterable[Listed], reason: str, now: dt.datetime) -> None:
        """Put certificates on their authority's list; who is on it stays with its own reason."""
        for one in chosen:
            pem = one.file.read_bytes()
            issuer = x509.load_pem_x509_certificate(pem).issuer
            authority = self._authority(self._trusted_as(issuer))
            so_far = self._pem(issuer)
            listed = revoke(authority, so_far, pem, now, REASONS[reason])
            self.lists[issuer] = x509.load_pem_x509_crl(listed)
        self._write_lists()

    def publish(self, now: dt.datetime, days: int = LIST_DAYS) -> None:
        """Sign the lists anew, so that they last ``days`` from now."""
        for one in self.trusted:
            known = self.lists.get(one.subject, ())
            signed = revocation_list(self._authority(one), now, known, days)
            self.lists[one.subject] = x509.load_pem_x509_crl(signed)
        self._write_lists()

    # -------------------------------------------------------------------------- the next authority

    def begin(self, now: dt.datetime) -> None:
        """Make the next authority: both are trusted, the new one issues."""
        if self.rotating:
            raise PkiError("a rotation is under way; 'mpower pki list' shows what it waits for")
        old = self._authority(self.trusted[0])
        new = make_authority(self.cluster, now, generation=self.generation + 1)
        self.lists[new.certificate.subject] = x509.load_pem_x509_crl(revocation_list(new, now))
        self.trusted = [new.certificate, old.certificate]
        write_file(self.pki / "ca-old.key", key_pem(old.key), SECRET)
        self._write_lists()
        write_file(self.pki / "ca.key", key_pem(new.key), SECRET)
        self._write_trusted()

    def waiting(self, now: dt.datetime) -> list[Listed]:
        """What the old authority gave out and somebody may still use: it keeps a rotation open."""
        old = {_called(one.subject) for one in self.trusted[1:]}
        alive = {"valid", "superseded"}
        return [one for one in self.listed(now) if one.authority in old and one.state in alive]

    def finish(self, now: dt.datetime) -> None:
        """Trust the new authority alone; refused while anything of the old one is valid."""
        if not self.rotating:
            raise PkiError("no rotation is under way")
        left = self.waiting(now)
        if left:
            names = ", ".join(f"{one.kind} {one.name} ({one.serial[:8]})" for one in left[:5])
            more = f" and {len(left) - 5} more" if len(left) > 5 else ""
            raise PkiError(f"the old authority's certificates are still valid: {names}{more}")
        self.trusted = self.trusted[:1]
        self._write_trusted()
        self._write_lists()
        (self.pki / "ca-old.key").unlink(missing_ok=True)

    # -------------------------------------------------------------------------- inside

    def _read(self, name: str) -> bytes:
        try:
            return (self.pki / name).read_bytes()
        except OSError as wrong:
            raise PkiError(f"{self.pki / name} cannot be read ({wrong.strerror})") from wrong

    def _authority(self, certificate: x509.Certificate) -> Authority:
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        for key in self._keys:
            try:
                return authority_from(pem, key)
            except PkiError:
                continue
        raise PkiError(
            f"the key of the authority '{_called(certificate.subject)}' is not in {self.pki}; put"
            " ca.key there from where it is kept"
        )

    def _trusted_as(self, subject: x509.Name) -> x509.Certificate:
        for one in self.trusted:
            if one.subject == subject:
                return one
        raise PkiError(f"the authority '{_called(subject)}' is not trusted any more")

    def _pem(self, issuer: x509.Name) -> bytes:
        if issuer not in self.lists:
            raise PkiError(f"{self.pki / 'revoked.crl'} has no list of '{_called(issuer)}'")
        return self.lists[issuer].public_bytes(serialization.Encoding.PEM)

    def _write_lists(self) -> None:
        lists = [self._pem(one.subject) for one in self.trusted]
        write_file(self.pki / "revoked.crl", b"".join(lists))

    def _write_trusted(self) -> None:
        pems = [one.public_bytes(serialization.Encoding.PEM) for one in self.trusted]
        write_file(self.pki / "ca.crt", b"".join(pems))


def _proven(sent: bytes, presents: list[bytes]) -> ec.EllipticCurvePublicKey:
    """The key asked for, proven by one of the machine's certificates, the newest or not."""
    for present in presents[1:]:
        with suppress(PkiError):
            return proven(sent, present)
    return proven(sent, presents[0])


def _of_authority(certificate: x509.Certificate) -> tuple[str, int]:
    """The cluster and the generation an authority's subject names."""
    match = re.fullmatch(r"(\S+) authority(?: (\d+))?", _called(certificate.subject))
    if match is None:
        raise PkiError("ca.crt is not an authority that 'mpower init' made")
    return match[1], int(match[2] or 1)


def _called(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string()


def _reason(entry: x509.RevokedCertificate) -> str:
    try:
        flag = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        return "no reason said"
    return WORDS.get(flag, flag.value)


def _hosts(leaf: x509.Certificate) -> list[str]:
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = names.get_values_for_type(x509.IPAddress)
    return [*names.get_values_for_type(x509.DNSName), *(str(one) for one in addresses)]
