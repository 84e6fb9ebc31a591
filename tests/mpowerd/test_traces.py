"""What is done beside the rooms leaves traces, and each says who, what, before and after, why."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from config.pki import Authority, Identity, issue, make_authority, revocation_list, revoke
from config.registry import REASONS
from mpowerd.audit.traces import of_papers, of_record, of_settings
from mpowerd.traces import Traces
from protocols.annals import Entry
from tests.postgres_nodes import on_reactor

NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
BEGUN = Entry(1, 1, 1, "a", "a-1-0-bootstrap", by="a", reason="bootstrap", wall_time=1.5, sync="b")
FORCED = Entry(1, 2, 2, "b", "b-7-1-failover", "b", "forced by ops/dev; payments may be lost")


def test_every_change_of_the_record_is_one_with_the_record_before_it() -> None:
    opened = Entry(1, 3, 2, "b", "b-7-2-open", by="b")
    made, forced, served = of_record([opened, FORCED, BEGUN])  # as two nodes told them
    assert (made.what, made.about) == ("cluster.bootstrap", "record/1/1/a-1-0-bootstrap")
    assert made.before == {}
    assert made.after["made"] == "1970-01-01T00:00:01.500+00:00"
    assert forced.what == "cluster.failover"
    assert forced.before == {"primary": "a", "copy": "b", "term": "1"}
    assert forced.after.items() >= {"primary": "b", "copy": "", "term": "2", "by": "b"}.items()
    assert forced.reason == "forced by ops/dev; payments may be lost"
    assert served.what == "cluster.open"


def trusted(*authorities: Authority) -> bytes:
    return b"".join(one.certificate.public_bytes(Encoding.PEM) for one in authorities)


def taken_back(authority: Authority) -> tuple[bytes, str]:
    """A list with one certificate on it, and that one's serial."""
    given = issue(authority, Identity("board", "counter", "C1"), NOW, (), 30).certificate
    reason = REASONS["key-compromise"]
    listed = revoke(authority, revocation_list(authority, NOW), given, NOW, reason)
    return listed, f"{x509.load_pem_x509_certificate(given).serial_number:x}"


def test_a_list_tells_each_certificate_it_takes_back_and_until_when_it_holds() -> None:
    old, new = (make_authority("board", NOW, generation=one) for one in (1, 2))
    listed, serial = taken_back(old)
    authorities, first, gone, second = of_papers(
        trusted(new, old), listed + revocation_list(new, NOW)
    )
    assert authorities.what == "pki.trusted"
    assert len(authorities.after) == 2, "a rotation under way trusts two"
    assert (first.what, first.after["revoked"]) == ("pki.list", "1")
    assert first.after["until"].startswith("2027-11-02")
    assert (gone.what, gone.about) == ("pki.revoked", f"certificate/{serial}")
    assert gone.after == {"since": NOW.isoformat(), "why": "keyCompromise"}
    assert (second.about, second.after["revoked"]) != (first.about, "1")


def test_a_list_that_no_trusted_authority_signed_says_nothing() -> None:
    ours, stranger = (make_authority("board", NOW) for _ in "ab")
    listed, _ = taken_back(stranger)  # under our authority's very name
    assert [one.what for one in of_papers(trusted(ours), listed)] == ["pki.trusted"]
    assert [one.what for one in of_papers(trusted(ours), b"torn")] == ["pki.trusted"]
    assert of_papers(b"torn", listed) == []


def test_settings_are_told_by_their_keys_and_what_is_not_set_is_not() -> None:
    told = of_settings("a", {"limits.pool": 8, "tls.revoked": None, "links": ["x", "y"]})
    assert (told.what, told.about) == ("cluster.settings", "settings/a")
    assert told.after == {"limits.pool": "8", "links": "['x', 'y']"}


@on_reactor
async def test_what_did_not_change_is_the_same_and_what_cannot_be_read_comes_later(
    tmp_path: Path,
) -> None:
    ours = make_authority("board", NOW)
    history, listed = [BEGUN], tmp_path / "revoked.crl"
    (tmp_path / "ca.crt").write_bytes(trusted(ours))
    look = Traces("a", lambda: list(history), tmp_path / "ca.crt", listed, {"limits.pool": 8})
    found = await look()
    assert [one.what for one in found] == ["cluster.bootstrap", "pki.trusted", "cluster.settings"]
    assert await look() is found
    listed.write_bytes(taken_back(ours)[0])
    history.append(FORCED)
    assert {one.what for one in await look()} - {one.what for one in found} == {
        *("cluster.failover", "pki.list", "pki.revoked")
    }
