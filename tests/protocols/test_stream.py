"""One connection's limits, over real TLS under a virtual clock."""

from __future__ import annotations

from pathlib import Path

import pytest
from OpenSSL import SSL
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from protocols.frames import frame
from protocols.messages import HELLO_DEADLINE_S
from protocols.shell.stream import (
    CLOSE_DEADLINE_S,
    FRAME_DEADLINE_S,
    Limits,
    Stream,
    _in_words,
)
from protocols.shell.tls import ALPN_TERMINAL, client_side, server_side
from protocols.subject import Kind
from tests.protocols.pair import Notes, Pair, Side
from tests.protocols.papers import Papers

COUNTERS: tuple[Kind, ...] = ("counter",)
SMALL = Limits(frame_bytes=1000, unread_bytes=4000)


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    papers = Papers(tmp_path)
    return Pair(
        server_side(papers.give("node", "a"), "test", COUNTERS, ALPN_TERMINAL),
        client_side(papers.give("counter", "C001"), "test"),
        SMALL,
        Limits(hello_s=0.0, frame_bytes=10_000),
    )


def gone(pair: Pair) -> bool:
    """The server has cut the line."""
    return pair.server.wire.gone


def raw(pair: Pair, data: bytes) -> None:
    """The client writes bytes as they are, without framing."""
    pair.client.tls.write(data)
    pair.pump()


def test_frames_go_both_ways_in_order(pair: Pair) -> None:
    for word in (b"one", b"two", b"three"):
        pair.client.stream.send(word)
    pair.server.stream.send(b"answer")
    pair.pump()
    assert pair.server.notes.frames == [b"one", b"two", b"three"]
    assert pair.client.notes.frames == [b"answer"]


def test_who_says_nothing_is_late_from_accept_on(pair: Pair) -> None:
    pair.clock.advance(HELLO_DEADLINE_S - 0.1)
    assert not pair.server.notes.of("late")
    pair.clock.advance(0.2)
    assert pair.server.notes.of("late") == ["hello"]
    pair.server.stream.close()
    pair.pump()
    assert pair.server.notes.of("down") == ["no hello in time"]


def test_the_deadline_ends_when_the_first_word_is_accepted(pair: Pair) -> None:
    pair.server.stream.greeted()
    pair.clock.advance(HELLO_DEADLINE_S * 3)
    assert not pair.server.notes.of("late")


def test_a_handshake_that_never_ends_is_late_too(tmp_path: Path) -> None:
    papers = Papers(tmp_path)
    accepting = server_side(papers.give("node", "a"), "test", COUNTERS, ALPN_TERMINAL)
    calling = client_side(papers.give("counter", "C001"), "test")
    pair = Pair.__new__(Pair)
    clock = Clock()
    pair.server = Side(accepting, clock, SMALL, client=False)
    pair.client = Side(calling, clock, SMALL, client=True)
    clock.advance(HELLO_DEADLINE_S + 0.1)
    assert pair.server.notes.seen == [("late", "hello")]


def test_a_slow_frame_is_late_however_it_drips(pair: Pair) -> None:
    pair.server.stream.greeted()
    whole = frame(b"x" * 500, 1000)
    for place in range(int(FRAME_DEADLINE_S)):
        raw(pair, whole[place : place + 1])
        assert not pair.server.notes.of("late")
        pair.clock.advance(1.0)
    assert pair.server.notes.of("late") == ["frame"]


def test_each_frame_has_its_own_deadline(pair: Pair) -> None:
    pair.server.stream.greeted()
    whole = frame(b"x" * 10, 1000)
    raw(pair, whole[:7])
    for _ in range(4):
        pair.clock.advance(FRAME_DEADLINE_S - 1)
        raw(pair, whole[7:] + whole[:7])
    assert not pair.server.notes.of("late")
    pair.clock.advance(FRAME_DEADLINE_S + 1)
    assert pair.server.notes.of("late") == ["frame"]


def test_an_oversized_frame_breaks_the_stream_after_what_was_good(pair: Pair) -> None:
    raw(pair, frame(b"good", 1000) + (1001).to_bytes(4, "big") + b"whatever")
    raw(pair, frame(b"later", 1000))
    assert pair.server.notes.seen[1:] == [
        ("frame", b"good"),
        ("broken", "a frame of 1001 bytes is above the limit of 1000"),
    ]


def test_paused_it_gives_nothing_more_not_even_what_it_has_read(pair: Pair) -> None:
    pair.server.stream.pause()
    pair.server.stream.dataReceived(frame(b"one", 1000) + frame(b"two", 1000))
    assert pair.server.notes.frames == []
    assert pair.server.wire.producerState == "paused"
    pair.server.stream.resume()
    assert pair.server.notes.frames == [b"one", b"two"]
    assert pair.server.wire.producerState == "producing"


def test_paused_within_a_read_the_rest_waits_and_so_does_its_error(pair: Pair) -> None:
    stream, notes = pair.server.stream, pair.server.notes
    given = notes.frame_came

    def pause_after(one: object, payload: bytes) -> None:
        given(stream, payload)
        stream.pause()

    notes.frame_came = pause_after  # type: ignore[method-assign, assignment]
    stream.dataReceived(frame(b"one", 1000) + frame(b"two", 1000) + b"\0\0\0\0")
    assert notes.frames == [b"one"]
    stream.resume()
    assert notes.frames == [b"one", b"two"]
    assert not notes.of("broken")
    stream.resume()
    assert notes.of("broken") == ["a frame of 0 bytes has no message"]


def test_a_peer_that_does_not_read_is_cut_off(pair: Pair) -> None:
    pair.server.stream.pauseProducing()
    for _ in range(3):
        pair.server.stream.send(b"x" * 1000)
    assert not gone(pair)
    pair.server.stream.send(b"x" * 1000)
    assert gone(pair)
    pair.pump()
    assert pair.server.notes.of("down") == ["it does not read what it is sent"]


def test_a_peer_that_reads_again_starts_anew(pair: Pair) -> None:
    for _ in range(5):
        pair.server.stream.pauseProducing()
        pair.server.stream.send(b"x" * 1000)
        pair.server.stream.resumeProducing()
    assert not pair.server.wire.gone


def test_a_polite_close_writes_what_was_sent_and_gives_nothing_more(pair: Pair) -> None:
    pair.server.stream.send(b"goodbye")
    pair.server.stream.close()
    pair.server.stream.send(b"too late")
    pair.client.stream.send(b"ignored")
    pair.pump()
    assert pair.client.notes.frames == [b"goodbye"]
    assert pair.server.notes.frames == []
    assert pair.client.notes.of("down") == ["closed"]


def test_a_close_that_is_not_answered_is_cut_off(pair: Pair) -> None:
    pair.server.stream.close()
    pair.clock.advance(CLOSE_DEADLINE_S + 0.1)
    assert pair.server.wire.disconnected or pair.server.wire.gone


def test_nothing_is_sent_or_timed_after_the_end(pair: Pair) -> None:
    pair.server.stream.abort("test")
    pair.pump()
    pair.server.stream.send(b"late")
    pair.server.stream.close()
    pair.server.stream.pause()
    assert not pair.clock.getDelayedCalls()
    assert pair.server.notes.of("down") == ["test"]


def test_a_peer_whose_certificate_names_nobody_is_cut_off_whatever_the_context_allowed(
    tmp_path: Path,
) -> None:
    papers = Papers(tmp_path)
    accepting = server_side(papers.give("node", "a"), "test", COUNTERS, ALPN_TERMINAL)
    accepting.context.set_verify(SSL.VERIFY_PEER, lambda *_: True)
    nobody = client_side(papers.give("counter", "C001", uris=()), "test")
    pair = Pair(accepting, nobody)
    assert pair.server.notes.seen == [
        ("down", "the certificate does not name exactly one machine of an mPower cluster")
    ]


def test_resume_without_a_pause_is_nothing(pair: Pair) -> None:
    pair.server.stream.resume()
    assert pair.server.notes.of("up")


def test_a_stream_that_was_never_connected_can_be_closed(pair: Pair) -> None:
    notes, clock = Notes(), Clock()
    fresh = Stream(notes, clock, ALPN_TERMINAL)
    fresh.send(b"nobody")
    fresh.close()
    fresh.abort("never")
    assert notes.seen == []
    assert not clock.getDelayedCalls()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionDone(), "closed"),
        (ConnectionAborted(), "cut off"),
        (SSL.Error([("SSL routines", "", "certificate expired")]), "certificate expired"),
        (ConnectionLost(), "Connection to the other side was lost in a non-clean fashion."),
    ],
)
def test_an_end_is_said_in_words(error: Exception, words: str) -> None:
    assert _in_words(Failure(error)) == words
