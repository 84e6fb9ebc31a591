"""A board's settings and certificates on loopback, for tests that speak over real TLS."""

from pathlib import Path

from msgspec import structs

from clients.ops.init import loopback_plan
from config.folder import Paths, write_settings
from config.load import load_client, load_node, load_witness, with_certificate
from config.settings import ClientSettings, NodeSettings, TlsSettings, WitnessSettings
from protocols.shell.tls import ALPN_PEER, Connections, TlsFiles, client_side


class Board:
    """One written folder: settings of both nodes, the witness and an operator."""

    def __init__(self, folder: Path, name: str = "demo", *, strict: bool = False) -> None:
        data = {node: folder / f"data-{node}" for node in ("a", "b")}
        plan = structs.replace(loopback_plan(folder / "board", name), node_data=data, strict=strict)
        self.paths: Paths = write_settings(plan)
        self.nodes: dict[str, NodeSettings] = {
            node: load_node(path) for node, path in self.paths.nodes.items()
        }
        self.witness: WitnessSettings = load_witness(self.paths.witness)
        self.client: ClientSettings = load_client(self.paths.client, {})

    def tls(self, kind: str, name: str | None = None) -> TlsSettings:
        """The certificate of this identity."""
        return with_certificate(self.client.tls, kind, name)

    def calling(self, kind: str, name: str | None = None) -> Connections:
        """The TLS side of a caller with this certificate, to nodes and witness."""
        tls = self.tls(kind, name)
        files = TlsFiles(tls.ca, tls.certificate, tls.key, tls.revoked)
        return client_side(files, self.client.cluster, ("node", "witness"), ALPN_PEER)
