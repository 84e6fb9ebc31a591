"""Files that survive a power cut: old or new, checked; one owner of a folder."""

import os
from pathlib import Path

import pytest

from cluster.durable import FolderLock, NotOursError, read_sealed, write_durably


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    file = tmp_path / "record"
    write_durably(file, b"first")
    write_durably(file, b"second\nwith a line")
    assert read_sealed(file) == b"second\nwith a line"
    assert [one.name for one in tmp_path.iterdir()] == ["record"]
    assert file.stat().st_mode & 0o777 == 0o600


def test_no_file_is_no_content(tmp_path: Path) -> None:
    assert read_sealed(tmp_path / "record") is None


@pytest.mark.parametrize("keep", [0, 10, 64, 65, 66, -1])
def test_a_torn_file_is_refused(tmp_path: Path, keep: int) -> None:
    file = tmp_path / "record"
    write_durably(file, b"epoch 12")
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(NotOursError, match="record"):
        read_sealed(file)


def test_an_edited_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "record"
    write_durably(file, b"epoch 12")
    file.write_bytes(file.read_bytes().replace(b"12", b"13"))
    with pytest.raises(NotOursError, match="checksum"):
        read_sealed(file)


def test_the_content_is_on_disk_before_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order that a power cut tests: content, then name, then the folder that holds the name."""
    done: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def noting_fsync(descriptor: int) -> None:
        done.append("folder" if Path(f"/proc/self/fd/{descriptor}").is_dir() else "content")
        fsync(descriptor)

    def noting_replace(self: Path, target: Path) -> Path:
        done.append("name")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", noting_fsync)
    monkeypatch.setattr(Path, "replace", noting_replace)
    write_durably(tmp_path / "record", b"epoch 12")
    assert done == ["content", "name", "folder"]


def test_a_folder_has_one_owner(tmp_path: Path) -> None:
    first = FolderLock(tmp_path / "data")
    with pytest.raises(NotOursError, match=f"in use by process {os.getpid()}"):
        FolderLock(tmp_path / "data")
    first.release()
    first.release()
    FolderLock(tmp_path / "data").release()
