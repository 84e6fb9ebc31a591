"""The settings folder is written whole, documented, with the right modes, never over another."""

import datetime as dt
import os
import stat
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from config.explain import description_of, group_of, item_of
from config.files import write_file
from config.folder import FolderError, Paths, Plan, write_settings
from config.load import (
    SettingsError,
    load_client,
    load_node,
    load_witness,
    settings_from,
    with_certificate,
)
from config.pki import PkiError, identity_of
from config.settings import (
    ClientSettings,
    NodeAddress,
    NodeSettings,
    Settings,
    TimersSettings,
    TlsSettings,
    WitnessSettings,
)
from config.writing import settings_text
from config.yaml import read_yaml

A = NodeAddress(
    name="a", peer=["10.0.0.1:1", "10.1.0.1:1"], terminals="a.board:2", postgres="a.board:3"
)
B = NodeAddress(name="b", peer=["10.0.0.2:1"], terminals="10.0.0.2:2", postgres="10.0.0.2:3")


def plan(home: Path, **more: object) -> Plan:
    base = Plan(home=home, name="board", nodes=(A, B), witness="10.0.0.3:4")
    return msgspec.structs.replace(base, **more)


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> Paths:
    timers = TimersSettings(beat_ms=100)
    return write_settings(plan(tmp_path_factory.mktemp("x") / "board", timers=timers))


def keys(group: type[Settings]) -> list[str]:
    found = []
    for field in msgspec.structs.fields(group):
        found.append(field.name)
        inner = group_of(field.type) or group_of(item_of(field.type))
        found += keys(inner) if inner else []
    return found


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("node-a.yaml", NodeSettings),
        ("witness.yaml", WitnessSettings),
        ("mpower.yaml", ClientSettings),
    ],
)
def test_every_setting_stands_in_its_file_below_a_comment(
    paths: Paths, name: str, group: type[Settings]
) -> None:
    lines = [
        line.strip().removeprefix("- ") for line in (paths.home / name).read_text().split("\n")
    ]
    for key in keys(group):
        places = [
            n for n, line in enumerate(lines) if line.removeprefix("# ").startswith(f"{key}:")
        ]
        assert places, key
        assert all(lines[n - 1].startswith("# ") for n in places), key


def test_every_setting_has_a_description() -> None:
    def look(group: type[Settings]) -> None:
        for field in msgspec.structs.fields(group):
            assert len(description_of(field.type)) > 5, f"{group.__name__}.{field.name}"
            inner = group_of(field.type) or group_of(item_of(field.type))
            if inner:
                look(inner)

    for group in (NodeSettings, WitnessSettings, ClientSettings):
        look(group)


def test_what_was_written_is_read_back(paths: Paths) -> None:
    node = load_node(paths.nodes["a"])
    assert node.cluster.nodes == [A, B]
    assert node.cluster.timers == TimersSettings(beat_ms=100)
    assert node.postgres.replication_password_file == paths.replication_password
    assert load_witness(paths.witness).name == "w"
    assert load_client(paths.client, {}).peers == ["10.0.0.1:1", "10.1.0.1:1", "10.0.0.2:1"]


def test_secrets_are_readable_by_the_owner_only(paths: Paths) -> None:
    modes = {
        path.relative_to(paths.home).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in paths.home.rglob("*")
    }
    for name, mode in modes.items():
        if name.endswith((".key", ".password")):
            assert mode == 0o400, name
    assert modes["pki"] == modes["secrets"] == 0o700
    assert not [name for name in modes if name.endswith(".new")]


def test_certificates_name_their_owner_and_the_hosts_of_servers(paths: Paths) -> None:
    certificate, _ = paths.certificate("node", "a")
    leaf = x509.load_pem_x509_certificate(certificate.read_bytes())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(one.value) for one in names] == [
        "mpower:board/node/a",
        "10.0.0.1",
        "10.1.0.1",
        "a.board",
    ]
    for kind, name in [("witness", "w"), ("counter", "C001"), ("bank", "SBI"), ("ops", "ops1")]:
        found = identity_of(paths.certificate(kind, name)[0].read_bytes())
        assert (found.kind, found.name) == (kind, name)


def test_extra_hosts_join_those_of_the_servers_only(tmp_path: Path) -> None:
    written = write_settings(plan(tmp_path / "b", extra_hosts=("localhost",)))
    for kind, name, there in [("node", "b", True), ("witness", "w", True), ("ops", "ops1", False)]:
        certificate, _ = written.certificate(kind, name)
        leaf = x509.load_pem_x509_certificate(certificate.read_bytes())
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert ("localhost" in names.get_values_for_type(x509.DNSName)) is there


def test_two_boards_have_different_secrets(paths: Paths, tmp_path: Path) -> None:
    other = write_settings(plan(tmp_path / "other"))
    assert paths.replication_password.read_text() != other.replication_password.read_text()
    assert len(other.replication_password.read_text()) == 44


def test_a_folder_that_holds_anything_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("mine")
    with pytest.raises(FolderError) as refused:
        write_settings(plan(tmp_path))
    assert str(refused.value) == (
        f"{tmp_path} is not an empty folder; choose another or empty it (keys in use are never"
        " overwritten)."
    )
    with pytest.raises(FolderError):
        write_settings(plan(tmp_path / "x"))
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize(
    ("more", "kind", "sentence"),
    [
        ({"name": "Board"}, SettingsError, "node-a.yaml: cluster.name: it is not written"),
        ({"nodes": (A, A)}, SettingsError, "the plan: both nodes are called a."),
        ({"witness": "10.0.0.2:1"}, SettingsError, "the address 10.0.0.2:1 is used twice"),
        ({"counters": ("c1",)}, PkiError, "'c1' is not a counter's code"),
        ({"banks": ("../x",)}, PkiError, "'../x' is not a name"),
    ],
)
def test_a_bad_plan_writes_nothing(
    tmp_path: Path, more: dict[str, object], kind: type[Exception], sentence: str
) -> None:
    with pytest.raises(kind, match=sentence):
        write_settings(plan(tmp_path / "board", **more))
    assert not (tmp_path / "board").exists()


def test_the_folder_is_dated_by_its_argument(tmp_path: Path) -> None:
    written = write_settings(plan(tmp_path / "b"), dt.datetime(2030, 1, 1, tzinfo=dt.UTC))
    leaf = x509.load_pem_x509_certificate(written.ca.read_bytes())
    assert leaf.not_valid_after_utc.year == 2040


def test_a_mode_is_the_one_asked_for_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        write_file(tmp_path / "x", b"", 0o644)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o644


def test_a_failed_write_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "x"
    write_file(path, b"old", 0o400)
    with pytest.raises(TypeError):
        write_file(path, "text")  # type: ignore[arg-type]
    assert [one.name for one in tmp_path.iterdir()] == ["x"]
    assert path.read_bytes() == b"old"
    write_file(path, b"new", 0o400)
    assert path.read_bytes() == b"new"


ODD = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=30)


@given(ODD)
def test_any_path_survives_writing_and_reading(name: str) -> None:
    witness = WitnessSettings(
        name="w",
        listen="[::1]:1",
        data=Path("/") / name,
        cluster_name="true",
        nodes=["null", "yes"],
        tls=TlsSettings(ca=Path("/c"), certificate=Path("/c"), key=Path("/k")),
    )
    text = settings_text(witness)
    back = settings_from(read_yaml(text.encode()), WitnessSettings, "x", Path("/"))
    assert back.nodes == ["null", "yes"]
    assert back.cluster_name == "true"
    assert str(back.data) == os.path.normpath(f"/{name}".replace("//", "/"))


def test_a_private_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    paths = write_settings(plan(tmp_path / "board"))
    for kind, name, load in (
        ("node", "a", lambda: load_node(paths.nodes["a"])),
        ("witness", "w", lambda: load_witness(paths.witness)),
        ("ops", "ops1", lambda: load_client(paths.home, {})),
        ("bank", "SBI", lambda: with_certificate(load_client(paths.home, {}).tls, "bank", "SBI")),
    ):
        _, key = paths.certificate(kind, name)
        load()
        key.chmod(0o640)
        with pytest.raises(SettingsError, match=f"others can read .*{key.name}; make it private"):
            load()
        key.chmod(0o400)
