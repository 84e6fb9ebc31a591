"""What a probe costs and when it comes: rare where nothing moves, close where somebody waits."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec import structs

from cluster.machine import begin
from cluster.mind import Mind
from cluster.postgres.probing import knock
from cluster.postgres.troubles import PostgresTroubleError
from cluster.states import State
from cluster.timers import Timers
from cluster.view import HURRIED_PROBE_S, PROBE_S, RESTING_PROBE_S, probe_every_s
from protocols.shell.bridge import to_deferred


def _in_sync(moved_ago_s: float, state: State = State.PRIMARY_SYNC) -> Mind:
    mind = begin("a", "b", "demo", "boot", timers=Timers(), now_s=100.0)
    return structs.replace(mind, state=state, moved_at_s=100.0 - moved_ago_s)


def test_probes_are_rarer_only_in_sync_and_at_rest() -> None:
    assert probe_every_s(_in_sync(5.0)) == RESTING_PROBE_S
    assert probe_every_s(_in_sync(0.2)) == PROBE_S, "somebody works"
    assert probe_every_s(_in_sync(5.0, State.PRIMARY_STALLED)) == PROBE_S, "somebody may wait"
    assert probe_every_s(_in_sync(5.0, State.SYNC_ENTRY)) == HURRIED_PROBE_S, "clerks wait"


async def _knock_where(answer: bytes, socket: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(8)
        writer.write(answer)
        writer.close()

    server = await asyncio.start_unix_server(serve, str(socket))
    try:
        await knock(str(socket))
    finally:
        server.close()


async def _all_knocks(folder: Path) -> None:
    await _knock_where(b"N", folder / "1")
    for number, answer in enumerate((b"", b"E"), 2):
        with pytest.raises(PostgresTroubleError, match="no PostgreSQL that serves"):
            await _knock_where(answer, folder / str(number))
    with pytest.raises(PostgresTroubleError, match="nobody answers"):
        await knock(str(folder / "nowhere"))


async def test_a_knock_wants_postgresql_s_own_answer(tmp_path: Path) -> None:
    await to_deferred(_all_knocks(tmp_path))
