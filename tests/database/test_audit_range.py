"""An export of a range of time: proven between two checkpoints; whoever leaves something of the
range out, adds or changes it is named.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace

from clients.ops.exported import Proving
from clients.ops.exporting import CHAIN_BITS, export
from clients.ops.proving import Proof
from config.pki import signing_key
from mpowerd.audit import reading
from protocols.catalogue.audit import Export, Rows
from protocols.checkpoints import Keys, private_key, signed
from protocols.values import RequestKey
from tests.database.audited import CLUSTER, Audited, audited
from tests.database.town import RAM, SITA
from tests.postgres_nodes import Node, on_reactor

KEY = RequestKey(b"r" * 16, 1)
Line = dict[str, Any]


class Month:
    """A town in which two payments of a middle day lie between others; its edges."""

    def __init__(self, a: Audited) -> None:
        self.a = a
        a.who = "adil"
        self.submit, self.ask = a.submit, a.ask
        self.first = self.last = self.now()

    def now(self) -> dt.datetime:
        ((moment,),) = self.a.t.look("SELECT clock_timestamp()")
        assert isinstance(moment, dt.datetime)
        return moment

    async def day(self, *paise: int) -> None:
        for amount in paise:
            await self.a.t.pay("asha", RAM, amount)
            await self.a.t.pay("bina", SITA, amount)
        await self.a.signer.sign()

    async def export(self, first: str, last: str, key: RequestKey = KEY) -> list[Line]:
        lines: list[Line] = []
        link: Any = self
        await export(link, CLUSTER, Export("a test", first, last), key, lines.append)
        return lines

    async def middle(self) -> list[Line]:
        return await self.export(self.first.isoformat(), self.last.isoformat())

    def proof(self, lines: list[Line]) -> Proof:
        raw = [json.dumps(one).encode() for one in lines]
        return Proving(CLUSTER, self.a.keys).prove(raw)

    def wrong(self, lines: list[Line]) -> str:
        """What is wrong, by whoever also counts the end anew."""
        counted = {"links": sum("covers" in one for one in lines), "entries": len(rows(lines))}
        found = self.proof([*lines[:-1], {"end": counted}]).trouble
        assert found is not None, "nothing was found"
        return found.what


def rows(lines: list[Line]) -> list[Line]:
    return [one for one in lines if "request" in one or "entry" in one]


def amounts(lines: list[Line]) -> list[int]:
    return [one["request"]["amount_paise"] for one in lines if "request" in one]


@asynccontextmanager
async def month(node: Node, folder: Path) -> AsyncIterator[Month]:
    async with audited(node, folder) as a:
        m = Month(a)
        await m.day(501)
        m.first = m.now()
        await m.day(601, 602)
        m.last = m.now()
        await m.day(701)
        await m.day(801)
        yield m


@on_reactor
async def test_a_range_is_proven_whole_and_holds_little_else(node: Node, tmp_path: Path) -> None:
    async with month(node, tmp_path) as m:
        lines = await m.middle()
        ((details,),) = m.a.t.look(
            "SELECT details FROM mpower.audit_entries WHERE what = 'audit.export'"
        )
        asked = {"since": m.first.isoformat(), "until": m.last.isoformat()}
        assert json.loads(details) == {"reason": "a test"} | asked, "the entry says which range"
        proof = m.proof(lines)
        assert proof.trouble is None
        assert proof.span is not None
        inside = m.a.t.look(
            "SELECT count(*) FROM mpower.audit_evidence WHERE at >= %s AND at < %s", m.first, m.last
        )
        assert proof.span.inside == inside[0][0] >= 4
        assert [one for one in amounts(lines) if one in {601, 602}] == [601, 601, 602, 602]
        assert 801 not in amounts(lines), "beyond the next checkpoint"
        # of each chain its head of before stands there too: at most one link
        before = [
            at for one in lines if "covers" in one and (at := one["at"]) < m.first.isoformat()
        ]
        assert len(before) <= len({one["chain"] for one in lines if "covers" in one})
        leaves = [one["leaf"] for one in lines if "leaf" in one]
        assert leaves[0] == lines[0]["since"]["size"] > 0
        assert leaves[-1] == lines[0]["checkpoint"]["size"] - 1 < m.a.kept[-1].size - 1


@on_reactor
async def test_every_edge_a_person_can_name(node: Node, tmp_path: Path) -> None:
    async with month(node, tmp_path) as m:
        first, last = m.first.isoformat(), m.last.isoformat()
        whole = await m.export("", "", RequestKey(b"1" * 16, 1))
        assert m.proof(whole).span is None
        early = await m.export("", first, RequestKey(b"2" * 16, 1))
        late = await m.export(last, "", RequestKey(b"3" * 16, 1))
        past = await m.export("2001-01-01T00:00:00+00:00", last, RequestKey(b"4" * 16, 1))
        # in another zone it is the same moment
        there = dt.timezone(dt.timedelta(hours=5, minutes=30))
        begin, end = (one.astimezone(there).isoformat() for one in (m.first, m.last))
        zoned = await m.export(begin, end, RequestKey(b"5" * 16, 1))
        for lines in (early, late, past, zoned):
            assert m.proof(lines).trouble is None
        assert amounts(early)[:2] == amounts(past)[:2] == amounts(whole)[:2]
        assert amounts(late)[-1] == 801
        assert amounts(zoned) == amounts(await m.middle())
        span = m.proof(late).span
        assert span is not None
        assert (
            span.until
            == m.a.t.look("SELECT %s::timestamptz", late[0]["checkpoint"]["at"])[0][0].isoformat()
        )


@on_reactor
async def test_whoever_leaves_something_out_is_named(node: Node, tmp_path: Path) -> None:
    async with month(node, tmp_path) as m:
        lines = await m.middle()
        assert m.proof(lines).trouble is None
        starts = [n for n, one in enumerate(lines) if "covers" in one]
        ends = [*starts[1:], len(lines) - 1]
        for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
            without = [*lines[:start], *lines[end:]]
            what = m.wrong(without)
            assert what, number
        # the first link of the range itself, and the head before it with it
        chain = next(one["chain"] for one in lines if one.get("leaf") is None and "chain" in one)
        mine = [n for n in starts if lines[n]["chain"] == chain]
        cut = [*lines[: mine[0]], *lines[ends[starts.index(mine[1])] :]]
        assert m.wrong(cut) in {
            "links are missing before it",
            "the checkpoint covers this link, and it is gone",
        }
        for leaf in [n for n, one in enumerate(lines) if "leaf" in one]:
            assert m.wrong([*lines[:leaf], *lines[leaf + 1 :]])
        # a chain is left out whole, with its leaves
        other = [one for one in lines if one.get("link", -1) >> CHAIN_BITS != chain]
        assert m.wrong(other)


@on_reactor
async def test_a_changed_row_or_head_is_named(node: Node, tmp_path: Path) -> None:
    async with month(node, tmp_path) as m:
        lines = await m.middle()
        raw = json.dumps(lines)
        for amount in set(amounts(lines)):
            less = json.loads(raw.replace(f'"amount_paise": {amount}', '"amount_paise": 1'))
            assert m.wrong(less) == "a row was changed"
        for what, change in (
            ("not signed by this board's key", {"checkpoint": flip(lines[0]["checkpoint"])}),
            ("not signed by this board's key", {"since": flip(lines[0]["since"])}),
            ("peaks are not those", {"peaks": lines[0]["peaks"][1:]}),
            ("peaks are not those", {"peaks": ["00" * 32, *lines[0]["peaks"][1:]]}),
            ("peaks and not the checkpoint", {"since": None}),
            ("not where it says", {"from": ""}),
            ("not where it says", {"from": "2001-01-01T00:00:00+00:00"}),
            ("has no zone", {"from": "2026-01-01T00:00:00"}),
        ):
            assert what in m.wrong([{**lines[0], **change}, *lines[1:]]), change
        whole = await m.export("", "", RequestKey(b"1" * 16, 1))
        middle = {"since": lines[0]["since"], "peaks": lines[0]["peaks"]}
        assert m.wrong([{**whole[0], **middle}, *whole[1:]])
        m.a.keys = Keys([private_key(signing_key()[0]).public_key()])
        assert "not signed by this board's key" in m.wrong(lines)


def flip(checkpoint: Line) -> Line:
    return {**checkpoint, "signature": "00" * 64}


NOTE = (
    "SELECT mpower.audit_note_v1(0, 'test.late', 'DONE', '', '', '', '', '', '', null, null, '',"
    " '', '')"
)


@on_reactor
async def test_a_row_that_came_late_into_its_chain_is_in_its_range(
    node: Node, tmp_path: Path
) -> None:
    """Its transaction began before the edge and ended after a checkpoint that lies behind it."""
    async with month(node, tmp_path) as m:
        with psycopg.connect(m.a.t.superuser) as late:
            late.execute("SELECT now()")
            edge = m.now()
            await m.day(901)
            late.execute(NOTE.encode())
        await m.day(902)
        for key, first, last, inside in (
            (b"1", m.last, edge, 1),
            (b"2", edge, m.now(), 0),
            (b"3", m.last, m.now(), 1),
        ):
            one = RequestKey(key * 16, 1)
            lines = await m.export(first.isoformat(), last.isoformat(), one)
            assert m.proof(lines).trouble is None
            entries = [one["entry"] for one in lines if "entry" in one]
            found = [one for one in entries if one["what"] == "test.late"]
            assert (
                sum(first <= dt.datetime.fromisoformat(one["at"]) < last for one in found) == inside
            )


@on_reactor
async def test_a_checkpoint_that_is_older_than_a_row_it_covers_begins_no_range_with_it(
    node: Node, tmp_path: Path
) -> None:
    """A clock that went back: by its time the checkpoint lies before the range."""
    async with month(node, tmp_path) as m:
        ((at,),) = m.a.t.look("SELECT min(at) FROM mpower.requests WHERE amount_paise = 701")
        covers = next(one for one in m.a.kept if one.at > at.astimezone(dt.UTC).isoformat())
        early = (at - dt.timedelta(microseconds=9)).astimezone(dt.UTC)
        again = signed(
            m.a.key, CLUSTER, replace(covers, at=early.isoformat(timespec="microseconds"))
        )
        m.a.attack(
            f"UPDATE mpower.audit_checkpoints SET at = '{again.at}',"
            f" signature = '\\x{again.signature.hex()}' WHERE size = {again.size}"
        )
        lines = await m.export(at.isoformat(), "")
        assert lines[0]["since"]["size"] < covers.size
        assert m.proof(lines).trouble is None
        assert amounts(lines).count(701) == 2


@on_reactor
async def test_a_range_without_anything_or_the_wrong_way_round_is_refused(
    node: Node, tmp_path: Path
) -> None:
    async with month(node, tmp_path) as m:
        first, last = m.first.isoformat(), m.last.isoformat()
        for begin, end, code in (
            ("2001-01-01T00:00:00+00:00", "2001-02-01T00:00:00+00:00", "NOTHING_WRITTEN"),
            ("2101-01-01T00:00:00+00:00", "", "NOTHING_WRITTEN"),
            (last, first, "BAD_RANGE"),
            (first, first, "BAD_RANGE"),
            ("2026-11-24", "", "BAD_MOMENT"),
            ("2026-11-24T10:00:00", "", "BAD_MOMENT"),
        ):
            refusal = (await m.a.outcome("audit.export", Export("a test", begin, end))).refusal
            assert refusal is not None
            assert refusal[0] == code
            if code == "NOTHING_WRITTEN":
                assert f"from {begin} until {end or 'now'}: nothing was exported" in refusal[1]
                assert f"to {m.a.kept[-1].at[:19]}Z." in refusal[1]


@on_reactor
async def test_no_row_beyond_the_range_is_given_under_its_key(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with month(node, tmp_path) as m:
        lines = await m.middle()
        highest = max(one["link"] for one in lines if "covers" in one)
        seen = (await m.ask("audit.rows", Rows(KEY, highest, 40_000))).rows
        assert seen == []
        monkeypatch.setattr(reading, "MOST", 2)
        assert await m.export(m.first.isoformat(), m.last.isoformat(), KEY) == lines
