"""What an operator does on a quiet day, on a real board: the doctor, a rehearsed failover, and what
both say when something is missing.
"""

from collections.abc import Iterator

import pytest

from clients.demo.commands import mpower
from clients.demo.opening import in_sync, open_board, wait
from clients.demo.stage import Stage, StageError

LIMIT_S = 60.0


def told(line: str) -> None:
    print(line)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    stage = Stage.build(counters=1)
    try:
        open_board(stage, told)
        yield stage
    finally:
        stage.end()


def test_nothing_is_found_on_a_board_that_is_well(stage: Stage) -> None:
    said = mpower(stage.home, "cluster", "doctor")
    assert (said["findings"], said["safe_to_fail_over"]) == ([], True)


def test_a_failover_is_rehearsed_there_and_back(stage: Stage) -> None:
    said = mpower(stage.home, "cluster", "drill", "--yes")
    assert [(one["source"], one["target"]) for one in said["legs"]] == [("a", "b"), ("b", "a")]
    assert all(one["welcomed"] > 1 and one["gap_ms"] > 0 for one in said["legs"])
    print(said["said"])
    seen = wait(stage, "all is as before", in_sync, LIMIT_S)
    assert (seen["primary"], seen["record"]["tli"]) == ("a", 3)


def test_without_the_witness_it_is_refused_and_nothing_is_done(stage: Stage) -> None:
    stage.cut("witness")
    with pytest.raises(
        StageError, match=r"ended with 5: Not rehearsed, nothing was done: the witness: no answer"
    ):
        mpower(stage.home, "cluster", "drill", "--yes")
    found = mpower(stage.home, "cluster", "doctor", answers=(1,))["findings"]
    assert found[0]["where"] == "the witness", found
    assert "no answer" in found[0]["what"]
    stage.refresh()
    stage.start("witness")
    wait(stage, "the witness is back", in_sync, LIMIT_S)


def test_settings_are_changed_and_taken_at_a_restart(stage: Stage) -> None:
    said = mpower(stage.home, "cluster", "config", "show")
    assert (said["findings"], sorted(said["files"])) == ([], ["a", "b"])
    mpower(stage.home, "cluster", "config", "edit", "limits.sessions=1500", "--yes")
    found = mpower(stage.home, "cluster", "config", "show", answers=(1,))["findings"]
    assert {one["key"] for one in found} == {"limits.sessions"}
    stage.cut("b")
    one_copy = mpower(stage.home, "cluster", "doctor", answers=(1,))
    assert one_copy["findings"][0]["where"] == "b"
    assert not one_copy["safe_to_fail_over"]
    stage.refresh()
    stage.start("b")
    wait(stage, "b is back", in_sync, LIMIT_S)
    (waits,) = mpower(stage.home, "cluster", "config", "show", answers=(1,))["findings"]
    assert waits["what"] == "a works by 2000, its file says 1500"
