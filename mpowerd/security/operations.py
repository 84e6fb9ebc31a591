"""Security's operations: users, counters, who is signed in.

Signing in itself is a conversation, not an operation. What hashes a password, slow on purpose and
in threads of its own, comes in by the door (``served``).
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from typing import Any, Final

from mpowerd.approvals.rules import Proposal
from mpowerd.caller import Caller
from mpowerd.database import Cursor
from mpowerd.outcomes import instant
from mpowerd.paging import page
from mpowerd.security import emergencies, store
from mpowerd.security.rules import check_dates, check_password, step_of
from protocols.catalogue.body import Nothing
from protocols.catalogue.own_accounts import (
    DisownAccount,
    OwnAccount,
    OwnAccounts,
    Owned,
    OwnedAccounts,
)
from protocols.catalogue.security import (
    ADDED,
    AddCounter,
    AddPerson,
    AddUser,
    AllowReset,
    Appoint,
    AskSessions,
    CounterAdded,
    DisableUser,
    EnableUser,
    EnrolFactor,
    FactorEnrolled,
    GrantPower,
    HeldPower,
    PersonAdded,
    Powers,
    PowersHeld,
    ResetFactor,
    ResetPassword,
    SessionRow,
    Sessions,
    SessionsEnded,
    UserAdded,
    UserDisabled,
    WithdrawPower,
)
from protocols.powers import Power, worded
from protocols.refusals import Refused
from protocols.values import HEAD_OFFICE

Hashing = Callable[[str], Awaitable[str]]
"""Gives a password's hash; raises Refused BUSY when too many are being worked on."""


Judged = Callable[[str, str], Awaitable[str]]
"""Gives the hash of a password for a user, or refuses it as WEAK_PASSWORD."""


async def add_user(cursor: Cursor, caller: Caller, body: AddUser, judged: Judged) -> UserAdded:
    """Add a user; the password is judged, hashed, and forgotten."""
    if body.role not in ADDED:
        raise Refused("ROLE_APPOINTED", role=body.role)
    password_hash = await judged(body.password, body.user)
    await store.add_user(cursor, body.user, body.person, body.role.value, password_hash)
    return UserAdded(body.user, body.role.value)


async def add_person(cursor: Cursor, caller: Caller, body: AddPerson) -> PersonAdded:
    """Add a person; the same person again is no change."""
    await store.add_person(cursor, body.person, body.name, body.designation, body.office)
    return PersonAdded(body.person, body.name)


async def propose_appointment(cursor: Cursor, body: Appoint) -> Proposal:
    """Say what an appointment would change."""
    login = await store.login(cursor, body.user)
    before, after = {"role": login.role}, {"role": body.role.value}
    about = f"user {body.user} of {login.person}"
    return Proposal(about, before, after, 0, HEAD_OFFICE, (login.person,))


async def appoint(cursor: Cursor, caller: Caller, body: Appoint) -> Nothing:
    """Give a user another role (approved)."""
    await store.appoint(cursor, body.user, body.role.value)
    return Nothing()


async def propose_grant(cursor: Cursor, body: GrantPower) -> Proposal:
    """Say what a grant would change: a new power; those the person holds stay."""
    check_dates(body.valid_from, body.valid_to)
    held = [one for one in await store.powers(cursor, body.person) if not one.withdrawn_at]
    named = [_said(one.power, one.most, one.office, one.valid_to) for one in held]
    granted = _said(body.power, body.most, body.office, body.valid_to)
    before = {"powers": "; ".join(named)}
    after = before
    if granted not in named:
        after = {"powers": "; ".join([*named, granted]), "from": body.valid_from}
    about = f"powers of {body.person}"
    return Proposal(about, before, after, 0, body.office, (body.person,))


async def grant_power(cursor: Cursor, caller: Caller, body: GrantPower) -> Nothing:
    """Grant a power (approved)."""
    first, last = check_dates(body.valid_from, body.valid_to)
    most = body.most or None
    await store.grant_power(cursor, body.person, body.power, most, body.office, first, last)
    return Nothing()


async def withdraw_power(cursor: Cursor, caller: Caller, body: WithdrawPower) -> HeldPower:
    """Withdraw a power now."""
    return await store.withdraw_power(cursor, body.power_id)


async def powers(cursor: Cursor, caller: Caller, body: Powers) -> PowersHeld:
    """Say who holds which power."""
    held = await store.powers(cursor, body.person)
    return PowersHeld(*page(held, _number, body.mark, newest_first=True))


def _number(one: HeldPower) -> str:
    return f"{one.power_id:010}"


def _said(power: str, most: int, office: str, last: str) -> str:
    bound = f" up to {worded(Power(power), most)}" if most else ""
    return f"{power}{bound} at {office}" + (f" until {last}" if last else "")


async def own_account(cursor: Cursor, caller: Caller, body: OwnAccount) -> Owned:
    """Note a person's own account: it takes rights away, so one administrator does it."""
    await store.own_account(cursor, body.person, body.consumer)
    return Owned(body.person, body.consumer)


async def own_accounts(cursor: Cursor, caller: Caller, body: OwnAccounts) -> OwnedAccounts:
    """Say whose own which account is."""
    owned = await store.own_accounts(cursor, body.person)
    return OwnedAccounts(*page(owned, lambda one: f"{one.person} {one.consumer}", body.mark))


async def propose_disowning(cursor: Cursor, body: DisownAccount) -> Proposal:
    """Say which account would be a person's own no longer."""
    owned = [one.consumer for one in await store.own_accounts(cursor, body.person)]
    before = {"own account": body.consumer if body.consumer in owned else ""}
    about, own = f"own accounts of {body.person}", (body.person,)
    return Proposal(about, before, {"own account": ""}, 0, HEAD_OFFICE, own)


async def disown_account(cursor: Cursor, caller: Caller, body: DisownAccount) -> Nothing:
    """End that an account is a person's own (approved)."""
    await store.disown_account(cursor, body.person, body.consumer)
    return Nothing()


async def enrol_factor(
    cursor: Cursor, caller: Caller, body: EnrolFactor, wall_s: float
) -> FactorEnrolled:
    """Give the caller's login a second factor, once its first code fits."""
    secret = base64.b32decode(body.secret)
    step = step_of(secret, body.code, wall_s)
    if step is None:
        raise Refused("CODE_WRONG")
    await store.enrol_factor(cursor, caller.session, secret, step)
    return FactorEnrolled(caller.user)


async def propose_enabling(cursor: Cursor, body: EnableUser) -> Proposal:
    """Say what letting a user in again would change."""
    login = await store.login(cursor, body.user)
    before = {"disabled": login.disabled}
    named = f"user {body.user} of {login.person}, {login.role}"
    return Proposal(named, before, {"disabled": ""}, 0, HEAD_OFFICE, (login.person,))


async def enable_user(cursor: Cursor, caller: Caller, body: EnableUser) -> Nothing:
    """Let a disabled user in again (approved)."""
    await store.enable_user(cursor, body.user)
    return Nothing()


async def propose_allowing(cursor: Cursor, body: AllowReset) -> Proposal:
    """Say that a new password would be allowed."""
    login = await store.login(cursor, body.user)
    named = f"user {body.user} of {login.person}, {login.role}"
    before, after = {"reset allowed": login.reset}, {"reset allowed": "once, for a day"}
    return Proposal(named, before, after, 0, HEAD_OFFICE, (login.person,))


async def allow_reset(cursor: Cursor, caller: Caller, body: AllowReset) -> Nothing:
    """Allow a new password, once and for a day (approved)."""
    await store.allow_reset(cursor, body.user)
    return Nothing()


async def reset_password(
    cursor: Cursor, caller: Caller, body: ResetPassword, judged: Judged
) -> SessionsEnded:
    """Put a new password; it is judged, hashed, and forgotten."""
    new_hash = await judged(body.password, body.user)
    ended = await store.reset_password(cursor, caller.session, body.user, new_hash)
    return SessionsEnded(body.user, ended)


async def propose_reset(cursor: Cursor, body: ResetFactor) -> Proposal:
    """Say what resetting a second factor would change."""
    person, since = await store.factor(cursor, body.user)
    before = {"second factor": f"since {since}" if since else ""}
    about = f"user {body.user} of {person}"
    return Proposal(about, before, {"second factor": ""}, 0, HEAD_OFFICE, (person,))


async def reset_factor(cursor: Cursor, caller: Caller, body: ResetFactor) -> Nothing:
    """Take a login's second factor away (approved)."""
    await store.reset_factor(cursor, body.user)
    return Nothing()


async def disable_user(cursor: Cursor, caller: Caller, body: DisableUser) -> UserDisabled:
    """Disable a user and end every session."""
    return UserDisabled(body.user, await store.disable_user(cursor, body.user, body.reason))


async def add_counter(cursor: Cursor, caller: Caller, body: AddCounter) -> CounterAdded:
    """Add a counter or a bank link with its series and accounts."""
    await store.add_counter(cursor, body.counter, body.office, body.kind)
    return CounterAdded(body.counter, body.office, body.kind)


async def sessions(cursor: Cursor, caller: Caller, body: AskSessions) -> Sessions:
    """Say who is signed in where."""
    rows = await store.sessions(cursor)
    live = [SessionRow(user, role, subject, instant(since)) for user, role, subject, since in rows]
    return Sessions(*page(live, lambda one: f"{one.subject} {one.since} {one.user}", body.mark))


def served(
    hashing: Hashing, wall: Callable[[], float], common: Callable[[str], bool]
) -> dict[str, Any]:
    """Give the operations of a node that hashes passwords so; ``wall`` gives Unix seconds,
    ``common`` passwords are refused.
    """

    async def judged(password: str, user: str) -> str:
        check_password(password, user, common)
        return await hashing(password)

    async def add(cursor: Cursor, caller: Caller, body: AddUser) -> UserAdded:
        return await add_user(cursor, caller, body, judged)

    async def enrol(cursor: Cursor, caller: Caller, body: EnrolFactor) -> FactorEnrolled:
        return await enrol_factor(cursor, caller, body, wall())

    async def new_password(cursor: Cursor, caller: Caller, body: ResetPassword) -> SessionsEnded:
        return await reset_password(cursor, caller, body, judged)

    return {
        "security.break_glass": emergencies.break_glass,
        "security.emergencies": emergencies.emergencies,
        "security.review_emergency": emergencies.review,
        "security.enable_user": enable_user,
        "security.allow_reset": allow_reset,
        "security.reset_password": new_password,
        "security.enrol_factor": enrol,
        "security.reset_factor": reset_factor,
        "security.add_person": add_person,
        "security.add_user": add,
        "security.appoint": appoint,
        "security.grant_power": grant_power,
        "security.withdraw_power": withdraw_power,
        "security.powers": powers,
        "security.own_account": own_account,
        "security.disown_account": disown_account,
        "security.own_accounts": own_accounts,
        "security.disable_user": disable_user,
        "security.add_counter": add_counter,
        "security.sessions": sessions,
    }


PROPOSALS: Final[dict[str, Any]] = {
    "security.appoint": propose_appointment,
    "security.grant_power": propose_grant,
    "security.reset_factor": propose_reset,
    "security.break_glass": emergencies.propose_glass,
    "security.enable_user": propose_enabling,
    "security.allow_reset": propose_allowing,
    "security.disown_account": propose_disowning,
}
"""What each four-eyes operation of this room would change."""
FUNCTIONS: Final[dict[str, tuple[str, ...]]] = {
    "security.break_glass": ("break_glass_v1",),
    "security.emergencies": ("emergencies_v1",),
    "security.review_emergency": ("review_emergency_v1",),
    "security.enable_user": ("login_v1", "enable_user_v1"),
    "security.allow_reset": ("login_v1", "allow_reset_v1"),
    "security.reset_password": ("reset_password_v1",),
    "security.enrol_factor": ("enrol_factor_v1",),
    "security.reset_factor": ("factor_v1", "reset_factor_v1"),
    "security.add_person": ("add_person_v1",),
    "security.add_user": ("add_user_v1",),
    "security.appoint": ("login_v1", "appoint_v1"),
    "security.grant_power": ("grant_power_v1", "powers_v1"),
    "security.withdraw_power": ("withdraw_power_v1",),
    "security.powers": ("powers_v1",),
    "security.own_account": ("own_account_v1",),
    "security.disown_account": ("own_accounts_v1", "disown_account_v1"),
    "security.own_accounts": ("own_accounts_v1",),
    "security.disable_user": ("disable_user_v1",),
    "security.add_counter": ("add_counter_v1",),
    "security.sessions": ("sessions_v1",),
}
