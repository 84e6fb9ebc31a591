"""The page "try each counter act in the demo", typed literally on a real demo's board.

Each block of the page is one shell; it must end well, or be refused (exit code 5) where the page
says so, and say every line that the page shows after it.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from clients.demo.opening import open_board
from clients.demo.stage import Stage, environment

HOUSE = Path(__file__).parents[2]
PAGE = HOUSE / "docs" / "counter" / "try.md"
BLOCK = re.compile(r"^```(sh|sh refused|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
REFUSED = 5
LIMIT_S = 240.0


class Block(NamedTuple):
    """One block of the page, with what it must answer."""

    text: str
    code: int
    shown: list[str]


def blocks() -> Iterator[Block]:
    """The page's blocks in their order; the first holds what all others know."""
    found = [(one[1], one[2]) for one in BLOCK.finditer(PAGE.read_text("utf-8"))]
    for kind, text in found:
        if kind == "text":
            continue
        place = found.index((kind, text))
        after = found[place + 1] if place + 1 < len(found) else ("", "")
        shown = after[1].splitlines() if after[0] == "text" else []
        yield Block(text, REFUSED if kind == "sh refused" else 0, shown)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A board as ``mpower demo run`` opens it."""
    made = Stage.build()
    try:
        open_board(made, lambda _: None)
        yield made
    finally:
        made.end()


@pytest.mark.long
def test_every_act_of_the_page_can_be_typed(stage: Stage, tmp_path: Path) -> None:
    command = tmp_path / "mpower"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m clients "$@"\n')
    command.chmod(0o755)
    known = environment(stage.home)
    known["PATH"] = f"{tmp_path}:{known['PATH']}"
    setup, *acts = blocks()
    for act in acts:
        done = subprocess.run(
            ["bash", *(() if act.code else ("-e",)), "-c", f"{setup.text}\n{act.text}"],
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
            env=known,
        )
        said = done.stdout + done.stderr
        assert done.returncode == act.code, f"{act.text}\n{said}"
        unsaid = [one for one in filled(act.shown, setup.text, known) if one not in said]
        assert unsaid == [], f"{act.text}\n{said}\nnot said: {unsaid}"


def filled(shown: list[str], setup: str, known: dict[str, str]) -> list[str]:
    """The lines as they read today: the page's own shell puts its variables in."""
    if not shown:
        return []
    lines = "\n".join(shown)
    script = f"{setup}\ncat <<SHOWN\n{lines}\nSHOWN"
    said = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, check=True, env=known
    )
    return said.stdout.splitlines()
