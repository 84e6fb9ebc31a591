"""``mpower pki waiting``, ``sign --waiting``, ``refuse``: what machines asked for over their links
is judged by the folder's own book, whatever the nodes say.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from clients.__main__ import mpower
from config.folder import write_settings
from config.next_papers import NextPapers
from config.pki import identity_of
from config.renewal import public_key, request
from protocols.catalogue.certificates import Settle, Settled, WaitingRow, WaitingRows
from protocols.refusals import Refused
from tests.clients.links import Board
from tests.clients.plans import servers

BY_STDIN, WORD = ("--password-file", "-"), "correct horse battery\n"
SINCE, ADDRESS = "2026-04-01T05:32:00Z", "10.0.0.7:50000"


class Town(Board):
    """An office's folder with its machines' papers, and nodes that keep what was asked."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.home = write_settings(servers(folder / "board")).home
        self.rows: list[WaitingRow] = []
        self.settled: list[Settle] = []

    def papers(self, subject: str) -> tuple[bytes, bytes]:
        file = self.home / "pki" / f"{subject.replace('/', '-')}.crt"
        return file.read_bytes(), file.with_suffix(".key").read_bytes()

    def asks(self, by: str, sent: bytes | None = None) -> None:
        file = self.home / "pki" / f"{by.replace('/', '-')}.crt"
        own = NextPapers(file, file.with_suffix(".key")) if by.startswith("ops/") else None
        said = sent or (own.request() if own else request(*self.papers(by))[0])
        self.rows.append(WaitingRow(len(self.rows) + 1, by, SINCE, ADDRESS, said.decode()))

    def _reply(self, operation: str, body: Any) -> Any:
        if isinstance(body, Settle):
            self.settled.append(body)
            row = self.rows[body.request_id - 1]
            return Settled(row.request_id, row.subject, "SIGNED" if body.certificate else "REFUSED")
        gone = {one.request_id for one in self.settled}
        left = [
            one for one in self.rows if one.request_id > body.after and one.request_id not in gone
        ]
        return WaitingRows(left[:2], len(left) > 2)

    def pki(self, *words: str) -> Result:
        ran = CliRunner()
        return ran.invoke(mpower, ["--settings", str(self.home), "pki", *words], WORD, obj=self.run)


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path)


def test_all_that_waits_is_signed_in_one_go_each_for_its_own_key(town: Town) -> None:
    kinds = ("counter", "bank", "ops")
    files = [one for kind in kinds for one in town.home.glob(f"pki/{kind}-*.crt")]
    before = {one.stem.replace("-", "/", 1): one.read_bytes() for one in files}
    assert {one.partition("/")[0] for one in before} == {"counter", "bank", "ops"}
    for one in before:
        town.asks(one)
    done = town.pki("sign", "--waiting", *BY_STDIN)
    assert done.exit_code == 0, done.output
    assert f"{len(before)} signed." in done.stdout
    for answer, row in zip(town.settled, town.rows, strict=True):
        given = answer.certificate.encode()
        assert str(identity_of(given)).endswith(row.subject)
        assert public_key(given) != public_key(before[row.subject])
    assert "No request waits." in town.pki("sign", "--waiting", *BY_STDIN).stdout


def test_only_those_that_are_named_are_signed(town: Town) -> None:
    town.asks("bank/SBI")
    town.asks("counter/C001")
    assert town.pki("sign", "--waiting", *BY_STDIN, "counter/C001").exit_code == 0
    assert [one.request_id for one in town.settled] == [2]
    missing = town.pki("sign", "--waiting", *BY_STDIN, "counter/C009")
    assert (missing.exit_code, missing.stderr) == (5, "No request of counter/C009 waits.\n")


def _of_another(town: Town) -> None:
    town.asks("counter/C001", request(*town.papers("bank/SBI"))[0])


def _revoked(town: Town) -> None:
    town.asks("counter/C001")
    assert town.pki("revoke", "counter", "C001", "--reason", "key-compromise").exit_code == 0


def _not_by_the_key(town: Town) -> None:
    sent = request(*town.papers("counter/C001"))[0]
    town.asks("counter/C001", sent.replace(sent.splitlines()[-2], b"AAAA"))


def _rubbish(town: Town) -> None:
    town.asks("counter/C001", b"rubbish")


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (_of_another, "it came by the certificate of counter/C001 and asks for"),
        (_revoked, "has no valid certificate here (the last is revoked)"),
        (_not_by_the_key, "the request is not signed by the present certificate's key"),
        (_rubbish, "it is no request"),
    ],
)
def test_what_nobody_may_have_signed_is_named_and_its_neighbour_is_signed(
    town: Town, wrong: Callable[[Town], None], why: str
) -> None:
    wrong(town)
    town.asks("bank/SBI")
    shown = town.pki("waiting", "--json", *BY_STDIN)
    troubles = [one["trouble"] for one in json.loads(shown.stdout)["waiting"]]
    assert why in troubles[0]
    assert troubles[1] == ""
    done = town.pki("sign", "--waiting", *BY_STDIN)
    assert done.exit_code == 5
    assert why in done.stdout
    assert "mpower pki refuse NUMBER" in done.stderr
    assert [one.request_id for one in town.settled] == [2]


def test_cut_off_after_the_signing_the_same_certificate_is_given_again(town: Town) -> None:
    town.asks("counter/C001")
    town.refusing = Refused("BUSY")
    assert town.pki("sign", "--waiting", *BY_STDIN).exit_code == 5
    signed = (town.home / "pki/counter-C001.crt").read_text()
    town.refusing = None
    assert town.pki("sign", "--waiting", *BY_STDIN).exit_code == 0
    assert [one.certificate for one in town.settled] == [signed]


def test_a_request_is_refused_with_what_its_people_read(town: Town) -> None:
    town.asks("counter/C001")
    refused = town.pki("refuse", "1", *BY_STDIN, "--reason", "the counter is closed")
    assert (refused.exit_code, refused.stdout) == (
        0,
        "The request 1 of counter/C001 is refused.\n",
    )
    assert town.settled == [Settle(1, "", "the counter is closed")]


def test_a_file_or_what_waits_not_neither(town: Town) -> None:
    wrong = town.pki("sign")
    assert (wrong.exit_code, "Say the FILE of one request" in wrong.stderr) == (2, True)
