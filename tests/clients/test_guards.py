"""A hand-over is done when the other node is open, and has failed when the old one serves again; a
mistyped name is the person's mistake, not a refusal.
"""

import pytest
from msgspec import structs

from clients.door import Exit
from clients.ops.guards import not_taken
from clients.ops.seen import Seen
from clients.ops.verbs import RefusedByNode
from tests.clients.test_verdict import A


def seen(*, opened: bool, later: int) -> Seen:
    assert A.record is not None
    record = structs.replace(A.record, epoch=A.record.epoch + later)
    node = structs.replace(A, open=opened, record=record)
    return Seen([node], None, {}, {}, 100.5)


@pytest.mark.parametrize(
    ("opened", "later", "failed"), [(True, 0, False), (False, 1, False), (True, 1, True)]
)
def test_a_hand_over_failed_only_where_the_old_primary_serves_again(
    *, opened: bool, later: int, failed: bool
) -> None:
    assert A.record is not None
    why = not_taken(seen(opened=opened, later=later), A.record)
    assert ("Nobody took over" in why) is failed


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [
        ("USAGE", Exit.USAGE),
        ("UNKNOWN_NODE", Exit.USAGE),
        ("MAINTENANCE", Exit.REFUSED),
    ],
)
def test_a_typing_mistake_ends_as_one(code: str, exit_code: Exit) -> None:
    assert RefusedByNode(code, "Not done.").exit_code == exit_code
