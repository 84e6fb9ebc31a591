"""Refusals are counted by few reasons and told seldom, whatever comes from outside."""

import ssl

import pytest

from protocols.shell.refused import Seldom, Why, of_chain, of_handshake


def test_a_flood_is_told_once_a_second_with_its_count() -> None:
    seldom = Seldom()
    assert seldom.told(0.0) == 1
    assert [seldom.told(0.5) for _ in range(200)] == [0] * 200
    assert seldom.told(1.0) == 201


@pytest.mark.parametrize(
    "gone",
    [
        ConnectionResetError(104, "Connection reset by peer"),
        ConnectionAbortedError(103, "Software caused connection abort"),
        TimeoutError(110, "Connection timed out"),
        ssl.SSLEOFError(8, "EOF occurred in violation of protocol"),
        OSError("unexpected"),
    ],
)
def test_a_peer_that_went_away_was_not_refused(gone: OSError) -> None:
    assert of_handshake(gone) is None


def test_what_openssl_will_find_one_day_is_refused_by_its_own_word() -> None:
    unknown = ssl.SSLError(1, "[SSL: BROKEN_BY_MARTIANS] broken by martians")
    unknown.reason = "BROKEN_BY_MARTIANS"
    refused = of_handshake(unknown)
    assert refused is not None
    assert (refused.why, str(refused)) == (
        Why.OTHER,
        "its handshake does not read: BROKEN_BY_MARTIANS",
    )
    assert (of_chain(1234).why, str(of_chain(1234))) == (
        Why.OTHER,
        "its chain does not hold: X509 error 1234",
    )
