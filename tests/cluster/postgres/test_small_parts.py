"""The plan's refusals, the control file's text, since when a commit waits, durable files."""

import os
import stat
from pathlib import Path

import pytest

from cluster.postgres import disk
from cluster.postgres.account import Account
from cluster.postgres.control import ProbeFacts
from cluster.postgres.controldata import ControlData, parse_controldata
from cluster.postgres.initial import check, steps
from cluster.postgres.place import PostgresPlan, TlsFiles, check_plan, is_loopback
from cluster.postgres.probing import note_waits
from cluster.postgres.troubles import CommandFailedError, MisplacedError

ME = Account("me", os.geteuid(), os.getegid(), (), switches=False)
TLS = TlsFiles(Path("c"), Path("k"), Path("a"))
CONTROL_FILE = """\
pg_control version number:            1300
Database system identifier:           7711580681323782184
Database cluster state:               shut down
Latest checkpoint location:           0/2000060
Latest checkpoint's TimeLineID:       2
Time of latest checkpoint:            Tue Nov 24 03:40:31 2026
Minimum recovery ending location:     0/0
Min recovery ending loc's timeline:   0
"""


def plan(listen: tuple[str, ...] = (), tls: TlsFiles | None = None) -> PostgresPlan:
    return PostgresPlan("a", Path("/srv/mpower"), 6001, listen=listen, tls=tls)


def test_replication_in_clear_stays_on_the_machine() -> None:
    check_plan(plan(("127.0.0.1", "::1", "localhost")), build_has_tls=False)
    check_plan(plan(("10.0.0.1",), TLS), build_has_tls=True)
    with pytest.raises(MisplacedError, match=r"10\.0\.0\.1.*without TLS"):
        check_plan(plan(("127.0.0.1", "10.0.0.1"), TLS), build_has_tls=False)
    with pytest.raises(MisplacedError, match="needs a certificate"):
        check_plan(plan(("10.0.0.1",)), build_has_tls=True)
    assert not is_loopback("server-a.example")


def test_a_socket_path_that_does_not_fit_is_refused() -> None:
    deep = PostgresPlan("a", Path("/srv") / ("x" * 90), 6001)
    with pytest.raises(MisplacedError, match="longer than 107 bytes"):
        check_plan(deep, build_has_tls=True)


def test_the_control_file_s_text() -> None:
    facts = parse_controldata(CONTROL_FILE)
    assert facts == ControlData(7711580681323782184, "shut down", 2, 0x2000060, 0, 0)
    assert facts.clean
    assert not parse_controldata(CONTROL_FILE.replace("shut down", "in production")).clean
    with pytest.raises(CommandFailedError, match="TimeLineID"):
        parse_controldata(CONTROL_FILE.replace("TimeLineID", "Timeline"))


def test_since_when_a_commit_waits() -> None:
    first = note_waits({}, [(1, "x"), (2, "y")], 10.0)
    second = note_waits(first, [(2, "y"), (1, "z")], 11.5)
    assert second == {(2, "y"): 10.0, (1, "z"): 11.5}


def test_what_a_node_holds_is_the_most_it_knows_of() -> None:
    assert ProbeFacts(ok=True, receive_lsn=5, replay_lsn=9).held_lsn == 9
    assert ProbeFacts(ok=True, flush_lsn=7).held_lsn == 7
    assert ProbeFacts(ok=False).held_lsn == 0


def test_a_new_cluster_is_made_without_the_password_in_an_argument() -> None:
    made = steps(plan(), "it's secret")
    assert [step.program for step in made] == ["initdb", "postgres", "postgres", "postgres"]
    assert not any("secret" in argument for step in made for argument in step.arguments)
    assert b"PASSWORD 'it''s secret'" in made[2].stdin
    check(made[0], b"ERROR: a word of initdb's own, which has an exit status")
    check(made[1], b"LOG:  all is well")
    with pytest.raises(CommandFailedError, match="role exists"):
        check(made[1], b"LOG:  x\n2026 ERROR:  role exists\n")


def test_durable_files_are_private_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("old, and longer than the new")
    disk.write_durably(path, b"new", ME)
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["f"]


def test_signal_files(tmp_path: Path) -> None:
    (tmp_path / "recovery.signal").touch()
    disk.set_signal(tmp_path, ME, standby=True)
    assert [entry.name for entry in tmp_path.iterdir()] == ["standby.signal"]
    disk.set_signal(tmp_path, ME, standby=False)
    assert list(tmp_path.iterdir()) == []


def replaced(it: PostgresPlan, content: str, *, keep: bool = True) -> None:
    """What a clone does to the folders."""
    disk.make_room(it, keep=keep)
    it.pgdata_new.mkdir(parents=True)
    (it.pgdata_new / "content").write_text(content)
    disk.install(it)


def test_the_copy_before_an_unproven_one_is_kept(tmp_path: Path) -> None:
    it = PostgresPlan("a", tmp_path, 6001)
    for content in ("first", "second", "third"):
        replaced(it, content)
    assert (it.pgdata / "content").read_text() == "third"
    assert (it.pgdata_old / "content").read_text() == "first", "no newer one was proven"
    disk.drop_old(it)
    replaced(it, "fourth")
    assert (it.pgdata_old / "content").read_text() == "third"
    it.pgdata.rename(it.home / "lost")
    disk.make_room(it)
    assert it.pgdata_old.exists(), "the only copy left"


def test_without_room_nothing_is_kept(tmp_path: Path) -> None:
    it = PostgresPlan("a", tmp_path, 6001)
    replaced(it, "first")
    replaced(it, "second", keep=False)
    assert (it.pgdata / "content").read_text() == "second"
    assert not it.pgdata_old.exists()


def test_a_data_folder_in_a_private_home_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    stranger = Account("stranger", 54321, 54321, (), switches=True)
    with pytest.raises(MisplacedError, match="stranger, who may not enter"):
        disk.make_home(PostgresPlan("a", home / "data", 6001), stranger)


def test_root_lets_the_service_user_pass_through_the_node_s_own_folder(tmp_path: Path) -> None:
    stranger = Account("stranger", 54321, os.getegid(), (), switches=True)
    tmp_path.chmod(0o770)
    disk._let_in(tmp_path, stranger)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o770, "it could pass already"
    tmp_path.chmod(0o700)
    disk._let_in(tmp_path, ME)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700, "nobody else needs to"
    disk._let_in(tmp_path, stranger)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o710


def test_an_overgrown_log_is_set_aside_once(tmp_path: Path) -> None:
    it = PostgresPlan("a", tmp_path, 6001)
    it.home.mkdir()
    assert disk.log_tail(it) == ""
    it.log.write_bytes(b"x" * (disk.LOG_LIMIT_BYTES + 1))
    os.close(disk.open_log(it, ME))
    assert it.log.stat().st_size == 0
    assert it.log.with_suffix(".log.1").exists()
    it.log.write_text("last words\n")
    assert disk.log_tail(it) == "last words"
