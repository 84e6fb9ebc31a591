"""The cage: the rig runs in a mount, network and process namespace of its own, so that everything
it made is gone with it, however it ends.

    outside ─► unshare ─► process 1: reaps ─► the rig

Invariants: no process, mount or link of the rig is visible outside; when the outer process dies,
the kernel kills process 1, and with it every process inside and every mount. The rig cannot signal
a process it did not start: it does not see one. This file must not know what is tortured.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

UNSHARE: Final = (
    *("setpriv", "--pdeathsig", "KILL"),
    *("unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "--kill-child"),
)
NAMES: Final = Path("/run/netns")
"""Where ``ip netns`` keeps its names: covered by a filesystem of the cage's own."""


def enter(words: Sequence[str]) -> int:
    """Run ``python words…`` in a new cage; its exit code. SIGTERM ends the cage at once."""
    process = subprocess.Popen([*UNSHARE, sys.executable, *words])
    signal.signal(signal.SIGTERM, lambda *_: process.kill())
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # the rig got it too, and is putting things in order


def live(rig: Callable[[], int]) -> int:
    """As process 1 of the cage: run the rig as a child, reap whoever is orphaned; its code."""
    assert os.getpid() == 1, "only process 1 of a cage reaps"
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        _own_names()
        code = 1
        try:
            code = rig()
        except BaseException:  # noqa: BLE001 - told, and then the cage ends
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    while True:
        pid, status = os.wait()
        if pid == child:
            return os.waitstatus_to_exitcode(status) & 0xFF


def _own_names() -> None:
    NAMES.mkdir(parents=True, exist_ok=True)
    words = ["mount", "-t", "tmpfs", "-o", "size=1m", "names-of-the-cage", str(NAMES)]
    subprocess.run(words, check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
