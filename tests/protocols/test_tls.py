"""Who is let in, decided by real handshakes: everyone else is refused inside them."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from OpenSSL import SSL
from twisted.logger import capturedLogs
from twisted.protocols.tls import TLSMemoryBIOProtocol

from protocols.shell.refused import PeerRefused
from protocols.shell.tls import (
    ALPN_PEER,
    ALPN_TERMINAL,
    NODES,
    Connections,
    Peers,
    TlsFiles,
    client_side,
    server_side,
    subject_of,
)
from protocols.subject import Kind, Subject, subject_from
from tests.protocols.pair import Pair
from tests.protocols.papers import DAY, Papers, now

TERMINALS: tuple[Kind, ...] = ("counter", "bank")


@pytest.fixture
def papers(tmp_path: Path) -> Papers:
    return Papers(tmp_path)


def server(papers: Papers) -> Connections:
    return server_side(papers.give("node", "a"), "test", TERMINALS, ALPN_TERMINAL)


def joined(papers: Papers, files: TlsFiles, cluster: str = "test") -> Pair:
    return Pair(server(papers), client_side(files, cluster))


def test_a_counter_and_a_node_know_each_other(papers: Papers) -> None:
    pair = joined(papers, papers.give("counter", "C001"))
    assert pair.server.notes.seen == [("up", "mpower:test/counter/C001")]
    assert pair.client.notes.seen == [("up", "mpower:test/node/a")]
    assert pair.client.tls.getHandle().get_protocol_version_name() == "TLSv1.3"


def test_a_handshake_fits_a_leased_line(papers: Papers) -> None:
    """64 kbit/s is 8 KB a second, shared by ten counters that all come back after a failover."""
    pair = joined(papers, papers.give("counter", "C001"))
    total = pair.client.wire.carried + pair.server.wire.carried
    print(f"one handshake: {total} bytes on the wire")
    assert total < 4_100


def refused(pair: Pair) -> bool:
    """The server never heard of it, and says so to the client within the handshake."""
    pair.client.stream.send(b"hello")
    pair.pump()
    return not pair.server.notes.of("up") and not pair.server.notes.frames


def test_a_machine_of_another_kind_may_not_speak_here(papers: Papers) -> None:
    assert refused(joined(papers, papers.give("witness", "w")))


def test_a_machine_of_another_cluster_may_not_speak_here(papers: Papers) -> None:
    assert refused(joined(papers, papers.give("counter", "C001", uris=("mpower:other/counter/C",))))


def test_a_certificate_that_names_two_machines_or_none_is_nobodys(papers: Papers) -> None:
    two = ("mpower:test/counter/C001", "mpower:test/counter/C002")
    assert refused(joined(papers, papers.give("counter", "C001", uris=two)))
    assert refused(joined(papers, papers.give("counter", "C001", uris=())))


def test_an_expired_certificate_is_refused(papers: Papers) -> None:
    assert refused(joined(papers, papers.give("counter", "C001", until=now() - DAY)))


@pytest.mark.parametrize("uses", [(ExtendedKeyUsageOID.SERVER_AUTH,), ()])
def test_a_certificate_for_another_use_or_none_is_refused(papers: Papers, uses: tuple) -> None:  # type: ignore[type-arg]
    assert refused(joined(papers, papers.give("counter", "C001", uses=uses)))


def test_the_use_is_judged_by_the_house_too_whatever_the_library_lets_pass(papers: Papers) -> None:
    files = papers.give("counter", "C001", uses=(ExtendedKeyUsageOID.SERVER_AUTH,))
    leaf = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    peers = Peers(files, "test", TERMINALS, ExtendedKeyUsageOID.CLIENT_AUTH)
    with pytest.raises(PeerRefused, match="for another use"):
        peers.judge_leaf(leaf, now())


def test_another_authoritys_certificate_is_refused_by_both(papers: Papers, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    stranger = Papers(elsewhere).give("counter", "C001")
    own = papers.give("counter", "C001")
    knows_us = TlsFiles(own.ca, stranger.certificate, stranger.key)
    assert refused(joined(papers, knows_us))
    knows_only_itself = joined(papers, stranger)
    assert not knows_only_itself.client.notes.of("up")
    assert refused(knows_only_itself)


def test_a_client_is_refused_without_a_certificate(papers: Papers) -> None:
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_alpn_protos([ALPN_TERMINAL])
    assert refused(Pair(server(papers), Connections(context)))


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("expired", "its chain does not hold: it is expired"),
        ("early", "its chain does not hold: it is not yet valid"),
        ("foreign", "its chain does not hold: an unknown authority signed it"),
        ("self-signed", "its chain does not hold: it signed itself"),
        ("server", "its chain does not hold: it is for another use"),
        ("useless", "mpower:test/counter/C001 has a certificate for no use"),
        ("kind", "mpower:test/witness/w may not speak here"),
        ("cluster", "mpower:other/counter/C is of another cluster"),
        ("two", "the certificate does not name exactly one machine of an mPower cluster"),
        ("revoked", "the certificate {serial} is revoked"),
    ],
)
def test_each_refusal_is_one_line_that_says_why(
    papers: Papers, tmp_path: Path, bad: str, said: str
) -> None:
    (tmp_path / "elsewhere").mkdir()
    foreign = Papers(tmp_path / "elsewhere")
    name = ("counter", "C001")
    two = ("mpower:test/counter/C001", "mpower:test/counter/C002")
    given = {
        "expired": lambda: papers.give(*name, until=now() - DAY),
        "early": lambda: papers.give(*name, since=now() + DAY / 4),
        "foreign": lambda: foreign.give(*name),
        "self-signed": lambda: papers.signed_by_itself(*name),
        "server": lambda: papers.give(*name, uses=(ExtendedKeyUsageOID.SERVER_AUTH,)),
        "useless": lambda: papers.give(*name, uses=()),
        "kind": lambda: papers.give("witness", "w"),
        "cluster": lambda: papers.give(*name, uris=("mpower:other/counter/C",)),
        "two": lambda: papers.give(*name, uris=two),
        "revoked": lambda: papers.give(*name),
    }[bad]()
    if bad == "revoked":
        papers.revoke(given)
    leaf = x509.load_pem_x509_certificate(given.certificate.read_bytes())
    shown = TlsFiles(papers.ca, given.certificate, given.key)
    with capturedLogs() as events:
        assert refused(joined(papers, shown))
    lines = [one["why"] for one in events if "why" in one]
    assert lines[0] == said.format(serial=f"{leaf.serial_number:x}")


def test_a_flood_of_refused_certificates_writes_a_line_a_second(papers: Papers) -> None:
    """Of nodes' and the witness's doors too: a revoked machine that calls without end."""
    stolen = papers.give("node", "b")
    papers.revoke(stolen)
    server = server_side(papers.give("node", "a"), "test", NODES, ALPN_PEER)
    client = client_side(stolen, "test", alpn=ALPN_PEER)
    began = time.monotonic()
    with capturedLogs() as events:
        for _ in range(50):
            assert refused(Pair(server, client))
    lines = [one for one in events if "is revoked" in str(one.get("why"))]
    assert 1 <= len(lines) <= time.monotonic() - began + 1
    assert lines[0]["count"] == 1


def test_a_counter_calls_only_nodes(papers: Papers) -> None:
    impostor = server_side(papers.give("bank", "SBI"), "test", TERMINALS, ALPN_TERMINAL)
    pair = Pair(impostor, client_side(papers.give("counter", "C001"), "test"))
    assert not pair.client.notes.of("up")


def test_another_alpn_word_is_not_spoken_here(papers: Papers) -> None:
    calling = client_side(papers.give("counter", "C001"), "test", alpn=ALPN_PEER)
    pair = Pair(server(papers), calling)
    assert refused(pair)
    assert pair.server.notes.of("down") == ["the peer does not speak mpower/1"]


def test_tls_1_2_is_spoken_with_forward_secrecy_and_1_1_is_not(papers: Papers) -> None:
    old = client_side(papers.give("counter", "C001"), "test")
    old.context.set_max_proto_version(SSL.TLS1_2_VERSION)
    handle = Pair(server(papers), old).client.tls.getHandle()
    assert handle.get_protocol_version_name() == "TLSv1.2"
    assert str(handle.get_cipher_name()).startswith("ECDHE-ECDSA-")
    older = client_side(papers.give("counter", "C001"), "test")
    older.context.set_min_proto_version(SSL.TLS1_VERSION)
    older.context.set_max_proto_version(SSL.TLS1_1_VERSION)
    assert refused(Pair(server(papers), older))


class Resuming(Connections):
    """A client that tries to take up an earlier TLS session."""

    def __init__(self, context: SSL.Context, session: SSL.Session) -> None:
        super().__init__(context)
        self._session = session

    def clientConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        connection = super().clientConnectionForTLS(protocol)
        connection.set_session(self._session)
        return connection


@pytest.mark.parametrize("version", [SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION])
def test_no_handshake_is_ever_abbreviated(papers: Papers, version: int) -> None:
    files, accepting = papers.give("counter", "C001"), server(papers)
    first = client_side(files, "test")
    first.context.set_max_proto_version(version)
    session = Pair(accepting, first).client.tls.getHandle().get_session()
    assert session is not None
    again = Pair(accepting, Resuming(first.context, session))
    assert again.server.notes.of("up")
    papers.revoke(files)
    assert refused(Pair(accepting, Resuming(first.context, session)))


def test_a_certificate_without_any_name_is_nobodys(papers: Papers) -> None:
    certificate = x509.load_pem_x509_certificate(papers.ca.read_bytes())
    with pytest.raises(PeerRefused, match="names no machine"):
        subject_of(certificate)


def test_what_breaks_the_judgement_refuses(papers: Papers) -> None:
    """Nothing fails open, not even when the clock raises."""

    def broken() -> dt.datetime:
        raise KeyError("no clock")

    accepting = server_side(papers.give("node", "a"), "test", TERMINALS, ALPN_TERMINAL, broken)
    assert refused(Pair(accepting, client_side(papers.give("counter", "C001"), "test")))


@pytest.mark.parametrize(
    "uris",
    [
        [],
        ["https://example.test/"],
        ["mpower:test/clerk/C001"],
        ["mpower:test/counter/"],
        ["mpower:test/counter/C001/x"],
        ["mpower:test/counter/C001\n"],
        ["mpower:test/counter/C001", "mpower:test/counter/C001"],
    ],
)
def test_what_is_not_exactly_of_the_form_is_nobody(uris: list[str]) -> None:
    assert subject_from(uris) is None


def test_a_subject_is_written_as_it_is_read() -> None:
    subject = Subject("test", "counter", "C001")
    assert subject_from([str(subject), "https://example.test/"]) == subject
