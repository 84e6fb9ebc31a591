"""Where the counter's words go: text for people or JSON for programs on stdout, talk on stderr;
lines come from stdin.

Reading blocks, so it happens in a thread of its own; a pipe is read line by line in the same way
and gets no prompts. This file must not know what is said.
"""

from __future__ import annotations

import getpass
import json
import sys
import threading
from typing import Any

import click
import msgspec
from twisted.internet.defer import Deferred

from clients.door import JSON_VERSION


class Screen:
    """One person's screen and keyboard, or a pipe."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.person = sys.stdin.isatty()

    def show(self, text: str, **data: Any) -> None:
        """Answer: the text, or the data as one JSON line."""
        line = text
        if self.as_json:
            line = json.dumps({"version": JSON_VERSION, **msgspec.to_builtins(data)})
        click.echo(line)

    def talk(self, text: str) -> None:
        """Say something that is not an answer."""
        click.echo(text, err=True)

    def hint(self, text: str) -> None:
        """Say something that only a person needs."""
        if self.person:
            self.talk(text)

    def read(self, prompt: str, *, secret: bool = False) -> Deferred[str | None]:
        """Read one line; None at the end of the input. The prompt is for persons only."""
        from twisted.internet import reactor as running

        reactor: Any = running
        typed: Deferred[str | None] = Deferred()

        def wait() -> None:
            try:
                line = self._line(prompt, secret=secret)
            except (EOFError, KeyboardInterrupt, UnicodeDecodeError, OSError):
                line = None
            reactor.callFromThread(typed.callback, line)

        threading.Thread(target=wait, daemon=True, name="keyboard").start()
        return typed

    def _line(self, prompt: str, *, secret: bool) -> str | None:
        if not self.person:
            line = sys.stdin.readline()
            return line.rstrip("\r\n") if line else None
        if secret:
            return getpass.getpass(prompt, stream=sys.stderr)
        sys.stderr.write(prompt)
        sys.stderr.flush()
        return input()
