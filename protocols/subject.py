"""Who a machine is: the one URI in its certificate, ``mpower:<cluster>/<kind>/<name>``, compared
exactly.

Pure: certificates are read by the shell. What is not exactly of this form is nobody. This file must
not know TLS.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from msgspec import Struct

Kind = Literal["node", "witness", "counter", "bank", "ops"]
KINDS: Final[dict[str, Kind]] = {
    "node": "node",
    "witness": "witness",
    "counter": "counter",
    "bank": "bank",
    "ops": "ops",
}
SCHEME: Final = "mpower:"
FORM: Final = re.compile(r"^mpower:([A-Za-z0-9_-]{1,40})/([a-z]{1,10})/([A-Za-z0-9_-]{1,40})\Z")


class Subject(Struct, frozen=True):
    """One machine of one cluster: a node, the witness, a counter, a bank link or an operator."""

    cluster: str
    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"{SCHEME}{self.cluster}/{self.kind}/{self.name}"


def subject_from(uris: list[str]) -> Subject | None:
    """Read the subject from a certificate's URIs; None unless exactly one of them is of the house's
    form.
    """
    ours = [one for one in uris if one.startswith(SCHEME)]
    found = FORM.match(ours[0]) if len(ours) == 1 else None
    if found is None or found[2] not in KINDS:
        return None
    return Subject(found[1], KINDS[found[2]], found[3])
