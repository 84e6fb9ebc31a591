"""The torture itself: rounds of faults, mend everything, converge, compare; again until the time is
up and every kind has struck.

One loop in one thread begins and ends faults, keeps them up, and plays supervisor. Invariant: after
a round every fault has ended before convergence is judged, and the time to converge is bounded.
This file must not know how a fault is done.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from msgspec import structs

from bench.figures import tell
from tests.torture import checks, evidence, network
from tests.torture.checks import Flaw
from tests.torture.gaps import Hit
from tests.torture.outages import keep_record
from tests.torture.place import Place
from tests.torture.plan import Fault, owed
from tests.torture.strokes import STROKES
from tests.torture.struck import Missed, Struck
from tests.torture.system import RigError

TICK_S: Final = 0.05
CONVERGE_S: Final = 120.0
"""A whole copy of a node that may hold no other, on a machine that does other things too."""
OVERTIME_S: Final = 600.0
"""A run goes on for so long if a kind has not struck yet; a kind that never does fails the run."""
STEADY: Final = 2
"""Answers each terminal must have had since the mending: the line works again."""


class NotConvergedError(Exception):
    """The faults have ended and the pair does not come back; str() is what was seen last."""


class Begun:
    """A fault under way."""

    def __init__(self, fault: Fault, struck: Struck, *, alone: bool) -> None:
        self.fault = fault
        self.struck = struck
        self.alone = alone
        self.began_s = time.time()
        self.over_s = time.monotonic() + fault.lasts_s

    def end(self) -> Hit:
        """Undo it."""
        self.struck.end()
        told = self.struck.told()
        fault = self.fault
        return Hit(fault.kind, fault.whom, self.began_s, time.time(), self.alone, told)


class Story:
    """Plays rounds on a place. ``hits``: what was done; ``missed``: what had nothing to strike, in
    company and again when the others of its round were over.
    """

    def __init__(
        self, place: Place, played: Iterator[list[Fault]], due: Sequence[str] = (), seed: int = 0
    ) -> None:
        """``due``: the kinds that must strike; ``seed``: of what is dealt for them at the end."""
        self.place = place
        self.hits: list[Hit] = []
        self.missed: list[str] = []
        self.flaws: list[Flaw] = []
        self.converged_s: list[float] = []
        self._rounds = played
        self._due, self._seed = due, seed
        self._begun: list[Begun] = []

    def play(self, until_s: float) -> None:
        """Play rounds until the time is up; NotConvergedError or RigError end it early."""
        self.converge("the start")
        number = 0
        while not self.flaws:
            now_s, never = time.monotonic(), self.never_hit()
            if now_s >= until_s + (OVERTIME_S if never else 0):
                return
            number += 1
            keep_record(self.place)
            late = now_s >= until_s
            faults = owed(self._seed, number, never) if late else next(self._rounds)
            tell(f"round {number}: {' · '.join(map(str, faults))}")
            try:
                self._strike(faults)
            finally:
                self._mend()
            self.converge(f"round {number}")
            self._compare()

    def never_hit(self) -> list[str]:
        """The kinds that must strike and have not."""
        return sorted(set(self._due) - {one.kind for one in self.hits})

    # ------------------------------------------------------------------ one round

    def _strike(self, faults: list[Fault]) -> None:
        owed = self._play(faults, alone=len(faults) == 1)
        for fault in owed:  # another fault was in its way: now nothing is
            for nothing in self._play([fault], alone=False):
                self.missed.append(str(nothing))

    def _play(self, faults: list[Fault], *, alone: bool) -> list[Fault]:
        """Begin and end these; those that found nothing to strike."""
        began_s = time.monotonic()
        waiting, owed = list(faults), []
        while waiting or self._begun:
            now_s = time.monotonic()
            while waiting and now_s - began_s >= waiting[0].at_s:
                fault = waiting.pop(0)
                if not self._began(fault, alone=alone):
                    owed.append(structs.replace(fault, at_s=0.0))
            for one in [it for it in self._begun if it.over_s <= now_s]:
                self._begun.remove(one)
                self._note(one)
            self.tick()
        return owed

    def _began(self, fault: Fault, *, alone: bool) -> bool:
        try:
            struck = STROKES[fault.kind](self.place, fault)
        except (Missed, OSError) as nothing:  # OSError: on a disk that another fault broke
            tell(f"  missed {fault}: {nothing}")
            return False
        tell(f"  {fault} ({self._who(fault)})")
        self._begun.append(Begun(fault, struck, alone=alone))
        return True

    def _who(self, fault: Fault) -> str:
        return f"primary is {self.place.watch.who('primary')}"

    def _note(self, begun: Begun) -> None:
        """End it; it counts if it has met anybody."""
        hit = begun.end()
        if not begun.struck.hit():
            tell(f"  missed {begun.fault}: it met nobody. {hit.told}")
            self.missed.append(str(begun.fault))
            return
        self.hits.append(hit)
        if hit.told:
            tell(f"  {hit.kind}: {hit.told}")

    def tick(self) -> None:
        """Let a moment pass: faults keep up, services are started again."""
        for one in self._begun:
            one.struck.tick()
        for host in self.place.hosts.values():
            host.tick()
        self.place.crowd.check()
        time.sleep(TICK_S)

    def _mend(self) -> None:
        while self._begun:
            self._note(self._begun.pop())
        network.mend_all()

    # ------------------------------------------------------------------ after a round

    def converge(self, what: str) -> None:
        """Wait until the pair is whole and every terminal works; NotConvergedError if not in
        time.
        """
        began_s = time.monotonic()
        before = self.place.crowd.answered()

        def steady() -> bool:
            now = self.place.crowd.answered()
            counts = [n - min(n, before.get(name, 0)) for name, n in now.items()]
            return len(counts) > 0 and min(counts) >= STEADY and self.place.watch.whole()

        if not self.wait(steady, CONVERGE_S):
            raise NotConvergedError(f"{CONVERGE_S:g} s after {what}: {self.place.watch.story()}")
        took_s = time.monotonic() - began_s
        self.converged_s.append(took_s)
        tell(f"  whole again after {took_s:.1f} s")

    def wait(self, reached: Callable[[], bool], limit_s: float) -> bool:
        """Tick until it is reached; False at the limit."""
        end = time.monotonic() + limit_s
        while not reached():
            if time.monotonic() > end:
                return False
            self.tick()
        return True

    def _compare(self) -> None:
        """What is acknowledged by now must be on the primary already."""
        asked = evidence.journals(self.place.board.journals)
        with evidence.connect(self.place.board.socket(self.place.watch.who("primary"))) as base:
            held = evidence.books(base)
        found = checks.judge(asked, held)
        self.flaws = [one for one in found if one.kind != "doubled"]
        for one in self.flaws[:10]:
            tell(f"  {one.kind}: {one.text}")


def unexpected(place: Place) -> dict[str, int]:
    """How often each service has ended by itself."""
    return {name: len(host.ended) for name, host in place.hosts.items()}


__all__ = ["NotConvergedError", "RigError", "Story", "unexpected"]
