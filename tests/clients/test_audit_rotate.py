"""``mpower audit rotate-key`` in a settings folder; that the nodes take the key up, and that all
verifies over takeovers, is tested on a real database (``tests/database/test_audit_keys.py``).
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click.testing
import pytest

from clients.asking import Declined, NotReachable
from clients.door import Exit
from clients.ops.init import loopback_plan
from config.files import write_file
from config.folder import write_settings
from config.pki import signing_key
from protocols.catalogue.audit import ChangeKey, Signers
from protocols.checkpoints import Keys, private_key, public_keys
from protocols.refusals import Refused
from tests.clients.links import Board

WORD = "correct horse battery\n"
Rotate = Callable[..., click.testing.Result]
FILES = ("secrets/audit.key", "pki/audit.pub")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder of its own: what is done to it is meant to stay."""
    return write_settings(loopback_plan(tmp_path / "board")).home


@pytest.fixture
def rotate(call: Callable[..., click.testing.Result], board: Board, home: Path) -> Rotate:
    board.answers |= dict.fromkeys(("audit_signers", "audit_change_key"), signers(home))

    def run(*words: str) -> click.testing.Result:
        said = ("--reason", "yearly change", "--password-file", "-", *words)
        return call("audit", "rotate-key", *said, stdin=WORD)

    return run


def listed(home: Path) -> list[str]:
    keys = public_keys((home / "pki/audit.pub").read_bytes())
    return [keys.print_of(place) for place in range(len(keys))]


def present(home: Path) -> str:
    key = private_key((home / "secrets/audit.key").read_bytes())
    return Keys([key.public_key()]).print_of(0)


def signers(home: Path) -> Signers:
    """What the nodes say that were given this folder's keys, and signed by the newest."""
    prints = listed(home)
    return Signers(prints, prints[-1], True)


def contents(home: Path) -> dict[str, bytes]:
    whole = [one for one in home.rglob("*") if one.is_file()]
    return {one.relative_to(home).as_posix(): one.read_bytes() for one in whole}


def test_a_new_key_is_listed_entered_and_said_where_to_bring(
    rotate: Rotate, board: Board, home: Path
) -> None:
    before = contents(home)
    said = rotate()
    assert said.exit_code == 0, said.output
    former, following = listed(home)
    assert (signers(home).last, present(home)) == (following, following)
    assert (home / FILES[0]).stat().st_mode & 0o777 == 0o400
    assert board.said[-1] == ("audit.change_key", ChangeKey(former, following, "yearly change"))
    assert f"The key {following[:16]} follows {former[:16]}" in said.stdout
    for node in ("a", "b"):
        assert f"mpower pack {node} --part audit | ssh {node} tar -x -C /etc/mpower" in said.stdout
    after = contents(home)
    assert {one for one in after if after[one] != before.get(one)} == set(FILES)
    board.answers |= dict.fromkeys(("audit_signers", "audit_change_key"), signers(home))
    again: Any = json.loads(rotate("--json").stdout)
    assert (again["former"], again["changed"]) == (following, True)
    assert listed(home) == [former, following, again["following"]]


def test_a_dry_run_changes_nothing_and_is_refused_as_the_work_would_be(
    rotate: Rotate, board: Board, home: Path
) -> None:
    before = contents(home)
    said = rotate("--dry-run")
    assert said.exit_code == 0, said.output
    assert "Nothing was changed. A new key would follow" in said.stdout
    assert contents(home) == before
    assert [name for name, _ in board.said] == ["sign in", "audit.signers"]
    board.answers["audit_signers"] = Signers(["ab" * 32], "ab" * 32, True)
    for words in ((), ("--dry-run",)):
        strange = rotate(*words)
        assert strange.exit_code == Exit.REFUSED
        assert f"sign the audit by the key {'ab' * 8}, and yours is" in strange.stderr
    known = listed(home)
    board.answers["audit_signers"] = Signers(["ab" * 32, *known], "ab" * 32, True)
    for words in ((), ("--dry-run",)):
        unused = rotate(*words)
        assert unused.exit_code == Exit.REFUSED
        assert f"nothing is signed by {known[0][:16]} yet" in unused.stderr
    assert contents(home) == before


def test_who_may_not_is_refused_and_nothing_changes(
    rotate: Rotate, board: Board, home: Path
) -> None:
    before = contents(home)
    may_not = Refused("ROLE", purpose="change the key", role="auditor", needed="admin")
    board.answers["audit_signers"] = Declined(may_not.code, may_not.sentence)
    said = rotate()
    assert said.exit_code == Exit.REFUSED
    assert "is not allowed for the role auditor" in said.stderr
    assert contents(home) == before


@pytest.mark.parametrize("cut", ["secrets/audit.next.key", "entered", *reversed(FILES)])
def test_cut_off_anywhere_the_same_word_goes_on(
    rotate: Rotate, board: Board, home: Path, cut: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(path: Path, content: bytes, mode: int = 0o644) -> None:
        if path.relative_to(home).as_posix() == cut:
            raise KeyboardInterrupt
        write_file(path, content, mode)

    def replace(self: Path, target: Path) -> Path:
        if target.relative_to(home).as_posix() == cut:
            raise KeyboardInterrupt
        os.replace(self, target)  # noqa: PTH105 - the method itself is what is replaced
        return target

    former = present(home)
    with monkeypatch.context() as patch:
        patch.setattr("clients.ops.rotate_key.write_file", write)
        patch.setattr(Path, "replace", replace)
        if cut == "entered":
            board.answers["audit_change_key"] = NotReachable("no line")
        assert rotate().exit_code != 0
    board.answers["audit_change_key"] = signers(home)
    assert present(home) == former
    said = rotate()
    assert said.exit_code == 0, said.output
    assert listed(home) == [former, present(home)] != [former, former]
    assert not (home / "secrets/audit.next.key").exists()


def test_a_folder_that_cannot_change_the_key_says_why(rotate: Rotate, home: Path) -> None:
    own, pub = (home / one for one in FILES)
    key = own.read_bytes()
    own.unlink()
    said = rotate()
    assert (said.exit_code, "audit.key is not there" in said.stderr) == (Exit.REFUSED, True)
    write_file(own, signing_key()[0], 0o400)
    assert "is not the newest key of" in rotate().stderr
    write_file(own, b"nothing", 0o400)
    assert "it is not a private key" in rotate().stderr
    write_file(own, key, 0o400)
    write_file(pub, b"nothing")
    assert "it holds no public key" in rotate().stderr


def test_two_people_do_not_change_it_at_once(rotate: Rotate, home: Path) -> None:
    descriptor = os.open(home / "pki", os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        said = rotate()
    finally:
        os.close(descriptor)
    assert said.exit_code == Exit.REFUSED
    assert "at work in this folder" in said.stderr
