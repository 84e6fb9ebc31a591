"""Every refusal a person can meet: its code and the sentence they read. One place for each
sentence.

A Refusal is an answer, not an error: it says what happened, why, and what to do next. ``final``
says whether it is the definitive outcome of a key (stored and replayed for ever) or only "not now"
(BUSY, PENDING, NOT_PRIMARY: the terminal keeps re-sending). Sentences are templates; their fields
come from the refusing place. This file must not know who asks.
"""

from __future__ import annotations

from typing import Final

from protocols.posted_sentences import POSTED
from protocols.sentence import Sentence
from protocols.till_sentences import TILL

SENTENCES: Final[dict[str, Sentence]] = {
    # not now: the terminal goes on trying the same bytes
    "BUSY": Sentence(
        "The server is busy; the request is kept and sent again in a moment.", final=False
    ),
    "PENDING": Sentence(
        "The payment is saved and being confirmed; keep waiting, do not take it again.", final=False
    ),
    "NOT_PRIMARY": Sentence(
        "This server is not the primary; the terminal is moving to the other one.", final=False
    ),
    "FAULT": Sentence(
        "The server had a fault (id {id}); nothing is lost. Tell operations the id.", final=False
    ),
    "SIGN_IN_AGAIN": Sentence(
        "Your session has ended. Sign in again; what was sent is kept.", final=False
    ),
    "SESSION_IDLE": Sentence(
        "Nothing was asked for a quarter of an hour, so your session has ended. "
        "Sign in again; what was sent is kept.",
        final=False,
    ),
    "SESSION_EXPIRED": Sentence(
        "Your session has ended: it lasts twelve hours from the sign-in, however much is done. "
        "Sign in again; what was sent is kept.",
        final=False,
    ),
    "SAVED_BY_ANOTHER": Sentence(
        "{user} saved a request at this terminal that is not confirmed, and it is done only in "
        "{user}'s name. It is kept until {user} signs in here; your own work goes on.",
        final=False,
    ),
    "PROVE_AGAIN": Sentence(
        "This decides about much, and your sign-in is some time ago. "
        "Sign in again; what you asked for is kept and goes on then.",
        final=False,
    ),
    # conversation
    "BAD_FRAME": Sentence(
        "The message could not be read ({reason}). Update the terminal's software."
    ),
    "OUT_OF_TURN": Sentence(
        "A {message} is not expected now ({state}). Reconnect and start with Hello."
    ),
    "VERSION": Sentence(
        "Protocol version {version} is not served here; this server speaks {served}."
    ),
    "UNKNOWN_OPERATION": Sentence(
        "There is no operation '{operation}'. Update the terminal's software."
    ),
    "BAD_BODY": Sentence("{operation}: {reason}."),
    "TOO_LONG": Sentence(
        "To {purpose} as it was asked takes more than one message holds, so nothing was done. "
        "Ask for less at once: one counter, one office, one person, a shorter time or fewer lines."
    ),
    "KEY_MISSING": Sentence(
        "{operation} changes something and needs a key. Update the terminal's software."
    ),
    "KEY_NOT_ALLOWED": Sentence(
        "{operation} changes nothing and takes no key. Update the terminal's software."
    ),
    "CERTIFICATE": Sentence(
        "This certificate ({subject}) may not do that. Ask the administrator for the right one."
    ),
    # certificates
    "BAD_CERTIFICATE_REQUEST": Sentence(
        "The request for a certificate was not kept: {reason}. Nothing was changed; ask anew."
    ),
    "CERTIFICATE_ASKED_OFTEN": Sentence(
        "{subject} has asked for {most} certificates within a day. Wait a day, or tell operations: "
        "the machine cannot use what it is given."
    ),
    "CERTIFICATE_NOT_SIGNED": Sentence(
        "No certificate was signed for {subject} under this request. Ask what became of it."
    ),
    "NO_CERTIFICATE_REQUEST": Sentence(
        "There is no request {request} for a certificate. List those that wait: "
        "'mpower pki waiting'."
    ),
    "CERTIFICATE_SETTLED": Sentence(
        "The request {request} of {subject} is {state} already. Nothing was changed."
    ),
    "BAD_CERTIFICATE": Sentence(
        "That does not answer the request {request}: {reason}. Nothing was changed."
    ),
    # people
    "SIGN_IN_FAILED": Sentence(
        "User name or password is wrong. Check both; after five failures wait {wait_s} s."
    ),
    "SIGN_IN_LOCKED": Sentence(
        "Too many failed sign-ins for this user at this terminal. Wait {wait_s} s."
    ),
    "CODE_NEEDED": Sentence("This login needs its one-time code. Enter the six digits as well."),
    "CODE_WRONG": Sentence(
        "The one-time code is wrong or was used before. Wait for the next one; is the clock right?"
    ),
    "ENROL_FIRST": Sentence(
        "The role {role} works with one-time codes here, and this login has none. "
        "Enrol its device: 'mpower second-factor enrol'."
    ),
    "FACTOR_STANDS": Sentence(
        "{user} has a second factor already. Two administrators reset it if the device is lost."
    ),
    "ROLE": Sentence(
        "{purpose} is not allowed for the role {role}; ask somebody who holds {needed}."
    ),
    "CERTIFICATE_ROLE": Sentence(
        "The role {role} cannot work from {subject}. Use a terminal of its kind."
    ),
    "WEAK_PASSWORD": Sentence(
        "The password is not taken: {why}. Use at least 12 characters that nobody guesses."
    ),
    "USER_EXISTS": Sentence("There is already a user {user}. Choose another sign-in name."),
    "USER_DISABLED": Sentence(
        "The user {user} is disabled; nothing was done. Ask the administrator."
    ),
    "COUNTER_EXISTS": Sentence("There is already a counter {counter}. Choose another code."),
    "NO_USER": Sentence("There is no user {user}. Check the spelling."),
    "OWN_PASSWORD": Sentence(
        "{user} is your own login; another administrator gives you a new password."
    ),
    "RESET_NOT_ALLOWED": Sentence(
        "{user} is {role}: two administrators first allow a new password ('allow-reset')."
    ),
    "NO_PERSON": Sentence("There is nobody with staff number {person}. Add the person first."),
    "PERSON_EXISTS": Sentence(
        "There is already a person with staff number {person}, of other data. Nothing was changed."
    ),
    "NO_POWER_ID": Sentence("There is no power {power_id}. List the powers for its number."),
    "NO_EMERGENCY": Sentence(
        "There is no emergency power {power_id}. List the emergencies for its number."
    ),
    "OWN_EMERGENCY": Sentence(
        "You gave or held the emergency power {power_id} yourself; another administrator or an "
        "auditor reviews it."
    ),
    "EMERGENCY_STANDS": Sentence(
        "The emergency power {power_id} still stands; it is reviewed once it is over. Wait for its "
        "end, or withdraw it now."
    ),
    "EMERGENCY_REVIEWED": Sentence(
        "The emergency power {power_id} was reviewed by {person} already; nothing is left to do."
    ),
    "BAD_DATES": Sentence("From {first} to {last}: the dates are not days in order. Check both."),
    "NO_AUDIT_KEY": Sentence(
        "This node cannot check signatures: {why}. Put the board's audit.key there and ask again."
    ),
    "OTHER_AUDIT_KEY": Sentence(
        "The servers sign the audit by the key {key}, and yours is {former}. "
        "Change it where that key is kept; nothing was changed."
    ),
    "KEY_UNUSED": Sentence(
        "The last change of the key is not in force: nothing is signed by {key} yet. "
        "Wait for the next checkpoint, or look for the alarm audit-unsigned."
    ),
    "AUDIT_KEY_USED": Sentence("The key {key} has signed the audit before. Make a new one."),
    "NO_EXPORT": Sentence("There is no export of yours under this key. Begin one: audit.export."),
    "NOTHING_SIGNED": Sentence(
        "No checkpoint of the audit is signed yet, so an export would prove nothing. "
        "Look for the alarm audit-unsigned."
    ),
    "NOTHING_WRITTEN": Sentence(
        "Nothing was written into the audit from {since} until {until}: nothing was exported. "
        "What is signed goes from {first} to {last}."
    ),
    "BAD_RANGE": Sentence("From {since} until {until}: the end is not after the beginning."),
    "BAD_MOMENT": Sentence("{moment} is not a moment. Write it as 2026-04-01T10:00:00+05:30."),
    "BAD_PEAKS": Sentence("These are not the peaks of a tree of {size} heads. Begin again at 0."),
    "NO_OFFICE": Sentence("There is no office {office}. Check its code, or add the office first."),
    "OUT_OF_OFFICE": Sentence(
        "{object} belongs to {office}, where you have no office and no power. "
        "Ask somebody of that office."
    ),
    "ROLE_APPOINTED": Sentence(
        "A user cannot be added as {role}. Add the user as clerk or ops, then appoint them: "
        "a second administrator approves that."
    ),
    # four eyes
    "NO_REQUEST": Sentence("There is no request {request}, or it is not yours to see."),
    "REQUEST_SETTLED": Sentence("The request {request} is {state} already. Nothing was changed."),
    "REQUEST_EXPIRED": Sentence(
        "Nobody decided the request {request} in time; it has expired. Ask for it anew."
    ),
    "REQUEST_CHANGED": Sentence(
        "The request {request} was edited: version {version} stands. Look at it again."
    ),
    "REQUEST_STALE": Sentence(
        "What the request {request} would change has changed since ({field}). "
        "Return it, so that its maker looks again."
    ),
    "REQUEST_RETURNED": Sentence(
        "The request {request} is with its maker again. It can be approved when it comes back."
    ),
    "REQUEST_OTHER": Sentence(
        "The request {request} is a {operation}; an edit cannot make it another. Ask anew."
    ),
    "OWN_REQUEST": Sentence(
        "The request {request} is your own; another person decides about it, whatever the login."
    ),
    "OWN_MATTER": Sentence(
        "The request {request} is about yourself ({object}); somebody whom it is not about "
        "approves it, whatever the login."
    ),
    "OWN_ACCOUNT": Sentence(
        "Consumer {consumer} is your own account; another person of the board does that for it."
    ),
    "WITH_ANOTHER": Sentence(
        "The request {request} was forwarded to {person}, who decides about it. "
        "Forward it to yourself if it cannot wait for them."
    ),
    "ASKED_ALREADY": Sentence(
        "The same is asked for already: request {request} of {maker} is {state}. "
        "Have it decided, or withdrawn by its maker, before it is asked for again."
    ),
    "NOT_MAKER": Sentence("The request {request} is not yours; only its maker can do that."),
    "NO_POWER": Sentence(
        "You do not hold the power {power} that the request {request} needs at {office}. "
        "Forward it to somebody who does."
    ),
    "BULK_VALUE": Sentence(
        "The request {request} with those before it is more than may be decided at once under "
        "the power {power}. Look at it and approve it alone."
    ),
    "NOT_COMPETENT": Sentence(
        "{person} may not approve the request {request}: that needs its power there, from "
        "somebody who neither made it nor is it about. Choose another."
    ),
    "NOT_HELD": Sentence("You do not hold the power {power} yourself, so it cannot be lent."),
    "LENT_TO_SELF": Sentence(
        "{person} is you: a power is lent to a colleague. Give a colleague's staff number."
    ),
    "DELEGATION_DATES": Sentence(
        "A power is lent from today or later, for at most {days} days. Check the two dates."
    ),
    "NO_DELEGATION": Sentence("You have lent no power under the number {delegation}."),
    "NOTHING_CHANGES": Sentence("That is how {object} stands already. Nothing was asked for."),
    "TOO_MUCH_TO_READ": Sentence(
        "The change of {object} has {fields} fields, more than whoever approves it can be shown at"
        " once. Ask for it in parts; nothing was asked for."
    ),
    # masters
    "BAD_MASTER": Sentence("The change of {master} cannot stand: {flaws}. Nothing was changed."),
    "MASTER_DATE": Sentence("From {day}: {why}. Choose another day; nothing was changed."),
    # money
    "KEY_CONFLICT": Sentence(
        "This request was sent before with another content; nothing was posted. "
        "Tell an officer: a terminal may be copied."
    ),
    "NO_CONSUMER": Sentence("There is no consumer {consumer}. Check the ten digits on the bill."),
    "AMOUNT_ZERO": Sentence("An amount of zero cannot be taken. Enter what the consumer pays."),
    "AMOUNT_NEGATIVE": Sentence(
        "A negative amount cannot be taken. Refunds go through an officer."
    ),
    "AMOUNT_HUGE": Sentence(
        "{amount} is above the counter limit of {limit}. Check the digits; ask an officer."
    ),
    "ADVANCE_UNMARKED": Sentence(
        "{amount} is more than the dues of {dues}. Take it as an advance or correct it."
    ),
    "PAID_AHEAD": Sentence(
        "This consumer has paid {ahead} ahead and owes nothing now, so {amount} was not taken. If "
        "they want to pay more ahead, take it as ADVANCE ('take NUMBER AMOUNT for advance')."
    ),
    "INSTRUMENT_MISSING": Sentence(
        "A {mode} payment needs its {missing}. Enter it from the slip; nothing was taken."
    ),
    "INSTRUMENT_SURPLUS": Sentence(
        "A {mode} payment has no {surplus}. Leave it out, or choose the mode it belongs to."
    ),
    "INSTRUMENT_DATE": Sentence(
        "There is no day {date}. Read the date of the {mode} again and write it as 2026-04-01."
    ),
    "INSTRUMENT_POST_DATED": Sentence(
        "The instrument is dated {date}, after the business day {day}: it cannot be taken yet. Ask "
        "for another one, or take it when its day has come."
    ),
    "INSTRUMENT_STALE": Sentence(
        "The instrument is dated {date}: it is stale, the bank pays none from before {first}. Ask "
        "for a new one or another mode."
    ),
    "CHEQUE_BARRED": Sentence(
        "A cheque of this consumer came back; until {until} no cheque is taken. Take cash, a "
        "demand draft, card or UPI."
    ),
    "PAID_ALREADY": Sentence(
        "{consumer} paid {amount} at {at} at counter {counter} already (receipt {receipt}). Ask "
        "the consumer; if they pay it once more, confirm it."
    ),
    "OVER_HEAD": Sentence(
        "{amount} is more than the {owed} that is owed for {purpose}. Correct the amount; what is "
        "over can be taken as an advance."
    ),
    "DAY_NOT_OPEN": Sentence(
        "No business day is open, so that nothing can be booked. An officer opens the next one "
        "('day open DATE'); then do this again."
    ),
    "DAY_CLOSED": Sentence(
        "The business day {date} is closed; nothing can be added to it. An officer opens the next."
    ),
    "DAY_OPEN": Sentence("The business day {date} is still open. Close it before opening another."),
    "DAY_ORDER": Sentence(
        "The day {date} is not after the last day, {last}. Days only go forward: open a later one. "
        "What was taken on paper before is entered from its receipt book on the open day."
    ),
    "DAY_OTHER": Sentence(
        "There was no business day {date}; the open one is {open}. Check the date; nothing was "
        "closed."
    ),
    "DAY_FAR": Sentence(
        "The day {date} is far from today, {today}, and was not opened: only {first} to {last} can "
        "be. Check the date; if today is wrong, tell operations: the server's clock is."
    ),
    "SHIFTS_OPEN": Sentence(
        "The business day {date} cannot be closed: shifts are open at {counters}. Close them first "
        "('shift close'); an officer closes one that was left behind."
    ),
    "RECEIPTS_FAILED": Sentence(
        "The business day {date} is not closed: these receipts could not be posted: {receipts}. "
        "'mpower receipts verify --number N' says why. Tell support, then verify them again; or "
        "'day close {date} anyway' closes it: they stay received and unverified."
    ),
    "NO_COUNTER": Sentence(
        "The counter {counter} is not known or closed. Ask the administrator to add it."
    ),
    "NO_RECEIPT": Sentence("There is no receipt {receipt}. Check counter, year and number."),
    "RECEIPT_CANCELLED": Sentence(
        "The receipt {receipt} is already cancelled. Nothing was changed."
    ),
    "RECEIPT_VERIFIED": Sentence(
        "The receipt {receipt} is verified already: it is neither verified again nor cancelled. An "
        "officer moves or refunds its money, or takes a returned cheque back ('money')."
    ),
    "RECEIPT_SETTLED": Sentence(
        "The receipt {receipt} went a step further a moment ago. Look at it again."
    ),
    "RECEIPT_OTHER_COUNTER": Sentence(
        "The receipt {receipt} was taken at {counter}, and its paper is there. It is cancelled "
        "from that counter."
    ),
    "RECEIPT_OTHER_DAY": Sentence(
        "The receipt {receipt} is of {date}; only the same day can be cancelled."
    ),
    **POSTED,
    # bank links and files
    "TOTAL_MISMATCH": Sentence(
        "The control total says {said}, the lines sum to {found}. Nothing was posted."
    ),
    "COUNT_MISMATCH": Sentence(
        "The control count says {said}, there are {found} lines. Nothing was posted."
    ),
    "BAD_LINE": Sentence("Line {line} ({reference}): {reason} Nothing was posted."),
    "DUPLICATE_LINE": Sentence(
        "Line {line} repeats reference {reference} of line {first}. Nothing was posted."
    ),
    "REFERENCE_KNOWN": Sentence(
        "Reference {reference} was already posted by {scroll}. Nothing was posted twice."
    ),
    "SCROLL_KNOWN": Sentence(
        "The scroll {scroll} was already posted with another content. Nothing was posted."
    ),
    "CONSUMER_EXISTS": Sentence(
        "Consumer {consumer} is already loaded with other data. Nothing was changed."
    ),
    **TILL,
}


class Refused(Exception):  # noqa: N818 - a refusal is an answer, not an error
    """Raised where something is refused; the shell turns it into the reply.

    ``code`` is a key of SENTENCES; the fields fill its template. An unknown code is our mistake:
    KeyError at once.
    """

    def __init__(self, code: str, **fields: object) -> None:
        self.code = code
        self.fields = {name: str(value) for name, value in fields.items()}
        self.sentence = SENTENCES[code].text.format(**self.fields)
        self.final = SENTENCES[code].final
        super().__init__(f"{code}: {self.sentence}")
