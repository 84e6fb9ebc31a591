"""SQL that was entered in the ledger never changes."""

import hashlib

import pytest

from tests.house.ledger import ledger_complaints
from tests.house.sources import HOUSE

LEDGER = HOUSE / "mpowerd" / "schema" / "ledger.sha256"
GOOD = {"mpowerd/a/functions/pay_v1.sql": b"SELECT 1;\n"}
ENTRY = f"{hashlib.sha256(b'SELECT 1;' + bytes([10])).hexdigest()}  mpowerd/a/functions/pay_v1.sql"


def test_every_sql_file_is_as_entered() -> None:
    files = {
        path.relative_to(HOUSE).as_posix(): path.read_bytes()
        for path in (HOUSE / "mpowerd").rglob("*.sql")
        if path.parent.name in {"functions", "schema"}
    }
    ledger = LEDGER.read_text(encoding="utf-8") if LEDGER.exists() else None
    assert list(ledger_complaints(ledger, files)) == []


@pytest.mark.parametrize(
    ("ledger", "files"),
    [
        (None, GOOD),
        ("", GOOD),
        (ENTRY, {}),
        (ENTRY, dict.fromkeys(GOOD, b"SELECT 2;\n")),
        (f"{ENTRY}\n{ENTRY}", GOOD),
        (f"{ENTRY}\nnonsense", GOOD),
        (ENTRY, {**GOOD, "mpowerd/a/functions/pay_v2.sql": b""}),
    ],
)
def test_a_planted_violation_is_seen(ledger: str | None, files: dict[str, bytes]) -> None:
    assert len(list(ledger_complaints(ledger, files))) == 1


def test_what_is_as_entered_passes() -> None:
    assert list(ledger_complaints(f"{ENTRY}\n", GOOD)) == []
    assert list(ledger_complaints(None, {})) == []
