-- What was answered to an export that this user began within a day: that request is the export's entry, and says how far
-- it goes.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.audit_export_v1(counter text, client uuid, sequence bigint, actor text) RETURNS bytea
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_column
DECLARE
    found bytea;
BEGIN
    SELECT r.reply INTO found FROM mpower.requests r WHERE r.counter = audit_export_v1.counter
        AND r.client = audit_export_v1.client AND r.sequence = audit_export_v1.sequence
        AND r.operation = 'audit.export' AND r.actor = audit_export_v1.actor
        AND r.at > now() - interval '1 day';
    IF found IS NULL THEN
        PERFORM mpower.refuse('NO_EXPORT');
    END IF;
    RETURN found;
END
$$;
REVOKE ALL ON FUNCTION mpower.audit_export_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.audit_export_v1 TO mpower_ops, mpower_admin;
