"""The worlds a contract of PostgreSQL is held in."""

import pytest

from tests.contracts.postgres_worlds import Opening, memory_world, process_world


@pytest.fixture(
    params=[
        pytest.param(memory_world, id="memory"),
        pytest.param(process_world, id="process", marks=pytest.mark.database),
    ]
)
def opening(request: pytest.FixtureRequest) -> Opening:
    """A world of fakes, and one of real servers."""
    chosen: Opening = request.param
    return chosen
