"""``make scenario NAME=DAY``: a scripted part of the board's life, played on a running demo.

Exit code 0 only if every figure agrees. It must not know what a scenario does.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import click

from clients.demo.scene import Scene, SceneError, report

SCENARIOS: Final = {"DAY": "clients.demo.day"}
"""Each with the module whose ``play`` plays it."""


def main(name: str) -> int:
    """Play it; the exit code."""
    module = SCENARIOS.get(name)
    if module is None:
        click.echo(f"There is no scenario '{name}'. There are: {', '.join(SCENARIOS)}.", err=True)
        return 2
    home = os.environ.get("MPOWER_HOME", "")
    if not home:
        what = f"mpower demo run -- make scenario NAME={name}"
        click.echo(f"A scenario needs a board to play on: {what}", err=True)
        return 2
    return _played(Path(home), importlib.import_module(module).play)


def _played(home: Path, play: Callable[[Scene], Awaitable[None]]) -> int:
    from protocols.shell.bridge import install_reactor

    install_reactor(fast=False)
    from twisted.internet import reactor
    from twisted.internet.defer import ensureDeferred

    ended: list[Any] = []

    async def whole() -> None:
        scene = Scene(home, reactor, lambda line: click.echo(f"  {line}", err=True))
        try:
            await play(scene)
        finally:
            scene.leave()
        click.echo(report(scene.agreed))
        if not all(one.fits for one in scene.agreed):
            raise SceneError("The day's figures do not agree.")

    def done(result: Any) -> None:
        ended.append(result)
        reactor.stop()

    reactor.callWhenRunning(lambda: ensureDeferred(whole()).addBoth(done))
    reactor.run()
    if ended == [None]:
        return 0
    trouble = ended[0].value if ended else "it was stopped"
    if not isinstance(trouble, SceneError) and ended:
        ended[0].printTraceback()
    click.echo(str(trouble), err=True)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "DAY"))
