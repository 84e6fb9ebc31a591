"""The terminal's side: its table, its timers, and what it keeps through any failover."""

from __future__ import annotations

from itertools import product

import pytest

from protocols import desk, lines, moves, terminal
from protocols.faults import refusal
from protocols.messages import Notice, NotPrimary, Refusal, Reply, Resume, Session
from protocols.refusals import SENTENCES, Refused
from protocols.terminal import IMPOSSIBLE, RULES, TABLE, begin
from tests.protocols.by_hand import CLAIM, EMPTY, Desk, kinds, welcome
from tests.protocols.town import TOKEN, request


def test_every_pair_is_a_rule_or_impossible_and_never_both_or_twice() -> None:
    pairs = {(rule.state, rule.event) for rule in RULES}
    assert len(RULES) == len(TABLE), "a pair has two rules"
    assert not pairs & IMPOSSIBLE
    assert pairs | IMPOSSIBLE == set(product(desk.State, desk.Event))


def test_every_rule_has_a_reason_that_is_a_sentence_and_every_act_is_used() -> None:
    assert all(rule.reason.endswith(".") and rule.reason[0].isupper() for rule in RULES)
    acts = {
        one
        for name, one in vars(moves).items()
        if getattr(one, "__module__", "") == moves.__name__
        and not name.startswith("_")
        and name != "Moment"
    }
    assert acts == {rule.act for rule in RULES}


def test_it_journals_before_it_sends_and_journals_the_answer_before_it_delivers() -> None:
    d = Desk().home()
    assert d.go(desk.Submit(7, request(7))) == [desk.JournalIntent(7, request(7))]
    assert d.go(desk.Journalled(7)) == [desk.SendRequest(0, d.call(0), 7, request(7))]
    reply = Reply(7, EMPTY)
    assert d.hear(0, reply) == [
        desk.JournalAnswer(7, desk.Verdict.RECEIPT, reply),
        desk.Deliver(7, desk.Verdict.RECEIPT, reply),
    ]


@pytest.mark.parametrize("code", [code for code, one in SENTENCES.items() if not one.final])
def test_no_answer_that_is_not_definitive_ends_an_intent(code: str) -> None:
    d = Desk().home()
    d.submit(1)
    did = d.hear(0, refusal(1, Refused(code, id="7F3A-09C2", user="ravi"), 200))
    assert "Deliver" not in kinds(did)
    intent = d.t.intent(1)
    assert intent is not None
    assert intent.stage is desk.Stage.WAITING


@pytest.mark.parametrize(
    ("code", "verdict"),
    [("KEY_CONFLICT", desk.Verdict.CONFLICT), ("DAY_NOT_OPEN", desk.Verdict.REJECTED)],
)
def test_a_final_refusal_is_definitive(code: str, verdict: desk.Verdict) -> None:
    d = Desk().home()
    d.submit(1)
    did = d.hear(0, refusal(1, Refused(code)))
    assert did[-1].verdict is verdict
    assert not d.t.intents


def test_put_off_it_sends_the_same_bytes_when_the_server_says() -> None:
    d = Desk().home()
    d.submit(1)
    d.hear(0, refusal(1, Refused("BUSY"), 400))
    assert d.wait(0.29) == []
    assert d.wait(0.51) == [desk.SendRequest(0, d.call(0), 1, request(1))]


def test_a_refusal_before_the_key_does_not_end_bytes_that_may_have_been_taken() -> None:
    refused = Refused("UNKNOWN_OPERATION", operation="payments.take")
    once = Desk().home()
    once.submit(1)
    assert kinds(once.hear(0, refusal(1, refused))) == ["JournalAnswer", "Deliver"]
    again = Desk(pending=[(1, request(1))]).home()
    assert kinds(again.hear(0, refusal(1, refused))) == ["Tell"]
    assert again.t.intent(1) is not None
    assert again.wait(4.9) == []
    assert "SendRequest" in kinds(again.wait(5.1))


def test_why_it_waits_is_told_once_for_each_reason_of_each_intent() -> None:
    d = Desk().home()
    d.submit(1)
    codes: list[str] = []
    for code in ("FAULT", "FAULT", "BUSY", "FAULT", "PENDING"):
        did = d.hear(0, refusal(1, Refused(code, id="7F3A-09C2"), 50))
        told = [one.notice for one in did if isinstance(one, desk.Tell)]
        codes += [one.code for one in told if isinstance(one, Refusal)]
        d.wait(d.now + 0.1)
    assert codes == ["FAULT", "BUSY", "PENDING"]
    d.submit(2)
    assert kinds(d.hear(0, refusal(2, Refused("BUSY")))) == ["Tell"]


def test_late_it_asks_the_other_but_stays_while_home_is_primary() -> None:
    d = Desk().home()
    d.submit(1)
    assert d.wait(0.99) == []
    did = d.wait(1.0)
    assert kinds(did) == ["Connect", "Say"]
    assert (did[0].node, d.t.state) == (1, desk.State.PROBING)
    d.go(desk.LineUp(1, d.call(1)))
    d.hear(1, NotPrimary(1))
    assert d.t.home == 0
    other = d.call(1)
    assert desk.Close(1, other) in d.hear(0, Reply(1, EMPTY))
    assert d.t.state is desk.State.READY


def test_it_moves_to_a_higher_epoch_only_and_resumes_and_re_sends_in_one_flight() -> None:
    d = Desk().home(epoch=4)
    d.submit(1)
    d.wait(1.0)
    d.go(desk.LineUp(1, d.call(1)))
    same = d.call(1)
    assert d.hear(1, welcome(4)) == [desk.Close(1, same)]
    assert d.t.home == 0
    d.wait(1.5)
    d.go(desk.LineUp(1, d.call(1)))
    old = d.call(0)
    assert d.hear(1, welcome(5)) == [
        desk.Close(0, old),
        desk.Say(1, d.call(1), Resume(TOKEN)),
        desk.SendRequest(1, d.call(1), 1, request(1)),
    ]


def test_a_primary_of_an_epoch_that_is_over_is_not_believed() -> None:
    d = Desk().home(epoch=4)
    d.go(desk.LineDown(0, d.call(0)))
    d.go(desk.LineUp(1, d.call(1)))
    assert kinds(d.hear(1, welcome(3))) == ["Close"]
    assert d.t.home is None


def test_when_home_says_it_is_not_primary_any_welcome_of_this_epoch_or_later_will_do() -> None:
    d = Desk().home(epoch=4)
    d.submit(1)
    did = d.hear(0, NotPrimary(4))
    assert kinds(did) == ["Close", "Connect"]
    assert did[1].node == 1
    d.go(desk.LineUp(1, d.call(1)))
    assert kinds(d.hear(1, welcome(4))) == ["Say", "SendRequest"]


def test_where_it_is_turned_away_it_waits_and_is_welcomed_first() -> None:
    d = Desk()
    d.go(desk.LineUp(0, d.call(0)))
    did = d.hear(0, NotPrimary(1))
    did += d.wait(0.3)
    assert [one.node for one in did if isinstance(one, desk.Connect)] == [1]
    assert kinds(d.wait(2.1))[-1] == "Say", "it asks whether that node still lives"
    assert kinds(d.hear(0, welcome(2))) == ["SignInNeeded", "Close"]


def test_a_frozen_server_is_not_waited_for() -> None:
    d = Desk()
    d.go(desk.LineUp(0, d.call(0)))
    did = d.wait(0.31)
    assert [one.node for one in did if isinstance(one, desk.Connect)] == [1]
    d.go(desk.LineDown(1, d.call(1)))
    d.wait(9.9)
    assert d.t.lines[0] is not None, "nor given up: handshakes queue in a storm"
    assert desk.Close(0, 1) in d.wait(10.1)


def test_a_server_out_of_reach_is_given_up_and_dialled_again() -> None:
    d = Desk()
    did = d.wait(3.0)
    dialled = [one for one in did if isinstance(one, desk.Connect)]
    assert {one.node for one in dialled} == {0, 1}
    assert 6 <= len(dialled) <= 16
    assert did.count(desk.Close(0, 1)) == 1


def test_back_off_is_short_for_ten_seconds_and_grows_to_five() -> None:
    assert lines.backoff_s(0.0, 0.999) <= 0.3
    assert lines.backoff_s(10.0, 0.999) <= 0.3
    assert lines.backoff_s(20.0, 0.999) > 2.0
    assert lines.backoff_s(1000.0, 0.999) <= 5.0
    assert lines.backoff_s(1000.0, 0.0) == lines.BACKOFF_LEAST_S


def test_a_silent_home_is_left_after_a_beat_that_nobody_answers() -> None:
    d = Desk().home()
    d.submit(1)
    did = d.wait(4.1)
    assert desk.Close(0, 1) in did, "the beat of second 1 is unanswered for 3 s"
    assert d.t.home is None


def test_an_idle_line_beats_every_twenty_seconds_and_notices_silence() -> None:
    d = Desk().home()
    assert d.wait(19.9) == []
    assert kinds(d.wait(20.1)) == ["Say"]
    d.hear(0, Notice("day", "soon"))
    assert d.t.home == 0
    d.wait(40.2)
    assert "Close" in kinds(d.wait(43.2))


def test_a_request_that_home_has_lost_is_asked_again_on_a_new_connection() -> None:
    d = Desk().home()
    d.submit(1)
    for second in range(1, 16):
        d.wait(float(second) + 0.5)
        if d.t.home == 0:
            d.hear(0, Notice("day", "soon"))
    assert d.t.home is None


def test_after_kill_9_the_old_is_settled_before_anything_new_is_sent() -> None:
    d = Desk(pending=[(1, request(1)), (2, request(2))])
    d.submit(3)
    d.home()
    assert [one.seq for one in d.t.intents if one.stage is desk.Stage.SENT] == [1, 2]
    d.hear(0, Reply(1, EMPTY, replay=True))
    assert kinds(d.hear(0, Reply(2, EMPTY)))[-1] == "SendRequest"
    assert [one.seq for one in d.t.intents if one.stage is desk.Stage.SENT] == [3]


def test_a_question_may_be_forgotten_an_intent_never() -> None:
    d = Desk().home()
    assert kinds(d.go(desk.Ask(5, request(5, keyed=False)))) == ["SendRequest"]
    d.go(desk.Forget(5))
    assert d.hear(0, Reply(5, EMPTY)) == [], "its answer comes too late"
    assert d.go(desk.Forget(5)) == []
    d.submit(6)
    with pytest.raises(AssertionError, match="only an answer ends it"):
        d.go(desk.Forget(6))
    d.go(desk.Submit(7, request(7)), desk.Forget(7))
    assert d.t.intent(7) is None, "what could not be saved was never sent"


def test_a_question_that_meets_a_fault_is_told_so() -> None:
    d = Desk().home()
    d.go(desk.Ask(5, request(5, keyed=False)))
    did = d.hear(0, refusal(5, Refused("FAULT", id="7F3A-09C2"), 1000))
    assert kinds(did) == ["Deliver"]


def test_what_a_server_refuses_about_the_connection_is_shown() -> None:
    d = Desk().home()
    no = refusal(0, Refused("BAD_FRAME", reason="test"))
    assert d.hear(0, no) == [desk.Tell(no)]
    fresh = Desk()
    fresh.go(desk.LineUp(0, fresh.call(0)))
    no = refusal(0, Refused("VERSION", version=1, served=2))
    assert fresh.hear(0, no) == [desk.Tell(no)]


def test_nothing_of_a_connection_that_is_over_is_heard() -> None:
    d = Desk().home()
    assert d.go(desk.Heard(0, 99, welcome(9)), desk.LineDown(0, 99), desk.LineUp(1, 98)) == []
    assert d.hear(0, Session(b"x" * 16, "eve", "admin", 1)) == []
    assert d.t.token == TOKEN


def test_an_impossible_pair_is_our_mistake() -> None:
    with pytest.raises(AssertionError, match="impossible: home answers again while looking"):
        terminal.rule_for(begin("test", 1), desk.Event.ON_TIME)


def test_no_more_than_four_are_in_flight() -> None:
    d = Desk().home()
    for seq in range(1, 8):
        d.submit(seq)
    assert len(lines.sent(d.t)) == lines.IN_FLIGHT
    assert kinds(d.hear(0, Reply(1, EMPTY)))[-1] == "SendRequest"


def displaced() -> Notice:
    return Notice("displaced", "another")


def test_displaced_by_another_program_it_stands_aside_and_keeps_what_was_saved() -> None:
    d = Desk().home()
    d.submit(1)
    home = d.call(0)
    assert d.hear(0, displaced()) == [desk.Close(0, home), desk.Tell(displaced())]
    assert (d.t.state, d.t.home) == (desk.State.ASIDE, None)
    assert d.go(desk.LineDown(0, home)) == [], "its server closes too: nothing is dialled for that"
    d.submit(2)
    assert d.wait(lines.ASIDE_S - 0.1) == [], "two programs do not chase each other"
    assert kinds(d.wait(lines.ASIDE_S + 0.1)) == ["Connect"]
    node = next(one for one, line in enumerate(d.t.lines) if line is not None)
    d.go(desk.LineUp(node, d.call(node)))
    assert "Say" in kinds(d.hear(node, welcome(1)))
    d.hear(node, Session(TOKEN, "asha", "clerk", 100))
    assert [one.seq for one in d.t.intents if one.stage is desk.Stage.SENT] == [1, 2]


def test_whoever_signs_in_at_a_displaced_terminal_takes_the_place_back_at_once() -> None:
    d = Desk().home()
    d.hear(0, displaced())
    assert kinds(d.go(desk.SignInAsked(CLAIM))) == ["Connect"]
    assert d.t.state is desk.State.SEEKING


def test_displaced_where_it_only_waits_it_stands_aside_too() -> None:
    d = Desk()
    d.go(desk.LineUp(0, d.call(0)))
    d.hear(0, NotPrimary(1))
    assert "Tell" in kinds(d.hear(0, displaced()))
    assert d.t.lines == (None, None)


def test_home_may_greet_again() -> None:
    """In a later epoch it goes on there; in one that is over, home is not believed any more."""
    d = Desk().home(epoch=4)
    d.submit(1)
    assert d.hear(0, welcome(6)) == []
    assert (d.t.home, d.t.epoch, d.t.state) == (0, 6, desk.State.READY)
    assert d.hear(0, welcome(6)) == []
    assert kinds(d.hear(0, welcome(5)))[0] == "Close"
    assert d.t.home is None
