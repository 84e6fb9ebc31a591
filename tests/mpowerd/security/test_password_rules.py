"""Which passwords are refused."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from mpowerd.security.common import CommonPasswords, ListError, read_common
from mpowerd.security.rules import check_password
from protocols.refusals import Refused

SHIPPED = read_common()


def refusal(password: str, common: CommonPasswords = SHIPPED) -> str:
    try:
        check_password(password, "meera", common.holds)
    except Refused as no:
        return f"{no.code}: {no.sentence}"
    return ""


@pytest.mark.parametrize(
    ("weak", "why"),
    [
        ("short", "it has 5 characters"),
        ("elevenchars", "it has 11 characters"),
        ("Password1234", "tried first"),
        ("PASSWORDPASSWORD", "tried first"),
        ("2024-Welcome-2025!", "tried first"),
        ("electricity2026", "tried first"),
        ("jaihindjaihindjaihind", "tried first"),
        ("aaaaaaaaaaaaaaaa", "very few characters"),
        ("abababababab", "very few characters"),
        ("meera1234567890", "own name"),
        ("é" * 200, "longer than 256 bytes"),
    ],
)
def test_weak_ones_are_refused_saying_why(weak: str, why: str) -> None:
    said = refusal(weak)
    assert said.startswith("WEAK_PASSWORD")
    assert why in said


@pytest.mark.parametrize(
    "good",
    ["quiet lamps over canals", "पानी बिजली सड़क", "meera likes rain", "password of a poet"],
)
def test_good(good: str) -> None:
    assert refusal(good) == ""


def test_the_boards_own_list_holds_words_and_hashes(tmp_path: Path) -> None:
    own = tmp_path / "common.txt"
    sha1 = hashlib.sha1(b"blue lantern 77").hexdigest().upper()
    sha256 = hashlib.sha256("नदी किनारे घर".encode()).hexdigest()
    own.write_text(f"# ours\n\nCoalgate\n{sha1}:4711\n{sha256}\n", encoding="utf-8")
    common = read_common(own)
    for exact in ("blue lantern 77", "नदी किनारे घर", "coalgate20262027", "Password1234"):
        assert "tried first" in refusal(exact, common), exact
    assert refusal("Blue lantern 77", common) == ""
    assert refusal("blue lantern 77") == ""


def test_a_list_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "common.txt"
    own.write_bytes(b"fine\n\xff\xfe\n")
    with pytest.raises(ListError, match=r"common\.txt: line 2 is not UTF-8"):
        read_common(own)
    own.write_text("a\nb\nc\n")
    monkeypatch.setattr("mpowerd.security.common.SHIPPED", own)
    monkeypatch.setattr("mpowerd.security.common.LINES_MOST", 2)
    with pytest.raises(ListError, match="more than 2 lines"):
        read_common()
