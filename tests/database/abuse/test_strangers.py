"""Who is refused in the handshake stands in the audit, by real TLS at a real house's door: who came
from where and why, and a flood writes a bounded number of entries.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from structlog.testing import capture_logs

from mpowerd import business
from protocols.shell import loop_tls
from protocols.shell.refused import Why
from protocols.shell.tls import TlsFiles
from tests.open_house import OpenHouse, house_for_fixture
from tests.postgres_nodes import on_reactor
from tests.protocols.papers import Papers, now

AT = "127.0.0.66"
"""Where the strangers call from."""
FLOOD = 300


@pytest.fixture(scope="module")
def house() -> Iterator[OpenHouse]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(business, "CHORES_EVERY_S", 3_600.0)  # the tests say when a minute is over
        yield from house_for_fixture()


def call(port: int, files: TlsFiles | None, said: bytes = b"") -> None:
    """Knock: with a certificate, with none, or (``said``) without TLS; wait until it is over."""
    with ExitStack() as open_now:
        line = open_now.enter_context(socket.create_connection(("127.0.0.1", port), 5, (AT, 0)))
        try:
            if said:
                line.sendall(said)
            elif files is not None:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                if files.certificate != files.ca:
                    context.load_cert_chain(files.certificate, files.key)
                context.set_alpn_protocols(["mpower/1"])
                line = open_now.enter_context(context.wrap_socket(line))
            while line.recv(100):
                pass
        except OSError:
            return


async def tell(house: OpenHouse) -> list[tuple[Any, ...]]:
    """The minute is over: what was written since."""
    behind = house.house.opening.business
    assert behind is not None
    before = house.rows("SELECT count(*) FROM mpower.audit_entries WHERE what = %s", WHAT)[0][0]
    await behind._chores["refused handshakes"]()
    return house.rows(
        "SELECT object, outcome, subject, role, reason, details FROM mpower.audit_entries"
        " WHERE what = %s ORDER BY at, link OFFSET %s",
        *(WHAT, before),
    )


WHAT = "connection.refused"


def knocks(house: OpenHouse, tmp_path: Path) -> dict[Why, tuple[TlsFiles | None, bytes, str, str]]:
    """By reason: the papers, what is said without TLS, the caller and the words in the audit."""
    papers = house.papers
    foreign = Papers(tmp_path).give("counter", "C001")
    expired = papers.give("counter", "C002", until=now() - dt.timedelta(hours=1))
    stolen = papers.give("counter", "C003")
    serial = _serial(stolen)
    papers.revoke(stolen)
    nobody = TlsFiles(papers.ca, papers.ca, papers.ca)
    chain = "its chain does not hold: "
    return {
        Why.AUTHORITY: (foreign, b"", AT, f"{chain}an unknown authority signed it"),
        Why.OUT_OF_DATE: (expired, b"", AT, f"{chain}it is expired"),
        Why.REVOKED: (
            *(stolen, b"", f"counter/C003 at {AT}"),
            f"the certificate {serial:x} is revoked",
        ),
        Why.MISFIT: (
            *(papers.give("node", "b"), b"", f"node/b at {AT}"),
            "mpower:test/node/b may not speak here",
        ),
        Why.NO_CERTIFICATE: (nobody, b"", AT, "it showed no certificate"),
        Why.NO_TLS: (None, b"GET / HTTP/1.1\r\n\r\n", AT, "it speaks plain HTTP"),
        Why.LATE: (None, b"\x16\x03\x01", AT, "its handshake was not finished in time"),
    }


def _serial(files: TlsFiles) -> int:
    return x509.load_pem_x509_certificate(files.certificate.read_bytes()).serial_number


@on_reactor
async def test_every_refused_handshake_is_in_the_audit_with_who_where_and_why(
    house: OpenHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = knocks(house, tmp_path)
    knocking = {why: call_of(house, one[0], one[1]) for why, one in expected.items()}
    late = knocking.pop(Why.LATE)
    await asyncio.gather(*knocking.values())
    with monkeypatch.context() as soon:
        soon.setattr(loop_tls, "HANDSHAKE_S", 0.5)
        await late
    entries = {one[0]: one[1:] for one in await tell(house)}
    assert set(entries) == {why.value for why in expected}
    for why, (_, _, caller, words) in expected.items():
        outcome, subject, role, reason, details = entries[why.value]
        assert (outcome, subject, role, reason) == ("REFUSED", "node/a", "", words)
        said = json.loads(details)
        assert (said["times"], said["callers"], said["others"]) == (1, {caller: 1}, 0)
    assert await tell(house) == []
    async with house.terminal("C005", "ravi") as neighbour:
        assert await neighbour.code("consumers.dues", ["1000000001"]) == ""


async def call_of(house: OpenHouse, files: TlsFiles | None, said: bytes) -> None:
    await asyncio.to_thread(call, house.port, files, said)


@on_reactor
async def test_a_flood_writes_one_entry_and_a_line_a_second(house: OpenHouse) -> None:
    stolen = house.papers.give("counter", "C004")
    house.papers.revoke(stolen)
    begun = asyncio.get_running_loop().time()
    with capture_logs() as logged:
        for _ in range(FLOOD // 20):
            await asyncio.gather(*(call_of(house, stolen, b"") for _ in range(20)))
        (entry,) = await tell(house)
    lasted_s = asyncio.get_running_loop().time() - begun
    said = json.loads(entry[-1])
    assert (entry[0], said["times"]) == ("revoked", FLOOD)
    assert said["callers"] == {f"counter/C004 at {AT}": FLOOD}
    lines = [one for one in logged if one["event"] == "no handshake"]
    assert 1 <= len(lines) <= lasted_s + 2
    async with house.terminal("night", "admin", "ops") as ops:
        (shown,) = (await ops.body("audit.show", ["", "revoked", WHAT]))[0][:1]
    assert shown[4:6] == [WHAT, "REFUSED"]


@on_reactor
async def test_what_a_standby_refuses_is_told_once_it_is_the_primary(house: OpenHouse) -> None:
    house.stand(open=False, reason="a standby in a test")
    await call_of(house, None, b"GET / HTTP/1.1\r\n\r\n")
    assert house.house.opening.business is None
    before = house.rows("SELECT count(*) FROM mpower.audit_entries WHERE what = %s", WHAT)
    house.stand(open=True, epoch=7)
    await house.house.opening.opened()
    assert house.rows("SELECT count(*) FROM mpower.audit_entries WHERE what = %s", WHAT) == before
    (entry,) = await tell(house)
    assert (entry[0], json.loads(entry[-1])["times"]) == ("no TLS", 1)
