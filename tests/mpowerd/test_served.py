"""What is declared is served, and nothing else is."""

import datetime as dt

from mpowerd.house import LANES, served
from mpowerd.passwords import Passwords
from protocols.catalogue import CATALOGUE


def test_declared_is_served() -> None:
    names = set(served(lambda: dt.date(2026, 4, 1), Passwords().hashed, lambda: 0.0))
    assert names | LANES == {one.name for one in CATALOGUE}
    assert not names & LANES


def test_what_is_posted_in_batches_has_one_role_and_a_key() -> None:
    for name in LANES:
        operation = CATALOGUE.get(name)
        assert operation is not None
        assert operation.keyed
        assert len(operation.roles) == 1
