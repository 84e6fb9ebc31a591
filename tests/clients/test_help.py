"""Help and next steps as a person meets them: readable, and every command in them is one."""

from __future__ import annotations

import datetime as dt
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import click.testing
import pytest

from clients.__main__ import mpower
from clients.counter import typed
from clients.ops.init import loopback_plan, next_steps
from config.folder import Paths, write_settings
from mpowerd.__main__ import main as mpowerd

PROGRAMS = {"mpower": mpower, "mpowerd": mpowerd}


def commands(
    command: click.Command, words: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield words, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from commands(inner, (*words, name))


EVERY = [one for name, program in PROGRAMS.items() for one in commands(program, (name,))]


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> Paths:
    return write_settings(loopback_plan(tmp_path_factory.mktemp("next") / "board"))


@pytest.mark.parametrize("words", [words for words, _ in EVERY], ids=" ".join)
def test_help_is_readable_and_each_example_stands_on_its_own_line(words: tuple[str, ...]) -> None:
    said = click.testing.CliRunner().invoke(PROGRAMS[words[0]], [*words[1:], "--help"])
    assert said.exit_code == 0, said.output
    assert "\\b" not in said.stdout
    for line in said.stdout.splitlines():
        assert line.count(" mpower ") <= 1 + line.count("| mpower") + line.count("-- mpower"), line
        if "Examples:" in line:
            assert line.strip() == "Examples:", line


def parses(line: str) -> None:
    """Walk the command's groups and let click read its options, without running it."""
    words = shlex.split(line.partition("#")[0].partition(" | ")[0])
    command: click.Command = PROGRAMS[words[0]]
    context = click.Context(command, info_name=words.pop(0))
    while isinstance(command, click.Group):
        rest = command.make_parser(context).parse_args(words)[1]
        name, found, words = command.resolve_command(context, rest)
        assert found is not None, line
        command, context = found, click.Context(found, parent=context, info_name=name)
    context.resilient_parsing = False
    command.parse_args(context, words)


CODE = r"[A-Z][A-Z0-9-]{0,15}"
"""As ``mpower admin add`` wants a staff number, and an office."""


@pytest.mark.parametrize("here", [True, False])
def test_every_next_step_is_a_command_as_it_is_typed(
    here: bool, paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "consumers.csv").write_text("")
    text = next_steps(paths, 1, ("SBI", "PNB"), dt.date(2026, 4, 1), here=here)
    lines = [line.strip() for line in text.splitlines()]
    asked = [line for line in lines if re.match("mpowerd? ", line)]
    for line in asked:
        parses(line)
        for code in re.findall(r"--(?:person|office) (\S+)", line):
            assert re.fullmatch(CODE, code), f"{line}: no staff number or office is written so"
    for login in ("admin", "ravi"):
        assert (f"mpower second-factor enrol --as {login}" in text) == (not here)
    nouns = [" ".join(line.split()[1:3]) for line in asked]
    assert ("pack witness" in nouns) == (not here)
    for step in ("cluster bootstrap", "admin add", "admin load", "counter --counter"):
        assert step in nouns, f"{step} is not among the steps"
    assert "mpower admin add counter PNB" in text
    at_the_counter = [line.strip() for line in text.splitlines() if line.startswith(" " * 7)]
    assert len(at_the_counter) == 6
    for line in at_the_counter:
        assert typed.read_line(line) is not None
    assert len(lines) <= 45, "it is one page"


def test_a_step_that_is_no_command_would_be_noticed() -> None:
    with pytest.raises(click.UsageError, match="admin"):
        parses("mpower cluster bootstrap")
