"""The code of every page in every state: the whole table, each guard on and off."""

from itertools import product

import pytest
from msgspec import structs

from cluster.events import Facts
from cluster.machine import begin
from cluster.opening import OPEN_STATES
from cluster.opsport.codes import OK, UNAVAILABLE, Outlook, health, outlook, primary, ready, standby
from cluster.states import State
from cluster.timers import Timers
from cluster.view import standing

GUARDS = ("open", "answers", "in_recovery", "replay_paused", "doors")
GOOD_STANDBY = {"open": False, "answers": True, "in_recovery": True, "replay_paused": False}
STANDBY_STATES = {State.STANDBY_CATCHUP, State.STANDBY_SYNC, State.CLAIMING}


def every() -> list[Outlook]:
    return [
        Outlook(state=state, reason="why", **dict(zip(GUARDS, flags, strict=True)))
        for state, flags in product(State, product((False, True), repeat=len(GUARDS)))
    ]


def test_health_is_503_in_fault_and_200_in_every_other_state() -> None:
    for seen in every():
        assert health(seen).code == (UNAVAILABLE if seen.state == State.FAULT else OK), seen


def test_primary_is_200_only_with_the_gate_open() -> None:
    for seen in every():
        expected = seen.open and seen.state != State.FAULT
        assert primary(seen).code == (OK if expected else UNAVAILABLE), seen


def test_standby_is_200_only_in_recovery_and_in_good_health() -> None:
    for seen in every():
        well = seen.answers and seen.in_recovery and not seen.replay_paused
        expected = seen.state in STANDBY_STATES and well
        assert standby(seen).code == (OK if expected else UNAVAILABLE), seen


def test_ready_is_200_for_who_serves_with_open_doors_and_for_a_standby_in_sync() -> None:
    for seen in every():
        serves = seen.open and seen.doors and seen.state != State.FAULT
        well = seen.answers and seen.in_recovery and not seen.replay_paused
        follows = seen.state == State.STANDBY_SYNC and well and not seen.open
        assert ready(seen).code == (OK if serves or follows else UNAVAILABLE), seen


@pytest.mark.parametrize("state", list(State))
def test_no_state_is_primary_and_standby_at_once_as_the_machine_shows_it(state: State) -> None:
    """Open and in recovery never come together from the machine itself."""
    mind = structs.replace(
        begin("a", "b", "demo", "boot", timers=Timers(), now_s=0.0),
        state=state,
        up=True,
        facts=Facts(
            in_recovery=state in STANDBY_STATES,
            system_id="1",
            tli=1,
            flush_lsn=1,
            receive_lsn=1,
            replay_lsn=1,
            postmaster_start=1,
            names="",
        ),
        facts_at_s=0.0,
    )
    seen = outlook(mind, standing(mind, {}), doors=True)
    assert primary(seen).code == UNAVAILABLE, "no record was read: nothing is open"
    assert standby(seen).code == (OK if state in STANDBY_STATES else UNAVAILABLE)
    stale = outlook(structs.replace(mind, now_s=60.0), standing(mind, {}), doors=True)
    assert standby(stale).code == UNAVAILABLE, "a probe of a minute ago proves nothing"


def test_every_answer_says_why() -> None:
    for seen in every():
        for page in (health, primary, standby, ready):
            assert page(seen).why.rstrip("y").endswith((".", "wh"))


def test_the_open_states_are_primaries() -> None:
    """What /primary stands on: only a primary's state may be open."""
    assert not OPEN_STATES & STANDBY_STATES
