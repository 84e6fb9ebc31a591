"""A machine whose certificate was just issued, known to no server: the audit shows it from its
first act, be that refused. A greeting or a look is no act.
"""

from collections.abc import Iterator

import pytest

from tests.open_house import OpenHouse, house_for_fixture
from tests.postgres_nodes import on_reactor


@pytest.fixture(scope="module")
def house() -> Iterator[OpenHouse]:
    yield from house_for_fixture()


def entries_of(house: OpenHouse, subject: str) -> list[str]:
    rows = house.rows(
        "SELECT what FROM mpower.audit_entries WHERE subject = %s ORDER BY at", subject
    )
    return [what for (what,) in rows]


@on_reactor
async def test_who_tries_a_password_at_a_new_machine_is_there(house: OpenHouse) -> None:
    async with house.terminal("C077") as terminal:
        assert entries_of(house, "counter/C077") == []
        assert await terminal.refused_sign_in("asha", "not her password") == "SIGN_IN_FAILED"
    assert entries_of(house, "counter/C077") == ["security.sign_in"]


@pytest.mark.parametrize(("kind", "name"), [("counter", "C078"), ("bank", "NEWBANK")])
@on_reactor
async def test_what_a_new_machine_does_itself_is_there(
    house: OpenHouse, kind: str, name: str
) -> None:
    async with house.terminal(name, kind=kind) as terminal:
        await terminal.ask("certificates.fetch", ["00" * 32])
        assert entries_of(house, f"{kind}/{name}") == []
        await terminal.ask("certificates.use", ["00" * 32], 1)
    assert entries_of(house, f"{kind}/{name}") == ["certificates.use"]
