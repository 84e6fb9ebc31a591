"""What settings are made of: the kinds of values that several groups share, and the base of every
group.

This file must not know any group of settings.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

NODE_NAME: Final = r"^[a-z][a-z0-9_-]{0,30}\Z"
HOST_PORT: Final = r"^(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9][A-Za-z0-9._-]{0,252}):[0-9]{1,5}\Z"

Address = Annotated[str, Meta(pattern=HOST_PORT)]
Forward = Annotated[str, Meta(pattern=HOST_PORT.removesuffix(r"\Z") + "=" + HOST_PORT[1:])]
NodeName = Annotated[str, Meta(pattern=NODE_NAME)]
PairName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9]{0,15}\Z")]
"""One of the pair: its name is a part of others (``a_3`` is its third sync generation), so
plain.
"""
LogLevel = Literal["debug", "info", "warning", "error"]
Milliseconds = Annotated[int, Meta(ge=10, le=600_000)]


def split_address(address: str) -> tuple[str, int]:
    """Split ``host:port`` or ``[v6]:port`` into host (without brackets) and port."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The base of every group of settings."""


def ports_fit(*addresses: str) -> None:
    """Raise ValueError naming an address whose port is none."""
    for address in addresses:
        if not 1 <= split_address(address)[1] <= 65535:
            raise ValueError(f"the port of {address} is not between 1 and 65535")
