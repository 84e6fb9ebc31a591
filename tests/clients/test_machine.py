"""``mpower doctor``: what is well and what is missing, each with its fix; as a process too."""

import json
from pathlib import Path

from click.testing import CliRunner

from clients.__main__ import mpower
from clients.ops.machine import of_checkup, of_python, page

GRAVE = {"code": "postgres", "what": "No PostgreSQL.", "why": "W.", "do": "Install.", "grave": True}


def test_an_old_python_is_grave_and_a_missing_library_is_not() -> None:
    old = of_python((3, 9, 2), {"textual": False, "xlsxwriter": True})
    assert [(one.what, one.grave) for one in old.ill] == [
        ("This is Python 3.9.2.", True),
        ("textual is not installed.", False),
    ]
    assert "mpower[tui]" in old.ill[1].do
    new = of_python((3, 12, 0), {"textual": True})
    assert (new.well, new.ill) == ({"Python": "3.12.0"}, [])


def test_the_page_has_what_is_well_then_the_grave_then_notes() -> None:
    said = of_checkup({"facts": [{"what": "x", "found": "y"}], "findings": [GRAVE]})
    lines = page([of_python((3, 12, 0), {"textual": False}), said]).splitlines()
    assert lines[:3] == ["ok     Python: 3.12.0", "ok     x: y", "GRAVE  No PostgreSQL."]
    assert lines[4] == "       do: Install."
    assert lines[5].startswith("note   textual")


def test_it_looks_at_this_machine_and_at_settings_that_are_named(home: Path) -> None:
    done = CliRunner().invoke(mpower, ["--settings", str(home), "doctor", "--json"])
    said = json.loads(done.stdout)
    assert {"Python", "OpenSSL", "loopback ports", "settings"} <= said["well"].keys()
    assert {"the user that PostgreSQL runs as", "PostgreSQL"} & said["well"].keys()
    assert done.exit_code == int(any(one["grave"] for one in said["findings"]))


def test_a_nodes_settings_that_cannot_be_read_are_told_with_its_words(tmp_path: Path) -> None:
    wrong = tmp_path / "node.yaml"
    wrong.write_text("nod: a\n", "utf-8")
    done = CliRunner().invoke(mpower, ["doctor", "--node", str(wrong), "--json"])
    assert done.exit_code == 1, done.output
    what = " ".join(one["what"] for one in json.loads(done.stdout)["findings"])
    assert "node.yaml" in what
    assert "The node would not start" in what
