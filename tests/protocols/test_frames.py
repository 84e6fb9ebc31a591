"""Framing: what was framed comes out, however it is cut; what is no frame is named."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.frames import (
    FrameCutError,
    FrameEmptyError,
    FrameError,
    Frames,
    FrameTooLongError,
    frame,
)

LIMIT = 64
PAYLOADS = st.lists(st.binary(min_size=1, max_size=LIMIT), max_size=12)


def cut_up(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({min(one, len(data)) for one in cuts} | {0, len(data)})
    return [data[a:b] for a, b in pairwise(places)]


@given(PAYLOADS, st.lists(st.integers(0, 800), max_size=40))
def test_whatever_the_cuts_the_frames_are_the_same(payloads: list[bytes], cuts: list[int]) -> None:
    frames = Frames(LIMIT)
    got: list[bytes] = []
    for part in cut_up(b"".join(frame(one, LIMIT) for one in payloads), cuts):
        got += frames.feed(part)
    assert got == payloads
    assert not frames.partial
    frames.finish()


@given(st.lists(st.binary(max_size=100), max_size=20))
def test_any_bytes_give_frames_within_the_limit_or_one_named_error(parts: list[bytes]) -> None:
    frames = Frames(LIMIT)
    got: list[bytes] = []
    for part in parts:
        try:
            got += frames.feed(part)
        except FrameError as wrong:
            got += wrong.before
            with pytest.raises(type(wrong)) as again:
                frames.feed(b"more")
            assert again.value.before == []
            assert not frames.partial
            break
    assert all(0 < len(one) <= LIMIT for one in got)
    assert (
        b"".join(frame(one, LIMIT) for one in got)
        == b"".join(parts)[: sum(map(len, got)) + 4 * len(got)]
    )


def test_the_limit_is_checked_on_the_header_and_what_came_before_is_given() -> None:
    frames = Frames(LIMIT)
    with pytest.raises(FrameTooLongError, match="65 bytes is above the limit of 64") as caught:
        frames.feed(frame(b"good", LIMIT) + (LIMIT + 1).to_bytes(4, "big"))
    assert caught.value.before == [b"good"]


def test_an_empty_frame_is_none() -> None:
    with pytest.raises(FrameEmptyError, match="has no message"):
        Frames(LIMIT).feed(b"\0\0\0\0")


def test_a_stream_that_ends_inside_a_frame_is_named() -> None:
    frames = Frames(LIMIT)
    assert frames.feed(frame(b"message", LIMIT)[:-1]) == []
    assert frames.partial
    with pytest.raises(FrameCutError, match="10 bytes into a frame"):
        frames.finish()


@pytest.mark.parametrize("payload", [b"", b"x" * (LIMIT + 1)])
def test_to_frame_what_does_not_fit_is_the_callers_mistake(payload: bytes) -> None:
    with pytest.raises(ValueError, match="does not fit 1 to 64"):
        frame(payload, LIMIT)
