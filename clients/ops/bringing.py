"""What has to be brought where after the authority gave or took something: each line a command.

A list or a certificate in the operator's folder does nothing by itself. A running node and witness
take up a new list within seconds; a certificate of their own, or an authority, at their next start.
This file must not know certificates.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from clients.ops.pack import PEOPLE, machines

WHERE: Final = "tar -x -C /etc/mpower"
RESTART: Final = "restart it (a primary hands over first: mpower cluster switchover)"
BEGUN: Final = """\
Step 1, now: every machine learns the second authority; it trusts both then. Do the nodes, the
witness and the counters, before anybody has a certificate of the new one:"""
AFTER_BEGUN: Final = """\
  and restart the witness and, one after the other, the nodes.
Step 2: mpower pki renew --all, and bring each machine its own: mpower pack MACHINE --part papers
Step 3, when all of them use it: mpower pki revoke --superseded --reason superseded
  and bring the list, as in step 1.
Step 4: mpower pki rotate finish"""
FINISHED: Final = "Bring it to every machine, and restart the nodes and the witness once more:"


def bring(kind: str, name: str) -> list[str]:
    """A machine's new certificate."""
    machine = "witness" if kind == "witness" else name
    line = f"  mpower pack {machine} --part papers | ssh {machine} {WHERE}"
    return [line, f"  then {RESTART}"] if kind in {"node", "witness"} else [line]


def bring_trust(home: Path, *, everywhere: bool) -> list[str]:
    """The list of the revoked (with the authorities): to the servers, or to everybody who calls
    them.
    """
    names = frozenset(one.relative_to(home).as_posix() for one in home.rglob("*") if one.is_file())
    people = {
        one.partition("-")[2].removesuffix(".crt")
        for one in names
        if one.removeprefix("pki/").startswith(PEOPLE) and one.endswith(".crt")
    }
    servers = [one for one in machines(names) if one not in people]
    lines = ["Nobody is refused by it before it is on the servers (no restart is needed):"]
    lines += [f"  mpower pack {one} --part trust | ssh {one} {WHERE}" for one in servers]
    if everywhere and people:
        lines.append(f"and on the {len(people)} machines that call them, in the same way.")
    return lines


def bring_audit(home: Path) -> list[str]:
    """The keys of the audit: the private one to the nodes, the list to who verifies."""
    names = frozenset(one.relative_to(home).as_posix() for one in home.rglob("*") if one.is_file())
    nodes = [one for one in machines(names) if f"node-{one}.yaml" in names]
    lines = [f"  mpower pack {one} --part audit | ssh {one} {WHERE}" for one in nodes]
    return [
        *lines,
        "  The standby first, the primary at once after it; no restart is needed.",
        "Then the list of keys to whoever verifies: mpower pack MACHINE --part audit",
        "Then: mpower cluster doctor (both nodes hold the same key), mpower audit verify",
    ]


def in_step(stage: str, home: Path) -> list[str]:
    """What a rotation asks for next: ``begun`` or ``finished``."""
    lines = bring_trust(home, everywhere=True)[1:]
    return [BEGUN, *lines, AFTER_BEGUN] if stage == "begun" else [FINISHED, *lines]
