"""Lets the hung disks of a cage go on when its rig has died: ``python -m … .warden HOME``.

A process that writes to a frozen filesystem cannot be killed, so a rig that ends while a disk hangs
would leave the whole cage behind, and its disks with it. The warden stands outside, reads its
standard input until whoever started it is gone, and thaws what anybody still has mounted below
HOME. This file must not know why the rig has ended.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from tests.torture.disk import FITHAW

GIVE_UP_S: Final = 30.0


def appoint(home: Path) -> subprocess.Popen[bytes]:
    """Start a warden; close its standard input and wait for it when the cage has ended."""
    words = [sys.executable, "-m", "tests.torture.warden", str(home)]
    return subprocess.Popen(words, stdin=subprocess.PIPE, start_new_session=True)


def dismiss(warden: subprocess.Popen[bytes]) -> None:
    """Have it do its work, and wait."""
    assert warden.stdin is not None
    warden.stdin.close()
    warden.wait()


def _left(home: Path) -> Iterator[Path]:
    """The root folders of those who still live with disks of this home."""
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and f" {home}/disks/" in (entry / "mountinfo").read_text():
                yield entry / "root"


def _thaw(disk: Path) -> None:
    with suppress(OSError):  # it does not hang, or its last user has just gone
        folder = os.open(disk, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, FITHAW, bytes(4))
        finally:
            os.close(folder)


def main(home: Path) -> None:
    """Wait, then thaw until nobody is left."""
    sys.stdin.buffer.read()
    end = time.monotonic() + GIVE_UP_S
    while time.monotonic() < end:
        roots = list(_left(home))
        if not roots:
            return
        for disk in ("a", "b", "w"):
            _thaw(roots[0] / home.relative_to("/") / "disks" / disk)
        time.sleep(0.1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
