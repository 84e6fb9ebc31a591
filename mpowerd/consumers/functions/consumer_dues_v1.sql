-- What a consumer owes: one row a head (slot 0: received, awaiting verification) with name and last receipt in each.
-- A cancelled receipt is not the last one: the list of the consumer's receipts is walked back, at most ten steps.
-- Each head is looked up by itself: of a range the planner expects a ninth of the table, and reads all of it.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.consumer_dues_v1(consumer bigint)
RETURNS TABLE (slot integer, balance_paise bigint, owed_paise bigint, name text, bound_paise bigint, barred_until date,
    last_receipt text, last_paise bigint, last_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    WITH RECURSIVE walk AS (
        SELECT a.last_receipt AS receipt, 1 AS step FROM mpower.accounts a
        WHERE a.account = consumer_dues_v1.consumer * 16 AND a.last_receipt <> 0
        UNION ALL
        SELECT r.previous_receipt, w.step + 1 FROM walk w
        JOIN mpower.receipt_events e ON e.receipt = w.receipt AND e.state = 'CANCELLED'
        JOIN mpower.requests r ON r.receipt = w.receipt
        WHERE w.step < 10 AND r.previous_receipt <> 0
    ), last AS (
        SELECT mpower.receipt_text(r.counter, r.receipt) AS number, r.amount_paise, r.at FROM walk w
        JOIN mpower.requests r ON r.receipt = w.receipt
        WHERE NOT EXISTS (SELECT FROM mpower.receipt_events e WHERE e.receipt = w.receipt AND e.state = 'CANCELLED')
    )
    SELECT (a.account - c.consumer * 16)::integer, a.balance_paise, a.owed_paise, c.name, a.bound_paise, q.until, last.number,
        last.amount_paise, last.at
    FROM mpower.consumers c
    CROSS JOIN generate_series(0, 12) slots (slot)
    JOIN mpower.accounts a ON a.account = c.consumer * 16 + slots.slot
    LEFT JOIN mpower.cheque_bars q ON q.consumer = c.consumer
    LEFT JOIN last ON true
    WHERE c.consumer = consumer_dues_v1.consumer ORDER BY a.account
$$;
REVOKE ALL ON FUNCTION mpower.consumer_dues_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.consumer_dues_v1 TO mpower_clerk, mpower_officer;
