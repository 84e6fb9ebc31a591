"""What a listener hears: from where it was, or anew; nothing twice, nothing missed in silence."""

import json

from hypothesis import given
from hypothesis import strategies as st

from cluster.happening import KINDS, alarmed, between
from cluster.opsport.listening import BEAT_S, LIFE_S, SLOW_S, Listener
from cluster.opsport.ring import Ring
from cluster.standing import Standing
from cluster.states import State

HERE = Standing(
    node="a",
    state=State.STANDBY_SYNC,
    epoch=7,
    term=2,
    open=False,
    alone=False,
    sync_name="",
    primary="b",
    where="b:1",
    copies=2,
    reason="In sync.",
)


class Line:
    """A transport that remembers what it was given and why it was cut."""

    def __init__(self, ring: Ring, last_event_id: str = "") -> None:
        self.sent: list[bytes] = []
        self.cut: list[str] = []
        self.listener = Listener(ring, self.sent.append, self.cut.append, 0.0)
        self.listener.greet(last_event_id, HERE)

    def ids(self) -> list[str]:
        text = b"".join(self.sent).decode()
        return [line[4:] for line in text.splitlines() if line.startswith("id: ")]


def filled(count: int, size: int = 8) -> Ring:
    ring = Ring("boot", size)
    for number in range(count):
        ring.add(alarmed(HERE, "one-copy", f"text {number}"), 1.0 + number)
    return ring


def test_a_new_listener_hears_what_is_and_then_what_comes() -> None:
    ring = filled(3)
    line = Line(ring)
    assert line.ids() == ["boot-3"]
    first = line.sent[0].decode()
    assert "event: now" in first
    said = json.loads(first.split("data: ")[1])
    assert (said["state"], said["gap"], said["version"]) == ("STANDBY_SYNC", False, 1)
    ring.add(alarmed(HERE, "one-copy", ""), 9.0)
    line.listener.pump()
    assert line.ids() == ["boot-3", "boot-4"]
    assert b"event: alarm-ended" in line.sent[-1]


@given(st.integers(0, 30), st.integers(0, 40))
def test_a_listener_that_comes_back_misses_nothing_unheard_of(count: int, seen: int) -> None:
    ring = filled(count)
    line = Line(ring, f"boot-{seen}")
    heard = [int(one.rpartition("-")[2]) for one in line.ids()]
    if count - 8 <= seen <= count:
        assert heard == list(range(seen + 1, count + 1))
    else:
        assert heard == [count], "it begins anew"
        assert b'"gap":true' in line.sent[0]


def test_an_id_of_another_process_or_no_id_begins_anew() -> None:
    ring = filled(3)
    for said in ("other-1", "boot-", "boot-x", "-1", "boot-99999999999999", "boot-²", "\x00", "3"):
        assert ring.resume(said) is None, said
    assert ring.resume("boot-1") == 1


def test_who_does_not_read_is_cut_and_who_reads_again_in_time_is_not() -> None:
    ring = filled(1)
    slow, hasty = Line(ring), Line(ring)
    for line in (slow, hasty):
        line.listener.pauseProducing()
    ring.add(alarmed(HERE, "isolated", "text"), 2.0)
    for line in (slow, hasty):
        line.listener.pump()
        assert len(line.sent) == 1, "nothing is queued for one that does not read"
    hasty.listener.tick(SLOW_S / 2)
    hasty.listener.resumeProducing()
    assert hasty.ids() == ["boot-1", "boot-2"]
    for line in (slow, hasty):
        line.listener.tick(SLOW_S)
    assert (slow.cut, hasty.cut) == (["it does not read"], [])


def test_who_fell_behind_the_ring_is_cut_instead_of_missing_events() -> None:
    ring = filled(1, size=4)
    line = Line(ring)
    line.listener.pauseProducing()
    for number in range(6):
        ring.add(alarmed(HERE, "isolated", f"t{number}"), 2.0)
    line.listener.resumeProducing()
    assert line.cut == ["it read too slowly and missed events"]


def test_an_idle_line_beats_and_ends_after_its_life() -> None:
    line = Line(filled(1))
    line.listener.tick(BEAT_S - 0.1)
    assert len(line.sent) == 1
    line.listener.tick(BEAT_S)
    assert line.sent[-1] == b": beat\n\n"
    line.listener.tick(LIFE_S)
    assert line.cut


def stands(**changes: object) -> Standing:
    fields = {name: getattr(HERE, name) for name in HERE.__struct_fields__}
    return Standing(**(fields | changes))


def kinds(before: Standing, now: Standing) -> list[str]:
    return [one.kind for one in between(before, now)]


def test_a_takeover_is_told_in_its_parts() -> None:
    claiming = stands(state=State.CLAIMING)
    promoting = stands(state=State.PROMOTING, primary="a", term=3)
    solo = stands(state=State.PRIMARY_SOLO, open=True, alone=True, copies=1, primary="a", term=3)
    entry = stands(state=State.SYNC_ENTRY, open=True, copies=1, primary="a", term=3)
    sync = stands(state=State.PRIMARY_SYNC, open=True, primary="a", term=3)
    assert kinds(HERE, claiming) == ["state"]
    assert kinds(claiming, promoting) == ["state"]
    assert kinds(promoting, solo) == ["state", "role", "gate", "solo", "takeover"]
    assert kinds(solo, entry) == ["state"]
    assert kinds(entry, sync) == ["state", "sync"]
    assert kinds(sync, stands(state=State.READING)) == ["state", "role", "gate"]
    assert kinds(sync, sync) == []


def test_every_kind_that_is_told_has_its_name() -> None:
    told = {"alarm", "alarm-ended"}
    told.update(kinds(stands(state=State.PROMOTING), stands(state=State.PRIMARY_SOLO, open=True)))
    told.update(kinds(HERE, stands(alone=True)))
    told.update(kinds(stands(copies=1, open=True), stands(open=True)))
    assert told == set(KINDS)
