"""The terminal and its people: who signs in, whose session ends; a bank link needs nobody."""

from __future__ import annotations

import pytest

from protocols import desk
from protocols.faults import refusal
from protocols.messages import Refusal, Session
from protocols.refusals import Refused
from tests.protocols.by_hand import CLAIM, Desk, kinds, welcome
from tests.protocols.town import request


def test_a_session_that_ended_asks_for_a_person_and_keeps_what_was_saved() -> None:
    d = Desk().home()
    d.submit(1)
    assert kinds(d.hear(0, refusal(1, Refused("SIGN_IN_AGAIN")))) == ["SignInNeeded"]
    assert d.t.state is desk.State.SIGNED_OUT
    assert d.wait(0.9) == []
    d.go(desk.SignInAsked(CLAIM))
    did = d.hear(0, Session(b"u" * 16, "ravi", "clerk", 100))
    assert kinds(did) == ["SignedIn", "SendRequest"]


def test_what_needs_a_fresh_sign_in_says_why_and_goes_on_after_it() -> None:
    d = Desk().home()
    d.submit(1)
    no = Refused("PROVE_AGAIN")
    assert kinds(d.hear(0, refusal(0, no))) == ["Tell", "SignInNeeded"]
    assert d.hear(0, refusal(1, no)) == []  # once is enough
    assert d.t.state is desk.State.SIGNED_OUT
    d.go(desk.SignInAsked(CLAIM))
    did = d.hear(0, Session(b"u" * 16, "omar", "officer", 100))
    assert kinds(did) == ["SignedIn", "SendRequest"]


@pytest.mark.parametrize("code", ["PROVE_AGAIN", "SIGN_IN_AGAIN"])
def test_what_the_former_session_still_refuses_does_not_end_the_claim(code: str) -> None:
    d = Desk().home()
    d.submit(1)
    d.submit(2)
    no = Refused(code)
    d.hear(0, refusal(0, no))
    d.go(desk.SignInAsked(CLAIM))  # at once: a command asks its person and says the claim
    assert d.hear(0, refusal(1, no)) == []
    assert d.hear(0, refusal(2, no)) == []
    assert d.t.state is desk.State.SIGNING_IN
    did = d.hear(0, Session(b"u" * 16, "omar", "officer", 100))
    assert kinds(did) == ["SignedIn", "SendRequest", "SendRequest"]


def test_what_another_person_saved_waits_for_them_and_holds_nobody_up() -> None:
    d = Desk(pending=[(1, request(1))])
    d.go(desk.SignInAsked(CLAIM), desk.LineUp(0, d.call(0)))
    d.hear(0, welcome(1))
    did = d.hear(0, Session(b"u" * 16, "ravi", "clerk", 100))
    assert kinds(did) == ["SignedIn", "SendRequest"]
    d.submit(2)
    assert kinds(d.wait(0.1)) == [], "what is of before goes first"
    no = refusal(1, Refused("SAVED_BY_ANOTHER", user="asha"))
    assert kinds(d.hear(0, no)) == ["Tell", "SendRequest"], "ravi's own goes on"
    assert "SendRequest" not in kinds(d.wait(900.0))
    d.go(desk.LineDown(0, d.call(0)))
    d.go(desk.LineUp(1, d.call(1)))
    d.hear(1, welcome(2))
    assert d.t.intent(1) is not None
    sent = d.hear(1, Session(b"u" * 16, "ravi", "clerk", 100))
    assert [one.seq for one in sent if isinstance(one, desk.SendRequest)] == []
    d.go(desk.SignOutAsked(), desk.SignInAsked(CLAIM))
    back = d.hear(1, Session(b"v" * 16, "asha", "clerk", 100))
    assert [one.seq for one in back if isinstance(one, desk.SendRequest)][:1] == [1]


def test_a_token_that_is_not_taken_any_more_asks_for_a_person() -> None:
    d = Desk().home(epoch=1)
    d.submit(1)
    d.go(desk.LineDown(0, d.call(0)))
    d.go(desk.LineUp(1, d.call(1)))
    d.hear(1, welcome(2))
    assert kinds(d.hear(1, refusal(0, Refused("SIGN_IN_AGAIN")))) == ["SignInNeeded"]
    assert d.hear(1, refusal(1, Refused("SIGN_IN_AGAIN"))) == []
    assert d.t.intent(1) is not None


def test_a_session_that_ends_while_nothing_waits_says_why_and_asks_for_a_person() -> None:
    d = Desk().home()
    assert kinds(d.hear(0, refusal(0, Refused("SIGN_IN_AGAIN")))) == ["SignInNeeded"]
    for code, words in (
        ("SESSION_IDLE", "quarter of an hour"),
        ("SESSION_EXPIRED", "twelve hours"),
    ):
        d = Desk().home()
        told, needed = d.hear(0, refusal(0, Refused(code)))
        assert isinstance(told, desk.Tell)
        assert isinstance(told.notice, Refusal)
        assert words in told.notice.sentence
        assert needed == desk.SignInNeeded()


def test_a_wrong_password_is_said_and_a_busy_server_is_asked_again() -> None:
    d = Desk()
    d.go(desk.SignInAsked(CLAIM))
    d.go(desk.LineUp(0, d.call(0)))
    said = desk.Say(0, d.call(0), CLAIM)
    assert said in d.hear(0, welcome(1))
    assert d.hear(0, refusal(0, Refused("BUSY"), 200)) == []
    assert said in d.wait(0.3)
    no = refusal(0, Refused("SIGN_IN_FAILED", wait_s=30))
    assert d.hear(0, no) == [desk.SignInFailed(no)]
    assert d.t.state is desk.State.SIGNED_OUT


def test_a_sign_in_that_meets_a_failover_is_said_again_at_the_next_primary() -> None:
    d = Desk()
    d.go(desk.SignInAsked(CLAIM), desk.LineUp(0, d.call(0)))
    d.hear(0, welcome(1))
    d.go(desk.LineDown(0, d.call(0)))
    d.go(desk.LineUp(1, d.call(1)))
    assert desk.Say(1, d.call(1), CLAIM) in d.hear(1, welcome(2))


def test_persons_change_at_one_terminal() -> None:
    d = Desk().home()
    assert kinds(d.go(desk.SignOutAsked())) == ["Say"]
    assert d.go(desk.SignOutAsked()) == []
    assert kinds(d.go(desk.SignInAsked(CLAIM))) == ["Say"]
    assert kinds(d.go(desk.SignInAsked(CLAIM))) == ["Close", "Connect"], "only a new line undoes it"
    d = Desk().home()
    assert kinds(d.go(desk.SignInAsked(CLAIM))) == ["Say", "Say"]
    assert kinds(d.go(desk.SignOutAsked())) == ["Close", "Connect"]


def test_a_bank_link_needs_no_person() -> None:
    d = Desk(principal=True)
    d.submit(1)
    d.go(desk.LineUp(0, d.call(0)))
    assert kinds(d.hear(0, welcome(1))) == ["Close", "SendRequest"][1:]
    assert d.t.state is desk.State.READY


def test_a_bank_link_that_asks_what_is_not_its_own_is_told_so_and_goes_on() -> None:
    d = Desk(principal=True, pending=[(1, request(1))])
    d.go(desk.LineUp(0, d.call(0)))
    d.hear(0, welcome(1))
    no = Refused("SIGN_IN_AGAIN")
    assert kinds(d.hear(0, refusal(1, no))) == ["Tell"], "it may have been taken before"
    d = Desk(principal=True)
    d.go(desk.LineUp(0, d.call(0)))
    d.hear(0, welcome(1))
    d.submit(2)
    d.go(desk.Ask(3, request(3, keyed=False)))
    assert kinds(d.hear(0, refusal(2, no))) == ["JournalAnswer", "Deliver"]
    assert kinds(d.hear(0, refusal(3, no))) == ["Deliver"]
    assert d.t.state is desk.State.READY
