"""What an operator may ask of this node. A verb is a compare-and-swap from the epoch he saw.

What changes the record may be asked of either node, in every state in which nothing else is being
asked of the arbiter; the answer is given when the arbiter has answered. What cannot be done now is
refused with a code, the reason and what to do; ``dry`` asks only whether it could be. Bootstrap is
the one verb without a record before it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import structs

from cluster import actions as act
from cluster import events as ev
from cluster import record as records
from cluster.arbiter.register import ROLLED_BACK
from cluster.intents import Pending
from cluster.mind import Mind
from cluster.plan import Plan, plan_of
from cluster.rules.forcing import bound, why_not_force
from cluster.rules.rule import (
    AS_TOLD,
    Outcome,
    Rule,
    always,
    by_whom,
    hand_over,
    op_id,
    order,
    propose,
)
from cluster.safety import (
    ARBITER_BACK,
    LOOK,
    No,
    as_yet,
    why_not_close,
    why_not_confirm,
    why_not_reclone,
    why_not_switch,
)
from cluster.states import State
from protocols.peer import Record

SETTLING: Final = frozenset(
    {State.INIT, State.CLAIMING, State.RECLAIMING, State.GOING_SOLO, State.DRAINING}
)
"""States that wait for the arbiter's answer to a question of their own; seconds at most."""
MAX_AHEAD_S: Final = 31 * 86_400
"""A switchover is planned for a night of this month: a later date is a typing mistake."""
SWITCHES: Final = {"on": True, "off": False}

Arguments = Mapping[str, str]


# ---- verbs that change the record


def _any_time(mind: Mind, said: Arguments) -> No | None:
    return None


def _strict(mind: Mind, said: Arguments) -> No | None:
    if said.get("to") not in SWITCHES:
        return No("USAGE", "strict is on or off", "Say which.")
    return None


def _maintained(mind: Mind, said: Arguments) -> No | None:
    record, node = mind.record, said.get("node", "")
    assert record is not None
    if said.get("to") not in SWITCHES or node not in {mind.me, mind.peer}:
        why = "maintenance is of one of the two nodes, on or off"
        return No("USAGE", why, f"Say {mind.me} or {mind.peer}, and on or off.")
    if SWITCHES[said["to"]] and node == record.primary:
        do = "Switch over first: mpower cluster switchover."
        return No("PRIMARY", f"{node} is the primary", do)
    plan = plan_of(record)
    if SWITCHES[said["to"]] and plan is not None and plan.at_s == 0:
        why = "a switchover is under way"
        return No("BUSY", why, "Wait until it is done: mpower cluster status.")
    return None


def _plannable(mind: Mind, said: Arguments) -> No | None:
    record = mind.record
    assert record is not None
    plan = _plan(mind, said)
    if plan is None:
        return No("USAGE", "the time is not a number of seconds", "Say a time of day.")
    if plan.at_s == 0:
        return why_not_switch(mind, plan.to)
    if plan.to not in {mind.me, mind.peer}:
        return No("UNKNOWN_NODE", f"there is no node {plan.to}", f"It can only be {mind.peer}.")
    if plan.to == record.primary:
        return No("ALREADY", f"{plan.to} is the primary already", "Name the other node.")
    if not mind.wall_s or plan.at_s <= mind.wall_s:
        return No("PAST", "that time is past", "Name a later one, or none for now.")
    if plan.at_s > mind.wall_s + MAX_AHEAD_S:
        days = MAX_AHEAD_S // 86_400
        return No("TOO_FAR", f"that is more than {days} days ahead", "Plan it nearer to the day.")
    return None


def _closable(mind: Mind, said: Arguments) -> No | None:
    return why_not_close(mind, said.get("to", ""))


def _forcible(mind: Mind, said: Arguments) -> No | None:
    if said.get("accept") != "yes":
        why = "nobody said that acknowledged payments may be lost"
        return No("USAGE", why, "mpower cluster failover --force --accept-data-loss")
    return why_not_force(mind)


def _reclonable(mind: Mind, said: Arguments) -> No | None:
    return why_not_reclone(mind, said.get("node", ""))


def _plan(mind: Mind, said: Arguments) -> Plan | None:
    record = mind.record
    assert record is not None
    other = mind.peer if record.primary == mind.me else mind.me
    at = said.get("at", "0")
    who = said.get("operator", "")
    return Plan(said.get("to") or other, int(at), who) if at.isdecimal() else None


def _next(mind: Mind, verb: str, said: Arguments) -> tuple[Record, str]:
    """The record that the verb asks for, and what is said when it stands."""
    record, name = mind.record, op_id(mind, verb)
    assert record is not None
    who = by_whom(said)
    if verb in {"pause", "resume"}:
        pause = verb == "pause"
        told = "Paused: no automatic takeover until 'mpower cluster resume'."
        told = told if pause else "Resumed: takeovers happen by themselves again."
        return records.paused(record, mind.me, name, who, pause=pause), told
    if verb == "strict":
        strict = SWITCHES[said["to"]]
        told = _strictly(record) if strict else "Not strict."
        return records.strict(record, mind.me, name, who, strict=strict), told
    if verb == "maintenance":
        node = said["node"] if SWITCHES[said["to"]] else ""
        told = f"{said['node']} is {'' if node else 'no longer '}in maintenance."
        return records.maintained(record, mind.me, name, who, node=node), told
    if verb == "failover":
        why = f"forced {who}; acknowledged payments may be lost"
        told = f"{mind.me} is the primary by record, and is being promoted."
        return records.forced(record, mind.me, name, why, held_lsn=mind.held_lsn), told
    if verb == "close":
        told = f"The old arbiter is closed; nobody takes over until {said['to']} has the record."
        return records.closed(record, mind.me, name, who, to=said["to"]), told
    if verb == "confirm":
        told = f"The arbiter waits for {mind.peer} no more."
        return records.trusted(record, mind.me, name, who, nonce=mind.nonce), told
    if verb == "reinit":
        told = f"{mind.me} gives up its copy and is copied anew from {mind.peer}."
        return records.recloned(record, mind.me, name, who), told
    if verb == "cancel":
        return records.without_plan(record, mind.me, name, f"switchover cancelled {who}"), (
            "The switchover is cancelled."
        )
    plan = _plan(mind, said)
    assert plan is not None
    why = f"switchover to {plan.to} asked {who}"
    told = _planned(mind, plan) if plan.at_s else f"Switching over to {plan.to}."
    return records.planned(record, mind.me, name, plan, why), told


def _planned(mind: Mind, plan: Plan) -> str:
    instead = " It takes the place of the one planned before." if plan_of(mind.record) else ""
    return f"Planned.{instead}{as_yet(mind, plan.to)}"


def _strictly(record: Record) -> str:
    told = "Strict: nothing is acknowledged on one copy."
    waits = " There is one only: all counters wait for the other. Back: mpower cluster strict off."
    return told if record.sync else f"{told}{waits}"


CHANGES: Final[dict[str, Callable[[Mind, Arguments], No | None]]] = {
    "pause": _any_time,
    "resume": _any_time,
    "strict": _strict,
    "maintenance": _maintained,
    "switchover": _plannable,
    "cancel": _any_time,
    "close": _closable,
    "failover": _forcible,
    "confirm": lambda mind, said: why_not_confirm(mind),
    "reinit": _reclonable,
}
"""For each verb that changes the record: why it may not be changed so."""


def _stands(mind: Mind, verb: str, said: Arguments) -> str:
    """How it is already as the verb wants it, or ''."""
    record, node = mind.record, said.get("node", "")
    assert record is not None
    on = SWITCHES.get(said.get("to", ""), False)
    if verb == "pause" and record.paused and not record.capped:
        return "the cluster is paused already"
    if verb == "resume" and not record.paused:
        return "the cluster is not paused"
    if verb == "strict" and record.strict is on:
        return f"strict is {'on' if on else 'off'} already"
    if verb == "maintenance" and mind.in_maintenance(node) is on:
        return f"{node} is {'' if on else 'not '}in maintenance"
    if verb == "cancel" and plan_of(record) is None:
        return "no switchover is asked for"
    return ""


# ---- may it be asked now?


def why_not(mind: Mind, event: ev.Asked) -> No | None:
    """Why this verb is refused, None if it is not."""
    said = dict(event.arguments)
    if event.verb == "bootstrap":
        return _not_bootstrap(mind)
    if mind.record is None:
        return No("NO_RECORD", "there is no record here yet", "First: mpower cluster bootstrap.")
    no = _looked_at_another(mind, said)
    if no is None and event.verb == "handover":
        return _not_hand_over(mind, said)
    if no is None:
        no = CHANGES[event.verb](mind, said) or _not_recordable(mind)
    return no


def _looked_at_another(mind: Mind, said: Arguments) -> No | None:
    record = mind.record
    assert record is not None
    if not said.get("epoch", "").isdecimal():
        return No("USAGE", "no epoch was named", "Name the epoch that status shows.")
    if int(said["epoch"]) != record.epoch or mind.seen_epoch > record.epoch:
        why = f"the record is at epoch {max(record.epoch, mind.seen_epoch)}, not {said['epoch']}"
        return No("CHANGED", why, "Look again, then ask again: mpower cluster status.")
    if said.get("incarnation", str(record.incarnation)) != str(record.incarnation):
        why = f"the record is of incarnation {record.incarnation}"
        return No("CHANGED", why, "Look again, then ask again: mpower cluster status.")
    return None


def _not_recordable(mind: Mind) -> No | None:
    if mind.record is not None and mind.record.moved:
        why = f"the record was moved to {mind.record.moved}, which does not have it yet"
        return No("CLOSED", why, "Finish that first: mpower cluster arbiter replace.")
    if mind.rolled_back or ROLLED_BACK in mind.doubt:
        return No("ROLLED_BACK", "the arbiter's record is older than this node's", LOOK)
    if not mind.arbiter_heard:
        return No("NO_ARBITER", f"{mind.me} does not hear the arbiter", ARBITER_BACK)
    if mind.state in SETTLING or not mind.may_swap:
        return No("BUSY", f"{mind.me} is {mind.state} and asks the arbiter", "Ask in a moment.")
    return None


def _not_bootstrap(mind: Mind) -> No | None:
    if mind.record is not None or mind.disk.epoch or mind.rolled_back:
        why = "bootstrap is not possible: this cluster was made before"
        return No("NOT_NOW", why, "See 'mpower cluster status'.")
    if mind.state is not State.READING or not (mind.fresh and mind.idle and mind.swap is None):
        why = f"bootstrap is not possible while {mind.me} is {mind.state}"
        return No("NOT_NOW", why, "Is the arbiter up? Ask again in a moment.")
    return None


def _not_hand_over(mind: Mind, said: Arguments) -> No | None:
    record = mind.record
    assert record is not None
    if not mind.named:
        return No("NOT_PRIMARY", f"{record.primary} is the primary", "Ask that node.")
    return why_not_switch(mind, mind.peer)


def allowed(verb: str, *, dry: bool = False) -> Callable[[Mind, ev.Asked], bool]:
    """This verb is asked (``dry``: only whether it could be), and nothing speaks against it."""

    def guard(mind: Mind, event: ev.Asked) -> bool:
        asks_dry = ("dry", "yes") in event.arguments
        named = event.verb == verb or (verb == "" and event.verb in CHANGES)
        known = named or (dry and event.verb in {"bootstrap", "handover", *CHANGES})
        return known and asks_dry is dry and why_not(mind, event) is None

    return guard


def already(mind: Mind, event: ev.Asked) -> bool:
    """What is asked for stands: a change would only make an epoch that says nothing."""
    known = event.verb in CHANGES and why_not(mind, event) is None
    return known and _stands(mind, event.verb, dict(event.arguments)) != ""


# ---- deeds


def nothing_to_do(mind: Mind, event: ev.Asked) -> Outcome:
    """Yes, without a change; a script may ask twice."""
    said = f"Nothing to do: {_stands(mind, event.verb, dict(event.arguments))}."
    return _heeded(mind, event), (act.AnswerVerb(event.verb, True, "", said),)


def _heeded(mind: Mind, event: ev.Asked) -> Mind:
    """Somebody acts: a switchover that was called off needs no alarm any more."""
    heeds = (
        event.verb in {"switchover", "cancel", "resume"} and ("dry", "yes") not in event.arguments
    )
    return structs.replace(mind, called_off="") if heeds else mind


def change(mind: Mind, event: ev.Asked) -> Outcome:
    """Ask the arbiter; its answer is the operator's."""
    record, told = _next(mind, event.verb, dict(event.arguments))
    mind = _heeded(mind, event)
    return propose(structs.replace(mind, asked=Pending(event.verb, record.op_id, told)), record)


def could(mind: Mind, event: ev.Asked) -> Outcome:
    """Nothing is done."""
    said = bound(mind) if event.verb == "failover" else "Nothing speaks against it."
    record = mind.record
    if event.verb == "strict" and record is not None and not record.sync:
        said = "It could be, but there is one copy only: all counters would wait for the other."
    plan = _plan(mind, dict(event.arguments)) if event.verb == "switchover" else None
    if plan is not None and plan.at_s and (against := as_yet(mind, plan.to)):
        said = f"It can be planned.{against}"
    return mind, (act.AnswerVerb(event.verb, True, "", said),)


def bootstrap(mind: Mind, event: ev.Asked) -> Outcome:
    """Make the first copy, or take the one that stands here."""
    said = act.AnswerVerb("bootstrap", True, "", "The first primary is being made.")
    who = by_whom(dict(event.arguments))
    if mind.disk.has_data:
        return _first_record(mind, who, said)
    return order(mind, act.Initialise(mind.cluster_id, who), said)


def _first_record(mind: Mind, who: str, *also: act.Action) -> Outcome:
    name = f"{mind.me}-{mind.boot}-0-bootstrap"
    first = records.first(mind.cluster_id, mind.disk.system_id, mind.me, name, who)
    return propose(mind, first, *also)


def no_record(mind: Mind, event: ev.Event) -> bool:
    """Initdb is done and the arbiter had no record."""
    return mind.record is None


def make_record(mind: Mind, event: ev.Initialised) -> Outcome:
    """Create-if-absent: the other node's bootstrap, if any, wins or loses whole."""
    return _first_record(mind, event.who)


def _who_and_why(said: Arguments) -> str:
    reason, operator = said.get("reason", ""), said.get("operator") or "an operator"
    return f"{reason} (asked by {operator})" if reason else f"asked by {operator}"


def ask_hand_over(mind: Mind, event: ev.Asked) -> Outcome:
    """A UPS, a degraded mirror, a person: the standby claims at once."""
    why = _who_and_why(dict(event.arguments))
    said = act.AnswerVerb("handover", True, "", f"The gate is shut: {mind.peer} may claim.")
    return hand_over(mind, f"{AS_TOLD}{why}", said)


def refuse(mind: Mind, event: ev.Asked) -> Outcome:
    """In words: what, why, what to do."""
    known = event.verb in {"bootstrap", "handover", *CHANGES}
    no = why_not(mind, event) if known else None
    if no is None:
        no = No("NOT_NOW", f"{event.verb} is not possible while {mind.me} is {mind.state}", LOOK)
    return mind, (act.AnswerVerb(event.verb, False, no.code, no.sentence),)


I, S = State.READING, State.PRIMARY_SYNC  # noqa: E741 - READING's letter in the rows
RECORDABLE: Final = tuple(state for state in State if state not in SETTLING)

ROWS: Final = (
    Rule((I,), (ev.Initialised,), no_record, None, make_record, "The first record."),
    Rule(tuple(State), (ev.Asked,), already, None, nothing_to_do, "It stands so already."),
    Rule(tuple(State), (ev.Asked,), allowed("", dry=True), None, could, "Only asked whether."),
    Rule((I,), (ev.Asked,), allowed("bootstrap"), None, bootstrap, "Making the first copy."),
    Rule(RECORDABLE, (ev.Asked,), allowed(""), None, change, "Asked by an operator."),
    Rule(
        (S,),
        (ev.Asked,),
        allowed("handover"),
        I,
        ask_hand_over,
        "Handing over on request; gate shut, {peer} may claim at once.",
    ),
    Rule(tuple(State), (ev.Asked,), always, None, refuse, "Refused in words."),
)
