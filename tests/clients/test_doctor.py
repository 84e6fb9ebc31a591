"""The doctor puts together what each machine says; nothing is said twice."""

from msgspec import structs

from clients.ops.doctor import Ill, findings, shut, unready
from clients.ops.drill import unsafe
from clients.ops.explain import Answer, Explained, Guard
from clients.ops.seen import Seen
from clients.ops.verdict import Links, WitnessStatus
from tests.clients.test_verdict import A

UNFIT = {"code": "FSYNC", "why": "fsync is off on b", "do": "Restart b."}
WELL = structs.replace(A, alarms={}, disk_free_mb=9000, wall_s=100.0)


def seen(*nodes: object, silent: dict[str, str] | None = None) -> Seen:
    return Seen(list(nodes), None, {}, silent or {}, 100.5)  # type: ignore[arg-type]


def test_nothing_is_found_where_nothing_is() -> None:
    assert findings(seen(WELL)) == []


def test_what_both_say_is_said_once_with_what_to_do() -> None:
    b = structs.replace(WELL, node="b", unfit=[UNFIT])
    a = structs.replace(WELL, unfit=[UNFIT], alarms={"unfit": "Fsync is off on b."})
    found = findings(seen(a, b))
    assert [(one.what, one.do) for one in found] == [("fsync is off on b", "Restart b.")]
    for state, why in (("PRIMARY_SYNC", "still counts"), ("PRIMARY_SOLO", "is not counted on")):
        assert why in findings(seen(structs.replace(a, state=state)))[0].why


def test_silence_alarms_disks_and_clocks() -> None:
    ill = structs.replace(WELL, alarms={"one-copy": "alone"}, disk_free_mb=10, wall_s=3700.5)
    found = findings(seen(ill, silent={"h:1": "refused"}))
    assert [one.where for one in found] == ["b", "a", "a", "a"]
    assert "3600 s" in found[-1].what
    assert all(one.why and one.do for one in found)


def test_a_clock_is_blamed_on_the_one_who_stands_alone() -> None:
    a, b = WELL, structs.replace(WELL, node="b", wall_s=WELL.wall_s + 30)
    (apart,) = findings(seen(a, b))
    assert (apart.where, apart.what) == ("a and b", "their clocks are 30 s apart")
    late = [structs.replace(a, node=name, wall_s=a.wall_s - 60) for name in ("a", "b")]
    (mine,) = findings(seen(*late))
    assert mine.where == "this machine"


def test_who_is_silent_is_named_once() -> None:
    """A node has an address for every link; the witness is told from them."""
    one_gone = seen(WELL, silent={"b:1": "refused", "b:2": "refused", "w:1": "no route"})
    found = findings(structs.replace(one_gone, asked_witness="w:1"))
    assert [one.where for one in found] == ["b", "the witness"]
    assert found[0].what.endswith("(0 s) at b:1 and b:2 (refused)")
    assert found[1].what == "no answer at w:1 (no route)"
    told = structs.replace(WELL, addresses={"b": ["b:1", "b:2"]})
    (link,) = findings(seen(told, structs.replace(WELL, node="b"), silent={"b:2": "refused"}))
    assert (link.where, link.what) == ("b, one link", "no answer at b:2 (refused)")
    assert "cable" in link.do


def test_a_cable_between_the_two_nodes_is_no_dead_link_though_it_leads_nowhere_else() -> None:
    first, second = (Links(f"b:{n}", open=True, heard_ms=90) for n in (1, 2))
    told = structs.replace(WELL, addresses={"a": ["a:1", "a:2"], "b": ["b:1", "b:2"]})
    cabled = structs.replace(told, links=[first, second])
    silent = {"a:2": "no route", "b:2": "no route"}
    both = seen(cabled, structs.replace(cabled, node="b"), silent=silent)
    assert findings(both) == []
    assert unsafe(both).startswith("the witness does not answer"), "nothing but that"
    cut = structs.replace(told, links=[first, structs.replace(second, heard_ms=9000)])
    dead = findings(seen(cut, structs.replace(cut, node="b"), silent=silent))
    assert [one.where for one in dead] == ["a, one link", "b, one link"]


def test_machines_that_go_by_different_lists_of_the_revoked_are_named() -> None:
    a, b = (structs.replace(WELL, node=one, house={"revoked_list": "11"}) for one in ("a", "b"))
    w = WitnessStatus("w", "1", None, {}, revoked_list="11")
    assert findings(structs.replace(seen(a, b), witness=w)) == []
    old = structs.replace(w, revoked_list="10")
    (ill,) = findings(structs.replace(seen(a, b), witness=old))
    assert ill.where == "a and b and the witness"
    assert "not the same" in ill.what
    earlier = structs.replace(b, house={})
    assert findings(structs.replace(seen(a, earlier), witness=w)) == []


def test_nodes_that_hold_different_keys_of_the_audit_are_named() -> None:
    a, b = (structs.replace(WELL, node=one, house={"audit_key": "11"}) for one in ("a", "b"))
    assert findings(seen(a, b)) == []
    assert findings(seen(a, structs.replace(b, house={}))) == []
    for other in ("22", ""):
        (ill,) = findings(seen(a, structs.replace(b, house={"audit_key": other})))
        assert (ill.where, "the same key of the audit" in ill.what) == ("a and b", True)
        assert "--part audit" in ill.do


def test_what_keeps_the_pair_from_failing_over_is_told_with_the_guards_own_advice() -> None:
    guards = [
        Guard("PAUSED", False, "the cluster is paused", "not paused", "mpower cluster resume."),
        Guard("SILENT", False, "a was heard", "silence", ""),
        Guard("ARBITER", True, "heard", "it answers", ""),
    ]
    quiet = Answer(False, "", counts=False)
    b = Explained("b", "a", "STANDBY_SYNC", "", quiet, quiet, Answer(False, "No.", guards))
    (ill,) = unready("paused", [b], [])
    assert (ill.what, ill.do) == ("the cluster is paused", "mpower cluster resume.")
    assert unready("paused", [b], [ill]) == [], "nothing is said twice"
    silent = Ill("a", "no answer", "why", "do", ("PAUSED",))
    assert unready("paused", [b], [silent]) == [], "nor in other words"
    (left,) = unready("one copy", [], [])
    assert left.what == "one copy"


def test_that_nobody_can_pay_is_said_first_with_what_to_do() -> None:
    because = "no node is open: a is silent, and the cluster is paused. 'mpower cluster resume'"
    closed = shut(because)
    assert (closed.why, closed.do) == ("Nobody can pay now.", "'mpower cluster resume'")
    assert closed.what.endswith("and the cluster is paused")
    assert shut("no node is open").do == "See 'mpower cluster explain'."
    guards = [Guard("PAUSED", False, "the cluster is paused", "not paused", "mend first")]
    quiet = Answer(False, "", counts=False)
    b = Explained("b", "a", "STANDBY_SYNC", "", quiet, quiet, Answer(False, "No.", guards))
    assert unready(because, [b], [closed]) == [], "what is to be done is said once"
