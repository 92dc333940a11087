"""Is every customer told something, in time?

Violated when a request had no end within the answer limit after it was sent, or when a journey had
no final word by its patience and one more answer limit (for the request that patience ran out on),
or gave up without one answer in all that time.

Neither counts where the customer's own edge was faulty meanwhile, or the customer had left. A
client that hangs up before the limit hides silence: what it asks again and again with the same key,
unanswered, counts from the first time. A journey that never ended leaves no completion: it counts as
soon as its patience was over when the load ended; what was still within its time is undecided.
"""

from harness.checks.alive import alive_until_ns
from harness.checks.check import Check, Premise
from harness.checks.proof import proof, reasons, seconds, since_start, when
from harness.evidence.tables import Evidence
from harness.operation import Ending
from harness.verdict import CheckResult, Finding

HUNG_UP = (Ending.READ_TIMEOUT, Ending.ANSWER_TIMEOUT, Ending.CONNECT_TIMEOUT)
"""Endings that the client's own deadlines made."""
FOREVER_NS = 4_000_000_000_000_000_000

OWN_EDGE = """
CREATE OR REPLACE TEMP TABLE own_edge AS
SELECT start_ns, coalesce(end_ns, $forever_ns) AS end_ns FROM faults
WHERE "where" = 'customer' AND driver = 'network' AND NOT standing AND start_ns IS NOT NULL ORDER BY start_ns
"""

REQUESTS = """
CREATE OR REPLACE TEMP TABLE asked AS
WITH single AS (
    SELECT p.id, p.journey, p.op, p.method, p.key_no, p.http, p.order_id, p.sent_ns, p.done_ns, p.ending,
           coalesce(p.done_ns, $cut_ns) AS until_ns, coalesce(p.parent, p.id) AS operation,
           coalesce(p.ending IN (SELECT unnest($hung_up)), false) AS hung_up,
           j.user_id, j.final = 'left' OR (j.leaves_early AND j.final IS NULL) AS left_early
    FROM operations AS p LEFT JOIN journeys AS j USING (journey)
    WHERE p.op <> 'journey' AND NOT EXISTS (SELECT 1 FROM operations AS c WHERE c.parent = p.id)),
named AS (                               -- a request of an operation is named, and keyed, as that is
    SELECT s.* REPLACE (o.op AS op, coalesce(s.method, o.method) AS method, o.key_no AS key_no,
                        coalesce(s.order_id, o.order_id) AS order_id)
    FROM single AS s JOIN operations AS o ON o.id = s.operation),
rounds AS (                              -- asked again and again until something came that was no hanging up
    SELECT *, count(*) FILTER (NOT hung_up) OVER
           (PARTITION BY journey, op, coalesce(key_no, -1), coalesce(order_id, '') ORDER BY sent_ns, id) AS round
    FROM named),
waited AS (
    SELECT *, max(until_ns) FILTER (hung_up) OVER same - min(sent_ns) FILTER (hung_up) OVER same AS in_vain_ns
    FROM rounds WINDOW same AS (PARTITION BY journey, op, coalesce(key_no, -1), coalesce(order_id, ''), round))
SELECT * EXCLUDE (round),
       CASE WHEN EXISTS (SELECT 1 FROM own_edge AS e WHERE e.start_ns <= until_ns AND e.end_ns >= sent_ns) THEN 'edge'
            WHEN left_early AND ending IS DISTINCT FROM 'answered' THEN 'left'
            WHEN until_ns - sent_ns > $limit_ns THEN 'silent'
            WHEN done_ns IS NULL THEN 'in flight'
            WHEN NOT hung_up THEN 'good'
            WHEN $deadline_ns >= $limit_ns THEN 'good'
            WHEN in_vain_ns > $limit_ns THEN 'in vain'
            ELSE 'hung up' END AS word
FROM waited ORDER BY id
"""

WORDS = """
SELECT 'request' AS what, word, count(*) AS cases FROM asked GROUP BY word
UNION ALL SELECT 'journey', word, count(*) FROM waiting GROUP BY word ORDER BY ALL
"""

SILENT_REQUESTS = """
SELECT a.*, o.order_no FROM asked AS a LEFT JOIN orders AS o USING (order_id)
WHERE word IN ('silent', 'in vain') ORDER BY sent_ns, id
"""

LONGEST = "SELECT max(until_ns - sent_ns) FROM asked WHERE word IN ('good', 'silent') ORDER BY ALL"

JOURNEYS = """
CREATE OR REPLACE TEMP TABLE waiting AS
WITH answered AS (
    SELECT journey, count(*) FILTER (ending = 'answered') AS answers, count(*) AS operations, max(order_id) AS order_id
    FROM operations WHERE op <> 'journey' GROUP BY journey)
SELECT j.journey, j.user_id, j.scheduled_ns, j.done_ns, j.final, a.order_id, coalesce(a.operations, 0) AS operations,
       CASE WHEN EXISTS (SELECT 1 FROM own_edge AS e
                         WHERE e.start_ns <= coalesce(j.done_ns, $cut_ns) AND e.end_ns >= j.scheduled_ns) THEN 'edge'
            WHEN j.final = 'left' OR (j.leaves_early AND j.final IS NULL) THEN 'left'
            WHEN coalesce(j.done_ns, $cut_ns) - j.scheduled_ns > $patience_ns + $limit_ns THEN 'silent'
            WHEN j.done_ns IS NULL THEN 'in flight'
            WHEN j.final = 'gave_up' AND coalesce(a.answers, 0) = 0 THEN 'silent'
            ELSE 'good' END AS word
FROM journeys AS j LEFT JOIN answered AS a USING (journey) ORDER BY j.journey
"""

SILENT_JOURNEYS = """
SELECT w.*, o.order_no FROM waiting AS w LEFT JOIN orders AS o USING (order_id)
WHERE word = 'silent' ORDER BY scheduled_ns, journey
"""


def check(evidence: Evidence) -> CheckResult:
    """Measure every request's wait and every journey's; a case is a request or a journey."""
    limit_ns = evidence.window_ns("answer_ms")
    deadline_ns = evidence.window_ns("client_deadline_ms")
    cut_ns = alive_until_ns(evidence)
    hung_up = [str(ending) for ending in HUNG_UP]
    evidence.execute(OWN_EDGE, forever_ns=FOREVER_NS)
    evidence.execute(REQUESTS, limit_ns=limit_ns, deadline_ns=deadline_ns, cut_ns=cut_ns, hung_up=hung_up)
    patience_ns = evidence.window_ns("patience_ms")
    evidence.execute(JOURNEYS, limit_ns=limit_ns, patience_ns=patience_ns, cut_ns=cut_ns)
    told: dict[str, int] = {}
    for _, word, cases in evidence.rows(WORDS):
        told[word] = told.get(word, 0) + cases
    in_flight, hung, edge, left = (told.get(word, 0) for word in ("in flight", "hung up", "edge", "left"))
    longest_ns = evidence.row(LONGEST)[0]
    return CheckResult(
        examined=sum(told.values()) - edge - left,
        undecided=in_flight + hung,
        reasons=reasons(
            [
                (in_flight, "requests and journeys were in flight when the load ended"),
                (hung, "requests were given up by the client before the limit"),
            ]
        ),
        findings=(*_of_requests(evidence, limit_ns), *_of_journeys(evidence)),
        measured=None if longest_ns is None else round(longest_ns / 1e9, 3),
        objective=limit_ns / 1e9,
        unit="s",
        notes=reasons(
            [
                (edge, "requests and journeys are no cases: the customer's own edge was faulty"),
                (left, "requests and journeys are no cases: the customer left early"),
            ]
        ),
    )


def _of_requests(evidence: Evidence, limit_ns: int) -> list[Finding]:
    found = []
    for row in evidence.cases(SILENT_REQUESTS):
        what = f"{row.op} by {row.method}" if row.method else row.op
        waited_ns = row.until_ns - row.sent_ns
        if row.word == "in vain":
            ended = f"given up after {seconds(waited_ns)}, and asked again for {seconds(row.in_vain_ns)} in vain"
        elif row.done_ns is None:
            ended = f"had no end {seconds(waited_ns)} later, when the load ended"
        else:
            ended = f"ended {seconds(waited_ns)} later: {row.ending}"
        found.append(
            Finding(
                subject=row.order_id or f"journey {row.journey}",
                message=(
                    f"A {what} of {row.user_id}, sent at {when(evidence, row.sent_ns)}, was not answered within "
                    f"{seconds(limit_ns)}: it {ended}{'' if row.http is None else f', {row.http}'}."
                ),
                evidence={
                    "request": {
                        "id": row.id,
                        "op": row.op,
                        "sent_s": since_start(evidence, row.sent_ns),
                        "done_s": None if row.done_ns is None else since_start(evidence, row.done_ns),
                        "ending": row.ending,
                        "http": row.http,
                        "trace_id": evidence.traces.trace_id(row.operation),
                    }
                },
            )
        )
    return found


def _of_journeys(evidence: Evidence) -> list[Finding]:
    rows = evidence.cases(SILENT_JOURNEYS)
    proofs = proof(evidence, {row.order_no for row in rows if row.order_no is not None})
    found = []
    for row in rows:
        if row.done_ns is None:
            ended = "had no final word when the load ended"
        elif row.final == "gave_up":
            ended = f"gave up at {when(evidence, row.done_ns)} after {row.operations} operations"
        else:
            ended = f"had its final word, {row.final}, only at {when(evidence, row.done_ns)}"
        found.append(
            Finding(
                subject=row.order_id or f"journey {row.journey}",
                message=(
                    f"{row.user_id}, who came at {when(evidence, row.scheduled_ns)} with "
                    f"{evidence.scenario.windows['patience_ms'] / 1000:g} s of patience, {ended}."
                ),
                evidence=proofs.get(row.order_no, {"journey": row.journey}),
            )
        )
    return found


CHECK = Check(
    name="no_silence",
    promise="Whatever happens, a customer is answered within the limit.",
    function=check,
    needs=frozenset(
        {
            Premise.IDS_UNIQUE,
            Premise.ROWS_COUNTED,
            Premise.FAULTS_CONFIRMED,
            Premise.SAME_BUILD,
            Premise.GENERATOR_HEALTHY,
        }
    ),
    facts=("F03", "F08"),
    undecided_share=0.02,
    unit="s",
)
