"""The link against real servers on loopback: real TLS, real frames, real journal files."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from clients.asking import Declined, NoPrimary, NotReachable
from clients.insisting import CONFIRMING, SAVED, Insisting
from clients.journal import Journal, JournalError
from clients.link import Link
from protocols import desk, talk
from protocols.catalogue import consumers, payments
from protocols.shell.clock import BootClock
from protocols.shell.tls import TlsFiles
from protocols.values import RequestKey
from tests.clients.board import PASSWORD, Town
from tests.protocols.papers import DAY, now

TAKE = payments.Take("1234567890", 10_000)


@pytest_twisted.async_yield_fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    made = Town(tmp_path)
    yield made
    await made.close()


@pytest.fixture
def link(town: Town) -> Iterator[Callable[..., Link]]:
    made: list[Link] = []

    def make(
        name: str = "C001", kind: str = "counter", files: TlsFiles | None = None, **told: Any
    ) -> Link:
        one = Link(
            [node.address for node in town.nodes],
            files or town.papers.give(kind, name),
            "test",
            Journal(town.folder / f"{name}.journal"),
            reactor=reactor,
            clock=BootClock(),
            principal=kind == "bank",
            **told,
        )
        made.append(one)
        one.start()
        return one

    yield make
    for one in made:
        one.stop()


def pause(seconds: float) -> Deferred[None]:
    return deferLater(reactor, seconds, lambda: None)


async def until(true: Callable[[], bool], within_s: float = 8.0) -> None:
    for _ in range(int(within_s / 0.01)):
        if true():
            return
        await pause(0.01)
    raise AssertionError(f"not within {within_s} s")


@pytest_twisted.ensureDeferred
async def test_a_day_at_the_counter(town: Town, link: Callable[..., Link]) -> None:
    counter = link()
    session = await counter.sign_in("asha", PASSWORD)
    assert (session.user, session.role) == ("asha", "clerk")
    dues = await counter.ask("consumers.dues", consumers.Dues("1234567890"))
    assert dues.payable_paise == 124_000
    answer = await counter.submit("payments.take", TAKE)
    assert (answer.body.number, answer.replay) == ("C001/2026-27/1", False)
    assert counter.pending() == []
    await pause(0)
    (entry,) = counter.journal.latest()
    assert (entry.verdict, entry.shown) == ("RECEIPT", True)


@pytest_twisted.ensureDeferred
async def test_a_refusal_is_said_with_its_sentence(link: Callable[..., Link]) -> None:
    counter = link()
    with pytest.raises(Declined, match="SIGN_IN_FAILED: User name or password is wrong"):
        await counter.sign_in("asha", "not the password")
    await counter.sign_in("asha", PASSWORD)
    with pytest.raises(Declined, match="There is no consumer 1234567899"):
        await counter.submit("payments.take", payments.Take("1234567899", 100))
    (entry,) = counter.journal.latest()
    assert entry.verdict == "REJECTED"


@pytest_twisted.ensureDeferred
async def test_a_terminal_leaves_a_node_that_was_revoked(
    town: Town, link: Callable[..., Link]
) -> None:
    """A stolen server goes on answering; the terminal that has the new list does not go on."""
    counter = link()
    await counter.sign_in("asha", PASSWORD)
    town.papers.revoke(town.nodes[0].files)
    await until(lambda: "is revoked" in counter.trouble, 5.0)
    town.nodes[1].lead(2)
    answer = await counter.submit("payments.take", TAKE)
    assert answer.body.number == "C001/2026-27/1"


@pytest_twisted.ensureDeferred
async def test_what_is_not_definitive_is_sent_again(town: Town, link: Callable[..., Link]) -> None:
    counter = link()
    await counter.sign_in("asha", PASSWORD)
    town.board.wrong = ["BUSY", "PENDING", "FAULT"]
    answer = await counter.submit("payments.take", TAKE)
    assert answer.body.number == "C001/2026-27/1"
    assert len(town.board.receipts) == 1


@pytest_twisted.ensureDeferred
async def test_a_killed_primary_is_survived_without_signing_in_again(
    town: Town, link: Callable[..., Link]
) -> None:
    counter = link()
    await counter.sign_in("asha", PASSWORD)
    await town.nodes[0].kill()
    waiting = counter.submit("payments.take", TAKE)
    await until(lambda: str(counter.standing).startswith("saved, confirming"))
    await pause(0.3)
    assert not waiting.called
    town.nodes[1].lead(2)
    answer = await waiting
    assert answer.body.clerk == "asha"
    assert counter.standing.node == f"127.0.0.1:{town.nodes[1].address[1]}"
    town.nodes[0].listen()


@pytest_twisted.ensureDeferred
async def test_a_mute_primary_is_left_for_a_later_one(
    town: Town, link: Callable[..., Link]
) -> None:
    counter = link()
    await counter.sign_in("asha", PASSWORD)
    town.nodes[0].mute = True
    waiting = counter.submit("payments.take", TAKE)
    await until(lambda: counter.standing.state is desk.State.PROBING)
    town.nodes[1].lead(2)
    answer = await waiting
    assert answer.body.number == "C001/2026-27/1"


@pytest_twisted.ensureDeferred
async def test_after_a_crash_the_pending_key_is_resolved_first(
    town: Town, link: Callable[..., Link]
) -> None:
    counter = link()
    await counter.sign_in("asha", PASSWORD)
    await town.nodes[0].kill()
    counter.submit("payments.take", TAKE)
    assert len(counter.pending()) == 1
    counter.stop()
    town.nodes[1].lead(2)
    again = link()
    assert len(again.pending()) == 1
    await again.sign_in("asha", PASSWORD)
    await again.resolved()
    assert again.pending() == []
    (entry,) = again.journal.unshown()
    assert entry.verdict == "RECEIPT"
    assert len(town.board.receipts) == 1
    town.nodes[0].listen()


@pytest_twisted.ensureDeferred
async def test_a_bank_link_posts_without_a_person(link: Callable[..., Link]) -> None:
    from protocols.catalogue.body import Nothing

    bank = link("SBI", "bank")
    day = await bank.ask("days.today", Nothing())
    assert day.state == "OPEN"


@pytest_twisted.ensureDeferred
async def test_nobody_there_and_no_primary_are_told_apart(
    town: Town, link: Callable[..., Link]
) -> None:
    counter = link()
    await counter.reached()
    town.nodes[0].fall()
    await until(lambda: not counter.standing.node)
    with pytest.raises(NoPrimary):
        await counter.reached(patience_s=0.8)
    with pytest.raises(NoPrimary):
        await counter.sign_in("asha", PASSWORD, patience_s=1.0)
    for node in town.nodes:
        await node.kill()
    with pytest.raises(NotReachable):
        await counter.ask("consumers.dues", consumers.Dues("1234567890"), patience_s=0.5)
    for node in town.nodes:
        node.listen()


@pytest_twisted.ensureDeferred
async def test_why_nobody_answers_is_said_in_words(town: Town, link: Callable[..., Link]) -> None:
    """A certificate that is over, and a file that is not ours: a person reads which it is."""
    expired = town.papers.give("counter", "C009", until=now() - DAY)
    counter = link("C009", files=expired)
    with pytest.raises(NotReachable, match=r"127\.0\.0\.1:\d+: .*(certificate|verif)"):
        await counter.sign_in("asha", PASSWORD, patience_s=1.0)


@pytest_twisted.ensureDeferred
async def test_a_payment_costs_less_than_300_bytes_on_the_wire(
    town: Town, link: Callable[..., Link]
) -> None:
    """Request and reply, each one TLS 1.3 record: 5 header + 1 type + 16 tag beside the frame."""
    counter = link()
    await counter.sign_in("asha", PASSWORD)
    (server,) = town.nodes[0].desks
    received, sent = server.received, server.sent
    await counter.submit("payments.take", TAKE)
    overhead = 2 * (4 + 22)
    total = server.received - received + server.sent - sent + overhead
    assert total <= 300
    print(f"one payment: {total} bytes on the wire")


@pytest_twisted.ensureDeferred
async def test_a_command_stops_waiting_says_so_and_the_same_command_confirms(
    town: Town, link: Callable[..., Link], capsys: pytest.CaptureFixture[str]
) -> None:
    """What the second run finds done was done by the first: it is nobody's repetition."""
    counter = link()
    await counter.sign_in("asha", PASSWORD)
    town.board.wrong = ["PENDING"] * 1000
    with pytest.raises(NoPrimary):
        await Insisting(counter, confirm_s=0.4, speak_s=0.1).submit("payments.take", TAKE)
    assert capsys.readouterr().err == f"{CONFIRMING}\n{SAVED}\n"
    assert len(counter.pending()) == 1
    counter.stop()
    town.board.wrong = []
    again = link()
    insisting = Insisting(again)
    await insisting.sign_in("asha", PASSWORD)
    answer = await insisting.submit("payments.take", TAKE)
    assert (answer.body.number, answer.replay) == ("C001/2026-27/1", False)
    assert len(town.board.receipts) == 1
    await pause(0)
    assert again.journal.unshown() == []
    other = await insisting.submit("payments.take", TAKE)
    assert other.body.number == "C001/2026-27/2", "a third is new work"


def person_at(insisting: Insisting, word: str, blocked_s: float = 0.0) -> list[str]:
    """Somebody who is asked for the password again, and needs that long for it."""
    asked: list[str] = []

    async def again() -> None:
        asked.append(word)
        Event().wait(blocked_s)  # a prompt blocks the whole command
        await insisting.sign_in("asha", word)

    insisting.on_ended(again)
    return asked


@pytest.mark.parametrize("code", ["PROVE_AGAIN", "SIGN_IN_AGAIN"])
@pytest_twisted.ensureDeferred
async def test_a_command_whose_session_ends_asks_again_who_is_there_and_goes_on(
    town: Town, link: Callable[..., Link], code: str
) -> None:
    ended: list[Callable[[], None]] = []
    counter = link(on_sign_in_needed=lambda: [one() for one in ended])
    insisting = Insisting(counter, confirm_s=0.5)
    ended.append(insisting.ended)
    await insisting.sign_in("asha", PASSWORD)
    asked = person_at(insisting, PASSWORD, blocked_s=0.7)  # longer than a command waits
    town.board.wrong = [code]
    answer = await insisting.submit("payments.take", TAKE)
    assert (answer.body.number, answer.replay) == ("C001/2026-27/1", False)
    assert (asked, len(town.board.receipts), counter.pending()) == ([PASSWORD], 1, [])


@pytest.mark.parametrize("typed", ["12345", "1234567", "12345x", "१२३४५६", "no code"])
@pytest_twisted.ensureDeferred
async def test_what_is_no_one_time_code_is_not_sent(
    town: Town, link: Callable[..., Link], typed: str
) -> None:
    with pytest.raises(Declined, match="six digits") as no:
        await link().sign_in("asha", PASSWORD, typed)
    assert no.value.code == "CODE_WRONG"
    assert (await link("C002").sign_in("asha", PASSWORD, " 123 456 ")).user == "asha"


@pytest_twisted.ensureDeferred
async def test_who_cannot_prove_it_is_told_so_and_what_waits_is_kept(
    town: Town, link: Callable[..., Link], capsys: pytest.CaptureFixture[str]
) -> None:
    ended: list[Callable[[], None]] = []
    counter = link(on_sign_in_needed=lambda: [one() for one in ended])
    insisting = Insisting(counter)
    ended.append(insisting.ended)
    await insisting.sign_in("asha", PASSWORD)
    person_at(insisting, "not the password")
    town.board.wrong = ["PROVE_AGAIN"]
    with pytest.raises(Declined, match="SIGN_IN_FAILED"):
        await insisting.submit("payments.take", TAKE)
    assert SAVED in capsys.readouterr().err
    assert town.board.receipts == []
    assert len(counter.pending()) == 1


@pytest_twisted.ensureDeferred
async def test_a_real_repetition_is_called_one(town: Town, link: Callable[..., Link]) -> None:
    key = RequestKey(b"k" * 16, 1)
    counter = link()
    insisting = Insisting(counter)
    await insisting.sign_in("asha", PASSWORD)
    assert not (await insisting.submit("payments.take", TAKE, key)).replay
    assert (await insisting.submit("payments.take", TAKE, key)).replay


@pytest_twisted.ensureDeferred
async def test_a_command_that_is_refused_or_cannot_save_says_why(
    town: Town, link: Callable[..., Link], capsys: pytest.CaptureFixture[str]
) -> None:
    counter = link()
    insisting = Insisting(counter)
    await insisting.sign_in("asha", PASSWORD)
    with pytest.raises(Declined, match="There is no consumer 1234567899"):
        await insisting.submit("payments.take", payments.Take("1234567899", 100))
    await pause(0)
    counter.journal._base.execute("PRAGMA query_only = 1")
    with pytest.raises(JournalError, match="Nothing was done: it could not be saved"):
        await insisting.submit("payments.take", TAKE)
    counter.journal._base.execute("PRAGMA query_only = 0")
    assert counter.standing.pending == 0
    assert capsys.readouterr().err == ""


@pytest_twisted.ensureDeferred
async def test_two_programs_with_one_certificate_do_not_chase_each_other(
    town: Town, link: Callable[..., Link]
) -> None:
    told: list[Any] = []
    older = link(on_notice=told.append)
    await older.sign_in("asha", PASSWORD)
    (first,) = town.nodes[0].desks
    first.happen(talk.Displaced())
    await until(lambda: older.standing.state is desk.State.ASIDE)
    await pause(0.5)
    assert town.nodes[0].desks == []
    assert [one.kind for one in told] == ["displaced"]
    assert "Close one of the two" in older.standing.trouble
    await older.sign_in("asha", PASSWORD)
    assert older.standing.state is desk.State.READY
