"""A running node tells a month ahead that its certificate ends, and stops when it is renewed."""

import datetime as dt
from pathlib import Path

from msgspec import structs
from twisted.internet.task import Clock

from cluster.checkup.papers import PapersWatch
from cluster.chronicle import Chronicle
from config.settings import TlsSettings
from tests.postgres_nodes import on_reactor
from tests.protocols.papers import Papers, now


@on_reactor
async def test_it_is_told_ahead_and_ends_with_the_renewal(tmp_path: Path) -> None:
    papers = Papers(tmp_path)
    soon = papers.give("node", "a", until=now() + dt.timedelta(days=12))
    later = papers.give("node", "b", until=now() + dt.timedelta(days=400))
    chronicle = Chronicle("a", lambda: now().timestamp() - 86_400, lambda: 0.0)

    async def alarm(certificate: Path) -> str:
        tls = TlsSettings(ca=later.certificate, certificate=certificate, key=later.key)
        watch = PapersWatch(tls, chronicle, Clock(), lambda where, wrong: None)
        await watch.look()
        return chronicle.alarms.get("certificate-ends", "")

    assert "days" in await alarm(soon.certificate)
    assert await alarm(later.certificate) == ""
    assert "cannot be read" in await alarm(tmp_path / "gone")


@on_reactor
async def test_a_list_that_grows_stale_is_told_ahead_and_ends_with_the_next(tmp_path: Path) -> None:
    """A stale list refuses everybody, on a night of its own choosing."""
    papers = Papers(tmp_path)
    mine = papers.give("node", "a", until=now() + dt.timedelta(days=400))
    chronicle = Chronicle("a", lambda: now().timestamp(), lambda: 0.0)
    tls = TlsSettings(ca=mine.certificate, certificate=mine.certificate, key=mine.key)
    tls = structs.replace(tls, revoked=mine.revoked)
    watch = PapersWatch(tls, chronicle, Clock(), lambda where, wrong: None)

    async def alarm() -> str:
        await watch.look()
        assert "certificate-ends" not in chronicle.alarms, "each has its own alarm"
        return chronicle.alarms.get("crl-ends", "")

    papers.revoke(next_update=now() + dt.timedelta(days=31))
    assert await alarm() == ""
    papers.revoke(next_update=now() + dt.timedelta(days=29, hours=1))
    assert "ends in 29 days" in await alarm()
    papers.revoke(next_update=now() - dt.timedelta(hours=1))
    assert "has ended" in await alarm()
    papers.list_path.write_bytes(b"no list")
    assert "cannot be read" in await alarm()
    papers.revoke(next_update=now() + dt.timedelta(days=365))
    assert await alarm() == ""
