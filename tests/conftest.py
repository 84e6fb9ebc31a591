"""The groups of tests: which test belongs to which, and which cannot run on this machine.

A test's folder is its group (tests/database, tests/live, tests/simulation), so that no mark can
be forgotten. Five groups are marked by hand: `tls` needs a PostgreSQL that speaks TLS, which the
wheel's does not; `etcd` needs an etcd; `compiler` needs one for C; `cage` needs network namespaces;
`disks` also mounts filesystems. Where that is not to be had, the group is left out and named in
one line; in CI that is an error, because CI runs everything, but for the cage and its disks, which
a kernel may refuse to a container.
"""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

FOLDER_GROUPS = ("database", "live", "simulation")
MAY_LACK = ("cage", "disks")
"""A container may be refused them."""
LEFT_OUT = pytest.StashKey[dict[str, int]]()

# Seconds a test needs depend on what else the machine does: no deadline is a verdict here.
settings.register_profile("default", deadline=None)
settings.register_profile("thorough", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def tls_postgres_bindir() -> Path | None:
    """The folder of the newest installed PostgreSQL server linked with a TLS library, or None."""
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"),
        key=lambda folder: int(re.sub(r"\D", "", folder.parent.name) or 0),
        reverse=True,
    )
    pg_config = shutil.which("pg_config")
    if pg_config:
        said = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=True)
        folders.append(Path(said.stdout.strip()))
    for folder in folders:
        server = folder / "postgres"
        if server.is_file() and b"libssl" in server.read_bytes():
            return folder
    return None


def may_cage() -> bool:
    """Network namespaces can be had here."""
    if os.geteuid() != 0 or not shutil.which("iptables") or not shutil.which("nsenter"):
        return False
    words = ["unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "true"]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def may_mount() -> bool:
    """Filesystems of our own can be mounted in a cage here."""
    from tests.torture.needs import lacks

    return not lacks(Path(tempfile.gettempdir()))


NEEDS = {
    "tls": (
        tls_postgres_bindir,
        "only the wheel's PostgreSQL is here, which has no TLS",
        "postgresql",
    ),
    "cage": (
        may_cage,
        "it needs root, iptables and a kernel that gives out network namespaces",
        "iproute2 iptables (and be root, outside a container)",
    ),
    "disks": (
        may_mount,
        "it needs root, loop devices, 8 GB of room and a kernel that gives out namespaces",
        "mount e2fsprogs iproute2 iptables (and be root, outside a container)",
    ),
    "compiler": (
        lambda: shutil.which("cc"),
        "there is no C compiler",
        "gcc libc6-dev",
    ),
    "etcd": (
        lambda: shutil.which("etcd") and shutil.which("etcdctl"),
        "there is no etcd",
        "etcd-server etcd-client",
    ),
}
"""Group → what finds it, why it is left out, and what to install."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark each test by its folder; leave out the groups that cannot run here."""
    here = Path(__file__).parent
    for item in items:
        group = item.path.relative_to(here).parts[0]
        if group in FOLDER_GROUPS:
            item.add_marker(group)
    left_out: dict[str, int] = {}
    for group, (there, why, package) in NEEDS.items():
        wanting = [item for item in items if item.get_closest_marker(group)]
        if not wanting or there():
            continue
        if os.environ.get("CI") and group not in {
            "cage",
            "disks",
        }:  # a container may be refused them
            raise pytest.UsageError(f"CI runs the group {group}, but {why}: install {package}")
        config.hook.pytest_deselected(items=wanting)
        items[:] = [item for item in items if item not in wanting]
        left_out[group] = len(wanting)
    config.stash[LEFT_OUT] = left_out


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Name each group that was left out, how many tests it holds and how to get it."""
    for group, count in config.stash.get(LEFT_OUT, {}).items():
        _, why, package = NEEDS[group]
        terminalreporter.write_line(
            f"left out: group {group} ({count} tests): {why}; to run it: apt-get install {package}"
        )
