"""Settings of those who watch a node: the ops port, and the operator's own programs.

This file must not know the node's other settings.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from config.kinds import Address, Settings, ports_fit


class OpsSettings(Settings, frozen=True, kw_only=True):
    """What a node tells probes and people of operations."""

    listen: Annotated[
        Address | None,
        Meta(
            description="host:port of the ops port (health, metrics, events): plain HTTP without"
            " sign-in, so loopback or a management network. Empty: none."
        ),
    ] = "127.0.0.1:7510"

    def __post_init__(self) -> None:
        ports_fit(*([self.listen] if self.listen else []))


Program = Annotated[str, Meta(pattern=r"^/[^\x00-\x1f]{1,1000}\Z")]
"""A program by its absolute path: no shell, no arguments."""


class CallbacksSettings(Settings, frozen=True, kw_only=True):
    """Programs of the operator's own, run when something happens to this node. Each gets MPOWER_*
    in its environment and no argument (docs/operator/callbacks.md).
    """

    role: Annotated[Program | None, Meta(description="Absolute path: when the role changed.")] = (
        None
    )
    gate: Annotated[
        Program | None,
        Meta(description="Absolute path: when terminals begin or cease to be served here."),
    ] = None
    solo: Annotated[
        Program | None, Meta(description="Absolute path: when this node went on alone.")
    ] = None
    sync: Annotated[
        Program | None, Meta(description="Absolute path: when there are two copies again.")
    ] = None
    takeover: Annotated[
        Program | None, Meta(description="Absolute path: when this node took over.")
    ] = None
    alarm: Annotated[
        Program | None, Meta(description="Absolute path: when an alarm begins or ends.")
    ] = None
    deadline_s: Annotated[
        int, Meta(ge=1, le=300, description="A program that runs longer is killed, in seconds.")
    ] = 10
