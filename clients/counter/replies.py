"""What is shown of a reply: its fields for a program, its text for a person. Pure."""

from __future__ import annotations

from typing import Any

from clients.counter import money_paper, paper, till_paper
from protocols.catalogue.consumers import DuesAnswer
from protocols.catalogue.days import Closed
from protocols.heads import OWN_HEAD
from protocols.values import rupees


def payable(dues: DuesAnswer, purpose: str) -> int:
    """Give what is payable for a purpose, in paise."""
    own = OWN_HEAD.get(purpose)
    if own is None:
        return dues.payable_paise
    return sum(one.payable_paise for one in dues.heads if one.head == own)


def fields(body: Any) -> Any:
    """Give a body as JSON objects with its fields' names (on the wire they are arrays)."""
    if hasattr(body, "__struct_fields__"):
        return {name: fields(getattr(body, name)) for name in body.__struct_fields__}
    return [fields(one) for one in body] if isinstance(body, list) else body


def said(word: str, reply: Any, *, again: bool) -> str:
    """Write the reply to a command for a person."""
    match word:
        case "shift" | "slip" | "book" | "paper":
            return till_paper.text_of(reply, again=again)
        case "money":
            return money_paper.text_of(reply)
        case "find":
            return paper.found_text(reply)
        case "dues":
            return paper.dues_text(reply)
        case "mine":
            return paper.mine_text(reply)
        case "verify":
            return paper.verified_text(reply)
        case "cancel":
            return f"Receipt {reply.receipt} over {rupees(reply.amount_paise)} is cancelled."
    if isinstance(reply, Closed):
        return till_paper.text_of(reply)
    return f"Business day {reply.date} ({reply.financial_year}): {reply.state}."
