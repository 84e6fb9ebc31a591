"""Declared = served = granted, and what the daemon's login cannot do whatever it tries."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors
from psycopg.conninfo import make_conninfo

from mpowerd.payments.store import TAKE, columns
from protocols.catalogue import CATALOGUE
from protocols.catalogue.payments import Take
from protocols.operation import Role
from tests.database.town import FUNCTIONS, LANE, RAM, SERVED, TEMPLATE, Town, town
from tests.postgres_nodes import Node, on_reactor

GROUPS = {role.group for role in Role}
SHARED: dict[str, set[str]] = {
    # every keyed operation goes through its key, its session and the audit
    "key_begin_v1": GROUPS,
    "key_finish_v1": GROUPS,
    "permit_v1": GROUPS,
    "object_v1": GROUPS,
    # what is an office's own matter
    "reach_v1": {role.group for one in CATALOGUE if one.within for role in one.roles},
    "audit_note_v1": GROUPS | {"app"},
    # the daemon's own: fence, ack gate, barrier, sign-in before anybody is anybody
    "fence_v1": {"app"},
    "replicated_v1": {"app"},
    "barrier_v1": {"app"},
    "user_for_sign_in_v1": {"app"},
    "spend_code_v1": {"app"},
    "emergencies_v1": {"app", "admin", "ops"},
    "unsigned_certificates_v1": {"app"},
    "open_session_v1": {"app"},
    "session_v1": {"app"},
    "end_session_v1": {"app"},
    "first_admin_v1": {"app"},
    # four eyes: whoever may make a request; time runs out by itself
    "ask_approval_v1": {"clerk", "officer", "ops", "admin"},
    "expire_approvals_v1": {"app"},
    # the verification of a day goes on in the role of who asked for it
    "verifications_wait_v1": {"app"},
    "verification_step_v1": {"officer"},
    "note_verification_step_v1": {"officer"},
    # the signer's own: heads into the log, a checkpoint over it
    "audit_moved_v1": {"app"},
    "audit_grow_v1": {"app"},
    "audit_keep_v1": {"app"},
    "audit_root_v1": {"app"},
    # what was done beside the rooms is entered once
    "audit_newest_v1": {"app"},
    # proofs that change nothing
    "ledger_check_v1": {"app", "report"},
    "audit_check_v1": {"app", "report"},
}
ALSO_APP = {"today_v1"}
"""Greetings name the open day before anybody has signed in."""
EVIDENCE = (
    "requests",
    "entries",
    "vouchers",
    "receipt_events",
    "scrolls",
    "scroll_lines",
    "audit_links",
    "audit_entries",
    "audit_leaves",
    "audit_checkpoints",
    "approval_acts",
    "masters",
    "consumer_changes",
    "contacts",
    "verification_steps",
    "hand_overs",
    "slips",
    "slip_shifts",
    "realisations",
    "paper_leaves",
)
KEPT = (
    *("accounts", "series", "users", "days", "counters", "consumers"),
    *("shifts", "pick_ups", "sorted_instruments", "slip_series", "receipt_books"),
    *("offices", "persons", "powers", "delegations", "approvals", "own_accounts"),
    "certificate_requests",
    *("verifications", "verification_items"),
)
TABLES = (*EVIDENCE, *KEPT, "sessions", "second_factors")


def test_every_declared_operation_is_served_and_nothing_else() -> None:
    declared = {operation.name for operation in CATALOGUE}
    assert set(SERVED) | {LANE} == declared  # the taking goes in batches, by its lane
    assert set(FUNCTIONS) == declared


@on_reactor
async def test_grants_are_the_declarations(node: Node) -> None:
    async with town(node) as t:
        expected = {name: set(roles) for name, roles in SHARED.items()}
        for operation in CATALOGUE:
            for function in FUNCTIONS[operation.name]:
                by = operation.four_eyes.by if operation.four_eyes else frozenset[Role]()
                roles = operation.roles | by
                expected.setdefault(function, set()).update(role.group for role in roles)
        for function in ALSO_APP:
            expected[function].add("app")
        granted = t.look(
            "SELECT p.proname, coalesce(array_agg(r.role) FILTER (WHERE has_function_privilege("
            "'mpower_' || r.role, p.oid, 'EXECUTE')), '{}') FROM pg_proc p CROSS JOIN unnest("
            "ARRAY['clerk', 'officer', 'ops', 'bank', 'terminal', 'admin', 'consumer', 'report',"
            " 'app'])"
            " r (role) WHERE p.pronamespace = 'mpower'::regnamespace GROUP BY p.oid, p.proname"
        )
        assert {name: set(roles) for name, roles in granted if roles} == expected
        inner = {name for name, roles in granted if not roles}
        assert not any(name.endswith("_v1") for name in inner), inner


@on_reactor
async def test_every_definer_function_has_a_safe_path_and_no_public_right(node: Node) -> None:
    async with town(node) as t:
        assert not t.look(
            "SELECT proname FROM pg_proc WHERE pronamespace = 'mpower'::regnamespace AND prosecdef"
            " AND NOT ('search_path=pg_catalog, mpower, pg_temp' = ANY (coalesce(proconfig, '{}')))"
        )
        assert not t.look(
            "SELECT proname FROM pg_proc p,"
            " aclexplode(coalesce(proacl, acldefault('f', proowner))) a"
            " WHERE pronamespace = 'mpower'::regnamespace AND a.grantee = 0"
        )
        assert not t.look(
            "SELECT relname FROM pg_class c WHERE relnamespace = 'mpower'::regnamespace"
            " AND relkind IN ('r', 'v') AND pg_get_userbyid(relowner) <> 'mpower_owner'"
        )


def attempt(t: Town, statement: str, role: str | None) -> None:
    """Try a statement as the daemon's login, in a group role or none."""
    with psycopg.connect(t.app) as connection:
        if role:
            connection.execute(f"SET LOCAL ROLE mpower_{role}".encode())
        connection.execute(statement.encode())


@on_reactor
async def test_the_login_reaches_no_table_in_any_role(node: Node) -> None:
    async with town(node) as t:
        roles = [None, "clerk", "officer", "ops", "bank", "admin", "consumer"]
        for role in roles:
            for table in TABLES:
                for statement in (
                    f"SELECT FROM mpower.{table}",
                    f"DELETE FROM mpower.{table}",
                    f"TRUNCATE mpower.{table}",
                ):
                    with pytest.raises(errors.InsufficientPrivilege):
                        attempt(t, statement, role)
            for statement in (
                "UPDATE mpower.accounts SET balance_paise = 0",
                "INSERT INTO mpower.entries VALUES (1, 1, 2, 3, 1)",
                "UPDATE cluster.fence SET term = 9",
                "SELECT FROM mpower.outcomes",
                "SELECT FROM mpower.ledger_lines",
                "CREATE TABLE mpower.mine ()",
                "CREATE TABLE public.mine ()",
                "CREATE SCHEMA mine",
                "ALTER TABLE mpower.entries DISABLE TRIGGER ALL",
                "SET session_replication_role = replica",
                "SELECT pg_cancel_backend(1)",
                "SELECT pg_terminate_backend(1)",
                "SELECT pg_read_file('/etc/passwd')",
                "COPY (SELECT 1) TO PROGRAM 'true'",
                "SELECT mpower.refuse('NO_USER')",
                "SELECT mpower.next_link(1)",
            ):
                with pytest.raises(errors.InsufficientPrivilege):
                    attempt(t, statement, role)


def test_a_migrated_database_lets_nobody_make_temporary_tables(node: Node) -> None:
    app = make_conninfo(node.conninfo, dbname=TEMPLATE, user="mpower_app")
    with psycopg.connect(app) as c, pytest.raises(errors.InsufficientPrivilege):
        c.execute("CREATE TEMP TABLE mine ()")


@on_reactor
async def test_the_login_becomes_nobody_else(node: Node) -> None:
    async with town(node) as t:
        for other in ("mpower_owner", "mpower_report", "postgres", "pg_monitor"):
            for statement in (f"SET ROLE {other}", f"SET SESSION AUTHORIZATION {other}"):
                with pytest.raises(errors.InsufficientPrivilege):
                    attempt(t, statement, None)


@on_reactor
async def test_a_role_executes_no_other_roles_function(node: Node) -> None:
    async with town(node) as t:
        arguments = columns([t.item("asha", Take(RAM, 100))], 0)
        for role in (None, "officer", "ops", "bank", "admin", "consumer"):

            async def work(cursor: psycopg.AsyncCursor[object], role: str | None = role) -> None:
                await cursor.execute(
                    f"SET LOCAL ROLE {'mpower_' + role if role else 'NONE'}".encode()
                )
                await cursor.execute(TAKE, arguments)

            with pytest.raises(errors.InsufficientPrivilege):
                await t.database.write("attack", None, work)
        for role, function in OTHERS:
            with pytest.raises(errors.InsufficientPrivilege):
                attempt(t, called(t, function), role)


OTHERS = (
    ("clerk", "cancel_receipt_v1"),
    ("clerk", "add_user_v1"),
    ("clerk", "user_for_sign_in_v1"),
    ("clerk", "open_session_v1"),
    ("officer", "add_counter_v1"),
    ("officer", "add_user_v1"),
    ("bank", "find_consumers_v1"),
    ("admin", "open_day_v1"),
    ("admin", "audit_keep_v1"),
    ("ops", "disable_user_v1"),
    ("consumer", "consumer_dues_v1"),
    (None, "open_day_v1"),
)
"""A role, and what another's is: None is the daemon's login itself, in no role."""


def called(t: Town, function: str) -> str:
    """A call of a function that is there, by the types of its arguments."""
    ((types,),) = t.look(
        "SELECT array(SELECT format_type(one, NULL) FROM unnest(proargtypes) one)"
        " FROM pg_proc WHERE pronamespace = 'mpower'::regnamespace AND proname = %s",
        function,
    )
    return f"SELECT mpower.{function}({', '.join(f'NULL::{one}' for one in types)})"


def attempt_as(t: Town, role: str, statement: str) -> None:
    """Try a statement as the owner or the superuser."""
    with psycopg.connect(t.superuser) as connection:
        connection.execute(f"SET ROLE {role}; {statement}".encode())


@on_reactor
async def test_evidence_is_refused_to_change_even_for_the_owner(node: Node) -> None:
    columns_of = {
        "audit_checkpoints": "size",
        "entries": "line",
        "slip_shifts": "slip",
        "scroll_lines": "line",
        "scrolls": "day",
    }
    async with town(node) as t:
        await t.pay("asha", RAM, 100)
        for role in ("postgres", "mpower_owner"):
            for table in EVIDENCE:
                column = columns_of.get(table, "link" if table.startswith("audit") else "at")
                for statement in (
                    f"UPDATE mpower.{table} SET {column} = {column}",
                    f"DELETE FROM mpower.{table}",
                    f"TRUNCATE mpower.{table} CASCADE",
                    f"SET session_replication_role = replica; DELETE FROM mpower.{table}",
                ):
                    with pytest.raises(errors.InsufficientPrivilege):
                        attempt_as(t, role, statement)
            for table in KEPT:
                with pytest.raises(errors.InsufficientPrivilege):
                    attempt_as(t, role, f"DELETE FROM mpower.{table}")


@on_reactor
async def test_reports_read_but_no_password(node: Node) -> None:
    async with town(node) as t:
        with psycopg.connect(t.superuser) as c:
            c.execute("SET ROLE mpower_report")
            c.execute("SELECT count(*) FROM mpower.ledger_lines")
            c.execute("SELECT name FROM mpower.users")
            with pytest.raises(errors.InsufficientPrivilege):
                c.execute("SELECT password_hash FROM mpower.users")


@on_reactor
async def test_the_first_administrator_is_only_the_first(node: Node) -> None:
    async with town(node) as t:
        assert t.look("SELECT mpower.first_admin_v1('eve', 'Eve', '$argon2id$x')") == [(False,)]
