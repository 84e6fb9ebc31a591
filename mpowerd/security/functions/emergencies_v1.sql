-- The emergency powers that stand or wait for their review, or all of them (whole), newest first; with every decision that
-- its holder took under that power, in those offices, while it stood. Of requests in whichever office: mpower_board does it.

SET LOCAL ROLE mpower_owner;
GRANT SELECT ON mpower.powers, mpower.offices TO mpower_board;
GRANT EXECUTE ON FUNCTION mpower.office_within TO mpower_board;

CREATE FUNCTION mpower.emergencies_v1(whole boolean)
RETURNS TABLE (power_id integer, person text, power text, most bigint, office text, since timestamptz, until timestamptz,
    stands boolean, given_by text[], reviewed_at timestamptz, reviewed_by text, review text, decisions text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT p.power_id, p.person, p.power, p.most, p.office, p.granted_at, ended.at, ended.at > now(), p.given_by,
        p.reviewed_at, p.reviewed_by, p.review, coalesce((
            SELECT json_agg(json_build_array(r.request::text, r.object) ORDER BY r.request)::text
            FROM mpower.approvals r JOIN mpower.approval_acts a USING (request)
            WHERE a.act = 'APPROVED' AND a.person = p.person AND r.power = p.power AND a.lent_by IS NULL
                AND a.at >= p.granted_at AND a.at < ended.at AND mpower.office_within(r.office, p.office)), '[]')
    FROM mpower.powers p, LATERAL (SELECT least(p.ends_at, p.withdrawn_at) AS at) ended
    WHERE p.ends_at IS NOT NULL AND (whole OR p.reviewed_at IS NULL) ORDER BY p.power_id DESC
$$;
REVOKE ALL ON FUNCTION mpower.emergencies_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.emergencies_v1 TO mpower_app, mpower_admin, mpower_ops;
RESET ROLE;
ALTER FUNCTION mpower.emergencies_v1 OWNER TO mpower_board;
