"""The terminal among servers that fail: nothing lost or doubled, no wait longer than it must."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from protocols import desk
from tests.protocols.town import Town


def lead(town: Town, node: int, epoch: int) -> None:
    for server in town.servers:
        if server.primary_epoch is not None:
            server.lead(None)
    town.servers[node].lead(epoch)


def test_a_killed_primary_costs_a_terminal_no_more_than_the_takeover_and_a_moment() -> None:
    worst = 0.0
    for seed in range(20):
        town = Town(seed)
        town.servers[0].lead(1)
        town.happen(desk.Tick())
        town.sign_in()
        town.run(1.0)
        town.later(0.0, town.kill, 0)
        town.later(0.001, town.submit, 1)
        town.later(0.4, town.servers[1].lead, 2)
        town.run(6.0)
        worst = max(worst, town.waits()[1] - 1.4)
    assert worst < 0.1, f"{worst:.3f} s after the takeover"


def test_a_silent_primary_costs_a_terminal_no_more_than_the_takeover_and_a_moment() -> None:
    worst = 0.0
    for seed in range(20):
        town = Town(seed)
        town.servers[0].lead(1)
        town.happen(desk.Tick())
        town.sign_in()
        town.run(1.0)
        town.cut.add(0)
        town.submit(1)
        town.later(2.3, town.servers[1].lead, 2)
        town.run(9.0)
        worst = max(worst, town.waits()[1] - 3.3)
    assert worst < 0.1, f"{worst:.3f} s after the takeover"


@settings(max_examples=150)
@given(st.integers(0, 2**32))
def test_whatever_the_line_does_every_intent_is_answered_once_and_posted_once(seed: int) -> None:
    dice = random.Random(seed)
    town = Town(seed, trouble=0.2)
    town.servers[0].lead(1)
    town.happen(desk.Tick())
    town.sign_in()
    epoch, wanted = 1, set()
    for number in range(1, 31):
        town.run(town.now + dice.uniform(0.0, 1.5))
        match dice.randrange(10):
            case 0:
                town.kill(dice.randrange(2))
            case 1:
                town.cut.add(dice.randrange(2))
            case 2:
                town.servers[dice.randrange(2)].frozen = True
            case 3:
                town.crash_and_restart()
                town.sign_in()
            case 4 | 5:
                heal(town, dice.randrange(2))
            case 6:
                epoch += 1
                lead(town, dice.randrange(2), epoch)
            case _:
                town.submit(number)
                wanted.add(number)
    heal(town, 0)
    heal(town, 1)
    lead(town, dice.randrange(2), epoch + 1)
    town.sign_in()
    town.run(town.now + 60.0)
    assert set(town.answered) >= wanted - set(), "an intent was never answered"
    assert all(len(gave) == 1 for gave in town.delivered.values()), "delivered twice"
    assert all(len(payloads) == 1 for payloads in town.sent.values()), "other bytes were sent"
    assert set(town.ledger.posted) == wanted


def heal(town: Town, node: int) -> None:
    town.cut.discard(node)
    town.servers[node].down = False
    town.servers[node].thaw()
