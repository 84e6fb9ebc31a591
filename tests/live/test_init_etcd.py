"""A board whose record an etcd keeps, from ``mpower init`` on: written, packed, made, paid at."""

import asyncio
import io
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from config.folder import Paths
from protocols.messages import Reply
from tests.etcd_members import Members, etcd_members
from tests.live.pair import HOUSE, Daemons, Pair
from tests.live.test_daemons import CLERK_PASSWORD, files_of, furnish, port_of
from tests.postgres_nodes import on_reactor
from tests.terminals import Terminal
from tests.unpacking import unpack

pytestmark = pytest.mark.etcd


def mpower(*words: str) -> bytes:
    argv = [sys.executable, "-m", "clients", *words]
    said = subprocess.run(argv, cwd=HOUSE, capture_output=True, timeout=60, check=False)
    assert said.returncode == 0, said.stderr.decode()
    return said.stdout


def written(home: Path, etcd: Members) -> Paths:
    """The settings folder of a board, as an operator has it written."""
    members = [word for one in etcd.endpoints for word in ("--etcd", one)]
    words = ["init", str(home), "--name", "demo", "--ports", "auto", "--arbiter", "etcd", *members]
    words += ["--etcd-ca", str(etcd.home / "ca.crt")]
    words += ["--etcd-certificate", str(etcd.home / "etcd.crt")]
    said = mpower(*words, "--etcd-key", str(etcd.home / "etcd.key"), "--json")
    told = msgspec.json.decode(said)
    return msgspec.convert({k: told[k] for k in Paths.__struct_fields__}, Paths, dec_hook=_path)


def _path(kind: type, said: str) -> object:
    return kind(said)


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """Each node has only what was packed for it."""
    with etcd_members() as etcd, tempfile.TemporaryDirectory(prefix="mpower-") as folder:
        etcd.start()
        top = Path(folder)
        top.chmod(0o755)
        paths = written(top / "board", etcd)
        nodes = {name: top / f"server-{name}" for name in ("a", "b")}
        for name, place in nodes.items():
            packed = mpower("--settings", str(paths.home), "pack", name)
            with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
                unpack(tar, place)
        files = {name: place / "node.yaml" for name, place in nodes.items()}
        data = {name: place / "data" / f"node-{name}" for name, place in nodes.items()}
        pair = Daemons(msgspec.structs.replace(paths, nodes=files), paths.home, data)
        try:
            yield pair
        finally:
            pair.close()


@on_reactor
async def test_a_board_on_an_etcd_takes_payments_and_is_succeeded(pair: Pair) -> None:
    pair.start("a", "b")
    await asyncio.to_thread(
        pair.wait, "all answer", lambda s: {s.state("a"), s.state("b")} == {"READING"}
    )
    await asyncio.to_thread(pair.bootstrap, "a")
    await asyncio.to_thread(pair.wait, "b is in sync", lambda s: s.in_sync("a", "b"))
    await furnish(pair)
    files = files_of(pair, "counter", "C001")
    async with Terminal.calling(port_of(pair, "a"), files, "demo") as terminal:
        await terminal.welcome()
        await terminal.sign_in("ravi", CLERK_PASSWORD)
        taken = await terminal.ask("payments.take", ["1000000001", 12_500], 10)
        assert isinstance(taken, Reply), taken
    await asyncio.to_thread(pair.kill, "a")
    seen = await asyncio.to_thread(pair.wait, "b serves", lambda s: s.data["primary"] == "b")
    assert seen.data["record"]["prev"] == "a"
