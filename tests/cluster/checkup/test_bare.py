"""What a machine without settings must have: each thing that is missing has a name and a fix."""

from pathlib import Path

import pytest

from cluster.checkup.bare import bare
from cluster.postgres.account import Account, choose_account
from cluster.postgres.binaries import Binaries, find_binaries
from cluster.postgres.troubles import BinariesMissingError

ME = Account("mpower", 901, 901, (), switches=True)


def binaries(folder: Path, *, minor: int = 18, tls: bool = True) -> Binaries:
    return Binaries(folder, 15, minor, tls, "system")


def test_a_machine_that_has_all_says_what_and_where(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    facts, found = bare(lambda: binaries(Path("/usr")), lambda: ME)
    assert found == ()
    assert [one.found for one in facts] == [
        "mpower, as PostgreSQL refuses root",
        "15.18 in /usr (TLS)",
    ]


def test_nothing_installed_and_nobody_to_run_it_are_grave_and_name_the_fix(tmp_path: Path) -> None:
    def nobody(name: str) -> object:
        raise KeyError(name)

    facts, found = bare(
        lambda: find_binaries(None, tmp_path, debian_root=tmp_path, ask=lambda _: ""),
        lambda: choose_account(None, euid=0, lookup=nobody),  # type: ignore[arg-type]
    )
    assert facts == ()
    assert [(one.code, one.grave) for one in found] == [("account", True), ("postgres", True)]
    assert "adduser --system mpower" in found[0].what
    assert "apt install postgresql" in found[1].what


@pytest.mark.parametrize(
    ("more", "word"), [({"minor": 3}, "update to 15.13"), ({"tls": False}, "without TLS")]
)
def test_what_would_serve_badly_is_a_note(more: dict[str, int], word: str) -> None:
    _, found = bare(lambda: binaries(Path("/usr"), **more), lambda: ME)  # type: ignore[arg-type]
    assert [one.grave for one in found] == [False]
    assert word in found[0].what


def test_programs_that_its_user_cannot_reach_are_grave(tmp_path: Path) -> None:
    private = tmp_path / "home"
    private.mkdir(mode=0o700)
    _, found = bare(lambda: binaries(private), lambda: ME)
    assert [one.grave for one in found] == [True]
    assert "mpower cannot run" in found[0].what


def test_what_is_wrong_with_one_does_not_hide_the_other() -> None:
    def missing() -> Binaries:
        raise BinariesMissingError("None here.")

    facts, found = bare(missing, lambda: ME)
    assert ([one.what for one in facts], [one.what for one in found]) == (
        ["the user that PostgreSQL runs as"],
        ["None here."],
    )
