"""Nobody does alone anything about an account of their own: not take, enter, verify, cancel or take
back its money, nor change its telephone. Whoever else may, does; rules bind the person.
"""

from __future__ import annotations

from protocols.catalogue.charges import Raise, Withdraw
from protocols.catalogue.consumers import ChangeMobile
from protocols.catalogue.instruments import Dishonour
from protocols.catalogue.own_accounts import OwnAccount
from protocols.catalogue.payments import (
    Cancel,
    Take,
    Verify,
    VerifyDay,
    WatchVerification,
)
from protocols.catalogue.receipt_books import Enter, Leaf, Register
from protocols.catalogue.transfers import Match, Move
from protocols.operation import Role
from tests.database.officers import agreed, appoint
from tests.database.test_own_matter import REASON, seen, waiting
from tests.database.test_returned_from_others import in_suspense
from tests.database.town import DAY, RAM, SITA, Town, add_people, carry_on, codes, town
from tests.postgres_nodes import Node, on_reactor

MORE = {
    "mira": ("E-MIRA", Role.OFFICER, "counter/C001"),
    "omar.receiver": ("E-OMAR", Role.RECEIVER, "counter/C002"),
    "rita": ("E-RITA", Role.RECEIVER, "counter/C001"),
}


async def settle(t: Town, person: str) -> None:
    add_people(t, MORE)
    await t.done("adil", "security.own_account", OwnAccount(person, RAM))


@on_reactor
async def test_a_clerk_takes_nothing_for_an_own_account_and_harms_no_neighbour(node: Node) -> None:
    async with town(node) as t:
        await settle(t, "E-ASHA")
        own, other = Take(RAM, 500), Take(SITA, 700)
        key = t.key(t.people["asha"])
        batch = (t.item("asha", own, key), t.item("asha", other), t.item("bina", own))
        assert codes(await t.take(*batch)) == ["OWN_ACCOUNT", "", ""]
        (again,) = await t.take(t.item("asha", own, key))
        assert again.replay
        assert again.refusal is not None
        assert again.refusal[0] == "OWN_ACCOUNT"
        t.look("UPDATE mpower.own_accounts SET ended_at = now() RETURNING 1")
        assert codes(await t.take(t.item("asha", own))) == ["PAID_ALREADY"], "theirs no longer"
        t.is_well()


@on_reactor
async def test_nor_enters_it_from_a_book(node: Node) -> None:
    async with town(node) as t:
        await settle(t, "E-ASHA")
        await t.done("omar", "receipt_books.register", Register("B0017", "C001", 501, 510))
        leaves = Enter("B0017", [Leaf(501, DAY, SITA, 100), Leaf(502, DAY, RAM, 100)])
        assert await t.refused("asha", "receipt_books.enter", leaves) == "OWN_ACCOUNT"
        assert t.look("SELECT count(*) FROM mpower.paper_leaves") == [(0,)]
        await t.done("bina", "receipt_books.enter", leaves)
        t.is_well()


@on_reactor
async def test_an_officer_neither_cancels_verifies_nor_takes_back_its_money(node: Node) -> None:
    async with town(node) as t:
        await settle(t, "E-OMAR")
        first = await t.pay("asha", RAM, 500)
        cheque = await t.pay("asha", RAM, 700, mode="CHEQUE", instrument="100001")
        await t.pay("asha", SITA, 900)
        cancel = Cancel(first.number, "typed twice")
        assert await t.refused("omar", "payments.cancel", cancel) == "OWN_ACCOUNT"
        verify = Verify("C001", DAY)
        assert await t.refused("omar", "payments.verify", verify) == "OWN_ACCOUNT"
        asked = await t.done("omar", "payments.verify_day", VerifyDay(DAY))
        await carry_on(t.database)
        done = await t.read(
            "omar", "payments.verification", WatchVerification(asked.verification, 0)
        )
        assert [(one.receipt, one.code) for one in done.left] == [
            (first.number, "OWN_ACCOUNT"),
            (cheque.number, "OWN_ACCOUNT"),
        ]
        assert done.posted == 1
        await t.done("mira", "payments.cancel", cancel)
        await t.done("mira", "payments.verify", Verify("C001", DAY))
        back = Dishonour(cheque.number, DAY, "Funds insufficient")
        assert await t.refused("omar", "instruments.dishonour", back) == "OWN_ACCOUNT"
        await t.done("mira", "instruments.dishonour", back)
        t.is_well()


@on_reactor
async def test_nor_what_was_moved_or_matched_to_it_or_what_it_had_paid(node: Node) -> None:
    """Whose account it is counts, and who paid: whoever has either leaves it to another."""
    async with town(node) as t:
        await settle(t, "E-OMAR")
        appoint(t)
        paid, got = [
            (await t.pay("asha", who, paise, mode="DD", instrument=number)).number
            for who, paise, number in ((RAM, 700, "100001"), (SITA, 900, "100002"))
        ]
        await t.done("ila", "payments.verify", Verify("C001", DAY))
        lost, leaf = Move(RAM, SITA, 700, REASON, paid), await in_suspense(t)
        assert await agreed(t, "transfers.move", lost) == ""
        assert await agreed(t, "transfers.move", Move(SITA, RAM, 900, REASON, got)) == ""
        await t.done("mira", "transfers.match", Match(leaf, RAM, REASON))
        for number in (paid, got, leaf):
            back = Dishonour(number, DAY, "Funds insufficient")
            assert await t.refused("omar", "instruments.dishonour", back) == "OWN_ACCOUNT", number
            await t.done("mira", "instruments.dishonour", back)
        t.is_well()


@on_reactor
async def test_nobody_changes_its_telephone_nor_approves_that_its_charge_is_withdrawn(
    node: Node,
) -> None:
    async with town(node) as t:
        await settle(t, "E-OMAR")
        mobile = ChangeMobile(RAM, "9876543210", REASON)
        for login in ("omar", "omar.receiver"):
            assert await t.refused(login, "consumers.change_mobile", mobile) == "OWN_ACCOUNT"
        await t.done("rita", "consumers.change_mobile", mobile)
        for person in ("E-OMAR", "E-ASHA"):
            t.look(
                "INSERT INTO mpower.powers (person, power, office, valid_from, granted_at)"
                " VALUES (%s, 'CHARGE', 'HO', current_date, now()) RETURNING 1",
                person,
            )
        raised = await t.done("mira", "charges.raise", Raise(RAM, "SUNDRY", 500, "note 7", REASON))
        await t.done("asha.officer", "approvals.approve", seen(raised))
        wish = Withdraw(RAM, "SUNDRY", "note 7", REASON)
        asked = await t.done("mira", "charges.withdraw", wish)
        assert await waiting(t, "omar") == []
        assert await t.refused("omar", "approvals.approve", seen(asked)) == "OWN_MATTER"
        await t.done("asha.officer", "approvals.approve", seen(asked))
        t.is_well()
