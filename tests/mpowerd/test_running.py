"""A node that cannot start leaves nothing of its house behind."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mpowerd import running
from tests.postgres_nodes import on_reactor


class House:
    """What begin does with a house, in order."""

    figures = SimpleNamespace(registry=None)
    hall = SimpleNamespace(is_open=False)

    happened: Any = None

    def __init__(self) -> None:
        self.did: list[str] = []

    def stood(self, _standing: object) -> None:
        self.did.append("stood")

    async def finished(self) -> None:
        self.did.append("finished")

    async def bootstrapped(self, _said: object) -> None:
        self.did.append("bootstrapped")

    def status(self) -> dict[str, object]:
        return {}

    def start(self) -> None:
        self.did.append("started")

    async def close(self) -> None:
        self.did.append("closed")


class Node:
    """A node whose account may not enter its data folder."""

    standing = None
    chronicle = SimpleNamespace(alarm=None)
    keep_line = kept_lines = None
    annals = SimpleNamespace(kept=list)
    on_bootstrap: Any = None
    on_end: Any = None
    on_status: Any = None

    async def start(self, _reactor: object) -> None:
        raise OSError("postgres may not enter")


@on_reactor
async def test_a_start_that_fails_closes_the_house(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House()
    monkeypatch.setattr(running, "make_node", lambda *_: Node())
    monkeypatch.setattr(running, "watched", lambda node, **_: node)
    monkeypatch.setattr(running, "plan_of", lambda _: None)
    monkeypatch.setattr(running, "house_plan", lambda *_: None)
    monkeypatch.setattr(running, "House", lambda *_: house)
    ending: Any = SimpleNamespace(fault=None)
    monkeypatch.setattr(running, "flat", lambda _: {"limits.pool": 8})
    nowhere = SimpleNamespace(ca=Path("/nowhere"), revoked=None)
    settings: Any = SimpleNamespace(node="a", tls=nowhere)
    with pytest.raises(OSError, match="may not enter"):
        await running.begin(settings, None, ending)
    assert house.did == ["started", "closed"]
    assert [one.about for one in await house.happened()] == ["settings/a"]
