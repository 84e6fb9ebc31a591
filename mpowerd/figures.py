"""The daemon's figures for Prometheus: terminals, payments, waits, refusals. No consumer's data,
no amounts, no person's name.

Counted where it happens, by plain calls that cost a microsecond; what is a state (terminals,
sessions, the queue) is read when somebody asks. Invariant: a label has a bounded set of values
(kinds of certificates, declared operations, refusal codes), never a text from outside. It must not
know how figures are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Histogram, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from mpowerd.outcomes import Outcome
from protocols.messages import Refusal, Reply
from protocols.refusals import SENTENCES, Refused

WAITS_S: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5)
"""From one fsync on a good disk to the patience of the ack gate."""
SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000)
"""Up to the largest batch the settings allow."""


class Figures:
    """Counts of this process; ``registry`` holds them."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._paid = Counter(
            "mpower_payments_acknowledged", "Payments answered as posted.", registry=registry
        )
        self._replayed = Counter(
            "mpower_payments_replayed", "Payments answered by their key again.", registry=registry
        )
        refused = Counter(
            "mpower_refusals", "Refusals answered, by code.", ("code",), registry=registry
        )
        self._refused = {code: refused.labels(code) for code in SENTENCES}
        self._replies = Counter("mpower_replies", "Requests answered.", registry=registry)
        self.batch = Histogram(
            "mpower_batch_payments", "Payments in one batch.", buckets=SIZES, registry=registry
        )
        self.ack_wait = Histogram(
            "mpower_ack_wait_seconds",
            "From a COMMIT that returned to its acknowledgement by the other copy.",
            buckets=WAITS_S,
            registry=registry,
        )
        self.commit = Histogram(
            "mpower_batch_seconds",
            "From a batch begun to its acknowledgement.",
            buckets=WAITS_S,
            registry=registry,
        )

    def paid(self, outcome: Outcome | Refused) -> None:
        """Count the outcome of one payment."""
        if isinstance(outcome, Refused) or outcome.reply is None:
            return
        (self._replayed if outcome.replay else self._paid).inc()

    def answered(self, answer: Reply | Refusal) -> None:
        """Count one answer to a terminal."""
        if isinstance(answer, Refusal):
            counted = self._refused.get(answer.code)
            if counted is not None:
                counted.inc()
        else:
            self._replies.inc()

    def show(self, look: Callable[[], dict[str, Any]]) -> None:
        """Add what is read when somebody asks: ``look`` gives the hall's present numbers."""
        self.registry.register(_Present(look))


class _Present(Collector):
    """``look``: terminals by kind, doors, sessions, waiting; turned_away, strangers by reason."""

    def __init__(self, look: Callable[[], dict[str, Any]]) -> None:
        self._look = look

    def collect(self) -> Iterator[Metric]:
        now = self._look()
        terminals = GaugeMetricFamily(
            "mpower_terminals", "Connected terminals, by kind of certificate.", labels=("kind",)
        )
        for kind, count in now["terminals"].items():
            terminals.add_metric((kind,), count)
        yield terminals
        turned = CounterMetricFamily(
            "mpower_connections_turned_away", "Turned away at the door.", labels=("why",)
        )
        for why, count in now["turned_away"].items():
            turned.add_metric((why,), count)
        yield turned
        refused = CounterMetricFamily(
            "mpower_handshakes_refused", "Refused in the handshake.", labels=("why",)
        )
        for why, count in now["strangers"].items():
            refused.add_metric((why,), count)
        yield refused
        for name, what in (
            ("doors_open", "1 while terminals are welcomed."),
            ("sessions", "People signed in."),
            ("payments_waiting", "Payments that wait for the next batch."),
        ):
            yield GaugeMetricFamily(f"mpower_{name}", what, value=float(now[name]))
