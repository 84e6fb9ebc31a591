"""The witness's file as the real process meets it: torn, another cluster's, in use, old."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from cluster.arbiter.store import FILE_NAME, RecordFile
from cluster.durable import write_durably
from tests.live.pair import HOUSE, Pair, live_pair

LIMIT_S = 30


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with live_pair() as pair:
        yield pair


def file_of(pair: Pair) -> Path:
    return pair.home / "data" / "witness" / FILE_NAME


def begun(pair: Pair) -> tuple[int, str]:
    """Start a witness that is to refuse its file: its exit code and what it says."""
    argv = [*pair.program("w"), "--settings", str(pair.paths.witness)]
    said = subprocess.run(
        argv, cwd=HOUSE, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    return said.returncode, said.stderr


def made(file: Path, cluster: str, witness: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    RecordFile(file.parent, cluster, witness).close()


def torn(file: Path) -> None:
    made(file, "demo", "w")
    file.write_bytes(file.read_bytes()[:-7])


def of_a_later_release(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    write_durably(file, msgspec.json.encode({"cluster": "demo", "witness": "w", "new": 1}))


REFUSED: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "torn": (torn, "torn", "mpower cluster arbiter rebuild"),
    "another cluster's": (lambda file: made(file, "other", "w"), "cluster other", "`data`"),
    "another witness's": (lambda file: made(file, "demo", "v"), "witness v", "`data`"),
    "a later release's": (of_a_later_release, "written by another release", ""),
}


@pytest.mark.parametrize("kind", sorted(REFUSED))
def test_a_file_that_cannot_be_believed_is_refused_by_name_and_kept(pair: Pair, kind: str) -> None:
    make, named, advice = REFUSED[kind]
    make(file_of(pair))
    before = file_of(pair).read_bytes()
    code, said = begun(pair)
    assert code == 1, said
    assert str(file_of(pair)) in said
    assert named in said
    assert advice in said
    assert "Traceback" not in said
    assert file_of(pair).read_bytes() == before, "nothing of it is repaired or overwritten"
    file_of(pair).unlink()


def test_an_old_file_put_back_decides_nothing_and_is_rebuilt_over(pair: Pair) -> None:
    pair.start("w", "a", "b")
    pair.wait("all answer", lambda seen: {seen.state("a"), seen.state("b")} == {"READING"})
    pair.bootstrap("a")
    old = file_of(pair).read_bytes()
    pair.wait("b is in sync", lambda seen: seen.in_sync("a", "b"))
    code, said = begun(pair)
    assert (code, "in use" in said) == (1, True), said
    pair.processes["w"].kill()
    pair.processes["w"].wait(5)
    file_of(pair).write_bytes(old)
    pair.start("w")
    pair.wait("it is told", lambda seen: "arbiter-rolled-back" in seen.node("b").get("alarms", {}))
    said_to = pair.command("cluster", "arbiter", "confirm")
    assert said_to.returncode == 5, said_to
    pair.kill("a")
    pair.wait("a is gone", lambda seen: seen.state("a") == "silent")
    for _ in range(40):
        seen = pair.look()
        assert seen.state("b") != "PRIMARY_SOLO", "nobody takes over upon an old record"
    pair.start("a")
    pair.wait("a answers", lambda seen: seen.state("a") != "silent")
    said_to = pair.command("cluster", "arbiter", "rebuild")
    assert said_to.returncode == 0, pair.story(said_to.stderr)
    pair.wait("safe again", lambda seen: seen.data["safe_to_fail_over"], 60)
