"""The monitor's page on a terminal or in a pipe.

A terminal gets the page painted again and again on its own screen, which is given back at the end;
a pipe, or ``--plain``, gets plain text, one page after the other. Colours are left out where
NO_COLOR says so. This file must not know what the page says.
"""

from __future__ import annotations

import shutil
import sys
from types import TracebackType
from typing import Any, Final, Self

from clients.ops.monitor.book import View
from clients.ops.monitor.layout import lines
from clients.ops.strips import BAD, DIM, GOOD, HEAD, WARN, Line, text

STYLES: Final = {GOOD: "green", WARN: "yellow", BAD: "bold red", DIM: "dim", HEAD: "bold"}
PIPE_WIDTH: Final = 120
PIPE_HEIGHT: Final = 60
"""A pipe has no size: wide enough for whole sentences, and all that is known."""


class Plain:
    """Writes pages one after the other."""

    def __init__(self) -> None:
        self._began = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def show(self, view: View) -> None:
        """Write a page; from the second on after an empty line."""
        if self._began:
            sys.stdout.write("\n")
        self._began = True
        size = shutil.get_terminal_size((PIPE_WIDTH, PIPE_HEIGHT))
        width, height = (size.columns, size.lines) if sys.stdout.isatty() else (PIPE_WIDTH, 60)
        page = "\n".join(text(line) for line in lines(view, width, height - 1))
        sys.stdout.write(f"{page}\n")
        sys.stdout.flush()


class Painted:
    """Paints pages on the terminal's alternate screen."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = Console()
        self._live = Live(console=self._console, screen=True, auto_refresh=False)

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        wrong: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.__exit__(kind, wrong, trace)

    def show(self, view: View) -> None:
        """Paint a page in the terminal's present size."""
        width, height = self._console.size
        page = lines(view, width, height - 1)
        last: Line = [("Ctrl-C ends", DIM)]
        self._live.update(_painted([*page, *_fill(height - 1 - len(page)), last]), refresh=True)


def _fill(count: int) -> list[Line]:
    return [[] for _ in range(count)]


def _painted(page: list[Line]) -> Any:
    from rich.text import Text

    whole = Text(no_wrap=True, overflow="crop", end="")
    for number, line in enumerate(page):
        if number:
            whole.append("\n")
        for words, kind in line:
            whole.append(words, style=STYLES.get(kind, ""))
    return whole
