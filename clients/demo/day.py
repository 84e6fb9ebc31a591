"""The scenario DAY: three counters from the float to the bank, with cheques, a cancellation, a
pick-up, a till that is short, a cheque that comes back, a payment moved to the right consumer, and
the primary's power cut in the middle.

    floats · payments at three counters, a power cut among them · a cancellation · a pick-up
    · the tills counted · the day verified · slips to the bank, credited but for one cheque
    · that cheque taken back · one payment moved, asked for by one officer, approved by another
    · the day closed · cash book, slips, trial balance and the ledger's own proof

The scenario keeps its own small books from the receipts it was given; at the end they are compared
with what the board says. This file must not know how anything is carried out.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import Any, Final

from msgspec import structs
from twisted.internet.defer import ensureDeferred, gatherResults

from clients.demo import board
from clients.demo.scene import Scene, SceneError
from clients.link import Link
from protocols.catalogue import (
    approvals,
    instruments,
    ledger,
    payments,
    remittance,
    shifts,
    transfers,
)
from protocols.catalogue.days import AskBook, CloseDay
from protocols.catalogue.payments import Receipt, Take

COUNTERS: Final = ("C001", "C002", "C003")
PAYMENTS: Final = 30
"""At each counter."""
CUT_AFTER: Final = 40
"""Payments of all counters before the power is cut."""
FLOAT: Final = 500_00
PICKED: Final = 200_00
SHORT: Final = 10_00
"""Missing in the third till."""
MODES: Final = ("CASH", "CASH", "CHEQUE", "CASH", "UPI")
BANK, CITY = "SBI", "PATNA"
ENGINEERS: Final = "SD-101"
SEAT: Final = "C009"
"""Where that office's engineer sits down."""
LOOK_S: Final = 0.3


class Day:
    """The scenario's own books: receipts by counter, what was cancelled, slips and credits."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.clerks: dict[str, Link] = {}
        self.receipts: dict[str, list[Receipt]] = {one: [] for one in COUNTERS}
        self.credited = self.remitted = self.charged = 0
        self.bounced: Receipt | None = None
        self.cut = False

    def stood(self, counter: str) -> list[Receipt]:
        """The receipts of a counter that were not cancelled."""
        return [one for one in self.receipts[counter] if one.state != "CANCELLED"]

    def taken(self, counter: str, mode: str) -> int:
        """What a counter took in that mode, paise."""
        return sum(one.amount_paise for one in self.stood(counter) if one.mode == mode)

    @property
    def everything(self) -> list[Receipt]:
        """All receipts that stand."""
        return [one for counter in COUNTERS for one in self.stood(counter)]


def notes(paise: int) -> shifts.Cash:
    """Count cash into piles of notes and coins."""
    piles, left = [], paise
    for value in (500, 100, 50, 20, 10, 5, 2, 1):
        count, left = divmod(left, value * 100)
        if count:
            piles.append(shifts.Pile(value, count))
    return shifts.Cash(piles, left, paise)


async def play(scene: Scene) -> None:
    """Play the day."""
    day = Day(scene)
    officer = await scene.seat("ops", "ops1", board.OFFICER)
    for counter in COUNTERS:
        link = await scene.seat("counter", counter, board.clerk_of(counter))
        await scene.do(link, "shifts.open", shifts.OpenShift(notes(FLOAT)))
        day.clerks[counter] = link
    scene.told(f"three shifts are open, each with a float of Rs {FLOAT // 100}")
    await gatherResults([ensureDeferred(_collect(day, one)) for one in COUNTERS])
    scene.told(f"{len(day.everything)} payments, the cut in the middle")
    await _cancel(day)
    await _pick_up(day, officer)
    await _close_shifts(day)
    await _verify(day, officer)
    for nth, _ in enumerate(COUNTERS):
        await _remit(day, officer, board.office_of(nth))
    await _bounce(day, officer)
    await _move(day, officer)
    await scene.do(officer, "days.close", CloseDay(board.today()))
    scene.told("the business day is closed")
    await _compare(day, officer)


async def _collect(day: Day, counter: str) -> None:
    """Take the counter's payments, one after the other; somebody trips over the cable."""
    chance, link = random.Random(counter), day.clerks[counter]
    numbers = board.consumer_numbers()
    for nth in range(PAYMENTS):
        mode = MODES[nth % len(MODES)]
        paper: dict[str, Any] = {}
        if mode == "CHEQUE":
            number = f"{chance.randrange(10**6):06d}"
            paper = {"instrument": number, "dated": board.today(), "bank": BANK, "branch": "MAIN"}
        elif mode != "CASH":
            paper = {"instrument": f"UPI{chance.randrange(10**9)}"}
        body = Take(
            chance.choice(numbers),
            chance.randrange(10_00, 3_000_00),
            mode,  # type: ignore[arg-type]
            purpose="ADVANCE",
            confirmed=True,
            **paper,
        )
        day.receipts[counter].append(await day.scene.do(link, "payments.take", body))
        if not day.cut and sum(map(len, day.receipts.values())) >= CUT_AFTER:
            day.cut = True
            await day.scene.kill_primary()


async def _cancel(day: Day) -> None:
    """The officer sits down at the second counter and cancels its first receipt."""
    counter, link = "C002", day.clerks["C002"]
    await link.sign_in(board.OFFICER, board.PASSWORD)
    wrong = day.receipts[counter][0]
    await day.scene.do(link, "payments.cancel", payments.Cancel(wrong.number, "wrong consumer"))
    await link.sign_in(board.clerk_of(counter), board.PASSWORD)
    day.receipts[counter][0] = structs.replace(wrong, state="CANCELLED")
    day.scene.told(f"receipt {wrong.number} is cancelled")


async def _pick_up(day: Day, officer: Link) -> None:
    """Cash of the first till is picked up; the officer has counted it."""
    offered = await day.scene.do(
        day.clerks["C001"], "shifts.pick_up", shifts.PickUpCash(notes(PICKED))
    )
    await day.scene.do(officer, "shifts.witness", shifts.Witness(offered.pick_up, PICKED, "C001"))
    day.scene.told(f"Rs {PICKED // 100} are picked up from C001")


async def _close_shifts(day: Day) -> None:
    for counter in COUNTERS:
        cash = day.taken(counter, "CASH") + FLOAT
        cash -= PICKED if counter == "C001" else 0
        cash -= SHORT if counter == "C003" else 0
        counted = [
            shifts.ModeCount(mode, len(found), sum(one.amount_paise for one in found))
            for mode in ("CHEQUE", "UPI")
            if (found := [one for one in day.stood(counter) if one.mode == mode])
        ]
        reason = "a note of ten is missing" if counter == "C003" else ""
        body = shifts.CloseShift(notes(cash), counted, [], reason)
        sheet = await day.scene.do(day.clerks[counter], "shifts.close", body)
        short = -SHORT if counter == "C003" else 0
        day.scene.agree(f"{counter}: counted less expected", short, sheet.difference_paise)
    day.scene.told("three tills are counted and closed")


async def _verify(day: Day, officer: Link) -> None:
    asked = await day.scene.do(officer, "payments.verify_day", payments.VerifyDay(board.today()))
    while True:
        said = await officer.ask(
            "payments.verification", payments.WatchVerification(asked.verification)
        )
        if said.state != "OPEN":
            break
        await officer.pause(LOOK_S)
    if said.state != "DONE":
        raise SceneError(f"The verification stopped: {said.why}")
    day.scene.agree("receipts verified", len(day.everything), said.posted, money=False)
    whole = sum(one.amount_paise for one in day.everything)
    day.scene.agree("posted to the heads", whole, said.posted_paise)
    day.scene.told(f"the day is verified: {said.posted} receipts")


async def _remit(day: Day, officer: Link, office: str) -> None:
    """An office's cheques are sorted, everything goes on slips, and the bank credits it: all but
    one cheque of the first counter.
    """
    scene = day.scene
    counter = COUNTERS[[board.office_of(nth) for nth, _ in enumerate(COUNTERS)].index(office)]
    cheques = [one for one in day.stood(counter) if one.mode == "CHEQUE"]
    read = [remittance.Cheque(one.number, BANK, CITY) for one in cheques]
    await scene.do(officer, "remittance.sort", remittance.Sort(read))
    pending = await officer.ask("remittance.pending", remittance.AskPending(office))
    ours = sum(day.taken(counter, mode) for mode in {*MODES}) - (SHORT if counter == "C003" else 0)
    scene.agree(f"{office}: waits for the bank", ours, sum(one.paise for one in pending.groups))
    for group in pending.groups:
        cash = notes(group.paise) if group.kind == "CASH" else shifts.Cash()
        total = 0 if group.kind == "CASH" else group.paise
        make = remittance.MakeSlip(office, group.kind, group.bank, group.place, cash, total)
        slip = await scene.do(officer, "remittance.make", make)
        day.remitted += slip.total_paise
        named: list[str] = []
        paise = slip.total_paise
        if counter == "C001" and group.kind == "CHEQUE":
            day.bounced = cheques[0]
            named = [one.receipt for one in slip.lines if one.receipt != cheques[0].number]
            paise -= cheques[0].amount_paise
        credit = remittance.Realise(slip.slip, board.today(), f"CR-{slip.slip}", paise, named)
        await scene.do(officer, "remittance.realise", credit)
        day.credited += paise
    scene.told(f"{office}: {len(pending.groups)} slips")


async def _bounce(day: Day, officer: Link) -> None:
    """The cheque that the bank did not credit comes back."""
    assert day.bounced is not None, "a cheque was kept back"
    before = await _owes(day, day.bounced.consumer)
    body = instruments.Dishonour(day.bounced.number, board.today(), "Funds insufficient")
    done = await day.scene.do(officer, "instruments.dishonour", body)
    day.charged = done.charge_paise + done.surcharge_paise
    owed = before + day.bounced.amount_paise + day.charged
    day.scene.agree("bounced: owed again, with charge", owed, await _owes(day, done.consumer))
    day.scene.told(f"the cheque of {day.bounced.number} came back and is taken back")


async def _move(day: Day, officer: Link) -> None:
    """A payment was taken for a wrong consumer of SD-101: its engineer asks, the officer agrees."""
    numbers = board.consumer_numbers()
    theirs = {one for nth, one in enumerate(numbers) if board.office_of(nth) == ENGINEERS}
    wrong = next(one for one in day.everything if one.consumer in theirs and one.mode == "CASH")
    right = next(one for one in sorted(theirs) if one != wrong.consumer)
    before = [await _owes(day, one) for one in (wrong.consumer, right)]
    engineer = await day.scene.seat("counter", SEAT, board.ENGINEER)
    why = "the number on the counterfoil is another"
    body = transfers.Move(wrong.consumer, right, wrong.amount_paise, why, wrong.number)
    asked = await day.scene.do(engineer, "transfers.move", body)
    approve = approvals.Approve(asked.request, asked.version, asked.content, "seen")
    await officer.sign_in(board.OFFICER, board.PASSWORD)
    await day.scene.do(officer, "approvals.approve", approve)
    after = [await _owes(day, one) for one in (wrong.consumer, right)]
    day.scene.agree("moved: owed by the wrong one", before[0] + wrong.amount_paise, after[0])
    day.scene.agree("moved: owed by the right one", before[1] - wrong.amount_paise, after[1])
    day.scene.told(f"{wrong.number} is moved to consumer {right}")


async def _owes(day: Day, consumer: str) -> int:
    said = await day.clerks["C001"].ask("ledger.statement", ledger.Ask(consumer, most=100))
    return int(said.closing)


async def _compare(day: Day, officer: Link) -> None:
    """Cash book, slips, trial balance and the ledger's own proof against the scenario's books."""
    scene = day.scene
    await _cash_books(day, officer)
    slips = 0
    for office in {board.office_of(nth) for nth, _ in enumerate(COUNTERS)}:
        found = await officer.ask("remittance.slips", remittance.AskSlips(office))
        slips += sum(one.total_paise for one in found.slips)
    scene.agree("slips of the day", day.remitted, slips)
    trial = await officer.ask("ledger.trial_balance", ledger.AskTrial(board.today()))
    scene.agree("trial balance: debit is credit", trial.debit, trial.credit)
    stands: Counter[str] = Counter()
    for group in trial.groups:
        stands[group.code] = group.debit - group.credit
    for code, paise in (
        ("CASH", 0),
        ("STRONG_ROOM", 0),
        ("FLOAT", 0),
        ("CHEQUE", 0),
        ("RECEIVED", 0),
        ("BANK", day.credited),
        ("IN_TRANSIT", 0),
        ("EARNED", -day.charged),
        ("DIFFERENCES", SHORT),
    ):
        scene.agree(f"trial balance: {code.lower().replace('_', ' ')}", paise, stands[code])
    proof = await officer.ask("ledger.check", ledger.Check())
    scene.agree("things wrong in the ledger", 0, len(proof.wrong), money=False)


async def _cash_books(day: Day, officer: Link) -> None:
    for nth, counter in enumerate(COUNTERS):
        ask = AskBook(board.today(), board.office_of(nth), counter)
        book = await officer.ask("days.cash_book", ask)
        every = sum(one.amount_paise for one in day.receipts[counter])
        day.scene.agree(
            f"cash book {counter}: received", every, sum(one.received for one in book.modes)
        )
        day.scene.agree(f"cash book {counter}: in hand", 0, sum(one.closing for one in book.modes))
