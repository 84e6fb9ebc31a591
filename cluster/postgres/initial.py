"""The steps that make a new cluster: initdb, then SQL in single-user mode, before any port is open.

Single-user mode needs no running server and no password, and the new role's password travels
through a pipe, not an argument. The schema `cluster` belongs to the failover: the fence row carries
the term. Application roles and tables come from the migrations.
"""

from dataclasses import dataclass

from cluster.postgres.files import REPLICATION_ROLE, SUPERUSER
from cluster.postgres.place import PostgresPlan
from cluster.postgres.troubles import CommandFailedError

_SCHEMA = (
    "REVOKE ALL ON SCHEMA public FROM PUBLIC",
    "CREATE SCHEMA cluster",
    (
        "CREATE TABLE cluster.fence (term bigint NOT NULL,"
        " one boolean PRIMARY KEY DEFAULT true CONSTRAINT fence_has_one_row CHECK (one))"
    ),
    "INSERT INTO cluster.fence (term) VALUES (0)",
)
# template1 first, of which the application's database is made: whoever may enter one may otherwise
# end the backends of its own role in every other, and fill the disk. template0 lets nobody in.
_FENCES = (
    "REVOKE EXECUTE ON FUNCTION pg_cancel_backend(integer) FROM PUBLIC",
    "REVOKE EXECUTE ON FUNCTION pg_terminate_backend(integer, bigint) FROM PUBLIC",
    *(
        f"REVOKE EXECUTE ON FUNCTION {one} FROM PUBLIC"
        for one in ("lo_creat(integer)", "lo_create(oid)", "lo_from_bytea(oid, bytea)")
    ),
    "REVOKE ALL ON SCHEMA public FROM PUBLIC",
)
# What pg_rewind asks of its source; all of it lies in what the role may copy whole anyway.
_FOR_REWIND = (
    "pg_ls_dir(text, boolean, boolean)",
    "pg_stat_file(text, boolean)",
    "pg_read_binary_file(text)",
    "pg_read_binary_file(text, bigint, bigint, boolean)",
)


@dataclass(frozen=True, slots=True)
class Step:
    """One program to run. `sql`: its errors go to stderr while it still exits 0."""

    program: str
    arguments: tuple[str, ...]
    stdin: bytes = b""
    sql: bool = False


def steps(plan: PostgresPlan, password: str) -> tuple[Step, ...]:
    """What to run, in order, to have a finished cluster in `plan.pgdata_new`."""
    verifier = "'" + password.replace("'", "''") + "'"
    roles = (
        f"CREATE ROLE {REPLICATION_ROLE} LOGIN REPLICATION PASSWORD {verifier}",
        f'CREATE DATABASE "{plan.database}"',
        f'REVOKE TEMPORARY ON DATABASE "{plan.database}" FROM PUBLIC',
        f"GRANT pg_checkpoint TO {REPLICATION_ROLE}",
        *(f"GRANT EXECUTE ON FUNCTION {one} TO {REPLICATION_ROLE}" for one in _FOR_REWIND),
        *_FENCES,
        *(f"REVOKE ALL ON DATABASE {one} FROM PUBLIC" for one in (SUPERUSER, "template1")),
        f"GRANT CONNECT ON DATABASE {SUPERUSER} TO {REPLICATION_ROLE}",
    )
    initdb = (
        f"--pgdata={plan.pgdata_new}",
        f"--username={SUPERUSER}",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
        "--data-checksums",
        "--auth=reject",
    )
    return (
        Step("initdb", initdb),
        _single(plan, "template1", _FENCES),
        _single(plan, SUPERUSER, roles),
        _single(plan, plan.database, _SCHEMA),
    )


def check(step: Step, err: bytes) -> None:
    """CommandFailedError when single-user mode reported an error; the password is not repeated."""
    if not step.sql:
        return
    for line in err.decode("utf-8", "replace").splitlines():
        if "ERROR:" in line or "FATAL:" in line or "PANIC:" in line:
            message = f"The new database could not be set up: {line.strip()}"
            raise CommandFailedError(message)


def _single(plan: PostgresPlan, database: str, statements: tuple[str, ...]) -> Step:
    # One line is one statement in this mode.
    assert not any("\n" in statement for statement in statements)
    arguments = (
        "--single",
        "-D",
        str(plan.pgdata_new),
        "-c",
        "log_min_error_statement=panic",
        database,
    )
    return Step("postgres", arguments, "".join(f"{s};\n" for s in statements).encode(), sql=True)
