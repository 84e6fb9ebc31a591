"""``mpower second-factor enrol``: give my own login its device.

The secret is made here and told to the authenticator on this screen, as an address and as letters
to type; the server gets it with the first code and never tells it again. This file must not know
how codes are checked.
"""

from __future__ import annotations

import base64
import secrets
from typing import Any

import click
import msgspec

from clients.asking import Asking
from clients.door import answer, client_settings, json_option, talk
from clients.ops.signed import as_person, checked, signed_in
from mpowerd.security.rules import SECRET_BYTES, address_of
from protocols.catalogue.security import EnrolFactor


@click.group("second-factor")
def second_factor() -> None:
    """One-time codes for my login."""


@second_factor.command("enrol")
@click.option("--code", default="", help="The code the authenticator shows; else it is asked for.")
@click.option("--secret-file", type=click.File(), help="A secret made elsewhere, in base 32.")
@as_person(None)
@json_option
def enrol(
    code: str, *, secret_file: Any, me: str, password_file: str | None, as_json: bool
) -> None:
    """Give the login of --as its device; from then on signing in needs its codes."""
    made = base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()
    secret = secret_file.read().strip() if secret_file else made
    if secret == made:
        talk("Give this to the authenticator on your telephone, then type the code it shows:")
        talk(f"  {address_of(secret, me, client_settings('ops').cluster)}")
        talk(f"  by hand: {' '.join(secret[at : at + 4] for at in range(0, len(secret), 4))}")
    body = checked(EnrolFactor(secret, code or click.prompt("Code", err=True)))

    async def work(link: Asking) -> Any:
        return (await link.submit("security.enrol_factor", body)).body

    got = signed_in(me, password_file, work)
    text = f"{got.user} signs in with a one-time code from now on"
    answer(msgspec.structs.asdict(got), text, as_json=as_json)
