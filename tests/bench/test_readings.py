"""What is read from other programs: pgbench's words, processes' titles, a status."""

from collections import Counter

import pytest
from msgspec.structs import replace

from bench.computing import busy_share, kind_of, shares
from bench.counters import calm, longest_ms
from bench.pair import in_sync
from bench.pgbench import CLIENTS, fitting, parsed
from bench.steady import Pulse, Waited
from bench.wan import RECORD_BYTES, https_bytes
from protocols.catalogue.payments import Receipt, Take

SAID = """\
transaction type: take.sql
number of transactions actually processed: 16311
number of failed transactions: 0 (0.000%)
latency average = 3.916 ms
initial connection time = 31.407 ms
tps = 4085.123400 (without initial connection time)
"""


def test_pgbench_is_read() -> None:
    found = parsed(SAID, 16)
    assert (found.clients, found.per_s, found.mean_ms) == (16, 4085.1234, 3.916)


def test_a_run_with_failures_or_without_a_rate_is_no_figure() -> None:
    with pytest.raises(ValueError, match="3 transactions"):
        parsed(SAID.replace("failed transactions: 0", "failed transactions: 3"), 16)
    with pytest.raises(ValueError, match="no rate"):
        parsed("pgbench: error", 16)


def test_clients_leave_the_daemon_its_connections() -> None:
    assert fitting(60) == (8, 16, 32, 48)
    assert fitting(200) == CLIENTS


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ("/usr/bin/python -m mpowerd node --settings x", "daemon"),
        ("/usr/lib/postgresql/15/bin/postgres -D /x", "postmaster"),
        ("postgres: mpower_a: mpower_app mpower [local] SELECT", "backend mpower_app"),
        ("postgres: mpower_a: walsender mpower_replication 127.0.0.1(5) streaming", "walsender"),
        ("postgres: mpower_b: startup recovering 000000010000000000000005", "startup"),
        ("postgres: mpower_a: background writer", "writer"),
    ],
)
def test_processes_are_told_apart(command: str, kind: str) -> None:
    assert kind_of(command) == kind


def test_shares_are_microseconds_a_payment_largest_first() -> None:
    before = Counter({"a daemon": 1_000_000, "a postmaster": 5})
    after = Counter({"a daemon": 3_000_000, "a postmaster": 10, "b startup": 9_000_000})
    assert shares(before, after, 100) == {"b startup": 90.0, "a daemon": 20.0}


def test_in_sync_is_one_primary_and_one_standby_that_holds_all() -> None:
    def seen(*states: str) -> dict[str, object]:
        return {"nodes": [{"state": state} for state in states]}

    assert in_sync(seen("PRIMARY_SYNC", "STANDBY_SYNC"))
    assert not in_sync(seen("PRIMARY_SOLO", "STANDBY_CATCHUP"))
    assert not in_sync(seen("PRIMARY_SYNC"))
    assert not in_sync({})


def test_calm_is_nobody_waiting_long_enough_after_the_strike() -> None:
    assert calm(Pulse(11.0, 10.95, 7), 10.0)
    assert not calm(Pulse(10.5, 10.45, 7), 10.0), "an unnoticed strike shows later"
    assert not calm(Pulse(12.0, 10.4, 7), 10.0), "somebody waits"
    assert not calm(Pulse(12.0, 12.0, 0), 10.0), "nobody has begun to work"


def test_the_gap_is_the_longest_wait() -> None:
    assert longest_ms([Waited(1.0, 1.25), Waited(2.0, 2.5), Waited(3.0, 3.1)]) == 500
    assert longest_ms([]) == 0


def test_the_peers_payment_is_counted_with_its_headers_and_records() -> None:
    body = Take("1000000001", 123_400)
    receipt = Receipt(
        "C001/2026-27/42",
        "2026-11-24",
        "2026-11-24T10:00:00Z",
        body.consumer,
        "Consumer 1",
        body.amount_paise,
        body.mode,
        body.instrument,
        body.purpose,
        "clerk1",
    )
    short = https_bytes(body, receipt)
    long = https_bytes(body, replace(receipt, name="x" * 30))
    assert long - short == 20
    assert short > 2 * RECORD_BYTES + 400


def test_a_busy_machine_is_seen() -> None:
    before = "cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 1 2 3"
    assert busy_share(before, "cpu  130 0 70 840 60 0 0 0 0 0\n") == pytest.approx(0.5)
