"""Files and functions stay small, open with their theory, and door plates hold no code."""

from collections.abc import Callable, Iterator

import pytest

from tests.house import layout
from tests.house.sources import CODE, HOUSE, texts, under

Rule = Callable[[str, str], Iterator[str]]


@pytest.mark.parametrize(
    "rule", [layout.too_long, layout.long_functions, layout.no_opening, layout.not_a_door_plate]
)
def test_every_python_file_keeps(rule: Rule) -> None:
    assert [word for path, text in texts(".py") for word in rule(path, text)] == []


def test_no_sql_file_is_too_long() -> None:
    assert [word for path, text in texts(".sql") for word in layout.too_long(path, text)] == []


def test_the_median_file_is_small() -> None:
    rooms = {
        "the code": [text.count("\n") for path, text in texts(".py") if under(path, *CODE)],
        "the tests": [text.count("\n") for path, text in texts(".py") if under(path, "tests")],
    }
    complaints = [
        word for name, sizes in rooms.items() for word in layout.median_complaint(name, sizes)
    ]
    assert complaints == []


def test_excuses_name_functions_that_exist() -> None:
    for place in layout.LONG_FUNCTIONS:
        path, name = place.split(":")
        assert f"def {name}(" in (HOUSE / path).read_text(encoding="utf-8")


LONG = "def pay():\n" + "    x = 1\n" * layout.FUNCTION_LINES


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (layout.too_long, "a.py", "x = 1\n" * (layout.FILE_LINES + 1)),
        (layout.long_functions, "a.py", LONG),
        (layout.long_functions, "a.py", "async " + LONG),
        (layout.long_functions, "a.py", "class A:\n    " + LONG.replace("\n", "\n    ")),
        (layout.no_opening, "a.py", "import os\n"),
        (layout.no_opening, "a.py", ""),
        (layout.not_a_door_plate, "a/__init__.py", '"""A."""\ndef f(): ...\n'),
        (layout.not_a_door_plate, "a/__init__.py", '"""A."""\nif 1:\n    x = 1\n'),
    ],
)
def test_a_planted_violation_is_seen(rule: Rule, path: str, text: str) -> None:
    assert len(list(rule(path, text))) == 1


def test_a_large_median_is_seen() -> None:
    assert list(layout.median_complaint("planted", [10, layout.MEDIAN_LINES + 1, 300]))
    assert not list(layout.median_complaint("small", [10, layout.MEDIAN_LINES, 300]))


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (layout.too_long, "a.py", "x = 1\n" * layout.FILE_LINES),
        (layout.long_functions, "a.py", LONG.removesuffix("    x = 1\n")),
        (
            layout.long_functions,
            "a.py",
            'def f():\n    """One.\n' + "    Two.\n" * layout.FUNCTION_LINES + '    """\n',
        ),
        (layout.not_a_door_plate, "a/__init__.py", '"""A."""\nfrom a import b\nALL = (b,)\n'),
        (layout.not_a_door_plate, "a/b.py", '"""A."""\ndef f(): ...\n'),
    ],
)
def test_what_is_allowed_passes(rule: Rule, path: str, text: str) -> None:
    assert list(rule(path, text)) == []
