"""The operator's settings folder and its book of certificates, opened for a command.

This file must not know what is done with the book.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from clients.door import Ended, Exit
from config.pki import PkiError
from config.registry import Registry


def now() -> dt.datetime:
    """Certificates are dated by this machine's clock."""
    return dt.datetime.now(dt.UTC)


def home() -> Path:
    """The settings folder: --settings, else MPOWER_HOME, else here."""
    said = click.get_current_context().find_root().params.get("settings")
    place = Path(said or os.environ.get("MPOWER_HOME", "."))
    return place if place.is_dir() else place.parent


@contextmanager
def opened(*, writing: bool = True) -> Iterator[Registry]:
    """The folder's book, for one person at a time; what is wrong with it ends the command."""
    import fcntl

    folder = home()
    try:
        descriptor = os.open(folder / "pki", os.O_RDONLY | os.O_DIRECTORY)
    except OSError as wrong:
        raise Ended(
            Exit.FAILED,
            f"{folder.absolute()} is no settings folder; go to the folder 'mpower init' wrote, or"
            " name it with --settings.",
        ) from wrong
    try:
        if writing:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield Registry(folder)
    except BlockingIOError as wrong:
        raise Ended(Exit.REFUSED, "Another 'mpower pki' is at work in this folder.") from wrong
    except PkiError as wrong:
        raise Ended(Exit.REFUSED, f"{str(wrong)[:1].upper()}{str(wrong)[1:]}.") from wrong
    except OSError as wrong:
        raise Ended(Exit.FAILED, f"{wrong.filename}: {wrong.strerror}.") from wrong
    finally:
        os.close(descriptor)
