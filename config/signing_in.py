"""Settings of signing in: what is asked of people besides a password, and which passwords are
refused.

This file must not know any other group of settings, nor how anybody is recognised.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, field

from config.kinds import Settings


class SignInSettings(Settings, frozen=True, kw_only=True):
    """What signing in asks of people, besides the password."""

    second_factor: Annotated[
        list[Literal["clerk", "receiver", "officer", "auditor", "ops", "admin"]],
        Meta(description="Roles that work only with a one-time code, once its device is enrolled."),
    ] = field(default_factory=lambda: ["officer", "admin"])
    fresh_s: Annotated[
        int,
        Meta(
            ge=30,
            le=3600,
            description="What decides about much (rights, refunds, high values) is done only within"
            " this time after signing in; later it asks to sign in again.",
        ),
    ] = 300
    common_passwords: Annotated[
        Path | None,
        Meta(
            description="The board's own list of passwords that are refused: words, or SHA-1 or"
            " SHA-256 of exact ones in hex, one a line. A short list is built in."
        ),
    ] = None
