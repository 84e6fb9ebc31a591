"""The demo a person watches: opened, taking payments, and telling every failover as it happens.

One line a second of what the counters see; when the primary changes, what was detected and promoted
in how many milliseconds, the longest wait a clerk saw, and how many acknowledged payments were
lost, by the same verdict as the drill. This file must not know how anything is done.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from clients.demo import evidence
from clients.demo.board import PASSWORD, Told, clerk_of
from clients.demo.commands import status
from clients.demo.company import Company
from clients.demo.drill import socket_of
from clients.demo.opening import open_board
from clients.demo.stage import Stage
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
    seat = stage.counters[-1]
    talk(
        f"""
The board is open. {len(stage.counters)} counters and a bank are taking payments.

  work at a counter   MPOWER_HOME={stage.home} mpower counter --counter {seat}
                      user {clerk_of(seat)}, password: {PASSWORD}
  see the pair        mpower --settings {stage.home} cluster status
  try                 mpower demo kill primary      then   mpower demo heal
                      mpower demo freeze standby · mpower demo stop a · mpower demo status
  end                 Ctrl-C
"""
    )


def _watch(stage: Stage, company: Company) -> None:
    primary: str | None = str(status(stage.home)["primary"])
    worst_ms = 0.0
    while True:
        time.sleep(1.0)
        stage.refresh()
        worst_ms = max(worst_ms, company.longest_ms())
        seen = status(stage.home)
        _line(company, seen)
        if seen["primary"] not in {None, primary}:
            talk(f"\n{_told_failover(stage, company, seen, worst_ms)}\n")
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


def _told_failover(stage: Stage, company: Company, seen: dict[str, Any], worst_ms: float) -> str:
    survivor = next(one for one in seen["nodes"] if one["node"] == seen["primary"])
    said = {one["state"]: one["wall_s"] for one in survivor["history"]}
    took = ""
    if "CLAIMING" in said and "PRIMARY_SOLO" in said:
        took = f", {round((said['PRIMARY_SOLO'] - said['CLAIMING']) * 1000)} ms from claim to open"
    receipts = dict(company.receipts)
    held, _ = evidence.database(*socket_of(stage, str(seen["primary"])))
    lost = missing(receipts, held)
    return (
        f"Node {seen['primary']} took over{took}. Longest wait a clerk saw:"
        f" {round(worst_ms)} ms. Acknowledged {len(receipts):,}, lost: {len(lost)}."
    )
