"""A demo as a person runs it: real processes, told as JSON, struck from a second shell, kept."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from clients.demo import running
from config.load import load_client, load_node

END_S = 60


@pytest.fixture
def away() -> Iterator[dict[str, str]]:
    """An environment with a temporary folder of its own: no other demo is found."""
    with tempfile.TemporaryDirectory(prefix="mp") as folder:
        Path(folder).chmod(0o755)
        yield {**os.environ, "TMPDIR": folder}


def words(*said: str) -> list[str]:
    return [sys.executable, "-m", "clients", "demo", *said]


def until(lines: Iterator[dict[str, Any]], reached: Callable[[dict[str, Any]], bool]) -> Any:
    seen = []
    for line in lines:
        seen.append(line)
        if reached(line):
            return line
    raise AssertionError(f"the demo ended: {seen[-5:]}")


def test_a_demo_tells_each_event_and_leaves_only_what_shall_be_kept(away: dict[str, str]) -> None:
    kept = Path(away["TMPDIR"]) / "mine"
    demo = subprocess.Popen(
        words("--json", "--keep", str(kept)), stdout=subprocess.PIPE, text=True, env=away
    )
    try:
        assert demo.stdout is not None
        lines = (json.loads(line) for line in demo.stdout)
        opened = until(lines, lambda event: event["event"] == "opened")
        home = Path(opened["home"])
        services = running.at(home).services
        families = [one for head in services.values() for one in running.family(head)]
        until(lines, lambda event: event["event"] == "second" and event["acknowledged"] > 0)
        subprocess.run(words("kill", "primary"), check=True, env=away, stdout=subprocess.DEVNULL)
        told = until(lines, lambda event: event["event"] == "takeover")
        assert (told["primary"], told["lost"]) == ("b", 0)
        assert 0 < told["detected_ms"] <= told["open_ms"]
        assert sum(one["payments"] for one in told["waits"]) > 0
        demo.send_signal(signal.SIGINT)
        assert list(lines)[-1] == {"event": "ending", "version": 1, "kept": str(kept)}
        assert demo.wait(END_S) == 0
    finally:
        demo.send_signal(signal.SIGINT)
        demo.communicate(timeout=END_S)
    assert not [one for one in families if one.alive()]
    assert not home.exists()
    assert load_client(kept, {}).cluster == load_node(kept / "node-a.yaml").cluster.name
    assert "PRIMARY_SOLO" in (kept / "logs" / "b.log").read_text()
    again = subprocess.run(
        words("--keep", str(kept)), capture_output=True, text=True, check=False, env=away
    )
    assert again.returncode == 2
    assert f"{kept} is there already. Give it a new name." in again.stderr
    assert [one.name for one in Path(away["TMPDIR"]).iterdir()] == ["mine"]
