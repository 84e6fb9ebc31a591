"""Why not, in words: every state of the machine with every kind of record gives sentences, and what
is told is what the rules decide by.
"""

import itertools

import pytest
from msgspec import structs

from cluster import events as ev
from cluster.arbiter.register import ROLLED_BACK
from cluster.chronicle import Chronicle
from cluster.explain import Answer, explain
from cluster.guard import shown
from cluster.mind import Disk, Mind
from cluster.opening import GATE, is_open
from cluster.rules.claimable import CLAIM, hindrance, may_claim
from cluster.rules.enterable import ENTER
from cluster.rules.entry import standby_ready
from cluster.states import State
from cluster.status import status_of
from cluster.view import alarms_of, standing
from protocols.peer import Record
from tests.cluster.test_machine import (
    FIRST,
    SERVING,
    Node,
    peer_beat,
    primary_alone,
    primary_beat,
    standby_in_sync,
)

SYNCED = structs.replace(FIRST, epoch=7, sync="b", sync_gen=3, min_lsn=90)
RECORDS: dict[str, Record | None] = {
    "none": None,
    "alone": FIRST,
    "in sync": SYNCED,
    "of the other": structs.replace(SYNCED, primary="b", sync="a", term=2),
    "claimed": structs.replace(FIRST, primary="b", opened=False, prev="a", term=2),
    "paused": structs.replace(SYNCED, paused=True),
    "strict, alone": structs.replace(FIRST, strict=True),
    "in maintenance": structs.replace(FIRST, maintenance="b"),
    "planned": structs.replace(SYNCED, intent="switchover b 0"),
    "moved": structs.replace(SYNCED, moved="etcd:x"),
}
FOLLOWING = structs.replace(SERVING, in_recovery=True, flush_lsn=0, receive_lsn=100)
MINDS = [
    Mind(me="a", peer="b", cluster_id="city", boot="a1", now_s=50.0),
    structs.replace(primary_alone().mind, disk=Disk(has_data=True, system_id="s1", tli=1)),
    standby_in_sync().mind,
]


def sentences(answer: Answer) -> list[str]:
    return [answer.text, *(one.do for one in answer.guards if one.do)]


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("record", RECORDS)
def test_every_state_with_every_record_is_explained(state: State, record: str) -> None:
    for known in MINDS:
        mind = structs.replace(known, state=state, record=RECORDS[record], reason="So it is.")
        told = explain(mind)
        for answer in (told.open, told.sync, told.failover):
            for text in sentences(answer):
                assert text[0].isupper() or text[0] in "abm", text
                assert text.endswith((".", "synchronous_commit.")), text
                assert "None" not in text
                assert "  " not in text
            refused = [one for one in answer.guards if not one.holds]
            assert (
                answer.yes
                or refused
                or not answer.guards
                or "moment" in answer.text
                or ("now" in answer.text or "First" in answer.text)
            ), answer


def test_what_is_told_is_what_is_decided() -> None:
    """The guards are the rule: all hold where it does, and each that fails alone stops it."""
    states, records = list(State), list(RECORDS.values())
    for known, state, record in itertools.product(MINDS, states, records):
        mind = structs.replace(known, state=state, record=record)
        assert is_open(mind) == all(one.holds for one in shown(GATE, mind))
        assert standby_ready(mind, ev.Tick()) == all(one.holds for one in shown(ENTER, mind))
        if record is not None:
            assert may_claim(mind) == all(one.holds for one in shown(CLAIM, mind))


def test_a_standby_that_is_ready_says_when_it_would() -> None:
    told = explain(standby_in_sync().mind).failover
    assert told.yes
    assert told.counts
    assert "takes over after 2 s of silence" in told.text


@pytest.mark.parametrize(
    ("change", "code", "do"),
    [
        ({"paused": True}, "PAUSED", "resume"),
        ({"maintenance": "b"}, "MAINTENANCE", "maintenance b off"),
        ({"sync_gen": 9}, "IN_SYNC", "above"),
        ({"min_lsn": 10**9}, "HOLDS", "reinit b"),
    ],
)
def test_a_standby_that_would_not_says_why_and_what_to_do(
    change: dict[str, object], code: str, do: str
) -> None:
    mind = standby_in_sync().mind
    assert mind.me == "b"
    assert mind.record is not None
    mind = structs.replace(mind, record=structs.replace(mind.record, **change))
    told = explain(mind).failover
    assert not told.yes
    against = [one for one in told.guards if not one.holds and one.code != "SILENT"]
    assert [one.code for one in against] == [code]
    assert do in against[0].do
    assert against[0].says in told.text


def test_a_copy_that_is_only_behind_is_not_said_to_be_set_back() -> None:
    mind = standby_in_sync().mind
    assert mind.record is not None
    behind = structs.replace(mind, record=structs.replace(mind.record, sync="", min_lsn=10**9))
    for one in (behind, structs.replace(behind, facts=None)):
        (holds,) = [guard for guard in explain(one).failover.guards if guard.code == "HOLDS"]
        assert (holds.holds, holds.do) == (False, "")


def test_what_was_flushed_since_the_last_probe_is_not_said_to_be_missing() -> None:
    """The arbiter hears what this copy flushed from the primary, before the next probe here."""
    node = standby_in_sync()
    node.feed(ev.RelayHeard(None, 900, "n1", 2, node.now_s))
    assert not node.mind.holds_enough
    assert hindrance(node.mind) == ""
    node.feed(ev.Probed(structs.replace(SERVING, in_recovery=True, receive_lsn=800)))
    assert hindrance(node.mind) == "the copy ends at 0/320, 0/384 was acknowledged"


def test_a_peer_that_only_the_arbiter_hears_is_not_to_be_brought_back_but_its_links() -> None:
    node = primary_alone()
    assert "Bring b back" in alarms_of(node.mind)["one-copy"]
    node.feed(ev.RelayHeard(peer_beat(7, "STANDBY_SYNC").beat, 0, "n1", 2, node.now_s))
    assert "b lives, but no link" in alarms_of(node.mind)["one-copy"]
    (heard,) = [one for one in explain(node.mind).sync.guards if one.code == "HEARD"]
    assert "mend the links between the two" in heard.do


def test_a_standby_without_its_arbiter_says_so() -> None:
    mind = structs.replace(standby_in_sync().mind, now_s=90.0)
    told = explain(mind).failover
    assert "ARBITER" in [one.code for one in told.guards if not one.holds]


def test_an_arbiter_in_doubt_is_one_of_the_reasons() -> None:
    mind = structs.replace(standby_in_sync().mind, doubt="it waits for a")
    told = explain(mind).failover
    assert (told.yes, "it waits for a" in told.text) == (False, True)


def test_what_status_says_against_a_takeover_is_what_the_guards_say() -> None:
    node = standby_in_sync()
    assert hindrance(node.mind) == ""
    for doubt, do in (("it waits for a", "arbiter confirm"), (ROLLED_BACK, "arbiter rebuild")):
        mind = structs.replace(node.mind, doubt=doubt)
        status = status_of(mind, standing(mind, {}), Chronicle("b", float, float), [], "", "")
        assert status["hindrance"] == doubt
        (guard,) = [one for one in explain(mind).failover.guards if one.code == "DOUBT"]
        assert do in guard.do
    busy = structs.replace(node.mind, doing=("Promote",))
    assert hindrance(busy) == "", "what passes by itself hinders nobody"


def test_an_arbiter_in_doubt_is_not_asked_again_and_again_but_once_it_is_sure() -> None:
    node = standby_in_sync()
    for counter in range(30):
        node.feed(ev.RelayHeard(None, 100, "n1", 2, node.now_s, "it waits for a"), 0.05)
        node.feed(ev.BeatHeard(0, primary_beat(counter, "postmaster died")), 0.05)
        node.feed(ev.Probed(FOLLOWING))
        assert node.mind.state is State.STANDBY_SYNC
    node.feed(ev.RelayHeard(None, 100, "n1", 2, node.now_s))
    assert node.mind.state is State.CLAIMING
    assert node.swapped().primary == "b"


def test_a_primary_alone_says_what_it_misses_of_its_standby() -> None:
    node: Node = primary_alone()
    node.feed(ev.Probed(SERVING))
    told = explain(node.mind).sync
    assert not told.yes
    assert told.text.startswith("b is not in sync: b ")
    assert "one copy" in explain(node.mind).failover.text


def test_a_primary_stalled_is_open_and_says_that_payments_wait() -> None:
    mind = structs.replace(primary_alone().mind, state=State.PRIMARY_STALLED, reason="b is slow.")
    told = explain(mind)
    assert told.open.yes
    assert "payments wait: b is slow." in told.open.text


def copying(state: State, **more: object) -> Mind:
    mind = structs.replace(standby_in_sync().mind, state=state, up=False, facts=None)
    mind = structs.replace(mind, since_s=mind.now_s - 240, doing=("Clone",))
    return structs.replace(mind, **more)


@pytest.mark.parametrize(
    ("state", "more", "said"),
    [
        (State.RECLONING, {}, "made anew from a, for 4 min now. That ends by itself"),
        (State.REWINDING, {"doing": ("Rewind",)}, "rewound to a, for 4 min now. That ends by"),
        (State.RECLONING, {"doing": ()}, "begins by itself when a is heard and open"),
        (State.RECLONING, {"doing": (), "trouble": ("Clone", "no room.")}, "failed: no room."),
    ],
)
def test_a_copy_that_is_being_made_is_told_and_not_its_absent_server(
    state: State, more: dict[str, object], said: str
) -> None:
    told = explain(copying(state, **more)).failover
    assert (told.yes, told.counts, told.guards) == (False, True, ())
    assert said in told.text


def test_a_copy_that_waits_for_the_end_of_a_pause_says_so() -> None:
    mind = copying(State.RECLONING, doing=())
    assert mind.record is not None
    paused = structs.replace(mind, record=structs.replace(mind.record, paused=True))
    assert "mpower cluster resume" in explain(paused).failover.text


@pytest.mark.parametrize("state", ["RECLONING", "REWINDING"])
def test_the_primary_tells_of_its_standbys_copy_and_asks_nobody_to_read_logs(state: str) -> None:
    node = primary_alone()
    node.feed(peer_beat(1, state, healthy=False, ground=None, receiving=False))
    told = explain(node.mind).sync
    assert [one.code for one in told.guards if not one.holds] == ["FOLLOWS"]
    assert "ends by itself" in told.guards[-1].do
    assert "log" not in " ".join(sentences(told))
