"""YAML is read as a person means it, and every refusal says what and on which line."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.yaml import MAX_BYTES, MAX_DEPTH, YamlError, read_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("010", "010"),
        ("1:30", "1:30"),
        ("on", "on"),
        ("off", "off"),
        ("yes", "yes"),
        ("No", "No"),
        ("2026-01-01", "2026-01-01"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("1e3", "1e3"),
        (".inf", ".inf"),
        ("9" * 19, "9" * 19),
        ("127.0.0.1:7500", "127.0.0.1:7500"),
        ("'12'", "12"),
        ("12", 12),
        ("-3", -3),
        ("0", 0),
        ("1.5", 1.5),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("", None),
        ("''", ""),
    ],
)
def test_a_plain_word_means_what_it_looks_like(text: str, value: object) -> None:
    found = read_yaml(f"a: {text}\n".encode())["a"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"a: 1\nb: 2\na: 3\n", "line 3: the key 'a' stands here twice, first on line 1"),
        (b"a:\n  b: 1\n  b: 1\n", "line 3: the key 'b' stands here twice, first on line 2"),
        (b"{a: 1, 'a': 2}", "line 1: the key 'a' stands here twice, first on line 1"),
        (b"a: &x 1\n", "line 1: anchors and aliases are not used here, write the value out"),
        (b"a: 1\nb: *x\n", "line 2: anchors and aliases are not used here, write the value out"),
        (
            b"a: !!python/name:os.system x",
            (
                "line 1: the tag tag:yaml.org,2002:python/name:os.system is not used here,"
                " write the plain value"
            ),
        ),
        (b"1: a", "line 1: the key 1 is not text, put it in quotes"),
        (b"true: a", "line 1: the key True is not text, put it in quotes"),
        (b"? [a]\n: b", "line 1: the key ['a'] is not text, put it in quotes"),
        (b"a: 1\nb: \xff\n", "line 2: it is not UTF-8 text"),
        (b"a: [1, 2\n", "line 2: it is not YAML (expected ',' or ']', but got '<stream end>')"),
        (b"a: 1\n--- \nb: 1\n", "line 2: it is not YAML (but found another document)"),
        (b'a: "\\ud800"', "line 1: half a character (a lone surrogate) stands here"),
        (b'a: "\\UFFFFFFFF"', "it is not YAML (Python int too large"),
        (b"a: \x07", "it is not YAML (unacceptable character #x0007: special characters are not"),
        (b"x" * (MAX_BYTES + 1), f"it has {MAX_BYTES + 1} bytes, the limit is {MAX_BYTES}"),
        (b"[" * 5000, f"line 1: it nests deeper than {MAX_DEPTH} levels"),
    ],
)
def test_what_is_not_acceptable_is_named(data: bytes, sentence: str) -> None:
    with pytest.raises(YamlError) as refused:
        read_yaml(data)
    assert str(refused.value).startswith(sentence)


def test_a_merge_key_is_an_ordinary_key() -> None:
    assert read_yaml(b"<<: {a: 1}\n") == {"<<": {"a": 1}}


def test_a_byte_order_mark_is_not_part_of_the_first_key() -> None:
    assert read_yaml("\ufeffa: 1".encode()) == {"a": 1}


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abc1 ", max_size=5), inner)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text("abc", max_size=4), PLAIN))
def test_json_is_read_back_as_it_was_written(value: dict[str, object]) -> None:
    assert read_yaml(json.dumps(value).encode()) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_values_or_a_refusal(data: bytes) -> None:
    with contextlib.suppress(YamlError):
        read_yaml(data)
