"""The failover table is complete, its halves do not overlap, and the documentation shows it."""

from pathlib import Path

import pytest

from cluster.diagram import diagram
from cluster.learning import EVENTS, LESSONS
from cluster.learning_postgres import RESULT_OF
from cluster.machine import TABLE
from cluster.rules.cover import IMPOSSIBLE, TEACHES
from cluster.states import State

HOUSE = Path(__file__).parents[2]
ROWS = {(state, event) for row in TABLE for state in row.states for event in row.on}


def test_every_pair_has_a_row_or_teaches_or_is_impossible() -> None:
    pairs = {(state, event) for state in State for event in EVENTS}
    taught = {(state, event) for state in State for event in TEACHES}
    assert pairs - ROWS - IMPOSSIBLE - taught == set()


def test_what_is_impossible_is_no_row_of_its_own() -> None:
    """A row may list a whole group of events; none is there only for what cannot come."""
    for row in TABLE:
        pairs = {(state, event) for state in row.states for event in row.on}
        assert pairs - IMPOSSIBLE, row.reason


def test_every_event_has_a_lesson_and_every_result_an_order() -> None:
    assert set(LESSONS) == set(EVENTS)
    assert set(RESULT_OF) <= set(EVENTS)


@pytest.mark.parametrize("state", list(State))
def test_every_state_has_a_way_in_and_a_way_out(state: State) -> None:
    into = [row for row in TABLE if row.to is state]
    out = [row for row in TABLE if state in row.states and row.to not in {None, state}]
    assert into or state is State.INIT
    assert out or state is State.DRAINING


def test_every_reason_is_a_sentence() -> None:
    for row in TABLE:
        told = row.reason.format(me="a", peer="b")
        assert told[0].isupper() or told[0] in "ab"
        assert told[-1] in ".?"


def test_the_documentation_draws_the_table() -> None:
    page = (HOUSE / "docs" / "ARCHITECTURE.md").read_text()
    drawn = page.partition("```mermaid\n")[2].partition("```")[0]
    assert drawn == diagram(), "put what 'python -m cluster.diagram' prints into the page"
