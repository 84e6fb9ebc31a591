"""``mpower ledger``: prove it, and read it: a consumer's statement, the trial balance, what a head
is made up of.

The proof is walked part by part over the link, so that it goes on after a failover where it was.
This file must not know how anything is summed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from clients.door import Ended, Exit, answer, json_option
from clients.ops.signed import as_person, checked, named, signed_in

if TYPE_CHECKING:
    from clients.asking import Asking
    from protocols.catalogue import ledger as words

HELP: Final = """\
Prove the ledger; read statements and balances.

\b
Examples:
  mpower ledger verify --as meera
  mpower ledger statement 1000000001 --from 2026-04-01 --as meera
  mpower ledger trial-balance --date 2026-11-24 --as meera
  mpower ledger subledger ARREARS --as meera
  mpower ledger subledger C001/CASH --as meera
"""
as_somebody = as_person(None)
at_counter = click.option("--counter", help="The counter I sit at (C001), if it is one.")
whole = click.option("--all", "every", is_flag=True, help="All of it, not only the first page.")


@click.group(help=HELP)
def ledger() -> None:
    """Group the verbs of the ledger."""


@ledger.command("verify", epilog="Exit codes: 0 all fits · 1 something does not.")
@at_counter
@as_somebody
@json_option
def verify(*, counter: str | None, me: str, password_file: str | None, as_json: bool) -> None:
    """Recompute every balance, what every consumer owes, every receipt's entry and every series of
    numbers; name the first thing that does not fit.
    """
    from clients.ops.ledger_pages import wrong_page

    parts, accounts, wrong = signed_in(me, password_file, _proven, counter)
    found = {"ok": not wrong, "accounts": accounts, "parts": parts, "wrong": named(wrong)}
    text = wrong_page(wrong) or f"About {accounts:,} accounts: all of the ledger fits."
    answer(found, text, as_json=as_json)
    if wrong:
        raise Ended(
            Exit.FAILED,
            "The ledger does NOT fit. Keep this answer, take the numbers named to the auditor;"
            " 'mpower audit verify' says whether somebody changed them.",
        )


async def _proven(link: Asking) -> tuple[int, int, list[words.Wrong]]:
    from clients.ops.progress import Bar
    from protocols.catalogue.ledger import Check

    bar, wrong = Bar("ledger"), []
    said: words.Checked = await link.ask("ledger.check", Check())
    accounts, parts = said.accounts, said.parts
    for part in range(1, parts + 1):
        wrong += said.wrong
        bar.show(part, parts)
        if part < parts:
            said = await link.ask("ledger.check", Check(part, parts))
    bar.close()
    return parts, accounts, wrong


@ledger.command("statement")
@click.argument("consumer")
@click.option("--from", "since", default="", help="From this business date on (2026-04-01).")
@click.option("--to", "until", default="", help="Up to this business date.")
@whole
@at_counter
@as_somebody
@json_option
def statement(
    consumer: str,
    *,
    since: str,
    until: str,
    every: bool,
    counter: str | None,
    me: str,
    password_file: str | None,
    as_json: bool,
) -> None:
    """Every voucher of CONSUMER in words, with what was payable after each."""
    from clients.ops.ledger_pages import statement_page
    from protocols.catalogue.ledger import Ask

    def before(said: words.Statement) -> Ask:
        return Ask(consumer, since, until, said.mark)

    first = checked(Ask(consumer, since, until), consumer="CONSUMER", since="--from", until="--to")
    pages = signed_in(
        me,
        password_file,
        lambda link: _pages(link, "ledger.statement", first, before, every=every),
        counter,
    )[::-1]
    said = [line for page in pages for line in page.lines]
    data = {
        "consumer": consumer,
        "opening": pages[0].opening,
        "lines": named(said),
        "closing": pages[-1].closing,
        "more": pages[0].more,
    }
    answer(data, statement_page(consumer, pages), as_json=as_json)


async def _pages(
    link: Asking, operation: str, ask: Any, following: Any, *, every: bool
) -> list[Any]:
    """Ask for the first page, or for every one."""
    pages = [await link.ask(operation, ask)]
    while every and pages[-1].more:
        pages.append(await link.ask(operation, following(pages[-1])))
    return pages


@ledger.command(
    "trial-balance", epilog="Exit codes: 0 debit and credit are equal · 1 they are not."
)
@click.option("--date", default="", help="At the end of this business date; else as it stands.")
@at_counter
@as_somebody
@json_option
def trial_balance(
    *, date: str, counter: str | None, me: str, password_file: str | None, as_json: bool
) -> None:
    """Every group of accounts with debit and credit; both sums must be equal to the paisa."""
    from clients.ops.ledger_pages import trial_page
    from protocols.catalogue.ledger import AskTrial

    body = checked(AskTrial(date), date="--date")
    said: words.Trial = signed_in(
        me, password_file, lambda link: link.ask("ledger.trial_balance", body), counter
    )
    answer(named(said), trial_page(said), as_json=as_json)
    if said.debit != said.credit:
        raise Ended(
            Exit.FAILED, "Debit and credit are not equal. 'mpower ledger verify' names the account."
        )


@ledger.command("subledger")
@click.argument("name", metavar="HEAD|ACCOUNT")
@whole
@at_counter
@as_somebody
@json_option
def subledger(
    name: str,
    *,
    every: bool,
    counter: str | None,
    me: str,
    password_file: str | None,
    as_json: bool,
) -> None:
    """What HEAD (ARREARS, CASH …) is made up of, account by account; or the days of one ACCOUNT
    (C001/CASH, 1000000001/ARREARS).
    """
    from clients.ops.ledger_pages import subledger_page
    from protocols.catalogue.ledger import AskSubledger

    name = name.upper()
    if name.isdigit():
        raise click.UsageError(
            f"{name} is a consumer: 'mpower ledger statement {name}' has all of it,"
            f" {name}/ARREARS the days of one head."
        )
    first = checked(AskSubledger(name), name="HEAD or ACCOUNT")
    pages = signed_in(
        me,
        password_file,
        lambda link: _pages(
            link,
            "ledger.subledger",
            first,
            lambda said: AskSubledger(name, said.lines[-1].name),
            every=every,
        ),
        counter,
    )
    data = named(pages[0]) | {
        "lines": named([line for page in pages for line in page.lines]),
        "more": pages[-1].more,
    }
    answer(data, subledger_page(pages), as_json=as_json)
