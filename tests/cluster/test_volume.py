"""The look at a disk: what it says of it, and what it does with the ballast."""

import errno
import os
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from cluster import volume
from cluster.volume import BALLAST, MIB, Volume


class Usage(NamedTuple):
    """As shutil.disk_usage gives it."""

    total: int
    used: int
    free: int


class Room:
    """What is said to be free on a disk of 20 GB."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, free_mb: int) -> None:
        self.free_mb = free_mb
        monkeypatch.setattr(shutil, "disk_usage", self)

    def __call__(self, _folder: Path) -> Usage:
        return Usage(20_000 * MIB, 0, self.free_mb * MIB)


def test_a_well_disk_gets_its_ballast(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Room(monkeypatch, 5000)
    seen = Volume(tmp_path, 4).look()
    assert (seen.condition, seen.free_mb) == ("", 5000)
    laid = (tmp_path / BALLAST).stat()
    assert laid.st_blocks * 512 >= 4 * MIB, "the room is taken, not only named"


def test_the_alarm_comes_long_before_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Room(monkeypatch, volume.LOW_MB - 1)
    seen = Volume(tmp_path, 4).look()
    assert (seen.condition, (tmp_path / BALLAST).exists()) == ("low", False)


def test_the_ballast_is_given_up_once_and_the_disk_stays_full_until_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room, disk = Room(monkeypatch, 5000), Volume(tmp_path, 64)
    disk.look()
    room.free_mb = volume.FULL_MB - 1
    assert (disk.look().released, (tmp_path / BALLAST).exists()) == (True, False)
    room.free_mb += 64
    again = disk.look()
    assert (again.condition, again.released) == ("full", False), "that room is spoken for"
    room.free_mb = volume.LOW_MB + 1
    assert disk.look().condition == ""
    assert not (tmp_path / BALLAST).exists(), "laid again only where it makes nothing low"
    room.free_mb = volume.LOW_MB + 64
    disk.look()
    assert (tmp_path / BALLAST).exists()


@pytest.mark.parametrize(
    ("number", "condition"),
    [(errno.ENOSPC, "full"), (errno.EROFS, "read-only"), (errno.EIO, "failing")],
)
def test_a_refused_write_says_what_the_disk_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, condition: str
) -> None:
    Room(monkeypatch, 5000)
    disk = Volume(tmp_path, 4)
    disk.look()

    def refuse(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    seen = disk.look()
    assert (seen.condition, seen.why) == (condition, os.strerror(number))


def test_a_slow_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Room(monkeypatch, 5000)
    times = iter((0.0, 0.9))
    assert Volume(tmp_path, 4, lambda: next(times)).look().condition == "slow"
