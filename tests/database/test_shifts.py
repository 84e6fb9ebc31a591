"""A clerk's shift on a real PostgreSQL: opened, taken in, counted, closed; every figure booked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from msgspec.structs import replace

from protocols.catalogue.days import CloseDay
from protocols.catalogue.payments import Cancel, Take
from protocols.catalogue.shifts import (
    Cash,
    CloseShift,
    HandOver,
    ModeCount,
    OpenShift,
    PickUpCash,
    Pile,
    ShowShift,
    TakeOver,
    Witness,
)
from protocols.operation import Role
from tests.database.town import (
    DAY,
    RAM,
    RICH,
    SITA,
    Town,
    add_people,
    cash_of,
    codes,
    town,
)
from tests.postgres_nodes import Node, on_reactor

FLOAT = OpenShift(Cash([Pile(100, 4), Pile(10, 9)], 1_050, 50_050))
BOOKED = "SELECT md5(string_agg(a::text, ',' ORDER BY account)) FROM mpower.accounts a"


def stands(t: Town, counter: int = 1) -> dict[int, int]:
    """Balances of a counter's accounts that are not zero, by slot; -4 and -2 by their numbers."""
    found = t.look(
        "SELECT CASE WHEN account > -16 THEN account ELSE -account - %s * 16 END, balance_paise"
        " FROM mpower.accounts WHERE balance_paise <> 0"
        " AND (-account / 16 = %s OR account IN (-2, -4))",
        counter,
        counter,
    )
    return dict(found)


@contextmanager
def untouched(t: Town) -> Iterator[None]:
    """What is refused leaves every balance and every shift as it was."""
    look = f"{BOOKED} UNION ALL SELECT md5(string_agg(s::text, ',')) FROM mpower.shifts s"
    before = t.look(look)
    yield
    assert t.look(look) == before


@on_reactor
async def test_without_the_clerks_own_open_shift_nothing_is_taken(node: Node) -> None:
    async with town(node) as t:
        await t.close_shift("asha")
        with untouched(t):
            item = t.item("asha", Take(RAM, 100))
            assert codes(await t.take(item)) == ["NO_SHIFT"]
            t.people["bina"] = replace(t.people["bina"], counter="C001", subject="counter/C001")
            assert await t.refused("asha", "shifts.close", CloseShift(Cash())) == "NO_SHIFT"
        await t.done("asha", "shifts.open", FLOAT)
        with untouched(t):
            assert codes(await t.take(t.item("bina", Take(RAM, 100)))) == ["SHIFT_OF_ANOTHER"]
            assert await t.refused("bina", "shifts.open", OpenShift()) == "SHIFT_OF_ANOTHER"
            assert await t.refused("asha", "shifts.open", OpenShift()) == "SHIFT_OPEN"
            assert codes(await t.take(item)) == ["NO_SHIFT"], "a key has one outcome for ever"
        assert (await t.pay("asha", RAM, 100)).number == "C001/2026-27/1"
        t.is_well()


@on_reactor
async def test_a_float_goes_out_and_comes_back_and_the_rest_goes_to_the_strong_room(
    node: Node,
) -> None:
    async with town(node) as t:
        await t.close_shift("asha")
        opened = await t.done("asha", "shifts.open", FLOAT)
        assert (opened.state, opened.float_cash) == ("OPEN", FLOAT.cash)
        assert stands(t) == {1: 50_050, 10: -50_050}
        await t.pay("asha", RAM, 20_000)
        gone = await t.pay("asha", RAM, 1_000)
        await t.pay("asha", SITA, 30_000, mode="CHEQUE", instrument="204411")
        await t.done("omar", "payments.cancel", Cancel(gone.number, "typed twice"))
        closed = await t.close_shift("asha")
        assert (closed.receipts, closed.cancelled, closed.taken_paise) == (3, 1, 20_000)
        assert (closed.expected_paise, closed.difference_paise) == (70_050, 0)
        assert (closed.first_receipt, closed.last_receipt) == ("C001/2026-27/1", "C001/2026-27/3")
        assert closed.modes == [ModeCount("CASH", 1, 20_000), ModeCount("CHEQUE", 1, 30_000)]
        assert stands(t) == {2: 30_000, 9: 20_000}
        assert await t.read("omar", "shifts.show", ShowShift("C001")) == closed
        t.is_well()


@on_reactor
async def test_cash_that_does_not_add_up_is_no_cash(node: Node) -> None:
    async with town(node) as t:
        await t.close_shift("asha")
        for cash, code in (
            (Cash([Pile(500, 1)], 0, 50_100), "CASH_TOTAL"),
            (Cash([], 0, 1), "CASH_TOTAL"),
            (Cash([Pile(2000, 1)], 0, 200_000), "NO_NOTE"),
            (Cash([Pile(50, 1), Pile(50, 1)], 0, 10_000), "NOTE_TWICE"),
        ):
            with untouched(t):
                assert await t.refused("asha", "shifts.open", OpenShift(cash)) == code
        t.is_well()


@on_reactor
async def test_short_and_excess_are_booked_with_their_reason(node: Node) -> None:
    async with town(node) as t:
        await t.pay("asha", RAM, 20_000)
        await t.pay("bina", RAM, 10_000)
        with untouched(t):
            body = CloseShift(cash_of(19_900))
            assert await t.refused("asha", "shifts.close", body) == "CASH_DIFFERENCE"
        short = await t.done("asha", "shifts.close", CloseShift(cash_of(19_900), reason="a note"))
        assert (short.difference_paise, short.handed_paise, short.reason) == (
            -100,
            19_900,
            "a note",
        )
        assert stands(t) == {-4: 100, 9: 19_900}
        over = await t.done("bina", "shifts.close", CloseShift(cash_of(10_350), reason="no idea"))
        assert (over.difference_paise, over.counted) == (350, cash_of(10_350))
        assert stands(t, 2) == {-4: -250, 9: 10_350}
        t.is_well()


@on_reactor
async def test_instruments_are_ticked_or_given_by_their_total(node: Node) -> None:
    async with town(node) as t:
        one = await t.pay("asha", RAM, 20_000, mode="CHEQUE", instrument="204411")
        two = await t.pay("asha", RAM, 10_000, mode="DD", instrument="000077")
        await t.pay("asha", RAM, 500, mode="UPI", instrument="U1")
        cash = await t.pay("asha", RAM, 100)
        upi, cheque, dd = (
            ModeCount("UPI", 1, 500),
            ModeCount("CHEQUE", 1, 20_000),
            ModeCount("DD", 1, 10_000),
        )
        for modes, ticked, code in (
            ([], [], "MODE_TOTAL"),
            ([cheque, dd], [], "MODE_TOTAL"),
            ([upi, dd, replace(cheque, total_paise=20_001)], [], "MODE_TOTAL"),
            ([upi, dd, replace(cheque, count=2)], [], "MODE_TOTAL"),
            ([upi, cheque, dd, ModeCount("CARD", 1, 500)], [], "MODE_TOTAL"),
            ([upi, upi], [one.number, two.number], "MODE_TWICE"),
            ([upi], [one.number], "TICK_MISSING"),
            ([upi], [one.number, two.number, cash.number], "TICK_UNKNOWN"),
            ([], [one.number, two.number], "MODE_TOTAL"),
        ):
            with untouched(t):
                body = CloseShift(cash_of(100), modes, ticked)
                assert await t.refused("asha", "shifts.close", body) == code, body
        await t.done(
            "asha", "shifts.close", CloseShift(cash_of(100), [upi], [one.number, two.number])
        )
        t.is_well()


@on_reactor
async def test_a_day_waits_for_its_shifts_and_names_them(node: Node) -> None:
    async with town(node) as t:
        outcome = await t.ask("omar", "days.close", CloseDay(DAY))
        assert outcome.refusal is not None
        assert outcome.refusal[0] == "SHIFTS_OPEN"
        assert "C001 (asha), C002 (bina)" in outcome.refusal[1]
        await t.close_shift("asha")
        assert await t.refused("omar", "days.close", CloseDay(DAY)) == "SHIFTS_OPEN"
        await t.close_shift("bina")
        await t.done("omar", "days.close", CloseDay(DAY))
        assert await t.refused("asha", "shifts.open", FLOAT) == "DAY_NOT_OPEN"
        assert await t.refused("asha", "shifts.close", CloseShift(Cash())) == "DAY_NOT_OPEN"


@on_reactor
async def test_an_officer_closes_what_was_left_behind_and_says_why(node: Node) -> None:
    async with town(node) as t:
        await t.pay("asha", RAM, 100)
        with untouched(t):
            body = CloseShift(cash_of(100), counter="C001")
            assert await t.refused("omar", "shifts.close", body) == "CLOSE_REASON"
            assert await t.refused("bina", "shifts.close", body) == "OTHER_COUNTER"
        closed = await t.done("omar", "shifts.close", replace(body, reason="asha fell ill"))
        assert (closed.clerk, closed.closed_by) == ("asha", "omar")
        t.is_well()


@on_reactor
async def test_what_was_counted_is_not_cancelled_any_more(node: Node) -> None:
    async with town(node) as t:
        receipt = (await t.pay("asha", RAM, 100)).number
        await t.close_shift("asha")
        await t.done("asha", "shifts.open", FLOAT)
        with untouched(t):
            cancel = Cancel(receipt, "too late")
            assert await t.refused("omar", "payments.cancel", cancel) == "RECEIPT_COUNTED"
        fresh = (await t.pay("asha", RAM, 100)).number
        await t.done("omar", "payments.cancel", Cancel(fresh, "in time"))
        t.is_well()


@on_reactor
async def test_a_till_over_its_limit_takes_no_more_cash(node: Node) -> None:
    async with town(node) as t:
        await limit(t, "C001", 50_000)
        await t.close_shift("asha")
        assert (await t.done("asha", "shifts.open", OpenShift())).limit_paise == 50_000
        outcomes = await t.take(
            t.item("asha", Take(RICH, 60_000)),
            t.item("asha", Take(RICH, 1)),
            t.item("asha", Take(RICH, 1, "CHEQUE", "000001", "DUES", DAY, "SBI", "MALL-ROAD")),
            t.item("bina", Take(RICH, 90_000)),
        )
        assert codes(outcomes) == ["", "CASH_LIMIT", "", ""], "a till with nothing in it has room"
        refusal = outcomes[1].refusal
        assert refusal is not None
        assert "holds Rs 600.00 in cash" in refusal[1]
        assert "Make a pick-up" in refusal[1]
        await limit(t, "C002", 120_000)
        await t.close_shift("bina")
        await t.done("bina", "shifts.open", OpenShift())
        outcomes = await t.take(
            *(t.item("bina", Take(RICH, paise)) for paise in (70_000, 50_001, 50_000, 2))
        )
        assert codes(outcomes) == ["", "CASH_LIMIT", "", "CASH_LIMIT"], "up to the limit, not over"
        t.is_well()


async def limit(t: Town, code: str, paise: int) -> None:
    """The board sets a till's limit from today; two persons, of whom one is slipped in."""
    content = f'{{"cash_limit_paise":"{paise}","city":"Patna","code":"{code}"}}'
    t.look(
        "INSERT INTO mpower.masters VALUES ('tills', %s, %s, %s, now()) RETURNING 1",
        code,
        DAY,
        content,
    )


@on_reactor
async def test_takings_race_a_closing_and_every_receipt_is_in_a_counted_shift(node: Node) -> None:
    async with town(node) as t:

        async def many() -> list[str]:
            return [
                codes(await t.take(t.item("asha", Take(RICH, 100, confirmed=True))))[0]
                for _ in range(40)
            ]

        async def closing() -> None:
            for turn in range(8):
                shown = await t.read("asha", "shifts.show", ShowShift())
                body = CloseShift(cash_of(shown.expected_paise), reason=f"turn {turn}")
                await t.done("asha", "shifts.close", body)
                await t.done("asha", "shifts.open", OpenShift())

        taken, _ = await asyncio.gather(many(), closing())
        assert set(taken) <= {"", "NO_SHIFT"}
        await t.close_shift("asha")
        spans = t.look(
            "SELECT sum(last_number - first_number), sum(expected_paise), count(*)"
            " FROM mpower.shifts WHERE counter_id = 1"
        )
        assert spans == [(taken.count(""), taken.count("") * 100, 9)]
        assert stands(t).keys() <= {9, -4}
        assert sum(stands(t).values()) == taken.count("") * 100
        t.is_well()


def notes(count: int) -> Cash:
    """So many notes of Rs 100."""
    return Cash([Pile(100, count)], 0, count * 10_000)


@on_reactor
async def test_a_pick_up_moves_when_another_person_has_counted_it(node: Node) -> None:
    async with town(node) as t:
        await limit(t, "HO", 50_000)
        await t.close_shift("asha")
        await t.done("asha", "shifts.open", FLOAT)
        await t.pay("asha", RAM, 1_000, mode="CHEQUE", instrument="000007")
        assert codes(await t.take(t.item("asha", Take(RICH, 500)))) == ["CASH_LIMIT"]
        with untouched(t):
            for cash, code in (
                (Cash(), "PICK_UP_NOTHING"),
                (notes(6), "PICK_UP_TOO_MUCH"),
                (Cash([], 0, 100), "CASH_TOTAL"),
            ):
                assert await t.refused("asha", "shifts.pick_up", PickUpCash(cash)) == code
        first = await t.done("asha", "shifts.pick_up", PickUpCash(notes(4)))
        waits = await t.done("asha", "shifts.pick_up", PickUpCash(notes(5)))
        assert waits.counter == "C001", "whoever witnesses it elsewhere names it"
        assert waits.witness == ""
        assert stands(t)[1] == 50_050, "it lies in the till until it is witnessed"
        with untouched(t):
            for who, body, code in (
                ("omar.two", Witness(waits.pick_up, 50_000), "NO_PICK_UP"),
                ("omar", Witness(first.pick_up, 40_000, "C001"), "NO_PICK_UP"),
                ("omar", Witness(waits.pick_up, 50_001, "C001"), "PICK_UP_TOTAL"),
                ("asha.officer", Witness(waits.pick_up, 50_000, "C001"), "OWN_PICK_UP"),
            ):
                assert await t.refused(who, "shifts.witness", body) == code
        witness = Witness(waits.pick_up, 50_000, "C001")
        assert (await t.done("omar", "shifts.witness", witness)).witness == "omar"
        assert await t.refused("omar", "shifts.witness", witness) == "NO_PICK_UP"
        assert stands(t) == {1: 50, 2: 1_000, 9: 50_000, 10: -50_050}
        await t.pay("asha", RICH, 500)
        closed = await t.close_shift("asha")
        assert (closed.picked_paise, closed.expected_paise, closed.handed_paise) == (
            50_000,
            550,
            -49_500,
        )
        assert stands(t) == {2: 1_000, 9: 500}
        t.is_well()


@on_reactor
async def test_a_pick_up_nobody_witnessed_is_counted_in_the_till(node: Node) -> None:
    async with town(node) as t:
        await t.pay("asha", RICH, 50_000)
        waits = await t.done("asha", "shifts.pick_up", PickUpCash(notes(5)))
        assert (await t.close_shift("asha")).pick_ups == []
        await t.done("asha", "shifts.open", FLOAT)
        with untouched(t):
            witness = Witness(waits.pick_up, 50_000, "C001")
            assert await t.refused("omar", "shifts.witness", witness) == "NO_PICK_UP"
        t.is_well()


@on_reactor
async def test_a_shift_is_handed_over_when_both_have_counted(node: Node) -> None:
    async with town(node) as t:
        await t.close_shift("asha")
        await t.done("asha", "shifts.open", FLOAT)
        await t.pay("asha", RICH, 20_000)
        add_people(t, {"chand": ("E-CHAND", Role.CLERK, "counter/C001")})
        add_people(t, {"asha.two": ("E-ASHA", Role.CLERK, "counter/C001")})
        offer = HandOver("chand", cash_of(70_000), reason="a coin rolled away")
        with untouched(t):
            for body, code in (
                (replace(offer, reason=""), "CASH_DIFFERENCE"),
                (replace(offer, to="omar"), "NO_CLERK"),
                (replace(offer, to="nobody"), "NO_CLERK"),
                (replace(offer, to="asha.two"), "SAME_PERSON"),
            ):
                assert await t.refused("asha", "shifts.hand_over", body) == code
            take = TakeOver(cash_of(70_000))
            assert await t.refused("chand", "shifts.take_over", take) == "NO_OFFER"
            assert (await t.done("asha", "shifts.hand_over", offer)).difference_paise == -50
            assert await t.refused("asha.two", "shifts.take_over", take) == "NO_OFFER"
            less = TakeOver(cash_of(69_950))
            assert await t.refused("chand", "shifts.take_over", less) == "COUNT_DIFFERS"
        await t.pay("asha", RICH, 1_000, mode="UPI", instrument="9")
        with untouched(t):
            assert await t.refused("chand", "shifts.take_over", take) == "OFFER_STALE"
        upi = [ModeCount("UPI", 1, 1_000)]
        await t.done("asha", "shifts.hand_over", replace(offer, modes=upi))
        mine = await t.done("chand", "shifts.take_over", take)
        assert (mine.carried_paise, mine.expected_paise, mine.float_cash) == (
            19_950,
            70_000,
            FLOAT.cash,
        )
        assert stands(t) == {-4: 50, 1: 70_000, 5: 1_000, 10: -50_050}
        assert codes(await t.take(t.item("asha", Take(RAM, 1)))) == ["SHIFT_OF_ANOTHER"]
        assert (await t.pay("chand", RAM, 100)).number == "C001/2026-27/3"
        closed = await t.close_shift("chand")
        assert (closed.receipts, closed.taken_paise, closed.handed_paise) == (1, 100, 20_050)
        assert stands(t) == {-4: 50, 5: 1_000, 9: 20_050}
        t.is_well()


@on_reactor
async def test_what_was_picked_up_is_not_given_back_out_of_an_empty_till(node: Node) -> None:
    async with town(node) as t:
        receipt = (await t.pay("asha", RICH, 50_000)).number
        waits = await t.done("asha", "shifts.pick_up", PickUpCash(notes(5)))
        await t.done("omar", "shifts.witness", Witness(waits.pick_up, 50_000, "C001"))
        with untouched(t):
            cancel = Cancel(receipt, "wrong consumer")
            assert await t.refused("omar", "payments.cancel", cancel) == "TILL_SHORT"
        t.is_well()
