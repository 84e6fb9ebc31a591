"""A daemon under a supervisor: it says when it is ready, feeds the watchdog, and says goodbye."""

import os
import signal
import socket
import subprocess
from pathlib import Path

from tests.live.pair import HOUSE, Daemons, live_pair

LIMIT_S = 0.6
"""The watchdog's limit here; a real one has 15 s."""


def test_a_witness_is_ready_lives_and_says_goodbye() -> None:
    with live_pair(Daemons) as pair, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        where = str(Path(pair.home) / "notify")
        heard.bind(where)
        heard.settimeout(20)
        process = subprocess.Popen(
            [*pair.program("w"), "--settings", str(pair.paths.witness)],
            cwd=HOUSE,
            env=os.environ | {"NOTIFY_SOCKET": where, "WATCHDOG_USEC": str(int(LIMIT_S * 1e6))},
        )
        pair.processes["w"] = process
        early = {heard.recv(100), heard.recv(100)}
        assert early == {b"READY=1", b"WATCHDOG=1"}
        heard.settimeout(LIMIT_S * 5)
        assert [heard.recv(100) for _ in range(3)] == [b"WATCHDOG=1"] * 3
        process.send_signal(signal.SIGTERM)
        while (last := heard.recv(100)) == b"WATCHDOG=1":
            pass
        assert last == b"STOPPING=1"
        assert process.wait(10) == 0
