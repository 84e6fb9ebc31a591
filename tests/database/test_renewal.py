"""A machine renews its certificate over its own link to a whole house: real TLS, real files, a real
database; the authority signs outside.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from twisted.internet import reactor
from twisted.internet.defer import ensureDeferred

from clients.journal import Journal
from clients.link import Link
from clients.renewing import Renewal
from config.next_papers import NextPapers
from config.renewal import asked_key
from config.terminals import RenewalSettings
from protocols.catalogue.body import Nothing
from protocols.catalogue.payments import Mine, Take
from protocols.desk import State
from protocols.shell.bridge import to_future
from protocols.shell.clock import BootClock
from protocols.shell.tls import TlsFiles
from tests.open_house import CLUSTER, PASSWORD, OpenHouse, house_for_fixture
from tests.postgres_nodes import on_reactor
from tests.protocols.papers import Papers, now

SOON = RenewalSettings(before_days=45, warn_days=14)


@pytest.fixture(scope="module")
def house() -> Iterator[OpenHouse]:
    yield from house_for_fixture()


class Machine:
    """A counter or a bank with its link, its files and what its people were told."""

    def __init__(self, house: OpenHouse, folder: Path, kind: str, name: str) -> None:
        self.house, self.kind, self.name = house, kind, name
        self.said: list[str] = []
        self.files = house.papers.give(kind, name)
        self.link = Link(
            [("127.0.0.1", house.port)],
            self.files,
            CLUSTER,
            Journal(folder / f"{name}.journal"),
            reactor=reactor,
            clock=BootClock(),
            principal=kind == "bank",
        )
        self.papers = NextPapers(self.files.certificate, self.files.key, self.files.ca)

    async def once(self, settings: RenewalSettings = SOON, at: dt.datetime | None = None) -> None:
        """One look, as at a start of the program."""
        renewal = Renewal(self.link, self.files, settings, self.said.append, lambda: at or now())
        await to_future(ensureDeferred(renewal.once()))

    def serial(self) -> int:
        return x509.load_pem_x509_certificate(self.files.certificate.read_bytes()).serial_number

    @property
    def states(self) -> list[tuple[Any, ...]]:
        return self.house.rows(
            "SELECT state FROM mpower.certificate_requests WHERE subject = %s ORDER BY request_id",
            f"{self.kind}/{self.name}",
        )

    async def answered(self, papers: Papers | None = None, **how: Any) -> x509.Certificate:
        """An administrator answers what waits, with a certificate of these papers."""
        async with self.house.terminal("night", "admin", "ops") as ops:
            rows, _ = await ops.body("certificates.waiting", [0])
            (row,) = [one for one in rows if one[1] == f"{self.kind}/{self.name}"]
            key = asked_key(row[4].encode(), f"mpower:{CLUSTER}/{self.kind}/{self.name}")
            made = (papers or self.house.papers).sign(key, self.kind, self.name, **how)
            pem = made.public_bytes(serialization.Encoding.PEM).decode()
            await ops.body("certificates.settle", [row[0], pem, ""], 7_000 + row[0])
        return made


@asynccontextmanager
async def machine(
    house: OpenHouse, folder: Path, name: str, kind: str = "counter", user: str = "asha"
) -> AsyncIterator[Machine]:
    made = Machine(house, folder, kind, name)
    made.link.start()
    try:
        if kind == "counter":
            await to_future(made.link.sign_in(user, PASSWORD))
        yield made
    finally:
        made.link.stop()


@pytest.mark.parametrize(("kind", "name"), [("counter", "C001"), ("bank", "SBI")])
@on_reactor
async def test_it_asks_waits_fetches_tries_and_then_switches(
    house: OpenHouse, tmp_path: Path, kind: str, name: str
) -> None:
    async with machine(house, tmp_path, name, kind) as m:
        before, earlier = m.serial(), tmp_path / "earlier.pem"
        earlier.write_bytes(m.files.certificate.read_bytes())
        await m.once()
        await m.once()  # it waits; nothing is asked twice
        assert m.states == [("WAITING",)]
        assert m.papers.next_key.stat().st_mode & 0o777 == 0o400
        assert all("nobody has signed" in one for one in m.said)
        made = await m.answered()
        await m.once()
        assert m.serial() == made.serial_number != before
        assert m.states == [("USED",)]
        assert not m.papers.next_key.exists()
        assert m.files.key.stat().st_mode & 0o777 == 0o400
        house.papers.revoke(TlsFiles(m.files.ca, earlier, m.files.key))
        await asyncio.sleep(1.2)  # who is connected by a revoked certificate is cut off by then
        assert m.link.standing.state is State.READY
        await to_future(m.link.ask("days.today", Nothing()))  # the session went with it


@on_reactor
async def test_a_payment_under_way_is_answered_over_the_new_papers(
    house: OpenHouse, tmp_path: Path
) -> None:
    async with machine(house, tmp_path, "C002", user="ravi") as m:
        await m.once()
        await m.answered()
        taken = m.link.submit("payments.take", Take("1000000011", 700))
        await m.once()
        assert (await to_future(taken)).body.amount_paise == 700
        assert m.states == [("USED",)]
        assert house.rows("SELECT count(*) FROM mpower.requests WHERE consumer = 1000000011") == [
            (1,)
        ]


@on_reactor
async def test_long_before_the_end_nothing_is_asked(house: OpenHouse, tmp_path: Path) -> None:
    async with machine(house, tmp_path, "C003") as m:
        await m.once(at=now() - dt.timedelta(days=60))
        await m.once(RenewalSettings(before_days=0))
        assert m.states == []
        await m.once(RenewalSettings(before_days=45, warn_days=0))
        assert (m.states, m.said) == ([("WAITING",)], [])


@on_reactor
async def test_a_certificate_nobody_lets_in_is_put_away_and_the_present_one_works_on(
    house: OpenHouse, tmp_path: Path
) -> None:
    async with machine(house, tmp_path, "C004") as m:
        await m.once()
        before = m.serial()
        made = await m.answered(uses=())  # of our authority, and for no use
        assert made.serial_number != before
        m.said.clear()
        await m.once()
        assert m.serial() == before
        assert not m.papers.ready()
        assert "No server lets the next certificate in" in m.said[-1]
        await to_future(m.link.ask("payments.mine", Mine()))
        await m.once()
        assert m.states == [("SIGNED",), ("WAITING",)]


@pytest.mark.parametrize("wrong", ["authority", "date"])
@on_reactor
async def test_an_answer_of_another_authority_or_time_is_not_even_tried(
    house: OpenHouse, tmp_path: Path, wrong: str
) -> None:
    async with machine(house, tmp_path, "C005") as m:
        await m.once()
        before = m.serial()
        (tmp_path / "foreign").mkdir()
        if wrong == "authority":
            await m.answered(Papers(tmp_path / "foreign", CLUSTER))
        else:
            await m.answered(until=now() - dt.timedelta(hours=1))
        await m.once()
        assert m.serial() == before
        why = "no authority of" if wrong == "authority" else "the certificate is for"
        assert why in m.said[-1]


@on_reactor
async def test_a_refusal_is_told_and_the_machine_asks_anew(
    house: OpenHouse, tmp_path: Path
) -> None:
    async with machine(house, tmp_path, "C006") as m:
        await m.once()
        async with house.terminal("night", "admin", "ops") as ops:
            rows, _ = await ops.body("certificates.waiting", [0])
            number = next(one[0] for one in rows if one[1] == "counter/C006")
            await ops.body("certificates.settle", [number, "", "this counter closes"], 9_500)
        await m.once()
        assert "refused the next certificate: this counter closes." in m.said[-1]
        await m.once()
        assert m.states == [("REFUSED",), ("WAITING",)]


@on_reactor
async def test_cut_off_between_the_two_files_the_switch_is_ended_at_the_next_start(
    house: OpenHouse, tmp_path: Path
) -> None:
    async with machine(house, tmp_path, "C007") as m:
        await m.once()
        made = await m.answered()
        sent = m.papers.request()
        m.papers.take(made.public_bytes(serialization.Encoding.PEM), now())
        m.files.key.unlink()
        m.files.key.write_bytes(m.papers.next_key.read_bytes())  # and then the power went
        m.papers.mend()
        assert m.serial() == made.serial_number
        assert m.papers.switched() == sent
        await m.once(RenewalSettings(before_days=0))
        assert m.states == [("USED",)]
