-- A batch of payments, each taken or refused on its own: the hot path. One statement a table, arrays read by subscript;
-- the caller sorts the distinct consumers, which is also the order in which accounts are locked. A key that was used
-- before is marked REPLAY; one that is used meanwhile aborts the attempt, is marked, and the rest is tried again.
-- Money is taken in a shift only: whose it is and how much cash its till may hold stand on the counter's series, and a shift
-- that ends meanwhile makes the attempt fail like an account that moved. A payment with a head of its own (head_of > 0) is
-- judged by what is payable there; the others by what is payable as dues. Nobody takes for an account of their own.
-- Locks: day (shared), the lane's own audit chain, series, keys, consumers, tills. What others lock comes in the same order
-- (series, then consumers, then tills); they share no chain with a lane.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.take_payments_v1(
    chain integer,
    counters text[], counter_of integer[],
    clients uuid[], sequences bigint[], fingerprints bytea, tokens bytea, addresses text[],
    consumers bigint[], consumer_of integer[], amounts bigint[], modes text[], instruments text[], purposes text[],
    confirmed integer[], heads bigint[], head_of integer[],
    till_counters integer[], till_slots integer[], till_of integer[],
    objections text[], objection_fields text[],
    OUT codes text[], OUT fields text[], OUT receipts bigint[], OUT names text[], OUT day date, OUT at timestamptz
) LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, mpower, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off SET enable_memoize = off SET jit = off
AS $$
#variable_conflict use_variable
DECLARE
    n CONSTANT integer := cardinality(clients);
    known boolean[] := array_fill(false, ARRAY[n]);
    locked boolean := false;
    any_known boolean := false;
    newly_known boolean;
    year smallint;
    fact record;
    code text;
    i integer;
    c integer;
    k integer;
    h integer;
    amount bigint;
    accepted integer;
    paying integer;
    paying_own integer;
    stored integer;
    changed integer;
    link bigint;
    previous bytea;
    hash bytea;
    marks integer[];
    counter_ids integer[];
    shifts integer[];
    taken integer[];
    last_number integer[];
    stale_before date;
    again text;
    payable bigint[];
    payable_own bigint[];
    paid_own bigint[];
    bound_paid bigint[];
    seen_own bigint[];
    paid bigint[];
    seen_balance bigint[];
    seen_owed bigint[];
    seen_last bigint[];
    newest integer[];
    in_till bigint[];
    offsets integer[];
    before integer[];
    previous_receipts bigint[];
    newest_receipts bigint[];
    user_ids integer[];
    actors text[];
    violated text;
    owned bigint[];
BEGIN
    at := now();
    PERFORM pg_advisory_xact_lock_shared(77001, 1);
    SELECT d.day, d.financial_year INTO day, year FROM mpower.days d WHERE d.closed_at IS NULL;
    PERFORM pg_advisory_xact_lock(77002, chain);  -- before anything is read, and kept over the attempts
    -- Look before inserting: a batch that meets a used key would be undone and done again, which costs more than a
    -- look-up beside the keys' own place in the index. The LIMIT leaves the planner no choice but that index, even
    -- if it planned while the table was empty.
    FOR i IN
        SELECT g.i FROM generate_series(1, n) g (i)
            CROSS JOIN LATERAL (SELECT FROM mpower.requests r WHERE r.counter = counters[counter_of[g.i]]
                AND r.client = clients[g.i] AND r.sequence = sequences[g.i] LIMIT 1) used
    LOOP
        known[i] := true;
        any_known := true;
    END LOOP;
    owned := ARRAY(SELECT o.consumer FROM unnest(consumers) u (consumer) JOIN mpower.own_accounts o
        ON o.consumer = u.consumer AND o.ended_at IS NULL);
    FOR attempt IN 1..8 LOOP
    BEGIN
        codes := array_fill(NULL::text, ARRAY[n]);
        fields := codes; names := codes; actors := codes;
        receipts := array_fill(NULL::bigint, ARRAY[n]);
        previous_receipts := receipts;
        offsets := array_fill(0, ARRAY[n]);
        before := offsets; user_ids := array_fill(NULL::integer, ARRAY[n]);
        taken := array_fill(0, ARRAY[cardinality(counters)]);
        counter_ids := taken; shifts := taken; last_number := taken;
        payable := array_fill(NULL::bigint, ARRAY[cardinality(consumers)]);
        paid := array_fill(0::bigint, ARRAY[cardinality(consumers)]);
        seen_balance := paid; seen_owed := paid; seen_last := paid; newest_receipts := paid; bound_paid := paid;
        payable_own := array_fill(NULL::bigint, ARRAY[cardinality(heads)]);
        paid_own := array_fill(0::bigint, ARRAY[cardinality(heads)]);
        seen_own := paid_own;
        newest := array_fill(0, ARRAY[cardinality(consumers)]);
        in_till := array_fill(0::bigint, ARRAY[cardinality(till_of)]);
        accepted := 0; paying := 0; paying_own := 0; link := NULL;

        IF locked THEN  -- an account or a shift moved under the last attempt: this time nobody may
            PERFORM FROM mpower.series s JOIN mpower.counters t ON t.counter_id = s.counter_id
                WHERE t.code = ANY (counters) AND s.financial_year = year ORDER BY t.code FOR UPDATE OF s;
            PERFORM FROM mpower.accounts a
                WHERE a.account IN (SELECT u.consumer * 16 FROM unnest(consumers) u (consumer))
                ORDER BY a.account FOR UPDATE;
        END IF;

        FOR fact IN
            SELECT g.i, s.user_id, s.name AS actor, s.role, s.ended_at, s.ended_why, s.expires_at, t.counter_id,
                t.closed OR t.kind <> 'COUNTER' AS closed, z.shift, z.clerk, z.limit_paise, h.balance_paise AS cash_paise,
                p.name, a.balance_paise, a.owed_paise, a.bound_paise, a.last_receipt, a.last_day,
                o.owed_paise AS own_paise, q.until AS barred_until
            FROM generate_series(1, n) g (i)
            LEFT JOIN mpower.sessions s ON s.token = substring(tokens FROM g.i * 32 - 31 FOR 32)
            LEFT JOIN mpower.counters t ON t.code = counters[counter_of[g.i]]
            LEFT JOIN mpower.series z ON z.counter_id = t.counter_id AND z.financial_year = year
            LEFT JOIN mpower.accounts h ON h.account = CASE  -- a null looks nothing up
                WHEN z.limit_paise IS NOT NULL AND modes[g.i] = 'CASH' THEN -(t.counter_id::bigint * 16 + 1) END
            LEFT JOIN mpower.consumers p ON p.consumer = consumers[consumer_of[g.i]]
            LEFT JOIN mpower.accounts a ON a.account = consumers[consumer_of[g.i]] * 16
            LEFT JOIN mpower.accounts o ON o.account = CASE WHEN head_of[g.i] > 0 THEN heads[head_of[g.i]] END
            LEFT JOIN mpower.cheque_bars q ON q.consumer = CASE WHEN modes[g.i] = 'CHEQUE' THEN consumers[consumer_of[g.i]] END
        LOOP
            i := fact.i;
            IF known[i] THEN
                codes[i] := 'REPLAY';
                CONTINUE;
            END IF;
            c := consumer_of[i];
            k := counter_of[i];
            h := head_of[i];
            amount := amounts[i];
            IF payable[c] IS NULL AND fact.balance_paise IS NOT NULL THEN
                payable[c] := fact.balance_paise + fact.owed_paise - fact.bound_paise;
                seen_balance[c] := fact.balance_paise;
                seen_owed[c] := fact.owed_paise;
                seen_last[c] := fact.last_receipt;
            END IF;
            IF h > 0 AND payable_own[h] IS NULL THEN
                payable_own[h] := coalesce(fact.own_paise, 0);
                seen_own[h] := payable_own[h];
            END IF;
            IF modes[i] IN ('CHEQUE', 'DD') AND stale_before IS NULL THEN
                SELECT day - make_interval(months => r.stale_months) INTO stale_before FROM mpower.payment_rule(day) r;
            END IF;
            again := CASE WHEN confirmed[i] = 1 THEN NULL
                WHEN newest[c] > 0 AND amounts[newest[c]] = amount AND purposes[newest[c]] = purposes[i]
                    THEN json_build_object('consumer', lpad(consumers[c]::text, 10, '0'), 'amount', amount,
                        'counter', counters[counter_of[newest[c]]], 'receipt', 'of this moment',
                        'at', to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))::text
                WHEN fact.last_day = day THEN mpower.paid_already(fact.last_receipt, amount, purposes[i], day) END;
            code := CASE
                WHEN fact.user_id IS NULL THEN 'SIGN_IN_AGAIN'
                WHEN fact.ended_why = 'DISABLED' THEN 'USER_DISABLED'
                WHEN fact.ended_at IS NOT NULL OR fact.expires_at <= at THEN 'SIGN_IN_AGAIN'
                WHEN fact.role <> 'clerk' THEN 'ROLE'
                WHEN fact.counter_id IS NULL OR fact.closed THEN 'NO_COUNTER'
                WHEN objections[i] <> '' THEN objections[i]
                WHEN day IS NULL THEN 'DAY_NOT_OPEN'
                WHEN fact.shift IS NULL THEN 'NO_SHIFT'
                WHEN fact.clerk <> fact.user_id THEN 'SHIFT_OF_ANOTHER'
                WHEN payable[c] IS NULL THEN 'NO_CONSUMER'
                WHEN consumers[c] = ANY (owned) AND EXISTS (SELECT FROM mpower.users u JOIN mpower.own_accounts o
                    ON o.person = u.person WHERE u.user_id = fact.user_id AND o.consumer = consumers[c]
                    AND o.ended_at IS NULL) THEN 'OWN_ACCOUNT'
                WHEN fact.barred_until >= day THEN 'CHEQUE_BARRED'
                WHEN modes[i] IN ('CHEQUE', 'DD', 'POSTAL_ORDER') AND mpower.instrument_day(instruments[i]) > day
                    THEN 'INSTRUMENT_POST_DATED'
                WHEN modes[i] IN ('CHEQUE', 'DD') AND mpower.instrument_day(instruments[i]) < stale_before
                    THEN 'INSTRUMENT_STALE'
                WHEN again IS NOT NULL THEN 'PAID_ALREADY'
                WHEN h > 0 AND amount > payable_own[h] THEN 'OVER_HEAD'
                WHEN purposes[i] IN ('DUES', 'PARTIAL') AND amount > payable[c]
                    THEN CASE WHEN payable[c] < 0 THEN 'PAID_AHEAD' ELSE 'ADVANCE_UNMARKED' END
                WHEN fact.cash_paise + in_till[till_of[i]] > 0
                    AND fact.cash_paise + in_till[till_of[i]] + amount > fact.limit_paise THEN 'CASH_LIMIT'
                ELSE '' END;
            codes[i] := code;
            user_ids[i] := fact.user_id;
            actors[i] := fact.actor;
            IF code = '' THEN
                accepted := accepted + 1;
                counter_ids[k] := fact.counter_id;
                shifts[k] := fact.shift;
                taken[k] := taken[k] + 1;
                offsets[i] := taken[k];
                before[i] := newest[c];
                IF newest[c] = 0 THEN paying := paying + 1; END IF;
                newest[c] := i;
                IF h > 0 THEN
                    IF paid_own[h] = 0 THEN paying_own := paying_own + 1; END IF;
                    payable_own[h] := payable_own[h] - amount;
                    paid_own[h] := paid_own[h] + amount;
                    bound_paid[c] := bound_paid[c] + amount;
                ELSE
                    payable[c] := payable[c] - amount;
                END IF;
                paid[c] := paid[c] + amount;
                in_till[till_of[i]] := in_till[till_of[i]] + amount;
                names[i] := fact.name;
            ELSE
                fields[i] := CASE code
                    WHEN objections[i] THEN objection_fields[i]
                    WHEN 'USER_DISABLED' THEN json_build_object('user', fact.actor)::text
                    WHEN 'ROLE' THEN json_build_object('purpose', 'take a payment', 'role', fact.role,
                        'needed', 'clerk')::text
                    WHEN 'NO_SHIFT' THEN json_build_object('counter', counters[k])::text
                    WHEN 'SHIFT_OF_ANOTHER' THEN json_build_object('counter', counters[k])::text
                    WHEN 'CASH_LIMIT' THEN json_build_object('counter', counters[k], 'limit', fact.limit_paise,
                        'cash', fact.cash_paise + in_till[till_of[i]], 'amount', amount)::text
                    WHEN 'NO_COUNTER' THEN json_build_object('counter', counters[k])::text
                    WHEN 'NO_CONSUMER' THEN json_build_object('consumer', lpad(consumers[c]::text, 10, '0'))::text
                    WHEN 'OWN_ACCOUNT' THEN json_build_object('consumer', lpad(consumers[c]::text, 10, '0'))::text
                    WHEN 'CHEQUE_BARRED' THEN json_build_object('until', fact.barred_until::text)::text
                    WHEN 'INSTRUMENT_POST_DATED' THEN json_build_object('date',
                        mpower.instrument_day(instruments[i])::text, 'day', day::text)::text
                    WHEN 'INSTRUMENT_STALE' THEN json_build_object('date', mpower.instrument_day(instruments[i])::text,
                        'first', stale_before::text)::text
                    WHEN 'PAID_ALREADY' THEN again
                    WHEN 'OVER_HEAD' THEN json_build_object('amount', amount, 'owed', payable_own[h], 'purpose', purposes[i])
                        ::text
                    WHEN 'PAID_AHEAD' THEN json_build_object('amount', amount, 'ahead', -payable[c])::text
                    WHEN 'ADVANCE_UNMARKED' THEN json_build_object('amount', amount, 'dues', payable[c])::text
                    ELSE '{}' END;
            END IF;
        END LOOP;

        SELECT l.link, l.previous INTO link, previous FROM mpower.next_link(chain) l;

        IF accepted > 0 THEN
            changed := 0;
            FOR fact IN
                UPDATE mpower.series s SET last_number = s.last_number + taken[g.k]
                FROM generate_series(1, cardinality(counters)) g (k)
                WHERE taken[g.k] > 0 AND s.counter_id = counter_ids[g.k] AND s.financial_year = year
                    AND s.shift = shifts[g.k]
                RETURNING g.k, s.last_number
            LOOP
                last_number[fact.k] := fact.last_number - taken[fact.k];
                changed := changed + taken[fact.k];
            END LOOP;
            IF changed <> accepted THEN
                RAISE EXCEPTION 'a shift ended' USING ERRCODE = 'MPR02';
            END IF;
            FOR i IN 1..n LOOP
                IF codes[i] = '' THEN
                    k := counter_of[i];
                    c := consumer_of[i];
                    receipts[i] := mpower.receipt_id(counter_ids[k], year, last_number[k] + offsets[i]);
                    previous_receipts[i] := CASE WHEN before[i] > 0 THEN receipts[before[i]] ELSE seen_last[c] END;
                    newest_receipts[c] := receipts[i];
                END IF;
            END LOOP;
        END IF;

        WITH kept AS (
            INSERT INTO mpower.requests (counter, client, sequence, at, link, receipt, previous_receipt, consumer,
                amount_paise, day, user_id, position, fingerprint, operation, actor, address, mode, instrument, purpose,
                name, refusal, refusal_fields)
            SELECT counters[counter_of[g.i]], clients[g.i], sequences[g.i], at, link, receipts[g.i],
                previous_receipts[g.i], consumers[consumer_of[g.i]], amounts[g.i], day, user_ids[g.i], g.i,
                substring(fingerprints FROM g.i * 32 - 31 FOR 32), 'payments.take', actors[g.i], addresses[g.i],
                modes[g.i], instruments[g.i], purposes[g.i], names[g.i], nullif(codes[g.i], ''), fields[g.i]
            FROM generate_series(1, n) g (i)
            WHERE codes[g.i] NOT IN ('REPLAY', 'SIGN_IN_AGAIN')
            RETURNING requests.position, mpower.request_evidence(requests) AS evidence
        )
        SELECT count(*), sha256(previous || string_agg(kept.evidence, ''::bytea ORDER BY kept.position)),
            array_agg(hash_record(ROW(kept.evidence)) ORDER BY kept.position) INTO stored, hash, marks FROM kept;
        IF stored > 0 THEN
            INSERT INTO mpower.audit_links (link, at, term, covers, previous, hash, marks)
                SELECT link, at, f.term, stored, previous, hash, marks FROM cluster.fence f;
        END IF;

        IF accepted > 0 THEN
            INSERT INTO mpower.entries (voucher, debit, credit, amount_paise, line)
            SELECT receipts[g.i], -(counter_ids[counter_of[g.i]]::bigint * 16 + till_slots[till_of[g.i]]),
                consumers[consumer_of[g.i]] * 16, amounts[g.i], 1
            FROM generate_series(1, n) g (i) WHERE codes[g.i] = '';

            UPDATE mpower.accounts a
                SET balance_paise = a.balance_paise - paid[g.c], bound_paise = a.bound_paise - bound_paid[g.c],
                    last_receipt = newest_receipts[g.c], last_day = day
            FROM generate_series(1, cardinality(consumers)) g (c)
            WHERE paid[g.c] > 0 AND a.account = consumers[g.c] * 16 AND a.balance_paise = seen_balance[g.c]
                AND a.owed_paise = seen_owed[g.c] AND a.last_receipt = seen_last[g.c];
            GET DIAGNOSTICS changed = ROW_COUNT;
            IF changed <> paying THEN
                RAISE EXCEPTION 'an account moved' USING ERRCODE = 'MPR02';
            END IF;
            IF paying_own > 0 THEN
                UPDATE mpower.accounts a SET owed_paise = a.owed_paise - paid_own[g.h]
                FROM generate_series(1, cardinality(heads)) g (h)
                WHERE paid_own[g.h] > 0 AND a.account = heads[g.h] AND a.owed_paise = seen_own[g.h];
                GET DIAGNOSTICS changed = ROW_COUNT;
                IF changed <> paying_own THEN
                    RAISE EXCEPTION 'a head moved' USING ERRCODE = 'MPR02';
                END IF;
            END IF;

            UPDATE mpower.accounts a SET balance_paise = a.balance_paise + in_till[g.t]
            FROM generate_series(1, cardinality(till_slots)) g (t)
            WHERE in_till[g.t] > 0 AND a.account = -(counter_ids[till_counters[g.t]]::bigint * 16 + till_slots[g.t]);
        END IF;
        IF any_known THEN  -- a replay is answered behind a written commit, whatever else the batch held
            PERFORM pg_logical_emit_message(true, 'mpower', 'replay');
        END IF;
        RETURN;
    EXCEPTION
        WHEN SQLSTATE 'MPR02' THEN
            locked := true;
        WHEN unique_violation THEN
            GET STACKED DIAGNOSTICS violated = CONSTRAINT_NAME;
            IF violated <> 'requests_pk' THEN
                RAISE;
            END IF;
            newly_known := false;
            FOR i IN
                SELECT g.i FROM generate_series(1, n) g (i)
                    CROSS JOIN LATERAL (SELECT FROM mpower.requests r WHERE r.counter = counters[counter_of[g.i]]
                        AND r.client = clients[g.i] AND r.sequence = sequences[g.i] LIMIT 1) used
            LOOP
                newly_known := newly_known OR NOT known[i];
                known[i] := true;
            END LOOP;
            IF NOT newly_known THEN  -- the batch itself holds a key twice: the first counts
                FOR i IN
                    SELECT g.i FROM generate_series(2, n) g (i) WHERE EXISTS (
                        SELECT FROM generate_series(1, g.i - 1) h (i) WHERE clients[h.i] = clients[g.i]
                            AND sequences[h.i] = sequences[g.i] AND counter_of[h.i] = counter_of[g.i])
                LOOP
                    known[i] := true;
                END LOOP;
            END IF;
            any_known := true;
    END;
    END LOOP;
    RAISE EXCEPTION 'a batch found no quiet moment in eight attempts' USING ERRCODE = 'lock_not_available';
END
$$;

REVOKE ALL ON FUNCTION mpower.take_payments_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.take_payments_v1 TO mpower_clerk;
