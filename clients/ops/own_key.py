"""``mpower pki request`` and ``accept``: the machine's half of a renewal, where its key stays.

    ssh C001 mpower pki request | mpower pki sign - | ssh C001 mpower pki accept -

The present certificate works on until the answer is taken, and the new key lies beside it as
``.next.key``; said twice, a request replaces the one before. This file must not know the authority.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import BinaryIO

import click

from clients.door import Ended, Exit, client_settings, talk
from config.next_papers import NextPapers
from config.pki import PkiError
from config.renewal import MAX_BYTES

certificate_option = click.option(
    "--certificate",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The present certificate, its .key beside it; else the one the settings name.",
)


def _present(said: Path | None) -> tuple[Path, Path, Path | None]:
    """The files of this machine's certificate, its key, and whom it believes (if known)."""
    if said is not None:
        return said, said.with_suffix(".key"), None
    tls = client_settings().tls
    return tls.certificate, tls.key, tls.ca


@click.command(epilog="Example: mpower pki request > C001.request")
@certificate_option
def request(*, certificate: Path | None) -> None:
    """Make this machine's next key and print the request for its certificate."""
    try:
        sent = NextPapers(*_present(certificate)).request(anew=True)
    except PkiError as wrong:
        raise Ended(Exit.REFUSED, f"{str(wrong)[:1].upper()}{str(wrong)[1:]}.") from wrong
    except OSError as wrong:
        raise Ended(Exit.FAILED, f"{wrong.filename}: {wrong.strerror}.") from wrong
    click.echo(sent.decode(), nl=False)
    talk("The new key stays here. Have the request signed (mpower pki sign), then: pki accept")


@click.command(epilog="Example: mpower pki accept C001.crt")
@click.argument("answer", type=click.File("rb"))
@certificate_option
def accept(answer: BinaryIO, *, certificate: Path | None) -> None:
    """Take the certificate that answers the last request (a file, or - for standard input)."""
    papers = NextPapers(*_present(certificate))
    try:
        papers.take(answer.read(MAX_BYTES), dt.datetime.now(dt.UTC))
        papers.switch()
        papers.told()
    except ValueError as wrong:
        raise Ended(Exit.REFUSED, f"{str(wrong)[:1].upper()}{str(wrong)[1:]}.") from wrong
    except OSError as wrong:
        raise Ended(Exit.FAILED, f"{wrong.filename}: {wrong.strerror}.") from wrong
    talk(f"{papers.certificate} is the new certificate; programs that start from now on use it.")
