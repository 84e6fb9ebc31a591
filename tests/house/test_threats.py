"""The table of threats names tests that exist, at least one in each row."""

import ast
import re

from tests.house.sources import HOUSE

PAGE = HOUSE / "docs" / "security" / "threats.md"
TEST_ID = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
RULES = ("|---", "| threat |")


def rows() -> list[str]:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.startswith("|") and not line.startswith(RULES)]


def defined_in(path: str) -> set[str]:
    tree = ast.parse((HOUSE / path).read_text(encoding="utf-8"))
    defined = ast.FunctionDef | ast.AsyncFunctionDef
    return {node.name for node in tree.body if isinstance(node, defined)}


def test_every_threat_has_a_control_and_a_test() -> None:
    without = [line for line in rows() if line.count("|") != 4 or not TEST_ID.search(line)]
    assert without == []
    assert len(rows()) > 30


def test_every_test_that_is_named_exists() -> None:
    named = set(TEST_ID.findall(PAGE.read_text(encoding="utf-8")))
    assert [one for one in sorted(named) if one[1] not in defined_in(one[0])] == []
