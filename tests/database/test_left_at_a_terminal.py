"""What one person left unconfirmed at a terminal is never done with another's authority: the next
person hears a sentence and works on, and it is done once its own person is back. The counter's own
program, the house with its rooms and lanes, a real PostgreSQL.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import Struct
from twisted.internet import reactor

from clients.journal import Journal
from clients.link import Link
from protocols.catalogue.payments import Cancel, Take
from protocols.shell.bridge import to_future
from protocols.shell.clock import BootClock
from tests.open_house import CLUSTER, PASSWORD, OpenHouse, house_for_fixture
from tests.postgres_nodes import on_reactor

HERE = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def house() -> Iterator[OpenHouse]:
    yield from house_for_fixture()


def journal_of(folder: Path, counter: str) -> Path:
    return folder / f"{CLUSTER}-counter-{counter}.journal"


async def leave(
    house: OpenHouse, folder: Path, counter: str, who: str, operation: str, body: Struct
) -> None:
    """Sign in, ask for something while the house is shut, and lose power: it stays in the
    journal.
    """
    link = Link(
        [("127.0.0.1", house.port)],
        house.papers.give("counter", counter),
        CLUSTER,
        Journal(journal_of(folder, counter)),
        reactor=reactor,
        clock=BootClock(),
    )
    link.start()
    await to_future(link.sign_in(who, PASSWORD))
    house.stand(open=False, primary="")
    link.submit(operation, body)
    assert len(link.pending()) == 1
    link.stop()
    house.stand(open=True, primary="a")


async def work(house: OpenHouse, folder: Path, counter: str, *typed: str) -> tuple[int, str, str]:
    """Run the counter's program to the end of its input: exit code, answers, talk."""
    files = house.papers.give("counter", counter)
    for path, name in ((files.certificate, "crt"), (files.key, "key")):
        place = folder / f"counter-{counter}.{name}"
        place.unlink(missing_ok=True)
        place.write_bytes(path.read_bytes())
        place.chmod(0o400)
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "clients", "counter"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(HERE),
            "MPOWER_NODES": f"127.0.0.1:{house.port}",
            "MPOWER_CLUSTER": CLUSTER,
            "MPOWER_CA": str(files.ca),
            "MPOWER_CERT": str(folder / f"counter-{counter}.crt"),
            "MPOWER_KEY": str(folder / f"counter-{counter}.key"),
            "MPOWER_JOURNAL": str(folder),
        },
    )
    lines = "".join(f"{one}\n" for one in typed).encode()
    out, err = await asyncio.wait_for(program.communicate(lines), 60)
    assert program.returncode is not None
    return program.returncode, out.decode(), err.decode()


def requests_of(house: OpenHouse, consumer: int) -> list[tuple[str, bool]]:
    return [
        (actor, receipt is not None)
        for actor, receipt in house.rows(
            "SELECT actor, receipt FROM mpower.requests WHERE consumer = %s", consumer
        )
    ]


@pytest.mark.parametrize(("next_one", "consumer"), [("ravi", 1000000011), ("meera", 1000000012)])
@on_reactor
async def test_a_payment_waits_for_its_own_clerk_whoever_signs_in_meanwhile(
    house: OpenHouse, tmp_path: Path, next_one: str, consumer: int
) -> None:
    await leave(house, tmp_path, "C001", "asha", "payments.take", Take(str(consumer), 4_200))
    code, out, err = await work(house, tmp_path, "C001", f"signin {next_one}", PASSWORD, "status")
    assert (code, "MONEY RECEIPT" in out) == (0, False), err
    assert "asha saved a request at this terminal that is not confirmed" in err
    assert f"not confirmed: Rs 42.00 of consumer {consumer} by CASH" in out
    assert requests_of(house, consumer) == [], "neither taken nor refused in another's name"
    audited = house.audited("payments.take")
    assert ("SAVED_BY_ANOTHER", next_one, "counter/C001") in audited
    code, out, _ = await work(house, tmp_path, "C001", "signin asha", PASSWORD, "mine")
    assert (code, out.count("MONEY RECEIPT"), "DUPLICATE" in out) == (0, 1, False)
    assert requests_of(house, consumer) == [("asha", True)]


@on_reactor
async def test_what_an_officer_left_is_not_refused_for_want_of_a_clerks_right(
    house: OpenHouse, tmp_path: Path
) -> None:
    left = Cancel("C003/2026-27/999", "typed twice")
    await leave(house, tmp_path, "C003", "meera", "payments.cancel", left)
    before = house.keys_used("C003")
    code, out, err = await work(
        house, tmp_path, "C003", "signin asha", PASSWORD, "take 1000000013 500"
    )
    assert (code, out.count("MONEY RECEIPT")) == (0, 1), err
    assert "meera saved a request" in err
    assert house.keys_used("C003") == before + 1, "the clerk's own payment, and nothing else"
    code, out, _ = await work(house, tmp_path, "C003", "signin meera", PASSWORD)
    assert "payments.cancel: There is no receipt C003/2026-27/999" in out


@on_reactor
async def test_what_was_taken_before_is_told_to_whoever_is_there(
    house: OpenHouse, tmp_path: Path
) -> None:
    _, out, _ = await work(house, tmp_path, "C004", "signin asha", PASSWORD, "take 1000000014 300")
    assert "MONEY RECEIPT" in out
    journal = Journal(journal_of(tmp_path, "C004"))
    journal._base.execute("UPDATE intents SET verdict = '', answer = x'', shown = 0")
    journal.close()
    code, out, err = await work(house, tmp_path, "C004", "signin ravi", PASSWORD)
    assert (code, out.count("MONEY RECEIPT")) == (0, 1)
    assert "asha saved" not in err
    assert requests_of(house, 1000000014) == [("asha", True)]
