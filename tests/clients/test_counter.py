"""``mpower counter`` as a process, over a pipe, against two servers on loopback."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import deferLater

from clients.journal import Journal
from tests.clients.board import PASSWORD, Town

HERE = Path(__file__).parents[2]


class Program(ProcessProtocol):
    """The counter's program: what it was given and what it said."""

    def __init__(self, town: Town, *args: str, person: bool = False) -> None:
        files = town.papers.give("counter", "C001")
        for path, name in ((files.certificate, "crt"), (files.key, "key")):
            place = town.folder / f"counter-C001.{name}"
            place.unlink(missing_ok=True)
            place.write_bytes(path.read_bytes())
            place.chmod(0o400)
        self.out = b""
        self.err = b""
        self.ended: Deferred[int] = Deferred()
        nodes = ",".join(f"{host}:{port}" for host, port in (one.address for one in town.nodes))
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(HERE),
            "MPOWER_NODES": nodes,
            "MPOWER_CLUSTER": "test",
            "MPOWER_CA": str(files.ca),
            "MPOWER_CERT": str(town.folder / "counter-C001.crt"),
            "MPOWER_KEY": str(town.folder / "counter-C001.key"),
            "MPOWER_JOURNAL": str(town.folder / "journal"),
        }
        command = [sys.executable, "-m", "clients", "counter", *args]
        reactor.spawnProcess(
            self, sys.executable, command, environment, str(town.folder), usePTY=person
        )

    def type(self, *lines: str) -> None:
        assert self.transport is not None
        self.transport.write("".join(f"{one}\n" for one in lines).encode())

    def close(self) -> Deferred[int]:
        assert self.transport is not None
        self.transport.closeStdin()
        return self.ended

    def kill(self) -> Deferred[int]:
        assert self.transport is not None
        self.transport.signalProcess("KILL")
        return self.ended

    def interrupt(self) -> None:
        assert self.transport is not None
        self.transport.signalProcess("INT")

    def outReceived(self, data: bytes) -> None:
        self.out += data

    def errReceived(self, data: bytes) -> None:
        self.err += data

    def processEnded(self, reason: Any) -> None:
        self.ended.callback(reason.value.exitCode)

    @property
    def said(self) -> list[dict[str, Any]]:
        return [json.loads(one) for one in self.out.decode().splitlines()]

    async def until(self, word: str, within_s: float = 20.0) -> None:
        for _ in range(int(within_s / 0.02)):
            if word.encode() in self.out + self.err:
                return
            await deferLater(reactor, 0.02, lambda: None)
        raise AssertionError(f"{word!r} was not said: {self.out!r} {self.err!r}")


@pytest_twisted.async_yield_fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    made = Town(tmp_path)
    yield made
    await made.close()


@pytest_twisted.ensureDeferred
async def test_a_clerks_day_over_a_pipe(town: Town) -> None:
    program = Program(town)
    program.type(
        "signin asha",
        PASSWORD,
        "find sharma",
        "dues 1234567890",
        "take 1234567890 100 given 500",
        "again",
        "mine",
        "status",
        "day today",
        "signout",
        "quit",
    )
    assert await program.ended == 0, program.err
    out = program.out.decode()
    assert "Signed in: asha, clerk." in out
    assert "R K SHARMA" in out
    assert out.count("C001/2026-27/1") == 3
    assert out.count("MONEY RECEIPT") == 2
    assert out.count("*** DUPLICATE ***") == 1
    assert "CHANGE DUE: Rs 400.00   (2 x 200)" in out
    assert "Business day 2026-04-01 (2026-27): OPEN." in out
    assert PASSWORD not in out + program.err.decode()


@pytest_twisted.ensureDeferred
async def test_as_json_each_answer_is_one_line_and_trouble_sets_the_exit_code(town: Town) -> None:
    (town.folder / "pw").write_text(PASSWORD + "\n")
    program = Program(town, "--json", "--user", "asha", "--password-file", str(town.folder / "pw"))
    program.type("take 1234567890 all", "take 1234567899 1", "tkae", "take 1234567890 0,5")
    assert await program.close() == 2
    session, receipt, refused, unknown, mistyped = program.said
    assert session["session"] == {"user": "asha", "role": "clerk"}
    assert receipt["receipt"]["amount_paise"] == 124_000
    assert (receipt["duplicate"], receipt["version"]) == (False, 1)
    assert refused["error"]["code"] == "NO_CONSUMER"
    assert "Did you mean 'take'?" in unknown["error"]["sentence"]
    assert "is not an amount" in mistyped["error"]["sentence"]


@pytest_twisted.ensureDeferred
async def test_a_person_is_prompted_warned_and_told_the_change(town: Town) -> None:
    program = Program(town, person=True)
    await program.until("Type 'help'")
    await program.until("not signed in> ")
    program.type("signin asha")
    await program.until("Password of asha: ")
    program.type(PASSWORD)
    await program.until("asha (clerk)> ")
    program.type("take 1234567890 1240")
    await program.until("payable Rs 1,240.00")
    await program.until("Take Rs 1,240.00 by CASH? [Enter = yes, n = no] ")
    program.type("n")
    await program.until("Nothing was taken.")
    program.type("take 1234567890 all", "", "1000")
    await program.until("Type an amount of at least Rs 1,240.00.")
    program.type("1500")
    await program.until("CHANGE DUE: Rs 260.00   (1 x 200, 1 x 50, 1 x 10)")
    program.type("quit")
    assert await program.ended == 0
    assert PASSWORD.encode() not in program.out
    assert len(town.board.receipts) == 1


@pytest_twisted.ensureDeferred
async def test_a_person_may_leave_at_any_time(town: Town) -> None:
    program = Program(town, person=True)
    await program.until("not signed in> ")
    program.interrupt()
    assert await program.ended == 130


@pytest_twisted.ensureDeferred
async def test_an_officers_work(town: Town) -> None:
    program = Program(town, "--json")
    program.type("signin ravi", PASSWORD, "verify C001 2026-04-01")
    program.type(
        "cancel C001/2026-27/1 wrong consumer", "day close 2026-04-01", "day open 2026-04-02"
    )
    assert await program.close() == 0
    _, verified, cancelled, closed, opened = program.said
    assert verified["verify"]["heads"] == [{"head": "CURRENT", "amount_paise": 0}]
    assert cancelled["cancel"]["receipt"] == "C001/2026-27/1"
    assert (closed["day"]["state"], opened["day"]["date"]) == ("CLOSED", "2026-04-02")


@pytest_twisted.ensureDeferred
async def test_killed_while_confirming_it_prints_the_receipt_after_the_restart_and_once(
    town: Town,
) -> None:
    program = Program(town)
    program.type("signin asha", PASSWORD)
    await program.until("Signed in")
    town.board.wrong = ["PENDING"] * 1000
    program.type("take 1234567890 100")
    for _ in range(500):
        if len(town.board.wrong) < 998:
            break
        await deferLater(reactor, 0.02, lambda: None)
    await program.kill()
    assert "MONEY RECEIPT" not in program.out.decode()
    town.board.wrong = []
    again = Program(town)
    again.type("signin asha", PASSWORD, "mine")
    assert await again.close() == 0
    assert "1 saved before, settled when you sign in:" in again.err.decode()
    assert "Rs 100.00 of consumer 1234567890 by CASH" in again.err.decode()
    out = again.out.decode()
    assert out.index("MONEY RECEIPT") < out.index("1 receipts")
    assert "DUPLICATE" not in out
    assert len(town.board.receipts) == 1
    third = Program(town)
    third.type("signin asha", PASSWORD)
    assert await third.close() == 0
    assert "MONEY RECEIPT" not in third.out.decode()


@pytest_twisted.ensureDeferred
async def test_through_a_failover_the_clerk_sees_saved_confirming(town: Town) -> None:
    program = Program(town)
    program.type("signin asha", PASSWORD)
    await program.until("Signed in")
    program.type("dues 1234567890")
    await program.until("PAYABLE")
    town.nodes[0].mute = True
    program.type("take 1234567890 100")
    await deferLater(reactor, 0.2, lambda: None)
    town.nodes[1].lead(2)
    assert await program.close() == 0
    assert "MONEY RECEIPT" in program.out.decode()


@pytest_twisted.ensureDeferred
async def test_two_programs_do_not_share_a_journal(town: Town) -> None:
    first = Program(town)
    first.type("signin asha", PASSWORD)
    await first.until("Signed in")
    second = Program(town)
    assert await second.close() == 1
    assert b"used by another program" in second.err
    assert b"Traceback" not in second.err
    assert await first.close() == 0


@pytest_twisted.ensureDeferred
async def test_without_settings_it_says_what_to_do(town: Town) -> None:
    program = Program(town, "--counter", "C999")
    assert await program.close() == 1
    assert b"C999" in program.err


@pytest_twisted.ensureDeferred
async def test_a_pipe_whose_sign_in_fails_ends_and_says_so(town: Town) -> None:
    program = Program(town)
    program.type("signin asha", "not the password at all", "take 1234567890 100", "mine", "again")
    assert await program.close() == 5
    out, err = program.out.decode(), program.err.decode()
    assert out.count("Nobody is signed in, so nothing was done. Type 'signin USER' first.") == 2
    assert "confirming" not in out + err
    assert town.board.receipts == []
    journal = town.folder / "journal" / "test-counter-C001.journal"
    assert pending(journal) == 0, "nothing was promised"


@pytest_twisted.ensureDeferred
async def test_a_session_that_ends_in_the_middle_keeps_the_payment_for_its_clerk(
    town: Town,
) -> None:
    program = Program(town)
    program.type("signin asha", PASSWORD)
    await program.until("Signed in")
    program.type("dues 1234567890")
    await program.until("PAYABLE")
    town.board.wrong = ["SIGN_IN_AGAIN"]
    program.type("take 1234567890 100")
    await program.until("Your session has ended.")
    program.type("signin asha", PASSWORD)
    assert await program.close() == 5, "the exit code is of the last trouble"
    assert program.out.decode().count("MONEY RECEIPT") == 1
    assert "DUPLICATE" not in program.out.decode()
    assert len(town.board.receipts) == 1


def pending(journal: Path) -> int:
    opened = Journal(journal)
    try:
        return len(opened.pending())
    finally:
        opened.close()
