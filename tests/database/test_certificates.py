"""Requests for certificates in a real database: who may ask for whom, who may answer, once."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

import pytest
from msgspec.structs import replace

from config.pki import Authority, Identity, certify, issue, make_authority
from config.renewal import asked_key, request
from mpowerd.caller import Caller
from mpowerd.certificates.rules import A_DAY
from mpowerd.chores import tell_unsigned
from protocols.catalogue.certificates import PAGE, Ask, Fetch, Settle, Use, Waiting
from protocols.operation import Role
from tests.database.town import CLUSTER, Town, town
from tests.postgres_nodes import Node, on_reactor

NOW = dt.datetime.now(dt.UTC)
AUTHORITY = make_authority(CLUSTER, NOW)


def machine(t: Town, subject: str) -> str:
    """The certificate itself as a caller."""
    kind, _, name = subject.partition("/")
    role = Role.BANK if kind == "bank" else Role.TERMINAL
    counter = "OPS" if kind == "ops" else name
    t.people[subject] = Caller(subject, subject, role, subject, counter, "127.0.0.1:9", b"")
    return subject


def asking(subject: str, authority: Authority = AUTHORITY) -> Ask:
    who = Identity(CLUSTER, *subject.split("/"))
    present = issue(authority, who, NOW)
    sent, _ = request(present.certificate, present.key)
    return Ask(hashlib.sha256(sent).hexdigest(), sent.decode())


def signed(subject: str, asked: Ask) -> str:
    who = Identity(CLUSTER, *subject.split("/"))
    return certify(AUTHORITY, who, asked_key(asked.request.encode(), str(who)), NOW).decode()


async def kept(t: Town, subject: str) -> tuple[Ask, int]:
    asked = asking(subject)
    answer = await t.done(machine(t, subject), "certificates.ask", asked)
    return asked, answer.request_id


@pytest.mark.parametrize("subject", ["counter/C001", "bank/SBI", "ops/night"])
@on_reactor
async def test_a_request_waits_is_signed_fetched_and_used(node: Node, subject: str) -> None:
    async with town(node) as t:
        asked, number = await kept(t, subject)
        assert (await t.read(subject, "certificates.fetch", Fetch(asked.digest))).state == "WAITING"
        rows = (await t.read("adil", "certificates.waiting", Waiting())).rows
        assert [(row.request_id, row.subject, row.request) for row in rows] == [
            (number, subject, asked.request)
        ]
        certificate = signed(subject, asked)
        settled = await t.done("adil", "certificates.settle", Settle(number, certificate))
        assert (settled.subject, settled.state) == (subject, "SIGNED")
        found = await t.read(subject, "certificates.fetch", Fetch(asked.digest))
        assert (found.state, found.certificate) == ("SIGNED", certificate)
        await t.done(subject, "certificates.use", Use(asked.digest))
        assert (await t.read(subject, "certificates.fetch", Fetch(asked.digest))).state == "USED"
        assert (await t.read("adil", "certificates.waiting", Waiting())).rows == []
        said = t.look(
            "SELECT what, outcome, subject, details LIKE '%%\"after\"%%' FROM mpower.audit_entries"
            " WHERE what LIKE 'certificates.%%' ORDER BY at"
        )
        assert said == [
            ("certificates.ask", "DONE", subject, True),
            ("certificates.settle", "DONE", "ops/desk", True),
            ("certificates.use", "DONE", subject, True),
        ]


@on_reactor
async def test_nobody_asks_fetches_or_uses_for_another(node: Node) -> None:
    async with town(node) as t:
        asked, number = await kept(t, "counter/C001")
        other = machine(t, "counter/C002")
        assert await t.refused(other, "certificates.ask", asked) == "BAD_CERTIFICATE_REQUEST"
        assert (await t.read(other, "certificates.fetch", Fetch(asked.digest))).state == "NONE"
        await t.done("adil", "certificates.settle", Settle(number, signed("counter/C001", asked)))
        assert await t.refused(other, "certificates.use", Use(asked.digest)) == (
            "CERTIFICATE_NOT_SIGNED"
        )


@pytest.mark.parametrize("wrong", ["digest", "garbage", "another cluster"])
@on_reactor
async def test_what_is_no_request_is_not_kept(node: Node, wrong: str) -> None:
    async with town(node) as t:
        asked = asking("counter/C001")
        if wrong == "digest":
            asked = replace(asked, digest="0" * 64)
        elif wrong == "garbage":
            asked = Ask(hashlib.sha256(b"x").hexdigest(), "x")
        else:
            foreign = issue(AUTHORITY, Identity("other", "counter", "C001"), NOW)
            sent, _ = request(foreign.certificate, foreign.key)
            asked = Ask(hashlib.sha256(sent).hexdigest(), sent.decode())
        who = machine(t, "counter/C001")
        assert await t.refused(who, "certificates.ask", asked) == "BAD_CERTIFICATE_REQUEST"
        assert t.look("SELECT count(*) FROM mpower.certificate_requests") == [(0,)]


@on_reactor
async def test_an_answer_fits_its_request_and_is_given_once(node: Node) -> None:
    async with town(node) as t:
        asked, number = await kept(t, "counter/C001")
        for answer in (
            Settle(number, signed("counter/C001", asking("counter/C001"))),
            Settle(number, signed("counter/C002", asking("counter/C002"))),
            Settle(number, "no certificate"),
            Settle(number),
        ):
            assert await t.refused("adil", "certificates.settle", answer) == "BAD_CERTIFICATE"
        assert await t.refused("adil", "certificates.settle", Settle(number + 1, "x")) == (
            "NO_CERTIFICATE_REQUEST"
        )
        await t.done("adil", "certificates.settle", Settle(number, "", "the machine is gone"))
        right = Settle(number, signed("counter/C001", asked))
        assert await t.refused("adil", "certificates.settle", right) == "CERTIFICATE_SETTLED"
        found = await t.read("counter/C001", "certificates.fetch", Fetch(asked.digest))
        assert (found.state, found.why) == ("REFUSED", "the machine is gone")


@on_reactor
async def test_one_request_of_a_machine_waits_and_a_day_has_few(node: Node) -> None:
    async with town(node) as t:
        first, _ = await kept(t, "counter/C001")
        again = await t.done("counter/C001", "certificates.ask", first)
        _, number = await kept(t, "counter/C001")
        assert number != again.request_id
        found = await t.read("counter/C001", "certificates.fetch", Fetch(first.digest))
        assert (found.state, found.why) == ("REFUSED", "the machine asked anew")
        for _ in range(A_DAY - 2):
            await kept(t, "counter/C001")
        assert await t.refused("counter/C001", "certificates.ask", asking("counter/C001")) == (
            "CERTIFICATE_ASKED_OFTEN"
        )
        await kept(t, "counter/C002")


@on_reactor
async def test_what_waits_is_listed_in_pages_and_what_waits_long_is_alarmed(node: Node) -> None:
    async with town(node) as t:
        for place in range(PAGE + 1):
            await kept(t, f"counter/D{place:03}")
        first = await t.read("adil", "certificates.waiting", Waiting())
        assert (len(first.rows), first.more) == (PAGE, True)
        rest = await t.read("adil", "certificates.waiting", Waiting(first.rows[-1].request_id))
        assert ([row.subject for row in rest.rows], rest.more) == ([f"counter/D{PAGE:03}"], False)
        alarms: dict[str, Any] = {}
        await tell_unsigned(t.database, alarms.__setitem__)
        assert alarms == {"certificate-unsigned": ""}
        t.look(
            "UPDATE mpower.certificate_requests SET asked_at = now() - interval '25 hours'"
            " WHERE subject = 'counter/D003' RETURNING 1"
        )
        await tell_unsigned(t.database, alarms.__setitem__)
        assert "counter/D003 since" in alarms["certificate-unsigned"]
        assert "D004" not in alarms["certificate-unsigned"]
