"""What every command of ``mpower`` shares: exit codes, where settings come from, how an answer is
said.

Data goes to stdout, talk to stderr; ``--json`` prints one versioned JSON object with money in
paise. Nothing heavy is imported at the top: ``mpower --help`` must answer at once. This file must
not know any noun.
"""

from __future__ import annotations

import enum
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

if TYPE_CHECKING:
    from config.settings import ClientSettings, TlsSettings

F = TypeVar("F", bound=Callable[..., Any])
JSON_VERSION: Final = 1
"""Raised when a field of a ``--json`` answer changes its meaning; new fields do not raise it."""


class Exit(enum.IntEnum):
    """The exit codes, the same for every command."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_REACHABLE = 3
    NO_PRIMARY = 4
    REFUSED = 5


EXITS: Final = (
    "Exit codes: 0 done · 1 failed · 2 wrong usage · 3 no server reachable ·"
    " 4 no primary · 5 refused"
)


class Ended(click.ClickException):
    """A command ends with a sentence (what, why, what next) and an exit code."""

    def __init__(self, code: Exit, sentence: str) -> None:
        super().__init__(sentence)
        self.exit_code = int(code)  # type: ignore[misc]  # click declares it per class

    def show(self, file: Any = None) -> None:
        """Say the sentence on stderr, plain: scripts and people read the same words."""
        click.echo(self.format_message(), file=file or sys.stderr)


def json_option(command: F) -> F:
    """Give a command its ``--json`` flag (parameter ``as_json``)."""
    option = click.option("--json", "as_json", is_flag=True, help="Answer as one JSON object.")
    return option(command)


def answer(data: dict[str, Any], text: str, *, as_json: bool) -> None:
    """Print the answer on stdout: the object as JSON, or the text for people."""
    click.echo(json.dumps({"version": JSON_VERSION, **data}) if as_json else text)


def talk(text: str) -> None:
    """Say something that is not the answer: on stderr."""
    click.echo(text, err=True)


def client_settings(kind: str = "", name: str | None = None) -> ClientSettings:
    """Read the client's settings as this command line says (``--settings``, MPOWER_*), as an
    identity of ``kind``.

    Ended(FAILED) with the sentence of what is wrong.
    """
    import msgspec

    from config.files import ANSWER
    from config.load import SettingsError, load_client, with_certificate

    said = click.get_current_context().find_root().params.get("settings")
    try:
        settings = load_client(Path(said) if said else None)
        tls = with_certificate(settings.tls, kind, name) if kind else settings.tls
        if tls.certificate.with_suffix(ANSWER).exists():
            _end_switch(tls)
        return msgspec.structs.replace(settings, tls=tls)
    except SettingsError as wrong:
        which = " Say which: --counter C001." if kind == "counter" and name is None else ""
        which = which if wrong.key == "tls.certificate" else ""
        raise Ended(Exit.FAILED, f"{wrong}{which}") from wrong


def _end_switch(tls: TlsSettings) -> None:
    """End the switch to this machine's next certificate, if a power cut came between its files."""
    from config.next_papers import NextPapers

    try:
        NextPapers(tls.certificate, tls.key).mend()
    except (OSError, ValueError) as wrong:
        raise Ended(Exit.FAILED, f"{tls.certificate}: the next certificate: {wrong}.") from wrong
