"""The pair under a virtual clock, even seeds."""

from tests.simulation.campaign import play, seeds_asked, told


def test_no_even_seed_breaks_a_promise_and_every_kind_of_fault_was_met() -> None:
    last = seeds_asked()
    met = play(range(2, last + 1, 2))
    print(told(met, 2, last))
    assert not met.violations, "\n".join(met.violations)
    assert not met.never_hit
