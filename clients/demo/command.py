"""``mpower demo``: a whole board on this machine. The commands; what they do is in the files beside
this one.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click

from clients.demo import mending, running, strokes
from clients.demo.company import load_at
from clients.demo.stage import Stage, StageError, mpower_at
from clients.demo.telling import Begun, Ending, Figures, steps, teller
from clients.door import Ended, Exit, answer, json_option

PLACES: Final = ("primary", "standby", "a", "b", "witness")
WHO: Final = click.Choice(PLACES)
MOST: Final = 2000
"""Payments a second: beyond it this machine measures itself."""


@contextmanager
def _stage(*, keep: Path | None = None, pointed: bool = False) -> Iterator[Stage]:
    """A stage that is always taken down, whatever is pressed meanwhile; its folder stays after a
    failure, with the logs, or as ``keep`` if that was asked for.
    """
    stage = Stage.build(pointed=pointed)
    failed = False

    def leave(_number: int, _frame: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield stage
    except StageError as wrong:
        failed = True
        raise Ended(Exit.FAILED, f"{wrong}\nThe demo's folder is kept: {stage.home}") from wrong
    finally:
        interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        stage.end(keep_home=failed or keep is not None)
        if keep is not None and not failed:
            _move(stage.home, keep)
        signal.signal(signal.SIGINT, interrupt)
        signal.signal(signal.SIGTERM, before)


def _move(home: Path, keep: Path) -> None:
    """Give the folder the name that was asked for: while it is in use its path must be short and
    open to the database's own user, which only the temporary one is everywhere.
    """
    try:
        shutil.move(home, keep)
    except OSError as wrong:
        why = f"The demo's folder could not become {keep} ({wrong}). It is kept as {home}."
        raise Ended(Exit.FAILED, why) from wrong


def _free(_context: click.Context, _option: click.Parameter, name: Path | None) -> Path | None:
    """The folder to keep everything in, which must not be there yet: refused before it starts."""
    if name is None:
        return None
    place = name.absolute()
    if place.exists():
        raise click.BadParameter(f"{place} is there already. Give it a new name.")
    if not os.access(place.parent, os.W_OK):
        why = "may not be written by you" if place.parent.exists() else "does not exist"
        raise click.BadParameter(f"{place.parent} {why}. Name a folder in one that you may write.")
    return place


keep_option = click.option(
    "--keep",
    metavar="NAME",
    type=click.Path(path_type=Path),
    callback=_free,
    help="Leave its folder (settings, databases, journals, logs) as NAME when it ends.",
)
lines_option = click.option(
    "--json", "as_json", is_flag=True, help="Tell each event as one JSON object on a line."
)


@click.group(invoke_without_command=True)
@click.option("--plain", is_flag=True, help="Tell it in lines, without screen control.")
@keep_option
@lines_option
@click.pass_context
def demo(context: click.Context, *, plain: bool, keep: Path | None, as_json: bool) -> None:
    """A whole board on this machine: two servers, a witness, counters that take payments.

    \b
    Examples:
      mpower demo                     until Ctrl-C
      mpower demo --keep mine         its folder stays as 'mine' when it ends
      mpower demo kill primary        from a second shell
      mpower demo partition links     cut the network between the two servers
      mpower demo load 100            counters post 100 payments a second
      mpower demo heal                mend whatever was done
      mpower demo drill               a failover both ways, then the verdict
      mpower demo run -- mpower cluster status
    """  # noqa: D301 - click wants the character itself
    if context.invoked_subcommand is not None:
        if plain or keep or as_json:
            verb = context.invoked_subcommand
            raise click.UsageError(
                f"--plain, --keep and --json before '{verb}' belong to the demo itself. What"
                f" '{verb}' takes: {mpower_at()} demo {verb} --help"
            )
        return
    from clients.demo.show import show

    _not_two()
    tell = teller(plain=plain, as_json=as_json)
    with _stage(keep=keep, pointed=True) as stage:
        try:
            show(stage, tell)
        except KeyboardInterrupt:
            tell(Ending(kept=str(keep) if keep else None))


@demo.command("drill")
@keep_option
@lines_option
def drill_command(*, keep: Path | None, as_json: bool) -> None:
    """Kill the primary, let it rejoin, kill the other; exit 0 if nothing is lost or doubled."""
    from clients.demo.drill import drill, passed

    tell = teller(plain=True, as_json=as_json)
    with _stage(keep=keep) as stage:
        tell(Begun(home=str(stage.home)))
        figures = drill(stage, steps(tell))
    tell(Figures(figures=figures))
    if not passed(figures):
        raise Ended(Exit.FAILED, "The drill did not show what it must: see the figures.")


@demo.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@keep_option
@click.pass_context
def run(context: click.Context, command: tuple[str, ...], *, keep: Path | None) -> None:
    """Bring the cluster up, run COMMAND against it (MPOWER_* set), tear all down, exit as COMMAND
    did.
    """
    from clients.demo.opening import open_board
    from clients.demo.stage import environment

    if shutil.which(command[0], path=environment()["PATH"]) is None:
        raise Ended(Exit.USAGE, f"There is no program '{command[0]}'. Nothing was started.")
    tell = teller(plain=True)
    with _stage(keep=keep) as stage:
        tell(Begun(home=str(stage.home)))
        open_board(stage, steps(tell))
        try:
            code = subprocess.run(command, env=environment(stage.home), check=False).returncode
        except OSError as wrong:
            raise StageError(f"'{command[0]}' cannot be run ({wrong.strerror}).") from wrong
    context.exit(code if code >= 0 else 128 - code)


def _found() -> running.Running:
    found = running.find()
    if found is None:
        raise Ended(Exit.FAILED, f"No demo is running.{_left()} Start one: {mpower_at()} demo")
    return found


def _not_two() -> None:
    found = running.find()
    if found is not None:
        raise Ended(
            Exit.FAILED,
            f"A demo is running already (process {found.owner.pid}). End it with Ctrl-C there.",
        )
    if _left():
        raise Ended(Exit.FAILED, _left().strip())


def _left() -> str:
    found = running.find(living=False)
    members = running.leftovers(found) if found is not None else []
    if not members:
        return ""
    return (
        f" An earlier one was killed and left {len(members)} processes;"
        f" end them: {mpower_at()} demo reset"
    )


def _alive(found: running.Running, who: str) -> str:
    name = _service(found, who)
    if not found.services[name].alive():
        raise Ended(Exit.FAILED, f"{name} is down already. Start it: {mpower_at()} demo heal")
    return name


def _service(found: running.Running, who: str) -> str:
    if who in found.services:
        return who
    from clients.demo.commands import status

    seen = status(Path(found.home))
    primary = seen["primary"]
    if primary is None:
        raise Ended(Exit.NO_PRIMARY, "There is no primary now; name the node: a or b.")
    return str(primary) if who == "primary" else next(n for n in ("a", "b") if n != primary)


def _heal(name: str) -> str:
    """The command that mends it, as it can be typed here."""
    return f"{mpower_at()} demo heal {name}"


@demo.command()
@click.argument("who", type=WHO)
def kill(who: str) -> None:
    """Cut a service's power: SIGKILL to the daemon and everything below it."""
    found = _found()
    name = _alive(found, who)
    mending.note(found, name)
    hit = strokes.kill(found.services[name])
    click.echo(f"Killed {name} (processes: {len(hit)}). Bring it back: {_heal(name)}")


@demo.command()
@click.argument("who", type=WHO)
def stop(who: str) -> None:
    """Stop a service politely: a primary hands over first."""
    found = _found()
    name = _alive(found, who)
    mending.note(found, name)
    strokes.stop(found.services[name])
    click.echo(f"Asked {name} to stop. Bring it back: {_heal(name)}")


@demo.command()
@click.argument("who", type=WHO)
def freeze(who: str) -> None:
    """Stop a service's clock (SIGSTOP): it is silent but not dead."""
    found = _found()
    name = _alive(found, who)
    froze = "Froze" if mending.freeze(found, name) else "Nothing to do: somebody froze"
    click.echo(f"{froze} {name}. Let it go on: {_heal(name)}")


@demo.command()
@click.argument("who", type=click.Choice([*PLACES, "links"]))
def partition(who: str) -> None:
    """Cut the network: a service hears nobody; or only the two servers lose each other (links)."""
    found = _found()
    name = who if who == "links" else _alive(found, who)
    cut = "Cut" if mending.partition(found, name) else "Nothing to do: somebody has cut"
    what = "the links between a and b" if who == "links" else f"{name} off from all others"
    click.echo(f"{cut} {what}. Join them again: {_heal(name)}")


@demo.command()
@click.argument("rate", type=click.IntRange(0, MOST), metavar="PER_SECOND")
def load(rate: int) -> None:
    """Have the counters together post about so many payments a second (0: none).

    Each of the 8 waits for one payment's answer before it takes the next: that is the most they can
    do.
    """
    found = _found()
    load_at(Path(found.home)).write_text(f"{rate}\n", "ascii")
    busy = f"The counters now post about {rate} payments a second together, or as many as they can."
    click.echo(busy if rate else "The counters rest; the bank goes on.")


@demo.command()
@click.argument("who", type=click.Choice(["a", "b", "witness", "links", "all"]), default="all")
def heal(who: str) -> None:
    """Join what is cut off, thaw what is frozen, start again what was killed or stopped.

    A node has its own name here: who was the primary when it was struck may be the standby now.
    """
    found = _found()
    names = [*found.services, "links"] if who == "all" else [who]
    healed = [name for name in names if mending.heal(found, name)]
    click.echo(f"Healed: {', '.join(healed) or 'nothing was broken'}.")


@demo.command()
def reset() -> None:
    """End what a killed demo left behind, and remove its folder."""
    found = running.find(living=False)
    if found is not None and found.owner.alive():
        raise Ended(Exit.REFUSED, "The demo is running; end it with Ctrl-C in its own shell.")
    ended = mending.clear(found) if found is not None else 0
    click.echo(f"Ended {ended} processes.")


@demo.command("status")
@json_option
def status_command(*, as_json: bool) -> None:
    """Say what the running demo's services do."""
    found = _found()
    lives = {name: one.alive() for name, one in found.services.items()}
    text = "\n".join(f"{name}: {'runs' if up else 'is down'}" for name, up in lives.items())
    answer(
        {"home": found.home, "services": lives}, f"{text}\nfolder: {found.home}", as_json=as_json
    )
    if not as_json:
        sys.stdout.flush()
        subprocess.run(
            [sys.executable, "-m", "clients", "--settings", found.home, "cluster", "status"],
            check=False,
        )
