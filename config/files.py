"""Files that are there whole or not at all, also after a power cut: write, fsync, rename, fsync the
folder.

This file must not know what it writes.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

SECRET: Final = 0o400
"""Readable by the owner only, and changed by nobody."""
PUBLIC: Final = 0o644
PRIVATE_FOLDER: Final = 0o700
ANSWER: Final = ".next.pem"
"""A machine's next certificate beside its present one, on trial. Not .crt: what lists a folder's
certificates must not take it for a second machine's.
"""


def make_folder(path: Path, mode: int = PRIVATE_FOLDER) -> None:
    """Make a folder (and those above it) with that mode; an existing one keeps its own."""
    path.mkdir(parents=True, exist_ok=True, mode=mode)


def write_file(path: Path, content: bytes, mode: int = PUBLIC) -> None:
    """Write a file atomically and durably; readers see the old content or the new, no part."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)  # the umask must not decide about keys
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
