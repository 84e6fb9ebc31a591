"""Who does not answer, each machine once, and since when: pure, from the answers of the others.

A node has an address for every link: one that answers over any of them is not silent, its other
address is a dead link. An address on which the two nodes hear each other is no dead link, though we
do not reach it: a cable between the two of them leads nowhere else. Which address is whose the
nodes say; what nobody says is not guessed. It must not know how it is shown.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from clients.ops.verdict import hears

if TYPE_CHECKING:
    from clients.ops.seen import Seen

PAIR: Final = 2


class Silent(Struct, frozen=True):
    """``who`` does not answer, at which ``addresses``, and ``why`` not; ``node``: its name, '' for
    the witness, a link or an unknown one; ``since_s`` its last sign (Unix seconds), None unknown.
    """

    who: str
    addresses: list[str]
    why: str
    node: str = ""
    since_s: float | None = None
    link: bool = False
    """It is only one address of a node that answers at another."""

    def sentence(self, now_s: float) -> str:
        """All of it, for people."""
        since = ""
        if self.since_s is not None:
            at = dt.datetime.fromtimestamp(self.since_s, dt.UTC).astimezone().strftime("%H:%M:%S")
            since = f" since {at} ({max(0, round(now_s - self.since_s))} s)"
        said = f" at {' and '.join(self.addresses)} ({self.why})" if self.addresses else ""
        return f"{self.who}: no answer{since}{said}"


def names_of(seen: Seen) -> list[str]:
    """Every node that anybody tells of."""
    names = {one.node for one in seen.nodes} | {one.peer for one in seen.nodes}
    records = [one.record for one in seen.nodes]
    if seen.witness is not None:
        names |= set(seen.witness.beats)
        records.append(seen.witness.record)
    for record in records:
        if record is not None:
            names |= {record.primary, record.sync, record.prev}
    return sorted(names - {""})


def last_sign_s(node: str, seen: Seen) -> float | None:
    """When anybody last heard this node, in Unix seconds."""
    ages_ms = [one.peer_heard_ms for one in seen.nodes if one.node != node]
    if seen.witness is not None:
        ages_ms.append(seen.witness.beats.get(node, -1))
    return max((seen.at_s - age_ms / 1000 for age_ms in ages_ms if age_ms >= 0), default=None)


def silent_of(seen: Seen) -> list[Silent]:
    """Nodes first, then dead links of nodes that answer, addresses of nobody known, the witness."""
    answered = {one.node for one in seen.nodes}
    missing = [name for name in names_of(seen) if name not in answered]
    whose = {
        address: node
        for one in seen.nodes
        for node, addresses in one.addresses.items()
        for address in addresses
    }
    between = _between(seen) if len(answered) == PAIR else set()
    ours = {
        at: why for at, why in seen.silent.items() if at != seen.asked_witness and at not in between
    }
    if not answered and ours:
        signs = [at for name in missing if (at := last_sign_s(name, seen)) is not None]
        who, why = " and ".join(missing) or "the nodes", next(iter(ours.values()))
        nobody = Silent(who, list(ours), why, since_s=max(signs, default=None))
        return [nobody, *_witness(seen)]
    lone = missing[0] if len(missing) == 1 else ""
    of_node: dict[str, list[str]] = {name: [] for name in missing}
    rest: list[Silent] = []
    for address, why in ours.items():
        owner = whose.get(address, "" if len(answered) == PAIR else lone)
        if owner in of_node:
            of_node[owner].append(address)
        elif owner or len(answered) == PAIR:
            rest.append(Silent(f"{owner or 'a node'}, one link", [address], why, link=True))
        else:
            rest.append(Silent("a node", [address], why))
    nodes = [
        Silent(name, at, ours[at[0]], name, last_sign_s(name, seen))
        for name, at in of_node.items()
        if at
    ]
    return [*nodes, *rest, *_witness(seen)]


def _between(seen: Seen) -> set[str]:
    """The addresses of every link on which the two hear each other: the n-th of each is one wire,
    and one of the two has called the other on it.
    """
    return {
        addresses[number]
        for one in seen.nodes
        for number, link in enumerate(one.links)
        if link.open and hears(link.heard_ms)
        for addresses in one.addresses.values()
        if number < len(addresses)
    }


def nobody(silent: dict[str, str]) -> str:
    """What to do when none of the asked answered: ``silent`` says why of each address."""
    if any("certificate" in why for why in silent.values()):
        return (
            "Machines are there, but none with a certificate that these settings trust: the"
            " settings are of another board ('cluster:' in mpower.yaml), or a certificate or the"
            " list of the revoked has ended ('mpower pki list')."
        )
    return (
        "Nobody answered. If these addresses are right: start the machines, 'systemctl start"
        " mpower-node'; 'mpowerd check --settings FILE' there says what is wrong."
    )


def sentences(seen: Seen) -> list[str]:
    """A sentence for each."""
    return [one.sentence(seen.at_s) for one in silent_of(seen)]


def _witness(seen: Seen) -> list[Silent]:
    why = seen.silent.get(seen.asked_witness, "")
    return [Silent("the witness", [seen.asked_witness], why)] if why else []
