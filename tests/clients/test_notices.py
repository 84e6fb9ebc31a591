"""What stands by people's word, as sentences; what a replaced copy held, as one."""

import pytest
from msgspec import structs

from clients.ops.notices import LeftBehind, Planned, left_behind, notices, when
from clients.ops.seen import Seen
from tests.clients.test_verdict import RECORD, A, B, W


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"paused": True}, ["paused by an operator", "mpower cluster resume"]),
        (
            {"paused": True, "capped": True, "takeovers": (1, 2)},
            ["by itself (automatic takeovers within an hour: 2): nobody", "mpower cluster resume"],
        ),
        ({"paused": True, "sync": ""}, ["one copy is left, on a; nobody takes over"]),
        ({"strict": True}, ["nothing is acknowledged on one copy", "strict off"]),
        ({"maintenance": "b"}, ["b is in maintenance", "maintenance b off"]),
        ({"moved": "etcd:x"}, ["moved to etcd:x", "arbiter replace"]),
    ],
)
def test_each_decision_is_a_sentence_that_says_how_it_ends(
    change: dict[str, object], words: list[str]
) -> None:
    (line,) = notices(None, structs.replace(RECORD, **change))
    assert all(word in line for word in words), line


def test_a_planned_switchover_says_to_whom_when_and_by_whom() -> None:
    (line,) = notices(Planned("b", 1_795_564_740, "asha"), RECORD)
    assert line.startswith(f"switchover to b planned for {when(1_795_564_740)} by asha. Take it")
    (line,) = notices(Planned("b", 0), RECORD)
    assert "under way" in line


def test_nothing_decided_nothing_said() -> None:
    assert notices(None, RECORD) == []
    assert notices(None, None) == []


def test_what_a_copy_held_is_told_for_a_week_and_longer_if_it_may_matter() -> None:
    old = LeftBehind(1000.0, "Past the switch this copy holds 96 bytes.")
    assert left_behind("a", [old], 2000.0)[0].endswith("holds 96 bytes.")
    assert left_behind("a", [old], 1000.0 + 8 * 86_400) == []
    assert left_behind("a", [structs.replace(old, forced=True)], 1000.0 + 8 * 86_400)


def test_the_table_shows_them_and_programs_get_them() -> None:
    record = structs.replace(RECORD, maintenance="b")
    a = structs.replace(A, record=record, left_behind=[LeftBehind(9.0, "Nothing is lost.")])
    seen = Seen([a, B], structs.replace(W, record=record), {}, {}, 10.0)
    text = seen.table()
    assert "safe to fail over? no: b is in maintenance: it takes nothing over" in text
    assert "b is in maintenance: it is not missed" in text
    assert "Nothing is lost." in text


def test_without_a_witness_the_nodes_own_record_is_shown() -> None:
    a = structs.replace(A, record=structs.replace(RECORD, strict=True))
    assert "strict: nothing" in Seen([a, B], None, {}, {}, 10.0).table()
