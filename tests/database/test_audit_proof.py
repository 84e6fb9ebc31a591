"""Attacks on the audit by somebody with the database's own rights: each is named by verify.

The attacker is the superuser with the triggers off: rewrites rows, deletes links, recomputes every
hash. What they have not is the board's signing key, and what was signed is also kept elsewhere.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from mpowerd.audit import operations, signing
from protocols.catalogue.days import CloseDay
from protocols.catalogue.payments import Cancel
from protocols.catalogue.security import AddCounter, DisableUser
from protocols.checkpoints import signed
from tests.database.audited import CLUSTER, Audited, audited
from tests.database.town import DAY, RAM, town
from tests.postgres_nodes import Node, on_reactor

RECOMPUTE = """
DO $$
DECLARE
    l record;
    prior bytea := sha256(int4send(0));
BEGIN
    FOR l IN SELECT link FROM mpower.audit_links WHERE link >> 40 = 0 ORDER BY link LOOP
        UPDATE mpower.audit_links k SET previous = prior, hash = e.hash, marks = e.marks FROM (
            SELECT sha256(prior || string_agg(evidence, ''::bytea ORDER BY position)) AS hash,
                array_agg(hash_record(ROW(evidence)) ORDER BY position) AS marks
            FROM mpower.audit_evidence WHERE link = l.link) e WHERE k.link = l.link;
        SELECT k.hash INTO prior FROM mpower.audit_links k WHERE k.link = l.link;
    END LOOP;
END $$
"""
LESS = "UPDATE mpower.requests SET amount_paise = 1 WHERE link = 3 AND position = 2"
CUT = (
    "DELETE FROM mpower.requests WHERE link = 3",
    "DELETE FROM mpower.audit_links WHERE link = 3",
)


@on_reactor
async def test_an_untouched_audit_is_proven_whole(node: Node, tmp_path: Path) -> None:
    async with audited(node, tmp_path) as a:
        proof = await a.proof(*a.kept)
        assert proof.trouble is None
        assert proof.checkpoints == len(a.kept) == 3
        rows = a.t.look("SELECT count(*) FROM mpower.audit_evidence")
        assert proof.entries == rows[0][0] > 5
        assert proof.links == a.t.look("SELECT count(*) FROM mpower.audit_links")[0][0]
        assert proof.newest == a.kept[-1]
        await a.signer.sign()  # nothing was written since: nothing is signed
        assert len(a.kept) == 3
        assert set(a.alarms.values()) == {""}


@on_reactor
async def test_a_rewritten_row_is_named_by_its_position(node: Node, tmp_path: Path) -> None:
    async with audited(node, tmp_path) as a:
        a.attack(LESS)
        assert await a.first_bad() == (0, 3, 2, "a row was changed")


@on_reactor
async def test_two_exchanged_entries_are_named(node: Node, tmp_path: Path) -> None:
    async with audited(node, tmp_path) as a:
        a.attack(
            "UPDATE mpower.requests SET position = CASE position WHEN 2 THEN 3 ELSE 2 END"
            " WHERE link = 3 AND position IN (2, 3)"
        )
        assert await a.first_bad() == (0, 3, 2, "a row was changed")


@on_reactor
async def test_entries_exchanged_between_links_are_named(node: Node, tmp_path: Path) -> None:
    async with audited(node, tmp_path) as a:
        a.attack(
            "UPDATE mpower.requests r SET link = 3 - r.link, at = l.at FROM mpower.audit_links l"
            " WHERE r.link IN (1, 2) AND l.link = 3 - r.link"
        )
        assert await a.first_bad() == (0, 1, 1, "a row was changed")


@on_reactor
async def test_a_deleted_or_added_row_is_named(node: Node, tmp_path: Path) -> None:
    async with audited(node, tmp_path) as a:
        a.attack("DELETE FROM mpower.requests WHERE link = 3 AND position = 3")
        assert await a.first_bad() == (0, 3, 0, "it covers 3 rows, 2 are there")
        a.attack("UPDATE mpower.requests SET link = 9 WHERE link = 3")
        assert (await a.first_bad())[:3] == (0, 3, 0)


@on_reactor
@pytest.mark.parametrize("link", [-(2**62), -1, 0])
async def test_an_entry_before_the_first_link_is_named(
    node: Node, tmp_path: Path, link: int
) -> None:
    """Not reached by a walk that begins at the first link, and read by everybody else."""
    async with audited(node, tmp_path) as a:
        a.attack(
            "INSERT INTO mpower.audit_entries (link, position, at, what, outcome, user_name,"
            " person, role, subject, address, counter, object, details, reason) SELECT"
            f" {link}, 1, at, what, outcome, user_name, person, role, subject, address, counter,"
            " object, details, 'never said' FROM mpower.audit_entries LIMIT 1"
        )
        assert await a.first_bad() == (0, 0, 1, "it is of no chain")
        assert a.t.look("SELECT trouble FROM mpower.audit_check_v1()") == [("it is of no chain",)]


@on_reactor
async def test_an_audit_of_which_nothing_is_left_is_no_proof(node: Node, tmp_path: Path) -> None:
    async with audited(node, tmp_path) as a:
        a.attack(
            *("DELETE FROM mpower.audit_entries", "DELETE FROM mpower.audit_links"),
            *("DELETE FROM mpower.audit_leaves", "DELETE FROM mpower.audit_checkpoints"),
            "DELETE FROM mpower.requests",
        )
        assert "no entry at all" in (await a.first_bad())[3]


@on_reactor
async def test_a_chain_written_anew_fails_against_what_was_signed(
    node: Node, tmp_path: Path
) -> None:
    async with audited(node, tmp_path) as a:
        a.attack(LESS.replace("link = 3 AND position = 2", "link = 1"))
        a.attack_silently(RECOMPUTE)
        assert a.t.look("SELECT * FROM mpower.audit_check_v1()") == []  # the chains alone agree
        what = "the link has another hash than the checkpoint that covers it"
        assert await a.first_bad() == (0, 1, 0, what)


@on_reactor
async def test_a_chain_and_its_log_written_anew_fail_against_the_signature(
    node: Node, tmp_path: Path
) -> None:
    async with audited(node, tmp_path) as a:
        a.attack(LESS.replace("link = 3 AND position = 2", "link = 1"))
        a.attack_silently(RECOMPUTE)
        a.attack(
            "UPDATE mpower.audit_leaves v SET hash = l.hash FROM mpower.audit_links l"
            " WHERE l.link = v.link"
        )
        chain, _, _, what = await a.first_bad()
        assert chain == -1
        assert "does not fit the log" in what


@on_reactor
async def test_a_forged_signature_is_named(node: Node, tmp_path: Path) -> None:
    async with audited(node, tmp_path) as a:
        forged = signed(Ed25519PrivateKey.generate(), CLUSTER, a.kept[1])
        a.attack(
            f"UPDATE mpower.audit_checkpoints SET signature = '\\x{forged.signature.hex()}'"
            f" WHERE size = {forged.size}"
        )
        chain, at, _, what = await a.first_bad()
        assert (chain, at) == (-1, forged.size)
        assert "not signed by this board's key" in what
        # and one that somebody hands in as kept elsewhere
        with_it = await a.first_bad(forged)
        assert "at the witness was not signed" in with_it[3]


@on_reactor
async def test_the_newest_links_deleted_are_missed(node: Node, tmp_path: Path) -> None:
    async with audited(node, tmp_path) as a:
        a.attack(*CUT)
        assert await a.first_bad() == (0, 3, 0, "a checkpoint covers this link, and it is gone")


@on_reactor
async def test_an_old_state_put_back_is_seen_only_by_what_was_kept_elsewhere(
    node: Node, tmp_path: Path
) -> None:
    async with audited(node, tmp_path) as a:
        last = a.kept[-1]
        a.attack(
            *CUT,
            f"DELETE FROM mpower.audit_leaves WHERE leaf >= {a.kept[-2].size}",
            f"DELETE FROM mpower.audit_checkpoints WHERE size = {last.size}",
        )
        assert (await a.proof()).trouble is None  # by itself it is a whole, older audit
        chain, at, _, what = await a.first_bad(last)
        assert (chain, at) == (-1, last.size)
        assert "cut off" in what
        # and when it has grown again as far, over another history
        await a.t.pay("asha", RAM, 7)
        await a.new_signer().sign()
        assert a.kept[-1].size == last.size
        assert "another history" in (await a.first_bad(last))[3]


@on_reactor
async def test_the_signer_signs_nothing_on_what_it_did_not_sign(node: Node, tmp_path: Path) -> None:
    async with audited(node, tmp_path) as a:
        size = a.kept[-1].size
        a.attack(f"DELETE FROM mpower.audit_checkpoints WHERE size = {size}")
        await a.t.pay("asha", RAM, 7)
        await a.signer.sign()
        assert "no longer holds the checkpoint" in a.alarms["audit-contradicted"]
        forged = signed(Ed25519PrivateKey.generate(), CLUSTER, a.kept[-2])
        a.attack(
            f"UPDATE mpower.audit_checkpoints SET signature = '\\x{forged.signature.hex()}'"
            f" WHERE size = {forged.size}"
        )
        await a.new_signer().sign()
        assert "not signed by this board's key" in a.alarms["audit-contradicted"]
        a.attack(
            f"UPDATE mpower.audit_checkpoints SET peaks = sha256('') WHERE size = {forged.size}"
        )
        await a.new_signer().sign()
        assert "peaks" in a.alarms["audit-contradicted"]
        assert len(a.kept) == 3
        a.t.is_well()  # payments went on


@on_reactor
async def test_without_a_key_payments_go_on_and_the_next_checkpoint_covers_them(
    node: Node, tmp_path: Path
) -> None:
    async with audited(node, tmp_path) as a:
        away = a.path.rename(tmp_path / "away")
        signer = a.new_signer()
        await a.t.pay("asha", RAM, 7)
        await signer.sign()
        assert "audit.key: No such file" in a.alarms["audit-unsigned"]
        away.chmod(0o644)
        away.rename(a.path)
        await signer.sign()
        assert "others can read" in a.alarms["audit-unsigned"]
        a.path.chmod(0o400)
        await signer.sign()
        assert a.alarms["audit-unsigned"] == ""
        proof = await a.proof(*a.kept)
        assert (proof.trouble, proof.checkpoints) == (None, 4)


@on_reactor
async def test_nothing_is_signed_that_the_other_copy_does_not_hold(
    node: Node, tmp_path: Path
) -> None:
    async with town(node, patience_s=0.3) as t:
        a = Audited(t, tmp_path)
        await t.pay("asha", RAM, 100)
        t.standing[0] = replace(t.standing[0], alone=False, sync_name="b_1")
        for _ in range(signing.LATE):
            await a.signer.sign()
        assert a.kept == []
        assert t.look("SELECT count(*) FROM mpower.audit_checkpoints") == [(0,)]
        assert "did not come about" in a.alarms["audit-unsigned"]
        t.standing[0] = replace(t.standing[0], alone=True, sync_name="")
        await a.signer.sign()
        assert [one.size for one in a.kept] == [
            t.look("SELECT count(*) FROM mpower.audit_leaves")[0][0]
        ]
        assert a.alarms["audit-unsigned"] == ""


@on_reactor
async def test_a_walk_in_the_smallest_steps_finds_the_same(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with audited(node, tmp_path) as a:
        whole = await a.proof(*a.kept)
        for limit in ("LINKS", "ROWS", "LEAVES"):
            monkeypatch.setattr(operations, limit, 1)
        assert await a.proof(*a.kept) == whole
        a.attack(LESS)
        assert await a.first_bad() == (0, 3, 2, "a row was changed")


@on_reactor
async def test_an_entry_says_how_its_object_stood_before_and_after(node: Node) -> None:
    async with town(node) as t:
        receipt = (await t.pay("asha", RAM, 100)).number
        await t.done("omar", "payments.cancel", Cancel(receipt, "typed twice"))
        await t.done("adil", "security.add_counter", AddCounter("C007", "HO"))
        await t.close_day(DAY)
        await t.done("adil", "security.disable_user", DisableUser("bina", "left the board"))
        assert await t.refused("omar", "days.close", CloseDay(DAY)) == "DAY_CLOSED"
        found = {
            what: (about, json.loads(details))
            for what, about, details in t.look(
                "SELECT what, object, details FROM mpower.audit_entries WHERE outcome = 'DONE'"
                " ORDER BY at"
            )
        }
        about, said = found["payments.cancel"]
        assert about == receipt
        assert (said["before"], said["after"]) == ({"state": "TAKEN"}, {"state": "CANCELLED"})
        about, said = found["security.disable_user"]
        assert (about, said["before"]["disabled"]) == ("bina", "")
        assert said["after"] == {"person": "E-BINA", "role": "clerk", "disabled": "left the board"}
        assert found["security.add_counter"][1]["before"] == {}
        assert found["days.close"][1]["after"] == {"state": "CLOSED"}
        ((refused,),) = t.look(
            "SELECT details FROM mpower.audit_entries WHERE outcome = 'DAY_CLOSED'"
        )
        assert "before" not in json.loads(refused)
        t.is_well()
