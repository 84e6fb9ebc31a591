"""``make audit`` never passes in silence: what was found is 1, what could not be asked is 3 and
says that nothing was proven.
"""

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.house.sources import HOUSE

CLEAN = {"dependencies": [{"name": "a", "version": "1", "vulns": []}]}
BAD: dict[str, Any] = {"id": "CVE-1", "fix_versions": ["2"]}


@pytest.mark.parametrize(
    ("answer", "ends", "code", "said"),
    [
        (CLEAN, 0, 0, "1 pinned packages, 0 known vulnerabilities"),
        ({"dependencies": [{"name": "a", "version": "1", "vulns": [BAD]}]}, 1, 1, "a 1: CVE-1"),
        ({"dependencies": [{"name": "a", "skip_reason": "no wheel"}]}, 0, 1, "was not looked at"),
        ({"dependencies": []}, 0, 1, "0 pinned packages"),
        (CLEAN, 1, 1, "0 known vulnerabilities"),
        (None, 1, 3, "NOT DONE: the advisory service gave no answer"),
    ],
)
def test_the_scanners_answer_is_told(
    tmp_path: Path, answer: Any, ends: int, code: int, said: str
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    script(programs / "ruff", "exit 0")
    script(programs / "python", f'[ "$2" = pytest ] && exit 0; exec {sys.executable} "$@"')
    (tmp_path / "answer").write_text("" if answer is None else json.dumps(answer))
    copy = f'for one; do last=$one; done; cp {tmp_path}/answer "$last"; exit {ends}'
    script(tmp_path / "scanner", copy)
    done = subprocess.run(
        [HOUSE / ".ci" / "audit", programs],
        cwd=HOUSE,
        env={**os.environ, "PIP_AUDIT": str(tmp_path / "scanner")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, said in done.stdout + done.stderr) == (code, True), done


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


NOW = dt.datetime.now(dt.UTC).date().isoformat()
LOCK = "One.Thing==1.5 ; python_version > '3' \\\n    --hash=sha256:ab\nother==2.0\n"


def advisory(name: str, *events: dict[str, str], **more: Any) -> dict[str, Any]:
    package = {"ecosystem": "PyPI", "name": name}
    spans = [{"type": "ECOSYSTEM", "events": list(events)}] if events else []
    affected = [{"package": package, "ranges": spans, "versions": more.pop("versions", [])}]
    return {"id": f"A-{name}", "modified": f"{NOW}T00:00:00Z", "affected": affected, **more}


def looked_up(folder: Path, *found: Any, packed: bool = False) -> subprocess.CompletedProcess[str]:
    base = folder / "base"
    base.mkdir()
    for number, one in enumerate(found):
        (base / f"{number}.json").write_text(one if isinstance(one, str) else json.dumps(one))
    (folder / "lock").write_text(LOCK)
    database = shutil.make_archive(str(folder / "all"), "zip", base) if packed else str(base)
    words = [sys.executable, str(HOUSE / ".ci" / "advisories"), database, str(folder / "lock")]
    return subprocess.run(words, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("one", "bad"),
    [
        (advisory("one_thing", {"introduced": "0"}, {"fixed": "1.6"}), True),
        (advisory("one-thing", {"introduced": "0"}, {"fixed": "1.5"}), False),
        (advisory("one-thing", {"introduced": "1.5.1"}), False),
        (advisory("one-thing", {"introduced": "1"}, {"last_affected": "1.5"}), True),
        (advisory("one-thing", {"introduced": "1"}, {"last_affected": "1.4"}), False),
        (advisory("one-thing", {"fixed": "1.2"}, {"introduced": "1.5rc1"}, {"limit": "*"}), True),
        (advisory("one-thing", versions=["1.4", "1.5"]), True),
        (advisory("one-thing", versions=["1.5.0"]), True),
        (advisory("one-thing", {"introduced": "0"}, withdrawn=f"{NOW}T00:00:00Z"), False),
        (advisory("two-thing", {"introduced": "0"}), False),
    ],
)
def test_pins_are_looked_up_in_a_downloaded_database(
    tmp_path: Path, one: dict[str, Any], bad: bool, packed: bool
) -> None:
    done = looked_up(tmp_path, one, packed=packed)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert [pin["name"] for pin in said["dependencies"]] == ["one-thing", "other"]
    assert [len(pin["vulns"]) for pin in said["dependencies"]] == [int(bad), 0]
    assert said["newest"] == NOW


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ([], "holds no advisory of PyPI"),
        ([{"id": "A", "affected": [{"package": {"ecosystem": "Go", "name": "a"}}]}], "holds no"),
        ([advisory("a", modified="2020-01-01T00:00:00Z")], "2020-01-01; download it anew"),
        (["{"], "JSONDecodeError"),
        ([advisory("one-thing", {"introduced": "x y"})], "A-one-thing: InvalidVersion"),
    ],
)
def test_a_database_that_proves_nothing_is_not_called_clean(
    tmp_path: Path, found: list[Any], why: str
) -> None:
    done = looked_up(tmp_path, *found)
    assert (done.returncode, why in done.stderr) == (3, True), done


def test_a_machine_without_a_route_is_told_how_to_look_offline(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    script(programs / "ruff", "exit 0")
    script(programs / "python", f'[ "$2" = pytest ] && exit 0; exec {sys.executable} "$@"')
    for given, ends in (
        ({"PIP_AUDIT": "/bin/false"}, 3),
        ({"ADVISORIES": str(tmp_path / "no")}, 3),
    ):
        done = subprocess.run(
            [HOUSE / ".ci" / "audit", programs],
            cwd=HOUSE,
            env={**os.environ, **given},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == ends
        assert "make audit ADVISORIES=all.zip" in done.stderr
        assert "all else above is clean" in done.stderr
