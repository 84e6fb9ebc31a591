"""Finding consumers and saying what they owe; loading them from the board's files."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from protocols.catalogue.approvals import Pending
from protocols.catalogue.body import Body
from protocols.heads import Head
from protocols.operation import About, FourEyes, Operation, Role, Within
from protocols.powers import Power
from protocols.values import BusinessDate, ConsumerNumber, Name, NoDate, Office, PaiseDue, Text


class Find(Body, frozen=True):
    """Find by number, meter, mobile, or the beginning of a name (case-insensitive). At most
    ``limit`` rows.
    """

    by: Literal["number", "name", "meter", "mobile"]
    text: Name
    limit: Annotated[int, Meta(ge=1, le=50)] = 10


class Consumer(Body, frozen=True):
    """One consumer as the counter shows it. ``sanctioned_load_w`` in watts; ``due_paise`` = Σ heads
    − advance.
    """

    number: str
    name: str
    address: str
    category: str
    meter: str
    mobile: str
    sanctioned_load_w: int
    due_paise: PaiseDue
    office: str = ""


class Found(Body, frozen=True):
    """The rows found, and whether there were more than the limit."""

    consumers: list[Consumer]
    more: bool


class Dues(Body, frozen=True):
    """Ask what a consumer owes now."""

    consumer: ConsumerNumber


class HeadDue(Body, frozen=True):
    """What stands under one head, paise. ``payable_paise``: of a head that is paid under a purpose
    of its own, less what was received for it and awaits verification; else 0.
    """

    head: str
    due_paise: PaiseDue
    payable_paise: PaiseDue = 0


class DuesAnswer(Body, frozen=True):
    """Dues by head, the total, money received but not yet verified, and the last receipt ('' if
    none) with its time.

    ``payable_paise``: what is payable as DUES, less what awaits verification: what the clerk asks
    for. ``no_cheque_until``: a cheque came back, and until that day none is taken ('' if none).
    """

    number: str
    name: str
    heads: list[HeadDue]
    total_paise: PaiseDue
    unverified_paise: PaiseDue
    payable_paise: PaiseDue
    last_receipt: str = ""
    last_paise: int = 0
    last_at: str = ""
    no_cheque_until: NoDate = ""


class Row(Body, frozen=True):
    """One consumer of a load file with opening dues by head in paise, and the office it belongs
    to.
    """

    number: ConsumerNumber
    name: Name
    address: Text
    category: Annotated[str, Meta(pattern=r"^[A-Z0-9-]{1,12}\Z")]
    meter: Annotated[str, Meta(pattern=r"^[A-Z0-9-]{0,20}\Z")]
    mobile: Annotated[str, Meta(pattern=r"^[0-9]{0,15}\Z")]
    sanctioned_load_w: Annotated[int, Meta(ge=0, le=100_000_000)]
    dues: dict[Head, PaiseDue]
    office: Office = "HO"


class Load(Body, frozen=True):
    """Load up to 500 consumers; ``as_of`` is the date of their opening dues. All rows or none."""

    as_of: BusinessDate
    rows: Annotated[list[Row], Meta(min_length=1, max_length=500)]


class Loaded(Body, frozen=True):
    """How many were new, how many stood there already with the same data, and the opening dues
    posted, paise.
    """

    added: int
    already: int
    dues_paise: PaiseDue


Detail = Literal["name", "address", "category", "office"]
Reason = Annotated[Text, Meta(min_length=3)]


class ChangeDetails(Body, frozen=True):
    """Change a consumer's name, address, category or office; a second person approves it: of the
    consumer's office, or, for a move to another one, of the office that is over both.
    """

    consumer: ConsumerNumber
    fields: Annotated[dict[Detail, Name], Meta(min_length=1, max_length=4)]
    reason: Reason


class ChangeLoad(Body, frozen=True):
    """Change a consumer's sanctioned load, in watts; an officer with that power approves it."""

    consumer: ConsumerNumber
    sanctioned_load_w: Annotated[int, Meta(ge=1, le=100_000_000)]
    reason: Reason


class ChangeMobile(Body, frozen=True):
    """Change a consumer's mobile number, at once; '' takes it away."""

    consumer: ConsumerNumber
    mobile: Annotated[str, Meta(pattern=r"^([0-9]{10,15})?\Z", description="10 to 15 digits")]
    reason: Reason


class Changed(Body, frozen=True):
    """Whose data was changed."""

    consumer: str


class Account(Body, frozen=True):
    """Ask for a consumer's own data and how they changed."""

    consumer: ConsumerNumber
    most: Annotated[int, Meta(ge=0, le=100)] = 20


class FieldChange(Body, frozen=True):
    """One change of one field: by whom, why, when; masked as the field itself is."""

    field: str
    before: str
    after: str
    user: str
    reason: str
    at: str


class AccountData(Body, frozen=True):
    """A consumer's own data as this role sees them, and the changes, newest first. ``told`` false:
    the changes are told in the consumer's office only. ``more``: there are older ones.
    """

    consumer: str
    fields: dict[str, str]
    changes: list[FieldChange]
    told: bool = True
    more: bool = False


ContactKind = Literal["VISIT", "CALL", "LETTER", "NOTICE", "BILL", "MESSAGE"]


class NoteContact(Body, frozen=True):
    """Keep a contact: IN from the consumer, OUT to the consumer. ``reference``: a letter's or
    notice's number, '' none.
    """

    consumer: ConsumerNumber
    kind: ContactKind
    direction: Literal["IN", "OUT"]
    subject: Name
    remark: Text = ""
    reference: Text = ""


class ContactNoted(Body, frozen=True):
    """The contact's number."""

    contact: int


class Contacts(Body, frozen=True):
    """The contacts with a consumer, newest first; ``before`` a contact's number, 0 from the
    newest.
    """

    consumer: ConsumerNumber
    before: Annotated[int, Meta(ge=0, le=2**62)] = 0
    most: Annotated[int, Meta(ge=1, le=50)] = 20


class Contact(Body, frozen=True):
    """One contact, by whom and where it was kept."""

    contact: int
    kind: str
    direction: str
    subject: str
    remark: str
    reference: str
    user: str
    counter: str
    at: str


class ContactHistory(Body, frozen=True):
    """The contacts, newest first; ``more``: there are older ones, before the last of these."""

    contacts: list[Contact]
    more: bool = False


CHANGERS = frozenset({Role.RECEIVER, Role.OFFICER})
OFFICERS = frozenset({Role.OFFICER})
ONE = About("consumer", "consumer")
IN_OFFICE = Within("consumer", "consumer", counters=True)
READERS = frozenset({Role.CLERK, Role.OFFICER})
OPERATIONS = (
    Operation(
        "consumers.find",
        Find,
        Found,
        READERS | {Role.RECEIVER},
        keyed=False,
        purpose="find a consumer",
    ),
    Operation(
        "consumers.dues", Dues, DuesAnswer, READERS, keyed=False, purpose="what a consumer owes"
    ),
    Operation(
        "consumers.load",
        Load,
        Loaded,
        frozenset({Role.ADMIN}),
        keyed=True,
        purpose="load consumers with opening dues",
    ),
    Operation(
        "consumers.account",
        Account,
        AccountData,
        READERS | {Role.RECEIVER, Role.AUDITOR},
        keyed=False,
        purpose="see a consumer's own data",
        within=IN_OFFICE,
    ),
    Operation(
        "consumers.change_details",
        ChangeDetails,
        Pending,
        CHANGERS,
        keyed=True,
        purpose="change a consumer's name, address, category or office",
        within=IN_OFFICE,
        four_eyes=FourEyes(Power.CONSUMER, OFFICERS),
        about=ONE,
    ),
    Operation(
        "consumers.change_load",
        ChangeLoad,
        Pending,
        CHANGERS,
        keyed=True,
        purpose="change a sanctioned load",
        within=IN_OFFICE,
        four_eyes=FourEyes(Power.LOAD, OFFICERS),
        about=ONE,
    ),
    Operation(
        "consumers.change_mobile",
        ChangeMobile,
        Changed,
        CHANGERS,
        keyed=True,
        purpose="change a consumer's mobile number",
        within=IN_OFFICE,
        about=ONE,
    ),
    Operation(
        "consumers.note_contact",
        NoteContact,
        ContactNoted,
        READERS | {Role.RECEIVER},
        keyed=True,
        purpose="keep a contact with a consumer",
        within=IN_OFFICE,
    ),
    Operation(
        "consumers.contacts",
        Contacts,
        ContactHistory,
        READERS | {Role.RECEIVER, Role.AUDITOR},
        keyed=False,
        purpose="see the contacts with a consumer",
        within=IN_OFFICE,
    ),
)
