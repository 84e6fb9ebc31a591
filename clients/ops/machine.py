"""``mpower doctor``: what this machine lacks to run mPower, or to reach a board, and the fix.

Python and its libraries, OpenSSL, loopback ports, the settings are looked at here; PostgreSQL and
its user by ``mpowerd check``, which also knows a node's own settings where there are some. The
pair's health is asked by ``mpower cluster doctor``. It changes nothing.
"""

from __future__ import annotations

import importlib.util
import json
import platform
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import click
from msgspec import Struct, to_builtins

from clients.door import Ended, Exit, answer, client_settings, json_option
from clients.ops.init import LOOPBACK

OLDEST: Final = (3, 11)
CHECK_S: Final = 60.0
NODE_FILE: Final = Path("/etc/mpower/node.yaml")
"""Where the operator's manual puts a server's settings."""
OPTIONAL: Final = {
    "textual": ("the screen of 'mpower counter'", "pip install 'mpower[tui]'"),
    "xlsxwriter": ("reports as spreadsheets", "pip install 'mpower[reports]'"),
}
"""Libraries that not every machine needs: for what, and how they come."""
NO_SETTINGS: Final = "Nobody here reaches a board; a demo brings its own."


class Ill(Struct, frozen=True):
    """``what`` is missing or wrong, ``why`` it matters, what to ``do``."""

    what: str
    why: str
    do: str
    grave: bool = True


class Look(Struct):
    """What was found well (name → what), and what was not."""

    well: dict[str, str] = {}
    ill: list[Ill] = []


def of_python(version: tuple[int, ...], has: dict[str, bool]) -> Look:
    """The interpreter, and the libraries it ``has``. Pure."""
    look = Look()
    said = ".".join(str(one) for one in version[:3])
    if version[:2] < OLDEST:
        do = "Install Python 3.11 or newer, and make the environment with it (make install)."
        look.ill.append(Ill(f"This is Python {said}.", "mPower needs 3.11.", do))
    else:
        look.well["Python"] = said
    for name, there in has.items():
        what, do = OPTIONAL[name]
        if not there:
            ill = Ill(f"{name} is not installed.", f"Without it there is no {what}.", do, False)
            look.ill.append(ill)
    return look


def of_checkup(said: dict[str, Any]) -> Look:
    """What ``mpowerd check --json`` answers. Pure."""
    look = Look(well={one["what"]: one["found"] for one in said.get("facts", [])})
    look.ill = [
        Ill(one["what"], one["why"], one["do"], bool(one["grave"])) for one in said["findings"]
    ]
    return look


def page(looks: list[Look]) -> str:
    """For people: what is well, then what is not, the grave first."""
    lines = [f"ok     {what}: {found}" for look in looks for what, found in look.well.items()]
    for one in sorted((ill for look in looks for ill in look.ill), key=lambda it: not it.grave):
        mark = "GRAVE" if one.grave else "note "
        lines += [f"{mark}  {one.what}", f"       why: {one.why}", f"       do: {one.do}"]
    return "\n".join(lines)


@click.command(epilog="Exit codes: 0 nothing grave is missing · 1 something is.")
@click.option(
    "--node",
    type=click.Path(exists=True, path_type=Path),
    help=f"A node's settings to check as well; else {NODE_FILE}, if it is there.",
)
@json_option
def doctor(*, node: Path | None, as_json: bool) -> None:
    """What this machine lacks to run mPower, and the fix. (The pair: mpower cluster doctor.)"""
    has = {name: importlib.util.find_spec(name) is not None for name in OPTIONAL}
    looks = [of_python(sys.version_info[:3], has), _system(), _checkup(), _settings()]
    file = node or (NODE_FILE if NODE_FILE.exists() else None)
    if file is not None:
        looks.append(_checkup("--settings", str(file)))
    well = {what: found for look in looks for what, found in look.well.items()}
    ill = [one for look in looks for one in look.ill]
    answer({"well": well, "findings": to_builtins(ill)}, page(looks), as_json=as_json)
    if any(one.grave for one in ill):
        click.get_current_context().exit(int(Exit.FAILED))


def _system() -> Look:
    look = Look(well={"system": platform.platform(terse=True), "OpenSSL": ssl.OPENSSL_VERSION})
    try:
        with socket.create_server((LOOPBACK, 0)) as taken:
            look.well["loopback ports"] = f"free (tried {taken.getsockname()[1]})"
    except OSError as wrong:
        do = "Bring the loopback interface up: ip link set lo up."
        look.ill.append(Ill(f"No port of {LOOPBACK} can be had ({wrong}).", "Tries need it.", do))
    return look


def _settings() -> Look:
    try:
        settings = client_settings()
    except Ended as wrong:
        return Look(ill=[Ill(wrong.message, NO_SETTINGS, "As it says there.", grave=False)])
    names = f"cluster {settings.cluster} at {', '.join(settings.nodes)}"
    return Look(well={"settings": names, "certificate": str(settings.tls.certificate)})


def _checkup(*words: str) -> Look:
    """What the daemon's own check-up says, as a process: a client does not hold the daemon."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "mpowerd", "check", *words, "--json"],
            capture_output=True,
            text=True,
            timeout=CHECK_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        return of_checkup(json.loads(done.stdout))
    except (OSError, ValueError, KeyError, subprocess.TimeoutExpired) as wrong:
        said = str(wrong) if isinstance(wrong, OSError | subprocess.TimeoutExpired) else done.stderr
        why = "What a server needs could not be looked at."
        return Look(ill=[Ill(said.strip() or "mpowerd check said nothing.", why, "See above.")])
