"""What an officer types about money after it was taken, as the operations it means. Pure.

Returned cheques, charges, refunds, moves between consumers, suspense. Most of it waits for a second
officer. This file must not know the link nor the screen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, get_args

from clients.counter.mistyped import Mistyped, amount, date
from clients.counter.till_words import Typed
from protocols.catalogue import charges, instruments, transfers
from protocols.catalogue.charges import Raise, Withdraw

HEADS: Final[tuple[str, ...]] = get_args(charges.ChargedHead)
FORMS: Final = (
    ("money returned C001/2026-27/42 2026-04-11 funds insufficient", "a cheque came back"),
    ("money history 1000000001", "the cheques of a consumer that came back"),
    ("money charge 1000000001 theft 500 RAID-7 the order", "charge one of the heads below"),
    ("money withdraw 1000000001 theft RAID-7 set aside", "take that charge back"),
    ("money refund 1000000001 50 the bill was wrong", "an advance is to be paid back"),
    ("money refunds SD-101", "the refunds of an office that wait to be paid out"),
    ("money payout 1000000001 V-31 50 transfer UTR77 sent today", "voucher 31 is paid out"),
    ("money paidout SD-101", "the refunds that were paid out"),
    ("money move 1000000001 1000000004 50 C001/2026-27/7 misread", "to the right consumer"),
    ("money sendup C001 UPI 500 ADVICE-7 to the head office", "to the head office's account"),
    ("money suspense SBI", "what a bank or a paper book brought for nobody"),
    ("money match SBI/2026-27/7 1000000001 the bank's letter", "it is that consumer's"),
)
USAGE: Final = (
    "money [returned|history|charge|withdraw|refund|payout|refunds|paidout|move|sendup|suspense"
    "|match] ..."
)


def money(words: list[str]) -> Typed:
    """Read what follows the word ``money``."""
    known = VERBS.get(words[0].lower()) if words else None
    if not words:
        raise Mistyped(f"Say what about money: {', '.join(VERBS)}.")
    if known is None:
        raise Mistyped(f"Money cannot '{words[0]}': say {', '.join(VERBS)}.")
    usage, least, read = known
    if len(words) - 1 < least:
        raise Mistyped(f"Say it as: 'money {usage}'.")
    return read(words[1:])


def _returned(words: list[str]) -> Typed:
    body = instruments.Dishonour(words[0].upper(), date(words[1]), " ".join(words[2:]))
    return Typed("instruments.dishonour", body)


def _history(words: list[str]) -> Typed:
    return Typed("instruments.returned", instruments.Returned(words[0]))


def _head(word: str) -> str:
    head = word.upper().replace("-", "_")
    if head not in HEADS:
        raise Mistyped(f"'{word}' is no head to charge: say {', '.join(HEADS)}.")
    return head


def _charge(words: list[str]) -> Typed:
    said = (amount(words[2]), words[3], " ".join(words[4:]))
    return Typed("charges.raise", Raise(words[0], _head(words[1]), *said))  # type: ignore[arg-type]


def _withdraw(words: list[str]) -> Typed:
    body = Withdraw(words[0], _head(words[1]), words[2], " ".join(words[3:]))  # type: ignore[arg-type]
    return Typed("charges.withdraw", body)


def _refund(words: list[str]) -> Typed:
    body = transfers.Refund(words[0], amount(words[1]), " ".join(words[2:]))
    return Typed("transfers.refund", body)


def _pay_out(words: list[str]) -> Typed:
    number, mode = words[1].upper().removeprefix("V-"), words[3].upper()
    if not (number.isascii() and number.isdigit()):
        raise Mistyped(f"'{words[1]}' is no voucher: say its number, as 'money refunds' lists it.")
    if mode not in {"CHEQUE", "TRANSFER"}:
        raise Mistyped(f"Nothing is paid out by '{words[3]}': say CHEQUE or TRANSFER.")
    said = (amount(words[2]), mode, words[4], " ".join(words[5:]))
    return Typed("transfers.pay_out", transfers.PayOut(words[0], int(number), *said))  # type: ignore[arg-type]


def _refunds(words: list[str]) -> Typed:
    return Typed("transfers.refunds", transfers.AskRefunds(words[0].upper()))


def _paid_out(words: list[str]) -> Typed:
    return Typed("transfers.refunds", transfers.AskRefunds(words[0].upper(), paid=True))


def _move(words: list[str]) -> Typed:
    rest = words[3:]
    receipt = rest.pop(0).upper() if "/" in rest[0] and len(rest) > 1 else ""
    body = transfers.Move(words[0], words[1], amount(words[2]), " ".join(rest), receipt)
    return Typed("transfers.move", body)


def _send_up(words: list[str]) -> Typed:
    fund = words[1].upper()
    if fund not in {"CARD", "UPI", "TRANSFER"}:
        raise Mistyped(f"'{words[1]}' does not go up: say CARD, UPI or TRANSFER.")
    said = (amount(words[2]), words[3], " ".join(words[4:]))
    return Typed("transfers.send_up", transfers.SendUp(words[0].upper(), fund, *said))  # type: ignore[arg-type]


def _suspense(words: list[str]) -> Typed:
    return Typed("transfers.suspense", transfers.AskSuspense(words[0].upper()))


def _match(words: list[str]) -> Typed:
    body = transfers.Match(words[0].upper(), words[1], " ".join(words[2:]))
    return Typed("transfers.match", body)


VERBS: Final[dict[str, tuple[str, int, Callable[[list[str]], Typed]]]] = {
    "returned": ("returned RECEIPT DATE WHY", 3, _returned),
    "history": ("history NUMBER", 1, _history),
    "charge": ("charge NUMBER HEAD AMOUNT REFERENCE WHY", 5, _charge),
    "withdraw": ("withdraw NUMBER HEAD REFERENCE WHY", 4, _withdraw),
    "refund": ("refund NUMBER AMOUNT WHY", 3, _refund),
    "payout": ("payout NUMBER VOUCHER AMOUNT CHEQUE|TRANSFER REFERENCE WHY", 6, _pay_out),
    "refunds": ("refunds OFFICE", 1, _refunds),
    "paidout": ("paidout OFFICE", 1, _paid_out),
    "move": ("move NUMBER TO-NUMBER AMOUNT [RECEIPT] WHY", 4, _move),
    "sendup": ("sendup COUNTER CARD|UPI|TRANSFER AMOUNT REFERENCE WHY", 5, _send_up),
    "suspense": ("suspense BANK", 1, _suspense),
    "match": ("match RECEIPT NUMBER WHY", 3, _match),
}
