"""The journal: durable before it is sent, numbered once, one program at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from clients.journal import KEEP_ROWS, Journal, JournalError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "desk" / "C001.journal"


def test_what_is_saved_is_there_after_a_crash(path: Path) -> None:
    first = Journal(path)
    number = first.next_number()
    first.save(number, b"bytes")
    first._base.close()
    again = Journal(path)
    assert [(one.number, one.payload, one.verdict) for one in again.pending()] == [
        (1, b"bytes", "")
    ]
    again.close()


def test_an_answer_is_kept_until_it_was_shown_and_never_replaced(path: Path) -> None:
    journal = Journal(path)
    journal.save(journal.next_number(), b"bytes")
    journal.settle(1, "RECEIPT", b"answer")
    assert not journal.pending()
    assert [one.answer for one in journal.unshown()] == [b"answer"]
    journal.show(1)
    assert not journal.unshown()
    assert [one.verdict for one in journal.latest()] == ["RECEIPT"]
    with pytest.raises(AssertionError, match="not open"):
        journal.settle(1, "REJECTED", b"other")
    journal.close()


def test_a_number_is_never_given_twice_even_when_rows_are_gone(path: Path) -> None:
    journal = Journal(path)
    journal.save(journal.next_number(), b"one")
    journal._base.execute("DELETE FROM intents")
    journal.close()
    again = Journal(path)
    assert again.next_number() == 2
    again.close()


def test_every_opening_has_its_own_client_id(path: Path) -> None:
    """So an old copy of a journal cannot give an old key to a new payment."""
    one = Journal(path)
    one.close()
    other = Journal(path)
    other.close()
    assert one.client != other.client


def test_one_program_at_a_time(path: Path) -> None:
    journal = Journal(path)
    with pytest.raises(JournalError, match="used by another program"):
        Journal(path)
    journal.close()


def test_a_damaged_journal_is_named_and_kept(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"this is no database at all, but it may have been one" * 100)
    with pytest.raises(JournalError, match=r"is damaged .* Keep the file"):
        Journal(path)
    assert path.read_bytes().startswith(b"this is no database")


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match=r"cannot be made .* Make it, or name another"):
        Journal(tmp_path / "file" / "desk" / "C001.journal")


def test_what_cannot_be_saved_is_a_sentence(path: Path) -> None:
    journal = Journal(path)
    journal._base.execute("PRAGMA max_page_count = 1")
    with pytest.raises(JournalError, match="Nothing was done: it could not be saved"):
        journal.save(journal.next_number(), b"x" * 1_000_000)
    journal.close()


def test_it_is_synced_and_bounded(path: Path) -> None:
    journal = Journal(path)
    assert journal._base.execute("PRAGMA synchronous").fetchone() == (2,)
    assert journal._base.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    journal._base.execute(
        "INSERT INTO intents (number, payload, verdict, shown) VALUES (1, x'00', 'RECEIPT', 1),"
        f" (2, x'00', '', 0), ({KEEP_ROWS + 5}, x'00', 'RECEIPT', 1)"
    )
    journal._prune()
    assert [one.number for one in journal.latest()] == [KEEP_ROWS + 5, 2]
    journal.close()
