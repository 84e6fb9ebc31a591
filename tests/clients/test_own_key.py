"""A machine renews its own certificate: the key never leaves it, and nobody can ask in its name."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from clients.__main__ import mpower
from config.folder import write_settings
from config.pki import identity_of
from config.renewal import BEGIN, END, private_key, public_key, request
from tests.clients.plans import servers

Run = Callable[..., Result]


@pytest.fixture
def office(tmp_path: Path) -> Path:
    return write_settings(servers(tmp_path / "board")).home


@pytest.fixture
def counter(office: Path, tmp_path: Path) -> Path:
    """The counter's certificate on its own machine."""
    there = tmp_path / "counter-C001.crt"
    there.write_bytes((office / "pki/counter-C001.crt").read_bytes())
    there.with_suffix(".key").write_bytes((office / "pki/counter-C001.key").read_bytes())
    return there


@pytest.fixture
def said(office: Path) -> Run:
    def run(*words: str, sent: bytes = b"") -> Result:
        return CliRunner().invoke(mpower, ["--settings", str(office), "pki", *words], input=sent)

    return run


def asked(said: Run, counter: Path) -> bytes:
    answer = said("request", "--certificate", str(counter))
    assert answer.exit_code == 0, answer.stderr
    return answer.stdout.encode()


def test_a_renewal_where_the_key_stays(said: Run, counter: Path, office: Path) -> None:
    before = counter.read_bytes()
    sent = asked(said, counter)
    assert b"PRIVATE" not in sent
    assert counter.read_bytes() == before, "the present one works on"
    signed = said("sign", "-", sent=sent)
    assert signed.exit_code == 0, signed.stderr
    taken = said("accept", "-", "--certificate", str(counter), sent=signed.stdout.encode())
    assert taken.exit_code == 0, taken.stderr
    now_there = counter.read_bytes()
    assert identity_of(now_there) == identity_of(before)
    key = counter.with_suffix(".key")
    assert private_key(key.read_bytes()).public_key() == public_key(now_there) != public_key(before)
    assert key.stat().st_mode & 0o777 == 0o400
    assert not counter.with_suffix(".next.key").exists()
    assert not (office / "pki/counter-C001.key").exists(), "the office has not its key any more"
    assert said("list").stdout.count("superseded") == 1
    again = said("sign", "-", sent=sent)
    assert again.stdout == signed.stdout, "a request is answered once, and always the same"
    assert said("list").stdout.count("superseded") == 1


def test_nobody_asks_in_anothers_name(said: Run, counter: Path, office: Path) -> None:
    bank = office / "pki/bank-SBI"
    forged, _ = request(
        bank.with_suffix(".crt").read_bytes(), bank.with_suffix(".key").read_bytes()
    )
    mine = asked(said, counter)
    signature = forged.partition(BEGIN)[2].partition(END)[0]
    swapped = mine.partition(BEGIN)[0] + BEGIN + signature + END
    for sent in (swapped, mine.partition(BEGIN)[0], mine.replace(BEGIN, BEGIN + b"AA")):
        refused = said("sign", "-", sent=sent)
        assert (refused.exit_code, refused.stdout) == (5, "")
        assert refused.stderr == ("The request is not signed by the present certificate's key.\n")


@pytest.mark.parametrize("sent", [b"", b"no request", b"x" * 20_000])
def test_what_is_no_request_is_refused(said: Run, sent: bytes) -> None:
    refused = said("sign", "-", sent=sent)
    assert (refused.exit_code, refused.stdout) == (5, "")


def test_who_was_revoked_cannot_renew_himself(said: Run, counter: Path) -> None:
    sent = asked(said, counter)
    said("revoke", "counter", "C001", "--reason", "key-compromise")
    refused = said("sign", "-", sent=sent)
    assert (refused.exit_code, "has no valid certificate here" in refused.stderr) == (5, True)


def test_only_the_answer_to_the_last_request_is_taken(
    said: Run, counter: Path, office: Path
) -> None:
    before = counter.read_bytes()
    early = said("accept", "-", "--certificate", str(counter), sent=before)
    assert (early.exit_code, "Nothing was asked for here" in early.stderr) == (5, True)
    first = said("sign", "-", sent=asked(said, counter)).stdout.encode()
    asked(said, counter)
    bank = (office / "pki/bank-SBI.crt").read_bytes()
    for answer, why in ((first, "another request"), (bank, "another machine"), (b"", "")):
        refused = said("accept", "-", "--certificate", str(counter), sent=answer)
        assert (refused.exit_code, why in refused.stderr) == (5, True)
        assert counter.read_bytes() == before
