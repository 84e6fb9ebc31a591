"""Why a peer was not let in: a few reasons that can be counted, each with a sentence for the log.

Invariant: ``Why`` is bounded and never a text from outside, so whoever counts by it keeps a bounded
table however many knock. What OpenSSL found wrong is put into the same reasons, so that a list or
an audit needs to know one kind of refusal. ``Seldom`` keeps a log bounded under a flood of them.
This file must not know certificates nor sockets.
"""

from __future__ import annotations

import ssl
from enum import StrEnum
from typing import Final

SAY_S: Final = 1.0
"""Between two log lines of one kind: a flood writes 20 MB a day, not gigabytes."""


class Why(StrEnum):
    """The reasons, as people read them."""

    AUTHORITY = "unknown authority"
    OUT_OF_DATE = "out of date"
    REVOKED = "revoked"
    LIST = "no list to go by"
    MISFIT = "not for this door"
    NO_CERTIFICATE = "no certificate"
    NO_TLS = "no TLS"
    WEAK = "no common TLS"
    LATE = "too slow"
    OTHER = "could not be judged"


class PeerRefused(Exception):  # noqa: N818 - a refusal is an answer, not an error
    """A peer that may not speak here: ``why`` to count by; str() says it whole, for the log.
    ``subject``: whose certificate it is, '' where our authority does not vouch for it.
    """

    def __init__(self, why: Why, text: str, subject: str = "") -> None:
        super().__init__(text)
        self.why, self.subject = why, subject


CHAIN: Final = {
    10: (Why.OUT_OF_DATE, "it is expired"),
    9: (Why.OUT_OF_DATE, "it is not yet valid"),
    18: (Why.AUTHORITY, "it signed itself"),
    19: (Why.AUTHORITY, "an unknown authority signed it"),
    20: (Why.AUTHORITY, "an unknown authority signed it"),
    26: (Why.MISFIT, "it is for another use"),
}
"""The X509_V_ERR codes a board meets, in words."""
HANDSHAKE: Final = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": (Why.NO_CERTIFICATE, "it showed no certificate"),
    "HTTP_REQUEST": (Why.NO_TLS, "it speaks plain HTTP"),
    "HTTPS_PROXY_REQUEST": (Why.NO_TLS, "it speaks plain HTTP"),
    "WRONG_VERSION_NUMBER": (Why.NO_TLS, "it speaks no TLS"),
    "UNKNOWN_PROTOCOL": (Why.NO_TLS, "it speaks no TLS"),
    "RECORD_LAYER_FAILURE": (Why.NO_TLS, "it speaks no TLS"),
    "PACKET_LENGTH_TOO_LONG": (Why.NO_TLS, "it speaks no TLS"),
    "UNSUPPORTED_PROTOCOL": (Why.WEAK, "its TLS is older than 1.2"),
    "VERSION_TOO_LOW": (Why.WEAK, "its TLS is older than 1.2"),
    "NO_SHARED_CIPHER": (Why.WEAK, "it has no cipher of ours"),
    "NO_SUITABLE_KEY_SHARE": (Why.WEAK, "it has no curve of ours"),
}
"""OpenSSL's words for a handshake that failed here."""


def of_chain(code: int) -> PeerRefused:
    """Say in words what OpenSSL found in the chain."""
    why, words = CHAIN.get(code, (Why.OTHER, f"X509 error {code}"))
    return PeerRefused(why, f"its chain does not hold: {words}")


def of_handshake(error: OSError) -> PeerRefused | None:
    """Say why a handshake was refused here; None where the peer went away or refused us."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return of_chain(error.verify_code)
    if isinstance(error, ssl.SSLError):
        reason = getattr(error, "reason", None) or ""
        if "ALERT" in reason or isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return None
        words = f"its handshake does not read: {reason or error}"
        return PeerRefused(*HANDSHAKE.get(reason, (Why.OTHER, words)))
    # the loop's own word for its deadline has no number; what the kernel says has one
    if isinstance(error, TimeoutError | ConnectionAbortedError) and error.errno is None:
        return PeerRefused(Why.LATE, "its handshake was not finished in time")
    return None


class Seldom:
    """Says when to tell of what happens again and again. Pure: monotonic seconds come in."""

    def __init__(self) -> None:
        self._untold, self._told_s = 0, float("-inf")

    def told(self, now_s: float) -> int:
        """Count one; give how many a log line should tell of now, 0 for none."""
        self._untold += 1
        if now_s - self._told_s < SAY_S:
            return 0
        told, self._untold, self._told_s = self._untold, 0, now_s
        return told
