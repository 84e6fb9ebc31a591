"""``mpower admin``: own accounts, lost logins, the emergency, over a board that answers as told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click.testing
import pytest

from protocols.catalogue.emergencies import BreakGlass, EmergenciesFound, EmergencyReviewed
from protocols.catalogue.own_accounts import DisownAccount, OwnedAccounts
from protocols.catalogue.security import SessionsEnded
from protocols.powers import Power
from tests.clients.links import Board
from tests.protocols import examples

Call = Callable[..., click.testing.Result]
WORD = "correct horse battery\n"
BY_STDIN = ("--password-file", "-")


def test_own_accounts_are_noted_listed_and_ended(call: Call, board: Board) -> None:
    board.answers = {
        "security_own_account": examples.OWNED,
        "security_own_accounts": OwnedAccounts([examples.OWNED]),
        "security_disown_account": examples.PENDING,
    }
    own = ("admin", "own-account")
    noted = call(*own, "add", "E1042", "1234567890", *BY_STDIN, stdin=WORD).stdout
    assert "consumer 1234567890 is E1042's own" in noted
    assert "E1042            1234567890" in call(*own, "list", *BY_STDIN, stdin=WORD).stdout
    call(*own, "end", "E1042", "1234567890", "--reason", "moved", *BY_STDIN, stdin=WORD)
    assert board.said[-1][1] == DisownAccount("E1042", "1234567890", "moved")


@pytest.mark.parametrize("verb", ["enable-user", "allow-reset", "reset-factor"])
def test_what_gives_a_login_back_is_asked_for(call: Call, board: Board, verb: str) -> None:
    operation = "security." + verb.replace("-", "_")
    board.answers[operation.replace(".", "_")] = examples.PENDING
    said = call("admin", verb, "asha", "--reason", "back from leave", *BY_STDIN, stdin=WORD)
    assert "request 17 waits until" in said.stdout
    assert board.said[-1][0] == operation


def test_a_new_password(call: Call, board: Board, tmp_path: Path) -> None:
    board.answers = {"security_reset_password": SessionsEnded("asha", 2)}
    new = tmp_path / "new"
    new.write_text("a quiet lamp over copper")
    reset = ("admin", "reset-password", "asha", "--reason", "forgot it")
    said = call(*reset, "--new-password-file", str(new), *BY_STDIN, stdin=WORD)
    assert said.stdout == "asha has a new password, 2 session(s) ended\n"


def test_an_emergency_names_where_and_up_to_what_and_is_reviewed(call: Call, board: Board) -> None:
    board.answers = {
        "security_break_glass": examples.PENDING,
        "security_emergencies": EmergenciesFound([examples.EMERGENCY]),
        "security_review_emergency": EmergencyReviewed(9),
    }
    glass = ("admin", "break-glass", "E1042", "refund", "--reason", "hospital", *BY_STDIN)
    assert "--office OFFICE" in call(*glass).stderr
    at = (*glass, "--office", "SD-101")
    for wrong in ((), ("--most", "5,000", "--without-limit")):
        said = call(*at, *wrong)
        assert (said.exit_code, "Say up to what REFUND is needed" in said.stderr) == (2, True)
    assert "request 17 waits" in call(*at, "--most", "5,000", stdin=WORD).stdout
    asked = BreakGlass("E1042", Power.REFUND, "SD-101", 500_000, 2, "hospital")
    assert board.said[-1][1] == asked
    listed = call("admin", "emergency", "list", *BY_STDIN, stdin=WORD).stdout
    assert "9  E1042 REFUND at SD-101 up to Rs 5,000.00 over since 2026-04-01T07:32:00Z" in listed
    assert "approved request 18: refund to consumer 1234567890" in listed
    review = ("admin", "emergency", "review", "9", "--remark", "one refund, as ordered")
    assert "emergency power 9 is reviewed" in call(*review, *BY_STDIN, stdin=WORD).stdout
