"""The operator's book: issue, renew with overlap, revoke, and the change of the authority; what it
wrote is judged by the handshake's own rules.
"""

import datetime as dt
import stat
from pathlib import Path

import pytest
from cryptography import x509

from config.files import write_file
from config.folder import write_settings
from config.pki import LIST_DAYS, Identity, PkiError, identity_of, lists_from
from config.registry import Listed, Registry
from protocols.shell.refused import PeerRefused
from protocols.shell.revoked import Revoked
from tests.clients.plans import servers

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
DAY = dt.timedelta(days=1)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return write_settings(servers(tmp_path / "board"), NOW).home


def one(home: Path, kind: str, name: str, now: dt.datetime = NOW) -> Listed:
    found = [it for it in Registry(home).listed(now) if (it.kind, it.name) == (kind, name)]
    return found[0]


def judged(home: Path, file: Path, now: dt.datetime = NOW) -> str:
    """What a machine with this folder's authorities and list says to a certificate."""
    pki = home / "pki"
    trusted = x509.load_pem_x509_certificates((pki / "ca.crt").read_bytes())
    leaf = x509.load_pem_x509_certificate(file.read_bytes())
    issuers = [it for it in trusted if it.subject == leaf.issuer]
    if not issuers:
        return "unknown authority"
    leaf.verify_directly_issued_by(issuers[0])
    try:
        Revoked(pki / "revoked.crl", trusted).check(leaf, now)
    except PeerRefused as refused:
        return str(refused)
    return ""


def test_what_init_wrote_is_the_whole_book(home: Path) -> None:
    listed = Registry(home).listed(NOW)
    assert [(it.kind, it.name) for it in listed] == [
        ("bank", "SBI"),
        ("counter", "C001"),
        ("node", "a"),
        ("node", "b"),
        ("ops", "ops1"),
        ("witness", "w"),
    ]
    assert {it.state for it in listed} == {"valid"}
    assert {it.state for it in Registry(home).listed(NOW + 400 * DAY)} == {"expired"}


def test_a_new_counter_gets_its_own_and_a_second_one_only_by_renewal(home: Path) -> None:
    who = Identity("board", "counter", "C002")
    file = Registry(home).issue(who, NOW, [], 366)
    assert identity_of(file.read_bytes()) == who
    assert stat.S_IMODE(file.with_suffix(".key").stat().st_mode) == 0o400
    with pytest.raises(PkiError, match="has a valid certificate"):
        Registry(home).issue(who, NOW, [], 366)


def test_a_renewal_is_the_same_machine_with_another_key_and_both_are_valid(home: Path) -> None:
    before = one(home, "node", "a")
    old = before.file.read_bytes()
    file = Registry(home).renew(before, NOW + 340 * DAY, 366)
    new = file.read_bytes()
    assert identity_of(new) == identity_of(old)
    names = [
        x509.load_pem_x509_certificate(pem).extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
        for pem in (old, new)
    ]
    assert set(names[0].value) == set(names[1].value), "a server is reached by the same hosts"
    mine = [it for it in Registry(home).listed(NOW) if (it.kind, it.name) == ("node", "a")]
    assert [it.state for it in mine] == ["valid", "superseded"]
    assert [judged(home, it.file) for it in mine] == ["", ""]


def test_the_revoked_is_refused_with_its_reason_and_stays_so(home: Path) -> None:
    lost = one(home, "counter", "C001")
    Registry(home).revoke([lost], "key-compromise", NOW)
    Registry(home).revoke([one(home, "bank", "SBI")], "retired", NOW + DAY)
    Registry(home).publish(NOW + 2 * DAY)
    again = one(home, "counter", "C001")
    assert (again.state, again.reason) == ("revoked", "key-compromise")
    assert "is revoked" in judged(home, lost.file)
    (entry,) = [
        it
        for it in lists_from((home / "pki/revoked.crl").read_bytes())[0]
        if f"{it.serial_number:x}" == lost.serial
    ]
    assert entry.revocation_date_utc == NOW
    with pytest.raises(PkiError, match="'issue' gives it a new one"):
        Registry(home).renew(again, NOW, 366)
    Registry(home).issue(Identity("board", "counter", "C001"), NOW, [], 366)
    assert judged(home, one(home, "counter", "C001").file) == ""


def test_a_list_lasts_as_long_as_said_and_then_refuses_everybody(home: Path) -> None:
    file = one(home, "counter", "C001").file
    assert judged(home, file, NOW + (LIST_DAYS - 1) * DAY) == ""
    assert "stale" in judged(home, file, NOW + LIST_DAYS * DAY)
    Registry(home).publish(NOW + 300 * DAY, days=90)
    assert judged(home, file, NOW + 389 * DAY) == ""
    assert "stale" in judged(home, file, NOW + 390 * DAY)


def test_a_rotation_overlaps_and_ends_only_when_nobody_needs_the_old_one(home: Path) -> None:
    before = one(home, "counter", "C001")
    Registry(home).begin(NOW)
    assert judged(home, before.file) == "", "the old one's certificates go on"
    with pytest.raises(PkiError, match="a rotation is under way"):
        Registry(home).begin(NOW)
    for it in Registry(home).listed(NOW):
        Registry(home).renew(it, NOW, 366)
    assert {it.authority for it in Registry(home).listed(NOW) if it.state == "valid"} == {
        "board authority 2"
    }
    assert {judged(home, it.file) for it in Registry(home).listed(NOW)} == {""}
    with pytest.raises(PkiError, match=r"still valid: bank SBI .* and 1 more"):
        Registry(home).finish(NOW)
    Registry(home).revoke(Registry(home).waiting(NOW), "superseded", NOW)
    assert {judged(home, it.file) for it in Registry(home).listed(NOW) if it.state == "valid"} == {
        ""
    }
    Registry(home).finish(NOW)
    assert not (home / "pki/ca-old.key").exists()
    earlier = next((home / "pki/earlier").glob("counter-C001*"))
    assert judged(home, earlier) == "unknown authority"
    assert judged(home, one(home, "counter", "C001").file) == ""
    with pytest.raises(PkiError, match="no rotation is under way"):
        Registry(home).finish(NOW)
    Registry(home).begin(NOW)
    assert Registry(home).generation == 3


def test_an_old_authoritys_certificate_that_nobody_renewed_keeps_it_open(home: Path) -> None:
    Registry(home).begin(NOW)
    for it in Registry(home).listed(NOW):
        if it.kind != "bank":
            Registry(home).renew(it, NOW, 366)
    Registry(home).revoke(
        [it for it in Registry(home).waiting(NOW) if it.kind != "bank"], "superseded", NOW
    )
    with pytest.raises(PkiError, match=r"still valid: bank SBI \(\w{8}\)$"):
        Registry(home).finish(NOW)
    Registry(home).finish(NOW + 367 * DAY)


@pytest.mark.parametrize("cut", ["lists", "key", "trusted"])
def test_a_rotation_that_was_cut_off_is_begun_again(
    home: Path, cut: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut after any of its files: the folder still works, and the same word goes on."""
    stop = {"lists": "revoked.crl", "key": "ca.key", "trusted": "ca.crt"}[cut]

    def write(path: Path, content: bytes, mode: int = 0o644) -> None:
        if path.name == stop:
            raise KeyboardInterrupt
        write_file(path, content, mode)

    monkeypatch.setattr("config.registry.write_file", write)
    with pytest.raises(KeyboardInterrupt):
        Registry(home).begin(NOW)
    monkeypatch.undo()
    assert judged(home, one(home, "counter", "C001").file) == ""
    Registry(home).begin(NOW)
    assert Registry(home).rotating
    file = Registry(home).renew(one(home, "counter", "C001"), NOW, 366)
    assert judged(home, file) == ""


def test_without_its_key_the_authority_gives_nothing_and_says_where_it_belongs(home: Path) -> None:
    (home / "pki/ca.key").unlink()
    with pytest.raises(PkiError, match=r"put\s+ca\.key there from where it is kept"):
        Registry(home).publish(NOW)
    assert len(Registry(home).listed(NOW)) == 6, "looking needs no key"


def test_a_folder_that_is_not_whole_is_named(home: Path) -> None:
    (home / "pki/revoked.crl").write_bytes(b"")
    with pytest.raises(PkiError, match="no list of revoked"):
        Registry(home)
    (home / "pki/ca.crt").unlink()
    with pytest.raises(PkiError, match=r"ca\.crt cannot be read \(No such file"):
        Registry(home)


def test_nothing_lasts_longer_than_its_authority(home: Path) -> None:
    late = NOW + 3600 * DAY
    file = Registry(home).renew(one(home, "ops", "ops1"), late, 366)
    leaf = x509.load_pem_x509_certificate(file.read_bytes())
    assert leaf.not_valid_after_utc <= Registry(home).trusted[0].not_valid_after_utc
    with pytest.raises(PkiError, match="rotate begin"):
        Registry(home).renew(one(home, "ops", "ops1"), NOW + 3653 * DAY, 366)
