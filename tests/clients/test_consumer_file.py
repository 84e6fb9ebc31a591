"""A consumer file is read exactly or refused whole, each flaw by line and column."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.columns import FileRefused
from clients.ops.consumer_file import BATCH_BYTES, BATCH_ROWS, COLUMNS, batches, parse_consumers
from clients.ops.sample import sample_consumers
from protocols.catalogue.consumers import Load, Row
from protocols.messages import MAX_FRAME_BYTES

HEADING = ",".join(COLUMNS)
GOOD = '1000000001,Asha Devi,"3 Mall Road, Pune",DS-1,MT01,9000000000,7.5,1.50,100,250.25,40,0'


def read(*lines: str) -> list[Row]:
    return parse_consumers("\n".join([*lines, ""]).encode())


def refused(*lines: str) -> str:
    with pytest.raises(FileRefused) as no:
        read(*lines)
    return str(no.value)


def changed(column: str, value: str) -> str:
    fields = GOOD.replace('"3 Mall Road, Pune"', "3 Mall Road").split(",")
    fields[COLUMNS.index(column)] = value
    return ",".join(fields)


def test_a_right_line_is_read_exactly() -> None:
    assert read("\ufeff" + HEADING, GOOD) == [
        Row(
            number="1000000001",
            name="Asha Devi",
            address="3 Mall Road, Pune",
            category="DS-1",
            meter="MT01",
            mobile="9000000000",
            sanctioned_load_w=7500,
            dues={"LPSC": 150, "ARREARS": 10000, "CURRENT": 25025, "FIXED": 4000},
        )
    ]


@pytest.mark.parametrize(
    ("column", "value", "sentence"),
    [
        ("number", "123", "'123' is not a consumer number (ten ASCII digits)"),
        ("number", "१०००००००००", "'१०००००००००' is not a consumer number (ten ASCII digits)"),
        ("name", "", "'' is not a name (1 to 80 characters, no control characters)"),
        ("name", "a\tb", "'a\tb' is not a name (1 to 80 characters, no control characters)"),
        (
            "address",
            "x" * 201,
            f"'{'x' * 201}' is not an address (at most 200 characters, no control characters)",
        ),
        ("category", "ds", "'ds' is not a category (A-Z, 0-9 and -, 1 to 12 characters)"),
        ("meter", "m_1", "'m_1' is not a meter number (A-Z, 0-9 and -, at most 20 characters)"),
        ("mobile", "+91", "'+91' is not a mobile number (at most 15 ASCII digits)"),
        ("load_kw", "7.0005", "'7.0005' is not a load in kW (as 2 or 7.5, at most 100000)"),
        ("load_kw", "100001", "'100001' is not a load in kW (as 2 or 7.5, at most 100000)"),
        ("lpsc", "-1", "'-1' is not an amount in rupees (as 1240 or 1240.50, ASCII digits)"),
        ("arrears", "1e3", "'1e3' is not an amount in rupees (as 1240 or 1240.50, ASCII digits)"),
        ("current", "१०", "'१०' is not an amount in rupees (as 1240 or 1240.50, ASCII digits)"),
        ("fixed", "1.005", "'1.005' is not an amount in rupees (as 1240 or 1240.50, ASCII digits)"),
        ("duty", "", "'' is not an amount in rupees (as 1240 or 1240.50, ASCII digits)"),
    ],
)
def test_a_wrong_field_is_named(column: str, value: str, sentence: str) -> None:
    assert refused(HEADING, changed(column, value)) == f"line 2, column {column}: {sentence}."


def test_an_office_may_be_named_and_is_the_head_office_where_it_is_not() -> None:
    (named,) = read(HEADING + ",office", GOOD + ",SD-101")
    assert named.office == "SD-101"
    assert read(HEADING, GOOD)[0].office == "HO"
    (both,) = read(HEADING + ",office,total", GOOD + ",SD-101,391.75")
    assert both.office == "SD-101"
    assert refused(HEADING + ",office", GOOD + ",sd 101") == (
        "line 2, column office: 'sd 101' is not an office's code (as SD-101)."
    )


def test_a_wrong_total_is_refused() -> None:
    heading = HEADING + ",total"
    assert len(read(heading, GOOD + ",391.75")) == 1
    assert refused(heading, GOOD + ",391.76") == (
        "line 2, column total: says 391.76, the heads sum to 391.75."
    )


def test_a_number_stands_once() -> None:
    other = GOOD.replace("Asha", "Usha")
    assert refused(HEADING, GOOD, "", other) == (
        "line 4, column number: '1000000001' stands already on line 2."
    )


def test_the_shape_is_checked() -> None:
    assert refused("number,name") == f"line 1: the heading must be {HEADING}[,office][,total]."
    assert refused() == f"the heading must be {HEADING}[,office][,total]."
    assert refused(HEADING) == "there are no consumers in the file."
    assert refused(HEADING, "1,2") == "line 2: has 2 columns instead of 12."
    assert refused(HEADING, GOOD + ",5") == "line 2: has 13 columns instead of 12."


def test_all_flaws_are_named_at_once() -> None:
    text = refused(HEADING, changed("name", ""), changed("meter", "?"))
    assert [line.split(":")[0] for line in text.splitlines()] == [
        "line 2, column name",
        "line 3, column meter",
        "line 3, column number",
    ]


@given(st.lists(st.integers(1, 200), max_size=1200))
def test_batches_keep_order_rows_and_limits(lengths: list[int]) -> None:
    rows = [
        Row(f"{n:010d}", "n" * min(80, length), "é" * length, "A", "", "", 1, {})
        for n, length in enumerate(lengths)
    ]
    cut = list(batches(rows))
    assert [row for batch in cut for row in batch] == rows
    for batch in cut:
        assert 1 <= len(batch) <= BATCH_ROWS
        assert len(msgspec.msgpack.encode(Load("2026-04-01", batch))) < BATCH_BYTES + 100
    assert BATCH_BYTES + 1000 < MAX_FRAME_BYTES


def test_long_rows_are_cut_by_bytes() -> None:
    rows = [Row(f"{n:010d}", "é" * 80, "é" * 200, "A", "", "", 1, {}) for n in range(300)]
    cut = list(batches(rows))
    assert [row for batch in cut for row in batch] == rows
    assert (
        max(len(msgspec.msgpack.encode(Load("2026-04-01", one))) for one in cut) < BATCH_BYTES + 100
    )


def test_the_sample_is_right_and_the_same_for_the_same_seed() -> None:
    data = sample_consumers(300, 7)
    rows = parse_consumers(data)
    assert len(rows) == 300
    assert data == sample_consumers(300, 7)
    assert data != sample_consumers(300, 8)
    assert data.startswith(f"{HEADING},office,total\n1000000001,".encode())
    assert 0 < sum(not row.dues for row in rows) < 60
    assert 0 < sum("LPSC" in row.dues for row in rows) < 200
