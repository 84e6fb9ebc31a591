"""What a till refuses: the sentences of shifts, cash and the slips it goes to the bank on.

A part of the one table, ``protocols.refusals.SENTENCES``, which is where everybody looks.
"""

from __future__ import annotations

from typing import Final

from protocols.sentence import Sentence

TILL: Final[dict[str, Sentence]] = {
    # shifts and cash
    "NO_SHIFT": Sentence(
        "No shift is open at counter {counter}. Open yours with its float first ('shift open')."
    ),
    "SHIFT_OPEN": Sentence("Your shift at counter {counter} is open already. Nothing was changed."),
    "SHIFT_OF_ANOTHER": Sentence(
        "The shift at counter {counter} is another clerk's. They hand it over or close it first."
    ),
    "OTHER_COUNTER": Sentence(
        "You work at counter {here}; what belongs to {counter} is done there, or by an officer."
    ),
    "CASH_LIMIT": Sentence(
        "The till of {counter} holds {cash} in cash; with {amount} more it is over its limit of "
        "{limit}. Make a pick-up first ('shift pickup'), then take it again."
    ),
    "NO_NOTE": Sentence(
        "There is no note or coin of Rs {value} to count. Count 500, 200, 100, 50, 20, 10, 5, 2, 1 "
        "and the loose coins; a Rs 2000 note is withdrawn and goes back to who gave it."
    ),
    "NOTE_TWICE": Sentence("The notes of Rs {value} are given twice. Give each value once."),
    "CASH_TOTAL": Sentence(
        "The notes and coins add up to {found}, the total says {said}. Count again; nothing was "
        "changed."
    ),
    "CASH_DIFFERENCE": Sentence(
        "The cash is {difference}: the till should hold {expected}, counted were {counted}. Count "
        "again, or close with the reason; the difference is booked."
    ),
    "TICK_MISSING": Sentence(
        "The {what}, receipt {receipt}, was not ticked. Look for it in the till; nothing is closed."
    ),
    "TICK_UNKNOWN": Sentence(
        "The receipt {receipt} has no instrument in this till. Check what was ticked."
    ),
    "MODE_TOTAL": Sentence(
        "{mode}: {said} were counted, {found} were taken. Compare them with 'mine', count again "
        "and give count and total of each mode after the cash: 'shift close 500x2 card 1 60.00'."
    ),
    "MODE_TWICE": Sentence("A mode is given twice. Give count and total of each mode once."),
    "PICK_UP_NOTHING": Sentence("A pick-up of nothing is none. Count what goes out of the till."),
    "PICK_UP_TOO_MUCH": Sentence(
        "{paise} cannot be picked up: the till holds {cash}. Count again; nothing was moved."
    ),
    "NO_PICK_UP": Sentence(
        "No pick-up {pick_up} waits at counter {counter}. Ask the clerk for its number; a newer "
        "one takes the place of one that waits."
    ),
    "PICK_UP_TOTAL": Sentence(
        "The pick-up {pick_up} is {found}, not {said}. Count it together; nothing was moved."
    ),
    "OWN_PICK_UP": Sentence(
        "The shift at {counter} is your own, whatever the login: another person witnesses its "
        "pick-ups."
    ),
    "NO_CLERK": Sentence(
        "There is no clerk {user} to whom a till can be given. Check the sign-in name."
    ),
    "SAME_PERSON": Sentence(
        "{user} is the same person. A shift is handed over to another; else close it."
    ),
    "NO_OFFER": Sentence(
        "The shift at {counter} is not offered to you. Its clerk counts the till and hands it over "
        "('shift handover'), then you take it over."
    ),
    "OFFER_STALE": Sentence(
        "Money has moved at {counter} since {clerk} counted. Count again together, and offer again."
    ),
    "COUNT_DIFFERS": Sentence(
        "You counted {yours}, {clerk} counted {theirs}. Count again together; nothing was changed."
    ),
    # slips and what the bank credits
    "NO_BANK": Sentence("There is no bank {bank} in the master. Check the code, or add the bank."),
    "NOT_TO_SORT": Sentence(
        "{count} of these are no cheques that wait to be remitted. Check the receipts; none was "
        "sorted."
    ),
    "CHEQUE_TWICE": Sentence("The cheque of {receipt} is given twice. Give each once."),
    "NOTHING_TO_REMIT": Sentence(
        "{office} has no {kind} to remit. What is taken in an open shift waits for its closing."
    ),
    "UNSORTED": Sentence(
        "{count} cheques are not sorted. Give their bank and city first ('slip sort')."
    ),
    "UNVERIFIED": Sentence(
        "Receipts wait to be verified: {counters}. Verify them first; nothing was remitted."
    ),
    "SLIP_TOTAL": Sentence(
        "{kind}: {said} was counted, the ledger has {found}. Compare with the closing sheets "
        "and with what was sent up to head office; nothing was remitted."
    ),
    "SENT_UP_BEFORE": Sentence(
        "No receipt of {kind} is left for a slip: its money was sent up to head office, where it "
        "is at the bank ({counters}). Nothing was remitted; send what is left up too."
    ),
    "SLIP_SORT": Sentence(
        "Bank and place are said of cheques only, not of {kind}. Leave them out."
    ),
    "SLIP_CASH": Sentence("Notes are counted for a cash slip only; for {kind} give the total."),
    "SLIP_BANK": Sentence("A cheque slip is of one bank, LOCAL or OUTSTATION. Say which."),
    "NO_SLIP": Sentence("There is no slip {slip}. Check office, year and number."),
    "SLIP_SETTLED": Sentence("The slip {slip} is wholly settled already. Nothing was changed."),
    "NOT_ON_SLIP": Sentence(
        "{count} of these receipts are not open on the slip {slip}: cash is credited whole, and "
        "what was credited or returned is settled. Nothing was changed."
    ),
    "CREDIT_DATE": Sentence(
        "The slip {slip} was made on {made}; the bank cannot have credited it on {date}. Check it."
    ),
    "CREDIT_AHEAD": Sentence("{date} is to come; today is {today}. Check the day of the credit."),
    "CREDIT_KNOWN": Sentence(
        "The credit {reference} of the slip {slip} was noted before. Nothing was changed."
    ),
    "CREDIT_AMOUNT": Sentence(
        "{said} is not what is open on the slip {slip}: {found}. Name the receipts that were "
        "credited; one that came back is dishonoured."
    ),
    # receipt books
    "NO_BOOK": Sentence("There is no receipt book {book}. Check its code, or register it first."),
    "BOOK_EXISTS": Sentence("The receipt book {book} is registered already. Nothing was changed."),
    "BOOK_SPAN": Sentence("A book from leaf {first} to {last} has none. Check both numbers."),
    "BOOK_CLOSED": Sentence(
        "The receipt book {book} is closed; nothing can be entered from it. Take what is left to "
        "an officer."
    ),
    "NO_LEAVES": Sentence("No leaf was given. Enter the next ones, or explain them as spoilt."),
    "LEAF_TWICE": Sentence("The leaf {leaf} is given twice. Give each once; nothing was entered."),
    "LEAF_KNOWN": Sentence(
        "The leaf {leaf} of {book} was entered before with another content. Nothing was entered; "
        "a correction goes through an officer."
    ),
    "LEAF_OUTSIDE": Sentence(
        "The leaf {leaf} is none of {book}, which has {first} to {last}. Check book and number."
    ),
    "LEAF_GAP": Sentence(
        "{book} goes on with leaf {leaf}, not {found}. Enter it, or explain it as spoilt; nothing "
        "was entered."
    ),
    "LEAF_AHEAD": Sentence(
        "A leaf is dated {date}, after the business day {day}. Check the date; nothing was entered."
    ),
    "BAD_LEAF": Sentence("Leaf {leaf}: {reason}. Nothing was entered."),
    "LEAVES_LEFT": Sentence(
        "{book} goes on with leaf {next}, not {said}. Enter what was written; nothing was closed."
    ),
    "CLOSE_REASON": Sentence(
        "The shift at {counter} is {clerk}'s. To close it for them, give the reason."
    ),
    "TILL_SHORT": Sentence(
        "The till does not hold {amount} any more to give back for {receipt}: it was picked up. "
        "Give it back by a refund."
    ),
    "MONEY_GONE_UP": Sentence(
        "The {amount} of {receipt} are no longer where they were taken: they were sent up to head "
        "office. Nothing was cancelled; verify the receipt and give the money back by a refund."
    ),
    "RECEIPT_COUNTED": Sentence(
        "The receipt {receipt} is of a shift that was closed and counted; its money has left the "
        "till. Give it back by a refund or a correction."
    ),
}
