"""``mpower receipts verify`` as a person meets it."""

from __future__ import annotations

import json
from collections.abc import Callable

import click.testing
from msgspec.structs import replace

from protocols.catalogue.payments import HeadPosted, Left, Verification
from tests.clients.links import Board

Call = Callable[..., click.testing.Result]
ME = ("--as", "meera", "--password-file", "-")
WORD = "correct horse battery\n"
BEGUN = Verification(7, "2026-11-24", "", "meera", "OPEN", "", 1_000, 0, 0, 0, [], [])
DONE = replace(
    BEGUN,
    state="DONE",
    done=1_000,
    posted=1_000,
    posted_paise=5_00_000_00,
    heads=[HeadPosted("CURRENT", 5_00_000_00)],
)


def test_it_is_asked_once_and_watched_to_its_end(call: Call, board: Board) -> None:
    board.answers |= {"payments_verify_day": BEGUN, "payments_verification": BEGUN}
    board.later["payments_verification"] = [replace(BEGUN, done=500, posted=500), DONE]
    said = call("receipts", "verify", "--date", "2026-11-24", *ME, stdin=WORD)
    assert said.exit_code == 0, said.output
    assert "Asked for as verification 7." in said.stderr
    assert said.stdout.splitlines() == [
        "Verification 7 of 2026-11-24, all counters: 1,000 of 1,000 receipts, 5,00,000.00 posted",
        "  CURRENT               5,00,000.00",
    ]
    assert [name for name, _ in board.said].count("payments.verify_day") == 1


def test_what_was_left_is_named_to_the_last_and_fails(call: Call, board: Board) -> None:
    left = [Left(n, f"C001/2026-27/{n}", "OWN_WORK") for n in (3, 9)]
    board.answers["payments_verification"] = replace(DONE, posted=998, left=left)
    said = call("receipts", "verify", "--number", "7", "--json", *ME, stdin=WORD)
    assert said.exit_code == 1
    assert json.loads(said.stdout)["left"][1] == {
        "place": 9,
        "receipt": "C001/2026-27/9",
        "code": "OWN_WORK",
        "why": "",
    }
    assert "another officer" in said.stderr
    board.answers["payments_verification"] = replace(BEGUN, state="STOPPED", why="meera is gone")
    said = call("receipts", "verify", "--number", "7", *ME, stdin=WORD)
    assert (said.exit_code, "It stopped: meera is gone." in said.stderr) == (1, True)


def test_one_that_cannot_be_posted_is_named_with_why_and_what_to_do(
    call: Call, board: Board
) -> None:
    left = [Left(3, "C001/2026-27/3", "FAILED", "the lines do not sum to it")]
    board.answers["payments_verification"] = replace(DONE, posted=999, left=left)
    said = call("receipts", "verify", "--number", "7", *ME, stdin=WORD)
    assert said.exit_code == 1
    assert "  left: C001/2026-27/3 FAILED: the lines do not sum to it" in said.stdout
    assert "FAILED: 1 could not be posted" in said.stderr
    assert "tell support the numbers and the reasons" in said.stderr


def test_a_day_or_a_number_must_be_said(call: Call) -> None:
    assert call("receipts", "verify", *ME, stdin=WORD).exit_code == 2
    assert call("receipts", "verify", "--date", "24.11.", *ME, stdin=WORD).exit_code == 2
