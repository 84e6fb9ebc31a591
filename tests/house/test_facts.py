"""Each fact about PostgreSQL that the design stands on has a test under its number."""

import re

from tests.house.sources import texts

FACTS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 17, 18)
"""The numbers of the specification; those left out were dropped there."""


def shown(text: str) -> set[int]:
    """The facts that a file has tests of."""
    return {int(number) for number in re.findall(r"def test_f(\d\d)_", text)}


def test_every_fact_has_a_test() -> None:
    found: set[int] = set()
    for path, text in texts(".py"):
        if path.startswith("tests/database/facts/"):
            found |= shown(text)
    assert sorted(found) == list(FACTS)


def test_a_fact_without_a_test_is_seen() -> None:
    assert shown("async def test_f05_it() -> None: ...\ndef test_f7_it() -> None: ...") == {5}
