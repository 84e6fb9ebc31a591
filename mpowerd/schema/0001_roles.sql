-- Who there is in the database. The owner cannot log in; the daemon's one login owns nothing, inherits nothing and has
-- no right on any table: each transaction goes into the caller's group role, and that role may execute the functions of
-- its declared operations. What PUBLIC may do by default is taken away in this same transaction. mpower_board sees whole what
-- row security otherwise cuts to an office: it owns the few functions that nobody in particular asks for.

DO $roles$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['owner', 'board', 'clerk', 'officer', 'ops', 'bank', 'terminal', 'admin', 'consumer',
        'report'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mpower_' || wanted) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', 'mpower_' || wanted);
        END IF;
    END LOOP;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mpower_app') THEN
        CREATE ROLE mpower_app LOGIN NOINHERIT;
    END IF;
    EXECUTE format('REVOKE CREATE, TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
END
$roles$;

GRANT mpower_clerk, mpower_officer, mpower_ops, mpower_bank, mpower_terminal, mpower_admin, mpower_consumer
    TO mpower_app;
-- The ack gate's definer function has to see flush positions; nobody else's role shows them.
GRANT pg_read_all_stats TO mpower_owner;

-- A session left open in a transaction would hold locks for ever; a statement timeout could cancel a COMMIT, which
-- looks like success and loses money: it stays off.
ALTER ROLE mpower_app SET idle_in_transaction_session_timeout = '15s';
ALTER ROLE mpower_app SET statement_timeout = 0;
ALTER ROLE mpower_app SET synchronous_commit = 'on';

-- Any role may signal its own role's backends otherwise, and a cancelled COMMIT reports success (fact F1).
REVOKE EXECUTE ON FUNCTION pg_catalog.pg_cancel_backend(integer) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION pg_catalog.pg_terminate_backend(integer, bigint) FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
-- Whoever may connect may otherwise fill the disk with large objects, which no right on a table hinders.
REVOKE EXECUTE ON FUNCTION pg_catalog.lo_creat(integer) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION pg_catalog.lo_create(oid) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION pg_catalog.lo_from_bytea(oid, bytea) FROM PUBLIC;

-- The failover's fence row: normally made with the cluster itself.
CREATE SCHEMA IF NOT EXISTS cluster;
CREATE TABLE IF NOT EXISTS cluster.fence (
    one boolean PRIMARY KEY DEFAULT true CONSTRAINT fence_has_one_row CHECK (one),
    term bigint NOT NULL
);
INSERT INTO cluster.fence (term) SELECT 0 WHERE NOT EXISTS (SELECT FROM cluster.fence);
GRANT USAGE ON SCHEMA cluster TO mpower_owner;
-- A row lock (FOR SHARE) asks for the right to update; only the fence function below uses it.
GRANT SELECT, UPDATE ON cluster.fence TO mpower_owner;

CREATE SCHEMA mpower AUTHORIZATION mpower_owner;
REVOKE ALL ON SCHEMA mpower FROM PUBLIC;
GRANT USAGE ON SCHEMA mpower TO mpower_app, mpower_board, mpower_clerk, mpower_officer, mpower_ops, mpower_bank,
    mpower_terminal, mpower_admin, mpower_consumer, mpower_report;
ALTER DEFAULT PRIVILEGES FOR ROLE mpower_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE mpower_owner REVOKE USAGE ON TYPES FROM PUBLIC;
