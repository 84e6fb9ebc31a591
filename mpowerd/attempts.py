"""Failed sign-ins, counted per (user, terminal) and per user. Pure: the time comes in.

Two rules. At one terminal, after five failures of a user, a delay that doubles: what is asked
sooner is refused. For one user wherever it was tried, after ten, a pause that doubles up to
LONGEST_PAUSE_S and is followed by the check. Invariants: a refusal never reaches beyond the pair it
was earned by, and a pause refuses nobody, so nobody can lock a colleague out from another desk, nor
an officer from afar; who signs in takes their own mistypings back and nobody else's guesses. Both
tables are bounded; a flood of made-up names pushes out such names first. This file must not know
passwords.
"""

from __future__ import annotations

from typing import Final, Generic, TypeVar

Key = TypeVar("Key")

FREE: Final = 5
FIRST_WAIT_S: Final = 30
LONGEST_WAIT_S: Final = 900
UNHURRIED: Final = 10
"""Failures of one user at all terminals together before a check is paused: more than one person
makes at one desk, where the delay begins at five.
"""
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 8.0
"""An officer whose name is being guessed at still signs in while their coffee is hot."""
FORGET_S: Final = 3600.0
"""Failures are forgotten after an hour without another."""
LIMIT: Final = 10_000
"""Pairs remembered, and users: every user of a board at the terminal they sit at, and room for
guesses.
"""


class _Failures(Generic[Key]):
    """How often each key failed, and when last (monotonic seconds)."""

    def __init__(self) -> None:
        self._failed: dict[Key, tuple[int, float]] = {}

    def __len__(self) -> int:
        return len(self._failed)

    def of(self, key: Key, now_s: float) -> tuple[int, float]:
        count, last_s = self._failed.get(key, (0, now_s))
        return (count, last_s) if now_s - last_s < FORGET_S else (0, now_s)

    def add(self, key: Key, now_s: float) -> None:
        count, _ = self.of(key, now_s)
        self._failed.pop(key, None)
        if len(self._failed) >= LIMIT:
            self._make_room()
        self._failed[key] = (count + 1, now_s)

    def take_back(self, key: Key, times: int) -> None:
        count, last_s = self._failed.get(key, (0, 0.0))
        if count > times:
            self._failed[key] = (count - times, last_s)
        else:
            self._failed.pop(key, None)

    def _make_room(self) -> None:
        """The oldest of those that failed once goes, else the oldest."""
        once = (key for key, (count, _) in self._failed.items() if count == 1)
        del self._failed[next(once, next(iter(self._failed)))]


class Attempts:
    """What each pair and each user earned by failing."""

    def __init__(self) -> None:
        self._pairs: _Failures[tuple[str, str]] = _Failures()
        self._users: _Failures[str] = _Failures()

    def wait_s(self, user: str, subject: str, now_s: float) -> int:
        """Seconds this pair has to wait before the next try, 0 if it may try now."""
        count, last_s = self._pairs.of((user, subject), now_s)
        return max(0, round(last_s + delay_s(count) - now_s)) if count >= FREE else 0

    def pause_s(self, user: str, now_s: float) -> float:
        """Seconds to wait before the next check of this user's password, wherever it is tried."""
        count, _ = self._users.of(user, now_s)
        return pause_s(count)

    def failed(self, user: str, subject: str, now_s: float) -> None:
        """Count one failure."""
        self._pairs.add((user, subject), now_s)
        self._users.add(user, now_s)

    def succeeded(self, user: str, subject: str, now_s: float) -> None:
        """Forget the pair's failures, and take them back from the user's."""
        own, _ = self._pairs.of((user, subject), now_s)
        self._pairs.take_back((user, subject), own)
        if own:
            self._users.take_back(user, own)


def delay_s(count: int) -> int:
    """Give the delay after that many failures: 30 s after the fifth, doubling up to 15 minutes."""
    return 0 if count < FREE else int(min(FIRST_WAIT_S * 2 ** (count - FREE), LONGEST_WAIT_S))


def pause_s(count: int) -> float:
    """Give the pause after that many failures: half a second after the tenth, doubling up to 8."""
    if count < UNHURRIED:
        return 0.0
    return min(FIRST_PAUSE_S * 2.0 ** min(count - UNHURRIED, 16), LONGEST_PAUSE_S)
