"""``mpower pack``: exactly what one machine needs of a board's settings folder, as a tar on stdout.

    mpower pack a | ssh root@10.0.0.1 tar -x -C /etc/mpower

A node gets its settings as node.yaml, a witness as witness.yaml, a counter or a bank mpower.yaml;
each with its own certificate and key, the authority's certificate and the list of the revoked. The
authority's key goes nowhere, nor does anybody else's. Files belong to ``mpower`` and are closed to
others: a copy by hand forgets that. It must not know what is in the files.
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

OWNER: Final = "mpower"
"""The account of the services, on every machine; tar falls back to root where there is none."""
OPEN: Final = ("pki/ca.crt", "pki/revoked.crl")
"""What every machine needs beside its own."""
PEOPLE: Final = ("counter", "bank", "ops")
"""Kinds of certificates that come with the clients' settings."""


class Packed(Struct, frozen=True):
    """What one machine is given. ``files``: the name in the tar → the file in the settings folder.
    ``identity``: the path of its certificate without .crt.
    """

    what: str
    files: dict[str, str]
    identity: str


def packed(names: frozenset[str], machine: str) -> Packed | None:
    """What ``machine`` needs, of the file names of a settings folder; None: there is no such
    machine. A counter or a bank is named by its code.
    """
    if machine == "witness":
        stem = next((one for one in names if one.startswith("pki/witness-")), "")
        own = {"witness.yaml": "witness.yaml"}
        return _with_identity(own, stem.rpartition(".")[0], "the witness") if stem else None
    if f"node-{machine}.yaml" in names:
        own = {"node.yaml": f"node-{machine}.yaml"}
        own["secrets/replication.password"] = "secrets/replication.password"
        return _with_identity(own, f"pki/node-{machine}", f"node {machine}")
    for kind in PEOPLE:
        if f"pki/{kind}-{machine}.crt" in names:
            own = {"mpower.yaml": "mpower.yaml"}
            return _with_identity(own, f"pki/{kind}-{machine}", f"{kind} {machine}")
    return None


def _with_identity(own: dict[str, str], stem: str, what: str) -> Packed:
    pair = (f"{stem}.crt", f"{stem}.key")
    return Packed(what, own | {name: name for name in (*OPEN, *pair)}, stem)


def machines(names: frozenset[str]) -> list[str]:
    """Every machine this settings folder has something for."""
    nodes = {one[5:-5] for one in names if one.startswith("node-") and one.endswith(".yaml")}
    people = {
        one.partition("-")[2].removesuffix(".crt")
        for one in names
        if one.endswith(".crt") and one.removeprefix("pki/").startswith(PEOPLE)
    }
    return [*sorted(nodes), "witness", *sorted(people)]


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
        for folder in ("pki", *(["secrets"] if any("secrets" in one for one in files) else [])):
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
    "--list", "listing", is_flag=True, help="Only name what would be packed, on standard output."
)
def pack(machine: str, *, listing: bool) -> None:
    """Pack what MACHINE needs: a node's name, witness, or the code of a counter or a bank."""
    said = click.get_current_context().find_root().params.get("settings")
    home = _folder(Path(said) if said else None)
    names = frozenset(one.relative_to(home).as_posix() for one in home.rglob("*") if one.is_file())
    chosen = packed(names, machine)
    if chosen is None:
        if "pki/ca.crt" not in names:
            where = "go to the folder 'mpower init' wrote, or name it with --settings"
            raise Ended(Exit.FAILED, f"{home.absolute()} is no settings folder; {where}.")
        known = ", ".join(machines(names))
        raise Ended(Exit.USAGE, f"There is nothing for {machine!r} here; there are: {known}.")
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


def _folder(said: Path | None) -> Path:
    """Where the settings are: as said, else MPOWER_HOME, else here."""
    place = said or Path(os.environ.get("MPOWER_HOME", "."))
    return place if place.is_dir() else place.parent
