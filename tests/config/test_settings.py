"""A wrong setting is refused in one sentence with file, key, reason; a right one arrives typed."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from config.folder import Plan, write_settings
from config.load import SettingsError, load_client, load_node, load_witness, with_certificate
from config.settings import NodeAddress, split_address

NOBODY: Final = 65534


def address(name: str, host: str) -> NodeAddress:
    return NodeAddress(
        name=name,
        peer=[f"{host}:7501", f"{host}:7504"],
        terminals=f"{host}:7500",
        postgres=f"{host}:7502",
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("board") / "board"
    nodes = (address("a", "127.0.0.1"), address("b", "127.0.0.2"))
    plan = Plan(
        home=place, name="board", nodes=nodes, witness="127.0.0.3:7503", banks=("SBI", "PNB")
    )
    return write_settings(plan).home


def changed(home: Path, name: str, old: str, new: str) -> Path:
    text = (home / name).read_text()
    assert old in text
    path = home / "changed.yaml"
    path.write_text(text.replace(old, new, 1))
    return path


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("node: a", "node: c", "the node c is not among cluster.nodes a, b"),
        ("node: a", "nod: a", "nod: there is no such setting; did you mean 'node'"),
        (
            "  # strict: false",
            "  strikt: true",
            "cluster.strikt: there is no such setting; did you mean 'strict'",
        ),
        (
            "# pool: 8",
            "zzz: 8",
            (
                "limits.zzz: there is no such setting; known here: sessions, payments_per_batch,"
                " accept_per_s, counter_tokens_per_s, bank_tokens_per_s, ops_tokens_per_s, pool"
            ),
        ),
        ("    - name: b", "    - name: a", "cluster: both nodes are called a"),
        (
            "127.0.0.1:7504",
            "127.0.0.1:7501",
            "cluster: the address 127.0.0.1:7501 is used twice",
        ),
        (
            "127.0.0.3:7503",
            "127.0.0.3",
            (
                "cluster.witness: it is not written as it must be (host:port of the witness. It"
                " must run on neither server)"
            ),
        ),
        (
            "127.0.0.3:7503",
            "127.0.0.3:70000",
            "cluster: the port of 127.0.0.3:70000 is not between 1 and 65535",
        ),
        (
            "# beat_ms: 200",
            "beat_ms: 200ms",
            "cluster.timers.beat_ms: a whole number is needed, not text",
        ),
        ("# beat_ms: 200", "beat_ms: 1", "cluster.timers.beat_ms: it must be at least 10"),
        (
            "# solo_ms: 1000",
            "solo_ms: 2000",
            "cluster.timers: stall_ms <= solo_ms < takeover_ms must hold, they are 500, 2000, 2000",
        ),
        (
            "# suspect_ms: 600",
            "suspect_ms: 400",
            (
                "cluster.timers: 2 x beat_ms < suspect_ms < takeover_ms must hold, they are 200,"
                " 400, 2000"
            ),
        ),
        (
            "# isolate_ms: 4000",
            "isolate_ms: 1999",
            "cluster.timers: isolate_ms must not be below takeover_ms, they are 1999, 2000",
        ),
        (
            "# log_level: info",
            "log_level: loud",
            "log_level: 'loud' is not one of the choices (debug, info, warning or error)",
        ),
        ("# strict: false", "strict: on", "cluster.strict: true or false is needed, not text"),
        (
            "data: data/node-a",
            "",
            (
                "data: this setting is missing (The folder of everything this node keeps: database,"
                " epoch, logs)"
            ),
        ),
        ("pki/ca.crt", "pki/no.crt", "tls.ca: there is no {home}/pki/no.crt"),
        ("pki/ca.crt", "7", "tls.ca: a path is needed, not 7"),
        (
            "secrets/replication.password",
            "secrets/none",
            "postgres.replication_password_file: there is no {home}/secrets/none",
        ),
        ("# bindir:", "bindir: /no/such", "postgres.bindir: there is no /no/such"),
        (
            '# shared_buffers: "128MB"',
            "shared_buffers: lots",
            (
                "postgres.shared_buffers: it is not written as it must be (Its cache, as 128MB; a"
                " quarter of the memory is usual)"
            ),
        ),
        (
            "node: a",
            "node: a\nnode: b",
            "line 7: the key 'node' stands here twice, first on line 6",
        ),
        ("# pool: 8", "pool: 0", "limits.pool: it must be at least 1"),
    ],
)
def test_a_wrong_setting_is_named(home: Path, old: str, new: str, sentence: str) -> None:
    path = changed(home, "node-a.yaml", old, new)
    with pytest.raises(SettingsError) as refused:
        load_node(path)
    assert str(refused.value) == f"{path}: {sentence.format(home=home)}."


@pytest.mark.parametrize(
    ("program", "mode", "reason"),
    [
        ("call", 0o755, ""),
        ("call", 0o644, "may not be executed; 'chmod 755"),
        ("call", 0o775, "others can change"),
        ("none", 0o755, "there is no program"),
    ],
)
def test_a_callback_is_a_program_that_only_its_owner_changes(
    home: Path, tmp_path: Path, program: str, mode: int, reason: str
) -> None:
    (tmp_path / "call").write_text("#!/bin/sh\n")
    (tmp_path / "call").chmod(mode)
    path = changed(home, "node-a.yaml", "  # gate:", f"  gate: {tmp_path / program}")
    if reason:
        with pytest.raises(SettingsError, match=f"callbacks.gate: .*{reason}"):
            load_node(path)
    else:
        assert load_node(path).callbacks.gate == str(tmp_path / program)


def test_a_callback_is_named_by_its_absolute_path(home: Path) -> None:
    path = changed(home, "node-a.yaml", "  # gate:", "  gate: call")
    with pytest.raises(SettingsError, match=r"callbacks.gate: it is not written as it must be"):
        load_node(path)


def test_three_nodes_are_not_a_pair(home: Path) -> None:
    path = changed(
        home,
        "node-a.yaml",
        "  witness:",
        "    - {name: c, peer: ['h:1'], terminals: 'h:2', postgres: 'h:3'}\n  witness:",
    )
    with pytest.raises(SettingsError, match="cluster: a cluster has exactly two nodes, here are 3"):
        load_node(path)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("- a\n", "it must hold settings as 'key: value' lines"),
        ("", "it must hold settings as 'key: value' lines"),
    ],
)
def test_a_file_without_settings_is_refused(tmp_path: Path, content: str, sentence: str) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(content)
    with pytest.raises(SettingsError) as refused:
        load_witness(path)
    assert str(refused.value) == f"{path}: {sentence}."


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        load_node(tmp_path / "none.yaml")
    assert str(refused.value) == f"{tmp_path}/none.yaml: the file does not exist."


def test_a_folder_instead_of_a_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"cannot be read .Is a directory."):
        load_node(tmp_path)


def test_a_right_file_arrives_typed_with_absolute_paths(home: Path) -> None:
    settings = load_node(home / "node-b.yaml")
    assert (settings.here.name, settings.peer.name) == ("b", "a")
    assert settings.data == home / "data" / "node-b"
    assert settings.tls.key == home / "pki" / "node-b.key"
    assert settings.cluster.timers.takeover_ms == 2000
    assert load_witness(home / "witness.yaml").nodes == ["a", "b"]


def test_a_client_reads_its_folder_and_the_environment_goes_before_it(home: Path) -> None:
    plain = load_client(home, {})
    assert plain.nodes == ["127.0.0.1:7500", "127.0.0.2:7500"]
    assert plain.tls.certificate == home / "pki" / "ops-ops1.crt"
    said = {
        "MPOWER_HOME": str(home),
        "MPOWER_NODES": "h:1,h:2",
        "MPOWER_CERT": str(home / "pki" / "bank-SBI.crt"),
        "MPOWER_WITNESS": "",
    }
    other = load_client(None, said)
    assert other.nodes == ["h:1", "h:2"]
    assert other.tls.certificate == home / "pki" / "bank-SBI.crt"
    assert other.tls.key == home / "pki" / "ops-ops1.key"
    assert other.witness == plain.witness


def test_a_client_needs_no_file_when_the_environment_says_all(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = {
        "MPOWER_CLUSTER": "board",
        "MPOWER_NODES": "h:1",
        "MPOWER_CA": str(home / "pki/ca.crt"),
        "MPOWER_CERT": str(home / "pki/counter-C001.crt"),
        "MPOWER_KEY": str(home / "pki/counter-C001.key"),
        "MPOWER_JOURNAL": "journal",
    }
    assert load_client(None, said).journal == tmp_path / "journal"
    del said["MPOWER_KEY"]
    with pytest.raises(SettingsError) as refused:
        load_client(None, said)
    assert str(refused.value) == (
        "the environment (MPOWER_*): tls.key: this setting is missing (Its private key: mode 0400,"
        " never copied to another machine)."
    )
    with pytest.raises(SettingsError) as lost:
        load_client(None, {})
    assert str(lost.value) == (
        "mpower.yaml: the file does not exist; go to the settings folder, set MPOWER_HOME to it,"
        " or write one with 'mpower init'."
    )


def test_another_identity_comes_from_the_same_folder(home: Path) -> None:
    tls = load_client(home, {}).tls
    assert with_certificate(tls, "ops") is tls
    assert with_certificate(tls, "counter").key == home / "pki" / "counter-C001.key"
    assert with_certificate(tls, "bank", "PNB").certificate == home / "pki" / "bank-PNB.crt"
    with pytest.raises(SettingsError) as several:
        with_certificate(tls, "bank")
    assert str(several.value) == (
        f"{home}/pki: tls.certificate: there is no single bank certificate with its key"
        " (found: bank-PNB, bank-SBI)."
    )
    with pytest.raises(SettingsError, match="no counter certificate for C009 with its key"):
        with_certificate(tls, "counter", "C009")


@pytest.mark.parametrize(
    ("text", "parts"),
    [("h:1", ("h", 1)), ("[::1]:7500", ("::1", 7500)), ("10.0.0.1:65535", ("10.0.0.1", 65535))],
)
def test_an_address_splits(text: str, parts: tuple[str, int]) -> None:
    assert split_address(text) == parts


@contextmanager
def without_privilege() -> Iterator[None]:
    """As a user from whom something can be kept: nobody, where the tests run as root."""
    me = os.geteuid()
    os.seteuid(me or NOBODY)
    try:
        yield
    finally:
        os.seteuid(me)


@pytest.mark.parametrize("closed", ["mpower.yaml", "pki/ops-ops1.key", "."])
def test_what_this_user_may_not_read_is_named_with_a_way_out(home: Path, closed: str) -> None:
    with tempfile.TemporaryDirectory(prefix="mp") as folder:
        board = Path(shutil.copytree(home, Path(folder) / "board"))
        for one in (board.parent, board, board / "pki"):
            one.chmod(0o755)
        (board / closed).chmod(0)
        with pytest.raises(SettingsError) as refused, without_privilege():
            load_client(board, {})
        board.chmod(0o755)
    assert str(board / closed) in str(refused.value)
    assert "this user may not read it; run this as the user it belongs to" in str(refused.value)


def test_a_folder_that_is_named_and_not_there_says_who_named_it(tmp_path: Path) -> None:
    for place, said, who in (
        (tmp_path, {}, "--settings"),
        (None, {"MPOWER_HOME": str(tmp_path)}, "MPOWER_HOME"),
    ):
        with pytest.raises(SettingsError) as refused:
            load_client(place, said)
        assert str(refused.value) == (
            f"{tmp_path}/mpower.yaml: the file does not exist; {who} names the folder that"
            " 'mpower init' wrote."
        )
