"""``mpower cluster doctor``: what is wrong with the pair, found before it hurts.

It asks both nodes and the witness as ``status`` does, and puts together what they say of
themselves and of each other: what answers, alarms, what speaks against counting on a copy, clocks,
disks. ``findings`` is pure. It must not judge what a machine judges of itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click
from msgspec import Struct, to_builtins

from clients.door import Ended, Exit, answer, client_settings, json_option
from clients.ops.explain import Explained, heard_of, judged
from clients.ops.reactor import on_reactor
from clients.ops.silence import nobody, silent_of
from clients.ops.verbs import STATUS_DEADLINE_S, look
from clients.ops.verdict import verdict
from protocols.runbook import advice

if TYPE_CHECKING:
    from clients.ops.asking import Asking
    from clients.ops.seen import Seen
    from clients.ops.silence import Silent

MAX_SKEW_S: Final = 2.0
"""No decision reads the wall clock, but receipts and the audit carry it."""
BOTH: Final = 2
UNFIT: Final = {
    False: "The copy is not counted on while that is so.",
    True: "The copy still counts, for it came in sync before; once out of sync, it stays out.",
}
"""By whether the pair is in sync."""
MIN_FREE_MB: Final = 1024
"""One wal_keep_size: below it a standby may have to be copied anew."""


class Ill(Struct, frozen=True):
    """``where`` something is wrong, ``what``, why it matters (``why``), and what to ``do``;
    ``tells``: codes of the guards that would say the same again.
    """

    where: str
    what: str
    why: str
    do: str
    tells: tuple[str, ...] = ()


def findings(seen: Seen) -> list[Ill]:
    """Everything the machines say that a person should act on."""
    found = _silent(seen)
    for node in seen.nodes:
        unfit = [
            Ill(node.node, one["why"], UNFIT[node.state == "PRIMARY_SYNC"], one["do"])
            for one in node.unfit
        ]
        known = {one.what for one in found}
        found += [one for one in unfit if one.what not in known]
        found += [
            Ill(node.node, text, advice(kind).means, advice(kind).do)
            for kind, text in node.alarms.items()
            if kind != "unfit"
        ]
        if 0 <= node.disk_free_mb < MIN_FREE_MB:
            why = "A server with a full disk takes no payments and cannot take over."
            what = f"{node.disk_free_mb} MiB are free on its disk"
            found.append(Ill(node.node, what, why, f"Make room: at least {MIN_FREE_MB} MiB."))
    return found + _lists(seen) + _audit_keys(seen) + _clocks(seen)


def unready(because: str, said: list[Explained], found: list[Ill]) -> list[Ill]:
    """What keeps the pair from failing over, and what to do, as the nodes' own guards have it;
    ``because`` where they have nothing to add to what was ``found``.
    """
    why = "It could not fail over by itself now."
    told = {"SILENT", "IN_SYNC", *(code for one in found for code in one.tells)}
    against = {
        guard.code: Ill("the pair", guard.says, why, guard.do)
        for one in (judged(said) if said else [])
        if one.question in {"sync", "failover"}
        for guard in one.guards
        if not guard.holds and guard.do and guard.code not in told
    }
    known = {one.what for one in found}
    added = [one for one in against.values() if one.what not in known]
    if added or found:
        return added
    do = "See 'mpower cluster explain'; if it lasts, the logs of both nodes."
    return [Ill("the pair", because, why, do)]


def shut(because: str) -> Ill:
    """Nobody is open, as the verdict's sentence has it: what is so, and then what to do."""
    what, _, do = because.partition(". ")
    do = do or "See 'mpower cluster explain'."
    return Ill("the pair", what, "Nobody can pay now.", do, ("PAUSED", "MAINTENANCE"))


def _silent(seen: Seen) -> list[Ill]:
    """Who does not answer, each once: a node has an address for every link."""
    return [_unheard(one, seen) for one in silent_of(seen)]


def _unheard(one: Silent, seen: Seen) -> Ill:
    who, _, what = one.sentence(seen.at_s).partition(": ")
    if one.link:
        cable = "Look at that network: cable, switch, address. The other link carries all now."
        harm = "Should the other link fail too, the nodes lose sight of each other."
        return Ill(who, what, harm, cable)
    why = "The pair needs both nodes and the arbiter to fail over by itself."
    do = "Is it running there? On that machine: mpowerd check, and its log."
    tells = ("HEARD",) if one.node else ("ARBITER",) if who == "the witness" else ()
    return Ill(who, what, why, do, tells)


def _lists(seen: Seen) -> list[Ill]:
    """Machines that do not hold the same list of the revoked: one of them lets a thief in."""
    held = {one.node: str(one.house.get("revoked_list", "")) for one in seen.nodes}
    if seen.witness is not None:
        held["the witness"] = seen.witness.revoked_list
    held = {where: mark for where, mark in held.items() if mark}
    if len(set(held.values())) < BOTH:
        return []
    what = "their lists of revoked certificates are not the same"
    why = "Who was revoked last is still let in where the older list is."
    do = "Bring the newest to each: mpower pack MACHINE --part trust (docs/security/pki.md)."
    return [Ill(" and ".join(held), what, why, do)]


def _audit_keys(seen: Seen) -> list[Ill]:
    """Nodes that do not hold the same key: after a failover nothing would be signed."""
    held = {one.node: str(one.house["audit_key"]) for one in seen.nodes if "audit_key" in one.house}
    if len(set(held.values())) < BOTH:
        return []
    what = "they do not hold the same key of the audit"
    why = "After a failover the audit would be written and not signed."
    do = "Bring the newest to both: mpower pack NODE --part audit (docs/security/audit.md)."
    return [Ill(" and ".join(held), what, why, do)]


def _clocks(seen: Seen) -> list[Ill]:
    """The nodes' clocks against each other; this machine's only where it stands alone."""
    ahead_s = {one.node: one.wall_s - seen.at_s for one in seen.nodes if one.wall_s}
    if not ahead_s or max(map(abs, ahead_s.values())) <= MAX_SKEW_S:
        return []
    apart_s = max(ahead_s.values()) - min(ahead_s.values())
    if len(ahead_s) == 1:
        where, apart_s = next(iter(ahead_s.items()))
        what = f"its clock and this machine's are {abs(apart_s):.0f} s apart"
    elif apart_s <= MAX_SKEW_S:
        by_s = abs(next(iter(ahead_s.values())))
        where, what = "this machine", f"its clock and those of the nodes are {by_s:.0f} s apart"
    else:
        where = " and ".join(ahead_s)
        what = f"their clocks are {apart_s:.0f} s apart"
    why = "Failover is not concerned, but receipts and the audit carry that time."
    return [Ill(where, what, why, "Set up NTP (chrony): chronyc tracking.")]


def _text(found: list[Ill], asked: int) -> str:
    if not found:
        return f"Nothing found: {asked} machines answered and say that they are well."
    return "\n".join(f"{one.where}: {one.what}\n  why: {one.why}\n  do: {one.do}" for one in found)


@click.command(epilog="Exit codes: 0 nothing found · 1 something found · 3 nobody reachable.")
@json_option
def doctor(*, as_json: bool) -> None:
    """Ask every machine what is wrong, and say why it matters and what to do."""
    settings = client_settings("ops")

    async def ask(asking: Asking) -> tuple[Seen, list[Explained]]:
        seen = await look(asking, settings)
        heard = await asking.every(settings.peers, "explain", {}, STATUS_DEADLINE_S)
        return seen, heard_of(heard)[0]

    seen, explained = on_reactor(settings, ask)
    if not seen.nodes and seen.witness is None:
        raise Ended(Exit.NOT_REACHABLE, nobody(seen.silent))
    safety = verdict(seen.nodes, seen.witness)
    closed = [] if any(one.open for one in seen.nodes) else [shut(safety.because)]
    found = closed + findings(seen)
    if not safety.safe:
        found += unready(safety.because, explained, found)
    asked = len(seen.nodes) + (seen.witness is not None)
    safe = f"safe to fail over? {'yes' if safety.safe else 'no'}: {safety.because}"
    data = {"findings": to_builtins(found), "safe_to_fail_over": safety.safe}
    text = f"{_text(found, asked)}\n{safe}"
    answer({**data, "because": safety.because}, text, as_json=as_json)
    if found:
        click.get_current_context().exit(int(Exit.FAILED))
