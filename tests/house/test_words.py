"""Names say what things are; nothing is promised, skipped or tied to one machine."""

from collections.abc import Callable, Iterator

import pytest

from tests.house import words
from tests.house.sources import HOUSE, texts

Rule = Callable[[str, str], Iterator[str]]

# The licence is another's text, the lock is a machine's.
NOT_OURS = {"LICENSE", "requirements.lock"}


def complaints(rule: Rule, *suffixes: str) -> list[str]:
    """Bring every file of ours to ``rule`` and collect what it says."""
    return [
        word for path, text in texts(*suffixes) if path not in NOT_OURS for word in rule(path, text)
    ]


def test_names_are_of_the_utility() -> None:
    assert complaints(words.vague_names) == []


@pytest.mark.parametrize("rule", [words.unkept_promises, words.places_of_one_machine])
def test_no_file_holds(rule: Rule) -> None:
    assert complaints(rule) == []


def test_no_file_names_a_registry_host() -> None:
    assert [word for path, text in texts() for word in words.registry_hosts(path, text)] == []


def test_no_test_is_skipped() -> None:
    assert complaints(words.skipped_tests, ".py") == []


def test_the_lock_pins_by_hash_and_names_no_machine() -> None:
    lines = (HOUSE / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pins = [number for number, line in enumerate(lines) if "==" in line and line[0].isalpha()]
    assert len(pins) > 20
    assert all("--hash=sha256:" in lines[number + 1] for number in pins)
    strange = [line for line in lines if line.startswith("-") or "://" in line or "file:" in line]
    assert strange == []


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (words.vague_names, "a/man" + "ager.py", ""),
        (words.vague_names, "a/ut" + "ils.py", ""),
        (words.vague_names, "a.py", "class FrameHan" + "dler: ..."),
        (words.vague_names, "a.py", "def _hel" + "per(): ..."),
        (words.vague_names, "a.py", "bill_eng" + "ine = 1"),
        (words.vague_names, "a.py", "def f(proc" + "essor): ..."),
        (words.vague_names, "a.py", "def f(x):\n    x.eng" + "ine = 1"),
        (words.vague_names, "a.py", "from x import y as y_ut" + "il"),
        (words.unkept_promises, "a.sql", "-- TO" + "DO later"),
        (words.unkept_promises, "a.py", "# FIX" + "ME"),
        (words.places_of_one_machine, "a.md", "see /wo" + "rk/x"),
        (words.places_of_one_machine, "a.py", 'p = "/ro' + 'ot/.cache"'),
        (words.places_of_one_machine, "a.py", 'p = "/ho' + 'me/someone"'),
        (words.registry_hosts, "a.lock", "--index-url https://files.python" + "hosted.org/simple"),
        (words.skipped_tests, "a.py", "pytest.sk" + 'ip("later")'),
        (words.skipped_tests, "a.py", "@pytest.mark.xf" + "ail"),
    ],
)
def test_a_planted_violation_is_seen(rule: Rule, path: str, text: str) -> None:
    assert len(list(rule(path, text))) == 1


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (words.vague_names, "loop.set_exception_handler(f)"),
        (words.vague_names, 'MESSAGE = "the bill engine is a word in prose"'),
        (words.vague_names, "utility = 1"),
        (words.unkept_promises, "todos = 1"),
        (words.places_of_one_machine, "a/wo" + "rk/b, /usr/lib, workplace, /networks"),
    ],
)
def test_what_is_allowed_passes(rule: Rule, text: str) -> None:
    assert list(rule("a.py", text)) == []
