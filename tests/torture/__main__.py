"""``make torture MINUTES=6 SEED=1``: real processes on three hosts, struck without mercy, and the
verdict from outside.

Outside the cage: ask what the machine has, make the folder, enter the cage, clean up. Inside:
build, play, judge. Exit codes: 0 clean, 1 a flaw or the pair did not come back (the evidence is
kept and named), 2 wrong usage, 5 this machine cannot run it (the sentence says what it lacks).
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
from pathlib import Path

import click

from tests.torture import cage, warden
from tests.torture.kinds import BY_NAME
from tests.torture.needs import lacks
from tests.torture.planted import PLANTED

REFUSED = 5


@click.command()
@click.option("--minutes", type=click.FloatRange(0.1, 24 * 60), default=6.0, show_default=True)
@click.option("--seed", type=int, help="Left out, one is drawn and told.")
@click.option("--plant", type=click.Choice(["", *PLANTED]), default="", help="A bug to be caught.")
@click.option("--only", default="", help="Kinds of fault to deal, comma-separated; else all.")
@click.option("--keep", is_flag=True, help="Keep logs and journals of a clean run too.")
@click.option("--home", type=click.Path(path_type=Path), hidden=True)
def main(
    *, minutes: float, seed: int | None, plant: str, only: str, keep: bool, home: Path | None
) -> None:
    """Torture the pair for MINUTES with the faults of SEED."""
    if home is not None:
        from tests.torture.run import torture

        kinds = tuple(filter(None, only.split(",")))
        sys.exit(cage.live(lambda: torture(home, minutes, seed or 0, plant, kinds)))
    unknown = [one for one in filter(None, only.split(",")) if one not in BY_NAME]
    if unknown:
        known = ", ".join(BY_NAME)
        raise click.UsageError(f"There is no kind {', '.join(unknown)}. There are: {known}.")
    place = Path(tempfile.gettempdir())
    why = lacks(place)
    if why:
        click.echo("The torture rig cannot run here.\n" + "\n".join(why), err=True)
        sys.exit(REFUSED)
    chosen = random.SystemRandom().randrange(1, 1 << 31) if seed is None else seed
    words = ["--minutes", str(minutes), "--seed", str(chosen), "--plant", plant, "--only", only]
    sys.exit(_outside(place, chosen, words, keep=keep))


def _outside(place: Path, seed: int, said: list[str], *, keep: bool) -> int:
    folder = Path(tempfile.mkdtemp(prefix=f"mpower-torture-{seed}-", dir=place))
    folder.chmod(0o755)
    words = ["-m", "tests.torture", "--home", str(folder), *said]
    code = 1
    watching = warden.appoint(folder)
    try:
        code = cage.enter(words)
    finally:
        warden.dismiss(watching)
        for made in ("disks", "images"):
            shutil.rmtree(folder / made, ignore_errors=True)
        if code == 0 and not keep:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            click.echo(f"The evidence is in {folder} (logs, journals, databases' logs).", err=True)
    return code


if __name__ == "__main__":
    main()
