"""Every planted bug is caught within so many seeds, or the rig proves nothing."""

import pytest

from tests.simulation.campaign import play
from tests.simulation.planted import PLANTED

WITHIN = 500
"""Most are caught in the first twenty; a set-back copy that claims is the rarest."""


@pytest.mark.parametrize("bug", sorted(PLANTED))
def test_a_planted_bug_is_caught(bug: str) -> None:
    met = play(range(1, WITHIN + 1), frozenset({bug}), stop_at=1)
    assert met.violations, f"{bug} ({PLANTED[bug]}) was not caught in {WITHIN} seeds"
    print(f"{bug}: {met.violations[0]}")
