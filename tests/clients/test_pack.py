"""``mpower pack``: every machine gets what it needs, and nobody anybody else's keys."""

import io
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from clients.__main__ import mpower
from clients.ops.pack import OWNER, packed
from config.folder import Paths, write_settings
from config.load import load_client, load_node, load_witness
from tests.clients.plans import servers
from tests.unpacking import unpack

HOUSE = Path(__file__).resolve().parents[2]
MACHINES = {"a", "b", "witness", "C001", "SBI", "ops1"}


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> Paths:
    return write_settings(servers(tmp_path_factory.mktemp("packed") / "board"))


def pack(paths: Paths, machine: str) -> tarfile.TarFile:
    argv = [sys.executable, "-m", "clients", "--settings", str(paths.home), "pack", machine]
    said = subprocess.run(argv, cwd=HOUSE, capture_output=True, check=True, timeout=60)
    return tarfile.open(fileobj=io.BytesIO(said.stdout))


def call(*words: str) -> Result:
    return CliRunner().invoke(mpower, list(words))


@pytest.mark.parametrize("machine", sorted(MACHINES))
def test_what_is_packed_is_enough_to_start_with(paths: Paths, machine: str, tmp_path: Path) -> None:
    unpack(pack(paths, machine), tmp_path)
    if machine == "witness":
        assert load_witness(tmp_path / "witness.yaml").data == Path("/var/lib/mpower")
    elif machine in {"a", "b"}:
        assert load_node(tmp_path / "node.yaml").node == machine
    else:
        assert load_client(tmp_path, {}).tls.certificate.stem.endswith(f"-{machine}")


@pytest.mark.parametrize("machine", sorted(MACHINES))
def test_nobody_gets_another_key_and_nobody_else_reads_them(paths: Paths, machine: str) -> None:
    entries = pack(paths, machine).getmembers()
    keys = [one for one in entries if one.name.endswith((".key", ".password"))]
    mine = [one.name for one in keys if one.name.startswith("pki/") and one.name.endswith(".key")]
    assert len(mine) == 1
    assert "ca.key" not in mine[0]
    secrets = [one.name for one in keys if one.name.startswith("secrets/")]
    both = ["secrets/audit.key", "secrets/replication.password"]
    assert secrets == (both if machine in {"a", "b"} else [])
    assert {one.mode for one in keys} == {0o400}
    assert all(one.mode & 0o007 == 0 for one in entries)
    assert {one.uname for one in entries} == {OWNER}


def test_a_machine_that_is_not_there_is_refused_by_name(paths: Paths, tmp_path: Path) -> None:
    said = call("--settings", str(paths.home), "pack", "c")
    assert (said.exit_code, said.stderr) == (
        2,
        "There is nothing for 'c' here; there are: a, b, witness, C001, SBI, ops1.\n",
    )
    said = call("--settings", str(tmp_path), "pack", "a")
    assert said.exit_code == 1
    assert "is no settings folder; go to the folder 'mpower init' wrote" in said.stderr


@pytest.mark.parametrize(
    ("machine", "files"),
    [("a", ["pki/audit.pub", "secrets/audit.key"]), ("SBI", ["pki/audit.pub"]), ("witness", [])],
)
def test_the_keys_of_the_audit_go_where_they_are_used(
    paths: Paths, machine: str, files: list[str]
) -> None:
    said = call("--settings", str(paths.home), "pack", machine, "--part", "audit", "--list")
    assert said.stdout.split() == files
    assert said.exit_code == (0 if files else 2)
    assert ("the witness needs nothing of audit" in said.stderr) is not bool(files)


def test_the_list_names_the_files_only(paths: Paths) -> None:
    said = call("--settings", str(paths.home), "pack", "witness", "--list")
    assert said.stdout.split() == [
        "pki/ca.crt",
        "pki/revoked.crl",
        "pki/witness-w.crt",
        "pki/witness-w.key",
        "witness.yaml",
    ]


def test_a_name_that_is_part_of_another_is_not_taken_for_it() -> None:
    names = frozenset({"pki/ca.crt", "pki/counter-C0010.crt", "node-ab.yaml"})
    assert packed(names, "C001") is None
    assert packed(names, "a") is None
