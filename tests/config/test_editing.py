"""One setting is changed in a file's text, and nothing else: comments stay, and what is read back
is the old settings with that one changed.
"""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.ops.init import loopback_plan
from config.editing import EditError, changed
from config.folder import write_settings
from config.shown import NodeFile, flat
from config.yaml import lines_of, read_yaml

TEXT = """\
# the board's own words
log_level: info   # quiet
cluster:
  name: demo
  # Timers.
  timers:
    # Every.
    # beat_ms: 200
    takeover_ms: 2000
  strict: false
limits:
  # sessions: 2000
audit: {checkpoint_s: 5}
second: [a,
  b]
"""


def test_a_value_is_exchanged_in_its_place() -> None:
    after = changed(TEXT, "cluster.timers.takeover_ms", 3000)
    assert after == TEXT.replace("takeover_ms: 2000", "takeover_ms: 3000")
    assert "log_level: debug   # quiet" in changed(TEXT, "log_level", "debug")


def test_a_default_that_is_shown_becomes_a_setting() -> None:
    after = changed(TEXT, "cluster.timers.beat_ms", 100)
    assert after == TEXT.replace("# beat_ms: 200", "beat_ms: 100")
    assert "limits:\n  sessions: 9\n" in changed(TEXT, "limits.sessions", 9)


def test_what_is_not_shown_is_added_to_its_group() -> None:
    assert "  timers:\n    solo_ms: 900\n" in changed(TEXT, "cluster.timers.solo_ms", 900)
    assert changed(TEXT, "ops.listen", "h:1").endswith('b]\nops:\n  listen: "h:1"\n')


def test_what_is_taken_out_is_kept_as_a_comment() -> None:
    after = changed(TEXT, "cluster.timers.takeover_ms", None)
    assert "    # was: takeover_ms: 2000\n" in after
    assert changed(TEXT, "cluster.timers.isolate_ms", None) == TEXT


@pytest.mark.parametrize("key", ["audit.checkpoint_s", "second", "log_level.deep"])
def test_what_is_written_otherwise_is_left_to_a_person(key: str) -> None:
    with pytest.raises(EditError):
        changed(TEXT, key, 1)


@given(st.text(max_size=30), st.sampled_from(["log_level", "limits.x", "cluster.name", "n.e.w"]))
def test_whatever_is_written_is_read_back(value: str, key: str) -> None:
    try:
        after = changed(TEXT, key, value)
    except EditError:
        return
    found: Any = read_yaml(after.encode())
    for part in key.split("."):
        found = found[part]
    assert found == value


def test_lines_are_those_of_the_file() -> None:
    lines = lines_of(TEXT.encode())
    assert lines["log_level"] == 2
    assert lines["cluster.timers.takeover_ms"] == 9
    assert "cluster.timers.beat_ms" not in lines
    assert "limits" not in lines


def test_a_node_tells_what_it_runs_by_and_what_its_file_says(tmp_path: Path) -> None:
    paths = write_settings(loopback_plan(tmp_path / "b"))
    file = NodeFile(paths.nodes["a"])
    running = file()
    paths.nodes["a"].write_text(changed(paths.nodes["a"].read_text(), "log_level", "debug"))
    said = file.shown(running)
    assert (said.running["log_level"], (said.on_disk or {})["log_level"]) == ("info", "debug")
    assert said.running == flat(running)
    paths.nodes["a"].write_text("node: [")
    said = file.shown(running)
    assert said.on_disk is None
    assert "node-a.yaml" in said.trouble or "YAML" in said.trouble
