"""One node for all these tests, with the migrated template in it; each test copies that."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.database.town import template
from tests.postgres_nodes import Node, node_for_fixture


@pytest.fixture(scope="session")
def node() -> Iterator[Node]:
    for one in node_for_fixture():
        template(one)
        yield one
