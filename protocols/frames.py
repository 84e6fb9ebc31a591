"""Framing: four bytes of big-endian length, then that many bytes of one message. Pure; the fuzzer
drives it.

Invariant: what ``feed`` gives, in order, is exactly what the other side framed, however the network
cut it up; and no more is ever kept than one frame and one read. The limit is checked on the header,
before a byte of the body is kept. After an error the stream has lost its place: everything later is
refused with the same error. This file must not know what a frame means, nor who reads it.
"""

from __future__ import annotations

from typing import Final

HEADER_BYTES: Final = 4
"""An unsigned 32-bit length; the limit of a connection is far below what it could say."""


class FrameError(Exception):
    """The stream cannot be read on. ``before`` holds the good frames of the same read that came
    first.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        self.before: list[bytes] = []
        super().__init__(reason)


class FrameTooLongError(FrameError):
    """The header announces more bytes than this connection's limit."""


class FrameEmptyError(FrameError):
    """The header announces no bytes; there is no empty message."""


class FrameCutError(FrameError):
    """The stream ended inside a frame: what was begun was not said."""


def frame(payload: bytes, limit: int) -> bytes:
    """Put the header before one payload. A payload that breaks the limit is the caller's mistake:
    ValueError.
    """
    if not 0 < len(payload) <= limit:
        raise ValueError(f"a frame of {len(payload)} bytes does not fit 1 to {limit}")
    return len(payload).to_bytes(HEADER_BYTES, "big") + payload


class Frames:
    """What has been read of one stream and not yet given away. ``limit`` in bytes of payload."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept = bytearray()
        self._error: FrameError | None = None

    @property
    def partial(self) -> bool:
        """True while a frame is begun and not finished: its deadline runs."""
        return bool(self._kept)

    def feed(self, data: bytes) -> list[bytes]:
        """Take what was read, give the frames it completes; raises a FrameError that holds them in
        ``before``.
        """
        if self._error is not None:
            self._error.before = []
            raise self._error
        self._kept += data
        complete: list[bytes] = []
        at = 0
        while len(self._kept) - at >= HEADER_BYTES:
            size = int.from_bytes(self._kept[at : at + HEADER_BYTES], "big")
            if not 0 < size <= self._limit:
                self._break(size, complete)
            end = at + HEADER_BYTES + size
            if len(self._kept) < end:
                break
            complete.append(bytes(self._kept[at + HEADER_BYTES : end]))
            at = end
        del self._kept[:at]
        return complete

    def finish(self) -> None:
        """Say that the stream has ended; raises FrameCutError if it ended inside a frame."""
        if self._error is None and self._kept:
            raise FrameCutError(f"the stream ended {len(self._kept)} bytes into a frame")

    def _break(self, size: int, complete: list[bytes]) -> None:
        self._error = (
            FrameTooLongError(f"a frame of {size} bytes is above the limit of {self._limit}")
            if size
            else FrameEmptyError("a frame of 0 bytes has no message")
        )
        self._kept.clear()
        self._error.before = complete
        raise self._error
