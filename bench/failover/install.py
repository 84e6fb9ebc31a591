"""Peers made on demand, in a cache folder: nothing is installed into the system.

Patroni goes into an environment of its own. pg_auto_failover's packages are unpacked over a copy of
the system's PostgreSQL, which finds its own folders wherever it lies: the same binaries, with the
extension beside them. What is there at the pinned versions is used again. This file must not know
how a peer is run.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Final

from bench.failover import versions
from bench.failover.ground import as_postgres
from bench.failover.system import NotThereError, ordered

LIMIT_S: Final = 300.0
SYSTEM: Final = Path("/usr")
PLACES: Final = ("lib/postgresql", "share/postgresql")


def cache() -> Path:
    """Give the folder of everything fetched; PostgreSQL's own user must be able to read it."""
    named = os.environ.get("MPOWER_BENCH_CACHE")
    if named:
        return Path(named)
    if os.geteuid() == 0:
        return Path("/var/cache/mpower-bench")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mpower-bench"


def patroni() -> Path:
    """Give the folder of Patroni's programs."""
    pins = "\n".join(versions.PATRONI)
    return _made("patroni", pins, _make_patroni) / "bin"


def _make_patroni(folder: Path) -> None:
    ordered([_python(), "-m", "venv", "--without-pip", str(folder)], os.environ, LIMIT_S)
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install"]
    ordered([*pip, "--quiet", "--no-deps", *versions.PATRONI], os.environ, LIMIT_S)


def _python() -> str:
    """Find a Python that PostgreSQL's own user reaches too; ours may lie in a private home."""
    minor = f"python3.{sys.version_info.minor}"
    for python in (Path(sys.base_prefix) / "bin" / minor, SYSTEM / "bin" / minor):
        reached = [*as_postgres(), "sh", "-c", f"{shlex.quote(str(python))} -c 'import venv'"]
        if subprocess.run(reached, capture_output=True, check=False).returncode == 0:
            return str(python)
    raise NotThereError(f"no {minor} that the account of PostgreSQL may run")


def pg_auto_failover() -> Path:
    """Give a folder like /usr: pg_autoctl, and PostgreSQL with the extension."""
    pins = "\n".join(f"{name}={at}" for name, at in versions.PG_AUTO_FAILOVER.items())
    return _made("pg_auto_failover", pins, _make_auto_failover) / "usr"


def _make_auto_failover(folder: Path) -> None:
    folder.mkdir()
    major = str(versions.POSTGRES_MAJOR)
    for place in PLACES:
        shutil.copytree(SYSTEM / place / major, folder / "usr" / place / major, symlinks=True)
    for name, at in versions.PG_AUTO_FAILOVER.items():
        ordered(["apt-get", "download", f"{name}={at}"], os.environ, LIMIT_S, str(folder))
    for package in folder.glob("*.deb"):
        ordered(["dpkg", "-x", str(package), str(folder)], os.environ, LIMIT_S)


def etcd() -> Path:
    """Give the path of the system's etcd."""
    found = shutil.which("etcd")
    if found is None:
        raise NotThereError("etcd is not installed (Debian: etcd-server)")
    return Path(found)


def postgres_bin() -> Path:
    """Give the folder of the system's PostgreSQL programs."""
    folder = SYSTEM / "lib/postgresql" / str(versions.POSTGRES_MAJOR) / "bin"
    if not (folder / "postgres").exists():
        raise NotThereError(f"PostgreSQL {versions.POSTGRES_MAJOR} is not installed in {folder}")
    return folder


def _made(name: str, pins: str, make: Callable[[Path], None]) -> Path:
    """Make it at these pins unless it is there: complete, or not at all."""
    folder = cache() / f"{name}-{sha256(pins.encode()).hexdigest()[:12]}"
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        make(folder)
    except BaseException as wrong:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(wrong, OSError):
            raise NotThereError(f"{name} cannot be installed: {wrong}") from wrong
        raise
    return folder
