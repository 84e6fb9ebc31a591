"""What the database says is what a person reads; what an audit keeps of a request."""

from __future__ import annotations

from hashlib import sha256

from msgspec import msgpack

from mpowerd.keys import fingerprint
from mpowerd.refusals import CONSTRAINTS, fields_text, refused
from protocols.catalogue.security import AddUser
from protocols.operation import Role
from protocols.refusals import Refused


def test_every_constraint_has_a_sentence() -> None:
    for code, fields in CONSTRAINTS.values():
        assert Refused(code, **fields).final


def test_numbers_of_a_raised_refusal_are_paise() -> None:
    raised = refused("ADVANCE_UNMARKED", '{"amount": 150000, "dues": 0}')
    assert raised.sentence.startswith("Rs 1,500.00 is more than the dues of Rs 0.00")


def test_a_refusal_reads_back_as_it_was() -> None:
    first = Refused("NO_CONSUMER", consumer="0000000009")
    assert refused(first.code, fields_text(first)).sentence == first.sentence


def test_a_password_is_no_part_of_a_fingerprint() -> None:
    one, other = (AddUser("gita", "E1042", Role.CLERK, word) for word in ("first word", "second"))
    prints = {fingerprint("security.add_user", msgpack.encode(b), b) for b in (one, other)}
    assert len(prints) == 1
    assert fingerprint("a", b"b") == sha256(b"a\0b").digest()


def test_a_stored_refusal_outlives_the_wording_of_its_sentence() -> None:
    told = refused("ROLE", '{"operation": "payments.take", "role": "ops", "needed": "clerk"}')
    assert told.sentence == "… is not allowed for the role ops; ask somebody who holds clerk."
    assert refused("DAY_NOT_OPEN", None).code == "DAY_NOT_OPEN"
