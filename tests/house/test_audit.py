"""``make audit`` never passes in silence: what was found is 1, what could not be asked is 3 and
says that nothing was proven.
"""

import json
import os
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
