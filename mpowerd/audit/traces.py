"""Where acts beside the rooms leave their traces, read for the audit: the record's history, the
authorities and their lists, a node's settings.

Pure: what is read comes in by arguments. An act that the machines do by themselves (a takeover, a
copy that is in sync again) is one as well: how many copies there were at a payment's time is part
of its proof. This file must not know the audit's tables.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes

from config.pki import PkiError, lists_from
from mpowerd.audit.happened import Happened, Said
from protocols.annals import Entry


def of_record(entries: Iterable[Entry]) -> list[Happened]:
    """Give every change of the cluster's record, in its order; ``entries`` as they are kept."""
    kept = sorted(entries, key=lambda one: one.place)
    return [_change(before, one) for before, one in pairwise([None, *kept]) if one is not None]


def _change(before: Entry | None, one: Entry) -> Happened:
    return Happened(
        f"cluster.{one.kind or 'changed'}",
        f"record/{one.incarnation}/{one.epoch}/{one.op_id}",
        {**_stands(one), "by": one.by, "made": _moment(one.wall_time)},
        one.reason,
        {} if before is None else _stands(before),
    )


def _stands(one: Entry) -> Said:
    return {"primary": one.primary, "copy": one.sync, "term": str(one.term)}


def _moment(wall_time: float) -> str:
    return dt.datetime.fromtimestamp(wall_time, dt.UTC).isoformat(timespec="milliseconds")


def of_settings(node: str, settings: Mapping[str, Any]) -> Happened:
    """Say by which settings (dotted key → value) a node works."""
    return Happened(
        "cluster.settings",
        f"settings/{node}",
        {key: str(one) for key, one in settings.items() if one not in (None, "")},
    )


def of_papers(trusted: bytes, revoked: bytes) -> list[Happened]:
    """Say which authorities are trusted (PEM), until when each one's list of the revoked (PEM)
    holds, and each certificate on it. A list that none of them signed says nothing; nor does what
    cannot be read: nobody is let in by it.
    """
    try:
        authorities = x509.load_pem_x509_certificates(trusted)
    except ValueError:
        return []
    prints = {
        one.subject.rfc4514_string(): one.fingerprint(hashes.SHA256()).hex() for one in authorities
    }
    found = [Happened("pki.trusted", "authorities", prints)]
    try:
        lists = lists_from(revoked)
    except PkiError:
        return found
    for one in lists:
        if any(_signed(one, authority) for authority in authorities):
            found += _of_list(one)
    return found


def _signed(one: x509.CertificateRevocationList, authority: x509.Certificate) -> bool:
    try:
        return one.issuer == authority.subject and one.is_signature_valid(
            authority.public_key()  # type: ignore[arg-type]
        )
    except (InvalidSignature, TypeError, ValueError):
        return False


def _of_list(one: x509.CertificateRevocationList) -> list[Happened]:
    issuer = one.issuer.rfc4514_string()
    until = one.next_update_utc
    said = {
        "signed": one.last_update_utc.isoformat(),
        "until": until.isoformat() if until else "",
        "revoked": str(len(one)),
    }
    found = [Happened("pki.list", f"list/{issuer}", said)]
    for entry in one:
        said = {"since": entry.revocation_date_utc.isoformat(), "why": _why(entry)}
        found.append(Happened("pki.revoked", f"certificate/{entry.serial_number:x}", said))
    return found


def _why(entry: x509.RevokedCertificate) -> str:
    try:
        return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value
    except x509.ExtensionNotFound:
        return ""
