"""Settings of the audit's proof: which key signs it, and how often.

This file must not know any other group of settings, nor what is signed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from config.kinds import Settings


class AuditSettings(Settings, frozen=True, kw_only=True):
    """What signs the audit, so that no history can be written anew unseen."""

    signing_key: Annotated[
        Path | None,
        Meta(
            description="The board's private key for checkpoints: mode 0400, the same on both"
            " nodes. Left out, nothing is signed and an alarm says so."
        ),
    ] = None
    public_keys: Annotated[
        Path | None,
        Meta(
            description="The public halves of every key that ever signed this board's audit, the"
            " newest last (pki/audit.pub): needed once the key was changed. Left out: the present"
            " key alone."
        ),
    ] = None
    checkpoint_s: Annotated[
        int,
        Meta(
            ge=1,
            le=3600,
            description="A checkpoint is signed this often, if anything was written meanwhile.",
        ),
    ] = 5
