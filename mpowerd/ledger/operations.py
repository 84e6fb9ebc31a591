"""The ledger's operations: proving it in parts, a consumer's statement, the trial balance, what a
head is made up of.

The database sums, this file gives the words. Nothing here changes anything, and nothing here knows
how an entry came about.
"""

from __future__ import annotations

import datetime as dt
from difflib import get_close_matches
from typing import Any, Final

from mpowerd.caller import Caller
from mpowerd.database import Cursor
from mpowerd.ledger import store
from mpowerd.ledger.explained import told
from mpowerd.paging import fitting
from protocols.accounts import CHART, CODES, Group, group_of
from protocols.catalogue import ledger as words
from protocols.refusals import Refused

WRONG: Final = 50
"""Of one part: whoever has that many to look at knows enough."""


async def check(cursor: Cursor, caller: Caller, body: words.Check) -> words.Checked:
    """Recompute one part of the ledger."""
    enough, accounts = await store.size(cursor)
    parts = body.parts or enough
    if body.part >= parts:
        raise Refused("BAD_BODY", operation="ledger.check", reason=f"there are {parts} parts")
    rows = await store.check(cursor, body.part, parts, WRONG)
    return words.Checked(body.part, parts, accounts, fitting([words.Wrong(*row) for row in rows]))


async def statement(cursor: Cursor, caller: Caller, body: words.Ask) -> words.Statement:
    """Give a page of a consumer's statement."""
    since, until = _date(body.since), _date(body.until)
    if since and until and since > until:
        raise Refused("DAYS_REVERSED", since=body.since, until=body.until)
    receipt, voucher, paise = body.mark.split(".") if body.mark else ("0", "0", "0")
    mark = (int(receipt), int(voucher), int(paise)) if body.mark else None
    most, lines = body.most, None
    while lines is None or len(fitting(lines)) < len(lines):  # cut at its oldest end, in its SQL
        most = most if lines is None else len(fitting(lines[::-1]))
        rows = await store.statement(cursor, int(body.consumer), since, until, mark, most)
        if not rows:
            raise Refused("NO_CONSUMER", consumer=body.consumer)
        lines = [told(row) for row in rows if row.voucher is not None]
    page = rows[0]
    return words.Statement(
        body.consumer,
        page.opening,
        lines,
        page.closing,
        page.more,
        f"{page.next_receipt}.{page.next_voucher}.{page.opening}",
    )


async def trial_balance(cursor: Cursor, caller: Caller, body: words.AskTrial) -> words.Trial:
    """Give the trial balance at the end of a date, in the chart's order."""
    rows = await store.trial_balance(cursor, _date(body.date))
    found = {(kind, slot): figures for kind, slot, *figures in rows}
    places = [(one.kind, one.slot) for one in CHART]
    strangers = [place for place in found if place not in places]
    groups = [
        _balance(group_of(*place), found[place])
        for place in [*places, *strangers]
        if place in found
    ]
    debit, credit = sum(one.debit for one in groups), sum(one.credit for one in groups)
    return words.Trial(body.date, groups, debit, credit)


def _balance(group: Group, figures: list[int]) -> words.GroupBalance:
    return words.GroupBalance(group.kind, group.code, group.words, *figures)


async def subledger(cursor: Cursor, caller: Caller, body: words.AskSubledger) -> words.Subledger:
    """Give what a head, or one account, is made up of."""
    owner, _, code = body.name.rpartition("/")
    group = CODES.get(code)
    if group is None:
        raise _no_account(body.name, code)
    if not owner:
        rows = await store.subledger(cursor, group.kind, group.slot, body.after, body.most)
        accounts, debit, credit = rows[0][2:]
        lines = [
            words.SubledgerLine(name, max(paise, 0), max(-paise, 0), paise)
            for name, paise, *_ in rows
            if name is not None
        ]
    else:
        after = _date(body.after)
        rows = await store.account_days(cursor, owner, group.kind, group.slot, after, body.most)
        if not rows:
            raise _no_account(body.name, code)
        accounts, debit, credit = rows[0][4:]
        lines = [
            words.SubledgerLine(str(day), *figures)
            for day, *figures in (row[:4] for row in rows)
            if day is not None
        ]
    kept = fitting(lines[: body.most])
    return words.Subledger(
        body.name,
        group.words,
        "DAY" if owner else "ACCOUNT",
        accounts,
        debit,
        credit,
        kept,
        len(kept) < len(lines),
    )


def _no_account(name: str, code: str) -> Refused:
    """Name the heads that were likely meant, else all of them."""
    meant = list(CODES) if code in CODES else get_close_matches(code, CODES) or list(CODES)
    return Refused("NO_ACCOUNT", name=name, heads=", ".join(meant))


def _date(text: str) -> dt.date | None:
    if not text:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise Refused("NO_SUCH_DAY", date=text) from None


SERVED: Final[dict[str, Any]] = {
    "ledger.check": check,
    "ledger.statement": statement,
    "ledger.trial_balance": trial_balance,
    "ledger.subledger": subledger,
}
FUNCTIONS: Final[dict[str, tuple[str, ...]]] = {
    "ledger.check": ("ledger_check_v1", "ledger_size_v1"),
    "ledger.statement": ("statement_v1",),
    "ledger.trial_balance": ("trial_balance_v1",),
    "ledger.subledger": ("subledger_v1", "account_days_v1"),
}
