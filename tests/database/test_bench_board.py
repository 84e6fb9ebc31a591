"""The board that is measured on is a board: its ledger fits, also with a past, and its counters go
on where that past ends.
"""

from __future__ import annotations

import psycopg
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
