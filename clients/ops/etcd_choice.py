"""``mpower init --arbiter etcd``: an etcd that is there already keeps the record, and no witness.

Its members are named, and the certificates by which its own authority lets the nodes in are copied
into the settings folder, so that ``mpower pack`` can give each node all it needs. It must not know
what etcd is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click
import msgspec
from msgspec import Struct

from config.borrowed import NAMES, borrowed
from config.pki import PkiError
from config.settings import EtcdSettings

PORT: Final = 2379
"""etcd's own, for clients."""
FILE: Final = click.Path(path_type=Path, dir_okay=False)


class Etcd(Struct, frozen=True):
    """What goes into the settings, and the files beside them."""

    settings: EtcdSettings
    files: dict[str, bytes]


def etcd_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of ``init`` that choose an etcd."""
    options = (
        click.option(
            "--arbiter",
            type=click.Choice(["witness", "etcd"]),
            default="witness",
            show_default=True,
            help="What keeps the record of who is primary.",
        ),
        click.option(
            "--etcd",
            "endpoints",
            multiple=True,
            help=f"HOST[:PORT] of each member of the etcd, else port {PORT}; repeatable.",
        ),
        click.option("--etcd-ca", type=FILE, help="The certificate of etcd's authority."),
        click.option("--etcd-certificate", type=FILE, help="The nodes' client certificate for it."),
        click.option("--etcd-key", type=FILE, help="The key of that certificate."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def chosen(
    *,
    arbiter: str,
    endpoints: tuple[str, ...],
    etcd_ca: Path | None,
    etcd_certificate: Path | None,
    etcd_key: Path | None,
) -> Etcd | None:
    """The etcd that was chosen, None for a witness; UsageError says what is missing or wrong."""
    files = (etcd_ca, etcd_certificate, etcd_key)
    if arbiter == "witness":
        if endpoints or any(files):
            raise click.UsageError("An etcd was named: say --arbiter etcd too.")
        return None
    if not endpoints:
        raise click.UsageError(
            "Name every member of the etcd: --etcd 10.0.0.21 --etcd 10.0.0.22 --etcd 10.0.0.23."
        )
    if etcd_ca is None or etcd_certificate is None or etcd_key is None:
        raise click.UsageError(
            "etcd is spoken with over TLS only: give --etcd-ca FILE, --etcd-certificate FILE and"
            " --etcd-key FILE, as etcd's administrator issues them to a client."
        )
    ca, certificate, key = (Path(one) for one in NAMES)
    try:
        taken = borrowed(etcd_ca, etcd_certificate, etcd_key)
    except PkiError as wrong:
        raise click.UsageError(f"{wrong}. Nothing was written.") from wrong
    said = {
        "endpoints": [_address(one) for one in endpoints],
        "ca": str(ca),
        "certificate": str(certificate),
        "key": str(key),
    }
    try:
        return Etcd(msgspec.convert(said, EtcdSettings, dec_hook=_path), taken)
    except msgspec.ValidationError as wrong:
        raise click.UsageError(f"--etcd: {wrong}. Nothing was written.") from wrong


def _address(said: str) -> str:
    _, colon, port = said.rpartition(":")
    return said if colon and port.isdecimal() and not said.endswith("]") else f"{said}:{PORT}"


def _path(kind: type, said: str) -> object:
    return kind(said)
