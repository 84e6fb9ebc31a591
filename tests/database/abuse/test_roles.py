"""What whoever holds the daemon's database password can do: nothing but call the functions of its
operations. Each attempt is made as the login itself and in every group role it may go into.
"""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors
from psycopg.conninfo import make_conninfo

from protocols.operation import Role
from tests.database.town import TEMPLATE, Town, town
from tests.postgres_nodes import Node, on_reactor

ROLES = (None, *sorted({role.group for role in Role}), "consumer")
FORBIDDEN = {
    "become": (
        *("SET ROLE mpower_owner", "SET ROLE postgres", "SET SESSION AUTHORIZATION postgres"),
        "SET ROLE mpower_board",
        *("SET ROLE mpower_report", "SET ROLE pg_read_server_files"),
        *("GRANT mpower_owner TO mpower_app", "ALTER ROLE mpower_app SUPERUSER"),
        *("CREATE ROLE mine LOGIN SUPERUSER", "ALTER ROLE mpower_owner LOGIN"),
        "ALTER ROLE postgres SET search_path = mine",
    ),
    "signal": (
        *("SELECT pg_cancel_backend(pg_backend_pid())", "SELECT pg_terminate_backend(1)"),
        *("SELECT pg_reload_conf()", "SELECT pg_promote()", "SELECT pg_switch_wal()"),
        *("SELECT pg_wal_replay_pause()", "SELECT pg_rotate_logfile()", "ALTER SYSTEM RESET ALL"),
        *("SELECT pg_drop_replication_slot('b')", "CHECKPOINT", "SELECT pg_backup_start('x')"),
    ),
    "files": (
        *("COPY (SELECT 1) TO PROGRAM 'true'", "COPY (SELECT 1) TO '/tmp/mine'"),
        *("SELECT pg_read_file('/etc/passwd')", "SELECT pg_read_binary_file('PG_VERSION')"),
        *("SELECT pg_ls_dir('.')", "SELECT pg_stat_file('PG_VERSION')", "LOAD 'auto_explain'"),
        *("SELECT lo_import('/etc/passwd')", "SELECT lo_export(1, '/tmp/mine')"),
        *("SELECT lo_create(0)", "SELECT lo_from_bytea(0, 'x')", "SELECT lo_creat(-1)"),
        *("SELECT pg_ls_waldir()", "SELECT * FROM pg_hba_file_rules"),
    ),
    "objects": (
        *("CREATE TABLE mpower.mine ()", "CREATE TABLE public.mine ()", "CREATE SCHEMA mine"),
        *(
            "CREATE EXTENSION dblink SCHEMA mpower",
            "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql RETURN 1",
        ),
        *("CREATE FUNCTION mpower.f() RETURNS int LANGUAGE sql RETURN 1", "CREATE DATABASE mine"),
        *("CREATE OR REPLACE VIEW mpower.outcomes AS SELECT 1", "DROP TABLE mpower.entries"),
        *("ALTER TABLE mpower.users ADD mine text", "ALTER FUNCTION mpower.permit_v1 RENAME TO f"),
        *("CREATE PUBLICATION mine FOR ALL TABLES", "ALTER DATABASE postgres SET jit = on"),
    ),
    "secrets": (
        *("SELECT rolpassword FROM pg_authid", "SELECT password_hash FROM mpower.users"),
        *("SELECT secret FROM mpower.second_factors", "COPY mpower.users TO STDOUT"),
        *("TABLE mpower.sessions", "SELECT * FROM pg_statistic", "TABLE pg_largeobject"),
    ),
    "rows of other offices": (
        *("SET row_security = off; TABLE mpower.approvals", "TABLE mpower.contacts"),
        *("TABLE mpower.consumer_changes", "TABLE mpower.approval_acts", "TABLE mpower.consumers"),
        *("ALTER TABLE mpower.approvals NO FORCE ROW LEVEL SECURITY", "TABLE mpower.powers_now"),
        "ALTER TABLE mpower.contacts DISABLE ROW LEVEL SECURITY",
        *("ALTER ROLE mpower_app BYPASSRLS", "SELECT mpower.my_offices()"),
        *("DROP POLICY contacts_of_office ON mpower.contacts", "SELECT mpower.had_to_do(1, 'E')"),
        "CREATE POLICY mine ON mpower.contacts USING (true)",
    ),
    "write": (
        *("INSERT INTO mpower.users (name) VALUES ('mine')", "TRUNCATE mpower.audit_entries"),
        *("UPDATE mpower.accounts SET balance_paise = 0", "DELETE FROM mpower.requests"),
        *("SET session_replication_role = replica", "DELETE FROM mpower.approval_acts"),
        *("ALTER TABLE mpower.entries DISABLE TRIGGER ALL", "DELETE FROM mpower.audit_links"),
        *("DROP TRIGGER entries_stay ON mpower.entries", "TRUNCATE mpower.entries CASCADE"),
        "UPDATE mpower.audit_checkpoints SET size = 0",
        *("BEGIN; LOCK TABLE mpower.requests", "UPDATE cluster.fence SET term = 9"),
    ),
}


def tried(t: Town, statement: str, role: str | None) -> str:
    """The SQLSTATE that it is refused with; '' if it was let through."""
    with psycopg.connect(t.app, autocommit=True) as connection:
        if role:
            connection.execute(f"SET ROLE mpower_{role}".encode())
        try:
            connection.execute(statement.encode())
        except psycopg.Error as refused:
            return str(refused.sqlstate)
    return ""


@pytest.mark.parametrize("kind", sorted(FORBIDDEN))
@on_reactor
async def test_the_login_in_no_role_may(node: Node, kind: str) -> None:
    async with town(node) as t:
        found = {
            (role, statement): state
            for role in ROLES
            for statement in FORBIDDEN[kind]
            if (state := tried(t, statement, role)) != "42501"
        }
        assert found == {}


@on_reactor
async def test_a_search_path_of_the_callers_choice_reaches_no_definer_function(node: Node) -> None:
    async with town(node) as t:
        with psycopg.connect(t.superuser, autocommit=True) as c:
            c.execute("CREATE SCHEMA trap AUTHORIZATION mpower_app")
        with psycopg.connect(t.app, autocommit=True) as c:
            for name in ("users", "sessions", "persons"):
                c.execute(f"CREATE TABLE trap.{name} (name text, id integer)".encode())
            c.execute(
                "CREATE FUNCTION trap.now() RETURNS timestamptz LANGUAGE plpgsql AS"
                " $$BEGIN RAISE 'caught'; END$$"
            )
            look = "SELECT * FROM mpower.user_for_sign_in_v1('asha')"
            honest = c.execute(look).fetchall()
            c.execute("SET search_path = trap, pg_catalog")
            assert (
                c.execute("SELECT * FROM mpower.user_for_sign_in_v1('asha')").fetchall() == honest
            )
            assert honest
            with pytest.raises(errors.RaiseException, match="caught"):
                c.execute("SELECT now()")
        with psycopg.connect(t.superuser, autocommit=True) as c:
            c.execute("DROP SCHEMA trap CASCADE")


def test_no_database_lets_the_login_signal_or_keep_anything(node: Node) -> None:
    """As a login whom a right on another database was granted, too: only there may it connect."""
    wanted = (*FORBIDDEN["signal"][:2], *FORBIDDEN["files"][-5:-2], "CREATE TEMP TABLE mine ()")
    with psycopg.connect(node.conninfo, autocommit=True) as c:
        found = c.execute("SELECT datname FROM pg_database WHERE datallowconn").fetchall()
        names = {name for (name,) in found} & {"mpower", "postgres", "template1"}
        assert {"postgres", "template1"} <= names  # any other is a test's own
        for name in names:
            app = make_conninfo(node.conninfo, dbname=name, user="mpower_app")
            if name in {"postgres", "template1"}:
                with pytest.raises(psycopg.OperationalError, match="CONNECT privilege"):
                    psycopg.connect(app)
                c.execute(f"GRANT CONNECT ON DATABASE {name} TO mpower_app".encode())
            try:
                for statement in wanted:
                    with psycopg.connect(app) as a, pytest.raises(errors.InsufficientPrivilege):
                        a.execute(statement.encode())
            finally:
                if name in {"postgres", "template1"}:
                    c.execute(f"REVOKE CONNECT ON DATABASE {name} FROM mpower_app".encode())


def test_the_template_lets_nobody_make_what_outlives_or_shadows(node: Node) -> None:
    app = make_conninfo(node.conninfo, dbname=TEMPLATE, user="mpower_app")
    for statement in (b"CREATE TEMP TABLE mine ()", b"CREATE TEMP VIEW mine AS SELECT 1"):
        with psycopg.connect(app) as c, pytest.raises(errors.InsufficientPrivilege):
            c.execute(statement)
