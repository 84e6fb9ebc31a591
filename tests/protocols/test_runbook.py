"""Every alarm that is raised anywhere has its line in the runbook; the manual shows them all."""

import ast
from collections.abc import Iterator

from protocols.runbook import RUNBOOK, UNKNOWN, advice, manual_page
from tests.house.sources import texts, under
from tests.protocols.alarms import PAGE

SENTENCE = 100


def raised(text: str) -> Iterator[str]:
    """The names of the alarms that a file raises, by each of the ways there are."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Subscript(value=ast.Name(id="alarms"), slice=ast.Constant(value=str(kind))):
                yield kind
            case ast.Call(
                func=ast.Attribute(attr="Alarm" | "alarm") | ast.Name(id="Alarm" | "alarm"),
                args=[ast.Constant(value=str(kind)), *_],
            ):
                yield kind
            case ast.Call(args=[ast.Constant(value="alarm"), *_], keywords=named):
                for one in named:
                    if one.arg == "kind" and isinstance(one.value, ast.Constant):
                        yield str(one.value.value)


def test_every_alarm_has_its_line_and_every_line_its_alarm() -> None:
    found = {
        kind
        for path, text in texts(".py")
        if under(path, "cluster", "mpowerd")
        for kind in raised(text)
    }
    assert found == set(RUNBOOK)


def test_each_way_of_raising_is_seen() -> None:
    text = (
        "alarms['a'] = 1\nact.Alarm('b', 't')\nAlarm('c', '')\nlog.warning('alarm', kind='d')\n"
        "self.chronicle.alarm('e', 't')\nalarm('f', 't')\n"
    )
    assert set(raised(text)) == {"a", "b", "c", "d", "e", "f"}


def test_an_alarm_of_a_newer_release_gets_an_honest_line() -> None:
    assert advice("never-heard-of") is UNKNOWN


def test_a_line_fits_below_its_alarm() -> None:
    for kind, line in RUNBOOK.items():
        assert kind == kind.lower()
        assert "_" not in kind
        assert len(line.do) <= SENTENCE, kind
        assert line.do.endswith(".")
        assert line.means.endswith(".")


def test_the_manual_s_page_is_the_runbook() -> None:
    assert PAGE.read_text(encoding="utf-8") == manual_page(), "python -m tests.protocols.alarms"
