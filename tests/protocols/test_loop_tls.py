"""The loop's own TLS lets in exactly whom Twisted's does, on the stock loop and on uvloop."""

import asyncio
import contextlib
import datetime as dt
import socket
import ssl
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

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

KINDS: Final = ("counter", "bank", "ops")
LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]


def heard(
    loop_of: Callable[[], asyncio.AbstractEventLoop],
    server: TlsFiles,
    client: TlsFiles,
    alpn: str = "mpower/1",
    newest: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED,
) -> Notes:
    """What the server's owner was told while one client shook hands, said a frame and left."""
    acceptor = Acceptor(server, "test", KINDS, ALPN_TERMINAL)
    return scene(loop_of, acceptor, lambda line: call(line, client, alpn, newest))


def scene(
    loop_of: Callable[[], asyncio.AbstractEventLoop],
    acceptor: Acceptor,
    caller: Callable[[socket.socket], Any],
) -> Notes:
    """What the server's owner was told of one caller, who has a thread and an end of a line."""
    notes = Notes()

    async def meet() -> None:
        one, other = socket.socketpair()
        one.setblocking(False)
        clock = BootClock(asyncio.get_running_loop())
        calling = asyncio.ensure_future(asyncio.to_thread(caller, other))
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
            loop.run_until_complete(asyncio.wait_for(meet(), 10))
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


def knock(line: socket.socket, context: ssl.SSLContext, session: ssl.SSLSession | None) -> Any:
    """A handshake that takes up ``session``; gives what the next one could take up."""
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["mpower/1"])
    line.settimeout(8)
    with line:
        try:
            with context.wrap_socket(line, session=session) as shaken:
                shaken.sendall(frame(b"hello", 100))
                shaken.settimeout(0.2)
                with contextlib.suppress(TimeoutError):
                    shaken.recv(1)  # tickets of TLS 1.3 come after the handshake
                return shaken.session, shaken.session_reused
        except (OSError, ValueError):
            return None, False


@pytest.mark.parametrize("loop_of", LOOPS)
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2])
def test_an_earlier_session_is_never_taken_up_so_the_list_is_asked_every_time(
    papers: Papers, loop_of: Callable[[], asyncio.AbstractEventLoop], version: ssl.TLSVersion
) -> None:
    files, server = papers.give("counter", "C001"), papers.give("node", "a")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = context.maximum_version = version
    context.load_cert_chain(files.certificate, files.key)
    kept: list[Any] = [(None, False)]
    acceptor = Acceptor(server, "test", KINDS, ALPN_TERMINAL)

    def again(line: socket.socket) -> None:
        kept.append(knock(line, context, kept[-1][0]))

    for _ in range(2):
        notes = scene(loop_of, acceptor, again)
        assert notes.of("up") == ["mpower:test/counter/C001"]
    assert kept[1][0] is not None, "there was nothing to take up"
    assert not kept[2][1]
    papers.revoke(files)
    notes = scene(loop_of, acceptor, again)
    assert notes.of("refused") == [(Why.REVOKED, "counter/C001")]


@pytest.mark.parametrize("loop_of", LOOPS)
@pytest.mark.parametrize("offer", ["TLS 1.1", "CBC", "no forward secrecy", "another curve"])
def test_old_and_weak_tls_is_refused(
    papers: Papers, loop_of: Callable[[], asyncio.AbstractEventLoop], offer: str
) -> None:
    files = papers.give("counter", "C001")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_cert_chain(files.certificate, files.key)
    if offer == "another curve":
        context.set_ecdh_curve("secp384r1")
    else:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers({"CBC": "ECDHE-ECDSA-AES128-SHA"}.get(offer, "ALL:@SECLEVEL=0"))
    if offer == "no forward secrecy":
        context.set_ciphers("AES128-GCM-SHA256")
    if offer == "TLS 1.1":
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
    acceptor = Acceptor(papers.give("node", "a"), "test", KINDS, ALPN_TERMINAL)
    notes = scene(loop_of, acceptor, lambda line: knock(line, context, None))
    assert notes.of("refused") == [(Why.WEAK, "")]


@pytest.mark.parametrize("loop_of", LOOPS)
def test_what_breaks_the_judgement_refuses(
    papers: Papers, loop_of: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    """Nothing fails open, not even when the clock raises."""

    def broken() -> dt.datetime:
        raise KeyError("no clock")

    server, client = papers.give("node", "a"), papers.give("counter", "C001")
    acceptor = Acceptor(server, "test", KINDS, ALPN_TERMINAL, broken)
    newest = ssl.TLSVersion.MAXIMUM_SUPPORTED
    notes = scene(loop_of, acceptor, lambda line: call(line, client, "mpower/1", newest))
    assert notes.of("refused") == [(Why.OTHER, "")]
    assert notes.of("up") == []
