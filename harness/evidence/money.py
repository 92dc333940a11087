"""Which tables say what the providers did with customers' money?

Built from the ledgers, which are not the target's own. Money counts from the
watermark on and only for this run. The ledger was read, then the books, then
the ledger again: what stands in the first reading the books must know.
"""

UNSOUND = """
CREATE MACRO unsound(present, complete, watermark_seq, first_seq, last_seq, gaps, repeated, said_seq) AS (
    -- Why absence from a ledger proves nothing; NULL: it is whole. The last argument is the last seq that was read.
    CASE WHEN NOT present THEN 'its ledger is missing'
         WHEN NOT complete THEN 'its ledger does not claim to be complete'
         WHEN watermark_seq IS NULL THEN 'nobody noted where its ledger stood before the load'
         WHEN coalesce(gaps, 0) > 0 THEN 'its ledger lacks ' || gaps || ' of its seq'
         WHEN coalesce(repeated, 0) > 0 THEN 'its ledger repeats ' || repeated || ' of its seq'
         WHEN coalesce(first_seq, 1) > watermark_seq + 1 THEN 'its ledger begins after the watermark'
         WHEN coalesce(last_seq, 0) < coalesce(said_seq, 0) THEN 'its ledger ends before its last seq' END)
"""

LEDGERS = """
CREATE TABLE ledgers AS                  -- one row a declared ledger
WITH counted AS (
    SELECT provider, count(*) AS rows, min(seq) AS first_seq, max(seq) AS last_seq,
           max(seq) - min(seq) + 1 - count(DISTINCT seq) AS gaps, count(*) - count(DISTINCT seq) AS repeated
    FROM ledger GROUP BY provider)
SELECT d.provider, d.present, d.complete, d.attribution, d.clock_error_ns,
       coalesce(d.watermark_seq, 0) AS watermark_seq,  -- last seq before the load
       d.first_reading_seq,                          -- last seq before the books were read; NULL: not known
       d.second_reading_seq,                         -- last seq after
       coalesce(c.rows, 0) AS rows, c.first_seq, c.last_seq, coalesce(c.gaps, 0) AS gaps,
       unsound(d.present, d.complete, d.watermark_seq, c.first_seq, c.last_seq, c.gaps, c.repeated,
               d.second_reading_seq) AS unsound
FROM declared_ledgers AS d LEFT JOIN counted AS c USING (provider) ORDER BY d.provider
"""

NUMBERS = """
CREATE TABLE numbers AS                  -- one row a provider's number of a charge
SELECT l.provider, l.number, min(l.order_id) AS order_id, min(l.run) AS run,
       bool_or(l.seq <= g.watermark_seq) AS before_load,
       any_value(o.order_no ORDER BY o.order_no) AS order_no,
       min(b.order_id) AS booked_order_id
FROM ledger AS l JOIN ledgers AS g USING (provider)
LEFT JOIN orders AS o ON o.order_id = l.order_id
LEFT JOIN (SELECT provider, number, min(order_id) AS order_id FROM books_payments
           WHERE number IS NOT NULL GROUP BY provider, number) AS b
       ON b.provider = l.provider AND b.number = l.number
WHERE l.number IS NOT NULL GROUP BY l.provider, l.number ORDER BY l.provider, l.number
"""

OUR_NUMBERS = """
CREATE TABLE our_numbers AS              -- of this run and since the watermark
SELECT n.provider, n.number,
       n.order_no, n.order_id,                       -- as the merchant attached it; NULL: without attribution
       b.order_no AS booked_order_no,                -- of the order that the books give this number to
       n.booked_order_id
FROM numbers AS n LEFT JOIN orders AS o ON o.order_no = n.order_no
LEFT JOIN orders AS b ON b.order_id = n.booked_order_id
WHERE NOT n.before_load AND (n.run IS NULL OR n.run = (SELECT run_id FROM limits) OR o.journey IS NOT NULL)
ORDER BY n.provider, n.number
"""

CAPTURES = """
CREATE TABLE captures AS                 -- one row a capture in a ledger, since the watermark
SELECT l.provider, l.number, l.seq, l.at_ns, l.utc_ms, l.amount_minor, l.currency,
       n.order_no, n.order_id, n.booked_order_no, o.intent,
       coalesce(l.seq <= g.first_reading_seq OR l.at_ns < (SELECT books_begin_ns FROM limits), false)
           AS before_books                           -- so the books, read later, must know it
FROM ledger AS l JOIN our_numbers AS n USING (provider, number) JOIN ledgers AS g USING (provider)
LEFT JOIN orders AS o ON o.order_no = n.order_no
WHERE l.kind = 'captured' AND l.seq > g.watermark_seq ORDER BY l.provider, l.seq
"""

PROVIDER_REFUNDS = """
CREATE TABLE provider_refunds AS         -- one row a refund in a ledger, by the number that the merchant gave it
WITH rows AS (
    SELECT l.*, coalesce(l.refund_number, 'seq ' || l.seq) AS refund
    FROM ledger AS l JOIN our_numbers AS n USING (provider, number) JOIN ledgers AS g USING (provider)
    WHERE l.kind IN ('refund_accepted', 'refunded', 'failed') AND l.seq > g.watermark_seq
      AND (l.kind <> 'failed' OR l.refund_number IS NOT NULL)),
each AS (
    SELECT provider, number, refund,             -- what went back, though it went twice; what is to go, until then
           CAST(coalesce(sum(amount_minor) FILTER (kind = 'refunded'), max(amount_minor)) AS BIGINT) AS amount_minor,
           min(seq) FILTER (kind = 'refund_accepted') AS accepted_seq,
           min(at_ns) FILTER (kind = 'refund_accepted') AS accepted_ns,
           min(seq) FILTER (kind = 'refunded') AS done_seq,
           min(at_ns) FILTER (kind = 'refunded') AS done_ns,
           bool_or(kind = 'failed') AS failed
    FROM rows GROUP BY provider, number, refund)
SELECT e.provider, e.number, e.refund AS refund_number, n.order_no, n.order_id, n.booked_order_no, e.amount_minor,
       e.accepted_seq, e.accepted_ns, e.done_seq,
       e.done_ns,                                    -- the money went back; NULL: not (yet)
       e.done_ns IS NULL AND NOT e.failed AS running,
       coalesce(b.compensation, false) AS compensation,   -- the books call it goodwill
       coalesce(e.done_seq <= g.first_reading_seq OR e.done_ns < (SELECT books_begin_ns FROM limits), false)
           AS before_books                           -- it was done before the books were read
FROM each AS e JOIN our_numbers AS n USING (provider, number) JOIN ledgers AS g USING (provider)
LEFT JOIN (SELECT provider, number, bool_or(compensation) AS compensation FROM books_refunds
           WHERE number IS NOT NULL GROUP BY provider, number) AS b
       ON b.provider = e.provider AND b.number = e.refund
ORDER BY e.provider, e.number, e.refund
"""

OUTAGES = """
CREATE TABLE outages AS                  -- when a provider was down, or refused every connection
SELECT provider, start_ns, end_ns, why FROM (
    SELECT k.service AS provider, k.at_ns AS start_ns, min(u.at_ns) AS end_ns, k.event AS why
    FROM processes AS k LEFT JOIN processes AS u
      ON u.service = k.service AND u.at_ns > k.at_ns
         AND u.event IN (CASE k.event WHEN 'paused' THEN 'resumed' ELSE 'ready' END, 'answered')
    WHERE k.event IN ('killed', 'stopped', 'paused') GROUP BY k.service, k.at_ns, k.event
    UNION
    SELECT "where", start_ns, end_ns, kind FROM faults
    WHERE start_ns IS NOT NULL AND (driver = 'process' OR kind = 'down')
) WHERE provider IN (SELECT provider FROM ledgers) ORDER BY provider, start_ns, why
"""

BLIND_ORDERS = """
CREATE TABLE blind_orders AS             -- orders tried at a provider whose ledger is not whole: absence proves nothing
WITH tried AS (
    SELECT o.order_no, p.method AS provider FROM operations AS p JOIN orders AS o USING (order_id)
    WHERE p.op = 'pay' AND p.method IS NOT NULL
    UNION SELECT o.order_no, p.provider FROM books_payments AS p JOIN orders AS o USING (order_id)
    UNION SELECT order_no, provider FROM our_numbers WHERE order_no IS NOT NULL)
SELECT order_no, min(provider) AS provider, any_value(g.unsound ORDER BY provider) AS why
FROM tried JOIN ledgers AS g USING (provider) WHERE g.unsound IS NOT NULL GROUP BY order_no ORDER BY order_no
"""

STRANGERS = """
SELECT count(DISTINCT o.order_id), min(o.order_id) FROM our_numbers AS n JOIN orders AS o USING (order_no)
WHERE o.journey IS NULL ORDER BY ALL
"""

MONEY_TABLES = (UNSOUND, LEDGERS, NUMBERS, OUR_NUMBERS, CAPTURES, PROVIDER_REFUNDS, OUTAGES, BLIND_ORDERS)
"""In the order in which they are defined, after `shared.SHARED_TABLES` and `owed.LIMITS`."""
