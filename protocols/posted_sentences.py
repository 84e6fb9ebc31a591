"""What is refused about money that was taken: the sentences of verifying, taking back, moving, and
of reading the ledger.

A part of the one table, ``protocols.refusals.SENTENCES``, which is where everybody looks.
"""

from __future__ import annotations

from typing import Final

from protocols.sentence import Sentence

POSTED: Final[dict[str, Sentence]] = {
    "ALLOCATION_SUM": Sentence(
        "The parts of {receipt} sum to {found}, the receipt is {amount}. Make them equal; nothing "
        "was posted."
    ),
    "ALLOCATION_HEAD": Sentence(
        "{receipt} was paid for {purpose}; nothing of it goes to {head}. Correct the parts."
    ),
    "ALLOCATION_OVER": Sentence(
        "{part} of {receipt} is more than the {owed} owed under {head}. Put the rest elsewhere."
    ),
    "NO_INSTRUMENT": Sentence(
        "The receipt {receipt} was paid by {mode}: only a cheque, draft or postal order comes back."
    ),
    "NOT_VERIFIED": Sentence(
        "The receipt {receipt} is not verified yet. Cancel it on its day, or verify it first."
    ),
    "DISHONOURED_ALREADY": Sentence(
        "The receipt {receipt} was taken back as dishonoured already. Nothing was changed."
    ),
    "RETURN_DATE": Sentence(
        "The instrument of {receipt} cannot have come back on {date}: say a day from {first} to "
        "{last}."
    ),
    "RECEIPT_MOVED": Sentence(
        "The money of receipt {receipt} was given to another consumer already, and a receipt is "
        "moved once. Move on what stands there as an advance; nothing was changed."
    ),
    "IN_SUSPENSE": Sentence(
        "The money of {receipt} lies in suspense: it is no consumer's yet. Match it to its "
        "consumer first; then it can be taken back or moved."
    ),
    "MOVE_WHOLE": Sentence(
        "The receipt {receipt} is {amount} for {purpose}: only one of dues is moved, and whole. "
        "Correct the amount."
    ),
    "SAME_CONSUMER": Sentence("Consumer {consumer} is both ends. Choose another to move it to."),
    "OVER_ADVANCE": Sentence(
        "{amount} is more than the advance of {there} that the board holds. Correct the amount."
    ),
    "ADVANCE_WAITS": Sentence(
        "Of the advance only {there} can go now, not {amount}: {waits} came on paper ({receipts}) "
        "and waits until the bank has credited it ('slip realise') or it came back. Correct the "
        "amount, or ask again then."
    ),
    "ADVANCE_SPENT": Sentence(
        "{amount} of receipt {receipt} went into the advance, and only {there} of that stands: the "
        "rest was refunded or moved since. Move what stands as an advance, without the receipt; "
        "nothing was changed."
    ),
    "OVER_FUND": Sentence(
        "{amount} is more than the {there} that came in there. Correct the amount."
    ),
    "CHARGE_KNOWN": Sentence(
        "{reference} is charged to this consumer already, with {amount}; look at the statement. A"
        " second charge needs a note or an order of its own number."
    ),
    "NO_CHARGE": Sentence(
        "Nothing was charged to this consumer under that head with the reference {reference}. Look "
        "at the statement for head and reference; nothing was changed."
    ),
    "CHARGE_WITHDRAWN": Sentence(
        "The charge {reference} was withdrawn already. Nothing was changed; a new one needs a note "
        "or an order of its own number."
    ),
    "CHARGE_PAID": Sentence(
        "Of {amount} charged as {reference} only {payable} is unpaid, so it is not withdrawn. "
        "Cancel the receipt that paid it if it is of today; else it takes a refund or a correction."
    ),
    "OVER_ARREARS": Sentence(
        "{amount} is more than the arrears of {arrears}; only arrears go into a plan."
    ),
    "NO_REFUND": Sentence(
        "No refund of voucher {refund} is owed to consumer {consumer}. Look at the list of refunds "
        "('money refunds OFFICE') for its number."
    ),
    "REFUND_PAID": Sentence(
        "The refund {refund} was paid out already. Nothing was changed; look at the list of those "
        "that were paid ('money paidout OFFICE')."
    ),
    "REFUND_UNCOVERED": Sentence(
        "The refund {refund} is not paid out: {short} of what was refunded is not there, because "
        "an instrument came back or waits for the bank. Have the consumer settle it, or wait for "
        "the credit; nothing was changed."
    ),
    "REFUND_WHOLE": Sentence(
        "The refund {refund} is of {there} and is paid out whole, not {amount}. Correct the amount."
    ),
    "NOT_IN_SUSPENSE": Sentence(
        "The receipt {receipt} does not lie in suspense. Look at the list again."
    ),
    "OWN_WORK": Sentence("You took {receipt} yourself; another officer must decide about it."),
    "NO_DAY_TO_POST": Sentence(
        "What was taken on {date} cannot be posted now: no business day is open. Open the next one "
        "('day open DATE') and verify then; it counts from {date} all the same."
    ),
    "NOTHING_TO_VERIFY": Sentence(
        "Counter {counter} has no unverified receipts on {date}. Nothing was changed."
    ),
    "SPLIT_UNNAMED": Sentence(
        "More than {most} receipts of {counter} wait, so all are verified in steps, in the board's"
        " order. Verify those that you split otherwise by their numbers first; nothing was changed."
    ),
    "NO_VERIFICATION": Sentence(
        "There is no verification {verification}. Its number was said when it was asked for."
    ),
    "NO_SUCH_DAY": Sentence(
        "There is no day {date} in the calendar. Write the date as 2026-04-01: year, month, day."
    ),
    "DAYS_REVERSED": Sentence(
        "From {since} to {until} is backwards: the first day is after the last. Exchange them."
    ),
    "NO_ACCOUNT": Sentence(
        "There is no account {name}. Name a head ({heads}) or one account, as C001/CASH or"
        " 1000000001/ARREARS."
    ),
}
