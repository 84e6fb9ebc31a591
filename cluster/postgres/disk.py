"""Files of the data folder, written so that a power cut leaves the old or the new, never half.

Every function here blocks: called from a thread only, because a hung disk must never stop the
heartbeat. Files end up owned by the service user and are readable by nobody else.
"""

import os
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cluster.postgres.account import Account, first_barrier, may_enter
from cluster.postgres.files import LiveSettings, parse_auto
from cluster.postgres.place import PostgresPlan, TlsFiles
from cluster.postgres.troubles import MisplacedError

_PRIVATE_FILE: Final = 0o600
_PRIVATE_FOLDER: Final = 0o700
# A log that grew past this at a start is set aside once; two of them stay far below a small disk.
LOG_LIMIT_BYTES: Final = 16 * 1024 * 1024


def make_home(plan: PostgresPlan, account: Account) -> None:
    """Makes the private folders; MisplacedError when the service user could not reach them."""
    plan.data_dir.mkdir(parents=True, exist_ok=True)
    _let_in(plan.data_dir, account)
    barrier = first_barrier(plan.data_dir, account)
    if barrier is not None:
        message = (
            f"PostgreSQL runs as {account.name}, who may not enter {barrier}, so the data folder "
            f"{plan.data_dir} is out of reach. Choose one outside private homes: /var/lib/mpower."
        )
        raise MisplacedError(message)
    for folder in (plan.home, plan.socket_dir, plan.secrets):
        folder.mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)
        folder.chmod(_PRIVATE_FOLDER)
        _give(folder, account)


def write_durably(path: Path, content: bytes, account: Account) -> None:
    """Writes a neighbour, fsyncs it, renames it over `path`, fsyncs the folder."""
    neighbour = path.with_name(path.name + ".tmp")
    descriptor = os.open(neighbour, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fchmod(file.fileno(), _PRIVATE_FILE)
        if account.switches:
            os.fchown(file.fileno(), account.uid, account.gid)
        os.fsync(file.fileno())
    neighbour.rename(path)
    sync_folder(path.parent)


def have(path: Path, content: bytes, account: Account) -> None:
    """Writes it unless it stands there already: a full disk must not keep a node from starting."""
    try:
        if path.read_bytes() == content and path.stat().st_uid == account.uid:
            return
    except FileNotFoundError:
        pass
    write_durably(path, content, account)


def write_settings(pgdata: Path, texts: Mapping[str, str], account: Account) -> None:
    """Writes the named settings files of a data folder."""
    for name, text in texts.items():
        write_durably(pgdata / name, text.encode(), account)


def set_signal(pgdata: Path, account: Account, *, standby: bool) -> None:
    """Puts standby.signal there, or takes it away for the one start that was authorised (I6)."""
    (pgdata / "recovery.signal").unlink(missing_ok=True)
    if standby:
        write_durably(pgdata / "standby.signal", b"", account)
    else:
        (pgdata / "standby.signal").unlink(missing_ok=True)
        sync_folder(pgdata)


def read_live(pgdata: Path) -> LiveSettings:
    """The names and upstream found on disk."""
    try:
        return parse_auto((pgdata / "postgresql.auto.conf").read_text("utf-8"))
    except FileNotFoundError:
        return LiveSettings("")


def copy_tls(tls: TlsFiles, plan: PostgresPlan, account: Account) -> None:
    """Copies the node's certificate, key and authority to where the service user may read them."""
    for source, name in (
        (tls.certificate, "server.crt"),
        (tls.key, "server.key"),
        (tls.authority, "authority.crt"),
    ):
        have(plan.secrets / name, source.read_bytes(), account)


def install(plan: PostgresPlan) -> None:
    """Renames the finished new data folder into place and keeps the one before it.

    The new folder's names and pages are on the disk before its name is: pg_basebackup has synced
    them, and what was written since was synced as it was written.
    """
    sync_folder(plan.pgdata_new)
    if plan.pgdata.exists():
        plan.pgdata.rename(plan.pgdata_old)
        sync_folder(plan.home)
    plan.pgdata_new.rename(plan.pgdata)
    sync_folder(plan.home)


def make_room(plan: PostgresPlan, *, keep: bool = True) -> None:
    """Removes what an unfinished copy left, and what the coming one shall not keep.

    A folder is kept until the copy that replaced it is proven: while there is one, the present
    folder is the less trusted of the two, and goes.
    """
    shutil.rmtree(plan.pgdata_new, ignore_errors=True)
    if plan.pgdata_old.exists() or not keep:
        shutil.rmtree(plan.pgdata, ignore_errors=True)
    if not keep:
        drop_old(plan)


def drop_old(plan: PostgresPlan) -> None:
    """Removes the folder kept by a clone."""
    shutil.rmtree(plan.pgdata_old, ignore_errors=True)


def open_log(plan: PostgresPlan, account: Account) -> int:
    """A descriptor that appends to the log; an overgrown log is set aside first."""
    if plan.log.exists() and plan.log.stat().st_size > LOG_LIMIT_BYTES:
        plan.log.rename(plan.log.with_suffix(".log.1"))
    descriptor = os.open(plan.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, _PRIVATE_FILE)
    if account.switches:
        os.fchown(descriptor, account.uid, account.gid)
    return descriptor


def log_tail(plan: PostgresPlan, size_bytes: int = 64 * 1024) -> str:
    """The end of the log: a start with a minute of probes fits in."""
    try:
        with plan.log.open("rb") as file:
            file.seek(max(0, plan.log.stat().st_size - size_bytes))
            return file.read().decode("utf-8", "replace").strip()
    except OSError:
        return ""


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _let_in(data_dir: Path, account: Account) -> None:
    """Opens the node's own private folder to the service user's group, to pass and not to list.

    Folders above it are not ours to open.
    """
    status = data_dir.stat()
    if account.switches and status.st_uid == os.geteuid() and not may_enter(status, account):
        os.chown(data_dir, -1, account.gid)
        data_dir.chmod(stat.S_IMODE(status.st_mode) & ~0o070 | stat.S_IXGRP)


def _give(path: Path, account: Account) -> None:
    if account.switches:
        os.chown(path, account.uid, account.gid)
