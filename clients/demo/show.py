"""The demo a person watches: opened, taking payments, and telling every failover as it happens.

Each second what the counters see; when the primary changes, what was detected and promoted in how
many milliseconds, the longest wait a clerk saw, and how many acknowledged payments were lost: what
the terminals say they were answered against what the database holds. This file must not know how
anything is done, nor how it is said.
"""

from __future__ import annotations

import time
from typing import Any

from clients.demo import evidence
from clients.demo.board import PASSWORD, clerk_of
from clients.demo.commands import status
from clients.demo.company import BOUNDS_MS, Company
from clients.demo.drill import socket_of
from clients.demo.opening import open_board
from clients.demo.stage import Stage, StageError, mpower_at
from clients.demo.telling import Begun, Opened, Second, Takeover, Tell, Uncounted, Waits, steps
from clients.demo.verdict import missing

CALM_MS = 500
"""A terminal that waits less than this is not waiting for a takeover."""


def show(stage: Stage, tell: Tell) -> None:
    """Open the board and tell what happens until Ctrl-C (KeyboardInterrupt)."""
    tell(Begun(home=str(stage.home)))
    open_board(stage, steps(tell))
    company = Company(stage, think_s=0.2)
    try:
        tell(
            Opened(
                home=str(stage.home),
                mpower=mpower_at(),
                counters=len(stage.busy),
                seat=stage.seat,
                user=clerk_of(stage.seat),
                password=PASSWORD,
            )
        )
        _watch(stage, company, tell)
    finally:
        company.dismiss()


def _watch(stage: Stage, company: Company, tell: Tell) -> None:
    primary: str | None = str(status(stage.home)["primary"])
    worst_ms = 0.0
    while True:
        time.sleep(1.0)
        stage.refresh()
        company.check()
        worst_ms = max(worst_ms, company.longest_ms())
        seen = status(stage.home)
        tell(_second(company, seen))
        if seen["primary"] not in {None, primary}:
            told = takeover(stage, company, seen, worst_ms)
            tell(told)
            if isinstance(told, Takeover):
                primary, worst_ms = told.primary, 0.0
        elif seen["primary"] == primary and company.latest["waiting_ms"] < CALM_MS:
            worst_ms = 0.0


def _second(company: Company, seen: dict[str, Any]) -> Second:
    return Second(
        acknowledged=company.acknowledged,
        primary=seen["primary"],
        copies=seen["copies"],
        median_ms=company.latest.get("median_ms"),
        waiting_ms=company.latest["waiting_ms"],
        because=seen["because"],
    )


def takeover(
    stage: Stage, company: Company, seen: dict[str, Any], worst_ms: float
) -> Takeover | Uncounted:
    """Judge a takeover; Uncounted if the new primary fell before its receipts were counted: they
    are counted when one is open again.
    """
    primary = str(seen["primary"])
    detected_ms, open_ms = _times(stage, seen)
    receipts = list(company.receipts)
    try:
        held, _ = evidence.database(*socket_of(stage, primary))
    except StageError as wrong:
        return Uncounted(primary=primary, why=str(wrong))
    waits = zip([*BOUNDS_MS, None], company.histogram, strict=True)
    return Takeover(
        primary=primary,
        detected_ms=detected_ms,
        open_ms=open_ms,
        longest_wait_ms=round(worst_ms),
        acknowledged=len(receipts),
        lost=len(missing(receipts, held)),
        waits=[Waits(bound, payments) for bound, payments in waits],
    )


def _times(stage: Stage, seen: dict[str, Any]) -> tuple[int | None, int | None]:
    """From the stroke to the claim and to the opening, in ms; None where nobody struck."""
    survivor = next(one for one in seen["nodes"] if one["node"] == seen["primary"])
    said = {one["state"]: one["wall_s"] for one in survivor["history"]}
    struck = max((at for name, at in stage.struck.items() if name != seen["primary"]), default=0)
    if not (struck and struck < said.get("CLAIMING", 0) < said.get("PRIMARY_SOLO", 0)):
        return None, None
    detected_ms, open_ms = (
        round((said[state] - struck) * 1000) for state in ("CLAIMING", "PRIMARY_SOLO")
    )
    return detected_ms, open_ms
