"""``mpower pack``: exactly what one machine needs of a board's settings folder, as a tar on stdout.

    mpower pack a | ssh root@10.0.0.1 tar -x -C /etc/mpower

A node gets its settings as node.yaml, a witness as witness.yaml, a counter or a bank mpower.yaml;
each with its own certificate and key, the authority's certificate and the list of the revoked, a
node those by which etcd knows it too. The authority's key goes nowhere, nor does anybody else's.
Files belong to ``mpower`` and are closed to others: a copy by hand forgets that.
"""

from __future__ import annotations

import io
import os
import re
import sys
import tarfile
from pathlib import Path
from typing import Final

import click
from msgspec import Struct

from clients.door import Ended, Exit, talk
from config.load import SettingsError, settings_from
from config.settings import NodeSettings
from config.yaml import YamlError, read_yaml

OWNER: Final = "mpower"
"""The account of the services, on every machine; tar falls back to root where there is none."""
OPEN: Final = ("pki/ca.crt", "pki/revoked.crl")
"""What every machine needs beside its own."""
SIGNING: Final = "secrets/audit.key"
NODES_SECRETS: Final = ("secrets/replication.password", SIGNING)
"""What both nodes hold alike; a board of an earlier release has no key for its audit."""
CHECKING: Final = "pki/audit.pub"
"""By which the clients' settings prove the audit, and the nodes know former keys."""
PEOPLE: Final = ("counter", "bank", "ops")
"""Kinds of certificates that come with the clients' settings."""


class Packed(Struct, frozen=True):
    """What one machine is given. ``files``: the name in the tar → the file in the settings folder.
    ``identity``: the path of its certificate without .crt.
    """

    what: str
    files: dict[str, str]
    identity: str


def packed(names: frozenset[str], machine: str, etcd: tuple[str, ...] = ()) -> Packed | None:
    """What ``machine`` needs, of the file names of a settings folder; None: there is no such
    machine. A counter or a bank is named by its code; ``etcd``: what a node's settings name for it.
    """
    if machine == "witness":
        stem = next((one for one in names if one.startswith("pki/witness-")), "")
        own = {"witness.yaml": "witness.yaml"}
        return _with_identity(own, stem.rpartition(".")[0], "the witness") if stem else None
    if f"node-{machine}.yaml" in names:
        own = {"node.yaml": f"node-{machine}.yaml"}
        alike = (*NODES_SECRETS, CHECKING, *etcd)
        own |= {one: one for one in alike if one in names or one in etcd}
        return _with_identity(own, f"pki/node-{machine}", f"node {machine}")
    for kind in PEOPLE:
        if f"pki/{kind}-{machine}.crt" in names:
            own = {one: one for one in ("mpower.yaml", CHECKING) if one in names}
            return _with_identity(own, f"pki/{kind}-{machine}", f"{kind} {machine}")
    return None


def _with_identity(own: dict[str, str], stem: str, what: str) -> Packed:
    return Packed(what, own | {name: name for name in (*OPEN, *_pair(stem))}, stem)


def _pair(stem: str) -> tuple[str, str]:
    return f"{stem}.crt", f"{stem}.key"


def part_of(whole: Packed, part: str) -> Packed:
    """Only what changes later: ``papers`` leaves the settings that are edited over there alone,
    ``trust`` carries no key at all, ``audit`` what signs and proves the audit; ``all`` is all.
    """
    wanted = {
        "trust": frozenset(OPEN),
        "papers": {*OPEN, *_pair(whole.identity)},
        "audit": {CHECKING, SIGNING},
    }
    if part not in wanted:
        return whole
    files = {name: one for name, one in whole.files.items() if name in wanted[part]}
    return Packed(whole.what, files, whole.identity)


def machines(names: frozenset[str]) -> list[str]:
    """Every machine this settings folder has something for."""
    nodes = {one[5:-5] for one in names if one.startswith("node-") and one.endswith(".yaml")}
    people = {
        one.partition("-")[2].removesuffix(".crt")
        for one in names
        if one.endswith(".crt") and one.removeprefix("pki/").startswith(PEOPLE)
    }
    witness = ["witness"] if "witness.yaml" in names else []
    return [*sorted(nodes), *witness, *sorted(people)]


def etcd_files(home: Path, machine: str) -> tuple[str, ...]:
    """The files that this node's settings name for its etcd, inside the settings folder; Ended if
    they lie elsewhere, where a tar of the folder cannot have them.
    """
    file = home / f"node-{machine}.yaml"
    if not file.exists():
        return ()
    said = settings_from(read_yaml(file.read_bytes()), NodeSettings, str(file), home)
    settings = said.cluster
    if settings.arbiter != "etcd" or settings.etcd is None:
        return ()
    etcd, top = settings.etcd, home.absolute()
    places = [one.absolute() for one in (etcd.ca, etcd.certificate, etcd.key)]
    for one in places:
        if not one.is_relative_to(top):
            raise Ended(
                Exit.FAILED,
                f"{file} names {one}, which is not in {top}: the other machine would look for it in"
                " vain. Copy it under pki/ and name it so. Nothing was sent.",
            )
    return tuple(one.relative_to(top).as_posix() for one in places)


def as_identity(settings: bytes, stem: str) -> bytes:
    """The clients' settings with this certificate and key: each machine has only its own."""
    for key, suffix in ((b"certificate", b".crt"), (b"key", b".key")):
        line = rb"(?m)^( +" + key + rb": )\S.*$"
        settings = re.sub(line, rb"\g<1>" + stem.encode() + suffix, settings)
    return settings


def tar_of(home: Path, chosen: Packed) -> bytes:
    """The tar: OSError if a file cannot be read."""
    files, out = chosen.files, io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for folder in sorted({one.rpartition("/")[0] for one in files if "/" in one}):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o750
            entry.uname = entry.gname = OWNER
            tar.addfile(entry)
        for name, source in sorted(files.items()):
            content = (home / source).read_bytes()
            if name == "mpower.yaml":
                content = as_identity(content, chosen.identity)
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime = len(content), int((home / source).stat().st_mtime)
            entry.mode = 0o400 if name.endswith((".key", ".password")) else 0o440
            entry.uname = entry.gname = OWNER
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


@click.command(
    epilog="Example: mpower --settings board pack a | ssh root@10.0.0.1 tar -x -C /etc/mpower"
)
@click.argument("machine")
@click.option(
    "--part",
    type=click.Choice(["all", "papers", "trust", "audit"]),
    default="all",
    show_default=True,
    help="papers: no settings, no secrets but its own key. trust: only authorities and the list."
    " audit: only the keys of the audit.",
)
@click.option(
    "--list", "listing", is_flag=True, help="Only name what would be packed, on standard output."
)
def pack(machine: str, *, part: str, listing: bool) -> None:
    """Pack what MACHINE needs: a node's name, witness, or the code of a counter or a bank."""
    said = click.get_current_context().find_root().params.get("settings")
    home = _folder(Path(said) if said else None)
    names = frozenset(one.relative_to(home).as_posix() for one in home.rglob("*") if one.is_file())
    chosen = packed(names, machine, _etcd_files(home, machine))
    if chosen is None:
        if "pki/ca.crt" not in names:
            where = "go to the folder 'mpower init' wrote, or name it with --settings"
            raise Ended(Exit.FAILED, f"{home.absolute()} is no settings folder; {where}.")
        known = ", ".join(machines(names))
        raise Ended(Exit.USAGE, f"There is nothing for {machine!r} here; there are: {known}.")
    chosen = part_of(chosen, part)
    if not chosen.files:
        raise Ended(Exit.USAGE, f"{chosen.what} needs nothing of {part}. Nothing was sent.")
    if listing:
        click.echo("\n".join(sorted(chosen.files)))
        return
    if sys.stdout.isatty():
        raise Ended(
            Exit.USAGE,
            "A tar is nothing for a screen. Pipe it to the machine, as the example of --help"
            " shows, or name what is in it: --list.",
        )
    try:
        content = tar_of(home, chosen)
    except OSError as wrong:
        raise Ended(Exit.FAILED, f"{wrong.filename}: {wrong.strerror}. Nothing was sent.") from None
    sys.stdout.buffer.write(content)
    talk(f"Packed for {chosen.what}: {len(chosen.files)} files.")


def _etcd_files(home: Path, machine: str) -> tuple[str, ...]:
    try:
        return etcd_files(home, machine)
    except (SettingsError, YamlError) as wrong:
        raise Ended(Exit.FAILED, f"{wrong} Nothing was sent.") from None


def _folder(said: Path | None) -> Path:
    """Where the settings are: as said, else MPOWER_HOME, else here."""
    place = said or Path(os.environ.get("MPOWER_HOME", "."))
    return place if place.is_dir() else place.parent
