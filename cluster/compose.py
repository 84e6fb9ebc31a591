"""Builds a real node from its settings: PostgreSQL as a child, the witness over the network.

The only place that knows which implementations a real node is made of. It must not know what is
built on top.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import shutil
import socket
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from msgspec import structs

from cluster.arbiter.etcd import EtcdArbiter
from cluster.arbiter.floor import Floor
from cluster.arbiter.gateway import Gateway
from cluster.arbiter.present import Opened, PresentArbiter
from cluster.arbiter.witness import WitnessArbiter
from cluster.callbacks.calls import Calls, programs_of
from cluster.checkup.papers import PapersWatch
from cluster.duties import postgres_hosts
from cluster.exchange import Exchange
from cluster.explain import Explained, explain
from cluster.node import ClusterNode
from cluster.opsport.port import OpsPort
from cluster.postgres.place import PostgresPlan, TlsFiles
from cluster.postgres.process import ProcessControl
from cluster.standing import Standing
from config.settings import ClusterSettings, NodeSettings, split_address
from config.shown import NodeFile
from protocols.shell import tls as shell_tls
from protocols.shell.clock import BootClock

CALLS_END_S: Final = 3.0
"""Programs called while a node leaves may give an address back; longer would delay the end."""
MIB: Final = {"kB": 1 / 1024, "MB": 1, "GB": 1024}


def plan_of(settings: NodeSettings) -> PostgresPlan:
    """What PostgreSQL is told on this node. Blocking: names of the peer are looked up."""
    _, port = split_address(settings.here.postgres)
    disk = next(one for one in (settings.data, *settings.data.absolute().parents) if one.exists())
    keep_mib = settings.postgres.wal_keep_mb
    tls = settings.tls
    return PostgresPlan(
        node=settings.node,
        data_dir=settings.data,
        port=port,
        listen=postgres_hosts(settings.here),
        peers=addresses_of([settings.peer.postgres, *settings.peer.peer]),
        tls=TlsFiles(tls.certificate, tls.key, tls.ca),
        os_user=settings.postgres.os_user,
        bindir=settings.postgres.bindir,
        shared_buffers_mib=mebibytes(settings.postgres.shared_buffers),
        wal_keep_mib=keep_mib,
        slot_keep_mib=max(2 * keep_mib, shutil.disk_usage(disk).total // (2 * 1024 * 1024)),
    )


def mebibytes(size: str) -> int:
    """PostgreSQL's ``128MB`` in MiB, at least 1."""
    number, unit = re.fullmatch(r"(\d+)(kB|MB|GB)", size).groups()  # type: ignore[union-attr]
    return max(1, int(int(number) * MIB[unit]))


def addresses_of(places: list[str]) -> tuple[str, ...]:
    """The network addresses of ``host:port`` places, each once, in order; OSError names the
    unknown.
    """
    found: dict[str, None] = {}
    for place in places:
        host, _ = split_address(place)
        try:
            found[str(ipaddress.ip_address(host))] = None
        except ValueError:
            for answer in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM):
                found[str(answer[4][0])] = None
    return tuple(found)


def witness_of(settings: NodeSettings, reactor: Any, clock: BootClock) -> WitnessArbiter:
    """This node's side of the witness; it connects when told to keep up."""
    tls = settings.tls
    files = shell_tls.TlsFiles(tls.ca, tls.certificate, tls.key, tls.revoked)
    name = settings.cluster.name
    calling = shell_tls.client_side(files, name, ["witness"], shell_tls.ALPN_PEER)
    assert settings.cluster.witness is not None, "the settings were checked"
    return WitnessArbiter(reactor, clock, calling, cluster=name, address=settings.cluster.witness)


def etcd_of(settings: NodeSettings, reactor: Any, clock: BootClock) -> EtcdArbiter:
    """This node's side of the etcd; it connects when it is asked."""
    etcd = settings.cluster.etcd
    assert etcd is not None, "the settings were checked"
    first, second = settings.cluster.nodes
    return EtcdArbiter(
        Gateway(reactor, clock, etcd),
        lambda: Floor(settings.data, settings.node),
        clock,
        me=settings.node,
        nodes=(first.name, second.name),
        prefix=f"{etcd.prefix}{settings.cluster.name}/",
        compact=etcd.compact,
    )


def arbiter_of(
    settings: NodeSettings,
    reactor: Any,
    clock: BootClock,
    reread: Callable[[], NodeSettings] | None = None,
) -> PresentArbiter:
    """This node's side of the arbiter that the settings name, at work; ``reread`` reads them
    anew, should the record be moved to another.
    """

    def make(cluster: ClusterSettings) -> Opened:
        said = structs.replace(settings, cluster=cluster)
        if cluster.arbiter == "etcd":
            etcd = etcd_of(said, reactor, clock)
            return Opened(etcd, etcd.close)
        witness = witness_of(said, reactor, clock)
        witness.keep_up()
        return Opened(witness, witness.close)

    again = reread or (lambda: settings)
    return PresentArbiter(settings.cluster, make, lambda: again().cluster)


def make_node(
    settings: NodeSettings,
    reactor: Any,
    on_standing: Callable[[Standing], None],
    reread: NodeFile | None = None,
) -> ClusterNode:
    """A node that is real; ``await node.start(reactor)`` lets it begin. ``reread``: its file."""
    clock = BootClock()
    arbiter = arbiter_of(settings, reactor, clock, reread)
    control = ProcessControl(plan_of(settings), reactor)
    node = ClusterNode(
        settings, control, arbiter, on_standing, close_arbiter=arbiter.close, clock=clock
    )

    exchange = Exchange(node.annals)
    node.links.on_up, node.links.on_chapter = exchange.link_up, exchange.heard

    async def history() -> dict[str, Any]:
        return {"node": settings.node, "entries": await asyncio.to_thread(node.annals.told)}

    async def explained() -> Explained:
        return explain(node.mind)

    node.verbs.questions |= {
        "prospect": arbiter.prospect,
        "kept": arbiter.shown,
        "history": history,
        "explain": explained,
    }
    if reread is not None:
        node.verbs.questions["settings"] = partial(asyncio.to_thread, reread.shown, settings)
    return node


class Watched:
    """A node with its ops port and the operator's programs: probes see its start and its leaving,
    and the last gate shut is told too.
    """

    def __init__(
        self, node: ClusterNode, port: OpsPort | None, calls: Calls, papers: PapersWatch
    ) -> None:
        self.node = node
        self._papers = papers
        self._port = port
        self._calls = calls
        node.herald.listeners.append(calls.heard)

    async def start(self, reactor: Any) -> None:
        """Open the port, then let the node begin; a node that cannot run leaves nothing open."""
        if self._port is not None:
            self._port.start(reactor)
        try:
            await self.node.start(reactor)
            self._papers.start()
        except BaseException:
            await self._close()
            raise

    async def stop(self) -> None:
        """Leave; the port is open until the end."""
        try:
            await self.node.stop()
        finally:
            await self._close()

    async def _close(self) -> None:
        self._papers.stop()
        await self._calls.close(CALLS_END_S)
        if self._port is not None:
            self._port.close()


def watched(node: ClusterNode, **built: Any) -> Watched:
    """A node with the ops port and the programs its settings name; ``built``: what is built on it
    (see ``OpsPort``).
    """
    settings = node.settings
    listen, callbacks = settings.ops.listen, settings.callbacks
    port = OpsPort(node, listen, **built) if listen else None
    calls = Calls(
        programs_of(callbacks), settings.cluster.name, node.chronicle, callbacks.deadline_s
    )
    papers = PapersWatch(settings.tls, node.chronicle, BootClock(), node.fail)
    return Watched(node, port, calls, papers)
