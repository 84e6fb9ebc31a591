"""A canary password is typed at every door there is, and then looked for on every disk and in every
word: journal, log, audit, requests, WAL, PostgreSQL's own log, replies.
"""

from __future__ import annotations

import base64
import io
import logging
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import structlog
from twisted.internet import reactor
from twisted.internet.defer import ensureDeferred
from twisted.logger import globalLogPublisher

from clients.asking import Declined
from clients.insisting import Insisting
from clients.journal import Journal
from clients.link import Link
from mpowerd import logs
from protocols.catalogue import CATALOGUE
from protocols.catalogue.security import AddPerson, AddUser, EnrolFactor, ResetPassword
from protocols.operation import SECRET_FIELDS, Role
from protocols.shell.bridge import to_asyncio
from protocols.shell.clock import BootClock
from protocols.shell.stream import Stream
from tests.open_house import CLUSTER, PASSWORD, OpenHouse, house_for_fixture
from tests.postgres_nodes import on_reactor
from tests.terminals import Terminal

CANARY = "canary yellow bird 4711"
SECOND = "second canary green bird 4712"
FACTOR = "CANARYCANARYCANARYCANARYCANARY23"
TRACES = (CANARY, SECOND, FACTOR)
SOUGHT = [
    shape
    for one in TRACES
    for shape in (
        one.encode(),
        one.encode().hex().encode(),
        base64.b64encode(one.encode()),
        one.encode("utf-16-le"),
    )
]
"""As text, as hexadecimal, in base 64, as wide characters."""


@pytest.fixture(scope="module")
def house() -> Iterator[OpenHouse]:
    yield from house_for_fixture()


@pytest.fixture
def sink() -> Iterator[io.StringIO]:
    """What a node at the most talkative level says."""
    before, level = list(logging.getLogger().handlers), logging.getLogger().level
    said = io.StringIO()
    logs.configure("debug", said)
    yield said
    structlog.reset_defaults()
    globalLogPublisher.removeObserver(logs._from_twisted)
    logging.getLogger().handlers[:] = before
    logging.getLogger().setLevel(level)


async def at_the_desk(house: OpenHouse, folder: Path) -> None:
    """What an operator's commands do: the product's own link with its journal in ``folder``."""
    link = Link(
        [("127.0.0.1", house.port)],
        house.papers.give("ops", "desk"),
        CLUSTER,
        Journal(folder / "desk.journal"),
        reactor=reactor,
        clock=BootClock(),
    )
    link.start()
    ops = Insisting(link)
    try:
        await ops.sign_in("admin", PASSWORD)
        await ops.submit("security.add_person", AddPerson("E-CAN", "Canary", "Staff", "HO"))
        await ops.submit("security.add_user", AddUser("can", "E-CAN", Role.CLERK, CANARY))
        await ops.submit("security.reset_password", ResetPassword("can", SECOND, "a drill"))
        with pytest.raises(Declined, match="CODE_WRONG"):
            await ops.submit("security.enrol_factor", EnrolFactor(FACTOR, "000000"))
    finally:
        link.stop()


async def fault(house: OpenHouse, ops: Terminal) -> None:
    """A fault of ours amid a new password: its traceback is logged, by us and by PostgreSQL."""
    with psycopg.connect(house.node.conninfo, autocommit=True) as connection:
        connection.execute("ALTER FUNCTION mpower.reset_password_v1 RENAME TO gone")
        assert (
            await ops.code("security.reset_password", ["can", CANARY, "a drill"], 9000) == "FAULT"
        )
        connection.execute("ALTER FUNCTION mpower.gone RENAME TO reset_password_v1")


async def every_door(house: OpenHouse, folder: Path) -> list[bytes]:
    """Type the canaries wherever a secret can be typed; gives every frame that came back."""
    await to_asyncio(ensureDeferred(at_the_desk(house, folder)))
    async with house.terminal("desk", "admin", "ops") as ops:
        await fault(house, ops)
    async with house.terminal("C003") as terminal:
        frames: list[bytes] = []
        hear = terminal.frame_came

        def came(stream: Stream, payload: bytes) -> None:
            frames.append(payload)
            hear(stream, payload)

        terminal.frame_came = came  # type: ignore[method-assign]
        assert await terminal.refused_sign_in("can", CANARY) == "SIGN_IN_FAILED"
        assert await terminal.refused_sign_in("nobody", CANARY) == "SIGN_IN_FAILED"
        await terminal.sign_in("can", SECOND)
        assert await terminal.code("consumers.find", ["name", CANARY, 10, "more"]) == "BAD_BODY"
    return frames


def left_on_disk(*folders: Path) -> list[str]:
    return [
        str(path)
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and any(one in path.read_bytes() for one in SOUGHT)
    ]


@on_reactor
async def test_a_password_typed_anywhere_is_written_nowhere(
    house: OpenHouse, sink: io.StringIO, tmp_path: Path
) -> None:
    frames = await every_door(house, tmp_path)
    with psycopg.connect(house.node.conninfo, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
    assert frames
    assert '"exception"' in sink.getvalue()
    assert [one for one in frames if any(trace in one for trace in SOUGHT)] == []
    assert not any(trace in sink.getvalue() for trace in TRACES)
    assert left_on_disk(tmp_path, house.node.plan.data_dir, house.papers.folder) == []
    assert house.audited("security.add_user")[-1][:2] == ("DONE", "admin")


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "page").write_bytes(b"\0\1" + CANARY.encode() + b"\2")
    assert left_on_disk(tmp_path) == [str(tmp_path / "page")]


def test_every_field_that_holds_a_secret_is_known_to_be_one() -> None:
    named = {
        field
        for operation in CATALOGUE
        for field in operation.request.__struct_fields__
        if logs.SECRETS.search(field)
    }
    assert named - {"body"} == set(SECRET_FIELDS)
    # a request for approval keeps a whole body, so what two people decide about holds no secret
    assert [one.name for one in CATALOGUE if one.four_eyes and one.holds_secret] == []


CORE = (
    "import resource as r, mpowerd.__main__ as m; m.leave_no_core();"
    " print(r.getrlimit(r.RLIMIT_CORE))"
)


def test_no_crash_writes_a_core() -> None:
    said = subprocess.run(
        [
            *(sys.executable, "-c"),
            CORE,
        ],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: (
            resource.setrlimit(
                resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            )
            if resource.getrlimit(resource.RLIMIT_CORE)[1] == resource.RLIM_INFINITY
            else None
        ),
    ).stdout
    assert said.strip() == "(0, 0)"
