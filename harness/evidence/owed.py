"""Which tables say what must go back to customers, and by when?

Owed is what an acknowledged refund asked for, what was captured for an order
that the books do not honour, and what was captured beyond an order's total: a
later capture's part of that was paid twice, the first one's is an overcharge.
Without the book of orders nothing is owed by rule here: whoever reads these
tables looks at `Evidence.missing` first.
"""

LIMITS = """
CREATE TABLE limits AS                   -- one row: evidence.build.Limits
SELECT $run_id AS run_id, CAST($start_ns AS BIGINT) AS start_ns, CAST($until_ns AS BIGINT) AS until_ns,
       CAST($refund_ns AS BIGINT) AS refund_ns, CAST($books_begin_ns AS BIGINT) AS books_begin_ns, $books AS books
"""

BACK_BY = """
CREATE MACRO back_by(provider_name, owed_ns) AS (
    -- Money owed at an instant must be back by then. A provider that was down in the window restarts it at its
    -- recovery; one that never recovered gives an instant beyond all others.
    SELECT greatest(owed_ns, coalesce(max(coalesce(u.end_ns, 4000000000000000000)), owed_ns))
           + (SELECT refund_ns FROM limits)
           + coalesce((SELECT max(g.clock_error_ns) FROM ledgers AS g WHERE g.provider = provider_name), 0)
    FROM outages AS u
    WHERE u.provider = provider_name AND u.start_ns < owed_ns + (SELECT refund_ns FROM limits)
      AND coalesce(u.end_ns, 4000000000000000000) > owed_ns)
"""

HONOURED = """
CREATE TABLE honoured AS                 -- orders that the books call paid, or paid and given back
SELECT o.order_no, min(b.state) AS state, min(b.raw_state) AS raw_state
FROM orders AS o JOIN books_orders AS b USING (order_id)
WHERE b.state IN ('paid', 'refunded') GROUP BY o.order_no ORDER BY o.order_no
"""

RULE_OWED = """
CREATE TABLE rule_owed AS                -- what must go back without anyone asking, one row a capture
WITH run AS (
    SELECT c.*, o.total_minor, o.pay_by_ns, h.order_no IS NOT NULL AS honoured,
           sum(c.amount_minor) OVER (PARTITION BY c.order_no ORDER BY c.at_ns, c.provider, c.seq) AS so_far_minor
    FROM captures AS c JOIN orders AS o USING (order_no) LEFT JOIN honoured AS h USING (order_no)),
owed AS (
    SELECT order_no, provider, number, seq, at_ns, amount_minor, greatest(at_ns, pay_by_ns) AS owed_ns,
           'not honoured' AS why
    FROM run WHERE NOT honoured
    UNION ALL
    SELECT order_no, provider, number, seq, at_ns,
           greatest(so_far_minor - total_minor, 0) - greatest(so_far_minor - amount_minor - total_minor, 0),
           at_ns, if(so_far_minor = amount_minor, 'overcharged', 'twice')   -- within the first capture, or beyond it
    FROM run WHERE honoured AND so_far_minor > total_minor)
SELECT order_no, why, provider, number, seq, at_ns, -- of the capture
       owed_ns, CAST(amount_minor AS BIGINT) AS amount_minor, back_by(provider, owed_ns) AS back_by_ns
FROM owed WHERE amount_minor > 0 AND (SELECT books FROM limits) ORDER BY order_no, owed_ns, provider, seq
"""

CUSTOMER_REFUNDS = """
CREATE TABLE customer_refunds AS         -- one row a refund that a customer asked for: all requests with one key
WITH asked AS (
    SELECT coalesce(p.key_no, -p.id) AS key_no, min(p.id) AS id, min(o.order_no) AS order_no,
           arg_min(coalesce(p.asked_minor, p.amount_minor),    -- a key refused for another amount stands for its first
                   (CASE p.outcome WHEN 'ok' THEN 0 WHEN 'info' THEN 1 ELSE 2 END, p.id)) AS amount_minor,
           min(p.sent_ns) AS sent_ns,
           max(p.result_id) FILTER (p.outcome = 'ok') AS result_id,
           CASE WHEN bool_or(p.outcome = 'ok') THEN 'ok' WHEN bool_or(p.outcome = 'info') THEN 'info' ELSE 'fail' END
               AS outcome,
           min(p.done_ns) FILTER (p.outcome = 'ok') AS acknowledged_ns,
           max(coalesce(p.done_ns, p.sent_ns)) AS last_ns
    FROM operations AS p JOIN orders AS o ON o.order_id = p.asked_order_id
    WHERE p.op = 'refund' GROUP BY 1),
spare AS (                               -- refunds in the books that customers asked for and no ok reply named
    SELECT o.order_no, b.refund_id, b.number, b.amount_minor, min(t.at_ns) AS booked_ns,
           row_number() OVER (PARTITION BY o.order_no, b.amount_minor ORDER BY b.refund_id) AS nth
    FROM books_refunds AS b JOIN orders AS o USING (order_id)
    LEFT JOIN books_transitions AS t ON t.kind = 'refund' AND t.subject = b.refund_id
    WHERE b.requested AND b.state <> 'failed'
      AND NOT EXISTS (SELECT 1 FROM asked AS a WHERE a.result_id = b.refund_id)
    GROUP BY o.order_no, b.refund_id, b.number, b.amount_minor),
open AS (SELECT *, row_number() OVER (PARTITION BY order_no, amount_minor ORDER BY sent_ns, id) AS nth
         FROM asked WHERE outcome = 'info')
SELECT a.key_no, a.id, a.order_no, a.amount_minor, a.sent_ns,
       a.outcome,                                    -- ok: acknowledged; info: permitted, not required; fail: refused
       coalesce(a.result_id, s.refund_id) AS refund_id,   -- in the books; NULL: not there, or not named
       a.outcome = 'info' AND s.refund_id IS NOT NULL AS booked,  -- unanswered, but the books have it
       CASE WHEN a.outcome = 'ok' THEN a.acknowledged_ns
            WHEN s.refund_id IS NOT NULL THEN greatest(a.last_ns, s.booked_ns) END AS owed_ns   -- NULL: nothing owed
FROM asked AS a LEFT JOIN open AS i USING (key_no) LEFT JOIN spare AS s
    ON s.order_no = i.order_no AND s.amount_minor = i.amount_minor AND s.nth = i.nth
ORDER BY a.order_no, a.sent_ns, a.key_no
"""

OWED_TABLES = (BACK_BY, HONOURED, RULE_OWED, CUSTOMER_REFUNDS)
