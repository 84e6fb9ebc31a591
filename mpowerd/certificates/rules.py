"""What a request for a certificate and its answer must be before they are kept. Pure.

A machine asks only for itself: the request names the machine of the certificate it came by. Whether
the present key signed it too is judged where the authority's key lives, which knows every
certificate; here nobody does.
"""

from __future__ import annotations

import hashlib
from typing import Final

from config.pki import identity_of
from config.renewal import asked_key, public_key
from protocols.refusals import Refused

A_DAY: Final = 10
"""Requests a day kept of one machine: an honest one makes one a year."""
WAITS_HOURS: Final = 24
"""A request that waits longer is told to operations: the machines ask weeks ahead."""


def check_request(cluster: str, subject: str, digest: str, sent: str) -> None:
    """Refuse (BAD_CERTIFICATE_REQUEST) what is no request of that machine for a new key."""
    if hashlib.sha256(sent.encode()).hexdigest() != digest:
        raise Refused("BAD_CERTIFICATE_REQUEST", reason="the digest is not that of the request")
    try:
        asked_key(sent.encode(), _name(cluster, subject))
    except ValueError as wrong:
        raise Refused("BAD_CERTIFICATE_REQUEST", reason=wrong) from wrong


def check_certificate(
    cluster: str, subject: str, sent: str, certificate: str, request_id: int
) -> None:
    """Refuse (BAD_CERTIFICATE) what is no certificate of that machine for the key it asked for."""
    name = _name(cluster, subject)
    try:
        mine = str(identity_of(certificate.encode())) == name
        fits = public_key(certificate.encode()) == asked_key(sent.encode(), name)
    except ValueError as wrong:
        raise Refused("BAD_CERTIFICATE", request=request_id, reason=wrong) from wrong
    if not mine:
        raise Refused("BAD_CERTIFICATE", request=request_id, reason="it is another machine's")
    if not fits:
        raise Refused("BAD_CERTIFICATE", request=request_id, reason="it is for another key")


def _name(cluster: str, subject: str) -> str:
    return f"mpower:{cluster}/{subject}"
