"""What trouble did customers have with paying, by method, and when?

Shared words of the checks that hold the target's own account of an outage against it. An attempt is one
request to pay: good where it was acknowledged; bad where its result stayed unknown, it could not be sent,
or it was turned away to come again; of no weight where the refusal was about the order (paid, closed,
another attempt is live) or a plain no. What the customer's own edge broke weighs nothing either.
"""

from harness.checks.alive import alive_until_ns
from harness.evidence.tables import Evidence

ATTEMPTS = """
CREATE OR REPLACE TEMP TABLE attempts AS
SELECT id, op, method, sent_ns, coalesce(done_ns, $cut_ns) AS until_ns, outcome, code,
       CASE WHEN done_ns IS NULL THEN 'open'
            WHEN EXISTS (SELECT 1 FROM faults AS f WHERE f."where" = 'customer' AND f.driver = 'network'
                         AND NOT f.standing AND f.start_ns <= p.done_ns AND coalesce(f.end_ns, p.done_ns) >= p.sent_ns)
                 THEN 'edge'
            WHEN outcome = 'ok' THEN 'good'
            WHEN outcome = 'info' THEN 'bad'
            WHEN state = 'paying' THEN 'order'
            WHEN http IS NULL OR http >= 500 OR http = 429 OR retry_after_s IS NOT NULL THEN 'bad'
            ELSE 'order' END AS word
FROM operations AS p WHERE op IN ('create', 'pay', 'read', 'list', 'refund') ORDER BY id
"""

FAILURES = """
WITH weighed AS (
    SELECT method AS subject, id, until_ns, word FROM attempts WHERE op = 'pay'
    UNION ALL SELECT 'paying', id, until_ns, word FROM attempts WHERE op IN ('pay', 'create')),
looked AS (
    SELECT subject, until_ns, count(*) OVER lately AS count, count(*) FILTER (word = 'bad') OVER lately AS bad,
           min(until_ns) FILTER (word = 'bad') OVER lately AS first_ns
    FROM weighed WHERE word IN ('good', 'bad')
    WINDOW lately AS (PARTITION BY subject ORDER BY until_ns RANGE BETWEEN 2000000000 PRECEDING AND CURRENT ROW)),
failing AS (
    SELECT subject, first_ns, until_ns,
           coalesce(first_ns > max(until_ns) OVER (PARTITION BY subject ORDER BY until_ns, first_ns
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), true) AS begins
    FROM looked WHERE count >= 3 AND 2 * bad >= count),
spells AS (
    SELECT *, count(*) FILTER (begins) OVER (PARTITION BY subject ORDER BY until_ns, first_ns
                                             ROWS UNBOUNDED PRECEDING) AS nth FROM failing),
failures AS (SELECT subject, nth, min(first_ns) AS from_ns, max(until_ns) AS to_ns FROM spells GROUP BY subject, nth)
SELECT f.subject, f.from_ns, f.to_ns, count(*) AS count, count(*) FILTER (w.word = 'bad') AS bad
FROM failures AS f JOIN weighed AS w ON w.subject = f.subject AND w.until_ns BETWEEN f.from_ns AND f.to_ns
     AND w.word IN ('good', 'bad')
GROUP BY f.subject, f.nth, f.from_ns, f.to_ns ORDER BY f.from_ns, f.subject
"""

CAUSES = """
CREATE OR REPLACE TEMP TABLE causes AS   -- when something was wrong with a method; subject NULL: with every one
SELECT method AS subject, sent_ns AS from_ns, until_ns AS to_ns FROM attempts WHERE op = 'pay' AND word <> 'good'
UNION ALL SELECT NULL, sent_ns, until_ns FROM attempts WHERE op <> 'pay' AND word IN ('bad', 'open', 'edge')
UNION ALL
SELECT m.method, f.start_ns, coalesce(f.end_ns, $until_ns)
FROM faults AS f LEFT JOIN (SELECT DISTINCT method FROM attempts WHERE method IS NOT NULL) AS m
     ON f."where" = m.method OR starts_with(f."where", m.method || '-')
WHERE NOT f.standing AND f.start_ns IS NOT NULL AND f."where" <> 'status'
UNION ALL
SELECT NULL, at_ns, coalesce(next_ns, $until_ns)
FROM (SELECT service, event, at_ns, lead(at_ns) OVER (PARTITION BY service ORDER BY at_ns) AS next_ns FROM processes
      WHERE service <> 'status')
WHERE event IN ('started', 'killed', 'paused')
ORDER BY ALL
"""

SAID_OF = """
WITH looked AS (
    SELECT sent_ns, done_ns, row_number() OVER (ORDER BY sent_ns, done_ns) AS nth,
           CASE WHEN NOT degraded THEN [] WHEN len(methods) = 0 THEN ['paying'] ELSE methods END AS subjects
    FROM status_samples WHERE degraded IS NOT NULL AND sent_ns <= $heard_ns),
said AS (SELECT nth, sent_ns, done_ns, unnest(list_distinct(subjects)) AS subject FROM looked),
held AS (
    SELECT *, nth - row_number() OVER (PARTITION BY subject ORDER BY nth) AS run,
           NOT EXISTS (SELECT 1 FROM causes AS c
                       WHERE (c.subject IS NULL OR c.subject = s.subject OR s.subject = 'paying')
                         AND c.from_ns <= s.done_ns AND c.to_ns >= s.sent_ns - $limit_ns) AS unfounded
    FROM said AS s),
runs AS (
    SELECT subject, min(sent_ns) AS from_ns, max(sent_ns) AS to_ns, count(*) AS looks,
           count(*) FILTER (unfounded) AS unfounded, min(sent_ns) FILTER (unfounded) AS unfounded_ns
    FROM held GROUP BY subject, run)
SELECT r.*, (SELECT max(c.to_ns) FROM causes AS c
             WHERE (c.subject IS NULL OR c.subject = r.subject OR r.subject = 'paying')
               AND c.to_ns < r.unfounded_ns) AS last_trouble_ns
FROM runs AS r ORDER BY from_ns, subject
"""


def note_attempts(evidence: Evidence) -> None:
    """Make the table `attempts`; to be called by `Evidence.once`."""
    evidence.execute(ATTEMPTS, cut_ns=alive_until_ns(evidence))
