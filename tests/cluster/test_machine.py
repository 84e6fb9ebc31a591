"""The promises of single steps, without a world around them."""

from collections.abc import Iterable

from msgspec import structs

from cluster import actions as act
from cluster import events as ev
from cluster import record as records
from cluster.machine import begin, step
from cluster.mind import Mind
from cluster.opening import is_open
from cluster.postgres.memory_folder import GROUND
from cluster.states import State
from cluster.timers import Timers
from cluster.view import beat_of, standing
from protocols.peer import NodeBeat, Record

FIRST = records.first("city", "s1", "a", "first")
HELD = ev.Holdings(
    has_data=True,
    was_primary=True,
    clean_shutdown=False,
    system_id="s1",
    tli=1,
    end_lsn=0,
    names="",
    epoch=1,
    incarnation=1,
    token=0,
    claim="",
    rejoining=False,
)
SERVING = ev.Facts(
    in_recovery=False,
    system_id="s1",
    tli=1,
    flush_lsn=100,
    receive_lsn=0,
    replay_lsn=0,
    postmaster_start=1,
    names="",
    ground=GROUND,
)


class Node:
    """One machine fed by hand. Its disk keeps every record at once, while ``keeps``."""

    def __init__(self, me: str, peer: str, found: ev.Holdings) -> None:
        self.now_s = 50.0
        self.mind: Mind = begin(me, peer, "city", f"{me}1", timers=Timers(), now_s=self.now_s)
        self.ordered: list[act.Action] = []
        self.keeps = True
        self.feed(ev.Booted(found))

    def feed(self, event: ev.Event, after_s: float = 0.01) -> tuple[act.Action, ...]:
        self.now_s += after_s
        self.mind, actions = step(self.mind, event, self.now_s)
        for kept in [one for one in actions if isinstance(one, act.KeepEpoch) and self.keeps]:
            said = ev.EpochKept(kept.epoch, kept.incarnation)
            self.mind, more = step(self.mind, said, self.now_s)
            actions += more
        self.ordered = list(actions)
        return actions

    def all(self, events: Iterable[ev.Event]) -> None:
        for event in events:
            self.feed(event)

    def swapped(self) -> Record:
        swaps = [one.record for one in self.ordered if isinstance(one, act.SwapRecord)]
        assert swaps, self.ordered
        return swaps[-1]

    def names_set(self) -> list[str]:
        return [one.names for one in self.ordered if isinstance(one, act.SetNames)]


def confirmed(record: Record) -> ev.SwapConfirmed:
    return ev.SwapConfirmed(record.op_id, record)


def primary_alone() -> Node:
    node = Node("a", "b", HELD)
    node.feed(ev.RecordRead(FIRST, "n1"))
    node.feed(confirmed(node.swapped()))
    node.feed(ev.RelayHeard(None, 0, "n1", 2, node.now_s))
    node.all([ev.PostgresStarted(as_standby=False, began_lsn=100), ev.Probed(SERVING)])
    node.all([ev.StandbyAdmitted(), ev.FenceWritten(1), ev.Probed(SERVING)])
    assert node.mind.state is State.PRIMARY_SOLO
    return node


def peer_beat(counter: int, state: str, **more: object) -> ev.BeatHeard:
    beat = NodeBeat("b", "b1", counter, 1, 2, 1, state, tli=1, healthy=True, heard_ms=5)
    beat = structs.replace(beat, system_id="s1", ground=GROUND, receiving=True)
    return ev.BeatHeard(0, structs.replace(beat, **more))


def with_row(name: str, flush_lsn: int) -> ev.Probed:
    row = ev.Walsender(name, "streaming", flush_lsn, replay_lsn=flush_lsn)
    return ev.Probed(structs.replace(SERVING, walsenders=(row,)))


def in_entry() -> Node:
    node = primary_alone()
    node.all([peer_beat(1, "STANDBY_CATCHUP"), with_row("b_0", 90)])
    assert node.mind.state is State.SYNC_ENTRY
    return node


def offered(node: Node) -> Node:
    node.feed(ev.NamesSet('ANY 1 ("b_1")'))
    assert any(isinstance(one, act.HangProbe) for one in node.ordered)
    node.feed(ev.WaitSeen(1, 100))
    return node


def test_a_named_node_first_confirms_a_swap_of_its_own_and_keeps_the_names_it_found() -> None:
    node = Node("a", "b", structs.replace(HELD, names='ANY 1 ("b_4")'))
    node.feed(ev.RecordRead(FIRST, "n1"))
    bump = node.swapped()
    assert (bump.epoch, bump.term) == (2, 1)
    assert not any(isinstance(one, act.StartPrimary) for one in node.ordered)
    node.feed(confirmed(bump))
    assert act.StartPrimary('ANY 1 ("b_4")') in node.ordered
    assert not is_open(node.mind)


def test_from_the_first_step_of_sync_entry_only_the_new_generation_acknowledges() -> None:
    node = in_entry()
    stood = standing(node.mind, {"a": "here:1"})
    assert (stood.open, stood.alone, stood.sync_name, stood.where) == (True, False, "b_1", "here:1")
    assert node.names_set() == ['ANY 1 ("b_1")']


def test_nothing_is_offered_before_a_commit_was_seen_to_hang() -> None:
    node = in_entry()
    node.feed(ev.NamesSet('ANY 1 ("b_1")'))
    assert beat_of(node.mind, 1, node.now_s).offered == 0
    node.feed(ev.WaitSeen(1, 100))
    assert beat_of(node.mind, 2, node.now_s).offered == 1


def test_an_attempt_that_was_never_asked_for_takes_the_names_off_again() -> None:
    node = offered(in_entry())
    for _ in range(40):
        node.feed(ev.Probed(SERVING))
        node.feed(ev.Tick(), 0.1)
        if node.mind.state is State.PRIMARY_SOLO:
            break
    assert node.names_set() == [""]
    assert standing(node.mind, {}).alone


def test_an_ambiguous_grant_keeps_the_names_on_whatever_a_read_says() -> None:
    node = offered(in_entry())
    node.feed(with_row("b_1", 100))
    grant = node.swapped()
    assert (grant.sync, grant.sync_gen, grant.min_lsn) == ("b", 1, 100)
    node.feed(ev.SwapAmbiguous(grant.op_id))
    record = node.mind.record
    for _ in range(60):
        node.feed(ev.Probed(SERVING))
        node.feed(ev.Tick(), 0.1)
        node.feed(ev.RecordRead(record, "n1"))
        assert "" not in node.names_set()
        assert not standing(node.mind, {}).alone
        if any(isinstance(one, act.SwapRecord) for one in node.ordered):
            assert node.swapped().op_id == grant.op_id
            node.feed(ev.SwapAmbiguous(grant.op_id))
    assert node.mind.state is State.SYNC_ENTRY


def test_an_operators_unanswered_swap_is_not_taken_for_the_grant_that_was_never_asked() -> None:
    """Seed 5967: a pause whose answer was lost made the standby the successor without a flush."""
    node = in_entry()
    assert node.mind.record is not None
    said = {"epoch": str(node.mind.record.epoch), "operator": "ops1"}
    node.feed(ev.Asked("pause", tuple(sorted(said.items()))))
    pause = node.swapped()
    node.feed(ev.SwapAmbiguous(pause.op_id))
    assert node.mind.doubts
    node = offered(node)
    for _ in range(5):
        node.feed(with_row("b_1", 99), 0.05)
        orders = [one for one in node.ordered if isinstance(one, act.SwapRecord)]
        assert all(one.record.sync == "" for one in orders)
    node.feed(with_row("b_1", 100))
    assert (node.swapped().sync, node.swapped().min_lsn) == ("b", 100)


def in_sync() -> Node:
    node = offered(in_entry())
    node.feed(with_row("b_1", 100))
    node.feed(confirmed(node.swapped()))
    assert node.mind.state is State.PRIMARY_SYNC
    return node


def test_the_names_come_off_only_after_solo_is_confirmed() -> None:
    node = in_sync()
    node.feed(ev.RelayHeard(None, 0, "n1", 3, node.now_s))
    for counter in range(2, 40):
        node.feed(peer_beat(counter, "STANDBY_SYNC"), 0.05)
        node.feed(ev.Probed(SERVING), 0.05)
        assert node.names_set() == []
        if node.mind.state is State.GOING_SOLO:
            break
    solo = node.mind.swap
    assert solo is not None
    assert solo.sync == ""
    assert not standing(node.mind, {}).alone
    node.feed(confirmed(solo))
    assert node.names_set() == [""]
    assert standing(node.mind, {}).alone


def test_a_dead_postmaster_shuts_the_gate_and_says_so_at_once() -> None:
    node = in_sync()
    node.feed(ev.PostgresExited(9, asked=False))
    assert not is_open(node.mind)
    assert act.BeatNow() in node.ordered
    assert beat_of(node.mind, 9, node.now_s).handover == "postmaster died"


def hung_for_s(node: Node) -> float:
    """How long PostgreSQL answered nothing before it was stopped."""
    began_s = node.now_s
    counter = 100
    while not any(isinstance(one, act.StopPostgres) for one in node.ordered):
        counter += 1
        node.feed(peer_beat(counter, "STANDBY_CATCHUP"), 0.05)
        node.feed(ev.RelayHeard(None, counter, "n1", 3, node.now_s), 0.05)
        if not any(isinstance(one, act.StopPostgres) for one in node.ordered):
            node.feed(ev.ProbeFailed("late"), 0.05)
        assert node.now_s - began_s < 60
    return node.now_s - began_s


def test_alone_a_slow_database_is_not_stopped_where_a_standby_would_be_asked() -> None:
    node = primary_alone()
    assert hung_for_s(node) >= node.mind.timers.hung_alone_s
    node = in_sync()
    assert hung_for_s(node) < node.mind.timers.hung_alone_s / 2


def test_a_loop_that_stood_still_does_not_take_its_server_for_hung() -> None:
    for node in (primary_alone(), in_sync()):
        node.feed(ev.Tick(30.0), 30.0)
        assert not any(isinstance(one, act.StopPostgres) for one in node.ordered)
    alone = primary_alone()
    alone.feed(ev.Tick(30.0), 30.0)
    assert hung_for_s(alone) >= alone.mind.timers.hung_alone_s, "and from then on it is counted"


def test_who_follows_again_hands_nothing_over_any_more() -> None:
    node = in_sync()
    node.feed(ev.PostgresExited(9, asked=False))
    known = node.mind.record
    assert known is not None
    taken = structs.replace(
        known, primary="b", term=2, epoch=known.epoch + 1, sync="", prev="a", tli=2, opened=True
    )
    answers = {act.TakeStock: ev.StockTaken(fits=True), act.Clone: ev.Cloned("s1")}
    for counter in range(60, 120):
        beat = peer_beat(counter, "PRIMARY_SOLO", term=2, epoch=taken.epoch)
        for event in (beat, ev.RecordRead(taken, "n1"), ev.Tick()):
            asked = node.feed(event)
            node.all([answers[type(one)] for one in asked if type(one) in answers])
    assert node.mind.state is State.STANDBY_CATCHUP, node.mind.state
    assert beat_of(node.mind, 99, node.now_s).handover == ""


def standby_in_sync() -> Node:
    found = structs.replace(HELD, was_primary=False, token=1)
    node = Node("b", "a", found)
    record = records.synced(FIRST, "a", "sync", peer="b", generation=1, barrier=100)
    node.feed(ev.RecordRead(record, "n1"))
    node.feed(ev.PostgresStarted(as_standby=True))
    node.feed(ev.RelayHeard(None, 100, "n1", 2, node.now_s))
    facts = structs.replace(SERVING, in_recovery=True, flush_lsn=0, receive_lsn=100)
    node.feed(ev.Probed(facts))
    node.feed(ev.Tick())
    assert node.mind.state is State.STANDBY_SYNC
    return node


def primary_beat(counter: int, handover: str = "") -> NodeBeat:
    return NodeBeat(
        "a", "a1", counter, 1, 2, 1, "READING", healthy=True, heard_ms=5, handover=handover
    )


def test_a_hand_over_is_claimed_without_waiting() -> None:
    node = standby_in_sync()
    node.feed(ev.BeatHeard(0, primary_beat(1, "postmaster died")))
    claim = node.swapped()
    assert (claim.primary, claim.term, claim.opened, claim.sync) == ("b", 2, False, "")
    node.feed(confirmed(claim))
    assert act.KeepClaim(claim.op_id) in node.ordered
    assert act.Promote() not in node.ordered, "not before the claim is on the disk"
    node.feed(ev.ClaimKept(claim.op_id))
    wanted = [act.SetNames(""), act.Promote()]
    assert [one for one in node.ordered if one in wanted] == wanted
    node.all([ev.NamesSet(""), ev.Promoted(2, 100)])
    assert node.swapped().opened
    assert not is_open(node.mind)


def test_a_copy_that_lacks_what_the_arbiter_remembers_does_not_claim() -> None:
    node = standby_in_sync()
    node.feed(ev.RelayHeard(None, 101, "n1", 2, node.now_s))
    node.feed(ev.BeatHeard(0, primary_beat(1, "postmaster died")))
    assert not any(isinstance(one, act.SwapRecord) for one in node.ordered)


def test_silence_counts_only_if_the_arbiter_agrees() -> None:
    node = standby_in_sync()
    facts = structs.replace(SERVING, in_recovery=True, flush_lsn=0, receive_lsn=100)
    for counter in range(1, 20):
        node.feed(ev.RelayHeard(primary_beat(counter), 100, "n1", 2, node.now_s), 0.2)
        node.feed(ev.Probed(facts))
        assert node.mind.state is State.STANDBY_SYNC
    for _ in range(20):
        node.feed(ev.RelayHeard(primary_beat(19), 100, "n1", 2, node.now_s), 0.2)
        node.feed(ev.Probed(facts))
        if node.mind.state is not State.STANDBY_SYNC:
            break
    assert node.mind.state is State.CLAIMING


def test_an_impossible_event_raises_an_alarm_and_changes_nothing() -> None:
    node = in_sync()
    state = node.mind.state
    node.feed(ev.Cloned("s1"))
    assert [one.kind for one in node.ordered if isinstance(one, act.Alarm)] == ["unexpected"]
    assert node.mind.state is state


def test_an_older_record_is_refused_and_alarmed() -> None:
    node = in_sync()
    known = node.mind.record
    node.all([peer_beat(50, "STANDBY_SYNC", epoch=9), ev.RecordRead(FIRST, "n2"), ev.Tick()])
    assert node.mind.record == known
    assert "arbiter-rolled-back" in node.mind.alarms


def test_what_keeps_failing_is_said_until_it_is_done() -> None:
    node = standby_in_sync()
    node.feed(ev.PostgresExited(9, asked=False))
    said = "the folder is gone"
    for _ in range(2):
        assert any(isinstance(one, act.StartStandby) for one in node.ordered)
        node.feed(ev.ActionFailed("StartStandby", said))
        node.feed(ev.Tick(), after_s=5.0)
    alarms = [one for one in node.ordered if isinstance(one, act.Alarm)]
    assert [one.kind for one in alarms if said in one.text] == ["keeps-failing"]
    node.feed(ev.PostgresStarted(as_standby=True))
    node.feed(ev.Tick())
    assert act.Alarm("keeps-failing", "") in node.ordered
