"""Runs one command's asking on a reactor of its own; the command ends with it.

Nothing heavy is imported before it is needed: ``mpower --help`` must answer at once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from clients.ops.asking import Asking
    from config.settings import ClientSettings

T = TypeVar("T")


def on_reactor(settings: ClientSettings, work: Callable[[Asking], Awaitable[T]]) -> T:
    """Run ``work`` on a reactor of its own; the command ends with it."""
    from protocols.shell.bridge import install_reactor, to_deferred

    install_reactor(fast=False)
    from twisted.internet import reactor

    from clients.ops.asking import Asking

    came: list[T] = []
    wrong: list[BaseException] = []

    async def run() -> None:
        try:
            came.append(await work(Asking(reactor, settings.cluster, settings.tls)))
        except BaseException as trouble:  # noqa: BLE001 - raised again below
            wrong.append(trouble)
        reactor.stop()

    reactor.callWhenRunning(lambda: to_deferred(run()))
    reactor.run()
    if wrong:
        raise wrong[0]
    if not came:
        raise click.Abort
    return came[0]
