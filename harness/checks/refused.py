"""Which refunds were refused although the money for them was there?

    captured by then, and told paid - asked for by whoever else - going back by rule  >=  what was asked for

Everything that may have used money up counts as if it had: another request whose outcome is not known, a
stranger's, what the books took on, what went back unasked by anyone's account. A customer who was not yet told
that the order is paid, or was told otherwise since, may be refused. Refusals for busyness, for whose order it is,
for the form of the request, and of a key that stood for anything else, say nothing about the money.
"""

from harness.evidence.tables import Evidence

NOT_ABOUT_MONEY = (401, 403, 404, 405, 410, 415, 426, 429)

REFUSED = """
CREATE OR REPLACE TEMP TABLE refused AS
WITH requests AS (                       -- of refunds, with all else that bore their keys
    SELECT *, coalesce(key_no, -id) AS key,
           coalesce(op = 'refund' AND outcome = 'fail' AND ending = 'answered' AND http < 500
                    AND http NOT IN (SELECT unnest($about_else)) AND http NOT IN (SELECT unnest($busy_statuses))
                    AND coalesce(code, '') NOT IN (SELECT unnest($busy_codes))
                    AND retry_after_s IS NULL AND state IS DISTINCT FROM 'paying', false) AS a_no
    FROM operations WHERE op IN ('create', 'pay', 'refund', 'trespass')),
keys AS (
    SELECT key, min(asked_order_id) AS order_id, min(journey) AS journey, min(asked_minor) AS amount_minor,
           max(sent_ns) FILTER (a_no) AS sent_ns, max(done_ns) FILTER (a_no) AS done_ns,
           arg_max(http || coalesce(' ' || code, ''), sent_ns) FILTER (a_no) AS refusal
    FROM requests GROUP BY key
    HAVING bool_or(a_no) AND bool_and(op = 'refund' AND outcome = 'fail')
       AND count(DISTINCT asked_order_id) = 1 AND count(DISTINCT asked_minor) = 1),
no AS (SELECT k.*, o.order_no FROM keys AS k JOIN orders AS o USING (order_id, journey) WHERE k.amount_minor > 0),
told AS (                                -- the last that the customer was told of the order before it asked
    SELECT n.key, arg_max(p.state, (p.done_ns, p.id)) AS state
    FROM no AS n JOIN operations AS p ON p.order_id = n.order_id AND p.done_ns < n.sent_ns
    WHERE p.outcome = 'ok' AND p.state IS NOT NULL AND p.op <> 'trespass' GROUP BY n.key),
taken AS (
    SELECT n.key, sum(c.amount_minor) AS minor, min(c.currency) AS currency,
           max(back_by(c.provider, n.done_ns)) AS back_by_ns
    FROM no AS n JOIN captures AS c USING (order_no) JOIN ledgers AS g USING (provider)
    WHERE c.at_ns + g.clock_error_ns < n.sent_ns GROUP BY n.key),
asked AS (                               -- by whoever else, before the refusal was done
    SELECT n.key, sum(coalesce(p.amount_minor, $all_minor)) AS minor
    FROM no AS n JOIN (
        SELECT order_no, amount_minor, sent_ns FROM customer_refunds WHERE outcome <> 'fail'
        UNION ALL
        SELECT o.order_no, p.asked_minor, p.sent_ns
        FROM operations AS p JOIN orders AS o ON o.order_id = p.asked_order_id
        WHERE p.op = 'trespass' AND p.tried = 'refund' AND p.outcome <> 'fail') AS p
      ON p.order_no = n.order_no AND p.sent_ns < n.done_ns
    GROUP BY n.key),
booked AS (                              -- refunds that the books may have held when it was refused
    SELECT n.key, sum(b.amount_minor) FILTER (b.requested) AS asked_minor,
           sum(b.amount_minor) FILTER (NOT b.requested) AS unasked_minor
    FROM no AS n JOIN books_refunds AS b USING (order_id)
    LEFT JOIN (SELECT subject, min(at_ns) AS at_ns FROM books_transitions WHERE kind = 'refund' GROUP BY subject) AS s
      ON s.subject = b.refund_id
    WHERE coalesce(s.at_ns - $books_error_ns <= n.done_ns, true) GROUP BY n.key),
ruled AS (SELECT order_no, sum(amount_minor) AS minor FROM rule_owed GROUP BY order_no),
sent_back AS (                           -- by then, and no customer asked for it by the books
    SELECT n.key, sum(p.amount_minor) AS minor
    FROM no AS n JOIN provider_refunds AS p USING (order_no) JOIN ledgers AS g USING (provider)
    LEFT JOIN books_refunds AS b ON b.provider = p.provider AND b.number = p.refund_number
    WHERE NOT coalesce(b.requested, false)
      AND least(p.accepted_ns, p.done_ns) - g.clock_error_ns <= n.done_ns GROUP BY n.key)
SELECT n.key, n.order_no, n.order_id, n.amount_minor, n.sent_ns, n.done_ns, n.refusal, t.currency, t.back_by_ns,
       CAST(t.minor - greatest(coalesce(a.minor, 0), coalesce(b.asked_minor, 0))
                    - greatest(coalesce(r.minor, 0), coalesce(s.minor, 0), coalesce(b.unasked_minor, 0)) AS BIGINT)
           AS left_minor
FROM no AS n JOIN told AS w USING (key) JOIN taken AS t USING (key) LEFT JOIN asked AS a USING (key)
LEFT JOIN booked AS b USING (key) LEFT JOIN ruled AS r USING (order_no) LEFT JOIN sent_back AS s USING (key)
WHERE w.state = 'paid' AND left_minor >= n.amount_minor
ORDER BY n.done_ns, n.key
"""

CASES = """
WITH back AS (                           -- what went back since, but for what was asked for before
    SELECT n.key, p.done_ns, sum(p.amount_minor) OVER (PARTITION BY n.key ORDER BY p.done_ns, p.provider,
                                                       p.refund_number) AS back_minor
    FROM refused AS n JOIN provider_refunds AS p USING (order_no)
    LEFT JOIN tied AS t ON t.provider = p.provider AND t.refund_number = p.refund_number
    LEFT JOIN customer_refunds AS r ON r.key_no = t.key_no
    WHERE p.done_ns >= n.sent_ns AND NOT p.compensation AND (r.key_no IS NULL OR r.sent_ns > n.sent_ns)),
coming AS (                              -- refunds that run at a provider, or that only the books know so far
    SELECT order_no FROM provider_refunds WHERE running AND order_no IS NOT NULL
    UNION
    SELECT o.order_no FROM books_refunds AS b JOIN orders AS o USING (order_id)
    LEFT JOIN provider_refunds AS p ON p.provider = b.provider AND p.refund_number = b.number
    WHERE b.state <> 'failed' AND p.done_ns IS NULL)
SELECT n.order_no, n.order_id, 'refused' AS why, n.done_ns AS owed_ns, n.amount_minor, n.back_by_ns,
       NULL AS provider, NULL AS number, n.currency,
       min(b.done_ns) FILTER (b.back_minor >= n.amount_minor) AS met_ns,
       CAST(least(coalesce(max(b.back_minor) FILTER (b.done_ns <= n.back_by_ns), 0), n.amount_minor) AS BIGINT)
           AS in_time_minor,
       n.amount_minor AS due_minor, x.why AS blind, n.refusal, n.left_minor,
       n.order_no IN (SELECT order_no FROM coming) AS coming
FROM refused AS n LEFT JOIN back AS b USING (key) LEFT JOIN blind_orders AS x USING (order_no)
GROUP BY n.key, n.order_no, n.order_id, n.done_ns, n.amount_minor, n.back_by_ns, n.currency, x.why, n.refusal,
         n.left_minor
ORDER BY n.done_ns, n.key
"""

ALL_MINOR = 1_000_000_000_000
"""What a refund that names no amount may take: everything."""


def find_refused(evidence: Evidence) -> None:
    """Make the table `refused`; to be called by `Evidence.once`, after `refund_in_window.find_owed`."""
    busy = evidence.scenario.capabilities.busy
    evidence.execute(
        REFUSED,
        about_else=list(NOT_ABOUT_MONEY),
        busy_statuses=list(busy.statuses) if busy else [],
        busy_codes=[*busy.codes, *busy.unknown_codes] if busy else [],
        all_minor=ALL_MINOR,
        books_error_ns=evidence.books_error_ns(),
    )
