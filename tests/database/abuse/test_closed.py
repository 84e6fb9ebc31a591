"""What cannot be written down is not done: the audit, the roles or a grant taken away under a
running house, which then refuses, and goes on by itself once they are back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import psycopg
import pytest

from tests.open_house import PASSWORD, OpenHouse, house_for_fixture
from tests.postgres_nodes import on_reactor

CONSUMER = "1000000007"
TAKE = ("payments.take", [CONSUMER, 12_500])
DUES = ("consumers.dues", [CONSUMER])


@pytest.fixture(scope="module")
def house() -> Iterator[OpenHouse]:
    yield from house_for_fixture()


@contextmanager
def done_to(house: OpenHouse, deed: str, undo: str) -> Iterator[None]:
    """What a superuser's slip does to the schema, mended at the end."""
    with psycopg.connect(house.node.conninfo, autocommit=True) as connection:
        connection.execute(deed.encode())
        try:
            yield
        finally:
            connection.execute(undo.encode())


def no_more(house: OpenHouse, table: str) -> AbstractContextManager[None]:
    """Nothing more can be written into that part of the audit."""
    return done_to(
        house,
        f"ALTER TABLE mpower.{table} ADD CONSTRAINT full_up CHECK (false) NOT VALID",
        f"ALTER TABLE mpower.{table} DROP CONSTRAINT full_up",
    )


def standing(house: OpenHouse) -> tuple[object, ...]:
    """What a payment would move: the requests of the counter, the consumer's balances."""
    ((requests,),) = house.rows("SELECT count(*) FROM mpower.requests")
    ((entries,),) = house.rows("SELECT count(*) FROM mpower.entries")
    balances = house.rows("SELECT * FROM mpower.accounts ORDER BY 1")
    return requests, entries, balances


@on_reactor
async def test_a_payment_that_cannot_be_audited_is_not_taken(house: OpenHouse) -> None:
    async with house.terminal("C001", "asha") as terminal:
        before = standing(house)
        with no_more(house, "audit_links"):
            code = await terminal.code(*TAKE, 71)
        assert code == "FAULT"
        assert standing(house) == before
        receipt = await terminal.body(*TAKE, 71)
        assert receipt[0]
    assert standing(house) != before


@on_reactor
async def test_a_sign_in_that_cannot_be_audited_opens_nothing(house: OpenHouse) -> None:
    kept = "SELECT token FROM mpower.sessions ORDER BY 1"
    async with house.terminal("C002") as terminal:
        before = house.rows(kept)
        with no_more(house, "audit_entries"):
            for password in (PASSWORD, "wrong"):
                assert await terminal.refused_sign_in("ravi", password) == "FAULT"
            assert await terminal.code(*DUES) == "SIGN_IN_AGAIN"
        assert house.rows(kept) == before
        await terminal.sign_in("ravi", PASSWORD)
        assert len(house.rows(kept)) == len(before) + 1


@on_reactor
async def test_without_the_table_of_users_and_roles_nobody_signs_in(house: OpenHouse) -> None:
    async with house.terminal("C003") as terminal:
        with done_to(
            house,
            "ALTER TABLE mpower.users RENAME TO users_gone",
            "ALTER TABLE mpower.users_gone RENAME TO users",
        ):
            assert await terminal.refused_sign_in("asha", PASSWORD) == "FAULT"
        await terminal.sign_in("asha", PASSWORD)
        assert await terminal.code(*DUES) == ""


@on_reactor
async def test_a_role_whose_grants_are_gone_does_nothing(house: OpenHouse) -> None:
    function = "mpower.consumer_dues_v1"
    async with house.terminal("C004", "asha") as terminal:
        assert await terminal.code(*DUES) == ""
        ((signature,),) = house.rows(
            "SELECT oid::regprocedure::text FROM pg_proc WHERE oid = %s::regproc", function
        )
        with done_to(
            house,
            f"REVOKE EXECUTE ON FUNCTION {signature} FROM mpower_clerk",
            f"GRANT EXECUTE ON FUNCTION {signature} TO mpower_clerk",
        ):
            assert await terminal.code(*DUES) == "FAULT"
        assert await terminal.code(*DUES) == ""
