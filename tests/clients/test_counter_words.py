"""What a clerk types, and what the counter prints: pure."""

from __future__ import annotations

import datetime as dt
from typing import Any, get_args

import pytest
from msgspec.structs import replace

from clients.counter import (
    leaf_words,
    mistyped,
    money_words,
    paper,
    slip_words,
    till_words,
    typed,
    work,
)
from clients.standing import Standing
from protocols import desk
from protocols.catalogue import consumers, days, payments
from protocols.catalogue.body import Nothing
from protocols.messages import Notice, Refusal

N = "1234567890"
RECEIPT = payments.Receipt(
    "C001/2026-27/42", "2026-04-01", "2026-04-01T05:32:00Z", N, "R K SHARMA", 12_345_678, "CHEQUE",
    "000123", "DUES", "asha",
)  # fmt: skip


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("", None),
        ("   # a remark", None),
        ("signin Asha", typed.SignInAs("asha")),
        (
            "find sharma r",
            typed.Operate("find", "consumers.find", consumers.Find("name", "sharma r")),
        ),
        (f"find {N}", typed.Operate("find", "consumers.find", consumers.Find("number", N))),
        ("find 98765", typed.Operate("find", "consumers.find", consumers.Find("mobile", "98765"))),
        ("find meter M1", typed.Operate("find", "consumers.find", consumers.Find("meter", "M1"))),
        (f"dues {N}", typed.Operate("dues", "consumers.dues", consumers.Dues(N))),
        (f"take {N} 1,240", typed.TakeMoney(N, 124_000, "CASH", "", "DUES", None)),
        (f"PAY {N} all", typed.TakeMoney(N, None, "CASH", "", "DUES", None)),
        (
            f"take {N} 10.50 cheque 000123 advance",
            typed.TakeMoney(N, 1_050, "CHEQUE", "000123", "ADVANCE", None),
        ),
        (
            f"take {N} 10 cheque 000123 2026-04-01 sbi mall-road for theft again",
            typed.TakeMoney(
                *(N, 1_000, "CHEQUE", "000123", "THEFT", None),
                *("2026-04-01", "SBI", "MALL-ROAD", True),
            ),
        ),
        (f"take {N} 10 given 500", typed.TakeMoney(N, 1_000, "CASH", "", "DUES", 50_000)),
        ("mine 5", typed.Operate("mine", "payments.mine", payments.Mine(5))),
        (
            "cancel c001/2026-27/4 wrong man",
            typed.Operate(
                "cancel", "payments.cancel", payments.Cancel("C001/2026-27/4", "wrong man")
            ),
        ),
        (
            "verify c001 2026-04-01 c001/2026-27/4",
            typed.Operate(
                "verify",
                "payments.verify",
                payments.Verify("C001", "2026-04-01", ["C001/2026-27/4"]),
            ),
        ),
        ("day open 2026-04-01", typed.Operate("day", "days.open", days.OpenDay("2026-04-01"))),
        (
            "day close 2026-04-01 anyway",
            typed.Operate("day", "days.close", days.CloseDay("2026-04-01", confirmed=True)),
        ),
        ("day close 2026-04-01", typed.Operate("day", "days.close", days.CloseDay("2026-04-01"))),
        ("day today", typed.Operate("day", "days.today", Nothing())),
        ("again", typed.Reprint("")),
        ("help take", typed.Do("help", "take")),
        ("?", typed.Do("help")),
        ("exit", typed.Do("quit")),
        (
            'find "half a quote',
            typed.Operate("find", "consumers.find", consumers.Find("name", '"half a quote')),
        ),
    ],
)
def test_a_line_is_understood(line: str, command: typed.Command | None) -> None:
    assert typed.read_line(line) == command


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("tak 1 2", "There is no command 'tak'. Did you mean 'take'?"),
        ("xyzzy", "Type 'help' for all commands."),
        ("take", "Usage: take NUMBER AMOUNT"),
        (f"take {N}", "The amount is missing"),
        (f"take {N} ١٢", "'١٢' is not an amount."),
        (f"take {N} 1_000", "'1_000' is not an amount."),
        (f"take {N} 12.345", "'12.345' is not an amount."),
        (f"take {N} 100 given 50", "less than the amount"),
        (f"take {N} 100 gold", "'gold' is not understood."),
        (f"take {N} 100 given", "Example: take"),
        ("signin", "Usage: signin USER"),
        ("signin asha secret", "'secret' is too much."),
        ("mine many", "'many' is not a number."),
        ("cancel C001/2026-27/4", "The reason is missing"),
        ("day", "Usage: day open|close DATE"),
        ("day open 2026-02-30", "There is no day 2026-02-30; a day is written 2026-04-01."),
        ("verify C001 2026-13-45", "There is no day 2026-13-45"),
        ("day open", "Say 'day open DATE'"),
        ("x" * 501, "longer than 500"),
    ],
)
def test_what_is_mistyped_is_taught(line: str, sentence: str) -> None:
    with pytest.raises(mistyped.Mistyped) as caught:
        typed.read_line(line)
    assert sentence in str(caught.value)


def test_every_commands_example_is_one() -> None:
    for word in typed.WORDS.values():
        assert typed.read_line(word.example) is not None
        assert word.usage in typed.help_text(word.usage.split()[0])
    assert all(name in typed.help_text() for name in typed.WORDS)


def test_a_receipt_is_80_columns_and_only_a_later_one_says_duplicate() -> None:
    first = paper.receipt_text(RECEIPT, duplicate=False)
    later = paper.receipt_text(RECEIPT, duplicate=True)
    assert max(map(len, first.splitlines())) == 80
    assert "C001/2026-27/42" in first
    assert "Rs 1,23,456.78" in first
    assert "CHEQUE 000123" in first
    assert "DUPLICATE" not in first
    assert "*** DUPLICATE ***" in later
    assert first.isascii()


def test_a_receipt_says_the_time_of_the_wall_with_its_zone() -> None:
    wall = dt.timezone(dt.timedelta(hours=5, minutes=30), "IST")
    text = paper.receipt_text(RECEIPT, duplicate=False, zone=wall)
    assert "Time:  01 Apr 11:02:00 IST" in text
    nameless = dt.timezone(dt.timedelta(hours=5, minutes=30))
    long = paper.receipt_text(RECEIPT, duplicate=False, zone=nameless)
    assert max(map(len, long.splitlines())) == 80


@pytest.mark.parametrize(
    ("paise", "text"),
    [
        (26_000, "CHANGE DUE: Rs 260.00   (1 x 200, 1 x 50, 1 x 10)"),
        (150, "CHANGE DUE: Rs 1.50   (1 x 1 and 50 paise)"),
        (0, "CHANGE DUE: Rs 0.00"),
    ],
)
def test_change_is_told_in_notes(paise: int, text: str) -> None:
    assert paper.change_text(paise) == text


@pytest.mark.parametrize("word", [name for name, one in typed.WORDS.items() if one.forms])
def test_every_form_that_help_shows_can_be_typed(word: str) -> None:
    for form, does in typed.WORDS[word].forms:
        assert form in typed.help_text(word)
        assert does in typed.help_text(word)
        assert typed.read_line(form) is not None


@pytest.mark.parametrize("module", [slip_words, till_words, money_words, leaf_words])
def test_help_leaves_no_verb_out(module: Any) -> None:
    shown = {form.split()[1] for form, _ in module.FORMS if " " in form}
    assert shown == set(module.VERBS)


def test_my_receipts_stand_in_their_columns_in_every_mode() -> None:
    rows = [replace(RECEIPT, mode=mode) for mode in get_args(payments.Mode)]
    lines = paper.mine_text(payments.Receipts(rows, len(rows), 1)).splitlines()[:-1]
    assert len({line.index("Rs ") for line in lines}) == 1
    assert max(map(len, lines)) <= 80


def test_nothing_payable_says_what_can_be_taken() -> None:
    dues = consumers.DuesAnswer(N, "A", [], 0, 100, -100)
    assert "has paid Rs 1.00 ahead" in paper.nothing_payable(dues, "DUES")
    assert f"'take {N} AMOUNT for advance'" in paper.nothing_payable(dues, "DUES")
    assert "ahead" not in paper.nothing_payable(dues, "THEFT")


def test_what_is_found_and_owed_fits_the_screen() -> None:
    row = consumers.Consumer(N, "A" * 60, "B" * 60, "DS", "M", "", 1, 10_000_000_000_00)
    found = paper.found_text(consumers.Found([row], more=True))
    assert max(map(len, found.splitlines())) <= 80
    assert "There are more" in found
    assert "Try fewer letters" in paper.found_text(consumers.Found([], more=False))
    heads = [consumers.HeadDue("CURRENT", 100)]
    dues = consumers.DuesAnswer(
        N, "A", heads, 100, 40, 60, "C001/2026-27/1", 40, "2026-04-01T05:32:00Z"
    )
    text = paper.dues_text(dues, dt.timezone(dt.timedelta(hours=5.5), "IST"))
    assert "Paid, not verified" in text
    assert "Last paid Rs 0.40 on 01 Apr 11:02:00 IST, receipt C001/2026-27/1." in text


class Screen:
    """What a person is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def talk(self, text: str) -> None:
        self.told.append(text)


def test_the_same_words_about_the_line_are_not_a_flood(monkeypatch: pytest.MonkeyPatch) -> None:
    screen: Any = Screen()
    counter = work.Counter(screen, "C001")
    now_s = 100.0
    monkeypatch.setattr("clients.counter.work.time.monotonic", lambda: now_s)
    for trouble in ("refused", "timed out", "refused"):
        counter.standing_changed(Standing(desk.State.SEEKING, "", 1, trouble))
    assert screen.told == ["saved, confirming… (1 waiting)"]
    counter.standing_changed(Standing(desk.State.SEEKING, "", 2))
    assert screen.told[1:] == ["saved, confirming… (2 waiting)"]
    now_s += work.REPEAT_S
    counter.standing_changed(Standing(desk.State.PROBING, "", 2))
    assert len(screen.told) == 3
    counter.standing_changed(Standing(desk.State.READY, "h:1", 0))
    counter.standing_changed(Standing(desk.State.SEEKING, "", 1))
    assert len(screen.told) == 4


def test_a_notice_is_said_and_who_is_displaced_reads_which_counter() -> None:
    screen: Any = Screen()
    counter = work.Counter(screen, "C001")
    counter.notice(Notice("displaced", "another"))
    counter.notice(Notice("signed_out", "over"))
    counter.notice(Refusal(3, "FAULT", "A fault (id 1). Tell operations the id.", False))
    displaced, fault = screen.told
    assert displaced == (
        "Counter C001 is now used by another program; close one of them. What was saved here is"
        " kept; this one tries again in 30 s, or at once when somebody signs in."
    )
    assert fault == "Notice: A fault (id 1). Tell operations the id."
