"""A host's own filesystem: ext4 on a loop device, so that what happens to it happens to nobody
else.

Full, hung (frozen), read-only (as after an error) and without power are real: the kernel does them.
Power loss is the filesystem's shutdown without a flush of its log: what was not fsynced is gone.
Where there is memory for it the device's file lies in memory: what else the machine writes must
not look like a fault of ours. Invariant: the file has no name any more and the device is released
by its last user, so nothing stays when the rig dies. This file must not know who writes here.
"""

from __future__ import annotations

import fcntl
import os
import struct
import time
from pathlib import Path
from typing import Final

from tests.torture.system import RigError, attempt, run

FIFREEZE: Final = 0xC0045877
FITHAW: Final = 0xC0045878
SHUTDOWN: Final = 0x8004587D
NO_LOG_FLUSH: Final = 2
UNMOUNT_S: Final = 20.0
"""The last process of the host may take this long to leave the kernel."""
KEPT_FREE: Final = 64 << 10
"""ext4 wants some blocks for the filling file's own map."""


MEMORY_MB: Final = 8192
"""With so much free, the images lie in memory; they hold at most half of it."""


def images_in(home: Path) -> Path:
    """Make the folder of the images, in memory if there is enough; the cage takes it away."""
    images = home / "images"
    images.mkdir()
    lines = Path("/proc/meminfo").read_text().splitlines()
    free_kb = next(int(one.split()[1]) for one in lines if one.startswith("MemAvailable"))
    if free_kb >> 10 >= MEMORY_MB:
        run("mount", "-t", "tmpfs", "-o", f"size={MEMORY_MB // 2}m", "images", str(images))
    return images


class Disk:
    """One host's disk, mounted at ``at``."""

    def __init__(self, at: Path, size_mb: int, images: Path) -> None:
        self.at = at
        self.frozen = False
        self._to_empty = False
        at.mkdir(parents=True)
        image = images / at.name
        with image.open("wb") as file:
            file.truncate(size_mb << 20)
        run("mkfs.ext4", "-q", "-m", "0", "-E", "lazy_itable_init=1", str(image))
        run("mount", "-o", "loop,errors=remount-ro", str(image), str(at))
        self.device = run("losetup", "--noheadings", "--output", "NAME", "-j", str(image)).strip()
        self._holding = os.open(self.device, os.O_RDONLY)
        image.unlink()

    # ------------------------------------------------------------------ full

    def fill(self) -> None:
        """Take all the space there is, again and again if need be."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        try:
            file = os.open(self.at / "filling", flags, 0o600)
        except OSError:
            return  # read-only or without power: fuller it cannot be
        try:
            for unit in (1 << 24, 1 << 20, 1 << 16, 1 << 12):
                self._fill_by(file, unit)
        except OSError:
            return
        finally:
            os.close(file)

    def _fill_by(self, file: int, unit: int) -> None:
        while True:
            seen = os.fstatvfs(file)
            free = seen.f_bavail * seen.f_frsize // unit * unit
            if free == 0:
                return
            try:
                os.posix_fallocate(file, os.fstat(file).st_size, min(free, unit << 6))
            except OSError:
                return

    def empty(self) -> None:
        """Give the space back; on a hung disk, when it goes on."""
        self._to_empty = self.frozen
        if self.frozen:
            return
        try:
            (self.at / "filling").unlink(missing_ok=True)
        except OSError:
            return  # broken or without power: ``mount_anew`` gives it back

    # ------------------------------------------------------------------ hung

    def freeze(self) -> None:
        """From now on every write waits."""
        if not self.frozen:
            self._ioctl(FIFREEZE)
            self.frozen = True

    def thaw(self) -> None:
        """Let the writes through that waited."""
        if self.frozen:
            self.frozen = False
            self._ioctl(FITHAW)
            if self._to_empty:
                self.empty()

    # ------------------------------------------------------------------ broken, without power

    def break_down(self) -> None:
        """An error of the filesystem: from now on it is read-only, until it is mounted anew."""
        name = Path(self.device).name
        Path(f"/sys/fs/ext4/{name}/trigger_fs_error").write_text("torture")

    def lose_power(self) -> None:
        """What was not fsynced is gone; every access fails until the power is back."""
        self._ioctl(SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        self.thaw()

    def mount_anew(self) -> None:
        """Unmount (nobody may use it), check, mount: what a restart of the host does."""
        end = time.monotonic() + UNMOUNT_S
        while not attempt("umount", str(self.at)):
            if time.monotonic() > end:
                raise RigError(f"{self.at} stays in use {UNMOUNT_S:g} s after its host was killed.")
            time.sleep(0.1)
        attempt("e2fsck", "-p", self.device)
        run("mount", "-o", "errors=remount-ro", self.device, str(self.at))
        self.empty()

    def _ioctl(self, number: int, argument: bytes = bytes(4)) -> None:
        folder = os.open(self.at, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, number, argument)
        finally:
            os.close(folder)
