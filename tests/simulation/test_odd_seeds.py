"""The pair under a virtual clock, odd seeds (even ones in the file beside: two workers, two
halves).
"""

from tests.simulation.campaign import play, seeds_asked, told
from tests.simulation.scenario import run


def test_no_odd_seed_breaks_a_promise_and_every_kind_of_fault_was_met() -> None:
    last = seeds_asked()
    met = play(range(1, last + 1, 2))
    print(told(met, 1, last))
    assert not met.violations, "\n".join(met.violations)
    assert not met.never_hit


def test_one_seed_played_twice_leaves_the_same_trace() -> None:
    for seed in (3, 77):
        one, two = run(seed), run(seed)
        assert (one.trace, one.hit, one.calls) == (two.trace, two.hit, two.calls)
    assert run(3).trace != run(5).trace
