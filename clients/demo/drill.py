"""The drill: a scripted failover both ways, without a person, whose verdict is taken from the
terminals' own journals.

    open the board · traffic · kill the primary · payments go on · the killed one rejoins, in sync
    · the other way round · every intent gets its answer · compare journals and database

A kill is a power cut of the whole node. Times are the worse of the two kills, from the kill to the
survivor's claim (detected), to its opening (promoted), and the longest wait of a terminal around it
(gap). This file must not know how anything is done, only in which order.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from clients.demo import evidence, strokes
from clients.demo.board import Told
from clients.demo.commands import status
from clients.demo.company import Company
from clients.demo.opening import in_sync, open_board, wait
from clients.demo.stage import Stage, StageError
from clients.demo.verdict import Asked, in_flight, judge, longest_wait_ms
from config.load import load_node
from config.settings import split_address

BEFORE_A_KILL: Final = 250
"""Payments acknowledged before each kill: twice this is the 500 that a drill must have."""
AFTER_A_KILL: Final = 100
UNDER_WAY: Final = 3
"""A kill waits for a moment with this many payments under way, then hits at once."""
TAKEOVER_S: Final = 30.0
REJOIN_S: Final = 120.0


class Kill(Struct, frozen=True):
    """One kill: who, when (Unix seconds), and when the survivor claimed and opened."""

    victim: str
    at: float
    claimed_at: float
    opened_at: float


def drill(stage: Stage, told: Told) -> dict[str, Any]:
    """Run the whole drill on a fresh stage; the figures as one object."""
    open_board(stage, told)
    company = Company(stage)
    try:
        kills = [_one_kill(stage, company, told) for _ in range(2)]
        told("every terminal waits for its last answer")
        answered = company.end()
    finally:
        company.dismiss()
    return _figures(stage, kills, answered=answered)


def _one_kill(stage: Stage, company: Company, told: Told) -> Kill:
    company.await_more(BEFORE_A_KILL, TAKEOVER_S)
    seen = wait(stage, "two copies stand before the kill", in_sync, REJOIN_S)
    victim = str(seen["primary"])
    moments: list[float] = []

    def moment() -> None:
        company.await_under_way(UNDER_WAY, TAKEOVER_S)
        moments.append(time.time())

    hit = stage.cut(victim, moment)
    hit_at = moments[0]
    told(f"killed {victim}, the primary, with everything below it ({len(hit)} processes)")
    company.await_more(AFTER_A_KILL, TAKEOVER_S)
    seen = wait(stage, "the other node is open", lambda it: it["primary"] not in {None, victim}, 10)
    kill = _times(seen, victim, hit_at)
    told(
        f"{seen['primary']} took over: detected in {_ms(kill.claimed_at - hit_at)} ms,"
        f" open in {_ms(kill.opened_at - hit_at)} ms"
    )
    strokes.gone(hit, 5)
    stage.start(victim)
    wait(stage, f"{victim} is back and in sync", in_sync, REJOIN_S)
    told(f"{victim} has rejoined and holds the second copy")
    return kill


def _times(seen: dict[str, Any], victim: str, hit_at: float) -> Kill:
    survivor = next(one for one in seen["nodes"] if one["node"] != victim)
    since = [one for one in survivor["history"] if one["wall_s"] >= hit_at]

    def first(*states: str) -> float:
        at = next((float(one["wall_s"]) for one in since if one["state"] in states), None)
        if at is None:
            raise StageError(f"{survivor['node']} tells nothing of {' or '.join(states)}: {since}")
        return at

    return Kill(victim, hit_at, first("CLAIMING"), first("PRIMARY_SOLO", "PRIMARY_SYNC"))


def _figures(stage: Stage, kills: list[Kill], *, answered: bool) -> dict[str, Any]:
    asked = evidence.journals(stage.home / "journals")
    primary = str(status(stage.home)["primary"])
    held, flaws = evidence.database(*socket_of(stage, primary))
    verdict = judge(asked, held)
    return {
        "acknowledged": verdict.acknowledged,
        "lost": verdict.lost,
        "doubled": verdict.doubled,
        "in_flight_at_kills": [in_flight(asked, kill.at) for kill in kills],
        "detected_ms": max(_ms(kill.claimed_at - kill.at) for kill in kills),
        "promoted_ms": max(_ms(kill.opened_at - kill.at) for kill in kills),
        "gap_ms": max(_gap_ms(asked, kill) for kill in kills),
        "all_answered": answered,
        "ledger_and_audit": flaws or "ok",
        "examples": list(verdict.examples),
    }


def passed(figures: dict[str, Any]) -> bool:
    """Whether the drill shows what it must: nothing lost or doubled, and that it really tested."""
    return bool(
        figures["lost"] == 0
        and figures["doubled"] == 0
        and figures["acknowledged"] >= 2 * BEFORE_A_KILL
        and min(figures["in_flight_at_kills"]) >= 1
        and figures["all_answered"]
        and figures["ledger_and_audit"] == "ok"
    )


def _gap_ms(asked: list[Asked], kill: Kill) -> int:
    return round(longest_wait_ms(asked, kill.at, kill.opened_at + 5))


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def socket_of(stage: Stage, node: str) -> tuple[Path, int]:
    """Where a node's PostgreSQL listens on this machine: the socket's folder and the port that
    names it.
    """
    settings = load_node(stage.paths.nodes[node])
    port = split_address(settings.cluster.address(node).postgres)[1]
    return settings.data / "postgres" / "run", port
