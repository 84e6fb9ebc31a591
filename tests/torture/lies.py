"""Lies about a host's disk and wall clock: fsync that is late or fails, an hour that did not pass.

The kernel of many machines has no device mapper, and none has a namespace for the wall clock. So a
small library (``lies.c``) stands between the C library and everybody in the cage; a page of memory
for each host says what it tells. The loader's own list loads it, in an /etc that only the cage
sees: the daemon gives its PostgreSQL an environment of its own.

A failing fsync writes nothing and keeps what is dirty; a disk that forgets is the power loss beside
it. This file must not know whom a lie hurts.
"""

from __future__ import annotations

import mmap
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Final

from tests.torture.network import inside
from tests.torture.system import RigError, run

SOURCE: Final = Path(__file__).with_suffix(".c")
NAMES: Final = ("clock_s", "late_ms", "failing")
SIZE: Final = 8 * 2 * len(NAMES)


class Lies:
    """What one host is told."""

    def __init__(self, folder: Path, network: Path) -> None:
        """``network``: what names the network that the host's processes stand in."""
        path = folder / str(network.stat().st_ino)
        path.write_bytes(bytes(SIZE))
        path.chmod(0o666)  # the database's own user counts what it met
        with path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), SIZE)

    def tell(self, name: str, value: int) -> None:
        """From now on; 0 is the truth."""
        struct.pack_into("=q", self._page, 8 * NAMES.index(name), value)

    def told(self, name: str) -> int:
        """What is being told."""
        return int(struct.unpack_from("=q", self._page, 8 * NAMES.index(name))[0])

    def met(self, name: str) -> int:
        """How often somebody was told it, since the cage was made."""
        return int(struct.unpack_from("=q", self._page, 8 * (len(NAMES) + NAMES.index(name)))[0])


def build(home: Path) -> tuple[Path, Path]:
    """Make the library and the folder of the hosts' pages; RigError says what is missing."""
    if shutil.which("cc") is None:
        raise RigError("There is no C compiler here: apt-get install gcc libc6-dev.")
    library, folder = home / "lies.so", home / "lies"
    folder.mkdir()
    words = ("-shared", "-fPIC", "-O2", "-Wall", "-Werror", f'-DFOLDER="{folder}"')
    run("cc", *words, "-o", str(library), str(SOURCE), "-ldl")
    return library, folder


def spread(home: Path) -> Path:
    """Have everybody in the cage load a library of lies; the folder of the hosts' pages."""
    library, folder = build(home)
    layer = home / "etc"
    layer.mkdir()
    run("mount", "-t", "tmpfs", "-o", "size=4m,mode=755", "etc-of-the-cage", str(layer))
    for one in ("upper", "work"):
        (layer / one).mkdir()
    over = f"lowerdir=/etc,upperdir={layer}/upper,workdir={layer}/work"
    run("mount", "-t", "overlay", "-o", over, "etc-of-the-cage", "/etc")
    Path("/etc/ld.so.preload").write_text(f"{library}\n")
    return folder


def believed(lies: Lies, host: str) -> bool:
    """Whether a program of that host takes the word of it."""
    lies.tell("clock_s", 3600)
    try:
        said = [
            float(subprocess.check_output(inside(at, "date", "+%s"), timeout=30))
            for at in (host, "t")
        ]
    finally:
        lies.tell("clock_s", 0)
    return said[0] - said[1] > 1800 and lies.met("clock_s") > 0
