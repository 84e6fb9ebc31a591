"""How much one node takes on at once; each limit with what it is for.

This file must not know any other group of settings.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from config.kinds import Settings


class LimitsSettings(Settings, frozen=True, kw_only=True):
    """How much one node takes on at once."""

    sessions: Annotated[
        int, Meta(ge=1, le=20_000, description="Connections of terminals at the same time.")
    ] = 2000
    payments_per_batch: Annotated[
        int, Meta(ge=1, le=1000, description="Payments posted in one transaction at most.")
    ] = 128
    accept_per_s: Annotated[
        int,
        Meta(ge=1, le=10_000, description="New connections a second; more wait for their turn."),
    ] = 200
    counter_tokens_per_s: Annotated[
        int,
        Meta(
            ge=40,
            le=100_000,
            description="How much a counter's certificate may ask a second: a payment costs 1, any"
            " other request 5, a sign-in 40. A clerk needs ten; more is BUSY for a moment.",
        ),
    ] = 200
    bank_tokens_per_s: Annotated[
        int,
        Meta(
            ge=40,
            le=100_000,
            description="The same for a bank's certificate: 200 parts of scrolls, 100,000 lines.",
        ),
    ] = 1000
    ops_tokens_per_s: Annotated[
        int,
        Meta(
            ge=40,
            le=100_000,
            description="The same for an operator's certificate, who loads the board's files.",
        ),
    ] = 1000
    pool: Annotated[
        int,
        Meta(ge=1, le=64, description="Connections to the database; 8 to 16 serve a whole city."),
    ] = 8
