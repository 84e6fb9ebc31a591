"""What one node's PostgreSQL is made of: its settings and where its folders lie.

Everything PostgreSQL owns is under `<data_dir>/postgres` (0700, the service user's). The socket
folder is inside it, so that reaching the socket already means being the daemon's user, the service
user or root.
"""

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cluster.postgres.troubles import MisplacedError

# sun_path holds 108 bytes on Linux, one of them the closing NUL.
SOCKET_PATH_MAX_BYTES: Final = 107


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files of this node: its certificate, its private key, the authority both nodes trust."""

    certificate: Path
    key: Path
    authority: Path


@dataclass(frozen=True, slots=True)
class PostgresPlan:
    """The settings of one node's PostgreSQL.

    `node`: its name in the record. `listen`: addresses for replication (empty: the socket only).
    `peers`: addresses or networks that may replicate from here. `app_roles`: database roles the
    daemon may sign in as, without a password, over the socket. Sizes in MiB.
    """

    node: str
    data_dir: Path
    port: int
    listen: tuple[str, ...] = ()
    peers: tuple[str, ...] = ()
    tls: TlsFiles | None = None
    os_user: str | None = None
    bindir: Path | None = None
    database: str = "mpower"
    app_roles: tuple[str, ...] = ("mpower_app",)
    shared_buffers_mib: int = 128
    wal_keep_mib: int = 1024
    slot_keep_mib: int = 4096
    max_connections: int = 60

    @property
    def home(self) -> Path:
        """The folder everything below lies in."""
        return self.data_dir / "postgres"

    @property
    def pgdata(self) -> Path:
        """PostgreSQL's own data folder."""
        return self.home / "data"

    @property
    def pgdata_new(self) -> Path:
        """Where a clone or a fresh cluster grows before it is renamed into place."""
        return self.home / "data.new"

    @property
    def pgdata_old(self) -> Path:
        """The one earlier data folder kept after a clone: it may be the only other good copy."""
        return self.home / "data.old"

    @property
    def socket_dir(self) -> Path:
        """The private folder of the Unix socket."""
        return self.home / "run"

    @property
    def secrets(self) -> Path:
        """The password file and the copies of the certificate, key and authority."""
        return self.home / "secrets"

    @property
    def passfile(self) -> Path:
        """The password of the replication role, in libpq's password-file format."""
        return self.secrets / "replication.pass"

    @property
    def log(self) -> Path:
        """What the postmaster and its children print."""
        return self.home / "postgres.log"


def check_plan(plan: PostgresPlan, *, build_has_tls: bool) -> None:
    """Refuses (MisplacedError, with the reason) a plan that cannot be run safely."""
    socket = f"{plan.socket_dir}/.s.PGSQL.{plan.port}"
    if len(socket.encode()) > SOCKET_PATH_MAX_BYTES:
        message = (
            f"The socket path {socket} is longer than {SOCKET_PATH_MAX_BYTES} bytes, the most this "
            "system allows. Choose a shorter data folder."
        )
        raise MisplacedError(message)
    exposed = [address for address in plan.listen if not is_loopback(address)]
    if not exposed:
        return
    if not build_has_tls:
        message = (
            f"Replication on {', '.join(exposed)} would travel in clear: this PostgreSQL was built "
            "without TLS. Install the system's (apt install postgresql), or use loopback."
        )
        raise MisplacedError(message)
    if plan.tls is None:
        message = (
            f"Replication on {', '.join(exposed)} needs a certificate, a key and an authority; "
            "name them in the node's settings, or use loopback."
        )
        raise MisplacedError(message)


def is_loopback(address: str) -> bool:
    """True for an address of this machine only; a name is trusted only when it is localhost."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"
