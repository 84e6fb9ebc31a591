"""Small files that must survive a power cut: whole and checked, or not at all; and the lock of a
data folder.

A file is written beside its place, fsynced, renamed over the old one, and its folder is fsynced:
afterwards a reader finds the old or the new content, never half of one. Its first line is the
SHA-256 of the rest, so that a torn or edited file is refused instead of believed. Everything here
blocks: call it from a thread or before the reactor runs. It must not know what the content means.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from pathlib import Path
from typing import Final

PRIVATE_FILE: Final = 0o600
MAX_FILE_BYTES: Final = 1024 * 1024
"""A record with its history stays below 100 KB; more is not a file of ours."""


class NotOursError(Exception):
    """A file or folder that cannot be used; str() is the sentence for the operator."""


def write_durably(path: Path, content: bytes) -> None:
    """Replace ``path`` by the sealed ``content``; on return it is on the disk. OSError means nobody
    knows.
    """
    replace_durably(path, hashlib.sha256(content).hexdigest().encode() + b"\n" + content)


def replace_durably(path: Path, content: bytes) -> None:
    """The same without a seal, for content that is no harm where it is torn."""
    fresh = path.with_name(path.name + ".new")
    _write(fresh, os.O_TRUNC, content)
    fresh.replace(path)
    sync_folder(path.parent)


def append_durably(path: Path, content: bytes) -> None:
    """Add to the end of ``path``; a power cut may leave a part of it, but nothing else changes."""
    made = not path.exists()
    _write(path, os.O_APPEND, content)
    if made:
        sync_folder(path.parent)


def _write(path: Path, how: int, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | how, PRIVATE_FILE)
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_sealed(path: Path) -> bytes | None:
    """The content, or None if there is no such file; NotOursError if it is torn, edited or too
    long.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        return None
    seal, newline, content = raw.partition(b"\n")
    if len(raw) > MAX_FILE_BYTES or not newline:
        raise NotOursError(f"{path} is not a file this program wrote. {_ADVICE}")
    if hashlib.sha256(content).hexdigest().encode() != seal:
        raise NotOursError(f"{path} is torn or was edited: its checksum does not fit. {_ADVICE}")
    return content


_ADVICE: Final = "Do not repair it by hand: what it held decides which server may serve."


class FolderLock:
    """The exclusive use of one folder, held until released or until the process ends (flock)."""

    def __init__(self, folder: Path) -> None:
        """Take the lock; NotOursError names who holds it."""
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        self._path = folder / "lock"
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._descriptor, 20, 0).decode("ascii", "replace").strip()
            os.close(self._descriptor)
            raise NotOursError(
                f"{folder} is in use by process {holder or 'unknown'}: one daemon, one folder. "
                f"Stop that one first, or name another folder."
            ) from None
        with contextlib.suppress(OSError):  # on a full disk nobody reads whose lock it is
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Give the folder back; a second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
