"""Certificates are what OpenSSL, as a judge of its own, takes them for: right use, right owner,
revoked or not.
"""

import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID
from OpenSSL import crypto

from config.pki import (
    Authority,
    Identity,
    PkiError,
    authority_from,
    identity_of,
    issue,
    key_pem,
    make_authority,
    revocation_list,
    revoke,
)

NOW = dt.datetime(2026, 4, 1, 12, tzinfo=dt.UTC)
AUTHORITY = make_authority("board", NOW)
NODE = issue(AUTHORITY, Identity("board", "node", "a"), NOW, ["10.0.0.1", "a.board", "::1"])
COUNTER = issue(AUTHORITY, Identity("board", "counter", "C001"), NOW)


def accepted(certificate: bytes, crl: bytes | None = None, at: dt.datetime = NOW) -> str:
    store = crypto.X509Store()
    store.add_cert(crypto.X509.from_cryptography(AUTHORITY.certificate))
    store.set_time(at.replace(tzinfo=None) + dt.timedelta(minutes=1))
    if crl is not None:
        store.add_crl(x509.load_pem_x509_crl(crl))
        store.set_flags(crypto.X509StoreFlags.CRL_CHECK)
    leaf = crypto.load_certificate(crypto.FILETYPE_PEM, certificate)
    try:
        crypto.X509StoreContext(store, leaf).verify_certificate()
    except crypto.X509StoreContextError as wrong:
        return str(wrong)
    return "yes"


def uses(certificate: bytes) -> list[x509.ObjectIdentifier]:
    leaf = x509.load_pem_x509_certificate(certificate)
    return list(leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)


def test_servers_may_serve_and_call_others_only_call() -> None:
    client, server = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH
    assert uses(NODE.certificate) == [server, client]
    for kind, name in [("counter", "C001"), ("bank", "SBI"), ("ops", "o")]:
        assert uses(issue(AUTHORITY, Identity("board", kind, name), NOW).certificate) == [client]


def test_a_certificate_is_accepted_until_it_expires() -> None:
    assert accepted(NODE.certificate) == "yes"
    assert accepted(COUNTER.certificate) == "yes"
    assert "expired" in accepted(COUNTER.certificate, at=NOW + dt.timedelta(days=367))


def test_the_authority_issues_leaves_only_and_signs_nothing_else() -> None:
    extensions = AUTHORITY.certificate.extensions
    basic = extensions.get_extension_for_class(x509.BasicConstraints)
    assert basic.critical
    assert basic.value == x509.BasicConstraints(ca=True, path_length=0)
    usage = extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.key_cert_sign
    assert not usage.value.digital_signature


def test_another_authority_with_the_same_name_is_not_believed() -> None:
    fake = make_authority("board", NOW)
    forged = issue(fake, Identity("board", "node", "a"), NOW, ["10.0.0.1"])
    assert accepted(forged.certificate) != "yes"


def test_a_leaf_cannot_issue() -> None:
    key = serialization.load_pem_private_key(COUNTER.key, None)
    leaf = x509.load_pem_x509_certificate(COUNTER.certificate)
    minted = issue(Authority(leaf, key), Identity("board", "node", "a"), NOW, ["h"])  # type: ignore[arg-type]
    assert accepted(minted.certificate) != "yes"
    basic = leaf.extensions.get_extension_for_class(x509.BasicConstraints)
    assert basic.critical
    assert not basic.value.ca


def test_revoked_is_refused_and_what_was_revoked_stays_so() -> None:
    none = revocation_list(AUTHORITY, NOW)
    assert accepted(COUNTER.certificate, none) == "yes"
    one = revoke(AUTHORITY, none, COUNTER.certificate, NOW)
    assert "revoked" in accepted(COUNTER.certificate, one)
    assert accepted(NODE.certificate, one) == "yes"
    both = revoke(AUTHORITY, one, NODE.certificate, NOW)
    assert "revoked" in accepted(COUNTER.certificate, both)
    assert "revoked" in accepted(NODE.certificate, both)
    again = revoke(AUTHORITY, both, NODE.certificate, NOW)
    assert len(list(x509.load_pem_x509_crl(again))) == 2


def test_a_stale_list_is_refused() -> None:
    short = revocation_list(AUTHORITY, NOW, days=1)
    assert "CRL has expired" in accepted(NODE.certificate, short, NOW + dt.timedelta(days=2))


def test_serials_and_keys_differ() -> None:
    again = issue(AUTHORITY, Identity("board", "counter", "C001"), NOW)
    serials = {
        x509.load_pem_x509_certificate(c.certificate).serial_number for c in (COUNTER, again)
    }
    assert len(serials) == 2
    assert again.key != COUNTER.key


def test_an_authority_is_taken_up_again_from_its_files() -> None:
    pem = AUTHORITY.certificate.public_bytes(serialization.Encoding.PEM)
    again = authority_from(pem, key_pem(AUTHORITY.key))
    assert accepted(issue(again, Identity("board", "ops", "o"), NOW).certificate) == "yes"
    with pytest.raises(PkiError, match="the authority's key does not belong to its certificate"):
        authority_from(pem, COUNTER.key)


def test_an_identity_is_read_exactly() -> None:
    assert identity_of(NODE.certificate) == Identity("board", "node", "a")
    pem = AUTHORITY.certificate.public_bytes(serialization.Encoding.PEM)
    with pytest.raises(PkiError, match="the certificate names no identity"):
        identity_of(pem)


@pytest.mark.parametrize(
    ("kind", "name", "hosts", "sentence"),
    [
        ("king", "a", [], "'king' is not one of bank, counter, node, ops, witness"),
        ("node", "a", [], "the certificate of node a needs a host"),
        ("node", "a", ["a b"], "'a b' is neither a host name nor an address"),
        ("node", "a/b", ["h"], "'a/b' is not a name (a letter, then letters, digits, - or _)"),
        ("node", "a\n", ["h"], "'a\n' is not a name (a letter, then letters, digits, - or _)"),
        ("counter", "C001", ["h"], "a counter is not a server and has no host"),
        ("counter", "c001", [], "'c001' is not a counter's code (as C001 or SBI)"),
    ],
)
def test_a_bad_identity_gets_no_certificate(
    kind: str, name: str, hosts: list[str], sentence: str
) -> None:
    with pytest.raises(PkiError) as refused:
        issue(AUTHORITY, Identity("board", kind, name), NOW, hosts)
    assert str(refused.value) == sentence


def test_a_foreign_list_or_certificate_is_not_revoked() -> None:
    fake = make_authority("other", NOW)
    with pytest.raises(PkiError, match="was not signed by this authority"):
        revoke(AUTHORITY, revocation_list(fake, NOW), COUNTER.certificate, NOW)
    foreign = issue(fake, Identity("other", "ops", "o"), NOW).certificate
    with pytest.raises(PkiError, match="was not issued by this authority"):
        revoke(AUTHORITY, revocation_list(AUTHORITY, NOW), foreign, NOW)
