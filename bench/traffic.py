"""What the counters of the load generator do: fresh payments, repeats of old keys, and requests
that must be refused; and what each answer has to be. Pure.

Invariants that are checked on every answer: a fresh payment gives the receipt of exactly what was
paid, numbered one above the last of its counter; a repeat gives the first answer's bytes, marked as
such; what must be refused is refused with the one right code. Anything else is ``wrong``. This file
must not know sockets or clocks.
"""

from __future__ import annotations

from random import Random
from typing import Final

from msgspec import Raw, Struct

from bench.board import FIRST_CONSUMER
from protocols.catalogue import CATALOGUE
from protocols.catalogue.payments import Take
from protocols.codec import decode_reply, encode, encode_body
from protocols.messages import Refusal, Reply, Request
from protocols.operation import Operation
from protocols.values import RequestKey

NOT_NOW: Final = frozenset({"BUSY", "PENDING", "NOT_PRIMARY"})
"""Not an outcome: the same bytes are sent again."""
PAID_TWICE: Final = "PAID_ALREADY"
"""By chance a consumer pays the same amount again on the day, and the clerk is asked."""
REMEMBERED: Final = 32
"""Answered keys a terminal may repeat."""


def _declared(name: str) -> Operation:
    operation = CATALOGUE.get(name)
    assert operation is not None, name
    return operation


TAKE: Final = _declared("payments.take")


class Mix(Struct, frozen=True):
    """How many of a hundred requests are repeats, and how many must be refused."""

    replays: int = 2
    refusals: int = 2


class Intent(Struct, frozen=True):
    """One request and what must come back: the receipt of ``body``, the bytes of ``first``, or the
    refusal ``code``.
    """

    payload: bytes
    sequence: int
    body: Take
    first: bytes = b""
    code: str = ""


class Score:
    """What came back, counted. ``examples`` holds the first few wrong answers."""

    def __init__(self) -> None:
        self.fresh = self.replays = self.refusals = self.not_now = self.wrong = 0
        self.examples: list[str] = []

    def blame(self, what: str) -> None:
        """Count an answer that must not be."""
        self.wrong += 1
        if len(self.examples) < 5:
            self.examples.append(what)


class Till:
    """The work of one counter: ``ask`` gives the next request, ``judge`` takes its answer."""

    def __init__(self, seed: int, client: bytes, consumers: int, mix: Mix, score: Score) -> None:
        self._chance = Random(seed)
        self._client, self._consumers, self._mix, self.score = client, consumers, mix, score
        self._seq = self._sequence = self._number = 0
        self._answered: list[tuple[int, Take, bytes]] = []
        self._doubted = False

    def ask(self) -> Intent:
        """Give the next request of the mix."""
        draw = self._chance.randrange(100)
        if draw < self._mix.replays and self._answered:
            sequence, body, first = self._chance.choice(self._answered)
            return self._intent(sequence, body, first=first)
        self._sequence += 1
        body = self._payment()
        if draw < self._mix.replays + self._mix.refusals:
            return self._bad(body)
        return self._intent(self._sequence, body)

    def judge(self, intent: Intent, answer: Reply | Refusal) -> bool:
        """Count the answer; False: not an answer yet, send the same bytes again."""
        score = self.score
        if isinstance(answer, Refusal) and answer.code in NOT_NOW:
            score.not_now += 1
            self._doubted = True
            return False
        if isinstance(answer, Refusal):
            twice = answer.code == PAID_TWICE and not (intent.code or intent.first)
            if twice or answer.code == intent.code:
                score.refusals += 1
            else:
                score.blame(f"refused with {answer.code} instead of {intent.code or 'a receipt'}")
        elif intent.code:
            score.blame(f"a receipt instead of {intent.code}")
        elif intent.first:
            score.replays += 1
            if not answer.replay or bytes(answer.body) != intent.first:
                score.blame("a repeat got another answer than the first time")
        else:
            self._fresh(intent, answer)
        self._doubted = False
        return True

    def _payment(self) -> Take:
        consumer = FIRST_CONSUMER + self._chance.randrange(self._consumers)
        return Take(str(consumer), self._chance.randrange(1, 500) * 100)

    def _bad(self, body: Take) -> Intent:
        """Spoil a payment in one of three ways."""
        way = self._chance.randrange(3)
        if way == 0 and self._answered:
            sequence, known, _ = self._chance.choice(self._answered)
            other = Take(known.consumer, known.amount_paise + 1)
            return self._intent(sequence, other, code="KEY_CONFLICT")
        if way == 1:
            return self._intent(self._sequence, Take(body.consumer, 0), code="AMOUNT_ZERO")
        unknown = Take("0000000007", body.amount_paise)
        return self._intent(self._sequence, unknown, code="NO_CONSUMER")

    def _intent(self, sequence: int, body: Take, *, first: bytes = b"", code: str = "") -> Intent:
        self._seq += 1
        key = RequestKey(self._client, sequence)
        request = Request(self._seq, TAKE.name, key, Raw(encode_body(TAKE, body)))
        return Intent(encode(request), sequence, body, first, code)

    def _fresh(self, intent: Intent, answer: Reply) -> None:
        receipt = decode_reply(TAKE, answer.body)
        number = int(receipt.number.rpartition("/")[2])
        paid = (receipt.consumer, receipt.amount_paise)
        score = self.score
        score.fresh += 1
        if answer.replay and not self._doubted:
            score.blame("a fresh key was answered as a repeat")
        if paid != (intent.body.consumer, intent.body.amount_paise):
            score.blame(f"a receipt for {paid} instead of what was paid")
        if self._number and number != self._number + 1:
            score.blame(f"receipt {receipt.number} does not follow {self._number}")
        self._number = number
        self._answered.append((intent.sequence, intent.body, bytes(answer.body)))
        del self._answered[:-REMEMBERED]
