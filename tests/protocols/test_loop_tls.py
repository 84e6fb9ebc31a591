"""The loop's own TLS lets in exactly whom Twisted's does, on the stock loop and on uvloop."""

import asyncio
import datetime as dt
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import uvloop
from cryptography.x509.oid import ExtendedKeyUsageOID

from protocols.frames import frame
from protocols.shell.clock import BootClock
from protocols.shell.loop_tls import Acceptor
from protocols.shell.refused import PeerRefused, Why
from protocols.shell.stream import Limits, Stream
from protocols.shell.tls import ALPN_TERMINAL, TlsFiles
from tests.protocols.pair import Notes
from tests.protocols.papers import DAY, Papers, now

LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]


def heard(
    loop_of: Callable[[], asyncio.AbstractEventLoop],
    server: TlsFiles,
    client: TlsFiles,
    alpn: str = "mpower/1",
    newest: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED,
) -> Notes:
    """What the server's owner was told while one client shook hands, said a frame and left."""
    notes = Notes()

    async def scene() -> None:
        acceptor = Acceptor(server, "test", ("counter", "bank", "ops"), ALPN_TERMINAL)
        one, other = socket.socketpair()
        one.setblocking(False)
        clock = BootClock(asyncio.get_running_loop())
        caller = asyncio.to_thread(call, other, client, alpn, newest)
        calling = asyncio.ensure_future(caller)
        try:
            await acceptor.accept(one, lambda: Stream(notes, clock, ALPN_TERMINAL, Limits()))
        except PeerRefused as refused:
            notes.seen.append(("refused", (refused.why, refused.subject)))
        except OSError as wrong:
            notes.seen.append(("broken off", str(wrong)))
        await calling
        while not any(notes.of(end) for end in ("down", "refused", "broken off")):
            await asyncio.sleep(0.005)

    def run() -> None:
        loop = loop_of()
        try:
            loop.run_until_complete(asyncio.wait_for(scene(), 10))
        finally:
            loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(15)
    assert not thread.is_alive()
    assert notes.seen, "the scene ended early"
    return notes


def call(line: socket.socket, files: TlsFiles, alpn: str, newest: ssl.TLSVersion) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = newest
    context.load_cert_chain(files.certificate, files.key)
    context.set_alpn_protocols([alpn])
    line.settimeout(8)
    with line:
        try:
            with context.wrap_socket(line) as shaken:
                shaken.sendall(frame(b"hello", 100))
                shaken.unwrap()
        except OSError:
            return


@pytest.fixture
def papers(tmp_path: Path) -> Papers:
    return Papers(tmp_path)


@pytest.mark.parametrize("loop_of", LOOPS)
@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2])
def test_a_counter_is_let_in_and_heard(
    papers: Papers, loop_of: Callable[[], asyncio.AbstractEventLoop], newest: ssl.TLSVersion
) -> None:
    client = papers.give("counter", "C001")
    notes = heard(loop_of, papers.give("node", "a"), client, newest=newest)
    assert notes.of("up") == ["mpower:test/counter/C001"]
    assert notes.frames == [b"hello"]
    assert len(notes.of("down")) == 1


REFUSED = {
    "foreign": (Why.AUTHORITY, ""),
    "alone": (Why.AUTHORITY, ""),
    "expired": (Why.OUT_OF_DATE, ""),
    "early": (Why.OUT_OF_DATE, ""),
    "other cluster": (Why.MISFIT, "counter/C1"),
    "other kind": (Why.MISFIT, "node/b"),
    "other use": (Why.MISFIT, ""),
    "no name": (Why.MISFIT, ""),
    "revoked": (Why.REVOKED, "counter/C001"),
}
"""Each bad certificate: the reason, and whose it is where our authority vouches for that."""


@pytest.mark.parametrize("loop_of", LOOPS)
@pytest.mark.parametrize("bad", REFUSED)
def test_everybody_else_is_refused_before_there_is_a_stream(
    papers: Papers,
    tmp_path: Path,
    loop_of: Callable[[], asyncio.AbstractEventLoop],
    bad: str,
) -> None:
    server = papers.give("node", "a")
    (tmp_path / "foreign").mkdir()
    foreign = Papers(tmp_path / "foreign")
    given = {
        "foreign": lambda: foreign.give("counter", "C001"),
        "alone": lambda: papers.signed_by_itself("counter", "C001"),
        "expired": lambda: papers.give("counter", "C001", until=now() - dt.timedelta(hours=1)),
        "early": lambda: papers.give("counter", "C001", since=now() + dt.timedelta(hours=1)),
        "other cluster": lambda: papers.give("counter", "C1", uris=("mpower:goa/counter/C1",)),
        "other kind": lambda: papers.give("node", "b"),
        "other use": lambda: papers.give(
            "counter", "C001", uses=(ExtendedKeyUsageOID.SERVER_AUTH,)
        ),
        "no name": lambda: papers.give("counter", "C001", uris=()),
        "revoked": lambda: papers.give("counter", "C001"),
    }[bad]()
    if bad == "revoked":
        papers.revoke(given)
    notes = heard(loop_of, server, given)
    assert notes.of("refused") == [REFUSED[bad]]
    assert notes.of("up") == []
    assert notes.frames == []


@pytest.mark.parametrize("loop_of", LOOPS)
def test_a_stale_list_lets_nobody_in(
    papers: Papers, loop_of: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    server, client = papers.give("node", "a"), papers.give("counter", "C001")
    papers.revoke(next_update=now() - DAY / 2)
    notes = heard(loop_of, server, client)
    assert notes.of("refused") == [(Why.LIST, "counter/C001")]
    assert notes.of("up") == []


@pytest.mark.parametrize("loop_of", LOOPS)
def test_another_word_than_ours_is_refused(
    papers: Papers, loop_of: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    client = papers.give("counter", "C001")
    notes = heard(loop_of, papers.give("node", "a"), client, alpn="h2")
    assert notes.of("refused") == [(Why.MISFIT, "")]
    assert notes.of("up") == []
