"""``abuse.*``: what the payments of eight counters keep beside an attacker with stolen papers, kind
by kind; quiet windows and windows beside the attack in turns.

The counters work all the time with the people's own link and journal, through everything, while one
attacker of ``bench.attackers`` does its worst. The ratio of each round is of two windows one after
the other, so that what the machine does besides hits both alike; the attacker works on this machine
too, and what it computes itself is missing to the payments as well. Goals: a flood is bounded and
the others are served, with half of their payments at least, and no clerk waits longer than in a
storm of reconnecting counters (2 s). A run whose ledger does not hold what was acknowledged has no
figure. This file must not know what an attack is.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from msgspec import Struct

from bench import attackers
from bench.board import PASSWORD, counter, seed
from bench.counters import Watched, working
from bench.figures import Figure, median, table, tell
from bench.pair import HOUSE, STOP_S, Pair, running_pair
from bench.payments import RECEIPTS
from config.settings import split_address

CONSUMERS: Final = 20_000
COUNTERS: Final = 8
THIEF: Final = COUNTERS + 1
"""The counter whose certificate, login and password the attacker has."""
ROUNDS: Final = 4
WINDOW_S: Final = 2.0
AT_IT_S: Final = {"handshakes": 2.0}
"""Before it is measured: at first an address is given as many connections as a whole office."""
WAIT: Final = "abuse.wait"


class Round(Struct, frozen=True):
    """The same counters, quiet and beside the attack."""

    quiet: Watched
    beset: Watched

    @property
    def kept(self) -> float:
        """The part of their payments that they kept."""
        return self.beset.per_s / self.quiet.per_s


def measured(names: Iterable[str]) -> list[Figure]:
    """Measure every kind that is asked for; ``abuse.wait`` alone asks for all."""
    wanted = set(names)
    kinds = [one for one in attackers.KINDS if f"abuse.{one}" in wanted] or [*attackers.KINDS]
    found: dict[str, list[Round]] = {kind: [] for kind in kinds}
    with running_pair(THIEF) as pair:
        seed(pair.conninfo("a"), CONSUMERS, THIEF)
        pair.wait_in_sync()
        words = ["bench.steady", str(pair.home / "board"), str(COUNTERS), str(CONSUMERS)]
        with attacking(pair) as attacker, working([sys.executable, "-m", *words]) as counters:
            counters.until_calm(time.monotonic())
            for number in range(ROUNDS):
                for kind, rounds in found.items():
                    order = ("", kind) if number % 2 else (kind, "")
                    two = {}
                    for one in order:
                        with attacker.at(one):
                            two[one] = counters.watched(WINDOW_S)
                    rounds.append(Round(two[""], two[kind]))
            answered = counters.answered()
        check(answered, pair.ask("a", RECEIPTS))
    tell(described(found))
    return [one for one in figures(found) if one.bench in wanted]


def check(answered: int, receipts: int) -> None:
    """RuntimeError unless every acknowledged payment is there, and none but those under way."""
    if not 0 <= receipts - answered <= COUNTERS:
        raise RuntimeError(f"{answered} payments acknowledged, {receipts} receipts, no figure")


def figures(found: dict[str, list[Round]]) -> list[Figure]:
    """Sum the rounds up: payments beside each attack, and a clerk's longest wait beside any."""
    made = [
        Figure(
            f"abuse.{kind}",
            median(one.beset.per_s for one in rounds),
            min(one.beset.per_s for one in rounds),
            "1/s",
            median(one.quiet.per_s for one in rounds),
            median(one.kept for one in rounds),
        )
        for kind, rounds in found.items()
    ]
    every = [one for rounds in found.values() for one in rounds]
    waits = [one.beset.longest_ms for one in every]
    quiet = median(one.quiet.longest_ms for one in every)
    return [*made, Figure(WAIT, median(waits), max(waits), "ms", quiet, quiet / median(waits))]


def described(found: dict[str, list[Round]]) -> str:
    """Lay the rounds out for people: medians, and the worst of the waits."""
    head = ("beside", "payments/s", "quiet", "kept", "longest wait, ms", "quiet")
    rows = [
        (
            attackers.KINDS[kind],
            median(one.beset.per_s for one in rounds),
            median(one.quiet.per_s for one in rounds),
            median(one.kept for one in rounds),
            max(one.beset.longest_ms for one in rounds),
            max(one.quiet.longest_ms for one in rounds),
        )
        for kind, rounds in found.items()
    ]
    return table(head, rows)


class Attacker:
    """A process that attacks as it is ordered."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    @contextmanager
    def at(self, kind: str) -> Iterator[None]:
        """Attack while this lasts; '' is no attack."""
        if not kind:
            yield
            return
        self._order(kind, b"at it\n")
        time.sleep(AT_IT_S.get(kind, 0.0))
        try:
            yield
        finally:
            self._order("", b"calm\n")

    def _order(self, kind: str, answer: bytes) -> None:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{kind}\n".encode())
        process.stdin.flush()
        said = process.stdout.readline()
        if said != answer:
            raise RuntimeError(f"the attacker said {said!r} and not {answer!r}; see above")


@contextmanager
def attacking(pair: Pair) -> Iterator[Attacker]:
    """Start the attacker, with one counter's certificate, login and password."""
    pki = pair.paths.ca.parent
    stem = pki / f"counter-{counter(THIEF)}"
    port = split_address(pair.settings("a").here.terminals)[1]
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", attackers.__name__, str(port), str(pki / "ca.crt")),
            *(f"{stem}.crt", f"{stem}.key", f"clerk{THIEF}", PASSWORD),
        ],
        cwd=HOUSE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        yield Attacker(process)
    finally:
        process.kill()
        process.communicate(timeout=STOP_S)
