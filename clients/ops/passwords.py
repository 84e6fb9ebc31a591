"""Where a command gets a password from: a prompt, a file, standard input. Never an argument:
everybody can read those. A one-time code, which is worth nothing later, may also come from
MPOWER_CODE.

This file must not know what a password is good for.
"""

from __future__ import annotations

import os
import sys
import unicodedata
import warnings
from getpass import GetPassWarning
from pathlib import Path
from typing import Final

import click

from clients.door import Ended, Exit

NO_TERMINAL: Final = (
    "There is no terminal to ask for a password: give it in a file (--password-file FILE) or on"
    " standard input (--password-file -)."
)
NO_CODE: Final = "This login needs a one-time code: give it in MPOWER_CODE."
MAX_BYTES: Final = 1024
"""Longer than any password; a larger file is the wrong one."""


def password(file: str | None, ask: str, *, twice: bool = False) -> str:
    """Give the password (NFC) of ``file`` ('-' standard input: its first line), or ask for it on
    the terminal.
    """
    if file is None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", GetPassWarning)  # it would be shown while typed
                said: str = click.prompt(ask, hide_input=True, confirmation_prompt=twice, err=True)
        except (click.Abort, GetPassWarning) as wrong:
            if sys.stdin.isatty():
                raise
            raise Ended(Exit.USAGE, NO_TERMINAL) from wrong
        return unicodedata.normalize("NFC", said)
    try:
        if file == "-":
            data: bytes = sys.stdin.buffer.readline(MAX_BYTES + 1)
        else:
            data = Path(file).read_bytes()
        text = data.decode()
    except (OSError, UnicodeDecodeError) as wrong:
        raise Ended(Exit.FAILED, f"The password file {file} cannot be read ({wrong}).") from wrong
    line = text.removesuffix("\n").removesuffix("\r")
    if not line or len(data) > MAX_BYTES or "\n" in line:
        raise Ended(Exit.FAILED, f"The password file {file} must hold one line, the password.")
    return unicodedata.normalize("NFC", line)


def code(user: str) -> str:
    """Give the one-time code of ``user``: of MPOWER_CODE, or as typed."""
    if said := os.environ.get("MPOWER_CODE", ""):
        return said
    try:
        typed: str = click.prompt(f"One-time code of {user}", err=True)
    except click.Abort as wrong:
        if sys.stdin.isatty():
            raise
        raise Ended(Exit.USAGE, NO_CODE) from wrong
    return typed.strip()
