"""Bugs planted in a town's own functions: each must be seen, or the comparison is void.

A plant replaces words of one function in that town's database and nowhere else; what it replaces
must be there, so that a function written anew is noticed. This file must not know who looks.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import psycopg

from tests.database.town import Town

MET: Final = (
    "CREATE SEQUENCE IF NOT EXISTS mpower.met; GRANT ALL ON SEQUENCE mpower.met TO mpower_owner"
)
TEXT: Final = "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = %s"


class Plant(NamedTuple):
    """A function's words, and what stands there instead."""

    function: str
    right: str
    wrong: str


def planted(t: Town, *plants: Plant) -> None:
    """Plant bugs in a town."""
    with psycopg.connect(t.superuser, autocommit=True) as base:
        base.execute(MET)
        for function in {plant.function for plant in plants}:
            ((text,),) = base.execute(TEXT, (function,)).fetchall()
            for plant in plants:
                if plant.function == function:
                    assert plant.right in text, f"{function} no longer says: {plant.right}"
                    text = text.replace(plant.right, plant.wrong)
            base.execute(text.encode())


def slowly(function: str, words: str) -> Plant:
    """Stop before those words until somebody else stands there too: who does not wait is wrong.
    Whoever meets nobody within a second is tried again; when two have met, all pass.
    """
    return Plant(
        function,
        words,
        "PERFORM pg_advisory_xact_lock_shared(4711); FOR again IN 1..20 LOOP"
        " EXIT WHEN (SELECT is_called FROM mpower.met) OR (SELECT count(*) > 1 FROM pg_locks"
        " WHERE locktype = 'advisory' AND objid = 4711 AND granted AND database ="
        " (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()));"
        " IF again = 20 THEN RAISE EXCEPTION 'nobody came' USING ERRCODE = '40001'; END IF;"
        f" PERFORM pg_sleep(0.05); END LOOP; PERFORM nextval('mpower.met'); {words}",
    )


POST: Final = "moved := mpower.post_voucher"
UNHELD_ADVANCE: Final = [
    Plant("advance_v1", "WHERE a.account = whom * 16 FOR UPDATE;", "LIMIT 1;"),
    Plant("transfer_v1", "ARRAY[whom * 16, to_whom * 16]", "ARRAY[]::bigint[]"),
    Plant("transfer_v1", "WHERE g.one < 0", "WHERE false"),
    slowly("transfer_v1", POST),
]
UNHELD_FUND: Final = [
    Plant("transfer_v1", "WHERE g.one < 0", "WHERE false"),
    slowly("transfer_v1", POST),
]
UNHELD_BOOK: Final = [
    Plant("hold_book", "FOR UPDATE OF b", ""),
    slowly("hold_book", "RETURN held"),
]
UNHELD_KEY: Final = [Plant("key_begin_v1", "pg_advisory_xact_lock(77003,", "concat(77003,")]
UNHELD_BANK: Final = [
    Plant("scroll_before_v1", "pg_advisory_xact_lock(77003,", "concat(77003,"),
    slowly("post_scroll_v1", "SELECT array_agg(p.receipt"),
]
FORGOTTEN_MATCH: Final = [
    Plant("match_suspense_v1", "VALUES (wanted, 1, 'VERIFIED',", "SELECT wanted, 1, 'VERIFIED',"),
    Plant("match_suspense_v1", "me.user_name, reason);", "me.user_name, reason WHERE false;"),
    Plant("match_suspense_v1", "whom, wanted, taken", "whom, NULL, taken"),
]
"""Nothing is written of a line in suspense that found its consumer."""
OTHER_REPLY: Final = [
    Plant(
        "key_finish_v1",
        "address, refusal, refusal_fields, reply)\n        RETURNING",
        "address, refusal, refusal_fields, reply || '\\x00')\n        RETURNING",
    ),
]
"""What is kept under a key is not what was answered."""
