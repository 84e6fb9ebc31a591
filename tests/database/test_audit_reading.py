"""Reading the audit: who did what, in pages; an export that proves itself without a database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clients.ops.exported import Proving
from clients.ops.exporting import Done, export
from clients.ops.proving import Proof
from mpowerd.audit import reading
from protocols import evidence
from protocols.catalogue.audit import Entries, Entry, Export, Look, Rows
from protocols.catalogue.payments import Cancel, Duplicate
from protocols.refusals import Refused
from protocols.values import RequestKey
from tests.database.audited import CLUSTER, Audited, audited
from tests.database.town import RAM, SITA
from tests.postgres_nodes import Node, on_reactor

KEY = RequestKey(b"k" * 16, 1)


async def pages(a: Audited, **wanted: Any) -> list[Entry]:
    found: list[Entry] = []
    end: dict[str, Any] = {}
    for _ in range(500):
        page: Entries = await a.ask("audit.show", Look(**(wanted | end)))
        found += page.entries
        if page.done:
            return found
        end = {
            "before": page.before,
            "before_link": page.before_link,
            "before_position": page.before_position,
        }
    raise AssertionError("it does not end")


@on_reactor
async def test_who_did_what_the_newest_first_and_by_every_filter(
    node: Node, tmp_path: Path
) -> None:
    async with audited(node, tmp_path) as a:
        receipt = (await a.t.pay("bina", SITA, 700, mode="UPI", instrument="U1")).number
        await a.t.done("omar.two", "payments.cancel", Cancel(receipt, "typed twice"))
        everything = await pages(a)
        moments = [one.at for one in everything]
        assert moments == sorted(moments, reverse=True)
        ((rows,),) = a.t.look(
            "SELECT (SELECT count(*) FROM mpower.audit_entries) + (SELECT count(*) FROM"
            " mpower.requests WHERE operation = 'payments.take')"
        )
        assert len({(one.link, one.position) for one in everything}) == len(everything) == rows
        cancelled, taken = await pages(a, object=receipt)
        assert (cancelled.what, cancelled.user, cancelled.reason) == (
            "payments.cancel",
            "omar.two",
            "typed twice",
        )
        assert json.loads(cancelled.details)["after"] == {"state": "CANCELLED"}
        assert (taken.what, taken.user, taken.person) == ("payments.take", "bina", "E-BINA")
        said = json.loads(taken.details)
        assert (said["amount_paise"], said["mode"], said["instrument"]) == (700, "UPI", "U1")
        assert {one.user for one in await pages(a, user="bina")} == {"bina"}
        opened = await pages(a, operation="days.open")
        assert [one.object for one in opened] == ["2026-11-24"]
        assert await pages(a, since=moments[1]) == everything[:2]
        assert await pages(a, user="nobody") == []
        with pytest.raises(Refused, match="BAD_MOMENT"):
            await a.ask("audit.show", Look(since="2026-11-24T10:00:00"))


@on_reactor
async def test_the_smallest_pages_show_the_same(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with audited(node, tmp_path) as a:
        whole = await pages(a)
        theirs = await pages(a, user="asha")
        for limit, size in (("LINKS", 2), ("ROWS", 2), ("MOST", 1)):
            monkeypatch.setattr(reading, limit, size)
        assert await pages(a) == whole
        assert await pages(a, user="asha") == theirs


@on_reactor
async def test_every_print_is_an_entry_and_only_of_the_own_counter(
    node: Node, tmp_path: Path
) -> None:
    async with audited(node, tmp_path) as a:
        receipt = await a.t.pay("asha", RAM, 70)
        again = await a.t.done("asha", "payments.duplicate", Duplicate(receipt.number))
        assert again == receipt
        printed, _ = await pages(a, object=receipt.number)
        assert (printed.what, printed.user, printed.outcome) == (
            "payments.duplicate",
            "asha",
            "DONE",
        )
        asked = Duplicate(receipt.number)
        assert await a.t.refused("bina", "payments.duplicate", asked) == "NO_RECEIPT"
        unknown = Duplicate("C001/2026-27/999")
        assert await a.t.refused("asha", "payments.duplicate", unknown) == "NO_RECEIPT"
        await a.t.done("omar", "payments.cancel", Cancel(receipt.number, "typed twice"))
        assert await a.t.refused("asha", "payments.duplicate", asked) == "RECEIPT_CANCELLED"
        a.t.is_well()


class Exporting:
    """What an export needs of a link, and its lines."""

    def __init__(self, a: Audited) -> None:
        self.a, self.lines = a, list[bytes]()
        a.who = "adil"
        self.submit, self.ask = a.submit, a.ask

    def write(self, line: dict[str, Any]) -> None:
        self.lines.append(json.dumps(line).encode())

    async def run(self) -> Done:
        link: Any = self
        return await export(link, CLUSTER, Export("yearly audit"), KEY, self.write)

    def proof(self, lines: list[bytes] | None = None) -> Proof:
        return Proving(CLUSTER, self.a.keys).prove(lines or self.lines)

    def wrong(self, lines: list[bytes]) -> tuple[int, int, int, str]:
        found = self.proof(lines).trouble
        assert found is not None, "nothing was found"
        return found.chain, found.link, found.position, found.what

    def at(self, wanted: bytes) -> int:
        return next(n for n, line in enumerate(self.lines) if wanted in line)


@on_reactor
async def test_an_export_is_proven_without_the_database_and_every_change_of_it_is_named(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with audited(node, tmp_path) as a:
        monkeypatch.setattr(reading, "MOST", 2)
        out = Exporting(a)
        done = await out.run()
        links, entries = done.links, done.entries
        proof = out.proof()
        assert (proof.trouble, proof.links, proof.entries) == (None, links, entries)
        assert proof.newest == a.kept[-1]
        assert entries >= a.t.look("SELECT count(*) FROM mpower.audit_evidence")[0][0] - 2
        lines = out.lines
        paid = out.at(b'"amount_paise": 102')
        less = lines[paid].replace(b": 102", b": 1")
        changed = [*lines[:paid], less, *lines[paid + 1 :]]
        assert out.wrong(changed) == (0, 3, 0, "a row was changed")
        assert out.wrong([*lines[:paid], *lines[paid + 1 :]])[3] == "it covers 3 rows, 2 are there"
        swapped = [*lines[: paid - 1], lines[paid], lines[paid - 1], *lines[paid + 1 :]]
        assert out.wrong(swapped)[:2] == (0, 3)
        third = out.at(b'"link": 3, "chain"')
        assert out.wrong([*lines[:third], *lines[third + 4 :]])[3].startswith("the end counts")
        end = {"end": {"links": links - 1, "entries": entries - 3}}
        without = [*lines[:third], *lines[third + 4 : -1], json.dumps(end).encode()]
        assert out.wrong(without)[3] == "the checkpoint covers this link, and it is gone"
        assert "cut off" in out.wrong(lines[:-1])[3]
        leaf = out.at(b'"leaf": 1')
        assert out.wrong([*lines[:leaf], *lines[leaf + 1 :]])[3] == "leaf 2 follows leaf 0"
        head = json.loads(lines[0])
        head["checkpoint"]["signature"] = "00" * 64
        assert "not signed" in out.wrong([json.dumps(head).encode(), *lines[1:]])[3]
        assert "no export" in out.wrong(lines[1:])[3]
        assert "cannot be read" in out.wrong([lines[0], b"{", *lines[1:]])[3]
        ((asked,),) = a.t.look(
            "SELECT reason FROM mpower.audit_entries WHERE what = 'audit.export'"
        )
        assert asked == "yearly audit"


@on_reactor
async def test_rows_are_given_only_to_who_began_the_export(node: Node, tmp_path: Path) -> None:
    async with audited(node, tmp_path) as a:
        a.who = "adil"
        with pytest.raises(Exception, match="NO_EXPORT"):
            await a.ask("audit.rows", Rows(KEY))
        await Exporting(a).run()
        assert (await a.ask("audit.rows", Rows(KEY))).rows
        a.who = "olga"
        with pytest.raises(Exception, match="NO_EXPORT"):
            await a.ask("audit.rows", Rows(KEY))


@on_reactor
async def test_evidence_reads_and_writes_as_the_database_does(node: Node, tmp_path: Path) -> None:
    async with audited(node, tmp_path) as a:
        for kind, table in (("request", "requests"), ("entry", "audit_entries")):
            rows = a.t.look(f"SELECT mpower.{kind}_evidence(r), r.at FROM mpower.{table} r")
            assert rows
            for record, at in rows:
                fields = evidence.fields_of(kind, bytes(record))
                assert evidence.record_of(kind, fields) == bytes(record)
                assert fields["at"] == reading.iso(at)
