"""A new board's settings folder: settings for two nodes, a witness and clients, the authority,
certificates, secrets.

    node-a.yaml node-b.yaml witness.yaml mpower.yaml
    pki/      ca.crt ca.key revoked.crl <kind>-<name>.crt .key audit.pub
    secrets/  replication.password audit.key

It writes only into an empty folder: keys that are in use are never overwritten. This file must not
know the network; whoever plans says which hosts and ports.
"""

from __future__ import annotations

import datetime as dt
import secrets
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization
from msgspec import Struct, structs

from config.files import PUBLIC, SECRET, make_folder, write_file
from config.load import SettingsError, settings_from
from config.pki import (
    Identity,
    PkiError,
    issue,
    key_pem,
    make_authority,
    revocation_list,
    signing_key,
)
from config.proof import AuditSettings
from config.settings import (
    ClientSettings,
    ClusterSettings,
    EtcdSettings,
    LimitsSettings,
    NodeAddress,
    NodeSettings,
    PostgresSettings,
    Settings,
    TimersSettings,
    TlsSettings,
    WitnessSettings,
    split_address,
)
from config.signing_in import SignInSettings
from config.watching import OpsSettings
from config.writing import settings_text
from config.yaml import read_yaml

HEAD: Final = """mPower settings: {what}.
A line that begins with '# key:' shows a default; remove the '# ' to change it.
Paths are counted from this file's folder."""


class Plan(Struct, frozen=True, kw_only=True):
    """What to write. Data folders are relative to the settings folder unless absolute. Hosts of the
    certificates are the hosts of the addresses; ``extra_hosts`` join them (an alias, a second
    name). ``witness`` is None where an etcd is the arbiter; ``borrowed`` are files of its authority
    under their names in the folder.
    """

    home: Path
    name: str
    nodes: tuple[NodeAddress, NodeAddress]
    witness: str | None
    witness_name: str = "w"
    etcd: EtcdSettings | None = None
    borrowed: dict[str, bytes] = {}
    counters: tuple[str, ...] = ("C001",)
    banks: tuple[str, ...] = ("SBI",)
    operators: tuple[str, ...] = ("ops1",)
    node_data: dict[str, Path] = {}
    witness_data: Path = Path("data/witness")
    extra_hosts: tuple[str, ...] = ()
    journal: Path | None = None
    timers: TimersSettings = TimersSettings()
    limits: LimitsSettings = LimitsSettings()
    audit: AuditSettings = AuditSettings()
    sign_in: SignInSettings = SignInSettings()
    ops: dict[str, str] = {}
    shared_buffers: str = "128MB"
    wal_keep_mb: int = 1024
    bindir: Path | None = None
    os_user: str | None = None
    strict: bool = False


class Paths(Struct, frozen=True, kw_only=True):
    """What was written. ``certificate(kind, name)`` gives the two files of an identity."""

    home: Path
    nodes: dict[str, Path]
    witness: Path
    client: Path
    ca: Path
    ca_key: Path
    revoked: Path
    replication_password: Path

    def certificate(self, kind: str, name: str) -> tuple[Path, Path]:
        """Give certificate and key of an identity, e.g. ``("counter", "C001")``."""
        stem = self.ca.parent / f"{kind}-{name}"
        return stem.with_suffix(".crt"), stem.with_suffix(".key")


class FolderError(ValueError):
    """The folder cannot be written; str() is the sentence."""


def write_settings(plan: Plan, now: dt.datetime | None = None) -> Paths:
    """Write the whole settings folder; FolderError if it holds anything, SettingsError or PkiError
    for a bad plan.
    """
    home = plan.home.absolute()
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise FolderError(
            f"{home} is not an empty folder; choose another or empty it"
            " (keys in use are never overwritten)."
        )
    # Everything is made and checked before anything is written.
    try:
        files = _settings_files(plan) | _pki_files(plan, now or dt.datetime.now(dt.UTC))
    except (SettingsError, PkiError):
        raise
    except ValueError as wrong:  # the settings do not fit each other
        raise SettingsError("the plan", "", str(wrong)) from wrong
    files |= plan.borrowed
    files["secrets/audit.key"], files["pki/audit.pub"] = signing_key()
    files["secrets/replication.password"] = f"{secrets.token_urlsafe(32)}\n".encode()
    for folder in (home, home / "pki", home / "secrets"):
        make_folder(folder)
    for name, content in files.items():
        secret = name.endswith((".key", ".password"))
        write_file(home / name, content, SECRET if secret else PUBLIC)
    return Paths(
        home=home,
        nodes={node.name: home / f"node-{node.name}.yaml" for node in plan.nodes},
        witness=home / "witness.yaml",
        client=home / "mpower.yaml",
        ca=home / "pki" / "ca.crt",
        ca_key=home / "pki" / "ca.key",
        revoked=home / "pki" / "revoked.crl",
        replication_password=home / "secrets" / "replication.password",
    )


def _settings_files(plan: Plan) -> dict[str, bytes]:
    files: dict[str, bytes] = {}

    def add(name: str, what: str, settings: Settings) -> None:
        content = settings_text(settings, HEAD.format(what=what)).encode()
        settings_from(read_yaml(content), type(settings), name, plan.home)
        files[name] = content

    cluster = ClusterSettings(
        name=plan.name,
        nodes=list(plan.nodes),
        arbiter="etcd" if plan.etcd else "witness",
        witness=plan.witness,
        etcd=plan.etcd,
        strict=plan.strict,
        timers=plan.timers,
    )
    for node in plan.nodes:
        settings = _node(plan, node.name, cluster)
        add(f"node-{node.name}.yaml", f"node {node.name} of the cluster {plan.name}", settings)
    if plan.witness is not None:
        witness = WitnessSettings(
            name=plan.witness_name,
            listen=plan.witness,
            data=plan.witness_data,
            cluster_name=plan.name,
            nodes=[node.name for node in plan.nodes],
            tls=_tls("witness", plan.witness_name),
        )
        add("witness.yaml", f"the witness of the cluster {plan.name}", witness)
    add("mpower.yaml", f"clients of the cluster {plan.name}", _client(plan))
    return files


def _node(plan: Plan, name: str, cluster: ClusterSettings) -> NodeSettings:
    return NodeSettings(
        node=name,
        data=plan.node_data.get(name, Path(f"data/node-{name}")),
        cluster=cluster,
        tls=_tls("node", name),
        postgres=PostgresSettings(
            bindir=plan.bindir,
            os_user=plan.os_user,
            shared_buffers=plan.shared_buffers,
            wal_keep_mb=plan.wal_keep_mb,
            replication_password_file=Path("secrets/replication.password"),
        ),
        limits=plan.limits,
        sign_in=plan.sign_in,
        audit=structs.replace(
            plan.audit, signing_key=Path("secrets/audit.key"), public_keys=Path("pki/audit.pub")
        ),
        ops=OpsSettings(listen=plan.ops[name]) if name in plan.ops else OpsSettings(),
    )


def _client(plan: Plan) -> ClientSettings:
    return ClientSettings(
        cluster=plan.name,
        nodes=[node.terminals for node in plan.nodes],
        peers=[link for node in plan.nodes for link in node.peer],
        witness=plan.witness,
        journal=plan.journal,
        audit_key=Path("pki/audit.pub"),
        tls=_tls("ops", plan.operators[0]),
    )


def _tls(kind: str, name: str) -> TlsSettings:
    return TlsSettings(
        ca=Path("pki/ca.crt"),
        certificate=Path(f"pki/{kind}-{name}.crt"),
        key=Path(f"pki/{kind}-{name}.key"),
        revoked=Path("pki/revoked.crl"),
    )


def _pki_files(plan: Plan, now: dt.datetime) -> dict[str, bytes]:
    authority = make_authority(plan.name, now)
    files = {
        "pki/ca.crt": authority.certificate.public_bytes(serialization.Encoding.PEM),
        "pki/ca.key": key_pem(authority.key),
        "pki/revoked.crl": revocation_list(authority, now),
    }

    def add(kind: str, name: str, *addresses: str) -> None:
        hosts = [split_address(address)[0] for address in addresses]
        hosts += plan.extra_hosts if addresses else ()
        issued = issue(authority, Identity(plan.name, kind, name), now, hosts)
        files[f"pki/{kind}-{name}.crt"] = issued.certificate
        files[f"pki/{kind}-{name}.key"] = issued.key

    for node in plan.nodes:
        add("node", node.name, *node.peer, node.terminals, node.postgres)
    if plan.witness is not None:
        add("witness", plan.witness_name, plan.witness)
    people = {"counter": plan.counters, "bank": plan.banks, "ops": plan.operators}
    for kind, names in people.items():
        for name in names:
            add(kind, name)
    return files
