-- One payment a transaction through the same posting function, fenced, in the clerk's role: what a batch is compared with.
-- On a database of bench.board, one counter and one audit chain a client (its best case), keys as a terminal makes them:
--   pgbench -n -M prepared -f bench/pgbench_take.sql -D term=0 -D consumers=200000 -D sequence=SECONDS_SINCE_1970 \
--       -U mpower_app -c CLIENTS -j 2 -T 10
\set sequence :sequence + 1
\set consumer 1000000000 + random(0, :consumers - 1)
\set paise random(1, 500) * 100
\set place :client_id + 1
BEGIN;
SET LOCAL lock_timeout = 2000;
SELECT mpower.fence_v1(:term);
SET LOCAL ROLE mpower_clerk;
SELECT codes, fields, receipts, names, day, at FROM mpower.take_payments_v1(
    :client_id,
    ARRAY['C' || lpad(:place::text, 3, '0')], ARRAY[1],
    ARRAY[md5('terminal ' || :place::text)::uuid], ARRAY[:sequence::bigint],
    sha256(convert_to(:consumer::text || ' ' || :paise::text, 'UTF8')),
    sha256(convert_to('session ' || :place::text, 'UTF8')), ARRAY['10.0.0.1:4321'],
    ARRAY[:consumer::bigint], ARRAY[1], ARRAY[:paise::bigint], ARRAY['CASH'], ARRAY[''], ARRAY['DUES'],
    ARRAY[1], ARRAY[1], ARRAY[1], ARRAY[''], ARRAY['']);
END;
