"""The people's link against a whole house on a real PostgreSQL: sign in, take, be cut off, resume,
crash, settle.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from twisted.internet import reactor
from twisted.internet.defer import Deferred, ensureDeferred

from clients.asking import Declined, NoPrimary
from clients.bank.command import Result, post_scroll
from clients.bank.scroll import Scroll
from clients.journal import Journal
from clients.link import Link
from protocols import codec, desk
from protocols.catalogue import CATALOGUE
from protocols.catalogue.banking import Line, Post
from protocols.catalogue.consumers import Dues
from protocols.catalogue.days import CloseDay, OpenDay
from protocols.catalogue.payments import Mine, Take, Verify
from protocols.messages import Reply
from protocols.shell.bridge import to_future
from protocols.shell.clock import BootClock
from tests.open_house import CLUSTER, DAY, PASSWORD, OpenHouse, house_for_fixture
from tests.postgres_nodes import on_reactor


@pytest.fixture(scope="module")
def house() -> Iterator[OpenHouse]:
    yield from house_for_fixture()


def link(house: OpenHouse, folder: Path, name: str, kind: str = "counter") -> Link:
    made = Link(
        [("127.0.0.1", house.port)],
        house.papers.give(kind, name),
        CLUSTER,
        Journal(folder / f"{name}.journal"),
        reactor=reactor,
        clock=BootClock(),
        principal=kind == "bank",
    )
    made.start()
    return made


@on_reactor
async def test_a_clerks_payment_and_an_officers_verification(
    house: OpenHouse, tmp_path: Path
) -> None:
    counter = link(house, tmp_path, "C001")
    session = await to_future(counter.sign_in("asha", PASSWORD))
    assert session.role == "clerk"
    taken = await to_future(counter.submit("payments.take", Take("1000000001", 12_500)))
    assert (taken.body.number, taken.replay) == ("C001/2026-27/1", False)
    dues = await to_future(counter.ask("consumers.dues", Dues("1000000001")))
    assert dues.payable_paise == 37_500
    with pytest.raises(Declined, match="NO_CONSUMER"):
        await to_future(counter.submit("payments.take", Take("1999999999", 100)))
    with pytest.raises(Declined, match="ROLE"):
        await to_future(counter.submit("payments.verify", Verify("C001", DAY)))
    counter.sign_out()
    await to_future(counter.sign_in("meera", PASSWORD))
    verified = await to_future(counter.submit("payments.verify", Verify("C001", DAY)))
    assert verified.body.total_paise == 12_500
    counter.stop()


@on_reactor
async def test_cut_off_it_resumes_by_its_token_and_the_same_bytes_pay_once(
    house: OpenHouse, tmp_path: Path
) -> None:
    counter = link(house, tmp_path, "C002")
    await to_future(counter.sign_in("ravi", PASSWORD))
    house.stand(open=False, primary="")
    waiting = counter.submit("payments.take", Take("1000000002", 100))
    with pytest.raises(NoPrimary):
        await to_future(counter.ask("payments.mine", Mine(), patience_s=0.7))
    assert not waiting.called
    assert len(counter.pending()) == 1
    house.stand(open=True, primary="a")
    taken = await to_future(waiting)
    assert taken.body.clerk == "ravi"
    counted = house.rows("SELECT count(*) FROM mpower.requests WHERE consumer = %s", 1_000_000_002)
    assert counted == [(1,)]
    counter.stop()


@on_reactor
async def test_after_a_crash_the_same_key_gives_the_first_receipt(
    house: OpenHouse, tmp_path: Path
) -> None:
    counter = link(house, tmp_path, "C003")
    await to_future(counter.sign_in("asha", PASSWORD))
    taken = await to_future(counter.submit("payments.take", Take("1000000003", 700)))
    counter.stop()
    journal = Journal(tmp_path / "C003.journal")
    journal._base.execute("UPDATE intents SET verdict = '', answer = x'', shown = 0")
    journal.close()
    again = link(house, tmp_path, "C003")
    assert again.standing.state is desk.State.SEEKING
    await to_future(again.sign_in("ravi", PASSWORD))
    await to_future(again.resolved())
    (entry,) = again.journal.unshown()
    answer = codec.from_server(entry.answer)
    assert isinstance(answer, Reply)
    assert answer.replay
    take = CATALOGUE.get("payments.take")
    assert take is not None
    assert codec.decode_reply(take, answer.body) == taken.body
    again.stop()


@on_reactor
async def test_a_bank_link_posts_by_its_certificate(house: OpenHouse, tmp_path: Path) -> None:
    bank = link(house, tmp_path, "SBI", "bank")
    lines = [Line("UTR1", "1000000004", 1_000, DAY), Line("UTR2", "77", 500, DAY)]
    posted = await to_future(bank.submit("banking.post", Post("S1", 1, 2, 1_500, lines)))
    assert (posted.body.matched, posted.body.suspense) == (1, 1)
    bank.stop()


@on_reactor
async def test_a_scroll_that_met_a_closed_day_is_posted_the_next_and_once(
    house: OpenHouse, tmp_path: Path
) -> None:
    bank, officer = link(house, tmp_path, "SBI", "bank"), link(house, tmp_path, "C004")
    scroll = Scroll("SBI", "S2", DAY, [Line("UTR9", "1000000005", 2_000, DAY)])

    def post(what: Scroll) -> Deferred[Result]:
        return ensureDeferred(post_scroll(bank, what))

    await to_future(officer.sign_in("meera", PASSWORD))
    await house.close_shifts()
    await to_future(officer.submit("days.close", CloseDay(DAY)))
    for _ in range(2):
        with pytest.raises(Declined, match="DAY_NOT_OPEN"):
            await to_future(post(scroll))
    await to_future(officer.submit("days.open", OpenDay("2026-04-03")))
    assert await to_future(post(scroll)) == Result("S2", 1, 0, matched=1, matched_paise=2_000)
    assert await to_future(post(scroll)) == Result("S2", 1, 1, matched=1, matched_paise=2_000)
    corrected = replace(scroll, lines=[Line("UTR8", "1000000005", 2_500, DAY)])
    with pytest.raises(Declined, match="SCROLL_KNOWN"):
        await to_future(post(corrected))
    assert house.rows("SELECT count(*) FROM mpower.scroll_lines WHERE scroll = 'S2'") == [(1,)]
    bank.stop()
    officer.stop()
