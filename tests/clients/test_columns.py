"""Amounts are exact or refused; a file is read as text of one kind."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.columns import MAX_FILE_BYTES, MAX_FLAWS, FileRefused, Flaw, lines_of, paise_of, whole
from protocols.values import MAX_PAISE


@given(st.integers(0, MAX_PAISE))
def test_every_amount_is_read_as_it_was_written(paise: int) -> None:
    assert paise_of(f"{paise // 100}.{paise % 100:02d}") == paise
    if paise % 10 == 0:
        assert paise_of(f"{paise // 100}.{paise % 100 // 10}") == paise
    if paise % 100 == 0:
        assert paise_of(str(paise // 100)) == paise


@given(st.text("0123456789.,-+ eE\u0967\u06f1\n", max_size=16))
def test_any_text_is_the_exact_amount_or_none(text: str) -> None:
    found = paise_of(text)
    if found is not None:
        assert text.isascii()
        assert Decimal(text) * 100 == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "1.",
        ".5",
        "1.234",
        "-1",
        "+1",
        "1,240",
        " 1",
        "1\n",
        "1e3",
        "\u0967\u0968",
        "NaN",
        "100000000000.01",
        "9" * 13,
    ],
)
def test_what_is_no_amount_is_none(text: str) -> None:
    assert paise_of(text) is None


def test_other_units_are_scaled_exactly() -> None:
    assert whole("7.5", 3) == 7500
    assert whole("7.0005", 3) is None
    assert whole("12", 0) == 12
    assert whole("1.0", 0) is None


def refusal(data: bytes) -> str:
    with pytest.raises(FileRefused) as refused:
        list(lines_of(data))
    return str(refused.value)


def test_what_is_not_csv_text_is_named() -> None:
    assert refusal(b"a\nb\xff\n") == "line 2: is not UTF-8 text; save the file as UTF-8."
    assert refusal(b'a\n"b') == "line 2: is not CSV (unexpected end of data)."
    assert refusal(b'a\n"b"c\n') == "line 2: is not CSV (',' expected after '\"')."
    assert refusal(b"a" * (MAX_FILE_BYTES + 1)) == "the file is larger than 64 MB."


def test_lines_are_numbered_as_an_editor_numbers_them() -> None:
    data = '\ufeffa,b\r\n\r\n"c\nd",e\nf,g\n'.encode()
    assert list(lines_of(data)) == [(1, ["a", "b"]), (3, ["c\nd", "e"]), (5, ["f", "g"])]


def test_flaws_are_bounded() -> None:
    text = str(FileRefused([Flaw(n, "x", "is wrong") for n in range(1, MAX_FLAWS + 6)]))
    assert text.count("\n") == MAX_FLAWS
    assert text.endswith("… and 5 more.")
