"""Reads the settings on which an acknowledgement stands, as any new session would see them.

The session asks for nothing of its own: what a start option, ALTER SYSTEM, or the database's or a
role's settings say is what it shows. It only reads. It must not know which values are good.
"""

from __future__ import annotations

from typing import Final

import msgspec
import psycopg

from cluster.postgres.sessions import Sessions
from protocols.peer import Ground

WEAKENED_MAX: Final = 200
"""Of a list of roles the first few name the mistake; a beat stays small."""
SETTINGS: Final = """
SELECT current_setting('server_version_num')::int, current_setting('fsync'),
       current_setting('full_page_writes'), current_setting('synchronous_commit'),
       current_setting('restart_after_crash'), current_setting('max_connections')::int,
       current_setting('max_worker_processes')::int, current_setting('max_wal_senders')::int,
       current_setting('max_prepared_transactions')::int,
       current_setting('max_locks_per_transaction')::int,
       (SELECT string_agg(concat_ws(' in ', 'role ' || nullif(s.setrole::regrole::text, '-'),
                                    'database ' || d.datname) || ' has ' || one, ', ')
          FROM pg_db_role_setting s LEFT JOIN pg_database d ON d.oid = s.setdatabase,
               unnest(s.setconfig) one
         WHERE one LIKE 'synchronous_commit=%'
           AND split_part(one, '=', 2) NOT IN ('on', 'remote_apply', 'true', 'yes', '1'))
"""


async def read_ground(sessions: Sessions) -> Ground:
    """The settings now; psycopg.Error if the server cannot be asked."""
    session = await psycopg.AsyncConnection.connect(sessions.conninfo(), autocommit=True)
    try:
        row = await (await session.execute(SETTINGS)).fetchone()
    finally:
        await session.close()
    assert row is not None, "a SELECT without FROM a table always has one row"
    known = msgspec.convert(row[:-1], Ground)
    return msgspec.structs.replace(known, weakened=(row[-1] or "")[:WEAKENED_MAX])
