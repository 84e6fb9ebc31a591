"""The text of every settings file of one PostgreSQL; pure, so that each line can be tested.

Invariant (I5): `synchronous_standby_names`, `primary_conninfo` and `primary_slot_name` live in
postgresql.auto.conf and nowhere else, and all files are rendered again before every start: a clone
or a rewind copies the other node's (fact F7). A server started by hand finds the same files, and
blocks.
"""

from dataclasses import dataclass
from typing import Final

from cluster.postgres.place import PostgresPlan, is_loopback

# No standby ever carries this name: a server started with it acknowledges nothing (I5).
BLOCKING_NAMES: Final = 'ANY 1 ("nobody_0")'
REPLICATION_ROLE: Final = "mpower_replication"
SUPERUSER: Final = "postgres"
IDENT_MAP: Final = "mpower"
_ALLOW_ALTER_SYSTEM_MAJOR: Final = 17
_IDLE_SLOT_TIMEOUT_MAJOR: Final = 18

# Each line's reason is in the design page's settings or in the numbered fact beside it.
_FIXED: Final[dict[str, str]] = {
    "wal_level": "replica",
    "wal_log_hints": "on",
    "full_page_writes": "on",
    "fsync": "on",
    "synchronous_commit": "on",  # F10
    "restart_after_crash": "off",  # F2, F3
    "hot_standby": "on",
    "max_wal_senders": "10",
    "max_replication_slots": "10",
    "wal_sender_timeout": "3s",
    "wal_receiver_timeout": "3s",
    "wal_retrieve_retry_interval": "200ms",
    "wal_receiver_status_interval": "1s",
    "tcp_user_timeout": "3000",
    "tcp_keepalives_idle": "2",
    "tcp_keepalives_interval": "1",
    "tcp_keepalives_count": "2",
    "recovery_target_timeline": "latest",
    "max_standby_streaming_delay": "10s",
    "superuser_reserved_connections": "6",  # probes get in when the pool is full
    "max_worker_processes": "8",
    "max_prepared_transactions": "0",
    "jit": "off",
    "password_encryption": "scram-sha-256",
    "unix_socket_permissions": "0770",
    "logging_collector": "off",
    "log_destination": "stderr",
    "log_line_prefix": "%m [%p] %a ",
    "log_checkpoints": "on",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "lc_messages": "C",
    "datestyle": "ISO, YMD",
}


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """The settings that change with the record: all that postgresql.auto.conf holds."""

    names: str
    conninfo: str = ""
    slot: str = ""


def render_conf(plan: PostgresPlan, major: int, *, tls: bool) -> str:
    """postgresql.conf. `tls`: the build has it and the plan names certificates."""
    settings = dict(_FIXED)
    settings |= {
        "listen_addresses": ",".join(plan.listen),
        "port": str(plan.port),
        "unix_socket_directories": str(plan.socket_dir),
        "cluster_name": f"mpower_{plan.node}",
        "shared_buffers": f"{plan.shared_buffers_mib}MB",
        "max_connections": str(plan.max_connections),
        "wal_keep_size": f"{plan.wal_keep_mib}MB",  # F6
        "max_slot_wal_keep_size": f"{plan.slot_keep_mib}MB",
    }
    if major >= _ALLOW_ALTER_SYSTEM_MAJOR:
        settings["allow_alter_system"] = "off"
    if major >= _IDLE_SLOT_TIMEOUT_MAJOR:
        settings["idle_replication_slot_timeout"] = "0"
    if tls:
        settings |= {
            "ssl": "on",
            "ssl_cert_file": str(plan.secrets / "server.crt"),
            "ssl_key_file": str(plan.secrets / "server.key"),
            "ssl_ca_file": str(plan.secrets / "authority.crt"),
            "ssl_min_protocol_version": "TLSv1.2",
        }
    head = "# Written by mpowerd before every start: changes made here are lost.\n"
    return head + "".join(f"{name} = {quote(value)}\n" for name, value in settings.items())


def render_hba(plan: PostgresPlan, *, tls: bool, admits: bool) -> str:
    """pg_hba.conf: the socket by operating-system user, replication by password, else nobody.

    Only the superuser enters every database: what the migrations take away they take away in the
    application's, and a signal sent from any other ends a backend there.
    ``admits``: the other node; not where this copy may yet turn out to be an older one.
    """
    lines = [
        f"local all {SUPERUSER} peer map={IDENT_MAP}",
        f'local "{plan.database}" all peer map={IDENT_MAP}',
    ]
    kind = "hostssl" if tls else "host"
    for peer in plan.peers if admits else ():
        if not tls and not is_loopback(peer.partition("/")[0]):
            continue  # check_plan refuses such a node; a line in clear must not exist either
        address = peer if "/" in peer else f"{peer}/{128 if ':' in peer else 32}"
        where = f"{REPLICATION_ROLE} {address} scram-sha-256"
        # The database named postgres holds nothing; pg_rewind must enter one.
        lines += [f"{kind} replication {where}", f"{kind} {SUPERUSER} {where}"]
    return "\n".join(lines) + "\n"


def render_ident(plan: PostgresPlan, daemon_user: str, service_user: str) -> str:
    """pg_ident.conf: who may be whom on the socket.

    The daemon may be the superuser and the application; the service user owns the files anyway, so
    it may be the superuser (an operator's psql) but not the application.
    """
    pairs = [(daemon_user, SUPERUSER), *((daemon_user, role) for role in plan.app_roles)]
    if service_user != daemon_user:
        pairs.append((service_user, SUPERUSER))
    return "".join(f'{IDENT_MAP} "{system}" "{role}"\n' for system, role in pairs)


def render_auto(live: LiveSettings) -> str:
    """postgresql.auto.conf."""
    return (
        "# Written by mpowerd; the names say who must hold a payment before it is acknowledged.\n"
        f"synchronous_standby_names = {quote(live.names)}\n"
        f"primary_conninfo = {quote(live.conninfo)}\n"
        f"primary_slot_name = {quote(live.slot)}\n"
    )


def parse_auto(text: str) -> LiveSettings:
    """What a postgresql.auto.conf holds; a missing name is empty, the last of two wins (as in
    PostgreSQL).
    """
    found: dict[str, str] = {}
    for line in text.split("\n"):
        name, equals, value = line.partition("=")
        if equals and not name.lstrip().startswith("#"):
            found[name.strip()] = _unquote(value.strip())
    return LiveSettings(
        found.get("synchronous_standby_names", ""),
        found.get("primary_conninfo", ""),
        found.get("primary_slot_name", ""),
    )


def render_passfile(password: str) -> str:
    """One line for the replication role at any server, escaped as libpq wants."""
    escaped = password.replace("\\", "\\\\").replace(":", "\\:")
    return f"*:*:*:{REPLICATION_ROLE}:{escaped}\n"


def render_conninfo(
    plan: PostgresPlan, address: str, port: int, application_name: str, *, tls: bool
) -> str:
    """How this node's walreceiver reaches the other: the password stays in the file it names."""
    parts = {
        "host": address,
        "port": str(port),
        "user": REPLICATION_ROLE,
        "application_name": application_name,
        "passfile": str(plan.passfile),
        "connect_timeout": "2",
        "keepalives_idle": "2",
        "keepalives_interval": "1",
        "keepalives_count": "2",
        "tcp_user_timeout": "3000",
        "sslmode": "verify-full" if tls else "disable",
    }
    if tls:
        parts["sslrootcert"] = str(plan.secrets / "authority.crt")
    return " ".join(f"{name}={_conninfo_value(value)}" for name, value in parts.items())


def with_application_name(conninfo: str, application_name: str) -> str:
    """The same conninfo under another application_name; libpq lets the last of two win."""
    if not conninfo:
        return ""
    kept = [part for part in conninfo.split(" ") if not part.startswith("application_name=")]
    return " ".join([*kept, f"application_name={_conninfo_value(application_name)}"])


def quote(value: str) -> str:
    """A value as the settings files want it; a line break cannot be written and is our mistake."""
    if any(c in value for c in "\r\n\0"):
        message = "a setting cannot hold a line break"
        raise ValueError(message)
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def _unquote(value: str) -> str:
    if len(value) > 1 and value.startswith("'") and value.endswith("'"):
        return value[1:-1].replace("''", "'").replace("\\\\", "\\")
    return value


def _conninfo_value(value: str) -> str:
    if value and not any(c in value for c in " '\\"):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
