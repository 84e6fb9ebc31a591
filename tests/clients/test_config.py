"""Settings are shown beside each other and changed with care: by name, with the reason why not."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from clients.__main__ import mpower
from clients.door import Ended
from clients.ops.compared import ills, lines, page
from clients.ops.config import written
from clients.ops.edited import Edit, drift, edit, unsafe, wanted
from config.load import SettingsError, load_client, load_node
from config.shown import NodeFile, Shown

TAKEOVER = "cluster.timers.takeover_ms"


@pytest.fixture
def folder(home: Path, tmp_path: Path) -> Path:
    shutil.copytree(home, tmp_path / "board")
    return tmp_path / "board"


def said(folder: Path) -> list[Shown]:
    files = [NodeFile(folder / f"node-{name}.yaml") for name in ("a", "b")]
    return [file.shown(file()) for file in files]


def with_running(shown: Shown, **values: object) -> Shown:
    changed = {key.replace("__", "."): value for key, value in values.items()}
    return msgspec.structs.replace(shown, running={**shown.running, **changed})


def edits(folder: Path, *words: str) -> list[Edit]:
    files = {name: folder / f"node-{name}.yaml" for name in ("a", "b")}
    return [edit(node, file, file.read_text(), wanted(words)) for node, file in files.items()]


def why_not(act: Callable[[], object]) -> str:
    with pytest.raises(Ended) as refused:
        act()
    return str(refused.value)


# ---- shown


def test_a_pair_as_it_was_written_agrees(folder: Path) -> None:
    assert ills(said(folder)) == []
    assert "agree where they must" in page(said(folder))


def test_where_a_value_comes_from_and_where_they_differ(folder: Path) -> None:
    a, b = said(folder)
    b = with_running(b, cluster__timers__takeover_ms=9000, limits__pool=4)
    b = msgspec.structs.replace(b, on_disk=b.running)
    by_key = {one.key: one for one in lines([a, b])}
    assert by_key[TAKEOVER].mark == "DIFFERS"
    assert by_key["limits.pool"].mark == "differs"
    assert by_key["tls.key"].mark == ""
    assert by_key["limits.pool"].sources["a"] == "default"
    assert by_key["cluster.name"].sources["a"].startswith("line ")
    assert [one.key for one in ills([a, b])] == [TAKEOVER]


def test_addresses_of_one_place_are_no_difference_and_another_place_is(folder: Path) -> None:
    a, b = said(folder)
    near, far = "10.9.0.1:7000", str(a.running["cluster.witness"])
    b = with_running(b, cluster__witness=near)
    b = msgspec.structs.replace(b, on_disk=b.running)
    assert [one.key for one in ills([a, b])] == ["cluster.witness"], "two witnesses"
    assert ills([a, b], {near: far}) == []
    assert "forwarded: the nodes use different addresses of one place" in page([a, b], {near: far})
    assert [one.key for one in ills([a, b], {near: "10.9.0.2:7000"})] == ["cluster.witness"]


@pytest.mark.parametrize("wrong", ["here", "h:1", "h:1=f", "h:1=f:2=g:3", "=f:2"])
def test_what_forwards_nowhere_is_refused_by_name(home: Path, wrong: str, tmp_path: Path) -> None:
    text = (home / "mpower.yaml").read_text().replace("# forwards: []", f'forwards: ["{wrong}"]')
    (tmp_path / "mpower.yaml").write_text(text)
    with pytest.raises(SettingsError, match=r"forwards\[0\]"):
        load_client(tmp_path, {})


def test_what_waits_for_a_restart_is_said(folder: Path) -> None:
    a, b = said(folder)
    a = with_running(a, limits__pool=4)
    (found,) = ills([a, b])
    assert (found.key, found.what) == ("limits.pool", "a works by 4, its file says 8")
    assert "restart a" in found.do


# ---- edited


def test_an_unsafe_relation_is_refused_by_name(folder: Path) -> None:
    why = why_not(lambda: edits(folder, "cluster.timers.solo_ms=2000"))
    assert "solo_ms < takeover_ms must hold" in why
    assert "did you mean 'takeover_ms'" in why_not(
        lambda: edits(folder, "cluster.timers.takover_ms=1")
    )
    assert "a whole number is needed" in why_not(lambda: edits(folder, "limits.pool=many"))


@pytest.mark.parametrize(
    "key", ["node", "cluster.name", "cluster.nodes[0].peer", "tls.key", "data"]
)
def test_what_would_take_the_pair_apart_is_not_changed_here(key: str) -> None:
    assert f"{key} is not changed here" in why_not(lambda: wanted((f"{key}=x",)))


def test_old_and_new_must_fit_each_other_between_two_restarts(folder: Path) -> None:
    both = edits(folder, "cluster.timers.solo_ms=2500", f"{TAKEOVER}=4000")
    assert "between the two restarts" in unsafe(both, said(folder))
    assert unsafe(edits(folder, f"{TAKEOVER}=4000"), said(folder)) == ""


def test_what_runs_counts_not_only_what_the_file_said(folder: Path) -> None:
    """The first of two steps was written and not restarted."""
    written(edits(folder, f"{TAKEOVER}=4000"))
    second = edits(folder, "cluster.timers.solo_ms=2500")
    assert unsafe(second, said(folder)) == ""
    running = [with_running(one, cluster__timers__takeover_ms=2000) for one in said(folder)]
    assert "between the two restarts" in unsafe(second, running)


def test_a_takeover_quicker_than_was_ever_tried_is_refused(folder: Path) -> None:
    words = ("cluster.timers.stall_ms=100", "cluster.timers.solo_ms=400", f"{TAKEOVER}=800")
    assert "was never tried" in unsafe(edits(folder, *words), [])


def test_what_somebody_changed_on_the_server_is_not_undone_unseen(folder: Path) -> None:
    one = edits(folder, "limits.pool=9")[0]
    there = said(folder)[0]
    assert drift(one, there, {"limits.pool": 9}) == ""
    there = msgspec.structs.replace(there, on_disk={**there.running, "limits.sessions": 77})
    assert "limits.sessions is 77" in drift(one, there, {"limits.pool": 9})
    assert drift(one, there, {"limits.pool": 9, "limits.sessions": 77}) == ""


def run(folder: Path, *words: str) -> Result:
    argv = ["--settings", str(folder), "cluster", "config", "edit", *words]
    return CliRunner().invoke(mpower, argv)


def test_both_files_or_none(folder: Path) -> None:
    both = edits(folder, "limits.pool=9")
    lost = msgspec.structs.replace(both[1], file=folder / "gone" / "node-b.yaml")
    assert "Both files are as before" in why_not(lambda: written([both[0], lost]))
    assert (folder / "node-a.yaml").read_text() == both[0].before
    written(both)
    assert [load_node(one.file).limits.pool for one in both] == [9, 9]


def test_what_is_there_already_is_not_written(folder: Path) -> None:
    done = run(folder, "limits.pool=", "--json")
    assert (done.exit_code, json.loads(done.stdout)["written"]) == (0, [])
    assert run(folder, f"{TAKEOVER}=3000", "--node", "a").exit_code == 5
    assert run(folder, "limits.pool=9", "--node", "x").exit_code == 1
