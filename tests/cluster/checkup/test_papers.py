"""A running node tells a month ahead that its certificate ends, and stops when it is renewed."""

import datetime as dt
from pathlib import Path

from twisted.internet.task import Clock

from cluster.checkup.papers import PapersWatch
from cluster.chronicle import Chronicle
from config.pki import make_authority, revocation_list
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
async def test_a_list_that_grows_stale_is_told_ahead(tmp_path: Path) -> None:
    """A stale list refuses everybody, on a night of its own choosing."""
    authority = make_authority("board", now())
    papers = Papers(tmp_path)
    given = papers.give("node", "a", until=now() + dt.timedelta(days=400))
    chronicle = Chronicle("a", lambda: now().timestamp(), lambda: 0.0)
    revoked = tmp_path / "revoked.crl"
    tls = TlsSettings(
        ca=given.certificate, certificate=given.certificate, key=given.key, revoked=revoked
    )
    watch = PapersWatch(tls, chronicle, Clock(), lambda where, wrong: None)
    for days, told in ((5, True), (400, False)):
        revoked.write_bytes(revocation_list(authority, now(), days=days))
        await watch.look()
        assert ("list of revoked" in chronicle.alarms.get("certificate-ends", "")) is told
