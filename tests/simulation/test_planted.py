"""Every planted bug is caught within so many seeds, by a check that was meant to catch it, or the
rig proves nothing.
"""

import pytest

from tests.simulation.campaign import play
from tests.simulation.faults.kinds import KINDS
from tests.simulation.planted import PLANTED
from tests.simulation.planted_rules import WRAPPERS

WITHIN = 200
"""Most are caught in the first twenty; the rest need two faults to meet."""


@pytest.mark.parametrize("bug", sorted(PLANTED))
def test_a_planted_bug_is_caught(bug: str) -> None:
    plant = PLANTED[bug]
    met = play(range(1, WITHIN + 1), frozenset({bug}), stop_at=1)
    assert met.violations, f"{bug} ({plant.wrong}) was not caught in {WITHIN} seeds"
    said = met.violations[0].partition(": ")[2]
    print(f"{bug}: {met.violations[0]}")
    assert said.partition(":")[0] in plant.caught_by, f"{bug} was caught by another check: {said}"


def test_what_brings_a_bug_out_is_a_kind_of_fault() -> None:
    named = {kind for plant in PLANTED.values() for kind in plant.brought_out_by}
    assert named <= KINDS.keys()
    assert WRAPPERS.keys() <= PLANTED.keys()
