"""Settings of a machine that calls: a counter, a bank, an operator's.

This file must not know the settings of nodes.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from config.kinds import Settings


class RenewalSettings(Settings, frozen=True, kw_only=True):
    """How this machine asks for its next certificate, by itself and over its own link."""

    before_days: Annotated[
        int,
        Meta(
            ge=0,
            le=365,
            description="So many days before its certificate ends; 0: never, it is brought here.",
        ),
    ] = 45
    warn_days: Annotated[
        int,
        Meta(
            ge=0,
            le=365,
            description="Who works here is warned so many days before the end, while nobody has"
            " signed the request.",
        ),
    ] = 14
