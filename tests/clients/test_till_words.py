"""What is typed about a till and its slips, and what is printed."""

from __future__ import annotations

import json
from collections.abc import Callable

import click.testing
import pytest
from msgspec.structs import replace

from clients.counter import mistyped, till_paper, typed
from protocols.catalogue import days, receipt_books, remittance, shifts
from protocols.catalogue.shifts import Cash, ModeCount, Pile
from tests.clients.links import Board
from tests.protocols.till_examples import BODIES, PICKED, SHEET, SLIP

Call = Callable[..., click.testing.Result]
ME = ("--as", "meera", "--password-file", "-")
WORD = "correct horse battery\n"
CASH = Cash([Pile(500, 2), Pile(100, 5)], 4_550, 154_550)


@pytest.mark.parametrize(
    ("line", "operation", "body"),
    [
        ("shift", "shifts.show", shifts.ShowShift()),
        ("shift c003", "shifts.show", shifts.ShowShift("C003")),
        ("shift open", "shifts.open", shifts.OpenShift()),
        ("shift open 500x2 100X5 coins 45.50", "shifts.open", shifts.OpenShift(CASH)),
        (
            "shift pickup 500x2 total 1,100",
            "shifts.pick_up",
            shifts.PickUpCash(Cash([Pile(500, 2)], 0, 110_000)),
        ),
        ("shift witness 3 1,000 c001", "shifts.witness", shifts.Witness(3, 100_000, "C001")),
        (
            "shift takeover 100x1",
            "shifts.take_over",
            shifts.TakeOver(Cash([Pile(100, 1)], 0, 10_000)),
        ),
        (
            "shift handover Bina 100x1 upi 1 5 reason a coin rolled away",
            "shifts.hand_over",
            shifts.HandOver(
                "bina",
                Cash([Pile(100, 1)], 0, 10_000),
                [ModeCount("UPI", 1, 500)],
                [],
                "a coin rolled away",
            ),
        ),
        (
            "shift close coins 3 cheque 2 1,500.50 tick c001/2026-27/4 C001/2026-27/5 at c002",
            "shifts.close",
            shifts.CloseShift(
                Cash([], 300, 300),
                [ModeCount("CHEQUE", 2, 150_050)],
                ["C001/2026-27/4", "C001/2026-27/5"],
                "",
                "C002",
            ),
        ),
        ("slip pending sd-101", "remittance.pending", remittance.AskPending("SD-101")),
        (
            "slip sort c001/2026-27/4 pnb Patna City",
            "remittance.sort",
            remittance.Sort([remittance.Cheque("C001/2026-27/4", "PNB", "Patna City")]),
        ),
        (
            "slip make SD-101 cash 100x1",
            "remittance.make",
            remittance.MakeSlip("SD-101", "CASH", cash=Cash([Pile(100, 1)], 0, 10_000)),
        ),
        (
            "slip make sd-101 cheque pnb outstation total 80",
            "remittance.make",
            remittance.MakeSlip("SD-101", "CHEQUE", "PNB", "OUTSTATION", total_paise=8_000),
        ),
        (
            "slip make SD-101 dd total 80",
            "remittance.make",
            remittance.MakeSlip("SD-101", "DD", total_paise=8_000),
        ),
        ("slip list SD-101 open", "remittance.slips", remittance.AskSlips("SD-101", waiting=True)),
        (
            "slip realise SD-101/2026-27/2 2026-04-03 UTR7 80 c001/2026-27/4",
            "remittance.realise",
            remittance.Realise("SD-101/2026-27/2", "2026-04-03", "UTR7", 8_000, ["C001/2026-27/4"]),
        ),
        (
            "paper register b0017 c001 501 600",
            "receipt_books.register",
            receipt_books.Register("B0017", "C001", 501, 600),
        ),
        (
            "paper enter b0017 501 2026-03-30 1234567890 500 cheque 204411",
            "receipt_books.enter",
            receipt_books.Enter(
                "B0017",
                [receipt_books.Leaf(501, "2026-03-30", "1234567890", 50_000, "CHEQUE", "204411")],
            ),
        ),
        (
            "paper spoilt B0017 502 torn in two",
            "receipt_books.enter",
            receipt_books.Enter("B0017", [], [receipt_books.Spoilt(502, "torn in two")]),
        ),
        (
            "paper close b0017 503 the line is up",
            "receipt_books.close",
            receipt_books.CloseBook("B0017", 503, "the line is up"),
        ),
        ("book 2026-04-01 HO c001", "days.cash_book", days.AskBook("2026-04-01", "HO", "C001")),
    ],
)
def test_what_is_typed_is_the_operation_it_means(line: str, operation: str, body: object) -> None:
    command = typed.read_line(line)
    assert isinstance(command, typed.Operate)
    assert (command.operation, command.body) == (operation, body)


@pytest.mark.parametrize(
    "line", ["shift open", "shift pickup", "shift close", "shift takeover", "slip make HO cash"]
)
def test_a_person_who_typed_no_cash_is_asked_for_it(line: str) -> None:
    command = typed.read_line(line)
    assert isinstance(command, typed.Operate)
    assert command.counts
    counted = typed.read_line(f"{line} 100x1")
    assert isinstance(counted, typed.Operate)
    assert not counted.counts


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("shift begin 500x2", "Say open, pickup, witness"),
        ("shift opn", "Did you mean 'open'?"),
        ("shift open 500", "'500' is no cash: write 500x2"),
        ("shift open ५१x2", "is no cash"),
        ("shift open coins 1_000", "'1_000' is not an amount"),
        ("shift witness 3", "'shift witness 3 1,000 [C001]'"),
        ("shift witness three 100", "'three' is not a number"),
        ("shift handover", "Say to whom"),
        ("shift handover bina 100x1 at C002", "at its own counter"),
        ("shift close 100x1 gold 1 5", "'gold' is not understood"),
        ("shift close 100x1 reason", "The reason is missing"),
        ("slip", "pending, sort, make"),
        ("slip make HO gold", "no kind of slip"),
        ("slip make HO cheque PNB local", "'total'"),
        ("slip realise HO/2026-27/1 2026-02-30 U 1", "There is no day 2026-02-30"),
        ("slip again", "Which one?"),
        ("book 2026-04-01", "the day and the office"),
        ("paper", "register, enter, spoilt"),
        ("paper enter", "Which book?"),
        ("paper enter B0017 501", "leaf, date, consumer and amount"),
        ("paper enter B0017 501 2026-03-30 1234567890 500 gold 1", "'gold' is no mode"),
        ("paper spoilt B0017 502", "the leaf and why"),
        ("paper close B0017", "the first leaf that was never used"),
    ],
)
def test_what_is_mistyped_is_taught(line: str, sentence: str) -> None:
    with pytest.raises(mistyped.Mistyped) as caught:
        typed.read_line(line)
    assert sentence in str(caught.value)


@pytest.mark.parametrize("name", BODIES)
def test_every_answer_prints_in_eighty_columns(name: str) -> None:
    text = till_paper.text_of(BODIES[name][1])
    assert max(map(len, text.splitlines())) <= 80, text


def test_a_closing_sheet_says_what_was_counted_and_what_is_missing() -> None:
    text = till_paper.text_of(SHEET)
    for words in ("CLOSING SHEET", "500 x      2", "Short", "Rs 0.50", "Reason: a coin short"):
        assert words in text
    assert "Pick-up 3, witnessed by meera" in text
    assert "No difference." in till_paper.text_of(replace(SHEET, difference_paise=0))
    assert "Handed over to bina" in till_paper.text_of(replace(SHEET, handed_to="bina"))
    still = till_paper.text_of(replace(SHEET, state="OPEN", limit_paise=50_000_00))
    assert "OPEN SHIFT" in still
    assert "Cash limit: Rs 50,000.00" in still
    assert "Counted" not in still


def test_a_waiting_pick_up_says_what_its_witness_types() -> None:
    text = till_paper.text_of(replace(PICKED, witness="", counter="C001"))
    line = text.partition("types: ")[2]
    assert typed.read_line(line) == typed.Operate(
        "shift", "shifts.witness", shifts.Witness(3, 100_000, "C001")
    )


def test_only_a_later_print_of_a_slip_says_duplicate() -> None:
    assert "DUPLICATE" not in till_paper.text_of(SLIP)
    assert "*** DUPLICATE ***" in till_paper.text_of(SLIP, again=True)


def test_an_officer_remits_at_the_command_line(call: Call, board: Board) -> None:
    board.answers["remittance_again"] = SLIP
    said = call("remit", "again", "SD-101/2026-27/42", *ME, stdin=WORD)
    assert said.exit_code == 0, said.output
    assert "*** DUPLICATE ***" in said.stdout
    board.answers["remittance_make"] = SLIP
    said = call("remit", "make", "sd-101", "dd", "total", "800", *ME, "--json", stdin=WORD)
    assert json.loads(said.stdout)["slip"]["slip"] == "SD-101/2026-27/42"
    said = call("remit", "make", "sd-101", "gold", *ME, stdin=WORD)
    assert (said.exit_code, "no kind of slip" in said.stderr) == (2, True)
    said = call("remit", "pending", "9", *ME, stdin=WORD)
    assert said.exit_code == 2
    board.answers["days_cash_book"] = BODIES["days.cash_book"][1]
    said = call("cash-book", "2026-04-01", "SD-101", *ME, stdin=WORD)
    assert "CASH BOOK" in said.stdout


def test_the_list_of_cheques_shows_each_whole() -> None:
    paper = "CHEQUE 208334 2026-11-24 SBI MALL-ROAD"
    one = shifts.Instrument("C001/2026-27/1234", "CHEQUE", paper, 165_366)
    text = till_paper.text_of(replace(SHEET, instruments=[one]))
    assert paper in text
    assert "1,653.66" in text
