"""``mpower monitor``: asks both nodes and the witness again and again, and shows what they say.

It goes on whatever is down. Exit codes of ``--once`` are those of ``mpower cluster status``. This
file must not know what is shown.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from typing import TYPE_CHECKING, Final

import click

from clients.door import JSON_VERSION, Ended, Exit, client_settings, json_option
from clients.ops.reactor import on_reactor
from clients.ops.silence import nobody

if TYPE_CHECKING:
    from clients.ops.asking import Asking
    from clients.ops.monitor.book import Book, View
    from clients.ops.monitor.screen import Painted, Plain
    from config.settings import ClientSettings

EVERY_S: Final = 0.5
"""Two looks a second: a takeover's countdown is seen, and asking costs the nodes little."""
DEADLINE_S: Final = 1.0
"""A machine that takes longer is shown as silent; the others are not kept waiting for it."""


@click.command(
    epilog="Exit codes of --once: 0 a primary is open · 3 nobody reachable · 4 no primary."
)
@click.option("--once", is_flag=True, help="One look, then end.")
@click.option("--plain", is_flag=True, help="Text only: no colours, no screen of its own.")
@json_option
def monitor(*, once: bool, plain: bool, as_json: bool) -> None:
    """The live heartbeat: nodes, links beat by beat, is it safe to fail over, alarms, events.

    \b
    Examples:
      mpower monitor
      mpower monitor --once --json
      mpower monitor --plain | tee monitor.log
    """  # noqa: D301 - click wants the character itself
    settings = client_settings("ops")
    try:
        view = _watch(settings, once=once, plain=plain, as_json=as_json)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    except click.Abort:
        if once:
            raise
        return
    if not view.nodes and not view.witness:
        raise Ended(Exit.NOT_REACHABLE, nobody(view.silent))
    if not view.primary:
        raise Ended(Exit.NO_PRIMARY, "No node is open for terminals.")


def _watch(settings: ClientSettings, *, once: bool, plain: bool, as_json: bool) -> View:
    from clients.ops.monitor.book import Book

    book = Book(settings.cluster)
    with _screen(plain=plain or once or as_json) as screen:

        def show(view: View) -> None:
            if as_json:
                sys.stdout.write(_json_line(view))
                sys.stdout.flush()
            else:
                screen.show(view)

        async def look(asking: Asking) -> View:
            view = await _look(asking, settings, book)
            show(view)
            while not once:
                await asyncio.sleep(EVERY_S)
                view = await _look(asking, settings, book)
                show(view)
            return view

        return on_reactor(settings, look)


async def _look(asking: Asking, settings: ClientSettings, book: Book) -> View:
    from clients.ops.seen import sorted_out

    at_s = time.time()
    witness = [settings.witness] if settings.witness else []
    heard = await asking.every([*settings.peers, *witness], "status", {}, DEADLINE_S)
    return book.view(sorted_out(heard, len(settings.peers), at_s))


def _screen(*, plain: bool) -> Plain | Painted:
    from clients.ops.monitor.screen import Painted, Plain

    if plain or not sys.stdout.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        return Plain()
    return Painted()


def _json_line(view: View) -> str:
    from clients.ops.monitor.book import as_json

    return json.dumps({"version": JSON_VERSION, **as_json(view)}) + "\n"
