"""The server's conversation: its table covers the product, and what it promises holds along any
path.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from protocols import conversation
from protocols import talk as words
from protocols.conversation import IMPOSSIBLE, RULES, TABLE, begin, rule_for, step
from protocols.messages import (
    MAX_IN_FLIGHT,
    PROTOCOL_VERSION,
    Beat,
    Hello,
    Notice,
    NotPrimary,
    Refusal,
    Reply,
    Request,
    Resume,
    Session,
    SignIn,
    SignOut,
    Welcome,
)
from protocols.refusals import Refused
from protocols.talk import Event, Said, Say, State

WELCOME = Welcome(1, "a", 5, 2, 65536, MAX_IN_FLIGHT, 20_000, "2026-04-01")
ELSEWHERE = NotPrimary(5, "b:7001")
SESSION = Session(b"t" * 16, "asha", "clerk", 43_200)
EMPTY = Raw(b"\x90")


def request(seq: int = 1, operation: str = "payments.take") -> Request:
    return Request(seq, operation, None, EMPTY)


def say(message: Any) -> Said:
    return Said(message)


def run(talk: words.Talk, *happenings: Any) -> tuple[words.Talk, list[Any]]:
    done: list[Any] = []
    for happening in happenings:
        talk, actions = step(talk, happening)
        done.extend(actions)
    return talk, done


def greeted(principal: frozenset[str] = frozenset()) -> words.Talk:
    return run(begin(WELCOME, principal), say(Hello(1, "test")))[0]


def signed_in() -> words.Talk:
    accepted = words.Accepted(SESSION)
    return run(greeted(), say(SignIn("asha", "a long password")), accepted)[0]


def said(actions: list[Any], kind: type) -> list[Any]:
    return [
        one.message for one in actions if isinstance(one, Say) and isinstance(one.message, kind)
    ]


def test_every_pair_is_a_rule_or_impossible_and_never_both_or_twice() -> None:
    pairs = {(rule.state, rule.event) for rule in RULES}
    assert len(RULES) == len(TABLE), "a pair has two rules"
    assert not pairs & IMPOSSIBLE
    assert pairs | IMPOSSIBLE == set(product(State, Event))


def test_every_rule_has_a_reason_that_is_a_sentence() -> None:
    assert all(rule.reason.endswith(".") and rule.reason[0].isupper() for rule in RULES)


def test_every_state_can_still_be_closed() -> None:
    for state in State:
        assert TABLE[state, Event.GONE].to is State.CLOSED


def test_the_usual_day() -> None:
    talk, done = run(
        begin(WELCOME),
        say(Hello(1, "test")),
        say(SignIn("asha", "a long password")),
        words.Accepted(SESSION),
        say(request(7)),
        words.Answered(Reply(7, EMPTY)),
        say(Beat()),
        say(SignOut()),
    )
    assert done == [
        Say(WELCOME),
        words.CheckSignIn(SignIn("asha", "a long password")),
        Say(SESSION),
        words.Dispatch(request(7)),
        Say(Reply(7, EMPTY)),
        Say(Beat()),
        words.EndSession(),
        Say(Notice("signed_out", "You are signed out.")),
    ]
    assert talk.state is State.GREETED
    assert not talk.in_flight


def test_requests_behind_a_resume_are_held_and_then_dispatched_in_order() -> None:
    talk, done = run(greeted(), say(Resume(b"t" * 16)), say(request(1)), say(request(2)))
    assert done == [words.CheckSignIn(Resume(b"t" * 16))]
    talk, done = run(talk, words.Accepted(SESSION))
    assert done == [Say(SESSION), words.Dispatch(request(1)), words.Dispatch(request(2))]
    assert talk.in_flight == {1, 2}


def test_requests_behind_a_refused_resume_are_not_lost_but_asked_to_sign_in() -> None:
    refused = words.SignInRefused(Refused("SIGN_IN_AGAIN"))
    talk, done = run(greeted(), say(Resume(b"t" * 16)), say(request(4)), refused)
    assert [(one.seq, one.code, one.final) for one in said(done, Refusal)] == [
        (0, "SIGN_IN_AGAIN", False),
        (4, "SIGN_IN_AGAIN", False),
    ]
    assert talk.state is State.GREETED
    assert not talk.held


def test_a_terminal_without_a_session_dispatches_nothing() -> None:
    _, done = run(greeted(), say(request(3, "banking.post")))
    assert [one.code for one in said(done, Refusal)] == ["SIGN_IN_AGAIN"]
    assert not [one for one in done if isinstance(one, words.Dispatch)]


def test_a_bank_asks_its_own_operations_by_its_certificate_and_no_others() -> None:
    bank = greeted(frozenset({"banking.post"}))
    _, done = run(bank, say(request(1, "banking.post")), say(request(2, "payments.take")))
    assert done[0] == words.Dispatch(request(1, "banking.post"))
    assert [(one.seq, one.code) for one in said(done, Refusal)] == [(2, "SIGN_IN_AGAIN")]


def test_above_the_limit_reading_pauses_and_a_request_too_many_is_busy() -> None:
    talk, done = run(signed_in(), *(say(request(n)) for n in range(1, MAX_IN_FLIGHT + 2)))
    assert done.count(words.PauseReading()) == 1
    assert [(one.code, one.retry_ms) for one in said(done, Refusal)] == [("BUSY", 100)]
    _, done = run(talk, words.Answered(Reply(1, EMPTY)))
    assert done == [Say(Reply(1, EMPTY)), words.ResumeReading()]


def test_a_repeated_sequence_is_answered_once() -> None:
    talk, done = run(signed_in(), say(request(1)), say(request(1)))
    assert done == [words.Dispatch(request(1))]
    assert talk.in_flight == {1}


def test_one_that_waits_is_welcomed_when_the_node_opens() -> None:
    talk, done = run(begin(ELSEWHERE), say(Hello(1, "test")))
    assert (talk.state, done) == (State.WAITING, [Say(ELSEWHERE)])
    talk, done = run(talk, say(request(1)), say(Hello(1, "test")), words.Opened(WELCOME))
    assert [one.code for one in said(done, Refusal)] == ["NOT_PRIMARY"]
    assert (talk.state, done[-1]) == (State.GREETED, Say(WELCOME))


def test_who_has_seen_a_later_epoch_is_never_welcomed_by_an_older_primary() -> None:
    talk, done = run(begin(WELCOME), say(Hello(1, "test", epoch=6)))
    assert done == [words.EpochSeen(6), Say(NotPrimary(5))]
    _, done = run(talk, say(SignIn("asha", "a long password")))
    assert [(one.seq, one.code) for one in said(done, Refusal)] == [(0, "NOT_PRIMARY")]


def test_when_the_node_is_no_longer_primary_it_says_so_and_closes() -> None:
    talk, _ = run(signed_in(), say(request(1)))
    talk, done = run(talk, words.Lost(ELSEWHERE))
    assert done == [Say(ELSEWHERE), words.Close()]
    assert run(talk, words.Answered(Reply(1, EMPTY)))[1] == [], (
        "an answer after the fall is not given"
    )


@pytest.mark.parametrize(
    ("talk", "happening", "code"),
    [
        (begin(WELCOME), say(Hello(PROTOCOL_VERSION + 1, "test")), "VERSION"),
        (begin(WELCOME), say(request()), "OUT_OF_TURN"),
        (greeted(), say(Hello(1, "test")), "OUT_OF_TURN"),
        (signed_in(), say(SignIn("asha", "a long password")), "OUT_OF_TURN"),
        (signed_in(), words.Broken(Refused("BAD_FRAME", reason="test")), "BAD_FRAME"),
    ],
)
def test_what_cannot_go_on_is_named_at_sequence_0_and_closed(
    talk: words.Talk, happening: Any, code: str
) -> None:
    after, done = step(talk, happening)
    refusal = said(list(done), Refusal)[0]
    assert (refusal.seq, refusal.code) == (0, code)
    assert done[1:] == (words.Close(),)
    assert after.state is State.CLOSED


def test_an_impossible_pair_is_our_mistake() -> None:
    with pytest.raises(AssertionError, match="impossible: sign-in accepted"):
        step(greeted(), words.Accepted(SESSION))
    with pytest.raises(AssertionError, match="nobody asked"):
        step(signed_in(), words.Answered(Reply(9, EMPTY)))


def test_the_newest_connection_of_a_certificate_wins() -> None:
    _, done = run(signed_in(), words.Displaced())
    assert said(done, Notice)[0].kind == "displaced"
    assert done[-1] == words.Close()


def test_notices_and_ends_reach_who_is_welcomed() -> None:
    notice = Notice("day", "The day closes in ten minutes.")
    assert run(begin(WELCOME), words.Pushed(notice))[1] == []
    assert run(signed_in(), words.Pushed(notice))[1] == [Say(notice)]
    talk, done = run(signed_in(), words.SessionEnded(Refused("SIGN_IN_AGAIN")))
    assert (talk.state, done[0].message.code) == (State.GREETED, "SIGN_IN_AGAIN")


def test_how_a_node_greets_follows_what_it_is() -> None:
    talk, done = run(begin(ELSEWHERE), words.Opened(WELCOME), say(Hello(1, "test")))
    assert done == [Say(WELCOME)]
    talk, done = run(begin(WELCOME), words.Lost(ELSEWHERE), say(Hello(1, "test")))
    assert done == [Say(ELSEWHERE)]
    later = Welcome(1, "a", 6, 2, 65536, MAX_IN_FLIGHT, 20_000, "2026-04-02")
    talk, done = run(signed_in(), words.Opened(later))
    assert (talk.here, done) == (later, [])


def test_a_deadline_closes_without_a_word() -> None:
    assert run(begin(ELSEWHERE), words.Deadline("hello"))[1] == [words.Close()]


HAPPENINGS = st.one_of(
    st.builds(lambda n: say(request(n)), st.integers(1, 12)),
    st.builds(lambda n: say(request(n, "banking.post")), st.integers(1, 12)),
    st.sampled_from(
        [
            say(Hello(1, "test")),
            say(Hello(1, "test", 9)),
            say(Hello(2, "test")),
            say(SignIn("asha", "a long password")),
            say(Resume(b"t" * 16)),
            say(SignOut()),
            say(Beat()),
            words.Opened(WELCOME),
            words.Lost(ELSEWHERE),
            words.Accepted(SESSION),
            words.SignInRefused(Refused("SIGN_IN_FAILED", wait_s=30)),
            words.SessionEnded(Refused("SIGN_IN_AGAIN")),
            words.Pushed(Notice("day", "soon")),
            words.Broken(Refused("BAD_FRAME", reason="test")),
            words.Deadline("frame"),
            words.Displaced(),
            words.Gone(),
        ]
    ),
    st.builds(lambda n: words.Answered(Reply(n, EMPTY)), st.integers(1, 12)),
)


@given(opened=st.booleans(), path=st.lists(HAPPENINGS, max_size=60))
def test_along_any_path_the_promises_hold(*, opened: bool, path: list[Any]) -> None:
    talk = begin(WELCOME if opened else ELSEWHERE, frozenset({"banking.post"}))
    dispatched: dict[int, int] = {}
    welcomes = 0
    for happening in path:
        pair = (talk.state, words.event_of(talk, happening))
        stray = isinstance(happening, words.Answered) and happening.answer.seq not in talk.in_flight
        if pair in IMPOSSIBLE or (stray and talk.state is not State.CLOSED):
            continue
        before = talk
        assert rule_for(talk, happening).act.__doc__
        talk, actions = step(talk, happening)
        for action in actions:
            assert before.state is not State.CLOSED, "nothing is done after the close"
            if isinstance(action, words.Dispatch):
                request_ = action.request
                assert talk.state is State.SESSION or request_.operation in talk.principal
                dispatched[request_.seq] = dispatched.get(request_.seq, 0) + 1
            if isinstance(action, Say) and isinstance(action.message, Welcome):
                welcomes += 1
            if isinstance(action, Say) and isinstance(action.message, Reply):
                dispatched[action.message.seq] -= 1
        assert len(talk.unanswered) <= MAX_IN_FLIGHT
        assert all(count in (0, 1) for count in dispatched.values())
    assert welcomes <= 1


def test_the_acts_are_the_tables_only() -> None:
    used = {rule.act for rule in RULES}
    acts = {
        one
        for name, one in vars(conversation).items()
        if callable(one)
        and getattr(one, "__module__", "") == "protocols.conversation"
        and not name.startswith("_")
        and name not in {"begin", "rule_for", "step", "Rule"}
    }
    assert acts == used
