"""What is declared is served, and nothing else is."""

from mpowerd.house import LANES, SERVED
from protocols.catalogue import CATALOGUE


def test_declared_is_served() -> None:
    assert set(SERVED) | LANES == {one.name for one in CATALOGUE}
    assert not set(SERVED) & LANES


def test_what_is_posted_in_batches_has_one_role_and_a_key() -> None:
    for name in LANES:
        operation = CATALOGUE.get(name)
        assert operation is not None
        assert operation.keyed
        assert len(operation.roles) == 1
