"""What ``mpower init`` issues is what the wire's TLS lets in: proven by handshakes in memory."""

import datetime as dt
from pathlib import Path

import msgspec
import pytest
from OpenSSL import SSL

from config.files import write_file
from config.load import load_client, load_node, with_certificate
from config.pki import authority_from, revoke
from config.settings import TlsSettings
from protocols.shell.tls import ALPN_TERMINAL, TlsFiles, client_side, server_side


def files(tls: TlsSettings) -> TlsFiles:
    return msgspec.convert(tls, TlsFiles, from_attributes=True)


def shake(node: TlsSettings, caller: TlsSettings) -> bool:
    """True if both sides finish the handshake and the caller's bytes arrive."""
    kinds = ("counter", "bank", "ops")
    server = server_side(files(node), "demo", kinds, ALPN_TERMINAL).serverConnectionForTLS(None)  # type: ignore[arg-type]
    client = client_side(files(caller), "demo").clientConnectionForTLS(None)  # type: ignore[arg-type]
    server.set_accept_state()
    client.set_connect_state()
    for _ in range(8):
        for here, there in ((client, server), (server, client)):
            try:
                here.do_handshake()
            except SSL.WantReadError:
                pass
            except SSL.Error:
                return False
            try:
                there.bio_write(here.bio_read(1 << 16))
            except SSL.WantReadError:
                continue
    client.send(b"hello")
    server.bio_write(client.bio_read(1 << 16))
    return server.recv(16) == b"hello"


@pytest.mark.parametrize(("kind", "name"), [("counter", "C002"), ("bank", "SBI"), ("ops", "ops1")])
def test_every_issued_client_may_call_a_node(home: Path, kind: str, name: str) -> None:
    node = load_node(home / "node-a.yaml").tls
    assert shake(node, with_certificate(load_client(home, {}).tls, kind, name))


def test_a_node_and_a_witness_are_no_terminals(home: Path) -> None:
    node = load_node(home / "node-a.yaml").tls
    tls = load_client(home, {}).tls
    assert not shake(node, with_certificate(tls, "node", "b"))
    assert not shake(node, with_certificate(tls, "witness"))


def test_a_counter_is_no_server(home: Path) -> None:
    tls = load_client(home, {}).tls
    assert not shake(with_certificate(tls, "counter", "C001"), tls)


def test_a_revoked_counter_is_out_and_its_neighbour_is_not(home: Path, tmp_path: Path) -> None:
    node = load_node(home / "node-a.yaml").tls
    tls = load_client(home, {}).tls
    lost, kept = (with_certificate(tls, "counter", name) for name in ("C001", "C002"))
    authority = authority_from(tls.ca.read_bytes(), tls.ca.with_suffix(".key").read_bytes())
    assert node.revoked is not None
    now = dt.datetime.now(dt.UTC)
    listed = revoke(authority, node.revoked.read_bytes(), lost.certificate.read_bytes(), now)
    write_file(tmp_path / "revoked.crl", listed)
    node = msgspec.structs.replace(node, revoked=tmp_path / "revoked.crl")
    assert not shake(node, lost)
    assert shake(node, kept)
