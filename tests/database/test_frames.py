"""A board's long lists on a real PostgreSQL: each answer is one frame, all pages together are all.

The texts are of 200 letters of three bytes each, as somebody writes who writes much.
"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import Struct, msgpack
from msgspec.structs import replace

from mpowerd.keys import keyed
from mpowerd.ledger import operations as ledger
from mpowerd.paging import fitting
from protocols.catalogue.approvals import Inbox, Requests
from protocols.catalogue.consumers import Contacts, NoteContact
from protocols.catalogue.ledger import Ask, Statement
from protocols.catalogue.security import GrantPower, Powers
from protocols.messages import MAX_BODY_BYTES
from protocols.operation import Role
from protocols.powers import Power
from tests.database.town import RAM, Town, add_people, town
from tests.postgres_nodes import Node, on_reactor

LONG = "क" * 200
WAITING = 200
"""Five pages; who may decide is asked of each request that is passed."""
SECOND = {"anita": ("E-ANITA", Role.ADMIN, "ops/desk2")}
AGAIN = (
    "INSERT INTO mpower.approvals (operation, object, power, value, office, body, content, change,"
    " persons, consumers, before, after, reason, maker_person, maker_user, asked_at, due_at)"
    " SELECT operation, object, power, value, office, body, content, sha256(n::text::bytea),"
    " persons, consumers, before, after, reason, maker_person, maker_user, asked_at, due_at"
    " FROM mpower.approvals, generate_series(2, %s) n RETURNING request"
)


async def all_pages(t: Town, who: str, operation: str, body: Any, rows: str) -> list[Any]:
    """Read a list as a client does; each answer fits a frame."""
    found: list[Any] = []
    while True:
        got = await t.read(who, operation, body)
        assert len(msgpack.encode(got)) <= MAX_BODY_BYTES
        found += getattr(got, rows)
        if not got.mark:
            return found
        body = replace(body, mark=got.mark)


@on_reactor
async def test_all_that_waits_is_listed_page_by_page_each_once(node: Node) -> None:
    async with town(node) as t:
        add_people(t, SECOND)
        grant = GrantPower("E-OMAR", Power.REFUND, 500_00, "HO", "2026-01-01", LONG)
        first = await t.done("adil", "security.grant_power", grant)
        t.look(AGAIN, WAITING)
        every = [first.request + n for n in range(WAITING)]
        for who, mine, order in (("anita", False, every), ("adil", True, every[::-1])):
            found = await all_pages(t, who, "approvals.inbox", Inbox(mine, 100), "requests")
            assert [one.request for one in found] == order
        few: Requests = await t.read("anita", "approvals.inbox", Inbox(most=3))
        assert ([one.request for one in few.requests], few.mark) == (every[:3], str(every[2]))


@on_reactor
async def test_powers_and_contacts_of_any_number_are_listed_page_by_page(node: Node) -> None:
    async with town(node) as t:
        t.look(
            "INSERT INTO mpower.powers (person, power, most, office, valid_from, valid_to,"
            " granted_at, given_by) SELECT person, power, most, office, valid_from, valid_to,"
            " granted_at, given_by FROM (SELECT * FROM mpower.powers LIMIT 1) p,"
            " generate_series(1, 1500) RETURNING 1"
        )
        held = await all_pages(t, "adil", "security.powers", Powers(), "powers")
        numbers = t.look("SELECT power_id FROM mpower.powers ORDER BY power_id DESC")
        assert [(one.power_id,) for one in held] == numbers
        note = NoteContact(RAM, "CALL", "IN", "क" * 80, LONG, LONG)
        kept = [(await t.done("asha", "consumers.note_contact", note)).contact for _ in range(40)]
        found: list[int] = []
        more = True
        while more:
            before = found[-1] if found else 0
            got = await t.read("asha", "consumers.contacts", Contacts(RAM, before, 50))
            assert len(msgpack.encode(got)) <= MAX_BODY_BYTES
            found += [one.contact for one in got.contacts]
            more = got.more
        assert found == kept[::-1]


@on_reactor
async def test_a_statement_of_long_lines_goes_on_where_a_page_was_cut(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with town(node) as t:
        for n in range(12):
            await t.pay("asha", RAM, 100 + n)
        whole: Statement = await t.read("omar", "ledger.statement", Ask(RAM))
        monkeypatch.setattr(ledger, "fitting", lambda rows: fitting(rows, 500))
        pages: list[Statement] = []
        mark = ""
        while not pages or pages[-1].more:
            pages.append(await t.read("omar", "ledger.statement", Ask(RAM, mark=mark)))
            assert len(msgpack.encode(pages[-1].lines)) < 1000
            mark = pages[-1].mark
        assert len(pages) > 3
        assert [line for page in pages[::-1] for line in page.lines] == whole.lines
        assert [one.opening for one in pages[:-1]] == [one.closing for one in pages[1:]]
        assert (pages[-1].opening, pages[0].closing) == (whole.opening, whole.closing)


class Told(Struct, frozen=True):
    """An answer as no operation declares one."""

    text: str


@on_reactor
async def test_what_could_not_be_answered_is_not_done(node: Node) -> None:
    """The work is undone, and its key says so for ever."""
    async with town(node) as t:
        note = NoteContact(RAM, "CALL", "IN", "a call")
        caller = t.people["asha"]

        async def work(cursor: Any, who: Any, body: Any) -> Told:
            await cursor.execute(
                "SELECT mpower.note_contact_v1(%s, %s, 'CALL', 'IN', 'a call', '', '', %s)",
                (who.session, int(RAM), who.counter),
            )
            return Told("x" * MAX_BODY_BYTES)

        key = t.key(caller)
        name, raw = "consumers.note_contact", msgpack.encode(note)
        said = await keyed(t.database, caller, key, name, raw, note, work)
        assert said.refusal is not None
        assert said.refusal[0] == "TOO_LONG"
        assert t.look("SELECT count(*) FROM mpower.contacts") == [(0,)]
        assert await t.refused("asha", name, note, key) == "TOO_LONG"
