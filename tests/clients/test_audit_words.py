"""``mpower audit`` as a person meets it; what a proof finds is tested on a real database."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click.testing
import pytest
from msgspec.structs import replace

from protocols.catalogue import audit as words
from protocols.checkpoints import Checkpoint, leaf_of, line_of, private_key, signed
from protocols.merkle import Tree, grown, root
from tests.clients.links import Board
from tests.protocols.examples import AT

Call = Callable[..., click.testing.Result]
WORD = "correct horse battery\n"
BY_STDIN = ("--password-file", "-")
ENTRY = words.Entry(
    *(AT, (3 << 40) + 17, 2, 2, "security.disable_user", "DONE", "adil", "E1001", "admin"),
    *("ops/desk", "10.0.0.9:4711", "", "0-0/7", "bina"),
    '{"before":{"disabled":""},"after":{"disabled":"left"},"user":"bina"}',
    "left the board",
)


@pytest.fixture
def sealed(home: Path, board: Board, tmp_path: Path) -> Path:
    """A board of one signed head, and a file that holds its checkpoint."""
    tree = grown(Tree(), [leaf_of(1, b"h" * 32)])
    key = private_key((home / "secrets" / "audit.key").read_bytes())
    made = signed(key, "board", Checkpoint(1, root(tree), AT, 1))
    board.answers |= {
        "audit_state": words.State(1, 1, made),
        "audit_links": words.Proven(1, 1, 3, True),
        "audit_tree": words.Climbed(1, list(tree.peaks), 1, True),
    }
    file = tmp_path / "kept.jsonl"
    file.write_text(line_of(made) + "\n" + '{"end":{}}' + "\n")
    return file


def cluster_of(home: Path) -> str:
    from config.load import load_client

    return load_client(home, {}).cluster


def test_a_proof_says_what_it_saw_and_what_it_was_compared_with(
    call: Call, sealed: Path, home: Path, board: Board
) -> None:
    resign(board, sealed, home)
    said = call("audit", "verify", "--against", str(sealed), *BY_STDIN, stdin=WORD)
    assert said.exit_code == 0, said.output
    assert "3 entries in 1 link: all as written." in said.stdout
    assert "checked here by your own key" in said.stdout
    assert "kept.jsonl, line 1" in said.stdout
    asked = ("audit", "verify", "--against", str(sealed), "--json", *BY_STDIN)
    got = json.loads(call(*asked, stdin=WORD).stdout)
    assert (got["ok"], got["entries"], got["checkpoints"], got["first_bad"]) == (True, 3, 1, None)


def resign(board: Board, sealed: Path, home: Path) -> None:
    """Sign for the cluster that the settings name."""
    state = board.answers["audit_state"]
    key = private_key((home / "secrets" / "audit.key").read_bytes())
    made = signed(key, cluster_of(home), state.newest)
    board.answers["audit_state"] = replace(state, newest=made)
    sealed.write_text(line_of(made) + "\n")


def test_the_first_bad_entry_is_named_and_the_command_fails(
    call: Call, sealed: Path, home: Path, board: Board
) -> None:
    resign(board, sealed, home)
    trouble = words.Trouble(0, 17, 2, "a row was changed")
    board.answers["audit_links"] = words.Proven(17, 17, 40, True, trouble)
    said = call("audit", "verify", "--against", str(sealed), *BY_STDIN, stdin=WORD)
    assert said.exit_code == 1
    assert "BAD: chain 0, link 17, entry 2: a row was changed" in said.stdout
    assert "The audit is NOT as it was written" in said.stderr


def test_a_checkpoint_of_another_board_is_not_taken(call: Call, sealed: Path) -> None:
    said = call("audit", "verify", "--against", str(sealed), *BY_STDIN, stdin=WORD)
    assert said.exit_code == 1
    assert "was not signed by this board's key" in said.stdout


@pytest.mark.parametrize(
    ("content", "why"), [('{"leaf":0}\n', "holds no checkpoint"), ("{\n", "line 1")]
)
def test_a_file_without_checkpoints_proves_nothing(
    call: Call, tmp_path: Path, content: str, why: str
) -> None:
    file = tmp_path / "x"
    file.write_text(content)
    said = call("audit", "verify", "--against", str(file), *BY_STDIN, stdin=WORD)
    assert said.exit_code == 1
    assert why in said.stderr
    assert "Nothing was proven" in said.stderr


def test_a_file_that_is_no_export_is_said_so(call: Call, tmp_path: Path, home: Path) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text('{"leaf":0}\n')
    said = call("audit", "verify", str(file))
    assert said.exit_code == 1
    assert "no export of an audit" in said.stdout
    assert "This file is NOT an export" in said.stderr
    with_key = call("audit", "verify", str(file), "--key", str(home / "pki" / "audit.pub"))
    assert with_key.exit_code == 1
    wrong_key = call("audit", "verify", str(file), "--key", str(home / "pki" / "ca.crt"))
    assert "cannot be used" in wrong_key.stderr


def test_an_entry_reads_who_what_before_after_why_and_where(call: Call, board: Board) -> None:
    board.answers["audit_show"] = words.Entries([ENTRY], True)
    said = call("audit", "show", "--user", "adil", "--from", "2026-04-01", *BY_STDIN, stdin=WORD)
    assert said.exit_code == 0, said.output
    for part in (
        "security.disable_user  DONE  adil (E1001) admin",
        "about bina",
        "disabled: — → left",
        "because left the board",
        "at ops/desk 10.0.0.9:4711 · request 0-0/7 · term 2 · link 3/17.2",
    ):
        assert part in said.stdout
    asked: Any = board.said[-1][1]
    assert (asked.user, asked.since[:10]) == ("adil", "2026-04-01")
    more = {"former": "ab", "callers": {"10.0.0.7": 3}, "others": 2, "before": "x", "list": [1]}
    board.answers["audit_show"] = words.Entries([replace(ENTRY, details=json.dumps(more))], True)
    said = call("audit", "show", *BY_STDIN, stdin=WORD)
    for part in ("with former ab · list [1]", "3 × 10.0.0.7", "2 × others", "\n1 entry."):
        assert part in said.output
    board.answers["audit_show"] = words.Entries([ENTRY], True)
    line = call("audit", "show", "--json", *BY_STDIN, stdin=WORD).stdout
    assert json.loads(line)["details"]["after"] == {"disabled": "left"}
    assert call("audit", "show", "--from", "soon", *BY_STDIN, stdin=WORD).exit_code == 2


def test_who_was_refused_at_the_door_is_shown_with_how_often_and_from_where(
    board: Board, call: Call
) -> None:
    said = {"times": 7, "callers": {"counter/C5 at 10.0.0.7": 2, "10.0.0.9": 4}, "others": 1}
    refused = replace(
        ENTRY, what="connection.refused", user="", person="", details=json.dumps(said)
    )
    board.answers["audit_show"] = words.Entries([refused], True)
    shown = call("audit", "show", *BY_STDIN, stdin=WORD).stdout
    for part in ("nobody", "    4 × 10.0.0.9\n    2 × counter/C5 at 10.0.0.7\n    1 × others\n"):
        assert part in shown


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        (("show", "--receipt", "C001-42"), "'C001-42' is not written as it must be"),
        (
            ("show", "--operation", "Payments"),
            "'Payments' is not written as it must be, as [a-z_.]*.",
        ),
        (("show", "--receipt", "C001/2026-27/42", "--object", "bina"), "are one filter"),
        (("export", "--reason", "x"), "reason: at least 3 characters, 'x' has 1"),
        (("export", "--reason", "x" * 201), "reason: at most 200 characters"),
        (("verify", "FILE", "--against", "witness"), "FILE is proven by itself"),
    ],
)
def test_what_is_typed_wrong_is_said_before_a_password_is_asked(
    call: Call, board: Board, tmp_path: Path, typed: tuple[str, ...], why: str
) -> None:
    file = tmp_path / "export.jsonl"
    file.touch()
    words_ = [str(file) if one == "FILE" else one for one in typed]
    said = call("audit", *words_, *BY_STDIN, stdin=WORD)
    assert said.exit_code == 2
    assert why in said.stderr
    assert board.said == []


def test_nothing_found_says_how_names_are_written(call: Call, board: Board) -> None:
    board.answers["audit_show"] = words.Entries([], True)
    said = call("audit", "show", "--user", "nobody", *BY_STDIN, stdin=WORD)
    assert said.exit_code == 0
    assert "There is no such entry. Names are whole" in said.stderr
