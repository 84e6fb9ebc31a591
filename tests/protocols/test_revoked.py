"""The lists of the revoked: who is on one is out, and whoever brings a bad one lets nobody in."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from protocols.shell.tls import ALPN_TERMINAL, TlsFiles, client_side, server_side
from tests.protocols.pair import Pair
from tests.protocols.papers import DAY, Papers, now
from tests.protocols.test_tls import TERMINALS, joined, refused, server


@pytest.fixture
def papers(tmp_path: Path) -> Papers:
    return Papers(tmp_path)


def test_a_revoked_certificate_is_refused_from_the_next_connection_on(papers: Papers) -> None:
    files = papers.give("counter", "C001")
    accepting, calling = server(papers), client_side(files, "test")
    assert Pair(accepting, calling).server.notes.of("up")
    papers.revoke(files)
    assert refused(Pair(accepting, calling))


@pytest.mark.parametrize("back", ["alone", "beside the newer", "before the newer"])
def test_an_older_list_that_comes_back_lets_nobody_in_again(papers: Papers, back: str) -> None:
    """A restored folder, or the wrong file brought: it is signed and not stale yet."""
    files = papers.give("counter", "C001")
    older = papers.list_path.read_bytes()
    accepting, calling = server(papers), client_side(files, "test")
    assert Pair(accepting, calling).server.notes.of("up")
    papers.revoke(files)
    newer = papers.list_path.read_bytes()
    assert refused(Pair(accepting, calling))
    brought = {
        "alone": older,
        "beside the newer": newer + older,
        "before the newer": older + newer,
    }
    papers.list_path.write_bytes(brought[back])
    assert refused(Pair(accepting, calling))
    if back != "alone":  # a machine that starts now, too
        assert refused(Pair(server(papers), calling))
    neighbour = client_side(papers.give("counter", "C002"), "test")
    assert Pair(accepting, neighbour).server.notes.of("up")


@pytest.mark.parametrize("spoil", ["stale", "gone", "empty", "foreign"])
def test_a_list_that_cannot_be_trusted_refuses_everybody(
    papers: Papers, tmp_path: Path, spoil: str
) -> None:
    accepting, files = server(papers), papers.give("counter", "C001")
    calling = client_side(TlsFiles(files.ca, files.certificate, files.key), "test")
    if spoil == "stale":
        papers.revoke(next_update=now() - dt.timedelta(seconds=1))
    elif spoil == "gone":
        papers.list_path.unlink()
    elif spoil == "empty":
        papers.list_path.write_bytes(b"")
    else:
        (tmp_path / "elsewhere").mkdir()
        foreign = Papers(tmp_path / "elsewhere")
        papers.list_path.write_bytes(foreign.list_path.read_bytes())
    assert refused(Pair(accepting, calling))


@pytest.mark.parametrize("ends", ["revoked", "expired"])
def test_who_may_not_stay_loses_the_live_connection_and_its_neighbour_does_not(
    papers: Papers, ends: str
) -> None:
    shift = dt.timedelta(0)
    node = papers.give("node", "a")
    accepting = server_side(node, "test", TERMINALS, ALPN_TERMINAL, lambda: now() + shift)
    files = papers.give("counter", "C001", until=now() + DAY / 2)
    one = Pair(accepting, client_side(files, "test"))
    other = Pair(accepting, client_side(papers.give("counter", "C002"), "test"))
    accepting.recheck()
    assert not one.server.notes.of("down")
    if ends == "revoked":
        papers.revoke(files)
    else:
        shift = DAY * 0.6
    accepting.recheck()
    for pair in (one, other):
        pair.pump()
    assert one.server.stream.transport is None
    (why,) = one.server.notes.of("down")
    assert why.endswith({"revoked": "is revoked", "expired": "has ended"}[ends])
    assert not other.server.notes.of("down")


def test_the_caller_too_drops_a_server_that_was_revoked(papers: Papers) -> None:
    node = papers.give("node", "a")
    accepting = server_side(node, "test", TERMINALS, ALPN_TERMINAL)
    calling = client_side(papers.give("counter", "C001"), "test")
    pair = Pair(accepting, calling)
    papers.revoke(node)
    calling.recheck()
    pair.pump()
    (why,) = pair.client.notes.of("down")
    assert why.endswith("is revoked")


@pytest.mark.parametrize("spoil", ["stale", "gone", "garbled"])
def test_a_bad_list_keeps_newcomers_out_and_those_who_are_here_in(
    papers: Papers, spoil: str
) -> None:
    accepting, calling = server(papers), client_side(papers.give("counter", "C001"), "test")
    pair = Pair(accepting, calling)
    if spoil == "stale":
        papers.revoke(next_update=now() - dt.timedelta(seconds=1))
    elif spoil == "gone":
        papers.list_path.unlink()
    else:
        papers.list_path.write_bytes(b"-----BEGIN X509 CRL-----\nno")
    accepting.recheck()
    pair.pump()
    assert not pair.server.notes.of("down")
    assert refused(Pair(accepting, calling))


def test_two_machines_see_whether_they_go_by_the_same_list(papers: Papers) -> None:
    one, other = server(papers), server(papers)
    before = one.list_mark()
    assert len(before) == 12
    assert other.list_mark() == before
    papers.revoke(papers.give("counter", "C001"))
    assert one.list_mark() == other.list_mark() != before


def test_each_authority_needs_its_own_list_while_two_are_trusted(
    papers: Papers, tmp_path: Path
) -> None:
    """A rotation: the old one's certificate is not believed because the new one's list is good."""
    (tmp_path / "next").mkdir()
    following = Papers(tmp_path / "next")
    both = tmp_path / "both.pem"
    both.write_bytes(following.ca.read_bytes() + papers.ca.read_bytes())
    lists = tmp_path / "lists.pem"
    node = papers.give("node", "a")
    old, new = papers.give("counter", "C001"), following.give("counter", "C001")
    parts = {"old": papers.list_path.read_bytes(), "new": following.list_path.read_bytes()}

    def let_in(files: TlsFiles, *names: str) -> bool:
        lists.write_bytes(b"".join(parts[one] for one in names))
        trusting = TlsFiles(both, node.certificate, node.key, lists)
        accepting = server_side(trusting, "test", TERMINALS, ALPN_TERMINAL)
        calling = TlsFiles(both, files.certificate, files.key, lists)
        pair = Pair(accepting, client_side(calling, "test"))
        return bool(pair.server.notes.of("up"))

    assert let_in(old, "old", "new")
    assert not let_in(old, "new")
    following.revoke(new)
    parts["new"] = following.list_path.read_bytes()
    assert not let_in(new, "old", "new")
    assert let_in(old, "new", "old")


def test_a_list_of_an_authority_that_is_not_known_yet_is_passed_over(
    papers: Papers, tmp_path: Path
) -> None:
    """The list may arrive before the authority: nobody is shut out for that."""
    (tmp_path / "next").mkdir()
    following = Papers(tmp_path / "next")
    papers.list_path.write_bytes(following.list_path.read_bytes() + papers.list_path.read_bytes())
    assert joined(papers, papers.give("counter", "C001")).server.notes.of("up")
