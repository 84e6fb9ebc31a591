"""``mpower ledger`` as a person meets it; the sums are tested on a real database."""

from __future__ import annotations

import json
from collections.abc import Callable

import click.testing
import pytest
from msgspec.structs import replace

from clients.ops import ledger_pages, progress
from protocols.accounts import CHART
from protocols.catalogue import ledger as words
from tests.clients.links import Board

Call = Callable[..., click.testing.Result]
ME = ("--as", "meera", "--password-file", "-")
N = "1000000001"
WORD = "correct horse battery\n"
PAID = words.Line(
    *("2026-11-24", "2026-11-24T04:00:00Z"),
    7,
    *("C001/2026-27/123456", "RECEIPT", "Receipt", "CHEQUE 123456", "", "asha", ""),
    [words.HeadMoved("RECEIVED", -20_000)],
    *(-20_000, 43_000),
)
POSTED = words.Line(
    *("2026-11-24", "2026-11-24T05:00:00Z"),
    9,
    *("V-9", "VERIFY", "Verified and posted", "", "C001/2026-27/123456", "omar", ""),
    [words.HeadMoved("RECEIVED", 20_000), words.HeadMoved("ARREARS", -20_000)],
    *(0, 43_000),
)


def test_a_statement_fits_eighty_columns_and_ends_with_what_is_payable(
    call: Call, board: Board
) -> None:
    board.answers["ledger_statement"] = words.Statement(
        "1000000001", 63_000, [PAID, POSTED], 43_000, more=True
    )
    said = call("ledger", "statement", "1000000001", *ME, stdin=WORD)
    assert said.exit_code == 0, said.output
    lines = said.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[3].split() == [
        *("2026-11-24", "C001/2026-27/123456", "Receipt", "-200.00", "430.00"),
    ]
    assert lines[4].strip() == "by CHEQUE 123456"
    assert lines[7].strip() == "RECEIVED 200.00, ARREARS -200.00"
    assert lines[-2].split()[-1] == "430.00"
    assert "--all" in lines[-1]
    asked = json.loads(call("ledger", "statement", "1000000001", "--json", *ME, stdin=WORD).stdout)
    assert (asked["opening"], asked["closing"], asked["more"]) == (63_000, 43_000, True)
    assert asked["lines"][1]["heads"][1] == {"head": "ARREARS", "paise": -20_000}


def test_a_trial_balance_that_is_not_equal_fails(call: Call, board: Board) -> None:
    groups = [
        words.GroupBalance("CONSUMER", "ARREARS", "Arrears", 12, 9_999_999_999_999, 0),
        words.GroupBalance(
            "BOARD", "OPENING", "Opening balances brought in", 1, 0, 9_999_999_999_998
        ),
    ]
    board.answers["ledger_trial_balance"] = words.Trial(
        "", groups, *(9_999_999_999_999, 9_999_999_999_998)
    )
    said = call("ledger", "trial-balance", *ME, stdin=WORD)
    assert said.exit_code == 1
    assert "they differ by 0.01" in said.stdout
    assert max(map(len, said.stdout.splitlines())) <= 80
    assert "mpower ledger verify" in said.stderr


def test_verify_names_the_first_thing_and_fails(call: Call, board: Board) -> None:
    board.answers["ledger_check"] = words.Checked(0, 1, 20_000, [])
    said = call("ledger", "verify", *ME, stdin=WORD)
    assert (said.exit_code, said.stdout) == (0, "About 20,000 accounts: all of the ledger fits.\n")
    wrong = words.Wrong("a series has no gap", "C001/2026, number 7", "9", "8 numbers up to 9")
    board.answers["ledger_check"] = words.Checked(0, 1, 20_000, [wrong])
    said = call("ledger", "verify", "--json", *ME, stdin=WORD)
    assert said.exit_code == 1
    got = json.loads(said.stdout)
    assert (got["ok"], got["wrong"][0]["which"]) == (False, "C001/2026, number 7")


def test_a_head_and_its_accounts(call: Call, board: Board) -> None:
    line = words.SubledgerLine("C001", 28_000, 0, 28_000)
    board.answers["ledger_subledger"] = words.Subledger(
        "CASH", "Cash in hand", "ACCOUNT", 1, 28_000, 0, [line], more=False
    )
    said = call("ledger", "subledger", "CASH", *ME, stdin=WORD)
    assert said.stdout.splitlines()[0] == "CASH: Cash in hand"
    assert said.stdout.splitlines()[-1].split() == [
        "all",
        "1",
        "accounts",
        "280.00",
        "0.00",
        "280.00",
    ]
    assert call("ledger", "subledger", "cash!", *ME, stdin=WORD).exit_code == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("statement", "100000001"), "CONSUMER: '100000001' is not written as it must be, as ten"),
        (("statement", N, "--from", "1.4.2026"), "--from: '1.4.2026' is not written as it must be"),
        (("statement", N, "--to", "1.4.2026"), "as ISO date, 2026-04-01"),
        (("trial-balance", "--date", "yesterday"), "--date: 'yesterday' is not written"),
        (
            ("subledger", "cash!"),
            "HEAD or ACCOUNT: 'CASH!' is not written as it must be, as a",
        ),
        (("subledger", N), f"mpower ledger statement {N}"),
    ],
)
def test_what_is_typed_wrong_is_named_as_it_was_typed(
    call: Call, words: tuple[str, ...], said: str
) -> None:
    result = call("ledger", *words, *ME, stdin=WORD)
    assert result.exit_code == 2
    assert said in result.stderr.replace("\n", " ")


def test_an_empty_page_says_that_nothing_was_there(call: Call, board: Board) -> None:
    board.answers["ledger_statement"] = words.Statement(N, 500, [], 500, more=False)
    said = call("ledger", "statement", N, "--from", "2026-04-01", *ME, stdin=WORD)
    assert "No voucher touched this consumer in that time" in said.stdout
    board.answers["ledger_subledger"] = words.Subledger(
        "C001/CASH", "Cash in hand", "DAY", 0, 0, 0, [], more=False
    )
    said = call("ledger", "subledger", "c001/cash", *ME, stdin=WORD)
    assert "Nothing was entered there" in said.stdout


def test_the_words_of_every_account_fit_the_page() -> None:
    assert max(len(one.words) for one in CHART) <= 31


def test_a_bar_is_for_people_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bar = progress.Bar("ledger")
    bar.show(1, 2)
    bar.close()
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    bar = progress.Bar("ledger")
    bar.show(1, 2)
    bar.close()
    assert capsys.readouterr().err == f"\rledger [{'#' * 15}{'.' * 15}] 1 of 2 \n"


def test_long_words_of_a_voucher_go_on_below_and_leave_the_figures_in_their_column() -> None:
    long = replace(PAID, words="Charge and surcharge of a returned cheque", paid="")
    page = ledger_pages.statement_page(N, [words.Statement(N, 0, [PAID, long], 43_000, more=False)])
    first, second = (line for line in page.splitlines() if "-200.00" in line)
    assert first.index("-200.00") == second.index("-200.00")
    assert "Charge and surcharge  " in second
    assert "           of a returned cheque" in page.splitlines()
