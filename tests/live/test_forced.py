"""The last resort on a real board: the primary is lost for good after it served alone, and the copy
that is left is made primary by an operator who accepts the loss.

What was acknowledged while two copies stood is all there; of what the lost server answered alone,
the terminals' own journals say what is gone. Intents without an answer are presented again.
"""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from clients.demo import evidence
from clients.demo.commands import mpower, status
from clients.demo.company import Company
from clients.demo.drill import socket_of
from clients.demo.opening import in_sync, open_board, wait
from clients.demo.stage import Stage, StageError
from clients.demo.strokes import gone
from clients.demo.verdict import judge

LIMIT_S = 60.0
AT_WORK = 40
FORCE = ("cluster", "failover", "--force", "--accept-data-loss")


def node(seen: dict[str, Any], name: str) -> dict[str, Any]:
    return next((one for one in seen["nodes"] if one["node"] == name), {})


def _told(line: str) -> None:
    print(line)


class Fire:
    """The story up to the decision: b falls out, a serves alone, a burns."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        open_board(stage, _told)
        self.company = Company(stage)
        self.company.await_more(AT_WORK, LIMIT_S)
        hit = stage.cut("b")
        self.alone_s = time.time()
        self.until("a serves alone", lambda it: bool(it["open"]) and it["copies"] == 1)
        self.company.await_more(AT_WORK, LIMIT_S)
        stage.cut("a", lambda: self.company.await_under_way(2, LIMIT_S))
        self.burnt_s = time.time()
        self.forced_s = 0.0
        """Until then only a's answers can arrive, those too that lay in a socket when it burnt."""
        assert gone(hit, LIMIT_S)
        stage.refresh()
        stage.start("b")
        self.until("b answers", lambda it: node(it, "b").get("state") is not None)

    def until(self, what: str, reached: Any) -> dict[str, Any]:
        return wait(self.stage, what, reached, LIMIT_S)


@pytest.fixture(scope="module")
def fire() -> Iterator[Fire]:
    stage = Stage.build(counters=5)
    fire = None
    try:
        fire = Fire(stage)
        yield fire
    finally:
        if fire is not None:
            fire.company.dismiss()
        stage.end()


def forced(fire: Fire, *more: str) -> dict[str, Any]:
    """Asked again while the node is not ready yet: it must have heard nobody for a while."""
    end_s = time.monotonic() + LIMIT_S
    while True:
        try:
            return mpower(fire.stage.home, *FORCE, *more)
        except StageError:
            if time.monotonic() > end_s:
                raise
            time.sleep(0.5)


def test_nobody_takes_over_by_itself_and_the_bound_is_said_first(fire: Fire) -> None:
    said = forced(fire, "--dry-run")
    print(said["bound"])
    assert "served alone" in said["bound"]
    assert status(fire.stage.home)["primary"] is None, "a dry run does nothing"


def test_the_copy_that_is_left_serves_and_the_terminals_find_it(fire: Fire) -> None:
    fire.forced_s = time.time()
    said = forced(fire, "--confirm", "demo")
    assert (said["primary"], said["incarnation"]) == ("b", 2)
    assert "served alone" in said["bound"]
    fire.company.await_more(AT_WORK, LIMIT_S)


def test_the_lost_server_returns_by_a_copy_and_says_what_it_held(fire: Fire) -> None:
    fire.stage.refresh()
    fire.stage.start("a")
    seen = fire.until("a is in sync", lambda it: it["primary"] == "b" and in_sync(it))
    a = node(seen, "a")
    texts = [line["text"] for line in a["history"]]
    assert any("acknowledged payments may be among them" in text for text in texts), texts
    assert any(text.startswith("RECLONING") for text in texts), texts
    last = a["left_behind"][-1]
    print(last)
    assert "acknowledged payments may be among them" in last["text"]


def test_only_what_was_answered_alone_is_lost_and_open_intents_are_answered(fire: Fire) -> None:
    assert fire.company.end()
    asked = evidence.journals(fire.stage.home / "journals")
    again = [it for it in asked if it.sent_at < fire.forced_s <= it.answered_at]
    assert again, "no terminal waited for its answer"
    held, flaws = evidence.database(*socket_of(fire.stage, "b"))
    assert flaws == []
    alone = [it for it in asked if it.receipt and fire.alone_s <= it.answered_at < fire.forced_s]
    others = [it for it in asked if it not in alone]
    whole, safe = judge(asked, held), judge(others, held)
    print(f"acknowledged {whole.acknowledged}, lost {whole.lost} of {len(alone)} answered alone")
    print(f"presented again and answered: {len(again)}")
    assert 0 < whole.lost <= len(alone)
    assert safe.lost == 0, safe.examples
    keys = [(it.owner, it.key) for it in held]
    assert len(keys) == len(set(keys)), "a key was posted twice"
