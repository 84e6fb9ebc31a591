"""The process that furnishes the demo's board over the product's own link; prints a line for each
thing done.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec

from clients.demo import board
from clients.link import Link
from clients.running import run_link
from config.load import load_client


def main(home: Path, bank: str, counters: list[str]) -> None:
    """Furnish the board of the cluster whose settings are at ``home``."""

    def told(line: str) -> None:
        click.echo(line)

    async def work(link: Link) -> None:
        await board.furnish(link, counters, bank, told)
        await board.open_day(link, told)

    settings = load_client(home)
    run_link(msgspec.structs.replace(settings, journal=home / "journals"), work)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
