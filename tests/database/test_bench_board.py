"""The board that is measured on is a board: its ledger fits, also with a past, and its counters go
on where that past ends. On it is seen what a question costs in a grown ledger.
"""

from __future__ import annotations

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from bench import board
from tests.database.town import new_database
from tests.postgres_nodes import Node


def test_a_seeded_board_with_a_past_fits(node: Node) -> None:
    there = make_conninfo(new_database(node))
    board.seed(there, 50, 3)
    board.add_receipts(there, 130, 50)
    board.verify_receipts(there, 20)
    board.add_consumers(there, 50, 30)
    board.add_receipts(there, 70, 80)
    board.verify_receipts(there, 1)
    with psycopg.connect(there, autocommit=True) as base:
        assert base.execute("SELECT * FROM mpower.ledger_check_v1()").fetchall() == []
        taken = base.execute("SELECT sum(last_number) FROM mpower.series").fetchall()
        assert taken == [(200,)]
        later = base.execute(
            "SELECT count(*) FROM mpower.shifts s JOIN mpower.series z USING (counter_id)"
            " WHERE s.first_number = z.last_number"
        ).fetchall()
        assert later == [(3,)]


def test_a_proof_walks_the_tables_and_looks_nothing_up_a_receipt(node: Node) -> None:
    there, receipts = make_conninfo(new_database(node)), 2_000
    board.seed(there, 500, 3)
    board.add_receipts(there, receipts, 500)
    board.verify_receipts(there, 100)
    with psycopg.connect(there, autocommit=True) as base:
        look_ups = _look_ups(base)
        for part in range(2):
            assert (
                base.execute("SELECT * FROM mpower.ledger_check_v1(%s, 2)", (part,)).fetchall()
                == []
            )
        assert _look_ups(base) - look_ups < receipts / 2


@pytest.mark.parametrize("function", ["cash_book_v1", "waiting_of_day_v1"])
def test_a_day_is_told_without_reading_the_days_before_it(node: Node, function: str) -> None:
    there = make_conninfo(new_database(node))
    board.seed(there, 500, 3)
    board.add_receipts(there, 10_000, 500)
    read = _pages(there, f"{function}('HO', 'C001', '{board.DAY}')")
    assert read < 250  # the receipts alone fill 290


def test_a_statement_does_not_read_what_its_vouchers_moved_for_others(node: Node) -> None:
    there = make_conninfo(new_database(node))
    board.seed(there, 30_000, 3)  # with the dues of all in one voucher
    board.add_receipts(there, 3_000, 30_000)
    board.verify_receipts(there, 1_000)
    whom = board.FIRST_CONSUMER + 7919  # who paid first
    read = _pages(there, f"statement_v1({whom}, NULL, NULL, NULL, NULL, NULL, 50)")
    assert read < 500  # that voucher alone fills 250, and was read four times


def _pages(there: str, function: str) -> int:
    """Count the pages that are read for an answer, by a session that has answered before."""
    with psycopg.connect(there, autocommit=True) as base:
        base.execute(f"SELECT FROM mpower.{function}".encode())
        asked = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT FROM mpower.{function}"
        ((plan,),) = base.execute(asked.encode()).fetchall()
    top = plan[0]["Plan"]
    return int(top["Shared Hit Blocks"] + top["Shared Read Blocks"])


def _look_ups(base: psycopg.Connection) -> int:
    base.execute("SELECT pg_stat_force_next_flush()")
    ((count,),) = base.execute(
        "SELECT sum(idx_scan)::bigint FROM pg_stat_user_tables WHERE schemaname = 'mpower'"
    ).fetchall()
    return int(count)
