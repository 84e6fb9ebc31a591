"""What a refusal says: one template, and whether it settles the key it answers."""

from __future__ import annotations

from msgspec import Struct


class Sentence(Struct, frozen=True):
    """What a code means: the template a person reads and whether it settles the key."""

    text: str
    final: bool = True
