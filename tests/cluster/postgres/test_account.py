"""Who runs PostgreSQL, and which folders bar the way."""

import os
import pwd
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.postgres.account import Account, choose_account, first_barrier
from cluster.postgres.troubles import MisplacedError

STRANGER = Account("stranger", 54321, 54321, (65432,), switches=True)


def users(**known: int) -> "type[pwd.struct_passwd] | object":
    def lookup(name: str) -> pwd.struct_passwd:
        return pwd.struct_passwd((name, "x", known[name], known[name], "", "/", "/bin/sh"))

    return lookup


def test_root_takes_the_first_default_that_exists() -> None:
    chosen = choose_account(None, euid=0, lookup=users(postgres=101, nobody=65534))  # type: ignore[arg-type]
    assert (chosen.name, chosen.uid, chosen.switches) == ("postgres", 101, True)


def test_root_takes_the_configured_user_or_none() -> None:
    lookup = users(board=1200, postgres=101, root=0)
    chosen = choose_account("board", euid=0, lookup=lookup)  # type: ignore[arg-type]
    assert chosen.uid == 1200
    with pytest.raises(MisplacedError, match="looked for: ghost"):
        choose_account("ghost", euid=0, lookup=lookup)  # type: ignore[arg-type]
    with pytest.raises(MisplacedError, match="refuses to run as root"):
        choose_account("root", euid=0, lookup=lookup)  # type: ignore[arg-type]
    with pytest.raises(MisplacedError, match="mpower, postgres, nobody"):
        choose_account(None, euid=0, lookup=users())  # type: ignore[arg-type]


def test_anyone_else_runs_it_as_oneself() -> None:
    nobody = pwd.getpwnam("nobody")
    chosen = choose_account(None, euid=nobody.pw_uid)
    assert (chosen.name, chosen.switches) == ("nobody", False)
    assert choose_account("nobody", euid=nobody.pw_uid) == chosen
    with pytest.raises(MisplacedError, match="only root can"):
        choose_account("somebody", euid=nobody.pw_uid)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter; pytest's own are private."""
    with tempfile.TemporaryDirectory(prefix="mpower-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_a_private_folder_on_the_way_is_found(open_folder: Path) -> None:
    home = open_folder / "home"
    inner = home / "data"
    inner.mkdir(parents=True)
    home.chmod(0o700)
    assert first_barrier(inner, STRANGER) == home
    assert first_barrier(inner / "not yet", STRANGER) == home
    home.chmod(0o711)
    assert first_barrier(inner, STRANGER) is None
    assert first_barrier(inner / "not yet" / "there", STRANGER) is None


def test_whose_folder_it_is_decides_which_bits_count(open_folder: Path) -> None:
    me = os.geteuid(), os.getegid()
    owner = Account("me", me[0], 54321, (), switches=False)
    member = Account("member", 54321, 54321, (me[1],), switches=True)
    open_folder.chmod(0o100)
    assert first_barrier(open_folder, owner) is None
    assert first_barrier(open_folder, member) == open_folder
    open_folder.chmod(0o010)
    assert first_barrier(open_folder, owner) == open_folder
    assert first_barrier(open_folder, member) is None
    assert first_barrier(open_folder, STRANGER) == open_folder
    open_folder.chmod(0o700)
