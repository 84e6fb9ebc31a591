"""Somebody with the database's own rights changes the ledger, and makes every balance fit again:
``ledger verify`` or ``audit verify`` names what was changed.

The attacker is the superuser with the triggers off, who knows the schema: after each attack all
balances, what consumers owe and their lists are made to fit what the attack left.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import psycopg
import pytest

from clients.ops.proving import prove
from protocols.catalogue.charges import Raise
from protocols.catalogue.payments import Cancel, Verify
from protocols.catalogue.transfers import Refund
from tests.database.audited import CLUSTER, Audited
from tests.database.officers import agreed, appoint
from tests.database.town import DAY, OLD, RAM, SITA, Town, town
from tests.postgres_nodes import Node, on_reactor

REBALANCE: Final = (
    (
        "UPDATE mpower.accounts a SET balance_paise = coalesce((SELECT sum(l.amount_paise) FROM"
        " mpower.ledger_lines l WHERE l.account = a.account), 0)"
    ),
    (
        "UPDATE mpower.accounts r SET owed_paise = coalesce((SELECT sum(a.balance_paise)"
        " FROM mpower.accounts a WHERE a.account > r.account AND a.account < r.account + 16), 0)"
        " WHERE r.account >= 0 AND r.account % 16 = 0"
    ),
    (
        "UPDATE mpower.accounts a SET owed_paise = a.balance_paise"
        " WHERE a.account >= 0 AND a.account % 16 BETWEEN 7 AND 11"
    ),
    (
        "UPDATE mpower.accounts r SET bound_paise = coalesce((SELECT sum(a.owed_paise)"
        " FROM mpower.accounts a WHERE a.account >= 0 AND a.account >> 4 = r.account >> 4"
        " AND a.account % 16 BETWEEN 7 AND 11), 0) WHERE r.account >= 0 AND r.account % 16 = 0"
    ),
)
TABLES: Final = (
    *("accounts", "entries", "requests", "vouchers", "receipt_events", "charges", "transfers"),
    *("audit_entries", "audit_links", "series"),
)
FIRST, SECOND = (
    "(SELECT receipt FROM mpower.requests WHERE amount_paise = 1000 AND receipt IS NOT NULL)",
    "(SELECT receipt FROM mpower.requests WHERE amount_paise = 2000 AND receipt IS NOT NULL)",
)
SEALED = "a voucher is as the audit has sealed it"
ROW = "a row was changed"


def voucher(kind: str) -> str:
    """The first voucher of a kind."""
    return f"(SELECT min(voucher) FROM mpower.vouchers WHERE kind = '{kind}')"


ATTACKS: Final[dict[str, tuple[tuple[str, ...], str, str]]] = {
    "a receipt's amount": (
        (
            f"UPDATE mpower.entries SET amount_paise = 900 WHERE voucher = {FIRST}",
            "UPDATE mpower.requests SET amount_paise = 900 WHERE amount_paise = 1000",
        ),
        "a voucher moves what its receipts were",
        ROW,
    ),
    "an entry's amount alone": (
        (f"UPDATE mpower.entries SET amount_paise = 900 WHERE voucher = {FIRST}",),
        "a receipt has its one entry",
        "",
    ),
    "a receipt's entry taken away": (
        (f"DELETE FROM mpower.entries WHERE voucher = {FIRST}",),
        "a receipt has its one entry",
        "",
    ),
    "a receipt taken away whole": (
        (
            f"DELETE FROM mpower.entries WHERE voucher = {SECOND}",
            "DELETE FROM mpower.requests WHERE amount_paise = 2000",
        ),
        "a series has no gap",
        "a link without its rows",
    ),
    "two receipts given to each other's consumer": (
        (
            (
                "UPDATE mpower.requests SET consumer = 3 - consumer"
                " WHERE amount_paise IN (1000, 2000) AND receipt IS NOT NULL"
            ),
            f"UPDATE mpower.entries SET credit = 48 - credit WHERE voucher IN ({FIRST}, {SECOND})",
        ),
        "a consumer's receipts are one list",
        ROW,
    ),
    "a receipt's money in another till": (
        (f"UPDATE mpower.entries SET debit = debit - 16 WHERE voucher = {FIRST}",),
        "a receipt has its one entry",
        "",
    ),
    "two receipts numbered the other way": (
        (
            (
                "UPDATE mpower.requests SET receipt = receipt + 100 WHERE amount_paise = 1000"
                " AND receipt IS NOT NULL"
            ),
            "UPDATE mpower.requests SET receipt = receipt - 1 WHERE amount_paise = 2000",
            (
                "UPDATE mpower.requests SET receipt = receipt - 99 WHERE amount_paise = 1000"
                " AND receipt IS NOT NULL"
            ),
        ),
        "a receipt has its one entry",
        ROW,
    ),
    "money verified under another head": (
        (
            (
                f"UPDATE mpower.entries SET credit = 19 WHERE voucher = {voucher('VERIFY')}"
                " AND credit = 17"
            ),
        ),
        SEALED,
        "",
    ),
    "a charge made smaller": (
        (
            f"UPDATE mpower.entries SET amount_paise = 7 WHERE voucher = {voucher('CHARGE')}",
            "UPDATE mpower.charges SET paise = 7",
        ),
        SEALED,
        "",
    ),
    "a charge's note alone": (
        ("UPDATE mpower.charges SET paise = 7",),
        "a charge is what its voucher moved",
        "",
    ),
    "a charge taken away whole": (
        (
            f"DELETE FROM mpower.entries WHERE voucher = {voucher('CHARGE')}",
            "DELETE FROM mpower.charges",
            "DELETE FROM mpower.vouchers WHERE kind = 'CHARGE'",
        ),
        SEALED,
        "",
    ),
    "a refund that was never agreed": (
        (
            (
                "INSERT INTO mpower.vouchers (kind, day, at, by)"
                f" VALUES ('REFUND', '{DAY}', now(), 'omar')"
            ),
            "INSERT INTO mpower.entries SELECT max(voucher), 54, -8, 100, 1 FROM mpower.vouchers",
        ),
        SEALED,
        "",
    ),
    "a cancellation taken back": (
        ("DELETE FROM mpower.receipt_events WHERE state = 'CANCELLED'",),
        "a voucher moves what its receipts were",
        "",
    ),
    "who verified a receipt": (
        ("UPDATE mpower.receipt_events SET by = 'asha' WHERE state = 'VERIFIED'",),
        SEALED,
        "",
    ),
    "the moment of a cancellation": (
        ("UPDATE mpower.receipt_events SET at = at - interval '1 hour' WHERE state = 'CANCELLED'",),
        SEALED,
        "",
    ),
    "a receipt said to have gone to the bank": (
        (
            (
                "INSERT INTO mpower.receipt_events SELECT receipt, 2, 'REMITTED', 'VERIFIED',"
                " voucher, day, at, by, reason FROM mpower.receipt_events WHERE state = 'VERIFIED'"
                " LIMIT 1"
            ),
        ),
        "a voucher moves what its receipts were",
        "",
    ),
    "a voucher on another day": (
        (f"UPDATE mpower.vouchers SET day = day - 1 WHERE voucher = {voucher('REFUND')}",),
        SEALED,
        "",
    ),
    "a charge made smaller and its seal forged": (
        (
            f"UPDATE mpower.entries SET amount_paise = 7 WHERE voucher = {voucher('CHARGE')}",
            "UPDATE mpower.charges SET paise = 7",
            (
                "UPDATE mpower.audit_entries a SET details = regexp_replace(a.details,"
                " ':[0-9a-f]{64}', ':' || mpower.voucher_seal(v, (SELECT"
                " string_agg(mpower.entry_line(e), '' ORDER BY e.line) FROM mpower.entries e"
                " WHERE e.voucher = v.voucher), NULL)) FROM mpower.vouchers v"
                " WHERE v.kind = 'CHARGE'"
                " AND a.details LIKE '{\"vouchers\":\"' || v.voucher || ':%'"
            ),
        ),
        "",
        ROW,
    ),
}
"""What is done, the rule that 'ledger verify' names ('' none), what 'audit verify' says ('' that
all is well).
"""


async def lived(t: Town) -> None:
    """A day in which everything of it happens once."""
    appoint(t)
    await agreed(t, "charges.raise", Raise(SITA, "SUNDRY", 700, "N-7", "meter seal"))
    await t.pay("asha", RAM, 1_000)
    await t.pay("asha", SITA, 2_000)
    wrong = await t.pay("asha", RAM, 50)
    await t.done("omar", "payments.cancel", Cancel(wrong.number, "typed twice"))
    await t.done("omar", "payments.verify", Verify("C001", DAY))
    await agreed(t, "transfers.refund", Refund(OLD, 500, "moved away"))


def attack(t: Town, *statements: str) -> None:
    with psycopg.connect(t.superuser) as base:
        base.execute("SET session_replication_role = replica")
        for table in TABLES:
            base.execute(f"ALTER TABLE mpower.{table} DISABLE TRIGGER USER".encode())
        for one in (*statements, *REBALANCE):
            assert base.execute(one.encode()).rowcount > 0, one


async def audit_says(a: Audited) -> str:
    trouble = (await prove(a.ask, CLUSTER, a.keys, [])).trouble
    return "" if trouble is None else trouble.what


@pytest.mark.parametrize("what", ATTACKS)
@on_reactor
async def test_what_was_changed_is_named(node: Node, tmp_path: Path, what: str) -> None:
    statements, rule, audit = ATTACKS[what]
    async with town(node) as t:
        await lived(t)
        a = Audited(t, tmp_path)
        await a.signer.sign()
        t.is_well()
        assert await audit_says(a) == ""
        attack(t, *statements)
        found = t.look("SELECT what, which FROM mpower.ledger_check_v1()")
        assert [one for one, _ in found[:1]] == ([rule] if rule else []), found
        assert await audit_says(a) == audit
        assert rule or audit
