"""The board's own certificate authority: who a machine is, as a URI in its certificate, and who no
longer is.

An identity is ``mpower:<cluster>/<kind>/<name>``, compared exactly; kind is node, witness, counter,
bank or ops. Nodes and the witness may serve and call (serverAuth + clientAuth, with their hosts);
the others only call. ECDSA P-256, random serials. All pure: time comes as an argument, files are
written elsewhere. This file must not know settings nor sockets.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from collections.abc import Iterable
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from msgspec import Struct

SERVERS: Final = frozenset({"node", "witness"})
KINDS: Final = SERVERS | {"counter", "bank", "ops"}
NAME: Final = re.compile(r"^[A-Za-z][A-Za-z0-9_-]{0,30}\Z")
CODE: Final = re.compile(r"^[A-Z][A-Z0-9]{1,11}\Z")
"""A counter's or bank's code begins its receipt numbers, so it is as the receipts have it."""
HOST: Final = re.compile(r"^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?\Z")
LIST_DAYS: Final = 366
"""As long as a certificate lasts: a board renews both in the same week. A shorter list would not
bind who can keep a fresh one from a machine: he can change the machine's settings as well.
"""
SKEW: Final = dt.timedelta(hours=1)
"""A certificate begins this much in the past: the counters' clocks are not the authority's."""


class PkiError(ValueError):
    """A certificate that cannot be made or read; str() says why."""


class Identity(Struct, frozen=True):
    """Whose certificate it is."""

    cluster: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f"mpower:{self.cluster}/{self.kind}/{self.name}"


class Authority(Struct, frozen=True):
    """The authority: its certificate and its private key, which stays in the settings folder."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


class Issued(Struct, frozen=True):
    """A certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes


def make_authority(
    cluster: str, now: dt.datetime, days: int = 3653, generation: int = 1
) -> Authority:
    """Make a new authority for a cluster, valid for ten years; a later generation has another
    subject, so that chains and lists of the two are never taken for each other's.
    """
    _named(cluster)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _subject(f"{cluster} authority" + (f" {generation}" if generation > 1 else ""))
    builder = (
        _begun(subject, subject, key.public_key(), now, days)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
    )
    return Authority(builder.sign(key, hashes.SHA256()), key)


def issue(
    authority: Authority,
    identity: Identity,
    now: dt.datetime,
    hosts: Iterable[str] = (),
    days: int = 366,
) -> Issued:
    """Issue a certificate for an identity, with a new key; ``hosts`` (names, addresses) are what a
    server is reached by.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    return Issued(certify(authority, identity, key.public_key(), now, hosts, days), key_pem(key))


def certify(
    authority: Authority,
    identity: Identity,
    key: ec.EllipticCurvePublicKey,
    now: dt.datetime,
    hosts: Iterable[str] = (),
    days: int = 366,
) -> bytes:
    """Give the certificate (PEM) by which this key is that identity; never beyond the authority's
    own end, where a chain would break without a warning.
    """
    places = [_host(one) for one in dict.fromkeys(hosts)]
    _check_identity(identity, hosts=len(places))
    uses = [ExtendedKeyUsageOID.CLIENT_AUTH]
    if identity.kind in SERVERS:
        uses.insert(0, ExtendedKeyUsageOID.SERVER_AUTH)
    issuer, last = authority.certificate.subject, authority.certificate.not_valid_after_utc
    if now + dt.timedelta(days=days) > last:
        days = (last - now).days
    if days < 1:
        raise PkiError("the authority itself ends; begin a rotation ('mpower pki rotate begin')")
    names = [x509.UniformResourceIdentifier(str(identity)), *places]
    builder = (
        _begun(_subject(f"{identity.kind} {identity.name}"), issuer, key, now, days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(uses), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()),
            critical=False,
        )
    )
    return builder.sign(authority.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _check_identity(identity: Identity, hosts: int) -> None:
    """Refuse who cannot have a certificate: an unknown kind, a bad name, a server without a host
    or a client with one.
    """
    if identity.kind not in KINDS:
        raise PkiError(f"'{identity.kind}' is not one of {', '.join(sorted(KINDS))}")
    _named(identity.cluster)
    _named(identity.name)
    if identity.kind in {"counter", "bank"} and not CODE.match(identity.name):
        raise PkiError(f"'{identity.name}' is not a {identity.kind}'s code (as C001 or SBI)")
    server = identity.kind in SERVERS
    if server and not hosts:
        raise PkiError(f"the certificate of {identity.kind} {identity.name} needs a host")
    if hosts and not server:
        raise PkiError(f"a {identity.kind} is not a server and has no host")


def revocation_list(
    authority: Authority,
    now: dt.datetime,
    revoked: Iterable[x509.RevokedCertificate] = (),
    days: int = LIST_DAYS,
) -> bytes:
    """Write the list of the revoked (PEM); it is stale, and refuses everybody, after ``days``."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.subject)
        .last_update(now - SKEW)
        .next_update(now + dt.timedelta(days=days))
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()),
            critical=False,
        )
        .add_extension(x509.CRLNumber(int(now.timestamp() * 1000)), critical=False)
    )
    once = {one.serial_number: one for one in reversed(list(revoked))}  # the first entry stays
    for _, one in sorted(once.items()):
        builder = builder.add_revoked_certificate(one)
    return builder.sign(authority.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def revoke(
    authority: Authority,
    so_far: bytes,
    certificate: bytes,
    now: dt.datetime,
    reason: x509.ReasonFlags = x509.ReasonFlags.unspecified,
    days: int = LIST_DAYS,
) -> bytes:
    """Give the list with one more certificate (PEM) on it; what was revoked stays revoked, with its
    own day and reason.
    """
    known = x509.load_pem_x509_crl(so_far)
    leaf = x509.load_pem_x509_certificate(certificate)
    if not known.is_signature_valid(authority.key.public_key()):
        raise PkiError("the list of revoked certificates was not signed by this authority")
    if leaf.issuer != authority.certificate.subject:
        raise PkiError("the certificate was not issued by this authority")
    one = (
        x509.RevokedCertificateBuilder().serial_number(leaf.serial_number).revocation_date(now)
    ).add_extension(x509.CRLReason(reason), critical=False)
    return revocation_list(authority, now, [*known, one.build()], days)


def lists_from(content: bytes) -> list[x509.CertificateRevocationList]:
    """The lists (PEM, one behind the other) in a file; PkiError if there is none."""
    mark = b"-----BEGIN X509 CRL-----"
    try:
        lists = [x509.load_pem_x509_crl(mark + part) for part in content.split(mark)[1:]]
    except ValueError as wrong:
        raise PkiError("it is no list of revoked certificates in PEM") from wrong
    if not lists:
        raise PkiError("it holds no list of revoked certificates")
    return lists


def identity_of(certificate: bytes) -> Identity:
    """Read whose certificate (PEM) it is; PkiError unless it names exactly one mPower identity."""
    leaf = x509.load_pem_x509_certificate(certificate)
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound as wrong:
        raise PkiError("the certificate names no identity") from wrong
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    match = re.fullmatch(r"mpower:([^/]+)/([^/]+)/([^/]+)", uris[0]) if len(uris) == 1 else None
    if match is None or match[2] not in KINDS:
        raise PkiError(f"the certificate names no single mPower identity but {uris}")
    return Identity(*match.groups())


def signing_key() -> tuple[bytes, bytes]:
    """Make the key that signs the audit's checkpoints, its private and its public half (PEM)."""
    key = ed25519.Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return key_pem(key), public


def key_pem(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    """Write a private key as unencrypted PKCS 8 PEM, for a file of mode 0400."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def authority_from(certificate: bytes, key: bytes) -> Authority:
    """Take up an authority again from its two PEM files; PkiError if they do not fit together."""
    private = serialization.load_pem_private_key(key, None)
    public = x509.load_pem_x509_certificate(certificate)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise PkiError("the authority's key is not an elliptic-curve key")
    if private.public_key() != public.public_key():
        raise PkiError("the authority's key does not belong to its certificate")
    return Authority(public, private)


def _begun(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now: dt.datetime,
    days: int,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _subject(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "mPower"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        if not HOST.match(host):
            raise PkiError(f"'{host}' is neither a host name nor an address") from None
        return x509.DNSName(host)


def _named(name: str) -> None:
    if not NAME.match(name):
        raise PkiError(f"'{name}' is not a name (a letter, then letters, digits, - or _)")
