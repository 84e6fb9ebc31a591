"""One node as a running process: the cluster's node and the house on top of it, started and
stopped in order.

Invariant: the house hears every standing from the first on, and is told to shut by the standing,
not by the process's end: leaving hands over first, then what is left closes. It must not know the
rooms.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any, Final

import psycopg

from cluster.compose import Watched, make_node, plan_of, watched
from cluster.postgres.place import PostgresPlan
from cluster.postgres.sessions import Sessions
from cluster.serving import Ending
from config.settings import NodeSettings, split_address
from config.shown import NodeFile, flat
from mpowerd.audit.keyring import Keyring
from mpowerd.audit.outside import Outside
from mpowerd.house import House, Plan
from mpowerd.traces import Traces
from protocols.shell.clock import BootClock
from protocols.shell.tls import TlsFiles

CLOSE_S: Final = 5.0
"""What is still being served when a node leaves ends within its own deadlines; no longer."""


class RunningNode:
    """A node and its house."""

    def __init__(self, node: Watched, house: House) -> None:
        self._node, self._house = node, house

    async def stop(self) -> None:
        """Leave: hand over, then close."""
        await self._node.stop()
        try:
            await asyncio.wait_for(self._house.close(), CLOSE_S)
        except TimeoutError:
            return


async def begin(
    settings: NodeSettings,
    reactor: Any,
    ending: Ending,
    reread: NodeFile | None = None,
) -> RunningNode:
    """Start a node; raises what ``cluster.serving`` expects when it cannot run. ``reread`` is
    the file of its settings, to be read again.
    """
    clock = BootClock()
    node = make_node(settings, reactor, lambda standing: house.stood(standing), reread)  # noqa: PLW0108
    house = House(house_plan(settings, plan_of(settings)), node.standing, clock, local_date)
    node.on_bootstrap = house.bootstrapped
    node.on_drain = house.finished
    node.on_end = ending.fault
    node.on_status = house.status
    house.alarm = node.chronicle.alarm
    outside = Outside(node.keep_line, node.kept_lines, clock.seconds)
    house.keep, house.kept = outside.keep, outside.newest
    house.happened = Traces(
        *(settings.node, node.annals.kept, settings.tls.ca, settings.tls.revoked, flat(settings))
    )
    house.start()
    service = watched(node, registry=house.figures.registry, doors=lambda: house.hall.is_open)
    try:
        await service.start(reactor)
    except BaseException:  # whatever kept it from starting: nothing of the house stays behind
        await house.close()
        raise
    return RunningNode(service, house)


def local_date() -> dt.date:
    """Give this machine's date: servers stand in the board's time zone."""
    return dt.datetime.now(dt.UTC).astimezone().date()


def house_plan(settings: NodeSettings, postgres: PostgresPlan) -> Plan:
    """What the house is told, from the settings and where PostgreSQL is."""
    host, port = split_address(settings.here.terminals)
    superuser = Sessions(postgres).conninfo()
    tls, limits = settings.tls, settings.limits
    return Plan(
        cluster=settings.cluster.name,
        host=host,
        port=port,
        superuser=superuser,
        app=psycopg.conninfo.make_conninfo(superuser, user="mpower_app"),
        tls=TlsFiles(tls.ca, tls.certificate, tls.key, tls.revoked),
        sessions=limits.sessions,
        accept_per_s=limits.accept_per_s,
        payments_per_batch=limits.payments_per_batch,
        pool=limits.pool,
        quotas={
            "counter": limits.counter_tokens_per_s,
            "bank": limits.bank_tokens_per_s,
            "ops": limits.ops_tokens_per_s,
        },
        second_factor=frozenset(settings.sign_in.second_factor),
        fresh_s=settings.sign_in.fresh_s,
        common_passwords=settings.sign_in.common_passwords,
        keyring=Keyring(settings.audit.signing_key, settings.audit.public_keys),
        checkpoint_s=settings.audit.checkpoint_s,
    )
