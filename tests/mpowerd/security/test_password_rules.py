"""Which passwords are refused."""

from __future__ import annotations

import pytest

from mpowerd.security.rules import check_password
from protocols.refusals import Refused


@pytest.mark.parametrize(
    "weak",
    [
        "short",
        "elevenchars",
        "Password1234",
        "PASSWORDPASSWORD",
        "aaaaaaaaaaaaaaaa",
        "abababababab",
        "meera1234567890",
        "é" * 200,
    ],
)
def test_weak(weak: str) -> None:
    with pytest.raises(Refused, match="WEAK_PASSWORD"):
        check_password(weak, "meera")


@pytest.mark.parametrize("good", ["correct horse battery", "पानी बिजली सड़क", "meera likes rain"])
def test_good(good: str) -> None:
    weak = []
    try:
        check_password(good, "meera")
    except Refused as no:
        weak.append(no.code)
    assert weak == []
