"""A packed tar laid out in a folder, as ``tar xf`` does it: files and folders with their modes.

``TarFile.extractall(filter=…)`` is not in every Python 3.11; without its filter newer ones warn.
"""

from __future__ import annotations

import tarfile
from pathlib import Path


def unpack(tar: tarfile.TarFile, place: Path) -> None:
    """Lay out what ``tar`` holds below ``place``; ValueError for a name that leads out of it."""
    for member in tar.getmembers():
        path = place / member.name
        if not path.resolve().is_relative_to(place.resolve()):
            raise ValueError(f"{member.name} leads out of {place}")
        if member.isdir():
            path.mkdir(parents=True, exist_ok=True)
        else:
            held = tar.extractfile(member)
            assert held is not None, f"{member.name} is neither a file nor a folder"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(held.read())
        path.chmod(member.mode)
