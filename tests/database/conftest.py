"""One node for each module of these tests, with the migrated template in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.database.town import template
from tests.postgres_nodes import Node, node_for_fixture


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    for one in node_for_fixture():
        template(one)
        yield one
