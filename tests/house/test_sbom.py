"""``make sbom`` writes what the lock pins, all of it, the same bytes for the same lock."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.house.sources import HOUSE

LOCK = (HOUSE / "requirements.lock").read_text(encoding="utf-8")


def written(*lock: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, HOUSE / ".ci" / "sbom", *lock], capture_output=True, text=True, check=False
    )


def test_every_pin_is_a_component_with_every_hash_and_nothing_else() -> None:
    said: Any = json.loads(written().stdout)
    assert (said["bomFormat"], said["specVersion"]) == ("CycloneDX", "1.6")
    pins = set(re.findall(r"^([a-zA-Z0-9._-]+)==([^ \\]+)", LOCK, re.MULTILINE))
    assert {(one["name"], one["version"]) for one in said["components"]} == pins
    hashes = [one["content"] for each in said["components"] for one in each["hashes"]]
    assert sorted(hashes) == sorted(re.findall(r"sha256:([0-9a-f]{64})", LOCK))
    assert all(each["hashes"] for each in said["components"])


def test_what_needs_what_names_only_components_and_reaches_all_of_them() -> None:
    said: Any = json.loads(written().stdout)
    needs = {one["ref"]: set(one["dependsOn"]) for one in said["dependencies"]}
    refs = {one["bom-ref"] for one in said["components"]}
    root = said["metadata"]["component"]["bom-ref"]
    assert needs.keys() == refs | {root}
    reached, edge = set[str](), {root}
    while edge:
        edge = set().union(*(needs[one] for one in edge)) - reached
        reached |= edge
    assert reached == refs


def test_the_same_lock_gives_the_same_bytes_and_another_lock_others(tmp_path: Path) -> None:
    assert written().stdout == written().stdout
    other = tmp_path / "lock"
    other.write_text(LOCK.replace("# This file", "# That file", 1))
    assert (
        json.loads(written(str(other)).stdout)["serialNumber"]
        != (json.loads(written().stdout)["serialNumber"])
    )
    other.write_text(LOCK + "what is this\n")
    failed = written(str(other))
    assert failed.returncode != 0
    assert "is not understood: what is this" in failed.stderr
