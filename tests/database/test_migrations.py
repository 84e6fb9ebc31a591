"""Migrations: once each, in the ledger's order, a whole file or nothing, never a changed one."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from mpowerd.migrations import LEDGER, LedgerError, migrate, read_ledger
from tests.postgres_nodes import Node


def empty(node: Node, name: str) -> str:
    """Make an empty database; the superuser's conninfo."""
    with psycopg.connect(make_conninfo(node.conninfo, dbname="postgres"), autocommit=True) as c:
        c.execute(f"CREATE DATABASE {name}".encode())
    return make_conninfo(node.conninfo, dbname=name)


def ledger_of(house: Path, **files: str) -> Path:
    """Write SQL files and their ledger into a house of their own."""
    lines = []
    for name, text in files.items():
        (house / f"{name}.sql").write_text(text)
        lines.append(f"{hashlib.sha256(text.encode()).hexdigest()}  {name}.sql\n")
    ledger = house / "ledger"
    ledger.write_text("".join(lines))
    return ledger


def test_two_daemons_that_start_together_migrate_once(node: Node) -> None:
    conninfo = empty(node, "together")
    with ThreadPoolExecutor(3) as starts:
        done = list(starts.map(migrate, [conninfo] * 3))
    assert sorted(map(len, done)) == [0, 0, len(read_ledger())]
    assert migrate(conninfo) == ()


def test_a_file_that_fails_leaves_nothing_and_runs_again(node: Node, tmp_path: Path) -> None:
    conninfo = empty(node, "halves")
    first = "CREATE TABLE public.a (x integer); SET LOCAL ROLE pg_monitor"
    ledger = ledger_of(tmp_path, first=first, second="CREATE TABLE public.b (); SELECT 1/0;")
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(conninfo, ledger, tmp_path)
    body = "DO $do$ BEGIN CREATE TABLE public.b (); PERFORM ';'; END $do$;"
    ledger = ledger_of(tmp_path, first=first, second=body)
    assert migrate(conninfo, ledger, tmp_path) == ("second.sql",)
    assert migrate(conninfo, ledger, tmp_path) == ()


def test_a_changed_or_missing_file_refuses_to_start(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path, first="SELECT 1", second="SELECT 2")
    (tmp_path / "second.sql").write_text("SELECT 3")
    with pytest.raises(LedgerError, match=r"second\.sql was changed"):
        read_ledger(ledger, tmp_path)
    (tmp_path / "first.sql").unlink()
    with pytest.raises(LedgerError, match=r"first\.sql is in the ledger but not here"):
        read_ledger(ledger, tmp_path)
    assert read_ledger(LEDGER)
