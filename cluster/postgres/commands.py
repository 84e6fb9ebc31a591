"""Starts programs as the service user: short commands awaited to their end, and the postmaster.

The one place where user and group are changed. The daemon is the direct parent of everything
started here and reaps it through the reactor. Environment and working folder are fixed: nothing of
the daemon's own leaks in.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from cluster.postgres.account import Account
from cluster.postgres.troubles import CommandFailedError

# Nothing we run prints more than a few KiB; a runaway must not fill the daemon's memory.
OUTPUT_LIMIT_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Finished:
    """How a program ended: exit `status` or the `signal` that killed it, and what it printed."""

    status: int | None
    signal: int | None
    out: bytes = b""
    err: bytes = b""

    @property
    def good(self) -> bool:
        """True for exit status 0."""
        return self.status == 0


class Child:
    """A running program. `ended` is done when it has been reaped."""

    def __init__(self, transport: Any, ended: asyncio.Future[Finished]) -> None:
        self._transport = transport
        self.pid: int = transport.pid or 0
        self.ended = ended
        if transport.pid is not None:
            self._watch(asyncio.get_running_loop())

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Reaps at the moment of death, by a descriptor of the process.

        uvloop takes the signals' wake-up for itself, so under it Twisted never hears of SIGCHLD: a
        dead postmaster, which has no pipe to us, would be missed.
        """
        descriptor = os.pidfd_open(self.pid)

        def died() -> None:
            loop.remove_reader(descriptor)
            os.close(descriptor)
            if self._transport.pid is not None:
                self._transport.reapProcess()

        loop.add_reader(descriptor, died)

    @property
    def alive(self) -> bool:
        """True until it was reaped."""
        return not self.ended.done()

    def send(self, number: signal.Signals) -> None:
        """Sends a signal; after the reaping nothing, for the pid may be someone else's by then."""
        try:
            self._transport.signalProcess(int(number))
        except ProcessExitedAlready:
            return


class _Listener(ProcessProtocol):
    def __init__(self, stdin: bytes, ended: asyncio.Future[Finished]) -> None:
        self._stdin = stdin
        self._ended = ended
        self._out = bytearray()
        self._err = bytearray()

    def connectionMade(self) -> None:
        transport: Any = self.transport
        if 0 in transport.pipes:
            transport.write(self._stdin)
            transport.closeStdin()

    def outReceived(self, data: bytes) -> None:
        self._out += data[: OUTPUT_LIMIT_BYTES - len(self._out)]

    def errReceived(self, data: bytes) -> None:
        self._err += data[: OUTPUT_LIMIT_BYTES - len(self._err)]

    def processEnded(self, reason: Failure) -> None:
        value: Any = reason.value
        if not self._ended.done():
            finished = Finished(value.exitCode, value.signal, bytes(self._out), bytes(self._err))
            self._ended.set_result(finished)


class Commands:
    """Runs programs as `account`, in the folder `cwd`, with only the environment of `env`."""

    def __init__(self, reactor: Any, account: Account, cwd: Path, env: Mapping[str, str]) -> None:
        self._reactor = reactor
        self._account = account
        self._cwd = cwd
        self._env = dict(env)

    async def run(self, argv: Sequence[str], *, deadline_s: float, stdin: bytes = b"") -> Finished:
        """Runs a short command; CommandFailedError, with its last words, unless it exits 0.

        At the deadline, or when the caller is cancelled, it is killed and reaped.
        """
        finished = await self.outcome(argv, deadline_s=deadline_s, stdin=stdin)
        if not finished.good:
            name = Path(argv[0]).name
            said = finished.err.decode("utf-8", "replace").strip()[-1000:]
            message = f"{name} failed ({finished.status or finished.signal}): {said}"
            raise CommandFailedError(message)
        return finished

    async def outcome(
        self, argv: Sequence[str], *, deadline_s: float, stdin: bytes = b""
    ) -> Finished:
        """The same for a command whose failure the caller reads itself."""
        child = self._spawn(argv, stdin, None)
        try:
            await asyncio.wait({child.ended}, timeout=deadline_s)
        finally:
            late = child.alive
            child.send(signal.SIGKILL)
        finished = await asyncio.shield(child.ended)
        name = Path(argv[0]).name
        if late:
            message = f"{name} did not end within {deadline_s:g} s and was killed."
            raise CommandFailedError(message)
        return finished

    def spawn(self, argv: Sequence[str], log: int, on_end: Callable[[Finished], None]) -> Child:
        """Starts a lasting program that prints to the descriptor `log`."""
        child = self._spawn(argv, b"", log)
        child.ended.add_done_callback(lambda ended: on_end(ended.result()))
        return child

    def _spawn(self, argv: Sequence[str], stdin: bytes, log: int | None) -> Child:
        ended: asyncio.Future[Finished] = asyncio.get_running_loop().create_future()
        fds: dict[int, int | str] = {0: "w", 1: "r", 2: "r"}
        nothing = None
        if log is not None:
            nothing = os.open(os.devnull, os.O_RDONLY)
            fds = {0: nothing, 1: log, 2: log}
        who = (self._account.uid, self._account.gid) if self._account.switches else (None, None)
        try:
            transport = self._reactor.spawnProcess(
                _Listener(stdin, ended),
                argv[0],
                list(argv),
                env=self._env,
                path=str(self._cwd),
                uid=who[0],
                gid=who[1],
                childFDs=fds,
            )
        finally:
            if nothing is not None:
                os.close(nothing)
        return Child(transport, ended)
