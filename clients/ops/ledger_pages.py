"""The ledger's answers as pages of 80 columns: pure.

Amounts are rupees in Indian grouping, without the sign of the currency; a minus is what the board
holds or owes. This file must not know how an answer was got.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import Final

from protocols.catalogue.ledger import Line, Statement, Subledger, Trial, Wrong
from protocols.values import rupees

WIDTH: Final = 80
WHAT: Final = 21
"""Columns for the words of a voucher; what does not fit beside them goes below.
"""
MORE: Final = "(There is more of it: --all.)"
OLDER: Final = "(There are older vouchers before these: --all, or --from and --to a day.)"
KINDS: Final = {
    "CONSUMER": "Consumers",
    "COUNTER": "Counters and banks",
    "BOARD": "The board",
}


def amount(paise: int) -> str:
    """Write paise without the currency: ``-1,240.00``."""
    return rupees(paise).replace("Rs ", "")


def _side(paise: int) -> str:
    return amount(paise) if paise else ""


def statement_page(consumer: str, parts: Sequence[Statement]) -> str:
    """Lay a statement out: opening, a line or two a voucher, closing."""
    lines = [
        f"Statement of consumer {consumer}",
        _row("date", "voucher", "what", "amount", "payable"),
        _row("", "", "payable before", "", amount(parts[0].opening)),
    ]
    for part in parts:
        for one in part.lines:
            figures = (_side(one.paise), amount(one.balance))
            lines.append(_row(one.day, one.number, _what(one), *figures))
            lines += [row for text in _more(one) for row in _below(text)]
    if not any(part.lines for part in parts):
        lines.append(f"{'':11}(No voucher touched this consumer in that time.)")
    lines.append(_row("", "", "payable after", "", amount(parts[-1].closing)))
    lines += [OLDER] if parts[0].more else []
    return "\n".join(lines)


def _below(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=" " * 11, subsequent_indent=" " * 13)


def _row(day: str, number: str, what: str, moved: str, balance: str) -> str:
    return f"{day:<10} {number:<19} {what:<{WHAT}} {moved:>12} {balance:>13}".rstrip()


def _what(one: Line) -> str:
    both = f"{one.words}, {one.paid}" if one.paid else one.words
    return both if len(both) <= WHAT else textwrap.wrap(one.words, WHAT)[0]


def _more(one: Line) -> Iterable[str]:
    if rest := one.words[len(_what(one)) :].strip():
        yield rest
    if one.paid and one.paid not in _what(one):
        yield f"by {one.paid}"
    if one.about:
        yield f"of {one.about}, by {one.by}"
    if one.reason:
        yield f"because {one.reason}"
    if len(one.heads) > 1:
        yield ", ".join(f"{head.head} {amount(head.paise)}" for head in one.heads)
    if one.rule:
        yield one.rule


def trial_page(trial: Trial) -> str:
    """Lay the trial balance out, by whose accounts they are."""
    when = f"at the end of {trial.date}" if trial.date else "as it stands"
    lines = [f"Trial balance {when}", _groups("", "accounts", "debit", "credit")]
    for kind, title in KINDS.items():
        groups = [one for one in trial.groups if one.kind == kind]
        lines += [title] if groups else []
        lines += [
            _groups(f"  {one.words}", f"{one.accounts:,}", _side(one.debit), _side(one.credit))
            for one in groups
        ]
    lines.append(_groups("In all", "", amount(trial.debit), amount(trial.credit)))
    if trial.debit != trial.credit:
        lines.append(f"NOT EQUAL: they differ by {amount(trial.debit - trial.credit)}.")
    return "\n".join(lines)


def _groups(words: str, accounts: str, debit: str, credit: str) -> str:
    return f"{words:<33} {accounts:>8} {debit:>18} {credit:>18}".rstrip()


def subledger_page(parts: Sequence[Subledger]) -> str:
    """Lay out what a head or an account is made up of."""
    first, last = parts[0], parts[-1]
    count = {"ACCOUNT": "accounts", "DAY": "days"}[first.by]
    lines = [
        f"{first.name}: {first.words}",
        _made_up(first.by.lower(), "debit", "credit", "stands at"),
    ]
    lines += [
        _made_up(one.name, _side(one.debit), _side(one.credit), amount(one.balance))
        for part in parts
        for one in part.lines
    ]
    lines += [] if first.lines else ["(Nothing was entered there.)"]
    whole = (amount(first.debit), amount(first.credit), amount(first.debit - first.credit))
    lines.append(_made_up(f"all {first.accounts:,} {count}", *whole))
    lines += [MORE] if last.more else []
    return "\n".join(lines)


def _made_up(name: str, debit: str, credit: str, balance: str) -> str:
    return f"{name:<22} {debit:>18} {credit:>18} {balance:>18}".rstrip()


def wrong_page(wrong: Sequence[Wrong]) -> str:
    """Name what does not fit, the first thing first."""
    return "\n".join(
        f"WRONG: {one.which or 'the ledger'}: {one.rule} — must be {one.expected}, is {one.found}"
        for one in wrong
    )
