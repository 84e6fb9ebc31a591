"""Consumers, bank scrolls, users and counters on a real PostgreSQL."""

from __future__ import annotations

from msgspec.structs import replace

from protocols.catalogue.banking import Line, Post
from protocols.catalogue.consumers import Dues, Find, Load, Loaded
from protocols.catalogue.payments import Cancel, Verify
from protocols.catalogue.security import AddCounter, AddUser, AskSessions, DisableUser
from protocols.operation import Role
from tests.database.town import CONSUMERS, DAY, RAM, SITA, Town, row, town
from tests.postgres_nodes import Node, on_reactor

LINES = [
    Line("N1", RAM, 10_000, "2026-11-23"),
    Line("N2", SITA, 5_000, "2026-11-23"),
    Line("N3", "0000000077", 700, "2026-11-23"),
    Line("N4", "OLD-NO-12", 300, "2026-11-23"),
    Line("N5", RAM, 1_000, "2026-11-23"),
]
SCROLL = Post("S-1", 1, 5, 17_000, LINES)


async def _untouched(t: Town, body: Post) -> str:
    before = t.look("SELECT md5(string_agg(a::text, ',' ORDER BY account)) FROM mpower.accounts a")
    code = await t.refused("SBI", "banking.post", body)
    assert (
        t.look("SELECT md5(string_agg(a::text, ',' ORDER BY account)) FROM mpower.accounts a")
        == before
    )
    assert t.look("SELECT count(*) FROM mpower.requests WHERE receipt IS NOT NULL") == [(0,)]
    return code


@on_reactor
async def test_a_scroll_is_posted_and_what_is_not_ours_waits_in_suspense(node: Node) -> None:
    async with town(node) as t:
        posted = await t.done("SBI", "banking.post", SCROLL)
        assert (posted.matched, posted.matched_paise) == (3, 16_000)
        assert (posted.suspense, posted.suspense_paise) == (2, 1_000)
        assert [(one.outcome, one.receipt) for one in posted.lines][:3] == [
            ("MATCHED", "SBI/2026-27/1"),
            ("MATCHED", "SBI/2026-27/2"),
            ("SUSPENSE", "SBI/2026-27/3"),
        ]
        dues = await t.read("asha", "consumers.dues", Dues(RAM))
        assert (dues.unverified_paise, dues.last_receipt) == (11_000, "SBI/2026-27/5")
        assert (await t.done("omar", "payments.verify", Verify("SBI", DAY))).count == 3
        t.is_well()


@on_reactor
async def test_the_same_file_again_is_harmless(node: Node) -> None:
    async with town(node) as t:
        first = await t.done("SBI", "banking.post", SCROLL)
        assert await t.done("SBI", "banking.post", SCROLL) == first
        changed = replace(SCROLL, lines=LINES[:4], control_count=4, control_paise=16_000)
        assert await t.refused("SBI", "banking.post", changed) == "SCROLL_KNOWN"
        renamed = replace(SCROLL, scroll="S-2")
        assert await t.refused("SBI", "banking.post", renamed) == "REFERENCE_KNOWN"
        t.is_well()


@on_reactor
async def test_a_scroll_that_does_not_fit_is_refused_whole(node: Node) -> None:
    async with town(node) as t:
        assert await _untouched(t, replace(SCROLL, control_paise=16_999)) == "TOTAL_MISMATCH"
        assert await _untouched(t, replace(SCROLL, control_count=4)) == "COUNT_MISMATCH"
        twice = replace(SCROLL, lines=[*LINES, LINES[0]], control_count=6, control_paise=27_000)
        assert await _untouched(t, twice) == "DUPLICATE_LINE"
        for bad in (
            replace(LINES[1], amount_paise=0),
            replace(LINES[1], amount_paise=-1),
            replace(LINES[1], amount_paise=10**13),
            replace(LINES[1], value_date="2026-13-01"),
        ):
            assert await _untouched(t, replace(SCROLL, lines=[LINES[0], bad])) == "BAD_LINE"
        t.people["HDFC"] = replace(t.people["SBI"], counter="HDFC", subject="bank/HDFC")
        assert await t.refused("HDFC", "banking.post", SCROLL) == "NO_COUNTER"
        await t.close_day(DAY)
        assert await _untouched(t, SCROLL) == "DAY_NOT_OPEN"
        t.is_well()


@on_reactor
async def test_a_bank_line_can_be_cancelled_the_same_day(node: Node) -> None:
    async with town(node) as t:
        await t.done("SBI", "banking.post", SCROLL)
        for number, paise in (("SBI/2026-27/5", 1_000), ("SBI/2026-27/3", 700)):
            cancelled = await t.done("omar", "payments.cancel", Cancel(number, "recalled"))
            assert cancelled.amount_paise == paise
        dues = await t.read("asha", "consumers.dues", Dues(RAM))
        assert (dues.unverified_paise, dues.last_receipt) == (10_000, "SBI/2026-27/1")
        t.is_well()


@on_reactor
async def test_consumers_are_found_by_what_people_bring(node: Node) -> None:
    async with town(node) as t:

        async def found(by: str, text: str, limit: int = 10) -> list[str]:
            answer = await t.read("asha", "consumers.find", Find(by, text, limit))  # type: ignore[arg-type]
            return [one.name for one in answer.consumers] + ["…"] * answer.more

        assert await found("number", RAM) == ["Ram Prasad"]
        assert await found("number", "12") == []
        assert await found("name", "ram") == ["Ram Prasad", "Ramesh Old"]
        assert await found("name", "ram", 1) == ["Ram Prasad", "…"]
        assert await found("name", "%") == []
        assert await found("meter", f"M{SITA}") == ["Sita Devi"]
        assert await found("mobile", f"98{SITA}") == ["Sita Devi"]
        (ram,) = (await t.read("asha", "consumers.find", Find("number", RAM))).consumers
        assert ram.due_paise == 63_000


@on_reactor
async def test_a_load_is_whole_and_repeatable(node: Node) -> None:
    async with town(node) as t:
        load = "consumers.load"
        again = Load("2026-11-01", [*CONSUMERS, row("0000000010", "New", CURRENT=100, DUTY=0)])
        assert await t.done("adil", load, again) == Loaded(1, 4, 100)
        other = Load("2026-11-01", [row("0000000011", "Newer"), row(RAM, "Ram Prasad", LPSC=1)])
        assert await t.refused("adil", load, other) == "CONSUMER_EXISTS"
        twice = Load("2026-11-01", [row("0000000011", "A"), row("0000000011", "A")])
        assert await t.refused("adil", load, twice) == "CONSUMER_EXISTS"
        assert (await t.read("asha", "consumers.find", Find("name", "newer"))).consumers == []
        assert await t.refused("adil", load, Load("2026-02-30", CONSUMERS)) == "BAD_BODY"
        t.is_well()


@on_reactor
async def test_users_and_counters(node: Node) -> None:
    async with town(node) as t:
        add, word = "security.add_user", "blue lantern 77"
        body = AddUser("gita", "E-ASHA", Role.CLERK, word)
        assert (await t.done("adil", add, body)).role == "clerk"
        assert await t.refused("adil", add, body) == "USER_EXISTS"
        for weak in ("short", "password1234", "aaaaaaaaaaaaaaaa", "gita12345678"):
            assert await t.refused("adil", add, replace(body, password=weak)) == "WEAK_PASSWORD"
        ((found,),) = t.look("SELECT password_hash FROM mpower.users WHERE name = 'gita'")
        assert found.startswith("$argon2id$")
        disable = "security.disable_user"
        assert (await t.done("adil", disable, DisableUser("asha", "left"))).sessions_ended == 1
        assert await t.refused("adil", disable, DisableUser("nobody", "left")) == "NO_USER"
        counter = AddCounter("C009", "HO")
        assert (await t.done("adil", "security.add_counter", counter)).kind == "COUNTER"
        assert await t.refused("adil", "security.add_counter", counter) == "COUNTER_EXISTS"
        live = await t.read("olga", "security.sessions", AskSessions())
        assert {one.user for one in live.sessions} == {
            "bina",
            "asha.officer",
            "omar",
            "omar.two",
            "olga",
            "adil",
        }
        t.is_well()


@on_reactor
async def test_a_password_is_in_no_table_but_hashed(node: Node) -> None:
    async with town(node) as t:
        word = "canary in the mine 5"
        await t.done("adil", "security.add_user", AddUser("gita", "E-ASHA", Role.CLERK, word))
        for table in ("requests", "audit_entries", "users"):
            assert t.look(
                f"SELECT count(*) FROM mpower.{table} x WHERE x::text LIKE '%canary%'"
            ) == [(0,)]
