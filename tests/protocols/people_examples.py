"""Examples of who may do what: logins, appointments, powers, own accounts."""

from __future__ import annotations

from msgspec import Struct

from protocols.catalogue import approvals, emergencies, own_accounts, security
from protocols.operation import Role
from protocols.powers import Power

CONTENT = bytes(range(32))
AT = "2026-04-01T05:32:00Z"
DUE = "2026-04-08T05:32:00Z"
PENDING = approvals.Pending(17, 1, CONTENT, "RIGHTS", "HO", DUE)
HELD = security.HeldPower(3, "E1042", "REFUND", 500_000, "SD-101", "2026-04-01", "")
EMERGENCY = emergencies.Emergency(
    *(9, "E1042", "REFUND", 500_000, "SD-101", AT, "2026-04-01T07:32:00Z", False),
    *(["E-ADIL", "E-ANITA"], [emergencies.DecidedThen(18, "refund to consumer 1234567890")]),
)
OWNED = own_accounts.Owned("E1042", "1234567890", AT)

BODIES: dict[str, tuple[Struct, Struct]] = {
    "security.add_user": (
        security.AddUser("asha", "E1042", Role.CLERK, "correct horse battery"),
        security.UserAdded("asha", "clerk"),
    ),
    "security.add_person": (
        security.AddPerson("E1042", "Asha Rao", "Junior engineer", "SD-101"),
        security.PersonAdded("E1042", "Asha Rao"),
    ),
    "security.appoint": (
        security.Appoint("asha", Role.OFFICER, "promoted from 1 April"),
        PENDING,
    ),
    "security.grant_power": (
        security.GrantPower(
            "E1042", Power.REFUND, 500_000, "SD-101", "2026-04-01", "order 17 of the circle"
        ),
        PENDING,
    ),
    "security.enrol_factor": (
        security.EnrolFactor("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "287082"),
        security.FactorEnrolled("asha"),
    ),
    "security.break_glass": (
        emergencies.BreakGlass(
            "E1042", Power.REFUND, "SD-101", 500_000, 2, "the officer is in hospital"
        ),
        PENDING,
    ),
    "security.emergencies": (
        emergencies.Emergencies(),
        emergencies.EmergenciesFound([EMERGENCY]),
    ),
    "security.review_emergency": (
        emergencies.ReviewEmergency(9, "one refund, as in the order"),
        emergencies.EmergencyReviewed(9),
    ),
    "security.enable_user": (security.EnableUser("asha", "back from leave"), PENDING),
    "security.allow_reset": (security.AllowReset("meera", "forgot it"), PENDING),
    "security.reset_password": (
        security.ResetPassword("asha", "correct horse battery", "forgot it"),
        security.SessionsEnded("asha", 1),
    ),
    "security.reset_factor": (security.ResetFactor("asha", "telephone lost"), PENDING),
    "security.withdraw_power": (security.WithdrawPower(3, "transferred"), HELD),
    "security.powers": (security.Powers("E1042"), security.PowersHeld([HELD])),
    "security.own_account": (own_accounts.OwnAccount("E1042", "1234567890"), OWNED),
    "security.disown_account": (
        own_accounts.DisownAccount("E1042", "1234567890", "moved house"),
        PENDING,
    ),
    "security.own_accounts": (
        own_accounts.OwnAccounts("E1042"),
        own_accounts.OwnedAccounts([OWNED]),
    ),
}
