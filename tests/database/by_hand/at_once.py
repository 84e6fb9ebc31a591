"""Several people who act at the same moment on the same accounts, and what must hold afterwards.

Who comes first is for the database to say, so nothing is foretold: a session sends a request until
it has a definitive answer, sometimes twice at the same moment, and keeps each answer. What the
acknowledged deeds moved does not depend on their order: ``Sums`` has it, each consumer as one
account. This file must not read the ledger's tables but in ``fits``.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, get_args

from psycopg.errors import SerializationFailure

from mpowerd.caller import Key
from mpowerd.database import Busy, Doubtful, Gated
from mpowerd.outcomes import Outcome
from protocols.accounts import group_of
from protocols.catalogue.approvals import Approve
from protocols.catalogue.banking import Line, Post
from protocols.catalogue.body import Body
from protocols.catalogue.charges import ChargedHead, Raise
from protocols.catalogue.instruments import Dishonour
from protocols.catalogue.payments import Cancel, Take, Verify, VerifyDay
from protocols.catalogue.receipt_books import Enter, Leaf
from protocols.catalogue.shifts import PickUpCash, Witness
from protocols.catalogue.transfers import Match, Move, Refund, SendUp
from tests.database.by_hand.afterwards import FUNDS
from tests.database.by_hand.at_counters import OFFICER_AT, STRANGER, payment
from tests.database.by_hand.book import BANK, CLERK_AT, HELD, NOBODY, NUMBERS, PAPER, Book
from tests.database.town import DAY, Town, carry_on, cash_of, decoded

Place = tuple[str, str]
STATE: Final = ("HO", "STATE")
"""What is held for the State and what is to be collected for it, as one: it moves by charges."""
OF_STATE: Final = {*HELD.values(), "STATE_DUES"}
TAKE: Final = "payments.take"
STATES: Final = ("CANCELLED", "VERIFIED", "DISHONOURED", "MOVED")


@dataclass
class Taken:
    """A receipt that was acknowledged, and what else was acknowledged about it."""

    number: str
    consumer: str
    paise: int
    hand: Place
    mode: str
    became: list[str] = field(default_factory=list)


@dataclass
class Deed:
    """What was asked under one key, and its answer."""

    who: str
    operation: str
    body: Body
    key: Key
    outcome: Outcome


@dataclass
class Sums:
    """What all acknowledged deeds moved, the receipts among them, how many were verified."""

    stands: Counter[Place] = field(default_factory=Counter)
    receipts: list[Taken] = field(default_factory=list)
    deeds: list[Deed] = field(default_factory=list)
    verified: int = 0

    def moved(self, debit: Place, credit: Place, paise: int) -> None:
        """Book an amount."""
        self.stands[debit] += paise
        self.stands[credit] -= paise

    def taken(self, number: str, consumer: str, paise: int, hand: Place, mode: str) -> None:
        """Book a receipt."""
        self.receipts.append(Taken(number, consumer, paise, hand, mode))
        self.moved(hand, whose(consumer, hand[0]), paise)


def whose(consumer: str, series: str) -> Place:
    """The account of a consumer's money, or of nobody's."""
    return (series, "SUSPENSE") if consumer == NOBODY else (consumer, "")


@dataclass
class Session:
    """One of several who act at once."""

    t: Town
    sums: Sums
    name: str
    count: int = 0
    more: int = 0
    """Paise by which it asks for more than the others: the same request does not wait twice."""

    async def ask(self, who: str, operation: str, body: Body) -> Any:
        """Send a request until it is answered, every third one twice at once; its reply, or None
        for a refusal.
        """
        self.count += 1
        key = self.t.key(self.t.people[who])
        both = [self._until(who, operation, body, key) for _ in range(1 + (self.count % 3 == 0))]
        outcomes = await asyncio.gather(*both)
        assert len({(one.reply, one.refusal) for one in outcomes}) == 1
        self.sums.deeds.append(Deed(who, operation, body, key, outcomes[0]))
        return None if outcomes[0].refusal else decoded(operation, outcomes[0])

    async def _until(self, who: str, operation: str, body: Body, key: Key) -> Outcome:
        while True:
            try:
                return await sent(self.t, who, operation, body, key)
            except (Busy, Gated, Doubtful, SerializationFailure):
                await asyncio.sleep(0)

    async def agreed(self, operation: str, body: Body) -> bool:
        """Omar asks, Ila approves: it was done."""
        pending = await self.ask("omar", operation, body)
        if pending is None:
            return False
        approve = Approve(pending.request, pending.version, pending.content)
        return await self.ask("ila", "approvals.approve", approve) is not None

    def pick(self, number: int, *, nobodys: bool = False) -> Taken | None:
        """Choose one of the receipts that anybody has; of a consumer, or of nobody."""
        found = [one for one in self.sums.receipts if (one.consumer == NOBODY) is nobodys]
        return found[number % len(found)] if found else None


async def sent(t: Town, who: str, operation: str, body: Body, key: Key) -> Outcome:
    """Ask once, as the operation's own door does."""
    if isinstance(body, Take):
        (outcome,) = await t.take(t.item(who, body, key))
        return outcome
    return await t.ask(who, operation, body, key)


async def pay(s: Session, a: int, b: int) -> None:
    counter, body = payment(Book(), a, b)
    if receipt := await s.ask(CLERK_AT[counter], TAKE, body):
        said = (body.consumer, body.amount_paise, (counter, body.mode), body.mode)
        s.sums.taken(receipt.number, *said)


async def cancel(s: Session, a: int, b: int) -> None:
    one = s.pick(a, nobodys=b % 5 == 0)
    if one is None:
        return
    who = OFFICER_AT.get(one.hand[0], "omar")
    if await s.ask(who, "payments.cancel", Cancel(one.number, "by hand")):
        one.became.append("CANCELLED")
        s.sums.moved(whose(one.consumer, one.hand[0]), one.hand, one.paise)


async def verify_one(s: Session, a: int, b: int) -> None:
    one = s.pick(a)
    if one is None:
        return
    body = Verify(one.hand[0], DAY, [one.number])
    if await s.ask("omar", "payments.verify", body):
        one.became.append("VERIFIED")
        s.sums.verified += 1


async def verify_counter(s: Session, a: int, b: int) -> None:
    if done := await s.ask("omar", "payments.verify", Verify(("C001", "C002", BANK)[a % 3], DAY)):
        s.sums.verified += done.count


async def verify_day(s: Session, a: int, b: int) -> None:
    await s.ask("omar", "payments.verify_day", VerifyDay(DAY))
    await finished(s.t)


async def finished(t: Town) -> None:
    """Carry the verifications on, however often that is broken off."""
    while True:
        try:
            return await carry_on(t.database)
        except (Busy, Gated, Doubtful):
            await asyncio.sleep(0)


async def dishonour(s: Session, a: int, b: int) -> None:
    one = s.pick(a, nobodys=b % 4 == 0)
    if one is None:
        return
    body = Dishonour(one.number, DAY, "Funds insufficient")
    if done := await s.ask("omar", "instruments.dishonour", body):
        one.became.append("DISHONOURED")
        s.sums.moved((done.consumer, ""), one.hand, one.paise)
        charged = done.charge_paise + done.surcharge_paise
        s.sums.moved((done.consumer, ""), ("HO", "EARNED"), charged)


async def move_receipt(s: Session, a: int, b: int) -> None:
    one = s.pick(a)
    if one is None:
        return
    to = NUMBERS[(NUMBERS.index(one.consumer) + 1 + b % 3) % len(NUMBERS)]
    if await s.agreed("transfers.move", Move(one.consumer, to, one.paise, "by hand", one.number)):
        one.became.append("MOVED")
        s.sums.moved((one.consumer, ""), (to, ""), one.paise)


async def move_advance(s: Session, a: int, b: int) -> None:
    giver, to = NUMBERS[a % len(NUMBERS)], NUMBERS[(a + 1 + b % 3) % len(NUMBERS)]
    body = Move(giver, to, 1 + b // 5, "by hand")
    if await s.agreed("transfers.move", body):
        s.sums.moved((giver, ""), (to, ""), body.amount_paise)


async def refund(s: Session, a: int, b: int) -> None:
    body = Refund(NUMBERS[a % len(NUMBERS)], 1 + b // 8 + s.more, "by hand")
    if await s.agreed("transfers.refund", body):
        s.sums.moved((body.consumer, ""), ("HO", "REFUNDS"), body.amount_paise)


async def charge(s: Session, a: int, b: int) -> None:
    head = get_args(ChargedHead)[b % len(get_args(ChargedHead))]
    body = Raise(NUMBERS[a % len(NUMBERS)], head, 1 + b // 2, f"N-{a % 2}", "by hand")
    if await s.agreed("charges.raise", body) and head != "INSTALMENT":
        against = STATE if head in HELD else ("HO", "EARNED")
        s.sums.moved((body.consumer, ""), against, body.amount_paise)


async def post_scroll(s: Session, a: int, b: int) -> None:
    lines = [
        Line(f"R{a % 4}", NUMBERS[a % len(NUMBERS)], 1 + b, DAY),
        Line(f"X{a % 4}", STRANGER, 1 + b // 3, DAY),
    ]
    body = Post(f"{s.name}-{s.count}", 1, 2, sum(line.amount_paise for line in lines), lines)
    if posted := await s.ask(BANK, "banking.post", body):
        for line, said in zip(lines, posted.lines, strict=True):
            consumer = line.consumer if line.consumer in NUMBERS else NOBODY
            hand = (BANK, "TRANSFER")
            s.sums.taken(said.receipt, consumer, line.amount_paise, hand, "TRANSFER")


async def match(s: Session, a: int, b: int) -> None:
    one = s.pick(a, nobodys=True)
    if one is None:
        return
    body = Match(one.number, NUMBERS[b % len(NUMBERS)], "by hand")
    if await s.ask("omar", "transfers.match", body):
        one.became.append("VERIFIED")
        s.sums.verified += 1
        s.sums.moved((one.hand[0], "SUSPENSE"), (body.consumer, ""), one.paise)


async def send_up(s: Session, a: int, b: int) -> None:
    place = ("C001", "C002", BANK)[a % 3], FUNDS[b % len(FUNDS)]
    body = SendUp(*place, 1 + b // 3 + s.more, f"UTR-{a}", "by hand")  # type: ignore[arg-type]
    if await s.agreed("transfers.send_up", body):
        s.sums.moved(("HO", "BANK"), place, body.amount_paise)


async def pick_up(s: Session, a: int, b: int) -> None:
    counter = ("C001", "C002")[a % 2]
    offered = await s.ask(CLERK_AT[counter], "shifts.pick_up", PickUpCash(cash_of(1 + b // 4)))
    if offered is None:
        return
    witness = Witness(offered.pick_up, offered.paise, counter)
    if await s.ask("omar", "shifts.witness", witness):
        s.sums.moved((counter, "STRONG_ROOM"), (counter, "CASH"), offered.paise)


async def enter_leaf(s: Session, a: int, b: int) -> None:
    leaf = Leaf(1 + a % 3, DAY, (NUMBERS[a % 4], STRANGER)[b % 2], 1 + b)
    entered = await s.ask("asha", "receipt_books.enter", Enter(PAPER, [leaf]))
    if entered and entered.leaves[0].outcome != "BEFORE":
        consumer = NOBODY if b % 2 else leaf.consumer
        hand = (PAPER, "STRONG_ROOM")
        s.sums.taken(entered.leaves[0].receipt, consumer, leaf.amount_paise, hand, "CASH")


DEEDS: Final[dict[str, Callable[[Session, int, int], Awaitable[None]]]] = {
    "pay": pay,
    "cancel": cancel,
    "verify one": verify_one,
    "verify a counter": verify_counter,
    "verify the day": verify_day,
    "dishonour": dishonour,
    "move a receipt": move_receipt,
    "move an advance": move_advance,
    "refund": refund,
    "charge": charge,
    "post a scroll": post_scroll,
    "match": match,
    "send up": send_up,
    "pick cash up": pick_up,
    "enter a leaf": enter_leaf,
}

PLACES: Final = (
    "SELECT CASE WHEN a.account >= 0 THEN lpad((a.account >> 4)::text, 10, '0')"
    " WHEN a.account > -16 THEN 'HO' ELSE c.code END, CASE WHEN a.account >= 0 THEN 'CONSUMER'"
    " WHEN a.account > -16 THEN 'BOARD' ELSE 'COUNTER' END, (abs(a.account) % 16)::integer,"
    " a.balance_paise FROM mpower.accounts a LEFT JOIN mpower.counters c"
    " ON a.account < -15 AND c.counter_id = -a.account >> 4 WHERE a.balance_paise <> 0"
)
"""Every account that stands at anything: owner, kind, slot, paise."""
OVERDRAWN: Final = (
    "SELECT mpower.account_text(account), balance_paise, owed_paise FROM mpower.accounts"
    " WHERE CASE WHEN account >= 0 THEN CASE account % 16 WHEN 6 THEN balance_paise > 0"
    " WHEN 0 THEN false ELSE balance_paise < 0 OR owed_paise < 0 END"
    " ELSE account < -15 AND -account % 16 BETWEEN 1 AND 9 AND balance_paise < 0 END"
)
"""No head but an advance is ever in credit, no advance in debit, no hand gives more than it has."""
LIVES: Final = (
    "SELECT mpower.receipt_text(r.counter, r.receipt), coalesce(lpad(r.consumer::text, 10, '0'),"
    " ''), r.amount_paise, array(SELECT e.state FROM mpower.receipt_events e"
    " WHERE e.receipt = r.receipt), EXISTS (SELECT FROM mpower.transfers x"
    " WHERE x.receipt = r.receipt AND x.kind = 'MOVE') FROM mpower.requests r"
    " WHERE r.receipt IS NOT NULL"
)
BALANCES: Final = "SELECT md5(string_agg(a::text, ',' ORDER BY account)) FROM mpower.accounts a"


async def fits(t: Town, sums: Sums) -> None:
    """Nothing acknowledged is lost or doubled, nothing overdrawn, and a replay says the same."""
    t.is_well()
    assert t.look(OVERDRAWN) == []
    stands: Counter[Place] = Counter()
    for owner, kind, slot, paise in t.look(PLACES):
        code = group_of(kind, slot).code
        place = STATE if code in OF_STATE else (owner, "" if kind == "CONSUMER" else code)
        stands[place] += paise
    assert +stands == +sums.stands
    assert -stands == -sums.stands
    _lives(t, sums)
    before = t.look(BALANCES)
    for one in sums.deeds:
        again = await sent(t, one.who, one.operation, one.body, one.key)
        said = (one.outcome.reply, one.outcome.refusal)
        assert (again.replay, again.reply, again.refusal) == (True, *said), one.operation
    assert t.look(BALANCES) == before


def _lives(t: Town, sums: Sums) -> None:
    """Every receipt is one that was acknowledged, and became what was acknowledged."""
    lives = {number: rest for number, *rest in t.look(LIVES)}
    assert len(lives) == len(sums.receipts)
    verified = 0
    for one in sums.receipts:
        consumer, paise, events, moved = lives[one.number]
        assert (consumer, paise) == (one.consumer, one.paise)
        became = {*events, *(["MOVED"] if moved else [])}
        verified += "VERIFIED" in became
        assert len(one.became) == len(set(one.became)), "an act upon a receipt was done twice"
        for state in ("CANCELLED", "DISHONOURED", "MOVED"):
            assert (state in became) == (state in one.became), (one, events)
        assert "VERIFIED" in became or "VERIFIED" not in one.became
    ((by_days,),) = t.look("SELECT coalesce(sum(posted), 0) FROM mpower.verifications")
    assert verified == sums.verified + by_days


def begun() -> Sums:
    """What a new town stands at."""
    sums = Sums()
    for (owner, code), paise in Book().accounts().items():
        place = STATE if code in OF_STATE else (owner, "" if owner in NUMBERS else code)
        sums.stands[place] += paise
    return sums
