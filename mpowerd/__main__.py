"""``mpowerd``: the daemon. ``mpowerd node`` runs one server of the pair, ``mpowerd witness`` the
third vote.

Exit codes: 0 asked to end, 1 it could not start (the sentence is on stderr), 2 wrong usage, 70 a
fault of ours.
"""

from __future__ import annotations

import resource
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click

from config.load import SettingsError, load_node, load_witness
from config.shown import NodeFile

SETTINGS = click.option(
    "--settings", required=True, type=click.Path(path_type=Path), help="The YAML file to read."
)


@click.group()
def main() -> None:
    """Run a part of an mPower cluster on this machine."""


@main.command("node")
@SETTINGS
def run_node(settings: Path) -> None:
    """Run one of the two servers: its database, its heartbeat, its counters' port."""
    try:
        said = load_node(settings)
    except SettingsError as wrong:
        _refuse(str(wrong))
    _log_from(said.log_level)
    leave_no_core()

    from cluster.serving import Ending, Service, serve

    async def begin(reactor: Any, ending: Ending) -> Service:
        from mpowerd import running

        return await running.begin(said, reactor, ending, NodeFile(settings))

    sys.exit(serve(begin))


@main.command("witness")
@SETTINGS
def run_witness(settings: Path) -> None:
    """Run the witness: the third vote, on a machine that is neither server."""
    try:
        said = load_witness(settings)
    except SettingsError as wrong:
        _refuse(str(wrong))
    _log_from(said.log_level)
    leave_no_core()
    from cluster import witness

    sys.exit(witness.run(said))


@main.command("check")
@click.option("--settings", type=click.Path(path_type=Path), help="The node's; else any node's.")
@click.option("--json", "as_json", is_flag=True, help="Answer as one JSON object.")
def check_machine(settings: Path | None, *, as_json: bool) -> None:
    """Look at this machine before, or while, a node runs on it; nothing is changed. Without
    settings: what any node needs here.

    Exit codes: 0 nothing grave, 1 the node would not start or not keep its promises, 2 usage.
    """
    from cluster.checkup.bare import bare
    from mpowerd.check import check, shown

    try:
        facts, found = bare() if settings is None else ((), check(load_node(settings)))
    except SettingsError as wrong:
        _refuse(f"{wrong} The node would not start; correct the file and check again.")
    click.echo(shown(found, as_json=as_json, facts=facts))
    sys.exit(1 if any(one.grave for one in found) else 0)


@main.command("ledger")
@SETTINGS
@click.option("--json", "as_json", is_flag=True, help="Answer as one JSON object.")
def check_ledger(settings: Path, *, as_json: bool) -> None:
    """Prove the ledger of this machine's own copy: on the standby it costs the primary nothing.

    Exit codes: 0 all fits, 1 something does not, or the database does not answer, 2 usage.
    """
    import psycopg

    from cluster.compose import plan_of
    from cluster.postgres.sessions import Sessions
    from mpowerd.ledger_check import prove, shown

    try:
        proof = prove(Sessions(plan_of(load_node(settings))).conninfo())
    except SettingsError as wrong:
        _refuse(str(wrong))
    except psycopg.Error as wrong:
        _refuse(f"The database of this machine does not answer ({wrong}). Does the node run?")
    click.echo(shown(proof, as_json=as_json))
    sys.exit(1 if proof.wrong else 0)


@main.command("version")
def show_version() -> None:
    """Say which release this is."""
    try:
        click.echo(f"mpowerd {version('mpower')}")
    except PackageNotFoundError:
        click.echo("mpowerd (not installed)")


def _log_from(level: str) -> None:
    """Log from this level upwards. The library would load rich and pygments for tracebacks that
    nobody here sees: 5 MiB of a small machine.
    """
    absent = "rich" not in sys.modules
    if absent:
        sys.modules["rich"] = None  # type: ignore[assignment]
    from mpowerd.logs import configure

    if absent:
        del sys.modules["rich"]
    configure(level)


def leave_no_core() -> None:
    """Let no crash of this process, nor of the database it starts, write its memory to a disk: keys
    and what people type are in it.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _refuse(sentence: str) -> None:
    click.echo(sentence, err=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
