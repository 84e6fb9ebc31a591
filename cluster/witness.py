"""The witness as a process: one door, one desk, one file. ``run(settings)`` is all there is to
call.

It must not run on either node's machine; it knows nothing of PostgreSQL.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
import sys
import time
from typing import Any

from cluster.arbiter.server import Desk
from cluster.arbiter.shelf import Shelf, Shelving
from cluster.arbiter.store import RecordFile
from cluster.door import Door
from cluster.serving import FAULT, Ending, Service, serve
from cluster.session import Partner
from cluster.verbs import Verbs
from config.settings import WitnessSettings, split_address
from protocols.shell.clock import BootClock
from protocols.shell.tls import ALPN_PEER, TlsFiles, server_side


class Witness:
    """One running witness."""

    def __init__(self, settings: WitnessSettings, file: RecordFile, shelf: Shelf) -> None:
        tls = settings.tls
        files = TlsFiles(tls.ca, tls.certificate, tls.key, tls.revoked)
        clock = BootClock()
        self._settings = settings
        self._file = file
        shelving = Shelving(shelf, time.time)
        self.desk = Desk(file, settings.nodes, clock.seconds, die, is_here, shelving)
        verbs = Verbs(self.status)
        verbs.questions["kept"] = shelving.kept
        tls_side = server_side(files, settings.cluster_name, ("node", "ops"), ALPN_PEER)
        partners: dict[str, Partner] = {"node": self.desk, "ops": verbs}
        self._door = Door(settings.cluster_name, partners, tls_side, clock)
        self._list_mark = tls_side.list_mark

    def start(self, reactor: Any) -> None:
        """Open the door."""
        self.desk.start()
        self._door.listen(reactor, [self._settings.listen])

    def status(self) -> dict[str, Any]:
        """The answer to an operator's ``status``."""
        mark = self._list_mark()
        return {"witness": self._settings.name, "revoked_list": mark, **self.desk.status()}

    async def stop(self) -> None:
        """Close the door; what is being written is finished first."""
        self._door.close()
        await self.desk.stop()
        self._file.close()


def is_here(address: str) -> bool:
    """``host:port`` is an address of this machine; on loopback everything is, and is a trial."""
    host, _ = split_address(address)
    try:
        place = ipaddress.ip_address(host)
        if place.is_loopback:
            return False
        family = socket.AF_INET6 if place.version == 6 else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.bind((host, 0))
    except (OSError, ValueError):
        return False
    return True


def die(reason: str) -> None:
    """End at once, without cleaning up: nobody may get an answer that the disk does not hold."""
    sys.stderr.write(f"{reason}\n")
    sys.stderr.flush()
    os._exit(FAULT)


async def begin(settings: WitnessSettings, reactor: Any) -> Witness:
    """Open the file (written and fsynced again first) and serve; NotOursError says why not."""
    file = await asyncio.to_thread(RecordFile, settings.data, settings.cluster_name, settings.name)
    try:
        witness = Witness(settings, file, await asyncio.to_thread(Shelf, settings.data))
        witness.start(reactor)
    except BaseException:
        file.close()
        raise
    return witness


def run(settings: WitnessSettings) -> int:
    """Run the witness until SIGTERM; the exit code."""

    async def serve_it(reactor: Any, _ending: Ending) -> Service:
        return await begin(settings, reactor)

    # The stock loop: it has a dozen answers a second to give, and 2 MiB less to hold.
    return serve(serve_it, fast=False)
