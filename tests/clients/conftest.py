"""A settings folder on loopback and the command line above it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click.testing
import pytest

from clients.__main__ import mpower
from clients.ops.init import loopback_plan
from config.folder import write_settings
from tests.clients.links import Board

Said = click.testing.Result


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    plan = loopback_plan(tmp_path_factory.mktemp("board") / "b", counters=2, banks=("SBI", "PNB"))
    return write_settings(plan).home


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture
def call(home: Path, board: Board) -> Callable[..., Said]:
    def run(*words: str, stdin: str | None = None) -> Said:
        runner = click.testing.CliRunner(env={"MPOWER_HOME": str(home)})
        return runner.invoke(mpower, words, input=stdin, obj=board.run, prog_name="mpower")

    return run


@pytest.fixture
def call_json(call: Callable[..., Said]) -> Callable[..., Any]:
    def run(*words: str, stdin: str | None = None) -> Any:
        said = call(*words, "--json", stdin=stdin)
        assert said.exit_code == 0, said.output
        return json.loads(said.stdout)

    return run
