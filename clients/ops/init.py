"""``mpower init``: a board's first minute. Writes the settings folder and says what to do next.

Ports are fixed and documented for real servers, or free ones of this machine (``--ports auto``) for
a try on loopback. This file must not know what the files look like: config.folder writes them.
"""

from __future__ import annotations

import datetime as dt
import random
import shlex
import socket
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Final

import click
import msgspec
from msgspec import structs

from clients.door import Ended, Exit, answer, json_option
from clients.ops.etcd_choice import chosen, etcd_options
from config.folder import FolderError, Paths, Plan, write_settings
from config.load import SettingsError
from config.pki import PkiError
from config.settings import FAST, NodeAddress, TimersSettings
from config.signing_in import SignInSettings

TERMINALS, PEER, POSTGRES, WITNESS = 7500, 7501, 7502, 7503
"""The ports a firewall between the machines must let through."""
TRIAL_PORTS: Final = range(10_240, 32_000)
"""Linux gives outgoing connections ports from 32768 on; Windows and BSD from 49152."""
MAX_COUNTERS: Final = 999
"""Counter codes are C001 to C999; a board with more adds certificates later."""
LOOPBACK: Final = "127.0.0.1"

NEXT: Final = """\
Wrote {home}: settings, an authority, certificates for two nodes,{witness}
{counters} counter(s), {banks}, and an operator.

What next: (names and the date are examples)
{start}  3. Once, from here: make the cluster and its first administrator, then look.
     mpower cluster bootstrap --admin admin
     mpower cluster status
  4. As that administrator: people, and the counters and banks that have a certificate.
{enrol}     mpower admin add person E1042 --name "Asha K" --designation Cashier
     mpower admin add user asha --person E1042 --role clerk
     mpower admin add person E1007 --name "Ravi S" --designation "Assistant engineer"
     mpower admin add user ravi --person E1007 --role clerk
     mpower admin appoint ravi --role officer --reason "order 17"
{enrol_officer}     mpower admin add counter C001 --office HO
{bank_lines}  5. Consumers with their dues; without a file of yours, invented ones.
     mpower admin sample consumers consumers.csv
     mpower admin load consumers consumers.csv
  6. Take money: the officer opens the day, the clerk takes a payment and prints its receipt.
     mpower counter --counter C001
       signin ravi
       day open {today}
       signin asha
       shift open 100x5 coins 20
       dues 1000000001
       take 1000000001 all
"""
"""A page: each line that begins with mpower or mpowerd is a command as it is typed."""
ON_SERVERS: Final = """\
  1. Give each machine its own settings and nothing else; pki/ca.key stays here, offline: who has
     it can be anybody. (docs/operator/install.md has every step on a bare server.)
     export MPOWER_HOME={quoted}
     mpower pack witness | ssh WITNESS tar -x -C /etc/mpower
     mpower pack {a} | ssh {a} tar -x -C /etc/mpower
     mpower pack {b} | ssh {b} tar -x -C /etc/mpower
  2. On the third machine, and on each of the two servers (as services, so that they come back):
     mpowerd witness --settings /etc/mpower/witness.yaml
     mpowerd node --settings /etc/mpower/node.yaml
"""
HERE: Final = """\
  1. This folder is for a try on this machine: everything that is needed is in it.
     export MPOWER_HOME={quoted}
  2. Each in a shell of its own (as root, the folder must let PostgreSQL's account in):
     mpowerd witness --settings {quoted}/witness.yaml
     mpowerd node --settings {quoted}/node-{a}.yaml
     mpowerd node --settings {quoted}/node-{b}.yaml
"""
STATE: Final = Path("/var/lib/mpower")
"""Where a service keeps its data on a server; the units under deploy/ make it."""
BANK_LINE: Final = "     mpower admin add counter {bank} --office HO --bank\n"
ENROL: Final = """\
     (Administrators and officers sign in with one-time codes; each is good for one command.)
     mpower second-factor enrol --as admin
"""
ENROL_OFFICER: Final = "     mpower second-factor enrol --as ravi\n"


def free_ports(count: int) -> list[int]:
    """Find ``count`` different loopback ports that are free now, below the range from which the
    system gives outgoing connections theirs: a server that is stopped for a while would find its
    port taken by one. OSError if there are none.
    """
    found: list[int] = []
    with ExitStack() as open_sockets:
        for port in random.SystemRandom().sample(TRIAL_PORTS, len(TRIAL_PORTS)):
            one = open_sockets.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            with suppress(OSError):
                one.bind((LOOPBACK, port))
                found.append(port)
            if len(found) == count:
                return found
    raise OSError(f"there are no {count} free ports from {TRIAL_PORTS[0]} to {TRIAL_PORTS[-1]}")


def counter_codes(count: int) -> tuple[str, ...]:
    """Name ``count`` counters: C001, C002, …"""
    return tuple(f"C{number:03d}" for number in range(1, count + 1))


TRIED_OFTEN: Final = 1000
"""A pair on one machine is there to be killed: it must not pause itself after some tries."""


def loopback_plan(
    home: Path,
    name: str = "demo",
    counters: int = 1,
    banks: tuple[str, ...] = ("SBI",),
    nodes: tuple[str, str] = ("a", "b"),
) -> Plan:
    """Plan a whole cluster on free ports of this machine, two links between the nodes; nobody needs
    a second factor there.
    """
    ports = iter(free_ports(11))
    a, b = (
        NodeAddress(
            name=node,
            peer=[f"{LOOPBACK}:{next(ports)}", f"{LOOPBACK}:{next(ports)}"],
            terminals=f"{LOOPBACK}:{next(ports)}",
            postgres=f"{LOOPBACK}:{next(ports)}",
        )
        for node in nodes
    )
    return Plan(
        home=home,
        name=name,
        nodes=(a, b),
        witness=f"{LOOPBACK}:{next(ports)}",
        counters=counter_codes(counters),
        banks=banks,
        ops={node: f"{LOOPBACK}:{next(ports)}" for node in nodes},
        timers=structs.replace(TimersSettings(), takeovers_per_hour=TRIED_OFTEN),
        sign_in=SignInSettings(second_factor=[]),
        extra_hosts=("localhost",),
    )


def server_plan(
    home: Path,
    name: str,
    *,
    nodes: tuple[tuple[str, list[str]], tuple[str, list[str]]],
    witness: str | None,
    counters: int,
    banks: tuple[str, ...],
) -> Plan:
    """Plan a cluster on real servers: a node's hosts are its links, the first one also serves the
    terminals. ``witness`` None: an etcd keeps the record.
    """
    a, b = (
        NodeAddress(
            name=node,
            peer=[_at(host, PEER) for host in hosts],
            terminals=_at(hosts[0], TERMINALS),
            postgres=_at(hosts[0], POSTGRES),
        )
        for node, hosts in nodes
    )
    return Plan(
        home=home,
        name=name,
        nodes=(a, b),
        node_data={a.name: STATE, b.name: STATE},
        witness_data=STATE,
        witness=_at(witness, WITNESS) if witness else None,
        counters=counter_codes(counters),
        banks=banks,
    )


def _at(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _node(said: str) -> tuple[str, list[str]]:
    name, sign, hosts = said.partition("=")
    if not sign or not name or not all(hosts.split(",")):
        raise click.BadParameter(f"'{said}' is not NAME=HOST (several links: NAME=HOST,HOST)")
    return name, hosts.split(",")


def _plan(
    home: Path,
    name: str,
    *,
    nodes: tuple[str, ...],
    witness: str | None,
    etcd: bool,
    counters: int,
    banks: tuple[str, ...],
    ports: str,
) -> Plan:
    if ports == "auto":
        if witness or any("=" in one for one in nodes):
            raise click.UsageError("--ports auto is for this machine alone; leave the hosts out.")
        if len(nodes) not in {0, 2}:
            raise click.UsageError("A cluster has exactly two nodes; give --node twice.")
        pair = (nodes[0], nodes[1]) if nodes else ("a", "b")
        return loopback_plan(home, name, counters, banks, pair)
    if len(nodes) != 2:
        raise click.UsageError(
            "A cluster has exactly two nodes; give --node a=HOST --node b=HOST,"
            " or --ports auto to try it on this machine."
        )
    if not witness and not etcd:
        raise click.UsageError("Give --witness HOST: a third machine that decides who is primary.")
    if witness and etcd:
        raise click.UsageError("The arbiter is the etcd: leave --witness out.")
    first, second = (_node(one) for one in nodes)
    if witness in {*first[1], *second[1]}:
        raise click.UsageError(
            f"The witness must not run on a server of the pair ({witness}): it would fail with it."
        )
    return server_plan(
        home, name, nodes=(first, second), witness=witness, counters=counters, banks=banks
    )


def _write(plan: Plan) -> Paths:
    try:
        return write_settings(plan)
    except FolderError as wrong:
        raise Ended(Exit.FAILED, str(wrong)) from wrong
    except (PkiError, SettingsError) as wrong:
        raise click.UsageError(f"{wrong}".rstrip(".") + ". Nothing was written.") from wrong
    except OSError as wrong:
        raise Ended(
            Exit.FAILED, f"{plan.home} cannot be written ({wrong.strerror}). Choose another place."
        ) from wrong


@click.command(
    epilog="Example: mpower init board --node a=10.0.0.1 --node b=10.0.0.2 --witness 10.0.0.3"
)
@click.argument("home", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--name", default="board", show_default=True, help="The cluster's name.")
@click.option("--node", "nodes", multiple=True, help="NAME=HOST[,HOST…], twice; a host is a link.")
@click.option("--witness", help="HOST of the witness, a third machine.")
@click.option(
    "--counters",
    type=click.IntRange(1, MAX_COUNTERS),
    default=3,
    show_default=True,
    help="How many counters get a certificate (C001, C002, …).",
)
@click.option(
    "--banks", multiple=True, default=["SBI"], show_default=True, help="A bank's code; repeatable."
)
@click.option(
    "--ports",
    type=click.Choice(["fixed", "auto"]),
    default="fixed",
    help=f"fixed: {TERMINALS} to {WITNESS}; auto: free ports of this machine, for a try.",
)
@click.option(
    "--timers",
    type=click.Choice(["default", "fast"]),
    default="default",
    show_default=True,
    help="fast: a silent server is succeeded in half the time; for two servers on one switch.",
)
@etcd_options
@json_option
def init(
    home: Path,
    name: str,
    *,
    nodes: tuple[str, ...],
    witness: str | None,
    counters: int,
    banks: tuple[str, ...],
    ports: str,
    timers: str,
    as_json: bool,
    **etcd_said: Any,
) -> None:
    """Write a new board's settings folder DIR: settings, an authority, certificates, secrets."""
    etcd = chosen(**etcd_said)
    plan = _plan(
        home,
        name,
        nodes=nodes,
        witness=witness,
        etcd=etcd is not None,
        counters=counters,
        banks=banks,
        ports=ports,
    )
    if etcd is not None:
        plan = structs.replace(plan, witness=None, etcd=etcd.settings, borrowed=etcd.files)
    if timers == "fast":
        often = plan.timers.takeovers_per_hour
        plan = structs.replace(plan, timers=structs.replace(FAST, takeovers_per_hour=often))
    paths = _write(plan)
    today = dt.datetime.now(dt.UTC).astimezone().date()
    text = next_steps(
        paths, counters, banks, today, here=ports == "auto", witness=plan.witness is not None
    )
    answer(msgspec.to_builtins(paths, enc_hook=str), text, as_json=as_json)


def next_steps(
    paths: Paths,
    counters: int,
    banks: tuple[str, ...],
    today: dt.date,
    *,
    here: bool,
    witness: bool = True,
) -> str:
    """Say what was written, and every step from it to the first receipt; ``here``: all on this
    machine; ``witness``: there is one.
    """
    a, b = paths.nodes
    quoted = shlex.quote(str(paths.home))
    steps = HERE if here else ON_SERVERS
    if not witness:
        lines = [one for one in steps.splitlines() if "witness" not in one.lower()]
        steps = "\n".join([*lines, ""]).replace("the third machine, and on ", "")
    return NEXT.format(
        home=paths.home,
        enrol="" if here else ENROL,
        enrol_officer="" if here else ENROL_OFFICER,
        start=steps.format(quoted=quoted, a=a, b=b),
        witness=" a witness," if witness else " those for etcd,",
        counters=counters,
        banks=_banks(banks),
        bank_lines="".join(BANK_LINE.format(bank=bank) for bank in banks),
        today=today,
    ).rstrip()


def _banks(banks: tuple[str, ...]) -> str:
    return f"{len(banks)} bank{'s' if len(banks) > 1 else ''} ({', '.join(banks)})"
