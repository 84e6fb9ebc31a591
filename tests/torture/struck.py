"""A fault that has begun: how it is kept up, how it ends, what it has to tell."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct


class Missed(Exception):  # noqa: N818 - not an error: there was nothing to strike
    """The stroke found nothing to strike; str() says what was missing."""


def _nothing() -> None:
    return


def _silent() -> str:
    return ""


def _yes() -> bool:
    return True


class Struck(Struct, frozen=True):
    """``end`` undoes it, ``tick`` keeps it up, ``told`` is a word for the log; ``hit``: whether it
    met anybody at all, asked when it has ended.
    """

    end: Callable[[], object] = _nothing
    tick: Callable[[], None] = _nothing
    told: Callable[[], str] = _silent
    hit: Callable[[], bool] = _yes
