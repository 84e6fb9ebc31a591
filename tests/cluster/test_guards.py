"""The guards that people set, and the one the pair sets itself: paused, the cap on takeovers."""

import pytest
from msgspec import structs

from cluster import actions as act
from cluster import events as ev
from cluster import record as records
from cluster.chronicle import Chronicle
from cluster.explain import explain
from cluster.mind import Mind
from cluster.states import State
from cluster.status import status_of
from cluster.view import alarms_of, beat_of, standing
from protocols.annals import acts_of, entry_of
from protocols.peer import Record
from protocols.runbook import RUNBOOK
from tests.cluster.test_machine import (
    HELD,
    SERVING,
    Node,
    confirmed,
    in_sync,
    peer_beat,
    primary_alone,
    primary_beat,
    standby_in_sync,
    with_row,
)
from tests.cluster.test_rejoin import BEAT, OTHER

CAP = 6
NOON_S = 1_700_000_000


def known(mind: Mind) -> Record:
    assert mind.record is not None
    return mind.record


def told(node: Node, **changes: object) -> Record:
    """The arbiter's record has moved by one, so."""
    record = structs.replace(known(node.mind), epoch=known(node.mind).epoch + 1, **changes)
    node.feed(ev.RecordRead(record, "n1"))
    return record


def standby_after(*takeovers: int) -> Node:
    node = standby_in_sync()
    told(node, takeovers=takeovers)
    node.feed(ev.Tick(wall_s=NOON_S))
    return node


def handed(node: Node, why: str, **more: object) -> Record:
    beat = structs.replace(primary_beat(1, why), epoch=known(node.mind).epoch, **more)
    node.feed(ev.BeatHeard(0, beat))
    return node.swapped()


def opening(node: Node, claim: Record) -> Record:
    node.feed(confirmed(claim))
    node.all([ev.ClaimKept(claim.op_id), ev.NamesSet(""), ev.Promoted(2, 100)])
    return node.swapped()


def test_a_takeover_nobody_asked_for_is_counted_in_the_record() -> None:
    claim = handed(standby_after(NOON_S - 60), "postmaster died")
    assert claim.takeovers == (NOON_S - 60, NOON_S)


@pytest.mark.parametrize(
    ("why", "more"),
    [("as told: on battery", {}), ("shutting down: it is updated", {"leaving": "it is updated"})],
)
def test_what_people_ask_for_does_not_count(why: str, more: dict[str, object]) -> None:
    assert handed(standby_after(NOON_S - 60), why, **more).takeovers == (NOON_S - 60,)


def test_only_the_last_hour_counts_and_no_clock_that_is_an_hour_ahead() -> None:
    claim = handed(standby_after(NOON_S - 3601, NOON_S + 3601, NOON_S + 30), "postmaster died")
    assert claim.takeovers == (NOON_S + 30, NOON_S)


def test_the_takeover_that_reaches_the_cap_opens_paused_and_says_so() -> None:
    node = standby_after(*range(NOON_S - CAP + 1, NOON_S))
    opened = opening(node, handed(node, "postmaster died"))
    assert (opened.opened, opened.paused, opened.capped) == (True, True, True)
    assert "paused: 6 automatic takeovers within an hour" in opened.reason
    node.feed(confirmed(opened))
    said = alarms_of(node.mind)["takeovers-capped"]
    assert "One copy is left, on b; what died on a stays down." in said
    assert "No automatic takeover until 'mpower cluster resume'." in said
    assert "until 'mpower cluster resume'" in RUNBOOK["takeovers-capped"].means
    assert "mpower cluster resume" in RUNBOOK["one-copy"].do


def test_what_the_alarm_of_the_cap_says_follows_the_copies() -> None:
    node = standby_after()
    chronicle = Chronicle("b", lambda: 0.0, lambda: 0.0)

    def said(**changes: object) -> str:
        told(node, paused=True, capped=True, takeovers=(NOON_S,) * CAP, **changes)
        chronicle.alarm("takeovers-capped", chronicle.alarms.get("takeovers-capped", "raised"))
        status = status_of(node.mind, standing(node.mind, {}), chronicle, [], "", "")
        return str(status["alarms"]["takeovers-capped"])

    assert "Two copies are in sync. No automatic takeover until" in said()
    assert "One copy is left, on a; what died on b stays down." in said(sync="")


def test_the_cap_is_explained_by_both_nodes_with_what_to_do() -> None:
    capped = {"paused": True, "capped": True, "takeovers": (NOON_S,) * CAP}
    standby, alone = standby_after(), primary_alone()
    told(standby, **capped)
    told(alone, **capped)
    (against,) = [one for one in explain(standby.mind).failover.guards if one.code == "PAUSED"]
    assert "paused itself (takeovers within an hour: 6)" in against.says
    assert "mpower cluster resume" in against.do
    failover = explain(alone.mind).failover
    assert "one copy, and the cluster has paused itself" in failover.text
    assert "mpower cluster resume" in failover.text


def test_paused_what_died_on_the_peer_waits_for_people_and_that_is_said() -> None:
    node = primary_alone()
    told(node, paused=True)
    node.feed(peer_beat(1, "RECLONING", healthy=False))
    (waits_for,) = [one.do for one in explain(node.mind).sync.guards if not one.holds]
    assert "stays down: mpower cluster resume" in waits_for
    node.feed(peer_beat(2, "FENCING", healthy=False))
    waits = {one.code: one.do for one in explain(node.mind).sync.guards}
    assert "stays down: mpower cluster resume" in waits["FOLLOWS"]
    assert "stays down: mpower cluster resume" in waits["WELL"]


def test_one_below_the_cap_goes_on() -> None:
    node = standby_after(*range(NOON_S - CAP + 2, NOON_S))
    opened = opening(node, handed(node, "postmaster died"))
    assert (opened.paused, opened.capped) == (False, False)


def test_a_resume_counts_anew() -> None:
    capped = structs.replace(
        known(standby_after().mind), paused=True, capped=True, takeovers=(NOON_S,) * CAP
    )
    resumed = records.paused(capped, "a", "op", "by ops1", pause=False)
    assert (resumed.paused, resumed.capped, resumed.takeovers) == (False, False, ())


def test_paused_a_dead_server_is_not_started_until_resume() -> None:
    node = primary_alone()
    told(node, paused=True)
    node.feed(ev.PostgresExited(9, asked=False))
    node.feed(ev.RecordRead(known(node.mind), "n1"))
    node.feed(confirmed(node.swapped()))
    assert (node.mind.state, node.mind.bumped) == (State.READING, True)
    for _ in range(100):
        assert not [one for one in node.feed(ev.Tick(), 0.1) if isinstance(one, act.StartPrimary)]
    assert "resume" in next(one.do for one in explain(node.mind).open.guards if not one.holds)
    told(node, paused=False)
    assert [one for one in node.ordered if isinstance(one, act.StartPrimary)]


def test_paused_a_hung_server_is_not_stopped() -> None:
    node = primary_alone()
    told(node, paused=True)
    for _ in range(300):
        node.feed(ev.ProbeFailed("deadline"), 0.1)
        assert not [one for one in node.ordered if isinstance(one, act.StopPostgres)]


def test_paused_who_is_no_longer_named_is_stopped_all_the_same() -> None:
    node = primary_alone()
    told(node, paused=True, primary="b", term=2, sync="")
    assert act.StopPostgres("immediate") in node.ordered
    assert node.mind.state is State.FENCING


def test_paused_a_daemon_that_is_started_starts_its_server() -> None:
    node = standby_in_sync()
    fresh = Node("b", "a", structs.replace(_holdings(), token=1))
    fresh.feed(ev.RecordRead(structs.replace(known(node.mind), paused=True), "n1"))
    assert [one for one in fresh.ordered if isinstance(one, act.StartStandby)]


def _holdings() -> ev.Holdings:
    return ev.Holdings(
        has_data=True,
        was_primary=False,
        clean_shutdown=False,
        system_id="s1",
        tli=1,
        end_lsn=0,
        names="",
        epoch=1,
        incarnation=1,
        token=1,
        claim="",
        rejoining=False,
    )


@pytest.mark.parametrize("fits", [True, False])
def test_paused_a_copy_that_was_being_made_is_finished_and_started_at_the_resume(
    fits: bool,
) -> None:
    node = primary_alone()
    node.all([ev.PostgresExited(9, asked=False), ev.RecordRead(OTHER, "n1"), ev.Tick()])
    node.all([ev.StockTaken(fits, ""), ev.Tick(), ev.BeatHeard(0, BEAT)])
    assert node.mind.doing == (("Clone",) if fits else ("Rewind",))
    told(node, paused=True)
    node.feed(ev.Cloned("s1") if fits else ev.Rewound("s1"))
    assert node.mind.state is State.STANDBY_CATCHUP
    assert "mpower cluster resume" in explain(node.mind).reason
    for _ in range(100):
        node.feed(ev.Tick(), 0.1)
        assert not [one for one in node.ordered if isinstance(one, act.StartStandby)]
    runs = next(one for one in explain(node.mind).failover.guards if one.code == "POSTGRES")
    assert runs.do == "Let it start: mpower cluster resume."
    told(node, paused=False)
    assert act.StartStandby("b", 0) in node.feed(ev.Tick())


def test_a_server_that_dies_while_it_is_stopped_keeps_the_stop_waiting_and_then_rejoins() -> None:
    """The shell answers every stop, also of what was gone: nothing is begun before that."""
    node = primary_alone()
    told(node, primary="b", term=2, prev="a", opened=False)
    node.feed(ev.PostgresExited(9, asked=False))
    told(node, opened=True, tli=2, tli_history=OTHER.tli_history)
    node.feed(ev.Tick())
    assert (node.mind.state, node.mind.doing) == (State.FENCING, ("StopPostgres",))
    node.all([ev.PostgresExited(0, asked=True), ev.Tick()])
    assert node.mind.state is State.REJOIN_CHECK


def test_a_primary_alone_vouches_for_its_own_flush() -> None:
    node = primary_alone()
    assert beat_of(node.mind, 1, node.now_s).vouched_lsn == node.mind.held_lsn > 0


def test_a_forced_successor_is_not_measured_by_the_log_of_the_one_before_it() -> None:
    node = standby_in_sync()
    node.feed(ev.RelayHeard(None, 9000, "n1", known(node.mind).epoch, node.now_s))
    before = known(node.mind)
    forced = records.forced(before, "b", "b-failover", "forced", held_lsn=100)
    node.feed(ev.RecordRead(forced, "n1"))
    assert node.mind.holds_enough
    node.feed(ev.RelayHeard(None, 9000, "n1", before.epoch, node.now_s))
    assert node.mind.holds_enough, "said of the term before"


def test_a_place_that_was_handed_over_and_not_taken_is_in_the_history() -> None:
    node = in_sync()
    node.feed(peer_beat(50, "STANDBY_SYNC"))
    node.feed(with_row("b_1", 100))
    epoch = str(known(node.mind).epoch)
    said = {"epoch": epoch, "operator": "asha", "reason": "on battery"}
    node.feed(ev.Asked("handover", tuple(sorted(said.items()))))
    assert node.mind.state is State.READING
    for _ in range(100):
        node.feed(ev.RelayHeard(None, 0, "n1", known(node.mind).epoch, node.now_s), 0.1)
        node.feed(ev.RecordRead(known(node.mind), "n1"))
        if node.mind.swap is not None:
            break
    kept = entry_of(node.swapped())
    assert kept.reason == "hand-over on battery (asked by asha): nobody took over"
    assert (kept.kind, kept.term, kept.primary) == ("untaken", 1, "a")
    assert acts_of([kept]) == []


def test_a_bootstrap_and_a_rebuild_name_who_asked() -> None:
    node = Node("a", "b", structs.replace(HELD, has_data=False, epoch=0, incarnation=0))
    node.feed(ev.RecordRead(None, "n1"))
    (order,) = [
        one
        for one in node.feed(ev.Asked("bootstrap", (("operator", "asha"),)))
        if isinstance(one, act.Initialise)
    ]
    node.feed(ev.Initialised("s1", order.who))
    first = node.swapped()
    assert (first.reason, first.why) == ("bootstrap by asha", "bootstrap by asha")
    alone = primary_alone()
    said = (("consented", "a,b"), ("operator", "mala"))
    alone.feed(ev.Asked("rebuild", said))
    assert alone.swapped().reason == "the arbiter was rebuilt by mala; a and b agreed"


def test_a_node_goes_alone_only_by_a_record_that_it_will_remember() -> None:
    """It falls, the arbiter is set back: nobody would know that the standby lacks what was paid."""
    node = in_sync()
    node.feed(ev.RelayHeard(None, 0, "n1", 3, node.now_s))
    for counter in range(2, 60):
        node.all([peer_beat(counter, "STANDBY_SYNC"), ev.Probed(SERVING), ev.Tick()])
        if node.mind.state is State.GOING_SOLO:
            break
    node.keeps = False
    solo = node.mind.swap
    assert solo is not None
    node.feed(confirmed(solo))
    assert node.names_set() == []
    node.feed(ev.EpochKept(solo.epoch, solo.incarnation))
    assert node.names_set() == [""]


def test_an_arbiter_in_doubt_is_not_asked_again_and_again_to_go_alone() -> None:
    """It would refuse each time; the alarm says what it waits for, and its word ends the wait."""
    node = in_sync()
    node.feed(ev.RelayHeard(None, 0, "n1", 3, node.now_s, "b has not spoken"))
    for counter in range(2, 60):
        node.feed(peer_beat(counter, "STANDBY_SYNC"), 0.05)
        node.feed(ev.Probed(SERVING), 0.05)
    assert (node.mind.state, node.mind.swap) == (State.PRIMARY_STALLED, None)
    assert "b has not spoken" in alarms_of(node.mind)["arbiter-unconfirmed"]
    node.feed(ev.RelayHeard(None, 0, "n1", 3, node.now_s))
    node.feed(ev.Probed(SERVING), 0.05)
    assert node.mind.state is State.GOING_SOLO


def test_a_record_from_before_a_claim_that_was_seen_is_no_news_however_high_its_epoch() -> None:
    """The arbiter was set back, and the old primary has counted the old record up since."""
    node = standby_in_sync()
    before = known(node.mind)
    claim = records.claimed(before, "b", "b-claim", "a is silent")
    node.feed(ev.RecordRead(claim, "n1"))
    bumped = structs.replace(before, epoch=claim.epoch + 3, op_id="a-a9-3-bump")
    node.feed(ev.RecordRead(bumped, "n2"))
    assert (known(node.mind), node.mind.rolled_back) == (claim, True)
    assert "arbiter-rolled-back" in alarms_of(node.mind)
    node.feed(ev.SwapRefused("b-b1-9-x", bumped))
    assert known(node.mind) == claim
