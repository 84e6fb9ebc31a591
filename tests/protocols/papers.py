"""Certificates for tests, made with ``cryptography`` alone: good ones, and each kind of bad one."""

from __future__ import annotations

import datetime as dt
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from protocols.shell.tls import TlsFiles

DAY = dt.timedelta(days=1)
BOTH = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Papers:
    """An authority in a folder, and the papers it gives out."""

    def __init__(self, folder: Path, cluster: str = "test") -> None:
        self.folder = folder
        self.cluster = cluster
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name(
            [x509.NameAttribute(NameOID.COMMON_NAME, f"authority {x509.random_serial_number():x}")]
        )
        self.ca = folder / "ca.pem"
        certificate = (
            self._begun(self._name, self._key.public_key(), now() - DAY, now() + 30 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.ca.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        self.list_path = folder / "revoked.pem"
        self.revoke()

    def give(
        self,
        kind: str,
        name: str,
        *,
        uris: tuple[str, ...] | None = None,
        uses: tuple[x509.ObjectIdentifier, ...] = BOTH,
        since: dt.datetime | None = None,
        until: dt.datetime | None = None,
    ) -> TlsFiles:
        key = ec.generate_private_key(ec.SECP256R1())
        made = self.sign(
            key.public_key(), kind, name, uris=uris, uses=uses, since=since, until=until
        )
        return self._filed(f"{kind}-{name}-{made.serial_number:x}", made, key)

    def sign(
        self,
        key: ec.EllipticCurvePublicKey,
        kind: str,
        name: str,
        *,
        uris: tuple[str, ...] | None = None,
        uses: tuple[x509.ObjectIdentifier, ...] = BOTH,
        since: dt.datetime | None = None,
        until: dt.datetime | None = None,
    ) -> x509.Certificate:
        """The certificate alone: its key may be anywhere."""
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names: list[x509.GeneralName] = [
            x509.UniformResourceIdentifier(one)
            for one in (uris if uris is not None else (f"mpower:{self.cluster}/{kind}/{name}",))
        ]
        names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        builder = self._begun(
            subject, key, since or now() - 2 * DAY, until or now() + DAY
        ).add_extension(x509.SubjectAlternativeName(names), critical=False)
        if uses:
            builder = builder.add_extension(x509.ExtendedKeyUsage(list(uses)), critical=True)
        return builder.sign(self._key, hashes.SHA256())

    def signed_by_itself(self, kind: str, name: str) -> TlsFiles:
        """The right name and use, and nobody's signature but its own."""
        key = ec.generate_private_key(ec.SECP256R1())
        me = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        uri = x509.UniformResourceIdentifier(f"mpower:{self.cluster}/{kind}/{name}")
        made = (
            self._begun(me, key.public_key(), now() - DAY, now() + DAY, issuer=me)
            .add_extension(x509.SubjectAlternativeName([uri]), critical=False)
            .add_extension(x509.ExtendedKeyUsage(list(BOTH)), critical=True)
            .sign(key, hashes.SHA256())
        )
        return self._filed(f"{kind}-{name}-alone", made, key)

    def _filed(
        self, stem: str, made: x509.Certificate, key: ec.EllipticCurvePrivateKey
    ) -> TlsFiles:
        place = self.folder / stem
        place.with_suffix(".pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
        place.with_suffix(".key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return TlsFiles(
            self.ca, place.with_suffix(".pem"), place.with_suffix(".key"), self.list_path
        )

    def revoke(self, *files: TlsFiles, next_update: dt.datetime | None = None) -> None:
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._name)
            .last_update(now() - 2 * DAY)
            .next_update(next_update or now() + DAY)
        )
        for one in files:
            serial = x509.load_pem_x509_certificate(one.certificate.read_bytes()).serial_number
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(serial)
                .revocation_date(now() - DAY)
                .build()
            )
        signed = builder.sign(self._key, hashes.SHA256())
        fresh = self.list_path.with_suffix(".new")
        fresh.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        fresh.rename(self.list_path)

    def _begun(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        since: dt.datetime,
        until: dt.datetime,
        issuer: x509.Name | None = None,
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer or self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(since)
            .not_valid_after(until)
        )
