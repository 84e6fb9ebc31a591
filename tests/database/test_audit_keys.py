"""Another key signs the audit: what the former one signed stands, and it signs nothing more. And a
term begins by asking outside whether the log here is the one that was signed.
"""

from __future__ import annotations

import json
from pathlib import Path

from config.pki import signing_key
from mpowerd.audit.keyring import Keyring
from mpowerd.audit.operations import served
from mpowerd.audit.signing import Signer
from protocols.catalogue.audit import ChangeKey
from protocols.catalogue.body import Nothing
from protocols.checkpoints import Checkpoint, Keys, private_key, public_keys, public_pem, signed
from tests.database.audited import CLUSTER, Audited, audited
from tests.database.town import RAM
from tests.postgres_nodes import Node, on_reactor


class Rotated:
    """The town after its key was changed; ``listed`` is pki/audit.pub with both."""

    def __init__(self, a: Audited, folder: Path) -> None:
        self.a, self.former = a, a.key
        new, public = signing_key()
        self.path, self.listed = folder / "new.key", folder / "audit.pub"
        self.path.write_bytes(new)
        self.path.chmod(0o400)
        self.listed.write_bytes(public_pem(a.key.public_key()) + public)
        self.key = private_key(new)
        a.keys = public_keys(self.listed.read_bytes())
        a.operations = served(CLUSTER, Keyring(self.path, self.listed))

    def signer(self, path: Path, kept: Checkpoint | None = None) -> Signer:
        a = self.a

        async def keep(one: Checkpoint) -> None:
            a.kept.append(one)

        async def outside() -> Checkpoint | None:
            return kept

        def alarm(kind: str, text: str) -> None:
            a.alarms[kind] = text

        return Signer(a.t.database, CLUSTER, Keyring(path, self.listed), alarm, keep, outside)


@on_reactor
async def test_what_the_former_key_signed_stands_and_the_change_is_an_entry(
    node: Node, tmp_path: Path
) -> None:
    async with audited(node, tmp_path) as a:
        changed = Rotated(a, tmp_path)
        signer = changed.signer(changed.path)
        for paise in (7, 8):
            await a.t.pay("asha", RAM, paise)
            await signer.sign()
        assert [a.keys.signer(CLUSTER, one) for one in a.kept] == [0, 0, 0, 1, 1]
        proof = await a.proof(*a.kept)
        assert (proof.trouble, proof.checkpoints) == (None, 5)
        entries = a.t.look(
            "SELECT link, details FROM mpower.audit_entries WHERE what = 'audit.key_changed'"
        )
        ((link, details),) = entries
        said = json.loads(details)
        assert (said["before"], said["after"]) == (
            {"key": a.keys.print_of(0)},
            {"key": a.keys.print_of(1)},
        )
        covered = a.t.look("SELECT leaf FROM mpower.audit_leaves WHERE link = %s", link)
        assert covered[0][0] < a.kept[3].size, "the first checkpoint of the new key covers it"
        # whoever knows only the new key, or only the former one, is told so
        for known, place in (
            (Keys([changed.key.public_key()]), 0),
            (Keys([a.key.public_key()]), 3),
        ):
            a.keys = known
            what = (await a.first_bad(a.kept[place]))[3]
            assert "not signed by this board's key" in what


@on_reactor
async def test_a_replaced_key_signs_nothing_more(node: Node, tmp_path: Path) -> None:
    async with audited(node, tmp_path) as a:
        changed = Rotated(a, tmp_path)
        await a.t.pay("asha", RAM, 7)
        await changed.signer(changed.path).sign()
        # a node that was not given the new key
        await a.t.pay("asha", RAM, 8)
        await changed.signer(a.path).sign()
        assert "this node holds a former key" in a.alarms["audit-unsigned"]
        assert len(a.kept) == 4
        # whoever has the former key and the database signs the newest checkpoint with it
        forged = signed(changed.former, CLUSTER, a.kept[-1])
        a.attack(
            f"UPDATE mpower.audit_checkpoints SET signature = '\\x{forged.signature.hex()}'"
            f" WHERE size = {forged.size}"
        )
        assert (await a.proof()).trouble is None  # it is the board's, if nothing newer is there
        await a.t.pay("asha", RAM, 9)
        await changed.signer(changed.path).sign()
        a.attack(
            f"UPDATE mpower.audit_checkpoints SET signature ="
            f" '\\x{signed(changed.former, CLUSTER, a.kept[-1]).signature.hex()}'"
            f" WHERE size = {a.kept[-1].size}",
            f"UPDATE mpower.audit_checkpoints SET signature = '\\x{a.kept[3].signature.hex()}'"
            f" WHERE size = {forged.size}",
        )
        assert "by a key that had been replaced before it" in (await a.first_bad())[3]


@on_reactor
async def test_a_change_is_taken_up_without_a_restart_and_outlives_takeovers(
    node: Node, tmp_path: Path
) -> None:
    """Two nodes with files of their own take turns: each change is entered once, all verifies."""
    async with audited(node, tmp_path) as a:
        rings = [Keyring(tmp_path / f"{who}.key", tmp_path / f"{who}.pub") for who in "ab"]

        def bring(private: bytes, listed: bytes, *to: Keyring) -> None:
            for one in to:
                assert one.own is not None
                assert one.listed is not None
                one.own.unlink(missing_ok=True)
                one.own.write_bytes(private)
                one.own.chmod(0o400)
                one.listed.write_bytes(listed)

        first, listed = a.path.read_bytes(), public_pem(a.key.public_key())
        bring(first, listed, *rings)
        lives = [a.signer_with(one) for one in rings]
        for at_node in (0, 1):
            await a.t.pay("asha", RAM, 7)
            await lives[at_node].sign()
        for number in (1, 2):
            assert (await a.proof(*a.kept)).trouble is None
            private, public = signing_key()
            listed += public
            bring(private, listed, *rings)
            a.keys = public_keys(listed)
            a.operations = served(CLUSTER, rings[0])
            for taking_over in (lives[1], a.signer_with(rings[0]), lives[1]):
                await a.t.pay("asha", RAM, number)
                await taking_over.sign()
                assert a.alarms["audit-unsigned"] == ""
                assert a.alarms["audit-contradicted"] == ""
                assert a.keys.signer(CLUSTER, a.kept[-1]) == number
                assert (await a.proof(*a.kept)).trouble is None
            changes = "SELECT count(*) FROM mpower.audit_entries WHERE what = 'audit.key_changed'"
            assert a.t.look(changes) == [(number,)]


@on_reactor
async def test_a_change_is_entered_by_an_administrator_and_follows_the_key_in_force(
    node: Node, tmp_path: Path
) -> None:
    async with audited(node, tmp_path) as a:
        a.who = "adil"
        former, following = a.keys.print_of(0), "ab" * 32
        known = await a.ask("audit.signers", Nothing())
        assert (known.prints, known.last) == ([former], former)
        body = ChangeKey(former, following, "yearly change")
        assert (await a.submit("audit.change_key", body)).body == known
        ((reason, details),) = a.t.look(
            "SELECT reason, details FROM mpower.audit_entries WHERE what = 'audit.change_key'"
        )
        assert reason == "yearly change"
        assert json.loads(details)["following"] == following
        for wrong, code in (
            (ChangeKey(following, "cd" * 32, "a try"), "OTHER_AUDIT_KEY"),
            (ChangeKey(former, former, "a try"), "AUDIT_KEY_USED"),
        ):
            outcome = await a.outcome("audit.change_key", wrong)
            assert outcome.refusal is not None
            assert outcome.refusal[0] == code
        changed = Rotated(a, tmp_path)
        body = ChangeKey(a.keys.print_of(1), "cd" * 32, "too soon")
        outcome = await a.outcome("audit.change_key", body)
        assert outcome.refusal is not None
        assert outcome.refusal[0] == "KEY_UNUSED"
        assert a.keys.print_of(1)[:16] in outcome.refusal[1]
        await changed.signer(changed.path).sign()
        await a.submit("audit.change_key", body)


@on_reactor
async def test_a_list_without_this_nodes_key_signs_nothing(node: Node, tmp_path: Path) -> None:
    async with audited(node, tmp_path) as a:
        changed = Rotated(a, tmp_path)
        changed.listed.write_bytes(public_pem(a.key.public_key()))
        await a.t.pay("asha", RAM, 7)
        await changed.signer(changed.path).sign()
        assert "this node's key is not among those" in a.alarms["audit-unsigned"]
        changed.listed.write_text("nothing")
        await changed.signer(changed.path).sign()
        assert "it holds no public key" in a.alarms["audit-unsigned"]


@on_reactor
async def test_a_term_begins_by_asking_outside_what_was_signed_last(
    node: Node, tmp_path: Path
) -> None:
    async with audited(node, tmp_path) as a:
        changed = Rotated(a, tmp_path)
        last = a.kept[-1]
        await changed.signer(changed.path, last).sign()
        assert a.alarms.get("audit-behind", "") == ""
        strange = signed(private_key(signing_key()[0]), CLUSTER, last)
        await changed.signer(changed.path, strange).sign()
        assert a.alarms.get("audit-behind", "") == "", "what is not ours says nothing"
        # an older state is put back, and has grown again as far
        a.attack(
            "DELETE FROM mpower.requests WHERE link = 3",
            "DELETE FROM mpower.audit_links WHERE link = 3",
            f"DELETE FROM mpower.audit_leaves WHERE leaf >= {a.kept[-2].size}",
            f"DELETE FROM mpower.audit_checkpoints WHERE size >= {last.size}",
        )
        await changed.signer(changed.path, last).sign()
        assert "holds no checkpoint of that size" in a.alarms["audit-behind"]
        before = len(a.kept)
        lives = changed.signer(changed.path, last)
        await a.t.pay("asha", RAM, 9)
        await lives.sign()
        assert len(a.kept) > before
        lives.close()
        assert a.alarms["audit-behind"] == ""
