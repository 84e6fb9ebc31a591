"""``mpower counter``: settings, link and screen put together for one person at one counter, or for
a script.

The counter is the one of the certificate. Twisted and TLS are loaded only here. This file must not
know the commands typed at the counter: ``typed`` does.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

import click

from clients.door import client_settings, json_option
from clients.ops.passwords import password

if TYPE_CHECKING:
    from config.settings import ClientSettings


HELP: Final = """\
Work at a counter: find, collect, receipts; one command a line, 'help' lists them.

\b
Examples:
  mpower counter --user asha
  mpower counter --counter C001 < commands.txt
  echo 'dues 1234567890' | mpower counter --user asha --password-file pw --json

From a pipe there are no questions, and the line after 'signin USER' is the password. The exit code
is that of the last trouble.
"""


@click.command(help=HELP)
@click.option("--counter", "name", help="The counter's code, if the folder has several (C001).")
@click.option("--user", help="Sign in as this user at once.")
@click.option(
    "--password-file",
    help="File with the password (for scripts): one line.",
)
@json_option
def counter(
    name: str | None, user: str | None, password_file: str | None, *, as_json: bool
) -> None:
    """Work at the counter of this certificate."""
    secret = password(password_file, "Password") if password_file is not None else ""
    sys.exit(_work(client_settings("counter", name), user or "", secret, as_json=as_json))


def _work(settings: ClientSettings, user: str, secret: str, *, as_json: bool) -> int:
    """Work until the input ends; gives the exit code."""
    from clients.counter.screen import Screen
    from clients.counter.work import Counter
    from clients.link import Link
    from clients.running import renewal_of, run_link

    screen = Screen(as_json=as_json)
    code = settings.tls.certificate.stem.partition("-")[2]
    at_work = Counter(screen, code)

    async def work(link: Link) -> None:
        screen.hint(f"Counter {code}. Type 'help'.")
        renewal = renewal_of(settings, link, screen.talk)
        renewal.start()
        try:
            await at_work.work(link, user, secret)
        finally:
            renewal.stop()

    try:
        run_link(
            settings,
            work,
            on_standing=at_work.standing_changed,
            on_notice=at_work.notice,
            on_sign_in_needed=at_work.sign_in_needed,
        )
    except KeyboardInterrupt:
        click.echo("", err=True)
        os._exit(130)  # the keyboard's thread still waits for a line and would hold the exit up
    return int(at_work.exit_code)
