-- One payment a transaction, by the very function our lane calls with a batch: the same keys, receipts, ledger entries
-- and audit link, behind the same fence. Each client is one counter with its own till, series and audit chain, so that
-- no two wait for each other; the whole transaction is one round trip, by a superuser, who changes no role: the best
-- case of a server that posts payments one by one. It has no ack gate, repeats and refusals.
\set sequence :sequence + 1
\set place :client_id + 1
\set consumer random(:first_consumer, :last_consumer)
\set paise random(1, 499) * 100
SELECT mpower.fence_v1(:term), codes, fields, receipts, names, day, at FROM mpower.take_payments_v1(
    :place,
    ARRAY['C' || lpad((:place)::text, 3, '0')], ARRAY[1],
    ARRAY[(:client)::text::uuid], ARRAY[(:sequence)::bigint],
    sha256(int8send(:paise)),
    sha256(convert_to('session ' || lpad((:place)::text, 8, '0'), 'UTF8')), ARRAY['127.0.0.1:4321'],
    ARRAY[(:consumer)::bigint], ARRAY[1], ARRAY[(:paise)::bigint], ARRAY['CASH'], ARRAY[''], ARRAY['DUES'],
    ARRAY[0], '{}', ARRAY[0],
    ARRAY[1], ARRAY[1], ARRAY[1], ARRAY[''], ARRAY['']);
