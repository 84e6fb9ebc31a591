"""What is done beside the rooms is entered into the audit by the primary: once, provably, and again
if a takeover gave the entry up.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from mpowerd.audit import happened
from mpowerd.audit.happened import Entering, Happened
from mpowerd.audit.traces import of_record
from protocols.annals import Entry
from protocols.catalogue.audit import Look
from tests.database.audited import Audited, audited
from tests.postgres_nodes import Node, on_reactor

STRICT = Entry(1, 5, 1, "a", "a-1-4-strict", "a", "strict on by ops/dev", sync="b")
CLAIMED = Entry(1, 6, 2, "b", "b-1-5-claim", "b", "primary silent", sync="", prev="a")


def entering(a: Audited, node: str, *found: Happened) -> Entering:
    async def find() -> Sequence[Happened]:
        return list(found)

    return Entering(a.t.database, node, find)


def entered(a: Audited) -> list[tuple[Any, ...]]:
    return a.t.look(
        "SELECT what, object, reason, subject FROM mpower.audit_entries"
        " WHERE subject LIKE 'node/%' AND object <> '' ORDER BY at, link"
    )


@on_reactor
async def test_an_act_of_the_cluster_is_entered_once_whoever_is_primary(
    node: Node, tmp_path: Path
) -> None:
    async with audited(node, tmp_path) as a:
        acts = of_record([STRICT, CLAIMED])
        first = entering(a, "a", *acts[:1])
        await first()
        await first()
        for name in "ba":  # the next term, on the other node, and the one after it
            await entering(a, name, *acts)()
        assert entered(a) == [
            ("cluster.strict", "record/1/5/a-1-4-strict", "strict on by ops/dev", "node/a"),
            ("cluster.claim", "record/1/6/b-1-5-claim", "primary silent", "node/b"),
        ]
        await a.signer.sign()
        assert (await a.proof(*a.kept)).trouble is None
        shown = await a.ask("audit.show", Look(operation="cluster.claim"))
        (one,) = shown.entries
        assert json.loads(one.details)["before"] == {"primary": "a", "copy": "b", "term": "1"}
        a.attack("UPDATE mpower.audit_entries SET reason = 'planned' WHERE what = 'cluster.claim'")
        assert (await a.first_bad(*a.kept))[3] == "a row was changed"


@on_reactor
async def test_what_stands_is_entered_when_it_changes_and_when_it_changes_back(
    node: Node, tmp_path: Path
) -> None:
    async with audited(node, tmp_path) as a:
        for pool in ("8", "9", "9", "8"):
            one = Happened("cluster.settings", "settings/a", {"limits.pool": pool})
            await entering(a, "a", one)()
        details = a.t.look(
            "SELECT details FROM mpower.audit_entries WHERE what = 'cluster.settings' ORDER BY at"
        )
        said = [json.loads(text) for (text,) in details]
        assert [one["after"]["limits.pool"] for one in said] == ["8", "9", "8"]
        assert [one["before"] for one in said] == [
            {},
            {"limits.pool": "8"},
            {"limits.pool": "9"},
        ]


@on_reactor
async def test_a_person_cannot_enter_in_a_nodes_name_what_did_not_happen(
    node: Node, tmp_path: Path
) -> None:
    async with audited(node, tmp_path) as a:
        (act,) = of_record([STRICT])
        a.t.look(
            "SELECT mpower.audit_note_v1(5, %s, 'DONE', 'omar', '', 'ops', 'ops/desk', '', '',"
            " NULL, NULL, %s, '{\"after\":{}}', '')",
            *(act.what, act.about),
        )
        await entering(a, "a", act)()
        assert [one[3] for one in entered(a)] == ["node/a"]


@on_reactor
async def test_a_history_of_years_is_caught_up_in_steps(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(happened, "AT_ONCE", 2)
    async with audited(node, tmp_path) as a:
        years = [Entry(1, epoch, 1, "a", f"a-1-{epoch}-sync") for epoch in range(5)]
        look = entering(a, "a", *of_record(years))
        seen = []
        for _ in range(4):
            await look()
            seen.append(len(entered(a)))
        assert seen == [2, 4, 5, 5]


@on_reactor
async def test_what_could_not_be_written_is_entered_later(node: Node, tmp_path: Path) -> None:
    async with audited(node, tmp_path) as a:
        look = entering(a, "a", *of_record([STRICT]))
        open_now = a.t.standing[0]
        a.t.standing[0] = replace(open_now, open=False)
        await look()
        assert entered(a) == []
        a.t.standing[0] = open_now
        await look()
        assert len(entered(a)) == 1
