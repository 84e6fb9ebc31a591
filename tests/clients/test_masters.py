"""A master as a file, and its verbs as a person meets them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import click.testing
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.columns import FileRefused
from clients.ops.master_files import described, difference, read_rows, written
from protocols.catalogue import CATALOGUE
from protocols.catalogue.masters import ChangeMaster, ListMaster, MasterName, MasterRow, MasterRows
from protocols.masters import MASTERS, fields_of
from tests.clients.links import Board
from tests.protocols import examples

Call = Callable[..., click.testing.Result]
WORD = "correct horse battery\n"
BY_STDIN = ("--password-file", "-")
HEAD = {"code": "METER", "name": "Meter rent", "owner": "BOARD"}
DUTY = {"code": "DUTY", "name": "Duty", "owner": "STATE"}
WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=30).filter(
    lambda text: text == text.strip() and "\u2028" not in text
)


def test_every_master_can_be_asked_for() -> None:
    assert set(get_args(MasterName)) == set(MASTERS)
    assert CATALOGUE.get("masters.change") is not None


@given(st.lists(WORDS, min_size=1, max_size=5))
def test_what_is_written_is_read_again(words: list[str]) -> None:
    rows = [{**HEAD, "code": f"H{n}", "name": text} for n, text in enumerate(words)]
    for name in ("heads.csv", "heads.yaml"):
        assert read_rows("charge_heads", name, written("charge_heads", rows, name)) == rows


def test_a_spreadsheet_carries_nothing_out() -> None:
    begun = ("=1+1", "+x", "-x", "@x", "\t=1+1", "\r=1+1")
    rows = [{**HEAD, "name": text} for text in begun]
    data = written("charge_heads", rows, "x.csv").decode("utf-8-sig")
    cells = [row[1] for row in csv.reader(io.StringIO(data, newline=""))]
    assert cells[1:] == [f"'{text}" for text in begun]


@pytest.mark.parametrize(
    ("name", "text", "flaw"),
    [
        ("x.csv", "code,name\nA,B\n", "line 1: the columns must be code,name,owner"),
        ("x.csv", "code,name,owner\nA,B\n", "line 2: has 2 fields, 3 are wanted"),
        ("x.csv", "code,name,owner\nA,B,KING\n", "line 2: A: owner: invalid enum value"),
        ("x.csv", "code,name,owner\nA,B,BOARD\nA,C,BOARD\n", "line 3: A is there twice"),
        ("x.csv", "code,name,owner\n", "the file has no rows"),
        ("x.csv", "", "the file has no rows"),
        ("x.yaml", "code: A\n", "a YAML master is a list of rows"),
        ("x.yaml", "- {code: A, name: B}\n", "A: owner is missing"),
        ("x.yaml", "- !!python/object:os.system {}\n", ""),
    ],
)
def test_a_file_is_refused_whole_with_its_flaws(name: str, text: str, flaw: str) -> None:
    with pytest.raises(FileRefused) as refused:
        read_rows("charge_heads", name, text.encode())
    assert flaw in str(refused.value)


def test_a_difference_says_what_would_change() -> None:
    stands = {"METER": HEAD, "OLD": {**HEAD, "code": "OLD"}}
    rows = [{**HEAD, "name": "Meter"}, DUTY]
    found = difference("charge_heads", rows, stands, whole=True)
    assert described("charge_heads", found, stands) == [
        "~ METER: name: Meter rent → Meter",
        "+ DUTY: name Duty, owner STATE",
        "- OLD",
    ]
    part = difference("charge_heads", [HEAD], stands, whole=False)
    assert (part.put, part.ended, part.same) == ([], [], ["METER"])


def test_a_file_becomes_one_request_of_its_difference(
    call: Call, board: Board, tmp_path: Path
) -> None:
    board.answers = {
        "masters_list": MasterRows(
            "charge_heads", "2027-04-01", [MasterRow("METER", "2026-04-01", HEAD)]
        ),
        "masters_change": examples.PENDING,
    }
    file = tmp_path / "heads.csv"
    file.write_bytes(written("charge_heads", [HEAD, DUTY], "heads.csv"))
    load = ("masters", "load", "charge_heads", str(file), "--from", "2027-04-01", *BY_STDIN)
    dry = call(*load, "--dry-run", stdin=WORD)
    assert dry.stdout.startswith("1 rows differ, 0 end, 1 stand already; nothing was asked for")
    assert board.said[-1][0] == "masters.list"
    said = call(*load, "--reason", "order 3", stdin=WORD)
    assert "+ DUTY: name Duty, owner STATE" in said.stderr
    assert "request 17 waits" in said.stdout
    body = ChangeMaster("charge_heads", "2027-04-01", [DUTY], [], "order 3")
    assert board.said[-1] == ("masters.change", body)
    assert call(*load).exit_code == 2


def test_a_master_is_listed_and_exported(call: Call, board: Board, tmp_path: Path) -> None:
    row = MasterRow("METER", "2026-04-01", HEAD)
    board.answers["masters_list"] = MasterRows("charge_heads", "2026-04-01", [row])
    listed = call("masters", "list", "charge_heads", *BY_STDIN, stdin=WORD).stdout
    assert listed.splitlines()[1] == "METER  Meter rent  BOARD  2026-04-01"
    file = tmp_path / "heads.yaml"
    call("masters", "export", "charge_heads", str(file), *BY_STDIN, stdin=WORD)
    assert read_rows("charge_heads", file.name, file.read_bytes()) == [HEAD]
    assert call("masters", "export", "charge_heads", str(tmp_path / "x.doc")).exit_code == 2


def test_more_than_one_request_holds_is_split_by_who_loads_it(
    call: Call, board: Board, tmp_path: Path
) -> None:
    board.answers["masters_list"] = MasterRows("charge_heads", "2027-04-01", [])
    many = [{"code": f"H{n}", "name": "क" * 80, "owner": "BOARD"} for n in range(400)]
    file = tmp_path / "heads.csv"
    file.write_bytes(written("charge_heads", many, "heads.csv"))
    load = ("masters", "load", "charge_heads", str(file), "--reason", "order 3", *BY_STDIN)
    said = call(*load, stdin=WORD)
    assert "400 rows differ, more than one person is asked to read at once" in said.stderr
    assert board.said[-1][0] == "masters.list", "nothing was asked for"


def test_a_long_master_is_asked_for_page_by_page(call: Call, board: Board) -> None:
    rows = [MasterRow(key, "2026-04-01", {**HEAD, "code": key}) for key in ("A", "B", "C")]

    def page(asked: ListMaster) -> MasterRows:
        here = rows[2:] if asked.after else rows[:2]
        return MasterRows("charge_heads", "2026-04-01", here, more=not asked.after)

    board.answers["masters_list"] = page
    listed = call("masters", "list", "charge_heads", *BY_STDIN, stdin=WORD).stdout
    assert [line[0] for line in listed.splitlines()[1:]] == ["A", "B", "C"]
    asked = ListMaster("charge_heads", "2026-04-01", "B")
    assert board.said[-1] == ("masters.list", asked)


@pytest.mark.parametrize("master", MASTERS)
def test_every_masters_fields_are_named(master: str) -> None:
    assert MASTERS[master].key in fields_of(master)
    assert set(MASTERS[master].refers) <= set(fields_of(master))
    assert set(MASTERS[master].refers.values()) <= set(MASTERS)


def test_answers(call: Call, board: Board) -> None:
    board.answers["masters_history"] = examples.BODIES["masters.history"][1]
    said: Any = call("masters", "history", "offices", "SD-101", *BY_STDIN, stdin=WORD)
    assert said.stdout.startswith("from 2026-04-01: code SD-101, name Mall Road")
