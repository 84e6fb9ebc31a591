"""``mpower``: the command line's front door. Nouns are listed here and imported only when one is
called.

So ``mpower --help`` answers at once, and a counter does not load what only an operator needs. A
wrong word gets the nearest right one. This file must not know what a noun does.
"""

from __future__ import annotations

import importlib
from typing import Any, Final

import click

from clients.door import EXITS
from clients.usage import sentence

NOUNS: Final = {
    "init": ("clients.ops.init:init", "Write a new board's settings folder and certificates."),
    "pack": ("clients.ops.pack:pack", "What one machine needs of the settings folder, as a tar."),
    "pki": ("clients.ops.pki:pki", "Certificates: list, issue, renew, revoke, rotate."),
    "counter": ("clients.counter.command:counter", "Work at a counter: find, collect, receipts."),
    "bank": ("clients.bank.command:bank", "Post a bank's scroll of payments."),
    "admin": ("clients.ops.admin:admin", "Users, counters, sessions; load consumers."),
    "consumer": (
        "clients.ops.consumers:consumer",
        "A consumer's own data: look, ask for a change, keep a contact.",
    ),
    "masters": (
        "clients.ops.masters:masters",
        "Offices, categories, heads, rates, banks, holidays: list, load, export.",
    ),
    "receipts": ("clients.ops.receipts:receipts", "Verify a whole day's receipts."),
    "remit": ("clients.ops.remit:remit", "Bank slips: make, list, print again, realise."),
    "receipt-books": (
        "clients.ops.remit:receipt_books",
        "Receipt books on paper: register, enter, close.",
    ),
    "cash-book": ("clients.ops.remit:cash_book", "The cash book of a day."),
    "ledger": ("clients.ops.ledger:ledger", "Prove the ledger; statements and balances."),
    "approvals": (
        "clients.ops.approvals:approvals",
        "What waits for a second person: look, approve, return, forward.",
    ),
    "second-factor": (
        "clients.ops.second_factor:second_factor",
        "One-time codes for my login.",
    ),
    "audit": ("clients.ops.audit:audit", "Prove that nothing was changed; who did what, when."),
    "cluster": ("clients.ops.cluster:cluster", "The pair: who is primary, is everything safe."),
    "monitor": ("clients.ops.monitor.command:monitor", "The live heartbeat of the pair."),
    "doctor": (
        "clients.ops.machine:doctor",
        "What this machine lacks to run mPower, and the fix.",
    ),
    "demo": ("clients.demo.command:demo", "A whole board on this machine, to try and to break."),
}
"""Each noun: where its command is, and its line in the help."""

EXAMPLES: Final = """\b
Examples:
  mpower init board --node a=10.0.0.1 --node b=10.0.0.2 --witness 10.0.0.3
  mpower cluster status
  mpower admin load consumers consumers.csv --dry-run
  mpower bank post scroll.csv
"""


class Nouns(click.Group):
    """The group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(NOUNS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in NOUNS:
            return None
        module, _, name = NOUNS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command), cmd_name
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Nouns"):
            formatter.write_dl([(noun, line) for noun, (_, line) in NOUNS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.exceptions.NoArgsIsHelpError:
            raise
        except click.UsageError as wrong:
            raise click.UsageError(sentence(wrong), wrong.ctx) from wrong


@click.group(
    cls=Nouns,
    help=f"mPower: the money counters of an electricity board.\n\n{EXAMPLES}",
    epilog=EXITS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--settings",
    type=click.Path(),
    help="The settings folder, or its mpower.yaml. Else MPOWER_HOME, else this folder.",
)
@click.version_option(package_name="mpower", prog_name="mpower")
def mpower(**_: Any) -> None:
    """Take the options of all nouns; they read them from the root context."""


def main() -> None:
    """Run the command line."""
    mpower(prog_name="mpower")


if __name__ == "__main__":
    main()
