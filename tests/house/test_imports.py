"""The import contracts of pyproject.toml catch what they are there for.

`make check` runs them over the house; here they run over a small house with a planted import, so
that a contract which can no longer fail is noticed.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.sources import HOUSE

ROOMS = ("payments", "consumers", "ledger", "audit")


@pytest.fixture
def small_house(tmp_path: Path) -> Path:
    """Lay out the five packages with nothing in them, under the real contracts."""
    (tmp_path / "pyproject.toml").write_text((HOUSE / "pyproject.toml").read_text())
    packages = ["protocols/shell", "config", "cluster", "clients"]
    packages += [f"mpowerd/{room}" for room in ROOMS]
    for package in packages:
        folder = tmp_path / package
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()
        (folder.parent / "__init__.py").touch()
    (tmp_path / "mpowerd/payments/rules.py").touch()
    return tmp_path


def verdict(house: Path) -> subprocess.CompletedProcess[str]:
    """Run the contracts over ``house``."""
    lint = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [lint, "--no-cache"],
        cwd=house,
        env={"PYTHONPATH": str(house)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("place", "imported"),
    [
        ("protocols/planted.py", "twisted.internet"),
        ("protocols/planted.py", "config"),
        ("config/planted.py", "protocols"),
        ("cluster/planted.py", "mpowerd.ledger"),
        ("mpowerd/planted.py", "clients"),
        ("mpowerd/payments/planted.py", "mpowerd.consumers"),
        ("mpowerd/ledger/planted.py", "mpowerd.payments"),
        ("clients/planted.py", "mpowerd.payments"),
        ("clients/planted.py", "cluster"),
    ],
)
def test_a_planted_import_is_seen(small_house: Path, place: str, imported: str) -> None:
    (small_house / place).write_text(f"import {imported}\n")
    said = verdict(small_house)
    assert said.returncode == 1
    assert " is not allowed to import " in said.stdout


def test_what_is_allowed_passes(small_house: Path) -> None:
    allowed = {
        "protocols/shell/tls.py": "twisted.internet",
        "cluster/node.py": "protocols, config, twisted",
        "mpowerd/payments/store.py": "mpowerd.ledger, mpowerd.audit, cluster, protocols",
        "mpowerd/house.py": "mpowerd.payments, mpowerd.consumers",
        "clients/bill.py": "mpowerd.payments.rules, protocols, config",
    }
    for place, imported in allowed.items():
        (small_house / place).write_text(f"import {imported}\n")
    said = verdict(small_house)
    assert said.returncode == 0, said.stdout + said.stderr
