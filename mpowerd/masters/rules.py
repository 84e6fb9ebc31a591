"""What may become of a master: pure.

A change is judged against what stands on its day: rows are whole and right, nothing refers to what
is not there, what ends is referred to by nobody, on that day and on each later one from which
something near it was changed ahead, and no day that has passed is rewritten for an
object that stood then (its bills were explained by it). Offices change from today only: powers and
accounts stand on them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NoReturn

from protocols.masters import MASTERS, Fields, MasterError, checked, dangling
from protocols.refusals import Refused

Standing = Mapping[str, Mapping[str, Fields]]
"""Master → key → fields, on the day of the change."""


def judged(
    master: str,
    valid_from: dt.date,
    rows: Sequence[Fields],
    ended: Sequence[str],
    stands: Standing,
    today: dt.date,
    used: Sequence[str] = (),
) -> dict[str, Fields | None]:
    """Give what would be put, by key (None: ended); raises Refused BAD_MASTER with every flaw, or
    MASTER_DATE. ``used``: the flaws that are known beyond the masters.
    """
    flaws = list(used)
    put: dict[str, Fields | None] = {}
    for row in rows:
        try:
            kept = checked(master, row)
        except MasterError as wrong:
            flaws.append(str(wrong))
            continue
        key = kept[MASTERS[master].key]
        if key in put:
            flaws.append(f"{key}: it is there twice")
        put[key] = kept
    before = stands[master]
    for key in ended:
        if key not in before:
            flaws.append(f"{key}: it cannot end, it does not stand on that day")
        elif key in put:
            flaws.append(f"{key}: it cannot both stand and end")
        put[key] = None
    after = {**before, **put}
    whole = {key: row for key, row in after.items() if row is not None}
    flaws += _loose(master, whole, stands)
    if flaws:
        _refuse(master, flaws)
    _check_day(master, valid_from, [key for key in put if key in before], today)
    return put


def ahead_of(ahead: Iterable[tuple[dt.date, str, str]], master: str) -> dict[str, dt.date]:
    """Give from which day each object of a master, changed ahead, stands otherwise first."""
    found: dict[str, dt.date] = {}
    for day, of, key in ahead:
        if of == master:
            found.setdefault(key, day)
    return found


def check_later(
    master: str,
    put: Mapping[str, Fields | None],
    ahead: Mapping[str, dt.date],
    later: Mapping[dt.date, Standing],
) -> None:
    """Refuse what could not stand on a later day (BAD_MASTER): ``later`` is what stands then so
    far; ``ahead`` the objects of this master that stand otherwise before or on it, which this
    change does not reach.
    """
    flaws: dict[str, None] = {}
    for day, stands in later.items():
        reached = {key: row for key, row in put.items() if day < ahead.get(key, dt.date.max)}
        after = {**stands[master], **reached}
        whole = {key: row for key, row in after.items() if row is not None}
        before = set(_loose(master, stands[master], stands))
        flaws |= {
            f"from {day} {flaw}": None
            for flaw in _loose(master, whole, stands)
            if flaw not in before
        }
    if flaws:
        _refuse(master, list(flaws))


def _loose(master: str, whole: Mapping[str, Fields], stands: Standing) -> Iterator[str]:
    yield from dangling(master, whole, lambda other: stands[other])
    yield from _left_without(master, whole, stands)


def _refuse(master: str, flaws: Sequence[str]) -> NoReturn:
    raise Refused("BAD_MASTER", master=master, flaws="; ".join(flaws[:SHOWN]) + _more(flaws))


def still_used(used: Sequence[tuple[str, int, int]]) -> list[str]:
    """Name the offices that cannot end: (office, its consumers, its open counters)."""
    return [
        f"{office}: {consumers} consumers and {counters} counters still belong to it"
        for office, consumers, counters in used
    ]


SHOWN = 5
"""Flaws told at once; the rest are counted: a sentence is read, a list of hundreds is not."""


def _more(flaws: Sequence[str]) -> str:
    return f"; and {len(flaws) - SHOWN} more" if len(flaws) > SHOWN else ""


def _left_without(master: str, whole: Mapping[str, Fields], stands: Standing) -> Iterator[str]:
    """Name what refers from other masters to objects that would no longer stand."""
    for other, declared in MASTERS.items():
        for field, to in declared.refers.items():
            if to == master and other != master:
                for key, row in stands[other].items():
                    if row[field] and row[field] not in whole:
                        yield f"{row[field]}: {other.replace('_', ' ')} {key} still refers to it"


def _check_day(master: str, valid_from: dt.date, known: Sequence[str], today: dt.date) -> None:
    if master == "offices" and valid_from > today:
        raise Refused("MASTER_DATE", day=valid_from, why="offices change from today only")
    if known and valid_from < today:
        why = f"{known[0]} stood then, and what was explained by it stays"
        raise Refused("MASTER_DATE", day=valid_from, why=why)


def told(put: Mapping[str, Fields | None]) -> dict[str, str]:
    """Write rows for the diff, by ``key.field``."""
    return {
        f"{key}.{field}": value
        for key, row in put.items()
        if row is not None
        for field, value in row.items()
    }
