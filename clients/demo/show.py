"""The demo a person watches: opened, taking payments, and telling every failover as it happens.

One line a second of what the counters see; when the primary changes, what was detected and promoted
in how many milliseconds, the longest wait a clerk saw, and how many acknowledged payments were
lost: what the terminals say they were answered against what the database holds. This file must not
know how anything is done.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from clients.demo import evidence
from clients.demo.board import PASSWORD, Told, clerk_of
from clients.demo.commands import status
from clients.demo.company import BOUNDS_MS, Company
from clients.demo.drill import socket_of
from clients.demo.opening import open_board
from clients.demo.stage import Stage, StageError, mpower_at
from clients.demo.verdict import missing
from clients.door import talk

CALM_MS = 500
"""A terminal that waits less than this is not waiting for a takeover."""


def show(stage: Stage, told: Told) -> None:
    """Open the board and tell what happens until Ctrl-C."""
    try:
        open_board(stage, told)
        company = Company(stage, think_s=0.2)
        try:
            _invite(stage)
            _watch(stage, company)
        finally:
            company.dismiss()
    except KeyboardInterrupt:
        talk("\nStopping everything; nothing stays behind.")


def _invite(stage: Stage) -> None:
    seat, mpower = stage.seat, mpower_at()
    talk(
        f"""
The board is open. {len(stage.busy)} counters and a bank are taking payments.

  work at a counter   {mpower} --settings {stage.home} counter --counter {seat}
                      user {clerk_of(seat)}, password: {PASSWORD}
                      first 'shift open', then 'find sharma', 'take NUMBER all'
  see the pair        {mpower} --settings {stage.home} cluster status
  try                 {mpower} demo kill primary      then   {mpower} demo heal
                      {mpower} demo freeze standby · partition links · load 100 · status
  end                 Ctrl-C
"""
    )


def _watch(stage: Stage, company: Company) -> None:
    primary: str | None = str(status(stage.home)["primary"])
    worst_ms = 0.0
    while True:
        time.sleep(1.0)
        stage.refresh()
        company.check()
        worst_ms = max(worst_ms, company.longest_ms())
        seen = status(stage.home)
        _line(company, seen)
        if seen["primary"] not in {None, primary}:
            if told_failover(stage, company, seen, worst_ms):
                primary, worst_ms = str(seen["primary"]), 0.0
        elif seen["primary"] == primary and company.latest["waiting_ms"] < CALM_MS:
            worst_ms = 0.0


def _line(company: Company, seen: dict[str, Any]) -> None:
    latest = company.latest
    text = (
        f"{company.acknowledged:>7,} payments · primary {seen['primary'] or '—'} ·"
        f" copies {seen['copies']} · median wait {latest.get('median_ms') or '—'} ms ·"
        f" {seen['because']}"
    )
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text[:150]}")
        sys.stderr.flush()
    else:
        talk(text)


def told_failover(stage: Stage, company: Company, seen: dict[str, Any], worst_ms: float) -> bool:
    """Judge a takeover and tell it; False if the new primary fell before its receipts were counted:
    they are counted when one is open again.
    """
    try:
        said = _judged(stage, company, seen, worst_ms)
    except StageError as wrong:
        talk(f"\nNode {seen['primary']} took over, and is not counted yet. {wrong}\n")
        return False
    talk(f"\n{said}\n")
    return True


def _judged(stage: Stage, company: Company, seen: dict[str, Any], worst_ms: float) -> str:
    survivor = next(one for one in seen["nodes"] if one["node"] == seen["primary"])
    said = {one["state"]: one["wall_s"] for one in survivor["history"]}
    struck = max((at for name, at in stage.struck.items() if name != seen["primary"]), default=0)
    took = ""
    if struck and struck < said.get("CLAIMING", 0) < said.get("PRIMARY_SOLO", 0):
        detected_ms, open_ms = (
            round((said[state] - struck) * 1000) for state in ("CLAIMING", "PRIMARY_SOLO")
        )
        took = f": detected in {detected_ms} ms, open in {open_ms} ms"
    receipts = list(company.receipts)
    held, _ = evidence.database(*socket_of(stage, str(seen["primary"])))
    lost = missing(receipts, held)
    return (
        f"Node {seen['primary']} took over{took}. Longest wait a clerk saw:"
        f" {round(worst_ms)} ms. Acknowledged {len(receipts):,}, lost: {len(lost)}.\n"
        f"{_waits(company.histogram)}"
    )


def _waits(histogram: list[int]) -> str:
    """The waits of all payments so far as bars, the longest bar forty characters."""
    names = [f"under {bound} ms" for bound in BOUNDS_MS] + [f"{BOUNDS_MS[-1]} ms and more"]
    most = max(histogram) or 1
    return "\n".join(
        f"  {name:>16} {count:>8,} {'#' * -(-40 * count // most)}"
        for name, count in zip(names, histogram, strict=True)
    )
