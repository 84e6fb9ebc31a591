"""``mpower cluster``: start a cluster, and see at a glance who is primary and whether everything is
safe.

It asks both nodes and the witness themselves, over the peer ports, as an operator. Exit codes as
everywhere. It must not know how the cluster decides: it shows what the machines say.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

import click

from clients.door import Ended, Exit, answer, client_settings, json_option
from clients.ops.arbiter import arbiter
from clients.ops.config import config
from clients.ops.doctor import doctor
from clients.ops.drill import drill
from clients.ops.explain import explain
from clients.ops.failover import failover
from clients.ops.guards import handover, maintenance, pause, resume, strict
from clients.ops.history import history
from clients.ops.passwords import password
from clients.ops.reactor import on_reactor
from clients.ops.reinit import reinit
from clients.ops.silence import nobody
from clients.ops.switchover import switchover
from clients.ops.verbs import look
from clients.ops.verdict import verdict

if TYPE_CHECKING:
    from clients.ops.asking import Asking
    from clients.ops.seen import Seen
    from clients.ops.verdict import NodeStatus
    from config.settings import ClientSettings

BOOTSTRAP_DEADLINE_S: Final = 120.0
"""initdb on a slow disk takes tens of seconds."""
OPEN_DEADLINE_S: Final = 60.0
WATCH_EVERY_S: Final = 0.5
PASSWORD_MIN: Final = 12
PASSWORD_MAX: Final = 256


@click.group()
def cluster() -> None:
    """The pair: who is primary, is everything safe."""


cluster.add_command(arbiter)
cluster.add_command(config)


@cluster.command(epilog="Exit codes: 0 a primary is open · 3 nobody reachable · 4 no primary.")
@click.option(
    "--watch",
    is_flag=True,
    help="Show it again and again, until interrupted; with --json a line each.",
)
@json_option
def status(*, watch: bool, as_json: bool) -> None:
    """Ask both nodes and the witness, and show one table."""
    settings = client_settings("ops")

    async def show(asking: Asking) -> Seen:
        seen = await look(asking, settings)
        while watch:
            if not as_json:
                click.clear()
            seen.show(as_json=as_json)
            await asyncio.sleep(WATCH_EVERY_S)
            seen = await look(asking, settings)
        return seen

    seen = on_reactor(settings, show)
    seen.show(as_json=as_json)
    if not seen.nodes and seen.witness is None:
        raise Ended(Exit.NOT_REACHABLE, nobody(seen.silent))
    if not any(one.open for one in seen.nodes):
        because = verdict(seen.nodes, seen.witness).because
        raise Ended(Exit.NO_PRIMARY, f"{because[:1].upper()}{because[1:].rstrip('.?')}.")


@cluster.command(epilog="Example: mpower cluster bootstrap --admin asha")
@click.option("--admin", required=True, help="The first administrator's user name.")
@click.option("--password-file", help="File with the password, or - for standard input.")
@click.option("--node", help="Which node becomes the first primary; else the first that answers.")
@json_option
def bootstrap(
    *,
    admin: str,
    password_file: str | None,
    node: str | None,
    as_json: bool,
) -> None:
    """Make the cluster, once: the first database, the first record, the first administrator."""
    settings = client_settings("ops")
    word = password(password_file, f"New password of {admin}", twice=True)
    if not PASSWORD_MIN <= len(word) <= PASSWORD_MAX:
        raise Ended(
            Exit.USAGE,
            f"A password has {PASSWORD_MIN} to {PASSWORD_MAX} characters. Nothing was done.",
        )
    arguments = {"admin": admin, "hash": _hashed(word)}
    made = on_reactor(settings, lambda asking: _bootstrap(asking, settings, node, arguments))
    answer(
        {"primary": made.node, "epoch": made.epoch},
        f"The cluster is made: {made.node} is the primary and open.\n"
        f"What next: start the other node; it copies the database by itself (a minute for each"
        f" few GB).\nThen: mpower cluster status",
        as_json=as_json,
    )


async def _bootstrap(
    asking: Asking, settings: ClientSettings, wanted: str | None, arguments: dict[str, str]
) -> NodeStatus:
    """Give the order to one node and wait until it is open."""
    seen = await look(asking, settings)
    address = next((at for name, at in seen.places.items() if wanted in {None, name}), None)
    if address is None:
        who = f"node {wanted}" if wanted else "any node"
        raise Ended(Exit.NOT_REACHABLE, f"{who} does not answer. Start it first: mpowerd node.")
    heard = await asking.one(address, "bootstrap", arguments, BOOTSTRAP_DEADLINE_S)
    if heard.answer is None:
        raise Ended(
            Exit.FAILED, f"{address}: {heard.trouble}. Look at 'mpower cluster status' and its log."
        )
    if not heard.answer.ok:
        raise Ended(Exit.REFUSED, heard.answer.sentence)
    give_up_s = time.monotonic() + OPEN_DEADLINE_S
    while time.monotonic() < give_up_s:
        seen = await look(asking, settings)
        opened = next((one for one in seen.nodes if one.open), None)
        if opened is not None:
            return opened
        await asyncio.sleep(0.2)
    raise Ended(
        Exit.NO_PRIMARY,
        f"The cluster is made, but no node opened within {OPEN_DEADLINE_S:g} s. "
        "See 'mpower cluster status'.",
    )


def _hashed(password: str) -> str:
    from argon2 import PasswordHasher

    return PasswordHasher().hash(password)


for _verb in (explain, history, doctor, drill, switchover, failover, reinit):
    cluster.add_command(_verb)
for _verb in (pause, resume, strict, maintenance, handover):
    cluster.add_command(_verb)
