"""What the rig needs of the machine, asked before anything is made; each lack is a sentence.

It runs as root on Linux, with its own namespaces and loop-mounted filesystems. What a kernel may
lack and the rig can do without (slow lines) is found out and said, not refused. This file must not
make anything that stays.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

TOOLS: Final = {
    "ip": "iproute2",
    "tc": "iproute2",
    "iptables": "iptables",
    "mkfs.ext4": "e2fsprogs",
    "e2fsck": "e2fsprogs",
    "mount": "mount",
    "umount": "mount",
    "losetup": "mount",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
    "unshare": "util-linux",
}
"""Program → the Debian package it is in."""
ROOM_BYTES: Final = 8 << 30
"""Three filesystems that may fill up, their old copies, logs and journals."""


def lacks(folder: Path) -> list[str]:
    """Say why the rig cannot run here; empty if it can. ``folder``: where its files will lie."""
    if not sys.platform.startswith("linux"):
        return ["It needs Linux: network namespaces and loop-mounted filesystems."]
    said = []
    if os.geteuid() != 0:
        said.append("It needs root (namespaces, mounts): run it with sudo.")
    missing = sorted({package for tool, package in TOOLS.items() if shutil.which(tool) is None})
    if missing:
        said.append(f"Programs are missing: apt-get install {' '.join(missing)}.")
    if not said and shutil.disk_usage(folder).free < ROOM_BYTES:
        said.append(f"{folder} has less than {ROOM_BYTES >> 30} GB free: name another with TMPDIR.")
    if not said and not _may_unshare():
        said.append("The kernel refuses new namespaces here (a container?): use a real machine.")
    if not said and not Path("/dev/loop-control").exists():
        said.append("There are no loop devices here (/dev/loop-control): modprobe loop.")
    return said


def _may_unshare() -> bool:
    words = ["unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "true"]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0
