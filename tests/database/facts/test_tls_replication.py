"""Between two servers nothing travels in clear: hostssl, scram, and the other's name is checked."""

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from cluster.postgres.control import BLOCKING_NAMES
from cluster.postgres.place import PostgresPlan, TlsFiles
from cluster.postgres.process import ProcessControl
from cluster.postgres.troubles import CommandFailedError, MisplacedError
from config.pki import Authority, Identity, issue, make_authority
from tests.postgres_nodes import (
    PASSWORD,
    SYNC_NAME,
    control_for,
    fresh_folder,
    initialise_quickly,
    on_reactor,
    plan_for,
)

pytestmark = pytest.mark.tls


def papers(authority: Authority, folder: Path, node: str, host: str) -> TlsFiles:
    """A node's three files as `mpower init` leaves them: root's, the key private."""
    issued = issue(authority, Identity("demo", "node", node), dt.datetime.now(dt.UTC), [host])
    files = TlsFiles(folder / f"{node}.crt", folder / f"{node}.key", folder / "ca.crt")
    files.certificate.write_bytes(issued.certificate)
    files.key.write_bytes(issued.key)
    files.key.chmod(0o400)
    files.authority.write_bytes(authority.certificate.public_bytes(serialization.Encoding.PEM))
    return files


async def prepared(plan: PostgresPlan, password: str = PASSWORD) -> ProcessControl:
    control = control_for(plan)
    await control.prepare(password)
    return control


@asynccontextmanager
async def primary(folder: Path, host: str) -> AsyncIterator[tuple[PostgresPlan, ProcessControl]]:
    """A primary whose certificate is for `host`."""
    authority = make_authority("demo", dt.datetime.now(dt.UTC))
    plan = replace(plan_for(folder, "a"), tls=papers(authority, folder, "a", host))
    papers(authority, folder, "b", "127.0.0.1")
    control = await prepared(plan)
    await initialise_quickly(control, plan)
    await control.start(as_standby=False, names="")
    await control.admit()
    try:
        yield plan, control
    finally:
        await control.stop("immediate")


def standby_plan(folder: Path) -> PostgresPlan:
    files = TlsFiles(folder / "b.crt", folder / "b.key", folder / "ca.crt")
    return replace(plan_for(folder, "b"), tls=files)


@on_reactor
async def test_a_pair_replicates_through_tls_and_refuses_clear_text_and_a_wrong_password() -> None:
    with fresh_folder() as folder:
        async with primary(folder, "127.0.0.1") as (plan, a):
            b = await prepared(standby_plan(folder))
            source = b.conninfo("127.0.0.1", plan.port, SYNC_NAME)
            assert "sslmode=verify-full" in source
            clear = source.replace("sslmode=verify-full", "sslmode=disable")
            with pytest.raises(CommandFailedError, match="no encryption"):
                await b.clone(clear, None)
            await b.prepare("another password")
            with pytest.raises(CommandFailedError, match="password authentication failed"):
                await b.clone(source, None)
            await b.prepare(PASSWORD)
            await b.clone(source, None)
            await b.start(as_standby=True, names=BLOCKING_NAMES, conninfo=source)
            try:
                await a.set_names(f'ANY 1 ("{SYNC_NAME}")')
                await a.barrier(10)
                async with a.sessions.open(local=True) as session:
                    query = b"SELECT version FROM pg_stat_ssl JOIN pg_stat_replication USING (pid)"
                    rows = await (await session.execute(query)).fetchall()
                assert [row[0] in {"TLSv1.2", "TLSv1.3"} for row in rows] == [True]
            finally:
                await b.stop("immediate")


@on_reactor
async def test_a_server_with_somebody_else_s_certificate_is_not_copied() -> None:
    with fresh_folder() as folder:
        async with primary(folder, "10.9.9.9") as (plan, _):
            b = await prepared(standby_plan(folder))
            with pytest.raises(CommandFailedError, match=r"does not match host name"):
                await b.clone(b.conninfo("127.0.0.1", plan.port, SYNC_NAME), None)


@on_reactor
async def test_an_open_address_without_certificates_does_not_start() -> None:
    with fresh_folder() as folder:
        plan = replace(plan_for(folder, "a"), listen=("192.0.2.1",))
        with pytest.raises(MisplacedError, match="needs a certificate"):
            await control_for(plan).prepare(PASSWORD)
