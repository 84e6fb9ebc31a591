"""WAL positions survive the way to text and back, keep their order, and nothing else is one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.postgres.lsn import format_lsn, parse_lsn

POSITIONS = st.integers(min_value=0, max_value=2**64 - 1)


@given(POSITIONS)
def test_there_and_back(position: int) -> None:
    assert parse_lsn(format_lsn(position)) == position


def test_as_postgresql_prints_it() -> None:
    assert parse_lsn("16/B374D848") == 0x16_B374D848
    assert format_lsn(0x16_B374D848) == "16/B374D848"
    assert parse_lsn("1/0") > parse_lsn("0/FFFFFFFF")


@pytest.mark.parametrize(
    "text", ["", "/", "1", "1/", "/1", "G/1", "1/2/3", "-1/0", "1/123456789", " 1/2", "1_0/2"]
)
def test_anything_else_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="not a WAL position"):
        parse_lsn(text)
