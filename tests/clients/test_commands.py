"""The commands of an administrator and a bank: what is sent, what is said, how it ends."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click.testing
import pytest

from clients.asking import ATTEMPTS, Declined, NoPrimary, NotReachable
from clients.bank.scroll import parse_scroll, parts
from clients.journal import JournalError
from clients.ops.sample import sample_consumers
from protocols.catalogue.banking import Post
from protocols.catalogue.consumers import Load
from protocols.catalogue.security import (
    AddCounter,
    AddUser,
    CounterAdded,
    DisableUser,
    SessionRow,
    Sessions,
    UserAdded,
    UserDisabled,
)
from protocols.operation import Role
from protocols.refusals import Refused
from tests.clients.links import Board

Call = Callable[..., click.testing.Result]
CallJson = Callable[..., Any]
WORD = "correct horse battery\n"
BY_STDIN = ("--password-file", "-")


def scroll_file(folder: Path, count: int = 3, amount: str = "10.00") -> Path:
    lines = [
        f"D,R{n},{'X' if n % 500 == 0 else '1000000001'},{amount},2026-04-01" for n in range(count)
    ]
    total = float(amount) * count
    path = folder / "scroll.csv"
    path.write_text("\n".join(["H,SBI,S1,2026-04-01", *lines, f"T,{count},{total:.2f}"]))
    return path


@pytest.fixture
def consumers(tmp_path: Path) -> Path:
    path = tmp_path / "consumers.csv"
    path.write_bytes(sample_consumers(1100, 1))
    return path


def test_loading_is_cut_into_requests_and_harmless_to_repeat(
    call: Call, call_json: CallJson, board: Board, consumers: Path
) -> None:
    words = ("admin", "load", "consumers", str(consumers), "--as-of", "2026-04-01", *BY_STDIN)
    first = call_json(*words, stdin=WORD)
    loads = [body for _, body in board.said if isinstance(body, Load)]
    assert [len(body.rows) for body in loads] == [500, 500, 100]
    assert board.said[0] == ("sign in", "admin")
    assert (first["version"], first["added"], first["already"]) == (1, 1100, 0)
    assert first["dues_paise"] == sum(sum(r.dues.values()) for body in loads for r in body.rows)
    again = call(*words, stdin=WORD)
    assert again.stdout == "added 0 · already there 1,100 · dues Rs 0.00\n"
    assert len(board.kept) == 3


def test_a_corrected_file_is_other_work(call: Call, board: Board, consumers: Path) -> None:
    words = ("admin", "load", "consumers", str(consumers), "--as-of", "2026-04-01", *BY_STDIN)
    call(*words, stdin=WORD)
    consumers.write_bytes(sample_consumers(1100, 2))
    assert call(*words, stdin=WORD).exit_code == 0
    assert call(*words[:5], "2026-04-02", *BY_STDIN, stdin=WORD).exit_code == 0
    assert len(board.kept) == 9


def test_a_dry_run_reaches_nobody(call: Call, board: Board, consumers: Path) -> None:
    said = call("admin", "load", "consumers", str(consumers), "--dry-run")
    assert said.stdout.startswith("1,100 consumers with dues of Rs ")
    assert said.stdout.endswith(": the file is right. Nothing was loaded (dry run).\n")
    assert board.settings == []


def test_a_flawed_consumer_file_is_refused_before_a_password_is_asked(
    call: Call, board: Board, tmp_path: Path
) -> None:
    path = tmp_path / "c.csv"
    path.write_bytes(sample_consumers(1, 1) + b"1,2\n")
    said = call("admin", "load", "consumers", str(path))
    assert said.exit_code == 5
    assert said.stderr == f"{path}:\nline 3: has 2 columns instead of 14.\nNothing was loaded.\n"
    assert board.settings == []


def test_a_wrong_date_is_a_usage_error(call: Call, consumers: Path) -> None:
    said = call("admin", "load", "consumers", str(consumers), "--as-of", "1.4.2026")
    assert said.exit_code == 2
    assert "as_of: '1.4.2026' is not written as it must be, as ISO date, 2026" in said.stderr


def test_a_user_is_added_with_passwords_from_files(
    call: Call, board: Board, tmp_path: Path
) -> None:
    new = tmp_path / "new"
    new.write_text("nobody guesses this e\u0301\n")
    board.answers["security_add_user"] = UserAdded("asha", "clerk")
    words = ("admin", "add", "user", "asha", "--person", "E1042", "--role", "clerk")
    said = call(*words, "--new-password-file", str(new), *BY_STDIN, stdin=WORD)
    assert said.stdout == "added asha as clerk\n"
    body = AddUser("asha", "E1042", Role.CLERK, "nobody guesses this \u00e9")
    assert board.said[-1] == ("security.add_user", body)


def test_a_user_is_added_with_passwords_from_the_prompt(call: Call, board: Board) -> None:
    board.answers["security_add_user"] = UserAdded("asha", "clerk")
    words = ("admin", "add", "user", "asha", "--person", "E1042", "--role", "clerk")
    said = call(*words, stdin=f"a new password\na new password\n{WORD}")
    assert said.stdout == "added asha as clerk\n"
    assert "a new password" not in said.output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ("admin", "add", "user", "Asha", "--person", "A", "--role", "clerk"),
            "user: 'Asha' is not written",
        ),
        (("admin", "add", "user", "asha", "--person", "A", "--role", "king"), "'king' is not one"),
        (("admin", "add", "counter", "c1", "--office", "North"), "counter: 'c1' is not written"),
        (("admin", "disable", "user", "asha", "--reason", "x"), "reason: at least 3"),
        (("admin", "add", "user", "asha", "--password", "secret"), "There is no option --password"),
    ],
)
def test_a_wrong_word_is_a_usage_error_and_asks_no_password(
    call: Call, board: Board, words: tuple[str, ...], sentence: str
) -> None:
    said = call(*words)
    assert said.exit_code == 2
    assert sentence in said.stderr
    assert "Password" not in said.stderr
    assert board.settings == []


def test_counters_users_and_sessions(call: Call, call_json: CallJson, board: Board) -> None:
    board.answers = {
        "security_add_counter": CounterAdded("SBI", "HO", "BANK"),
        "security_disable_user": UserDisabled("asha", 2),
        "security_sessions": Sessions(
            [SessionRow("asha", "clerk", "counter/C001", "2026-04-01T10:00:00Z")]
        ),
    }
    words = ("admin", "add", "counter", "SBI", "--office", "HO", "--bank", *BY_STDIN)
    assert call(*words, stdin=WORD).stdout == "added bank SBI of HO\n"
    assert board.said[-1][1] == AddCounter("SBI", "HO", "BANK")
    leave = ("admin", "disable", "user", "asha", "--reason", "left the board", *BY_STDIN)
    assert call(*leave, stdin=WORD).stdout == "disabled asha, 2 session(s) ended\n"
    assert board.said[-1][1] == DisableUser("asha", "left the board")
    got = call_json("admin", "sessions", "--as", "oper", *BY_STDIN, stdin=WORD)
    assert got["sessions"][0]["subject"] == "counter/C001"
    assert ("sign in", "oper") in board.said
    assert "asha             clerk" in call("admin", "sessions", *BY_STDIN, stdin=WORD).stdout


@pytest.mark.parametrize(
    ("wrong", "code", "sentence"),
    [
        (Declined("ROLE", "Not yours."), 5, "ROLE: Not yours.\n"),
        (NotReachable("timed out"), 3, "No server answers at 127.0.0.1:"),
        (NoPrimary("both are standby"), 4, "Neither of 127.0.0.1:"),
    ],
)
def test_each_ending_has_its_exit_code(
    call: Call, board: Board, wrong: Exception, code: int, sentence: str
) -> None:
    board.answers["security_sessions"] = wrong
    said = call("admin", "sessions", *BY_STDIN, stdin=WORD)
    assert said.exit_code == code
    assert said.stderr.startswith(sentence)
    assert said.stdout == ""


def test_a_wrong_password_is_refused(call: Call) -> None:
    said = call("admin", "sessions", *BY_STDIN, stdin="wrong\n")
    assert said.exit_code == 5
    assert said.stderr.startswith("SIGN_IN_FAILED: User name or password is wrong.")


@pytest.mark.parametrize("content", ["", "\n", "one\ntwo\n", "x" * 2000])
def test_a_password_file_holds_one_line(call: Call, tmp_path: Path, content: str) -> None:
    path = tmp_path / "p"
    path.write_text(content)
    said = call("admin", "sessions", "--password-file", str(path))
    assert said.exit_code == 1
    assert said.stderr == f"The password file {path} must hold one line, the password.\n"


def test_a_scroll_is_posted_with_the_banks_certificate_and_without_sign_in(
    call: Call, board: Board, home: Path, tmp_path: Path
) -> None:
    said = call("bank", "post", str(scroll_file(tmp_path, 1100)))
    assert said.stdout == "matched 1,097 · suspense 3\n"
    assert board.settings[0].tls.certificate == home / "pki" / "bank-SBI.crt"
    assert [name for name, _ in board.said] == ["banking.post"] * 3
    assert sorted(key.sequence for key in board.kept) == [1, 2, 3]


def test_a_scroll_posted_again_says_so_and_posts_nothing(
    call: Call, call_json: CallJson, board: Board, tmp_path: Path
) -> None:
    path = scroll_file(tmp_path, 1100)
    call("bank", "post", str(path))
    said = call("bank", "post", str(path))
    assert said.stdout == (
        "matched 1,097 · suspense 3 · already posted, nothing was posted twice\n"
    )
    assert len(board.said) == 3
    got = call_json("bank", "post", str(path))
    assert (got["already"], got["matched_paise"], got["suspense_paise"]) == (3, 1097000, 3000)


def test_a_scroll_cut_in_the_middle_is_completed(call: Call, board: Board, tmp_path: Path) -> None:
    path = scroll_file(tmp_path, 1100)
    call("bank", "post", str(path))
    del board.kept[next(key for key in board.kept if key.sequence == 3)]
    said = call("bank", "post", str(path))
    assert said.stdout.endswith("· 2 of 3 parts were already posted\n")
    assert board.said[-1][1] == parts(parse_scroll(path.read_bytes()))[2]


def test_the_same_scroll_with_other_content_is_refused(call: Call, tmp_path: Path) -> None:
    call("bank", "post", str(scroll_file(tmp_path)))
    said = call("bank", "post", str(scroll_file(tmp_path, amount="11.00")))
    assert said.exit_code == 5
    assert said.stderr == (
        "SCROLL_KNOWN: The scroll S1 was already posted with another content. Nothing was posted.\n"
    )


@pytest.mark.parametrize("times", [1, 3])
def test_a_refused_scroll_is_posted_once_its_cause_is_cured(
    call: Call, board: Board, tmp_path: Path, times: int
) -> None:
    path = scroll_file(tmp_path, 1100)
    board.refusing = Refused("DAY_NOT_OPEN")
    for _ in range(times):
        assert call("bank", "post", str(path)).stderr.startswith("DAY_NOT_OPEN: ")
    board.refusing = None
    assert call("bank", "post", str(path)).stdout == "matched 1,097 · suspense 3\n"
    assert call("bank", "post", str(path)).stdout.endswith(
        "already posted, nothing was posted twice\n"
    )
    assert len([body for _, body in board.said if isinstance(body, Post)]) == 3


def test_a_corrected_last_part_completes_a_scroll(call: Call, board: Board, tmp_path: Path) -> None:
    path = scroll_file(tmp_path, 1100)
    call("bank", "post", str(path))
    for place in [place for place in board.scrolls if place[1] == 3]:
        del board.scrolls[place]
    last = path.read_text().splitlines()[-2]
    path.write_text(path.read_text().replace(last, last.replace("R1099", "R9999")))
    assert call("bank", "post", str(path)).stdout.endswith("· 2 of 3 parts were already posted\n")


def test_a_refused_file_is_not_tried_for_ever(call: Call, board: Board, tmp_path: Path) -> None:
    path = scroll_file(tmp_path)
    board.refusing = Refused("DAY_NOT_OPEN")
    for _ in range(ATTEMPTS + 2):
        assert call("bank", "post", str(path)).exit_code == 5
    assert len(board.kept) == ATTEMPTS


def test_a_refused_load_is_done_once_its_cause_is_cured(
    call: Call, board: Board, consumers: Path
) -> None:
    words = ("admin", "load", "consumers", str(consumers), "--as-of", "2026-04-01", *BY_STDIN)
    board.refusing = Refused("CONSUMER_EXISTS", consumer="1000000001")
    assert call(*words, stdin=WORD).exit_code == 5
    board.refusing = None
    assert call(*words, stdin=WORD).stdout.startswith("added 1,100 · already there 0 · ")
    assert call(*words, stdin=WORD).stdout.startswith("added 0 · already there 1,100 · ")


def test_a_wrong_scroll_reaches_nobody(call: Call, board: Board, tmp_path: Path) -> None:
    path = scroll_file(tmp_path)
    path.write_text(path.read_text().replace("T,3,30.00", "T,3,31.00"))
    said = call("bank", "post", str(path))
    assert said.exit_code == 5
    assert said.stderr == (
        f"{path}:\nline 5, column total: says 31.00, the lines sum to 30.00.\nNothing was posted.\n"
    )
    assert board.settings == []


def test_a_dry_run_posts_nothing(call_json: CallJson, board: Board, tmp_path: Path) -> None:
    got = call_json("bank", "post", str(scroll_file(tmp_path)), "--dry-run")
    assert (got["lines"], got["total_paise"], got["dry_run"]) == (3, 3000, True)
    assert board.settings == []


def test_a_bank_without_a_certificate_is_told_so(call: Call, home: Path, tmp_path: Path) -> None:
    path = scroll_file(tmp_path)
    path.write_text(path.read_text().replace("H,SBI", "H,UCO"))
    said = call("bank", "post", str(path))
    assert said.exit_code == 1
    assert said.stderr == (
        f"{home}/pki: tls.certificate: there is no bank certificate for UCO with its key"
        " (found: bank-PNB, bank-SBI).\n"
    )


def test_keys_differ_by_bank_and_scroll(call: Call, board: Board, tmp_path: Path) -> None:
    path = scroll_file(tmp_path)
    for old, new in [("", ""), ("H,SBI", "H,PNB"), (",S1,", ",S2,")]:
        path.write_text(path.read_text().replace(old, new) if old else path.read_text())
        assert call("bank", "post", str(path)).exit_code == 0
    assert len(board.kept) == 3
    assert all(isinstance(body, Post) for _, body in board.said)


NO_TEXT = b"\xff\xfe not text"


@pytest.mark.parametrize(
    "words",
    [
        ("admin", "sessions"),
        ("counter", "--counter", "C001", "--user", "asha"),
        ("cluster", "bootstrap", "--admin", "asha"),
    ],
)
def test_a_password_file_that_is_no_text_is_a_sentence(
    call: Call, tmp_path: Path, words: tuple[str, ...]
) -> None:
    (tmp_path / "pw").write_bytes(NO_TEXT)
    said = call(*words, "--password-file", str(tmp_path / "pw"))
    assert said.exit_code == 1, said.output
    assert said.stderr.startswith(f"The password file {tmp_path / 'pw'} cannot be read (")


@pytest.mark.parametrize("words", [("admin", "sessions"), ("cluster", "bootstrap", "--admin", "a")])
def test_without_a_terminal_the_password_file_is_named(call: Call, words: tuple[str, ...]) -> None:
    said = call(*words, stdin="")
    assert said.exit_code == 2
    assert "There is no terminal to ask for a password: give it in a file" in said.stderr


def test_a_hand_over_without_a_reason_is_not_asked(call: Call) -> None:
    said = call("cluster", "handover", "--reason", " ")
    assert (said.exit_code, said.stderr) == (
        2,
        "The history needs a reason: --reason 'on battery'.\n",
    )


def test_a_journal_that_cannot_be_used_is_a_sentence(
    call: Call, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = JournalError("The journal cannot be used.")

    async def submit(*_: Any) -> Any:
        raise wrong

    monkeypatch.setattr(board, "submit", submit)
    words = ("admin", "add", "counter", "C001", "--office", "HO", *BY_STDIN)
    said = call(*words, stdin=WORD)
    assert (said.exit_code, said.stderr) == (1, f"{wrong}\n")
