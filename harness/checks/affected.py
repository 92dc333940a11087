"""Which orders did an outage touch, by the target's published rule, and which certainly not?

Affected is an order of which a payment attempt was answered busy, or stayed unresolved for longer than
the rule's limit by the target's own log, or which was refunded unasked. The rule speaks of what the
target could know. So a customer's own time-out says nothing, and where the target's answer was lost on
its way, or its log lacks a step, or the log's milliseconds do not decide, the order is neither.

    C  pay rows ────────> busy, seen unresolved, answer lost
    O  steps ───────────> unresolved for how long              ──> word: affected, unaffected, unclear
    P  refunds, captures > refunded unasked

Three sources, so that a log which is kinder to the target than the truth does not go unseen: a customer
who was shown her one attempt as being paid for longer than the limit proves it unresolved.
"""

from harness.evidence.tables import Evidence

EDGE_NS = 5_000_000
"""Stamps of the log are whole milliseconds: closer than this to the limit either word is right."""

TRIES = """
CREATE OR REPLACE TABLE tries AS         -- what customers saw of their attempts to pay, by order
WITH pays AS (
    SELECT o.order_no, p.*, coalesce(p.code IN (SELECT unnest($codes)), false) AS says_busy
    FROM operations AS p JOIN orders AS o ON o.order_id = coalesce(p.asked_order_id, p.order_id)
    WHERE p.op = 'pay' OR (p.op = 'trespass' AND p.tried = 'pay'))
SELECT order_no,
       min(done_ns) FILTER (op = 'pay' AND says_busy AND http IN (SELECT unnest($statuses))) AS busy_ns,
       coalesce(bool_or(says_busy), false) AS busy_somehow,
       -- an answer that was not seen, or that may be a proxy's, may have been the target's busy
       bool_or(done_ns IS NULL OR (ending NOT IN ('unresolved', 'refused', 'connect_timeout')
               AND (ending <> 'answered' OR http IS NULL OR (http >= 500 AND code IS NULL)))) AS unseen,
       count(DISTINCT method) AS methods
FROM pays GROUP BY order_no ORDER BY order_no
"""

SEEN_PAYING = """
CREATE OR REPLACE TABLE seen_paying AS   -- orders of one attempt that their customers saw being paid, from when to when
WITH single AS (SELECT order_id FROM books_payments GROUP BY order_id HAVING count(*) = 1)
SELECT o.order_no, min(p.done_ns) AS first_ns, max(p.sent_ns) AS last_ns
FROM operations AS p JOIN orders AS o ON o.order_id = p.order_id JOIN single AS s ON s.order_id = p.order_id
JOIN tries AS t ON t.order_no = o.order_no
WHERE p.op IN ('pay', 'read') AND p.state = 'paying' AND p.done_ns IS NOT NULL AND t.methods = 1
GROUP BY o.order_no ORDER BY o.order_no
"""

LOGGED = """
CREATE OR REPLACE TABLE logged AS        -- each attempt that the books have, as the target's own log tells it
WITH steps AS (
    SELECT subject, min(order_id) AS order_id, min(at_ns) FILTER (from_state IS NULL) AS begun_ns,
           min(at_ns) FILTER (to_state NOT IN (SELECT unnest($unresolved))) AS decided_ns
    FROM books_transitions WHERE kind = 'payment' GROUP BY subject)
SELECT o.order_no, coalesce(b.payment_id, s.subject) AS payment_id, s.begun_ns, s.decided_ns,
       coalesce(s.decided_ns, $read_ns) - s.begun_ns AS lasted_ns,
       s.begun_ns IS NULL OR (s.decided_ns IS NULL AND b.raw_state NOT IN (SELECT unnest($unresolved))) AS gappy
FROM books_payments AS b FULL JOIN steps AS s ON s.subject = b.payment_id
JOIN orders AS o ON o.order_id = coalesce(b.order_id, s.order_id)
ORDER BY o.order_no, payment_id
"""

UNASKED = """
CREATE OR REPLACE TABLE unasked AS       -- what went back of an order, and whether its customer had asked for it
WITH back AS (
    SELECT p.order_no, sum(p.amount_minor) FILTER (p.done_ns IS NOT NULL) AS back_minor,
           max(p.done_ns) AS last_ns,
           min(p.done_ns) FILTER (b.requested = false) AS booked_ns,
           bool_or(b.requested IS NULL) AS unbooked
    FROM provider_refunds AS p LEFT JOIN books_refunds AS b ON b.provider = p.provider AND b.number = p.refund_number
    WHERE NOT p.compensation AND p.order_no IS NOT NULL GROUP BY p.order_no),
asked AS (SELECT order_no, sum(amount_minor) AS asked_minor FROM customer_refunds WHERE outcome <> 'fail'
          GROUP BY order_no),
booked AS (SELECT DISTINCT o.order_no FROM books_refunds AS b JOIN orders AS o USING (order_id)
           WHERE NOT b.requested AND NOT b.compensation),
owed AS (SELECT DISTINCT order_no FROM rule_owed)
SELECT o.order_no,
       coalesce(k.booked_ns, CASE WHEN w.order_no IS NOT NULL AND k.back_minor > coalesce(a.asked_minor, 0)
                             THEN k.last_ns END) AS refunded_ns,
       b.order_no IS NOT NULL OR w.order_no IS NOT NULL OR coalesce(k.unbooked, false)
       OR coalesce(k.back_minor, 0) > coalesce(a.asked_minor, 0) AS somehow
FROM orders AS o LEFT JOIN back AS k USING (order_no) LEFT JOIN asked AS a USING (order_no)
LEFT JOIN booked AS b USING (order_no) LEFT JOIN owed AS w USING (order_no)
ORDER BY o.order_no
"""

TOUCHED = """
CREATE OR REPLACE TABLE touched AS       -- every order of the run with the rule's word on it
WITH log AS (
    SELECT order_no, min(begun_ns) FILTER (lasted_ns > $limit_ns + $edge_ns) + $limit_ns AS unresolved_ns,
           bool_or(gappy OR lasted_ns > $limit_ns - $edge_ns) AS somehow
    FROM logged GROUP BY order_no),
unlogged AS (                            -- charges that a provider knows of and the books do not
    SELECT DISTINCT n.order_no FROM our_numbers AS n
    JOIN ledger AS l ON l.provider = n.provider AND l.number = n.number AND l.kind IN ('accepted', 'captured')
    WHERE n.order_no IS NOT NULL AND n.booked_order_no IS NULL),
reasons AS (
    SELECT o.order_no, o.order_id, o.total_minor, t.busy_ns, u.refunded_ns,
           least(g.unresolved_ns, CASE WHEN s.last_ns - s.first_ns > $limit_ns + $edge_ns
                                  THEN s.first_ns + $limit_ns END) AS unresolved_ns,
           g.unresolved_ns IS NULL AS log_denies,
           coalesce(t.unseen, false) AS unseen,
           coalesce(t.busy_somehow, false) OR coalesce(g.somehow, false) OR coalesce(u.somehow, false)
           OR n.order_no IS NOT NULL OR x.order_no IS NOT NULL AS somehow
    FROM orders AS o LEFT JOIN tries AS t USING (order_no) LEFT JOIN log AS g USING (order_no)
    LEFT JOIN seen_paying AS s USING (order_no) LEFT JOIN unasked AS u USING (order_no)
    LEFT JOIN unlogged AS n USING (order_no) LEFT JOIN blind_orders AS x USING (order_no)
    WHERE o.journey IS NOT NULL)
SELECT order_no, order_id, total_minor, busy_ns, unresolved_ns, refunded_ns, log_denies,
       least(busy_ns, unresolved_ns, refunded_ns) AS since_ns,           -- NULL: not certainly affected
       CASE WHEN least(busy_ns, unresolved_ns, refunded_ns) IS NOT NULL THEN 'affected'
            WHEN unseen OR somehow THEN 'unclear' ELSE 'unaffected' END AS word
FROM reasons ORDER BY order_no
"""

BOOKS = ("orders", "payments", "refunds", "transitions")
"""Without each of them nothing can be said of anyone."""


def find_affected(evidence: Evidence) -> None:
    """Build `touched`, by `Evidence.once`; the target has published a rule, and the books of `BOOKS` are there."""
    capabilities = evidence.scenario.capabilities
    rule, busy = capabilities.compensation, capabilities.busy
    assert rule is not None
    codes, statuses = ([], []) if busy is None else (list(busy.codes), list(busy.statuses))
    read_ns = evidence.until_ns if evidence.conduct.books_read_ns is None else evidence.conduct.books_read_ns[0]
    evidence.execute(TRIES, codes=codes, statuses=statuses)
    evidence.execute(SEEN_PAYING)
    evidence.execute(LOGGED, unresolved=list(rule.unresolved_states), read_ns=read_ns)
    evidence.execute(UNASKED)
    evidence.execute(TOUCHED, limit_ns=rule.unresolved_ms * 1_000_000, edge_ns=EDGE_NS)
