"""Two daemons and a witness as processes: a clerk's payment survives the primary's death, once."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from config.load import load_node
from config.settings import split_address
from mpowerd.running import local_date
from protocols.messages import Reply, Session
from protocols.shell.tls import TlsFiles
from tests.live.pair import Daemons, Pair, live_pair
from tests.postgres_nodes import on_reactor
from tests.terminals import DOWN, Terminal, employ

ADMIN_PASSWORD = "correct horse battery"
CLERK_PASSWORD = "four meters in the dark"
DUES = {"ARREARS": 50_000}
TODAY = local_date()
"""The daemons open a day only near the machine's date."""
YEAR = TODAY.year if TODAY.month >= 4 else TODAY.year - 1


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with live_pair(Daemons) as pair:
        yield pair


def port_of(pair: Pair, node: str) -> int:
    return split_address(load_node(pair.paths.nodes[node]).here.terminals)[1]


def files_of(pair: Pair, kind: str, name: str) -> TlsFiles:
    tls = load_node(pair.paths.nodes["a"]).tls
    certificate, key = pair.paths.certificate(kind, name)
    return TlsFiles(tls.ca, certificate, key, tls.revoked)


async def furnish(pair: Pair) -> None:
    files = files_of(pair, "ops", "ops1")
    async with Terminal.calling(port_of(pair, "a"), files, "demo") as ops:
        await ops.welcome()
        await ops.sign_in("asha", ADMIN_PASSWORD)
        await ops.body("security.add_counter", ["C001", "HO", "COUNTER"], 1)
        await employ(ops, "ravi", "clerk", CLERK_PASSWORD, 10)
        await employ(ops, "meera", "officer", CLERK_PASSWORD, 20)
        row = ["1000000001", "Consumer 1", "1 Road", "LT-1", "M1", "", 2000, DUES]
        await ops.body("consumers.load", ["2026-04-01", [row]], 4)
    files = files_of(pair, "counter", "C001")
    for user, operation, body, number in (
        ("meera", "days.open", [TODAY.isoformat()], 5),
        ("ravi", "shifts.open", [], 6),
    ):
        async with Terminal.calling(port_of(pair, "a"), files, "demo") as counter:
            await counter.welcome()
            await counter.sign_in(user, CLERK_PASSWORD)
            await counter.body(operation, body, number)


@on_reactor
async def test_a_payment_and_its_session_survive_the_primarys_death(pair: Pair) -> None:
    pair.start("w", "a", "b")
    await asyncio.to_thread(
        pair.wait, "all answer", lambda s: {s.state("a"), s.state("b")} == {"READING"}
    )
    await asyncio.to_thread(pair.bootstrap, "a")
    await asyncio.to_thread(pair.wait, "b is in sync", lambda s: s.in_sync("a", "b"))
    await furnish(pair)
    files = files_of(pair, "counter", "C001")
    async with Terminal.calling(port_of(pair, "a"), files, "demo") as terminal:
        await terminal.welcome()
        session = await terminal.sign_in("ravi", CLERK_PASSWORD)
        taken = await terminal.ask("payments.take", ["1000000001", 12_500], 10)
        assert isinstance(taken, Reply), taken
        await asyncio.to_thread(pair.kill, "a")
    await asyncio.to_thread(pair.wait, "b serves", lambda s: s.data["primary"] == "b")
    async with Terminal.calling(port_of(pair, "b"), files, "demo") as terminal:
        welcome = await terminal.welcomed_in_time()
        assert (welcome.node, welcome.business_date) == ("b", TODAY.isoformat())
        assert isinstance(await terminal.resume(session.token), Session)
        again = await terminal.ask("payments.take", ["1000000001", 12_500], 10)
        assert isinstance(again, Reply), again
        assert (again.replay, bytes(again.body)) == (True, bytes(taken.body))
        fresh = await terminal.body("payments.take", ["1000000001", 100], 11)
        assert fresh[0] == f"C001/{YEAR}-{(YEAR + 1) % 100:02d}/2"
        await stolen(pair, terminal)


async def stolen(pair: Pair, terminal: Terminal) -> None:
    """The operator takes the counter's certificate back: its live connection ends, and the next
    one is refused, without a restart of anybody.
    """
    words = ("pki", "revoke", "counter", "C001", "--reason", "key-compromise")
    said = await asyncio.to_thread(pair.command, *words)
    assert said.returncode == 0, said.stderr
    began = time.monotonic()
    assert await terminal.hear() == DOWN
    took_s = time.monotonic() - began
    print(f"a revoked counter was cut off {took_s:.1f} s after the list was written")
    assert took_s < 5
    again = Terminal()
    await again.call(port_of(pair, "b"), files_of(pair, "counter", "C001"), "demo")
    assert await again.hear() == DOWN
    listed = await asyncio.to_thread(pair.command, "pki", "list")
    assert "revoked (key-compromise)" in listed.stdout
