"""The groups of tests: which test belongs to which, and which cannot run on this machine.

A test's folder is its group (tests/database, tests/live, tests/simulation), so that no mark can
be forgotten. The group `tls` is marked by hand: it needs a PostgreSQL that speaks TLS, which the
wheel's does not. Where only the wheel is there, the group is left out and named in one line;
in CI that is an error, because CI runs everything.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import settings

FOLDER_GROUPS = ("database", "live", "simulation")
LEFT_OUT = pytest.StashKey[int]()

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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark each test by its folder; leave out `tls` where no server can speak it."""
    here = Path(__file__).parent
    for item in items:
        group = item.path.relative_to(here).parts[0]
        if group in FOLDER_GROUPS:
            item.add_marker(group)
    wanting = [item for item in items if item.get_closest_marker("tls")]
    if not wanting or tls_postgres_bindir():
        return
    if os.environ.get("CI"):
        message = "CI runs the tls group, but no PostgreSQL with TLS is here: install postgresql"
        raise pytest.UsageError(message)
    config.hook.pytest_deselected(items=wanting)
    items[:] = [item for item in items if item not in wanting]
    config.stash[LEFT_OUT] = len(wanting)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Name the group that was left out, how many tests it holds and how to get it."""
    count = config.stash.get(LEFT_OUT, 0)
    if count:
        terminalreporter.write_line(
            f"left out: group tls ({count} tests): only the wheel's PostgreSQL is here, which has "
            "no TLS; to run it: apt-get install postgresql"
        )
