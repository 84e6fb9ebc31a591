"""A checkpoint as a line of a file: JSON with hexadecimal bytes, so that any language reads it.

This file must not know where such files come from.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from protocols.checkpoints import Checkpoint


class Written(Struct, frozen=True):
    """A checkpoint with its bytes in hexadecimal."""

    size: int
    root: str
    at: str
    term: int
    signature: str


class Line(Struct, frozen=True):
    """One line of a file that may hold a checkpoint."""

    checkpoint: Written | None = None


def written(one: Checkpoint) -> Written:
    """Write it."""
    return Written(one.size, one.root.hex(), one.at, one.term, one.signature.hex())


def checkpoint_of(said: Written) -> Checkpoint:
    """Read it; ValueError if the bytes are none."""
    root, signature = bytes.fromhex(said.root), bytes.fromhex(said.signature)
    return Checkpoint(said.size, root, said.at, said.term, signature)


def as_line(one: Checkpoint) -> dict[str, Any]:
    """The object of its line."""
    said = written(one)
    fields = {name: getattr(said, name) for name in Written.__struct_fields__}
    return {"checkpoint": fields}
