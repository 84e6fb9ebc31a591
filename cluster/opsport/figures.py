"""The cluster's figures for Prometheus, read from the node when somebody asks.

Nothing is measured twice: each figure is what the node knows already. Invariant: what is not known
has no sample (never a zero that looks like knowledge); states and alarms have all their names, 0 or
1, so that a rule on one of them works before it first happens. It must not know electricity.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from cluster.happening import Happening
from cluster.link import LinkView
from cluster.mind import Mind
from cluster.standing import Standing
from cluster.states import State, role_of
from protocols.runbook import RUNBOOK

ROLES: Final = ("primary", "standby", "none")
PREFIX: Final = "mpower_"


class Tally:
    """Counts what happened since this process began."""

    def __init__(self) -> None:
        self.entered: Counter[str] = Counter()
        self.takeovers = 0

    def heard(self, happening: Happening) -> None:
        """Take one happening in."""
        if happening.kind == "state":
            self.entered[happening.state] += 1
        elif happening.kind == "takeover":
            self.takeovers += 1


class ClusterFigures(Collector):
    """``look`` gives (mind, standing, links, alarms, senses) of this moment; ``senses``: loop lag
    in ms and free disk in MiB (-1 unknown).
    """

    def __init__(self, look: Any, tally: Tally) -> None:
        self._look = look
        self._tally = tally

    def collect(self) -> Iterator[Metric]:
        """All figures."""
        mind, standing, links, alarms, senses, lag = self._look()
        yield from _where(mind, standing)
        yield from _copies(mind, standing, lag)
        yield from _heard(mind, links)
        yield from _machine(mind, senses)
        yield _one_of("alarm", "Alarms of the runbook: 1 while it stands.", RUNBOOK, alarms)
        yield from _counted(self._tally)


def _where(mind: Mind, standing: Standing) -> Iterator[Metric]:
    info = GaugeMetricFamily(
        f"{PREFIX}node", "Always 1; who this is.", labels=("node", "cluster", "peer")
    )
    info.add_metric((mind.me, mind.cluster_id, mind.peer), 1)
    yield info
    now = State(standing.state)
    yield _one_of("state", "The machine's state: 1 for the present one.", State, {now})
    yield _one_of("role", "primary, standby or none.", ROLES, {role_of(now)})
    yield _gauge("gate_open", "1 while terminals are served here.", standing.open)
    yield _gauge("epoch", "The record's epoch as read here last.", standing.epoch)
    yield _gauge("term", "Grows by one with every change of primary.", standing.term)
    yield _gauge("timeline", "PostgreSQL's timeline of this copy.", mind.disk.tli)
    if mind.record is not None:
        yield _gauge("paused", "1 while an operator forbids takeovers.", mind.record.paused)
        yield _gauge("strict", "1: never on one copy.", mind.record.strict)


def _copies(mind: Mind, standing: Standing, lag: int) -> Iterator[Metric]:
    yield _gauge("copies", "Copies that hold every acknowledged payment.", standing.copies)
    yield _gauge("alone", "1 while this node may acknowledge alone.", standing.alone)
    if role_of(State(standing.state)) == "standby":
        yield _gauge("lag_bytes", "WAL the primary has flushed and this copy has not.", lag)
    facts = mind.facts
    if facts is not None:
        yield _gauge("flush_lsn_bytes", "End of the WAL flushed here.", facts.flush_lsn)
        yield _gauge(
            "oldest_commit_wait_seconds",
            "The commit that has waited longest for the other copy.",
            facts.oldest_sync_wait_s,
        )


def _heard(mind: Mind, links: list[LinkView]) -> Iterator[Metric]:
    labels = ("link", "address")
    up = GaugeMetricFamily(f"{PREFIX}link_open", "1 while it is connected.", labels=labels)
    age = GaugeMetricFamily(
        f"{PREFIX}link_beat_age_seconds", "Since the last beat of the peer.", labels=labels
    )
    late = CounterMetricFamily(f"{PREFIX}link_beats_late", "Beats that came late.", labels=labels)
    missed = CounterMetricFamily(f"{PREFIX}link_beats_missed", "Beats not come.", labels=labels)
    for index, link in enumerate(links):
        which = (str(index), link.address)
        up.add_metric(which, link.open)
        late.add_metric(which, link.late)
        missed.add_metric(which, link.missed)
        if link.heard_ms >= 0:
            age.add_metric(which, link.heard_ms / 1000)
    yield from (up, age, late, missed)
    for name, what, at_s in (
        ("peer", "the peer on any link", mind.hearing.peer_at_s),
        ("arbiter", "the arbiter", mind.arbiter_at_s),
    ):
        if at_s > float("-inf"):
            yield _gauge(f"{name}_beat_age_seconds", f"Since {what} was heard.", mind.now_s - at_s)


def _machine(mind: Mind, senses: Mapping[str, int]) -> Iterator[Metric]:
    yield _gauge("postgres_up", "1 while PostgreSQL runs under this node.", mind.up)
    if mind.facts is not None:
        age_s = mind.now_s - mind.facts_at_s
        yield _gauge("probe_age_seconds", "Since PostgreSQL answered a probe.", age_s)
    yield _gauge("loop_lag_seconds", "Lateness of the last tick.", senses["loop_lag_ms"] / 1000)
    if senses["disk_free_mb"] >= 0:
        free = senses["disk_free_mb"] * 1024 * 1024
        yield _gauge("disk_free_bytes", "Free space of the data folder's disk.", free)


def _counted(tally: Tally) -> Iterator[Metric]:
    entered = CounterMetricFamily(
        f"{PREFIX}states_entered", "How often each state was entered.", labels=("state",)
    )
    for state in State:
        entered.add_metric((state,), tally.entered[state])
    yield entered
    yield CounterMetricFamily(
        f"{PREFIX}takeovers", "Takeovers by this process.", value=tally.takeovers
    )


def _gauge(name: str, what: str, value: float) -> Metric:
    return GaugeMetricFamily(PREFIX + name, what, value=float(value))


def _one_of(name: str, what: str, names: Any, standing: Any) -> Metric:
    family = GaugeMetricFamily(PREFIX + name, what, labels=(name,))
    for one in names:
        family.add_metric((str(one),), float(one in standing))
    return family
