"""The bridge between Twisted and asyncio, and the clock: on the real loop."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time

import pytest
import pytest_twisted
from twisted.internet.defer import CancelledError, Deferred
from zope.interface.verify import verifyObject

from protocols.shell import bridge
from protocols.shell.clock import BootClock, boot_seconds

from twisted.internet.interfaces import IReactorTime  # isort: skip


@pytest_twisted.ensureDeferred
async def test_a_coroutine_of_asyncio_is_awaited_by_twisted() -> None:
    async def work() -> int:
        await asyncio.sleep(0)
        return 7

    assert await bridge.to_deferred(work()) == 7


@pytest_twisted.ensureDeferred
async def test_its_error_crosses() -> None:
    async def work() -> None:
        await asyncio.sleep(0)
        raise KeyError("lost")

    with pytest.raises(KeyError):
        await bridge.to_deferred(work())


@pytest_twisted.ensureDeferred
async def test_a_cancelled_deferred_cancels_the_task_and_says_so_in_twisteds_words() -> None:
    seen: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    waiting = bridge.to_deferred(work())
    waited: Deferred[None] = Deferred()
    asyncio.get_event_loop_policy().get_event_loop().call_soon(waited.callback, None)
    await waited
    waiting.cancel()
    with pytest.raises(CancelledError):
        await waiting
    assert seen == ["cancelled"]


@pytest_twisted.ensureDeferred
async def test_a_deferred_is_awaited_by_asyncio_and_a_cancel_crosses_both_ways() -> None:
    fired: Deferred[int] = Deferred()
    never: Deferred[int] = Deferred()
    cancelled: list[bool] = []
    kept: Deferred[int] = Deferred(lambda _: cancelled.append(True))

    async def work() -> str:
        fired.callback(7)
        assert await bridge.to_asyncio(fired) == 7
        never.cancel()
        with pytest.raises(asyncio.CancelledError):
            await bridge.to_asyncio(never)
        future = bridge.to_future(kept)
        future.cancel()
        return "done"

    assert await bridge.to_deferred(work()) == "done"
    assert cancelled == [True]


@pytest_twisted.ensureDeferred
async def test_anything_awaitable_of_asyncio_is_awaited_by_twisted() -> None:
    loop = asyncio.get_event_loop_policy().get_event_loop()
    future: asyncio.Future[int] = loop.create_future()
    loop.call_soon(future.set_result, 7)
    assert await bridge.to_twisted(future) == 7


@pytest.mark.parametrize(
    ("fast", "module"), [(True, "protocols.shell.loop"), (False, "asyncio.unix_events")]
)
def test_the_reactor_is_installed_once_on_the_loop_that_was_asked_for(
    fast: bool,
    module: str,
) -> None:
    program = (
        "import asyncio\n"
        "from protocols.shell.bridge import install_reactor, to_deferred\n"
        f"loop = install_reactor(fast={fast})\n"
        "from twisted.internet import reactor\n"
        "async def work(): await asyncio.sleep(0); return 7\n"
        "def begin(): to_deferred(work()).addBoth(lambda x: (print(x), reactor.stop()))\n"
        "reactor.callWhenRunning(begin)\n"
        "reactor.run()\n"
        "print(type(loop).__module__)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.split() == ["7", module]


# ---------------------------------------------------------------- the clock


def test_it_is_a_reactors_clock_and_not_the_wall_clock() -> None:
    clock = BootClock()
    assert verifyObject(IReactorTime, clock)
    assert abs(clock.seconds() - boot_seconds()) < 1.0
    assert abs(clock.seconds() - time.time()) > 1_000_000


@pytest_twisted.ensureDeferred
async def test_calls_come_in_order_and_cancelled_ones_do_not() -> None:
    clock = BootClock()
    seen: list[str] = []
    done: Deferred[None] = Deferred()
    clock.callLater(0.03, done.callback, None)
    clock.callLater(0.01, seen.append, "second")
    clock.callLater(0.0, seen.append, "first")
    gone = clock.callLater(0.005, seen.append, "never")
    assert len(clock.getDelayedCalls()) == 4
    gone.cancel()
    await done
    assert seen == ["first", "second"]
    assert not clock.getDelayedCalls()


@pytest_twisted.ensureDeferred
async def test_a_call_can_be_put_off_and_brought_forward() -> None:
    clock = BootClock()
    times: dict[str, float] = {}
    done: Deferred[None] = Deferred()
    start = clock.seconds()

    def note(name: str) -> None:
        times[name] = clock.seconds() - start
        if len(times) == 3:
            done.callback(None)

    clock.callLater(0.01, note, "delayed").delay(0.04)
    clock.callLater(0.02, note, "reset later").reset(0.05)
    clock.callLater(30.0, note, "reset sooner").reset(0.01)
    await done
    assert times["reset sooner"] < times["delayed"] <= times["reset later"]
    assert times["delayed"] >= 0.05


@pytest_twisted.ensureDeferred
async def test_a_step_of_the_wall_clock_moves_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = BootClock()
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 3600.0)
    seen: list[str] = []
    done: Deferred[None] = Deferred()
    clock.callLater(60.0, seen.append, "early").getTime()
    clock.callLater(0.01, done.callback, None)
    await done
    assert not seen
    for call in clock.getDelayedCalls():
        call.cancel()


@pytest_twisted.ensureDeferred
async def test_a_call_that_raises_is_logged_and_the_next_still_comes() -> None:
    from twisted.logger import globalLogPublisher

    clock = BootClock()
    logged: list[dict[str, object]] = []
    globalLogPublisher.addObserver(logged.append)  # type: ignore[arg-type]
    done: Deferred[None] = Deferred()

    def broken() -> None:
        raise KeyError("ours")

    clock.callLater(0.0, broken)
    clock.callLater(0.01, done.callback, None)
    await done
    globalLogPublisher.removeObserver(logged.append)  # type: ignore[arg-type]
    assert any("log_failure" in one for one in logged)
