"""What a node, a witness and a client are told: typed, frozen, each setting declared once with its
comment.

The declaration is everything: the type bounds the value, the default is the default, and the
description is both the comment in the written file and the hint in an error. Unknown keys are
refused. Paths are relative to the file that names them. This file must not read files (see load.py)
nor know who uses a setting.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

from msgspec import Meta

from config.kinds import (
    Address,
    Forward,
    LogLevel,
    Milliseconds,
    NodeName,
    PairName,
    Settings,
    ports_fit,
    split_address,
)
from config.limits import LimitsSettings
from config.proof import AuditSettings
from config.signing_in import SignInSettings
from config.terminals import RenewalSettings
from config.watching import CallbacksSettings, OpsSettings

__all__ = ["LimitsSettings", "Settings", "split_address"]


class TimersSettings(Settings, frozen=True, kw_only=True):
    """The cluster's clocks, all monotonic. They move availability only, never safety."""

    beat_ms: Annotated[
        Milliseconds, Meta(description="A heartbeat leaves on every link this often.")
    ] = 200
    suspect_ms: Annotated[
        Milliseconds, Meta(description="A link without a beat for this long is shown as suspect.")
    ] = 600
    stall_ms: Annotated[
        Milliseconds,
        Meta(description="A commit that waits this long for the standby's copy is a stall."),
    ] = 500
    solo_ms: Annotated[
        Milliseconds,
        Meta(
            description="After this long without its standby the primary asks the arbiter to go on"
            " alone. Must be below takeover_ms."
        ),
    ] = 1000
    takeover_ms: Annotated[
        Milliseconds,
        Meta(description="After this long without the primary the standby claims its place."),
    ] = 2000
    isolate_ms: Annotated[
        Milliseconds,
        Meta(
            description="A primary that has heard neither peer nor arbiter for this long closes its"
            " counters."
        ),
    ] = 4000
    takeovers_per_hour: Annotated[
        int,
        Meta(
            ge=1,
            le=1000,
            description="After so many automatic takeovers within an hour the cluster pauses"
            " itself: the trouble then travels with the role, and one more takeover would only"
            " wear out the copies. Switchovers do not count.",
        ),
    ] = 6

    def __post_init__(self) -> None:
        if not 2 * self.beat_ms < self.suspect_ms < self.takeover_ms:
            raise ValueError(
                f"2 x beat_ms < suspect_ms < takeover_ms must hold, they are {self.beat_ms},"
                f" {self.suspect_ms}, {self.takeover_ms}"
            )
        if not self.stall_ms <= self.solo_ms < self.takeover_ms:
            raise ValueError(
                f"stall_ms <= solo_ms < takeover_ms must hold, they are {self.stall_ms},"
                f" {self.solo_ms}, {self.takeover_ms}"
            )
        if self.isolate_ms < self.takeover_ms:
            raise ValueError(
                f"isolate_ms must not be below takeover_ms, they are {self.isolate_ms},"
                f" {self.takeover_ms}"
            )


FAST: Final = TimersSettings(
    beat_ms=100, suspect_ms=300, stall_ms=250, solo_ms=500, takeover_ms=1000, isolate_ms=2000
)
"""The fast profile, for two servers on one switch: half the wait, and half the patience with a
network or a machine that stands still for a moment.
"""


class TlsSettings(Settings, frozen=True, kw_only=True):
    """Who this machine is, and whom it believes."""

    ca: Annotated[Path, Meta(description="The certificate of the board's own authority.")]
    certificate: Annotated[Path, Meta(description="This machine's certificate.")]
    key: Annotated[
        Path, Meta(description="Its private key: mode 0400, never copied to another machine.")
    ]
    revoked: Annotated[
        Path | None,
        Meta(description="The authority's list of revoked certificates; a stale list is refused."),
    ] = None


class NodeAddress(Settings, frozen=True, kw_only=True):
    """Where one node listens and the other finds it."""

    name: Annotated[
        PairName,
        Meta(description="The node's name, as in its certificate: up to 16 of a-z and digits."),
    ]
    peer: Annotated[
        list[Address],
        Meta(
            min_length=1,
            max_length=4,
            description="host:port for beats between the nodes, one for each link; two links are"
            " better.",
        ),
    ]
    terminals: Annotated[Address, Meta(description="host:port for counters, banks and operators.")]
    postgres: Annotated[
        Address,
        Meta(
            description="host:port of this node's PostgreSQL, for the other node; it listens on the"
            " hosts of its links too, so that replication outlives one of them."
        ),
    ]

    def __post_init__(self) -> None:
        ports_fit(*self.peer, self.terminals, self.postgres)


class EtcdSettings(Settings, frozen=True, kw_only=True):
    """An etcd of at least three members as the arbiter, 3.4.22, 3.5.6 or later; always over TLS."""

    endpoints: Annotated[
        list[Address],
        Meta(
            min_length=1,
            max_length=7,
            description="host:port of every member; their certificates must name these hosts, and"
            " be for clients too (etcd's own gateway calls itself).",
        ),
    ]
    ca: Annotated[Path, Meta(description="The certificate of etcd's authority.")]
    certificate: Annotated[Path, Meta(description="This node's client certificate for etcd.")]
    key: Annotated[Path, Meta(description="Its private key: mode 0400.")]
    prefix: Annotated[
        str,
        Meta(
            pattern=r"^/[A-Za-z0-9._/-]{1,100}/\Z",
            description="Our keys lie under it; another cluster in the same etcd needs another.",
        ),
    ] = "/mpower/"
    compact: Annotated[
        bool,
        Meta(
            description="true: every ten minutes etcd is told to forget its older history, all of"
            " it; false: its --auto-compaction-retention does (ten beats a second fill it in days)."
        ),
    ] = True

    def __post_init__(self) -> None:
        ports_fit(*self.endpoints)


class ClusterSettings(Settings, frozen=True, kw_only=True):
    """What both nodes must agree about."""

    name: Annotated[
        NodeName,
        Meta(description="The cluster's name in every certificate: a-z, digits, - or _."),
    ]
    nodes: Annotated[list[NodeAddress], Meta(description="The two nodes; the same in both files.")]
    arbiter: Annotated[
        Literal["witness", "etcd"],
        Meta(description="Who keeps the record of who is primary: the witness, or an etcd."),
    ] = "witness"
    witness: Annotated[
        Address | None,
        Meta(description="host:port of the witness. It must run on neither server."),
    ] = None
    etcd: Annotated[EtcdSettings | None, Meta(description="The etcd, where it is the arbiter.")] = (
        None
    )
    strict: Annotated[
        bool,
        Meta(
            description="true: never work on one copy. Without a standby the counters wait instead."
        ),
    ] = False
    timers: Annotated[TimersSettings, Meta(description="Timers, in milliseconds.")] = (
        TimersSettings()
    )

    def __post_init__(self) -> None:
        if len(self.nodes) != 2:
            raise ValueError(f"a cluster has exactly two nodes, here are {len(self.nodes)}")
        chosen = self.witness if self.arbiter == "witness" else self.etcd
        if chosen is None:
            raise ValueError(
                f"the arbiter is the {self.arbiter}, and cluster.{self.arbiter} is missing"
            )
        places = [self.witness] if self.witness else []
        ports_fit(*places)
        first, second = self.nodes
        if first.name == second.name:
            raise ValueError(f"both nodes are called {first.name}")
        for node in self.nodes:
            places += [*node.peer, node.terminals, node.postgres]
        for place in places:
            if places.count(place) > 1:
                raise ValueError(f"the address {place} is used twice")

    def address(self, node: str) -> NodeAddress:
        """Give the addresses of the node of that name; another name is our mistake: KeyError."""
        return {one.name: one for one in self.nodes}[node]

    def peer_of(self, node: str) -> NodeAddress:
        """Give the addresses of the other node."""
        return next(one for one in self.nodes if one.name != node)


class PostgresSettings(Settings, frozen=True, kw_only=True):
    """The PostgreSQL this node is the parent of."""

    bindir: Annotated[
        Path | None,
        Meta(description="Where its programs are; left out, they are looked for."),
    ] = None
    os_user: Annotated[
        Annotated[str, Meta(pattern=r"^[a-z_][a-z0-9_-]{0,31}\Z")] | None,
        Meta(
            description="When started as root: the user it runs as; left out, the first of mpower,"
            " postgres, nobody that exists."
        ),
    ] = None
    shared_buffers: Annotated[
        str,
        Meta(
            pattern=r"^[1-9][0-9]{0,8}(?:kB|MB|GB)\Z",
            description="Its cache, as 128MB; a quarter of the memory is usual.",
        ),
    ] = "128MB"
    wal_keep_mb: Annotated[
        int,
        Meta(
            ge=64,
            le=1_048_576,
            description="Old log kept for a returning node, in MB; below 1024 a rejoin copies all.",
        ),
    ] = 1024
    ballast_mb: Annotated[
        int,
        Meta(
            ge=0,
            le=16_384,
            description="Room set aside on its disk, in MB, given up once when the disk is full:"
            " four log files, enough to end in order.",
        ),
    ] = 64
    replication_password_file: Annotated[
        Path,
        Meta(description="The file with the password of replication, the same on both nodes."),
    ]


class NodeSettings(Settings, frozen=True, kw_only=True):
    """Settings of one node of the pair: ``mpowerd node --settings FILE``."""

    node: Annotated[
        PairName, Meta(description="Which of the nodes below this machine is: a-z and digits.")
    ]
    data: Annotated[
        Path, Meta(description="The folder of everything this node keeps: database, epoch, logs.")
    ]
    cluster: Annotated[ClusterSettings, Meta(description="The same on both nodes.")]
    tls: Annotated[TlsSettings, Meta(description="Certificates.")]
    postgres: Annotated[PostgresSettings, Meta(description="The database of this node.")]
    log_level: Annotated[LogLevel, Meta(description="debug, info, warning or error.")] = "info"
    limits: Annotated[LimitsSettings, Meta(description="Limits of this node.")] = LimitsSettings()
    sign_in: Annotated[SignInSettings, Meta(description="Signing in.")] = SignInSettings()
    audit: Annotated[AuditSettings, Meta(description="The audit's checkpoints.")] = AuditSettings()
    ops: Annotated[OpsSettings, Meta(description="The ops port.")] = OpsSettings()
    callbacks: Annotated[
        CallbacksSettings, Meta(description="Your own programs, run on events.")
    ] = CallbacksSettings()

    def __post_init__(self) -> None:
        names = [one.name for one in self.cluster.nodes]
        if self.node not in names:
            raise ValueError(f"the node {self.node} is not among cluster.nodes {', '.join(names)}")
        here = self.here
        if self.ops.listen in {*here.peer, here.terminals, here.postgres}:
            raise ValueError(f"ops.listen {self.ops.listen} is an address of this node already")

    @property
    def here(self) -> NodeAddress:
        """Where this node listens."""
        return self.cluster.address(self.node)

    @property
    def peer(self) -> NodeAddress:
        """Where the other node listens."""
        return self.cluster.peer_of(self.node)


class WitnessSettings(Settings, frozen=True, kw_only=True):
    """Settings of the witness: ``mpowerd witness --settings FILE``, on a third machine."""

    name: Annotated[NodeName, Meta(description="The witness's name, as in its certificate.")]
    listen: Annotated[Address, Meta(description="host:port it listens on for the two nodes.")]
    data: Annotated[Path, Meta(description="The folder of its one record.")]
    cluster_name: Annotated[NodeName, Meta(description="The cluster it decides for.")]
    nodes: Annotated[
        list[PairName], Meta(min_length=2, max_length=2, description="The two nodes it listens to.")
    ]
    tls: Annotated[TlsSettings, Meta(description="Certificates.")]
    log_level: Annotated[LogLevel, Meta(description="debug, info, warning or error.")] = "info"

    def __post_init__(self) -> None:
        ports_fit(self.listen)


class ClientSettings(Settings, frozen=True, kw_only=True):
    """Settings of ``mpower``, for a counter, a bank or an operator. MPOWER_* in the environment
    goes before them.
    """

    cluster: Annotated[
        NodeName,
        Meta(description="The cluster's name in every certificate: a-z, digits, - or _."),
    ]
    nodes: Annotated[
        list[Address],
        Meta(
            min_length=1,
            max_length=4,
            description="host:port of each node, for counters, banks and operators.",
        ),
    ]
    peers: Annotated[
        list[Address],
        Meta(
            max_length=8,
            description="host:port of the nodes' links; only 'mpower cluster' needs them.",
        ),
    ] = []
    witness: Annotated[
        Address | None,
        Meta(description="host:port of the witness; only 'mpower cluster' needs it."),
    ] = None
    forwards: Annotated[
        list[Forward],
        Meta(
            max_length=32,
            description="near=far, each host:port: what reaches near arrives at far, as through a"
            " NAT. 'mpower cluster config show' compares where the nodes' addresses lead.",
        ),
    ] = []
    tls: Annotated[TlsSettings, Meta(description="Certificates.")]
    journal: Annotated[
        Path | None,
        Meta(
            description="The folder of payments not yet confirmed; it must survive a power cut."
            " Left out: in the home folder."
        ),
    ] = None
    audit_key: Annotated[
        Path | None,
        Meta(
            description="The public half of the key that signs the audit; only 'mpower audit'"
            " needs it."
        ),
    ] = None
    renewal: Annotated[RenewalSettings, Meta(description="The next certificate.")] = (
        RenewalSettings()
    )

    def __post_init__(self) -> None:
        ports_fit(*self.nodes, *self.peers, *([self.witness] if self.witness else []))
