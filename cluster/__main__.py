"""``python -m cluster --settings FILE``: one node's cluster part alone, without terminals; for
drills and tests.

``--witness`` runs the witness of that settings file instead. It must not know electricity: it opens
no port for terminals, whatever the standing says.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from cluster.serving import Ending, Service, serve
from config.load import SettingsError, load_node, load_witness
from config.shown import NodeFile


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGTERM; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m cluster")
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--witness", action="store_true")
    said = parser.parse_args(arguments)
    try:
        if said.witness:
            from cluster import witness

            return witness.run(load_witness(said.settings))
        settings = load_node(said.settings)
    except SettingsError as wrong:
        sys.stderr.write(f"{wrong}\n")
        return 1

    async def begin(reactor: Any, ending: Ending) -> Service:
        from cluster.compose import make_node, watched

        reread = NodeFile(said.settings)
        node = make_node(settings, reactor, lambda _standing: None, reread)
        node.on_end = ending.fault
        service = watched(node)
        await service.start(reactor)
        return service

    return serve(begin)


if __name__ == "__main__":
    sys.exit(main())
