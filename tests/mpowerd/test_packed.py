"""Packed arrays are byte for byte what psycopg itself would send."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.adapt import PyFormat, Transformer
from psycopg.types.numeric import Int4, Int8

from mpowerd.packed import Packed, int4s, int8s, texts, uuids


def theirs(values: list[object]) -> bytes:
    """What psycopg's own dumper writes, in binary."""
    return bytes(Transformer().get_dumper(values, PyFormat.BINARY).dump(values) or b"")


def ours(packed: Packed) -> bytes:
    return packed.data


@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1))
def test_int4(values: list[int]) -> None:
    assert ours(int4s(values)) == theirs([Int4(value) for value in values])


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_int8(values: list[int]) -> None:
    assert ours(int8s(values)) == theirs([Int8(value) for value in values])


@given(st.lists(st.binary(min_size=16, max_size=16), min_size=1))
def test_uuid(values: list[bytes]) -> None:
    assert ours(uuids(values)) == theirs([uuid.UUID(bytes=value) for value in values])


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=1))
def test_text(values: list[str]) -> None:
    assert ours(texts(values)) == theirs([*values])


@pytest.mark.parametrize("empty", [int4s([]), int8s([]), texts([]), uuids([])])
def test_empty(empty: Packed) -> None:
    assert empty.data[:8] == bytes(8)
    assert len(empty.data) == 12
