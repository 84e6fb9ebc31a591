"""Answers that are no, as messages: a Refused turned into its Refusal, and a Fault that is ours.

A Fault is logged where it happened, with an id; the client gets the id and nothing else: no stack,
no SQL. It never settles a key: the terminal goes on sending. The id's randomness comes in from the
shell. This file must not log.
"""

from __future__ import annotations

from typing import Final

from protocols.messages import Refusal
from protocols.refusals import Refused

FAULT_RETRY_MS: Final = 1_000
"""A fault rarely goes away at once; a second keeps a thousand terminals from making it worse."""


class Fault(Exception):  # noqa: N818 - the house's word for an error that is ours
    """Something of ours broke. ``fault_id`` is what the client sees and the log is searched for."""

    def __init__(self, fault_id: str, what: str) -> None:
        self.fault_id = fault_id
        self.what = what
        super().__init__(f"{fault_id}: {what}")


def fault_id(randomness: bytes) -> str:
    """Write at least four random bytes as an id that can be read out over a telephone, e.g.
    ``7F3A-09C2``.
    """
    assert len(randomness) >= 4, "too little randomness for a fault id"
    digits = randomness[:4].hex().upper()
    return f"{digits[:4]}-{digits[4:]}"


def refusal(seq: int, refused: Refused, retry_ms: int = 0, *, replay: bool = False) -> Refusal:
    """Turn a Refused into the message that answers request ``seq`` (0: the connection itself)."""
    return Refusal(seq, refused.code, refused.sentence, refused.final, retry_ms, replay)
