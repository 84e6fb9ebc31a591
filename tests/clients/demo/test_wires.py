"""The demo's wires: laid into every node's settings, silent while they are cut, made anew after."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from clients.demo import mending, running
from clients.demo.wires import Relay, Wire, cut, cuts_of, is_cut, laid
from clients.ops.compared import ills, leads_of, lines
from clients.ops.init import LOOPBACK, free_ports, loopback_plan
from config.folder import write_settings
from config.load import load_client, load_node
from config.shown import NodeFile
from tests.postgres_nodes import on_reactor

QUIET_S = 0.3
WAIT_S = 5.0


def test_every_way_between_services_leads_over_a_wire_and_who_listens_stays(tmp_path: Path) -> None:
    plan = loopback_plan(tmp_path)
    paths = write_settings(plan)
    wires = laid(plan, paths)
    assert len({wire.listen for wire in wires}) == len(wires) == 8
    near = {(wire.ends, wire.to): wire.listen for wire in wires}
    for here, there in (plan.nodes, plan.nodes[::-1]):
        settings = load_node(paths.nodes[here.name])
        assert settings.here == here
        ends = (here.name, there.name)
        assert settings.peer.peer == [near[ends, one] for one in there.peer]
        assert settings.peer.postgres == near[ends, there.postgres]
        assert settings.cluster.witness == near[(here.name, "witness"), str(plan.witness)]
    people = load_client(tmp_path, environment={})
    assert people.nodes == [one.terminals for one in plan.nodes], "people are on no wire"
    assert people.forwards == [f"{wire.listen}={wire.to}" for wire in wires]
    files = [NodeFile(file) for file in paths.nodes.values()]
    said = [file.shown(file()) for file in files]
    leads = leads_of(people.forwards)
    assert ills(said, leads) == [], "the wires are no difference between the nodes"
    assert {one.key for one in lines(said, leads) if one.mark == "forwarded"} == {
        "cluster.witness",
        *(f"cluster.nodes[{n}].{what}" for n in (0, 1) for what in ("peer", "postgres")),
    }


@pytest.mark.parametrize(
    ("cuts", "gone"),
    [
        (set(), []),
        ({"links"}, [("a", "b"), ("b", "a")]),
        ({"a"}, [("a", "b"), ("b", "a"), ("a", "witness")]),
        ({"witness"}, [("a", "witness"), ("b", "witness")]),
    ],
)
def test_what_is_cut_by_which_word(cuts: set[str], gone: list[tuple[str, str]]) -> None:
    ends = [("a", "b"), ("b", "a"), ("a", "witness"), ("b", "witness")]
    assert [one for one in ends if is_cut(Wire(one, "", ""), cuts)] == gone


def test_a_cut_is_healed_by_its_name(tmp_path: Path) -> None:
    me = running.process(1)
    assert me is not None
    found = running.Running(str(tmp_path), me, {})
    cut(tmp_path, {"links", "a"})
    assert mending.heal(found, "links")
    assert not mending.heal(found, "links")
    assert cuts_of(tmp_path) == {"a"}


async def _echo(near: asyncio.StreamReader, far: asyncio.StreamWriter) -> None:
    while data := await near.read(99):
        far.write(data)
    far.close()


async def _said(near: asyncio.StreamReader, far: asyncio.StreamWriter) -> bytes:
    far.write(b"beat")
    return await asyncio.wait_for(near.read(99), QUIET_S)


@on_reactor
async def test_a_cut_wire_is_silent_and_a_healed_one_is_made_anew() -> None:
    listen, to = (f"{LOOPBACK}:{port}" for port in free_ports(2))
    relay = Relay(Wire(("a", "b"), listen, to))
    async with (
        await asyncio.start_server(_echo, LOOPBACK, int(to.split(":")[1])),
        await relay.listen(),
    ):
        port = int(listen.split(":")[1])
        before = await asyncio.open_connection(LOOPBACK, port)
        assert await _said(*before) == b"beat"
        relay.look({"links"})
        with pytest.raises(TimeoutError):
            await _said(*before)
        during = await asyncio.open_connection(LOOPBACK, port)
        with pytest.raises(TimeoutError):
            await _said(*during)
        relay.look(set())
        for near, far in (before, during):
            with pytest.raises((ConnectionError, EOFError)):
                await asyncio.wait_for(near.readexactly(99), WAIT_S)
            far.transport.abort()
        near, far = await asyncio.open_connection(LOOPBACK, port)
        assert await _said(near, far) == b"beat"
        far.transport.abort()
