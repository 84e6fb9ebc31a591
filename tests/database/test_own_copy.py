"""``mpowerd ledger`` on a machine's own copy: it changes nothing and names what does not fit."""

from __future__ import annotations

import json

import psycopg

from mpowerd.ledger_check import prove, shown
from tests.database.town import RAM, town
from tests.postgres_nodes import Node, on_reactor


@on_reactor
async def test_a_copy_is_proven_and_what_is_wrong_is_named(node: Node) -> None:
    async with town(node) as t:
        await t.pay("asha", RAM, 1_000)
        proof = prove(t.superuser)
        assert (proof.standby, proof.wrong) == (False, ())
        ((accounts,),) = t.look("SELECT count(*) FROM mpower.accounts")
        assert proof.accounts == accounts
        assert "all of the ledger fits" in shown(proof, as_json=False)
        with psycopg.connect(t.superuser, autocommit=True) as base:
            base.execute("ALTER TABLE mpower.series DISABLE TRIGGER USER")
            base.execute("UPDATE mpower.series SET last_number = 7 WHERE counter_id = 1")
        proof = prove(t.superuser)
        assert shown(proof, as_json=False).startswith("WRONG: C001/2026: a series has no gap")
        said = json.loads(shown(proof, as_json=True))
        assert (said["ok"], said["wrong"][0]["expected"]) == (False, "7")
