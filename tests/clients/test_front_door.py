"""``mpower`` itself: fast, lazy, helpful; and ``mpower init``."""

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click.testing
import pytest
from cryptography.hazmat.primitives import serialization

from clients.__main__ import NOUNS, mpower
from clients.ops.init import free_ports
from config.load import load_client, load_node, load_witness
from config.pki import Identity, issue, make_authority
from config.settings import FAST

SERVERS = ("--node", "a=10.0.0.1,10.1.0.1", "--node", "b=10.0.0.2,10.1.0.2")


def call(*words: str) -> click.testing.Result:
    return click.testing.CliRunner().invoke(mpower, words, prog_name="mpower")


def test_help_lists_the_nouns_and_loads_none() -> None:
    heavy = ("twisted", "msgspec", "yaml", "cryptography", "rich", "protocols", "config")
    program = (
        "import sys; from clients.__main__ import mpower\n"
        "try: mpower(['--help'])\n"
        "except SystemExit: pass\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    *text, loaded = done.stdout.splitlines()
    assert loaded == "[]"
    for noun in NOUNS:
        assert any(line.strip().startswith(noun) for line in text), noun
    assert "Exit codes: 0 done" in done.stdout


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("clutser", "There is no 'mpower clutser'. Did you mean 'cluster'?"),
        ("xyzzy", f"There is no 'mpower xyzzy'. There are: {', '.join(NOUNS)}."),
    ],
)
def test_a_wrong_noun_gets_the_nearest_right_one(word: str, sentence: str) -> None:
    said = call(word)
    assert said.exit_code == 2
    assert sentence in said.stderr


@pytest.mark.parametrize("noun", ["init", "bank", "admin"])
def test_a_noun_explains_itself_with_an_example(noun: str) -> None:
    said = call(noun, "--help")
    assert said.exit_code == 0
    assert "Example" in said.stdout


def test_settings_that_are_missing_are_explained(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("H,SBI,s,2026-04-01\nD,R,1,1,2026-04-01\nT,1,1\n")
    said = call("--settings", str(tmp_path), "bank", "post", str(tmp_path / "x.csv"))
    assert said.exit_code == 1
    assert said.stderr == (
        f"{tmp_path}/mpower.yaml: the file does not exist;"
        " --settings names the folder that 'mpower init' wrote.\n"
    )


def test_init_writes_a_folder_every_program_can_read(tmp_path: Path) -> None:
    home = tmp_path / "board"
    words = ("init", str(home), *SERVERS, "--witness", "10.0.0.3", "--counters", "2")
    said = call(*words, "--banks", "SBI", "--banks", "PNB")
    assert said.exit_code == 0, said.output
    assert "What next:" in said.stdout
    assert f"export MPOWER_HOME={home}" in said.stdout
    assert "mpower cluster bootstrap --admin" in said.stdout
    node = load_node(home / "node-a.yaml")
    assert node.here.peer == ["10.0.0.1:7501", "10.1.0.1:7501"]
    assert node.peer.terminals == "10.0.0.2:7500"
    assert node.cluster.witness == load_witness(home / "witness.yaml").listen == "10.0.0.3:7503"
    assert load_client(home, {}).nodes == ["10.0.0.1:7500", "10.0.0.2:7500"]
    for name in ("counter-C002", "bank-PNB", "ops-ops1"):
        assert (home / "pki" / f"{name}.key").exists()
    again = call(*words)
    assert again.exit_code == 1
    assert again.stderr == (
        f"{home} is not an empty folder; choose another or empty it (keys in use are never"
        " overwritten).\n"
    )


def test_init_writes_the_fast_profile_into_both_nodes_when_asked(tmp_path: Path) -> None:
    home = tmp_path / "board"
    said = call("init", str(home), *SERVERS, "--witness", "10.0.0.3", "--timers", "fast")
    assert said.exit_code == 0, said.output
    for node in ("a", "b"):
        assert load_node(home / f"node-{node}.yaml").cluster.timers == FAST


def test_init_for_a_try_takes_free_ports(tmp_path: Path) -> None:
    said = call("init", str(tmp_path / "b"), "--ports", "auto", "--json")
    paths = json.loads(said.stdout)
    assert paths["version"] == 1
    node = load_node(Path(paths["nodes"]["a"]))
    assert {one.rpartition(":")[0] for one in [*node.here.peer, str(node.cluster.witness)]} == {
        "127.0.0.1"
    }


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--node", "a=h1"), "A cluster has exactly two nodes; give --node a=HOST --node b=HOST,"),
        (("--node", "a=h1", "--node", "b"), "'b' is not NAME=HOST"),
        (("--node", "a=h1,", "--node", "b=h2"), "'a=h1,' is not NAME=HOST"),
        (("--node", "a=h1", "--node", "a=h2"), "the plan: both nodes are called a."),
        (("--node", "a=h1", "--node", "b=h1"), "the address h1:7501 is used twice."),
        (("--node", "a=h_1!", "--node", "b=h2"), "cluster.nodes[0].peer[0]: it is not written"),
        ((*SERVERS, "--banks", "sbi"), "'sbi' is not a bank's code (as C001 or SBI). Nothing was"),
        (
            (*SERVERS, "--name", "My Board"),
            "node-a.yaml: cluster.name: it is not written as it must",
        ),
        ((*SERVERS, "--counters", "0"), "0 is not in the range 1<=x<=999"),
        ((*SERVERS, "--ports", "auto"), "--ports auto is for this machine alone"),
    ],
)
def test_init_names_a_wrong_word_and_writes_nothing(
    tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    said = call("init", str(tmp_path / "b"), "--witness", "h3", *words)
    assert said.exit_code == 2, said.output
    assert sentence in " ".join(said.stderr.split())
    assert not (tmp_path / "b").exists()


def test_init_wants_a_witness_on_a_third_machine(tmp_path: Path) -> None:
    said = call("init", str(tmp_path / "b"), *SERVERS)
    assert "Give --witness HOST: a third machine that decides who is primary." in said.stderr
    said = call("init", str(tmp_path / "b"), *SERVERS, "--witness", "10.1.0.2")
    assert "The witness must not run on a server of the pair (10.1.0.2)" in said.stderr


@pytest.fixture
def etcd(tmp_path: Path) -> dict[str, Path]:
    """What an etcd's administrator issues to a client."""
    now = dt.datetime.now(dt.UTC)
    authority = make_authority("etcd", now)
    issued = issue(authority, Identity("etcd", "ops", "client"), now, [])
    contents = {
        "ca": authority.certificate.public_bytes(serialization.Encoding.PEM),
        "certificate": issued.certificate,
        "key": issued.key,
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return {name: tmp_path / name for name in contents}


def on_etcd(files: dict[str, Path]) -> tuple[str, ...]:
    members = ("--etcd", "10.0.0.21", "--etcd", "10.0.0.22:2479")
    words = [word for name, path in files.items() for word in (f"--etcd-{name}", str(path))]
    return ("--arbiter", "etcd", *members, *words)


def test_init_with_an_etcd_writes_its_certificates_and_packs_them(
    tmp_path: Path, etcd: dict[str, Path]
) -> None:
    home = tmp_path / "board"
    said = call("init", str(home), *SERVERS, *on_etcd(etcd))
    assert said.exit_code == 0, said.output
    assert "witness" not in said.stdout
    assert not (home / "witness.yaml").exists()
    cluster = load_node(home / "node-a.yaml").cluster
    assert (cluster.arbiter, cluster.witness) == ("etcd", None)
    assert cluster.etcd is not None
    assert cluster.etcd.endpoints == ["10.0.0.21:2379", "10.0.0.22:2479"]
    assert cluster.etcd.key.read_bytes() == etcd["key"].read_bytes()
    assert cluster.etcd.key.stat().st_mode & 0o777 == 0o400
    assert load_client(home, {}).witness is None
    listed = call("--settings", str(home), "pack", "b", "--list").stdout.split()
    assert {"pki/etcd-ca.crt", "pki/etcd-client.crt", "pki/etcd-client.key"} < set(listed)
    listed = call("--settings", str(home), "pack", "C001", "--list").stdout.split()
    assert not [one for one in listed if "etcd" in one]


def test_a_certificate_that_lies_elsewhere_is_named_before_it_is_missed(
    tmp_path: Path, etcd: dict[str, Path]
) -> None:
    home = tmp_path / "board"
    call("init", str(home), *SERVERS, *on_etcd(etcd))
    file = home / "node-a.yaml"
    file.write_text(file.read_text().replace("pki/etcd-ca.crt", str(etcd["ca"])))
    said = call("--settings", str(home), "pack", "a", "--list")
    assert (said.exit_code, "Copy it under pki/ and name it so" in said.stderr) == (1, True)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda words: words[2:], "An etcd was named: say --arbiter etcd too."),
        (lambda words: words[:2] + words[6:], "Name every member of the etcd: --etcd"),
        (lambda words: words[:-2], "etcd is spoken with over TLS only: give --etcd-ca FILE"),
        (lambda words: (*words[:-1], words[7]), "is no private key in PEM"),
        (lambda words: (*words, "--etcd", "no host"), "Nothing was written."),
        (lambda words: (*words, "--witness", "h3"), "leave --witness out"),
    ],
)
def test_init_says_what_an_etcd_needs_and_writes_nothing(
    tmp_path: Path, etcd: dict[str, Path], change: Any, sentence: str
) -> None:
    said = call("init", str(tmp_path / "b"), *SERVERS, *change(on_etcd(etcd)))
    assert said.exit_code == 2, said.output
    assert sentence in " ".join(said.stderr.split())
    assert not (tmp_path / "b").exists()


def test_a_key_of_another_certificate_is_refused(tmp_path: Path, etcd: dict[str, Path]) -> None:
    now = dt.datetime.now(dt.UTC)
    other = issue(make_authority("etcd", now), Identity("etcd", "ops", "client"), now, [])
    etcd["key"].write_bytes(other.key)
    said = call("init", str(tmp_path / "b"), *SERVERS, *on_etcd(etcd))
    assert (said.exit_code, "is not the key of" in said.stderr) == (2, True), said.output


def test_free_ports_are_different_and_stay_free() -> None:
    found = free_ports(20)
    assert len(set(found)) == 20
    assert max(found) < 32_000
