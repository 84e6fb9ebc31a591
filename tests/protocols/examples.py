"""One example of every message and of every body: what the documentation shows and the vectors are
made of.
"""

from __future__ import annotations

from msgspec import Raw, Struct

from protocols import codec
from protocols.catalogue import (
    CATALOGUE,
    approvals,
    audit,
    banking,
    certificates,
    consumers,
    days,
    masters,
    payments,
    security,
)
from protocols.catalogue.body import Nothing
from protocols.checkpoints import Checkpoint
from protocols.faults import refusal
from protocols.messages import (
    Beat,
    Hello,
    Message,
    Notice,
    NotPrimary,
    Reply,
    Request,
    Resume,
    Session,
    SignIn,
    SignOut,
    Welcome,
)
from protocols.operation import Operation
from protocols.powers import Power
from protocols.refusals import Refused
from protocols.values import RequestKey
from tests.protocols import ledger_examples, money_examples, people_examples, till_examples

KEY = RequestKey(bytes(range(16)), 42)
TOKEN = bytes(range(16, 32))
N = "1234567890"
R = "C001/2026-27/42"
TAKEN = payments.Receipt(
    R, "2026-04-01", "2026-04-01T05:32:00Z", N, "R K SHARMA", 124_000, "CASH", "", "DUES", "asha"
)
DAY = days.Day("2026-04-01", "2026-27", "OPEN")
LINE = banking.Line("HDFC0001234", N, 124_000, "2026-04-01")
DUES = consumers.DuesAnswer(
    N,
    "R K SHARMA",
    [consumers.HeadDue("ARREARS", 24_000), consumers.HeadDue("CURRENT", 100_000)],
    124_000,
    0,
    124_000,
    "C003/2026-27/7",
    50_000,
    "2026-03-02T06:00:00Z",
)

CONTENT, AT, DUE = people_examples.CONTENT, people_examples.AT, people_examples.DUE
PENDING, HELD, OWNED = people_examples.PENDING, people_examples.HELD, people_examples.OWNED
EMERGENCY = people_examples.EMERGENCY
WAITING = approvals.Waiting(
    *(17, "security.appoint", "user asha of E1042", "RIGHTS", 0, "HO", 1, CONTENT),
    *("PENDING", "E1001", "Adil Khan", "promoted from 1 April", AT, DUE),
)
CHECKPOINT = Checkpoint(3, CONTENT, AT, 2, bytes(64))
CHANGED = audit.Trouble(0, 17, 2, "a row was changed")
OFFICE = {"code": "SD-101", "name": "Mall Road", "kind": "SUBDIVISION", "parent": "HO"}
DELEGATION = approvals.Delegation(4, "E1001", "REFUND", AT, DUE)

BODIES: dict[str, tuple[Struct, Struct]] = {
    **people_examples.BODIES,
    "audit.state": (Nothing(), audit.State(4, 2, CHECKPOINT)),
    "audit.show": (
        audit.Look(user="asha"),
        audit.Entries(
            [
                audit.Entry(
                    *(AT, 17, 2, 2, "payments.cancel", "DONE", "omar", "E1050", "officer"),
                    *("counter/C001", "10.0.0.9:4711", "C001", "", R, "{}", "typed twice"),
                )
            ],
            True,
        ),
    ),
    "audit.export": (
        audit.Export("audit of November", AT),
        audit.Exported(
            CHECKPOINT,
            "-----BEGIN PUBLIC KEY-----",
            CHECKPOINT,
            [CONTENT, CONTENT],
            [audit.Span(17, 19)],
        ),
    ),
    "audit.leaves": (audit.Leaves(), audit.LeavesPage([audit.Head(17, CONTENT)])),
    "audit.rows": (
        audit.Rows(KEY),
        audit.RowsPage([audit.Row(17, AT, 2, 1, CONTENT, CONTENT, "entry", 1, b"")]),
    ),
    "audit.links": (audit.Prove(), audit.Proven(17, 17, 40, True, CHANGED)),
    "audit.signers": (Nothing(), audit.Signers(["ab" * 32], "ab" * 32, True)),
    "audit.change_key": (
        audit.ChangeKey("ab" * 32, "cd" * 32, "yearly change"),
        audit.Signers(["ab" * 32], "ab" * 32, True),
    ),
    "audit.tree": (audit.Climb(), audit.Climbed(3, [CONTENT, CONTENT], 2, True)),
    "approvals.inbox": (approvals.Inbox(), approvals.Requests([WAITING])),
    "approvals.show": (
        approvals.Show(17),
        approvals.Shown(
            WAITING,
            [approvals.Change("role", "clerk", "officer")],
            [approvals.Act("ASKED", 1, "E1001", "adil", "", "", "promoted", AT)],
        ),
    ),
    "approvals.approve": (
        approvals.Approve(17, 1, CONTENT, "seen the order"),
        approvals.Approved(17, "security.appoint", "user asha of E1042"),
    ),
    "approvals.approve_many": (
        approvals.ApproveMany([approvals.Decision(17, 1, CONTENT)]),
        approvals.ApprovedMany(
            [
                approvals.Decided(17, "", ""),
            ]
        ),
    ),
    "approvals.reject": (
        approvals.Answer(17, 1, CONTENT, "no such order"),
        approvals.Settled(17, "REJECTED"),
    ),
    "approvals.send_back": (
        approvals.Answer(17, 1, CONTENT, "which order?"),
        approvals.Settled(17, "RETURNED"),
    ),
    "approvals.forward": (
        approvals.Forward(17, 1, CONTENT, "E1001", "above my power"),
        approvals.Settled(17, "PENDING"),
    ),
    "approvals.withdraw": (
        approvals.Answer(17, 1, CONTENT, "asked by mistake"),
        approvals.Settled(17, "WITHDRAWN"),
    ),
    "approvals.edit": (
        approvals.Edit(17, 1, CONTENT, "security.appoint", b"\x93...", "from 1 May"),
        PENDING,
    ),
    "approvals.delegate": (
        approvals.Delegate("E1001", Power.REFUND, "2026-04-06", "2026-04-17", "on leave"),
        DELEGATION,
    ),
    "approvals.end_delegation": (approvals.EndDelegation(4), DELEGATION),
    "masters.list": (
        masters.ListMaster("offices"),
        masters.MasterRows(
            "offices", "2026-04-01", [masters.MasterRow("SD-101", "2026-04-01", OFFICE)]
        ),
    ),
    "masters.history": (
        masters.MasterHistory("offices", "SD-101"),
        masters.MasterVersions([masters.MasterVersion("2026-04-01", OFFICE, AT)]),
    ),
    "masters.change": (
        masters.ChangeMaster("offices", "2026-04-01", [OFFICE], [], "the new sub-division"),
        PENDING,
    ),
    "security.disable_user": (
        security.DisableUser("asha", "left the board"),
        security.UserDisabled("asha", 1),
    ),
    "security.add_counter": (
        security.AddCounter("C001", "SD-101"),
        security.CounterAdded("C001", "SD-101", "COUNTER"),
    ),
    "security.sessions": (
        security.AskSessions(),
        security.Sessions(
            [
                security.SessionRow(
                    "asha", "clerk", "mpower:board/counter/C001", "2026-04-01T04:00:00Z"
                )
            ]
        ),
    ),
    "consumers.find": (
        consumers.Find("name", "sharma"),
        consumers.Found(
            [consumers.Consumer(N, "R K SHARMA", "12 MALL ROAD", "DS-I", "M1", "", 2_000, 124_000)],
            more=False,
        ),
    ),
    "consumers.dues": (consumers.Dues(N), DUES),
    "consumers.load": (
        consumers.Load(
            "2026-04-01",
            [
                consumers.Row(
                    N, "R K SHARMA", "12 MALL ROAD", "DS-I", "M1", "", 2_000, {"CURRENT": 1}
                )
            ],
        ),
        consumers.Loaded(1, 0, 1),
    ),
    "consumers.account": (
        consumers.Account(N),
        consumers.AccountData(
            N,
            {"name": "R K SHARMA", "mobile": "••••••4321"},
            [consumers.FieldChange("name", "R SHARMA", "R K SHARMA", "meera", "as in deed", AT)],
        ),
    ),
    "consumers.change_details": (
        consumers.ChangeDetails(N, {"name": "R K SHARMA"}, "sale deed of 3 March"),
        PENDING,
    ),
    "consumers.change_load": (consumers.ChangeLoad(N, 5_000, "applied for 5 kW"), PENDING),
    "consumers.change_mobile": (
        consumers.ChangeMobile(N, "9876543210", "said at the counter"),
        consumers.Changed(N),
    ),
    "consumers.note_contact": (
        consumers.NoteContact(N, "CALL", "IN", "asks about the bill", "explained slab 2"),
        consumers.ContactNoted(9),
    ),
    "consumers.contacts": (
        consumers.Contacts(N),
        consumers.ContactHistory(
            [
                consumers.Contact(
                    *(9, "CALL", "IN", "asks about the bill", "explained slab 2"),
                    *("", "asha", "C001", AT),
                )
            ]
        ),
    ),
    "days.open": (days.OpenDay("2026-04-01"), DAY),
    "days.today": (Nothing(), DAY),
    **till_examples.BODIES,
    **ledger_examples.BODIES,
    **money_examples.BODIES,
    "payments.take": (payments.Take(N, 124_000), TAKEN),
    "payments.duplicate": (payments.Duplicate(R), TAKEN),
    "payments.mine": (payments.Mine(), payments.Receipts([TAKEN], 1, 124_000)),
    "payments.cancel": (payments.Cancel(R, "wrong consumer"), payments.Cancelled(R, 124_000)),
    "payments.verify": (
        payments.Verify("C001", "2026-04-01"),
        payments.Verified(1, 124_000, [payments.HeadPosted("CURRENT", 124_000)]),
    ),
    "certificates.ask": (
        certificates.Ask("ab" * 32, "-----BEGIN CERTIFICATE REQUEST-----\n"),
        certificates.Asked(7, "2026-04-01T05:32:00Z"),
    ),
    "certificates.fetch": (
        certificates.Fetch("ab" * 32),
        certificates.Fetched("SIGNED", "2026-04-01T05:32:00Z", "-----BEGIN CERTIFICATE-----\n"),
    ),
    "certificates.use": (
        certificates.Use("ab" * 32),
        certificates.Used(7, "2026-04-02T05:32:00Z"),
    ),
    "certificates.waiting": (
        certificates.Waiting(),
        certificates.WaitingRows(
            [
                certificates.WaitingRow(
                    *(7, "counter/C001", "2026-04-01T05:32:00Z", "10.0.0.7:50000"),
                    "-----BEGIN CERTIFICATE REQUEST-----\n",
                )
            ],
            more=False,
        ),
    ),
    "certificates.settle": (
        certificates.Settle(7, "", "the machine is retired"),
        certificates.Settled(7, "counter/C001", "REFUSED"),
    ),
    "banking.post": (
        banking.Post("SCROLL-1", 1, 1, 124_000, [LINE]),
        banking.Posted(
            "SCROLL-1",
            1,
            1,
            124_000,
            0,
            0,
            [banking.LineOutcome("HDFC0001234", "MATCHED", "SBI/2026-27/1")],
        ),
    ),
}


def declared(name: str) -> Operation:
    found = CATALOGUE.get(name)
    assert found is not None, name
    return found


def request(name: str, seq: int = 7) -> Request:
    operation = declared(name)
    body = codec.encode_body(operation, BODIES[name][0])
    return Request(seq, name, KEY if operation.keyed else None, body)


def reply(name: str, seq: int = 7, *, replay: bool = False) -> Reply:
    return Reply(seq, codec.encode_reply(declared(name), BODIES[name][1]), replay)


FROM_CLIENT: dict[str, Message] = {
    "hello": Hello(1, "mpower 0.1", 6),
    "sign in": SignIn("asha", "correct horse battery"),
    "sign in with a one-time code": SignIn("asha", "correct horse battery", "123456"),
    "resume": Resume(TOKEN),
    "sign out": SignOut(),
    "beat": Beat(),
    "request without a key": request("consumers.dues"),
    "request with a key": request("payments.take"),
}
FROM_SERVER: dict[str, Message] = {
    "welcome": Welcome(1, "a", 6, 3, 65_536, 8, 20_000, "2026-04-01"),
    "not the primary": NotPrimary(6, "10.0.0.2:7001"),
    "session": Session(TOKEN, "asha", "clerk", 43_200),
    "reply": reply("payments.take"),
    "reply again": reply("payments.take", replay=True),
    "refusal that settles the key": refusal(7, Refused("DAY_NOT_OPEN")),
    "refusal that does not": refusal(7, Refused("PENDING"), 200),
    "refusal of a sign-in": refusal(0, Refused("SIGN_IN_FAILED", wait_s=30)),
    "notice": Notice("copies", "Two copies again: both servers hold every payment."),
    "beat": Beat(),
}
LARGE: Message = reply("payments.mine")
UNREADABLE: dict[str, bytes] = {
    "unknown message": codec._ENCODER.encode(["zz"]),
    "one field too many": codec._ENCODER.encode(["b", 1]),
    "one field too few": codec._ENCODER.encode(["h", 1]),
    "a float for a number": codec._ENCODER.encode(["h", 1, "x", 1.5]),
    "a control character": codec._ENCODER.encode(["h", 1, "a\x07b"]),
    "a lone surrogate": b"\x93\xa1h\x01\xa3\xed\xa0\x80",
    "a map instead of an array": codec._ENCODER.encode({"h": 1}),
    "sequence 0": codec._ENCODER.encode(["q", 0, "a.b", None, []]),
    "a key of 15 bytes": codec._ENCODER.encode(["q", 1, "a.b", [b"k" * 15, 1], []]),
    "bytes after the message": codec._ENCODER.encode(["b"]) + b"\xc0",
    "cut in the middle": codec.encode(Hello(1, "x"))[:-2],
}
BAD_BODIES: dict[str, tuple[str, bytes]] = {
    "digits of another script": ("payments.take", codec._ENCODER.encode(["\u0967" * 10, 100])),
    "an amount as text": ("payments.take", codec._ENCODER.encode([N, "100"])),
    "an amount of 2^63": ("payments.take", codec._ENCODER.encode([N, 2**63])),
    "an unknown mode": ("payments.take", codec._ENCODER.encode([N, 100, "GOLD"])),
    "a field too many": ("consumers.dues", codec._ENCODER.encode([N, 1])),
}


def body_raw(struct: Struct) -> Raw:
    return Raw(codec._ENCODER.encode(struct))
