"""From the strong room to the bank on a real PostgreSQL: sorted, on slips, in transit, credited."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from protocols.catalogue.payments import Verify
from protocols.catalogue.remittance import (
    AskPending,
    AskSlip,
    AskSlips,
    Cheque,
    Group,
    MakeSlip,
    Part,
    Realise,
    Sort,
)
from protocols.catalogue.shifts import (
    Cash,
    CloseShift,
    HandOver,
    OpenShift,
    PickUpCash,
    Pile,
    ShowShift,
    TakeOver,
    Witness,
)
from protocols.operation import Role
from tests.database.test_shifts import limit, stands, untouched
from tests.database.town import DAY, RICH, Town, add_people, cash_of, others, town
from tests.postgres_nodes import Node, on_reactor

BANKS = """INSERT INTO mpower.masters SELECT 'banks', b, '2026-01-01',
    json_build_object('code', b, 'name', b)::text, now()
    FROM unnest(ARRAY['PNB', 'BOB']) b RETURNING 1"""
BRANCHES = """INSERT INTO mpower.masters SELECT 'branches', b.code, '2026-01-01',
    json_build_object('code', b.code, 'bank', 'PNB', 'name', b.code, 'city', b.city)::text, now()
    FROM (VALUES ('PNB-PATNA', 'Patna'), ('PNB-GAYA', 'Gaya')) b (code, city) RETURNING 1"""
CASH, MAKE, REALISE = MakeSlip("HO", "CASH"), "remittance.make", "remittance.realise"


async def taken(t: Town) -> list[str]:
    """Two counters take cash and cheques, and close, one of them a rupee short; all is verified.

    Asha: 300.00 in cash (100.00 picked up), three cheques. Bina: 50.00 in cash, a draft.
    """
    t.look(BANKS)
    await limit(t, "HO", 10**9)
    await t.pay("asha", RICH, 30_000)
    picked = await t.done("asha", "shifts.pick_up", PickUpCash(Cash([Pile(100, 1)], 0, 10_000)))
    await t.done("omar", "shifts.witness", Witness(picked.pick_up, 10_000, "C001"))
    cheques = [
        (await t.pay("asha", RICH, paise, mode="CHEQUE", instrument=f"C{paise}")).number
        for paise in (1_000, 2_000, 4_000)
    ]
    await t.pay("bina", RICH, 5_000)
    await t.pay("bina", RICH, 700, mode="DD", instrument="D1")
    stands = await t.read("asha", "shifts.show", ShowShift())
    short = CloseShift(cash_of(19_900), others(stands.modes), reason="a rupee rolled away")
    await t.done("asha", "shifts.close", short)
    await t.close_shift("bina")
    return cheques


async def verified(t: Town) -> None:
    for counter in ("C001", "C002"):
        await t.done("omar", "payments.verify", Verify(counter, DAY))


async def pending(t: Town) -> list[Group]:
    found: list[Group] = (await t.read("omar", "remittance.pending", AskPending("HO"))).groups
    return found


@on_reactor
async def test_cash_goes_on_one_slip_as_counted_and_comes_back_as_credited(node: Node) -> None:
    async with town(node) as t:
        await taken(t)
        cash = replace(CASH, cash=cash_of(34_900))
        assert (await pending(t))[0] == Group("CASH", "", "", 2, 34_900, 2)
        with untouched(t):
            assert await t.refused("omar", MAKE, cash) == "UNVERIFIED"
        await verified(t)
        with untouched(t):
            assert (
                await t.refused("omar", MAKE, replace(CASH, cash=cash_of(35_000))) == "SLIP_TOTAL"
            )
            wrong = replace(CASH, cash=Cash([Pile(100, 349)], 0, 34_900))
            assert await t.refused("omar", MAKE, wrong) == "CASH_TOTAL"
        slip = await t.done("omar", MAKE, cash)
        assert (slip.slip, slip.total_paise, slip.open_paise) == ("HO/2026-27/1", 34_900, 34_900)
        assert slip.parts == [Part("C001", 29_900), Part("C002", 5_000)]
        assert (stands(t)[8], stands(t).get(9), stands(t)[-4]) == (29_900, None, 100)
        assert {one.kind for one in await pending(t)} == {"CHEQUE", "DD"}
        with untouched(t):
            assert await t.refused("omar", MAKE, cash) == "NOTHING_TO_REMIT"
            for body, code in (
                (Realise(slip.slip, DAY, "UTR1", 34_899), "CREDIT_AMOUNT"),
                (Realise(slip.slip, DAY, "UTR1", 29_900, ["C001/2026-27/1"]), "NOT_ON_SLIP"),
                (Realise(slip.slip, "2026-11-23", "UTR1", 34_900), "CREDIT_DATE"),
                (Realise(slip.slip, "2026-11-25", "UTR1", 34_900), "CREDIT_AHEAD"),
                (Realise(slip.slip, "2026-02-30", "UTR1", 34_900), "BAD_BODY"),
                (Realise("HO/2026-27/2", DAY, "UTR1", 34_900), "NO_SLIP"),
                (Realise("HO/2026-28/1", DAY, "UTR1", 34_900), "NO_SLIP"),
            ):
                assert await t.refused("omar", REALISE, body) == code
        done = await t.done("omar", REALISE, Realise(slip.slip, DAY, "UTR1", 34_900))
        assert (done.realised_paise, done.open_paise) == (34_900, 0)
        assert stands(t)[-2] == 34_900
        again = Realise(slip.slip, DAY, "UTR2", 34_900)
        assert await t.refused("omar", REALISE, again) == "SLIP_SETTLED"
        states = "SELECT state, count(*) FROM mpower.receipt_events GROUP BY 1 ORDER BY 1"
        assert t.look(states) == [("REALISED", 2), ("REMITTED", 2), ("VERIFIED", 6)]
        t.is_well()


async def not_a_slip(t: Town) -> None:
    """What is said wrongly makes none."""
    with untouched(t):
        for body, code in (
            (MakeSlip("HO", "CHEQUE", total_paise=7_000), "SLIP_BANK"),
            (MakeSlip("HO", "CHEQUE", "PNB", "UNSORTED", total_paise=1), "SLIP_BANK"),
            (MakeSlip("HO", "CHEQUE", "PNB", "LOCAL", cash_of(1_000), 1_000), "SLIP_CASH"),
            (MakeSlip("HO", "CHEQUE", "PNB", "LOCAL", total_paise=1_001), "SLIP_TOTAL"),
            (MakeSlip("HO", "CHEQUE", "BOB", "OUTSTATION", total_paise=1), "NOTHING_TO_REMIT"),
            (MakeSlip("HO", "DD", "PNB", total_paise=700), "SLIP_SORT"),
            (MakeSlip("HO", "UPI", total_paise=700), "NOTHING_TO_REMIT"),
            (MakeSlip("SD-9", "DD", total_paise=700), "NO_OFFICE"),
        ):
            assert await t.refused("omar", MAKE, body) == code


@on_reactor
async def test_cheques_are_sorted_by_bank_and_by_the_counters_own_city(node: Node) -> None:
    async with town(node) as t:
        one, two, three = await taken(t)
        await verified(t)
        assert Group("CHEQUE", "SBI", "UNSORTED", 3, 7_000, 0) in await pending(t)
        sort = [
            Cheque(one, "PNB", "patna"),
            Cheque(two, "PNB", "Gaya"),
            Cheque(three, "BOB", "Patna"),
        ]
        for cheques, code in (
            ([replace(sort[0], bank="SBI")], "NO_BANK"),
            ([sort[0], sort[0]], "CHEQUE_TWICE"),
            ([sort[0], replace(sort[1], receipt="C001/2026-27/1")], "NOT_TO_SORT"),
            ([replace(sort[1], receipt="C009/2026-27/1")], "NOT_TO_SORT"),
            ([replace(sort[1], receipt="C001/2026-29/1")], "NO_RECEIPT"),
        ):
            assert await t.refused("asha", "remittance.sort", Sort(cheques)) == code
        assert Group("CHEQUE", "SBI", "UNSORTED", 3, 7_000, 0) in await pending(t), "all or none"
        await t.done("asha", "remittance.sort", Sort(sort))
        assert (await pending(t))[1:] == [
            Group("CHEQUE", "BOB", "LOCAL", 1, 4_000, 0),
            Group("CHEQUE", "PNB", "LOCAL", 1, 1_000, 0),
            Group("CHEQUE", "PNB", "OUTSTATION", 1, 2_000, 0),
            Group("DD", "", "", 1, 700, 0),
        ]
        await not_a_slip(t)
        local = await t.done(
            "omar", MAKE, MakeSlip("HO", "CHEQUE", "PNB", "LOCAL", total_paise=1_000)
        )
        assert [(line.receipt, line.state) for line in local.lines] == [(one, "REMITTED")]
        assert local.slip == "HO/2026-27/1", "what is refused takes no number"
        draft = await t.done("omar", MAKE, MakeSlip("HO", "DD", total_paise=700))
        assert (draft.slip, draft.parts) == ("HO/2026-27/2", [Part("C002", 700)])
        assert await t.done("omar", "remittance.again", AskSlip(local.slip)) == local
        assert await t.refused("asha", "remittance.sort", Sort([sort[0]])) == "NOT_TO_SORT"
        t.is_well()


@on_reactor
async def test_a_cheque_of_a_known_branch_sorts_itself(node: Node) -> None:
    async with town(node) as t:
        await limit(t, "C001", 10**9)
        t.look(BRANCHES)
        for paise, bank, branch in (
            (100, "PNB", "PNB-PATNA"),
            (200, "PNB", "PNB-GAYA"),
            (400, "BOB", "PNB-PATNA"),
            (800, "PNB", "PNB-NOWHERE"),
        ):
            drawn = {"mode": "CHEQUE", "instrument": "77", "bank": bank, "branch": branch}
            await t.pay("asha", RICH, paise, **drawn)
            await t.pay("bina", RICH, paise, **drawn)
        await t.close_shift("asha")
        assert await pending(t) == [
            Group("CHEQUE", "BOB", "UNSORTED", 1, 400, 1),
            Group("CHEQUE", "PNB", "LOCAL", 1, 100, 1),
            Group("CHEQUE", "PNB", "OUTSTATION", 1, 200, 1),
            Group("CHEQUE", "PNB", "UNSORTED", 1, 800, 1),
        ]
        await t.close_shift("bina")
        found = {(one.bank, one.place): one.paise for one in await pending(t)}
        assert found["PNB", "LOCAL"] == 100 + 100 + 200, "where no city is set, all are local"


@on_reactor
async def test_a_part_of_a_slip_is_credited_and_the_rest_stays_open(node: Node) -> None:
    async with town(node) as t:
        receipts = await taken(t)
        await verified(t)
        sort = [Cheque(one, "PNB", "Patna") for one in receipts]
        await t.done("omar", "remittance.sort", Sort(sort))
        body = MakeSlip("HO", "CHEQUE", "PNB", "LOCAL", total_paise=7_000)
        slip = (await t.done("omar", MAKE, body)).slip
        first = Realise(slip, DAY, "CR-1", 5_000, [receipts[0], receipts[2]])
        with untouched(t):
            for wrong, code in (
                (replace(first, amount_paise=4_999), "CREDIT_AMOUNT"),
                (replace(first, receipts=[receipts[0]]), "CREDIT_AMOUNT"),
                (replace(first, receipts=[receipts[0], "C002/2026-27/2"]), "NOT_ON_SLIP"),
                (replace(first, receipts=[receipts[0], receipts[0]]), "NOT_ON_SLIP"),
            ):
                assert await t.refused("omar", REALISE, wrong) == code
        done = await t.done("omar", REALISE, first)
        assert (done.realised_paise, done.open_paise) == (5_000, 2_000)
        assert [line.state for line in done.lines] == ["REALISED", "REMITTED", "REALISED"]
        with untouched(t):
            again = replace(first, reference="CR-2")
            assert await t.refused("omar", REALISE, again) == "NOT_ON_SLIP"
            known = Realise(slip, DAY, "CR-1", 2_000)
            assert await t.refused("omar", REALISE, known) == "CREDIT_KNOWN"
        waiting = await t.read("omar", "remittance.slips", AskSlips("HO", waiting=True))
        assert [(row.slip, row.open_paise) for row in waiting.slips] == [(slip, 2_000)]
        await t.done("omar", REALISE, Realise(slip, DAY, "CR-2", 2_000))
        assert (await t.read("omar", "remittance.slips", AskSlips("HO", waiting=True))).slips == []
        assert (stands(t)[-2], stands(t).get(8)) == (7_000, None)
        t.is_well()


@on_reactor
async def test_two_officers_make_one_slip(node: Node) -> None:
    async with town(node) as t:
        await taken(t)
        await verified(t)
        body = replace(CASH, cash=cash_of(34_900))
        both = await asyncio.gather(*(t.ask("omar", MAKE, body) for _ in range(3)))
        codes = sorted("" if one.refusal is None else one.refusal[0] for one in both)
        assert codes == ["", "NOTHING_TO_REMIT", "NOTHING_TO_REMIT"]
        t.is_well()


@on_reactor
async def test_what_is_in_an_open_shift_stays_and_a_handed_over_till_with_it(node: Node) -> None:
    async with town(node) as t:
        await t.pay("asha", RICH, 30_000)
        await t.pay("bina", RICH, 100)
        await t.done("omar", "payments.verify", Verify("C001", DAY))
        await t.done("omar", "payments.verify", Verify("C002", DAY))
        assert await pending(t) == []
        await t.close_shift("bina")
        assert await pending(t) == [Group("CASH", "", "", 1, 100, 0)]
        await t.close_shift("asha")
        await t.done("asha", "shifts.open", OpenShift())
        await t.pay("asha", RICH, 7_000)
        add_people(t, {"chand": ("E-CHAND", Role.CLERK, "counter/C001")})
        await t.done("asha", "shifts.hand_over", HandOver("chand", cash_of(7_000)))
        await t.done("chand", "shifts.take_over", TakeOver(cash_of(7_000)))
        await t.pay("chand", RICH, 50)
        await t.done("omar", "payments.verify", Verify("C001", DAY))
        assert await pending(t) == [Group("CASH", "", "", 2, 30_100, 0)]
        await t.done("omar", MAKE, replace(CASH, cash=cash_of(30_100)))
        await t.close_shift("chand")
        assert await pending(t) == [Group("CASH", "", "", 2, 7_050, 0)]
        await t.done("omar", MAKE, replace(CASH, cash=cash_of(7_050)))
        assert await pending(t) == []
        t.is_well()
