-- The checkpoints by their time, for an export of a range. The time is text of one width, so that it sorts as bytes.

SET LOCAL ROLE mpower_owner;

CREATE INDEX audit_checkpoints_by_time ON mpower.audit_checkpoints (at COLLATE "C");

-- A moment as a checkpoint has it.
CREATE FUNCTION mpower.moment_text(at timestamptz) RETURNS text LANGUAGE sql STABLE
SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')
$$;
