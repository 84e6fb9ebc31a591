"""``mpower admin``: logins that were lost or locked out.

What gives somebody more than they have now is four-eyes, as in rights.py; a new password is typed
here, judged by the server, and kept nowhere. This file must not know how a request is decided.
"""

from __future__ import annotations

from typing import Any

import click
import msgspec

from clients.door import answer, json_option
from clients.ops.passwords import password
from clients.ops.rights import show_pending
from clients.ops.signed import as_admin, checked, signed_in
from protocols.catalogue.security import (
    AllowReset,
    EnableUser,
    ResetFactor,
    ResetPassword,
)


def _asking(name: str, operation: str, body: type[msgspec.Struct], said: str) -> click.Command:
    """Make a verb about one USER that another administrator approves."""

    @click.argument("user")
    @click.option("--reason", required=True, help="Why; it stands in the request and the audit.")
    @as_admin
    @json_option
    def ask(user: str, *, reason: str, me: str, password_file: str | None, as_json: bool) -> None:
        asked: Any = body(user, reason)
        got = signed_in(me, password_file, lambda link: link.submit(operation, checked(asked)))
        show_pending(got.body, as_json=as_json)

    return click.command(name, help=said)(ask)


ASKED = (
    _asking(
        "enable-user",
        "security.enable_user",
        EnableUser,
        "Let the disabled USER sign in again. A second administrator approves it.",
    ),
    _asking(
        "allow-reset",
        "security.allow_reset",
        AllowReset,
        "Allow the appointed USER one new password within a day. A second administrator approves.",
    ),
    _asking(
        "reset-factor",
        "security.reset_factor",
        ResetFactor,
        "Take USER's second factor away: the device is lost. A second administrator approves it.",
    ),
)


@click.command("reset-password")
@click.argument("user")
@click.option("--reason", required=True, help="Why; it goes to the audit.")
@click.option("--new-password-file", help="File with the new password, or -.")
@as_admin
@json_option
def reset_password(
    user: str,
    *,
    reason: str,
    new_password_file: str | None,
    me: str,
    password_file: str | None,
    as_json: bool,
) -> None:
    """Put a new password of USER; every session ends. Appointed users need 'allow-reset' first."""
    if password_file == new_password_file == "-":  # noqa: S105 - a dash is no password
        raise click.UsageError("Standard input holds one password; give the other in a file.")
    checked(ResetPassword(user, "x", reason))
    new = password(new_password_file, f"New password of {user}", twice=True)
    body = checked(ResetPassword(user, new, reason))
    got = signed_in(
        me, password_file, lambda link: link.submit("security.reset_password", body)
    ).body
    text = f"{got.user} has a new password, {got.sessions_ended} session(s) ended"
    answer(msgspec.structs.asdict(got), text, as_json=as_json)


VERBS = (*ASKED, reset_password)
