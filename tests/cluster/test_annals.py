"""The history on one node's disk: each change once, across restarts, torn lines and full disks."""

from pathlib import Path

import pytest
from msgspec import structs

from cluster import annals
from cluster.annals import FILE_NAME, Annals
from protocols.annals import entry_of
from protocols.peer import Record
from tests.cluster.first_record import FIRST


def record(epoch: int, kind: str = "pause") -> Record:
    return structs.replace(FIRST, epoch=epoch, op_id=f"a-x-{epoch - 1}-{kind}")


def epochs(folder: Path) -> list[int]:
    return [one.epoch for one in Annals(folder).told()]


def test_what_was_entered_is_there_after_a_restart_once(tmp_path: Path) -> None:
    book = Annals(tmp_path)
    book.add(record(1))
    book.add(record(2))
    Annals(tmp_path).add(record(2))
    assert epochs(tmp_path) == [1, 2]


def test_the_kept_record_is_entered_again_at_the_start(tmp_path: Path) -> None:
    Annals(tmp_path).begin(record(3))
    Annals(tmp_path).begin(record(3))
    Annals(tmp_path).begin(None)
    assert epochs(tmp_path) == [3]


def test_a_line_torn_by_a_power_cut_costs_only_itself(tmp_path: Path) -> None:
    book = Annals(tmp_path)
    book.add(record(1))
    book.add(record(2))
    path = tmp_path / FILE_NAME
    path.write_bytes(path.read_bytes()[:-9])
    again = Annals(tmp_path)
    again.add(record(3))
    assert epochs(tmp_path) == [1, 3]
    assert len(path.read_bytes().splitlines()) == 2


def test_what_a_full_disk_refused_is_written_with_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = Annals(tmp_path)
    book.add(record(1))
    with monkeypatch.context() as full:
        full.setattr(annals, "append_durably", _no_room)
        with pytest.raises(OSError, match="No space"):
            book.add(record(2))
        Annals(tmp_path).begin(record(9))
    assert [one.epoch for one in book.told()] == [1, 2]
    book.add(record(3))
    assert epochs(tmp_path) == [1, 2, 3]


def _no_room(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_full_file_is_thinned_of_what_repeats(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(annals, "MAX_LINES", 30)
    monkeypatch.setattr(annals._thinned, "__defaults__", (20, 5))
    book = Annals(tmp_path)
    for epoch in range(1, 32):
        book.add(record(epoch, "claim" if epoch % 10 == 1 else "solo"))
    assert epochs(tmp_path) == [1, 11, 21, 26, 27, 28, 29, 30, 31]


def test_an_answer_holds_at_most_so_many_lines_and_terms_outlive_routine(tmp_path: Path) -> None:
    book = Annals(tmp_path)
    book._entries = [entry_of(record(n, "solo")) for n in range(2, 700)]
    book._entries.insert(0, entry_of(record(1, "claim")))
    told = book.told()
    assert len(told) == annals.TOLD // 5 + 1
    assert told[0].epoch == 1


def test_what_the_peer_saw_meanwhile_stands_in_its_place_after_a_restart(tmp_path: Path) -> None:
    book = Annals(tmp_path)
    book.add(record(1))
    book.add(record(4))
    theirs = [entry_of(record(n)) for n in (1, 2, 3)]
    book.learn(theirs)
    assert epochs(tmp_path) == [1, 2, 3, 4]
    written = (tmp_path / FILE_NAME).stat().st_mtime_ns
    book.learn(theirs)
    assert (tmp_path / FILE_NAME).stat().st_mtime_ns == written, "nothing new is not written"
    book.add(record(5))
    assert epochs(tmp_path) == [1, 2, 3, 4, 5]


def test_the_peer_is_told_the_newest_of_what_does_not_repeat(tmp_path: Path) -> None:
    book = Annals(tmp_path)
    book._entries = [entry_of(record(n, "solo" if n % 2 else "pause")) for n in range(1, 402)]
    told = [one.epoch for one in book.chapter()]
    assert (told[0], told[-1], len(told)) == (202, 400, annals.CHAPTER)
