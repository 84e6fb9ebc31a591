"""What terminals were told, kept outside of everything: receipts, conflicts, rows that were shown.

All of it must be in every future history: in the copy that claims, in the copy that opens, in both
at the end. A key is posted once, its receipt never changes, a counter's numbers have no gaps. The
books know nothing of records and epochs.
"""

from __future__ import annotations

from tests.simulation.postgres import Postgres
from tests.simulation.world import Violation

Told = tuple[str, int]
"""The body and the receipt's number."""


class Books:
    """One run's."""

    def __init__(self) -> None:
        self.acknowledged: dict[bytes, Told] = {}
        self.shown: dict[bytes, Told] = {}
        """Rows that an enquiry or a conflict let somebody see."""
        self.written_off: set[bytes] = set()
        """Told, and then lost because an operator accepted it."""

    def acknowledge(self, key: bytes, told: Told) -> None:
        """A receipt leaves the house."""
        known = self.acknowledged.setdefault(key, told)
        if known != told:
            raise Violation(f"replies: {key!r} was {known}, now {told}")
        self._same(key, told)

    def show(self, key: bytes, told: Told) -> None:
        """A row is seen by somebody."""
        self.shown.setdefault(key, told)
        self._same(key, told)

    def _same(self, key: bytes, told: Told) -> None:
        seen = self.shown.get(key, told)
        if seen != told:
            raise Violation(f"phantom read: {key!r} was shown as {seen}, now it is {told}")

    def write_off(self, server: Postgres) -> bool:
        """Whatever this copy lacks is lost by an operator's word; whether there was anything."""
        held = {entry.key for entry in server.wal if entry.kind == "pay"}
        lost = {key for key in (*self.acknowledged, *self.shown) if key not in held}
        self.written_off |= lost
        for key in lost:
            self.acknowledged.pop(key, None)
            self.shown.pop(key, None)
        return bool(lost)

    def held_by(self, server: Postgres, where: str) -> None:
        """Everything that was told is in this history, once, under its number."""
        found: dict[bytes, Told] = {}
        series: dict[bytes, int] = {}
        for entry in server.wal:
            if entry.kind != "pay":
                continue
            if entry.key in found:
                raise Violation(f"doubled: {entry.key!r} is posted twice on {server.name} {where}")
            found[entry.key] = (entry.body, entry.number)
            counter = entry.key[:2]
            if entry.number != series.get(counter, 0) + 1:
                at = series.get(counter, 0)
                raise Violation(f"gap: {counter!r} has {entry.number} after {at} {where}")
            series[counter] = entry.number
        for book, kind in ((self.acknowledged, "lost"), (self.shown, "phantom read")):
            for key, told in book.items():
                if found.get(key) != told:
                    raise Violation(
                        f"{kind}: {key!r} was told as {told}; {server.name} has {found.get(key)} "
                        f"{where}"
                    )

    def standby_holds(self, server: Postgres, key: bytes, lsn: int) -> None:
        """The copy that may succeed reaches as far, and has this key."""
        if len(server.wal) < lsn or server.wal[lsn - 1].key != key:
            raise Violation(f"lost: {key!r} at {lsn} is told, and not on {server.name} in sync")
