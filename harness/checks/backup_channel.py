"""Are customers whose method does not work told of one that does, and does it take them there?

While a method is down and another one up, an answer to a payment by the dead one must name a method
that is up, and none that is known to be dead; and of the customers who met such an answer the share
paid by another method within patience must reach the objective.

Down is what a fault struck and no payment came through by; up is what no fault struck and payments
came through by. Known to be dead: three payments by it, all sent since, had ended before this one was
sent, none well. Known to be well again after a fault: the answer limit had gone by since, for so long
calls from within it may yet fail, and a payment sent since had come through before this one was sent;
until then it need not be named. With all methods down there is nothing to name. Not a case: a refusal because an
earlier attempt, by another method, is not resolved yet. That moving may charge twice is
`no_double_charge`'s business.
"""

from types import SimpleNamespace

from harness.checks.check import Check, Premise
from harness.checks.proof import proof, reasons, when
from harness.checks.struck import find_struck, see_how_they_fared
from harness.evidence.tables import Evidence
from harness.verdict import CheckResult, Finding, Ratio

KNOWN_AFTER = 3
"""Payments by a method that ended, none well, after which the target must know."""

DOWN = """
CREATE OR REPLACE TEMP TABLE down AS     -- a method struck, by which no payment came through meanwhile
SELECT s.* FROM struck AS s
WHERE EXISTS (SELECT 1 FROM operations AS p WHERE p.op = 'pay' AND p.method = s.method
              AND p.sent_ns >= s.start_ns AND p.done_ns <= s.lifted_ns AND p.outcome <> 'ok')
  AND NOT EXISTS (SELECT 1 FROM operations AS p WHERE p.op = 'pay' AND p.method = s.method AND p.outcome = 'ok'
                  AND p.sent_ns >= s.start_ns AND p.done_ns <= s.lifted_ns AND NOT EXISTS (
                      SELECT 1 FROM operations AS e WHERE e.op = 'pay' AND e.key_no = p.key_no
                      AND e.sent_ns < s.start_ns))
ORDER BY s.start_ns, s.method
"""

ANSWERS = """
CREATE OR REPLACE TEMP TABLE told AS     -- answers to payments by a method that is down
WITH pays AS (SELECT * FROM operations WHERE op = 'pay'),
failed AS (
    SELECT p.id, p.journey, p.order_id, p.method, p.sent_ns, p.done_ns, p.code, p.offers, d.start_ns, d.lifted_ns
    FROM pays AS p JOIN down AS d ON d.method = p.method AND p.sent_ns >= d.start_ns AND p.done_ns <= d.lifted_ns
    WHERE p.ending = 'answered' AND p.outcome <> 'ok' AND p.http < 500 AND p.order_id IS NOT NULL
      AND coalesce(p.state, '') NOT IN ('paid', 'closed', 'refunded')
      AND NOT (p.outcome = 'fail' AND p.result_id IS NULL AND len(p.offers) = 0 AND EXISTS (
          SELECT 1 FROM pays AS e WHERE e.journey = p.journey AND e.method <> p.method AND e.sent_ns < p.sent_ns
          AND e.outcome = 'info'))),
healed AS (                              -- when a method that was struck is known to be well again; NULL: never seen
    SELECT s.method, s.start_ns,
           min(greatest(p.done_ns, s.lifted_ns + $answer_ns)) FILTER (p.id IS NOT NULL) AS known_ns
    FROM struck AS s LEFT JOIN pays AS p ON p.method = s.method AND p.outcome = 'ok' AND p.sent_ns >= s.lifted_ns
        AND p.done_ns IS NOT NULL GROUP BY s.method, s.start_ns),
working AS (                             -- of each answer: methods that no fault struck, and payments came through by
    SELECT f.id, list(DISTINCT w.method ORDER BY w.method) AS up
    FROM failed AS f JOIN pays AS w ON w.outcome = 'ok' AND w.sent_ns >= f.start_ns AND w.done_ns <= f.lifted_ns
    WHERE NOT EXISTS (SELECT 1 FROM struck AS s WHERE s.method = w.method
                      AND s.start_ns <= f.done_ns AND s.lifted_ns >= f.sent_ns)
      AND NOT EXISTS (SELECT 1 FROM healed AS h WHERE h.method = w.method AND h.start_ns <= f.done_ns
                      AND (h.known_ns IS NULL OR h.known_ns > f.sent_ns)) GROUP BY f.id),
buried AS (                              -- and methods that were down, which was known when it was asked for
    SELECT f.id, list(DISTINCT d.method ORDER BY d.method) AS dead
    FROM failed AS f JOIN down AS d ON d.start_ns <= f.sent_ns AND f.done_ns <= d.lifted_ns
    WHERE $known_after <= (SELECT count(*) FROM pays AS k WHERE k.method = d.method AND k.sent_ns >= d.start_ns
                           AND k.done_ns <= f.sent_ns) GROUP BY f.id)
SELECT f.*, coalesce(w.up, []) AS up, list_sort(list_intersect(f.offers, coalesce(b.dead, []))) AS dead
FROM failed AS f LEFT JOIN working AS w USING (id) LEFT JOIN buried AS b USING (id) ORDER BY f.sent_ns, f.id
"""

CASES = """
SELECT t.*, o.order_no, len(list_intersect(t.offers, t.up)) > 0 AS names_one
FROM told AS t LEFT JOIN orders AS o USING (order_id) WHERE len(t.up) > 0 ORDER BY t.sent_ns, t.id
"""

JOURNEYS = """
WITH met AS (SELECT journey, min(method) AS method FROM told WHERE len(up) > 0 GROUP BY journey),
paid_by AS (SELECT c.intent, list(DISTINCT c.provider ORDER BY c.provider) AS providers FROM captures AS c
            WHERE c.intent IS NOT NULL GROUP BY c.intent)
SELECT CASE WHEN f.word <> 'good' THEN f.word
            WHEN p.providers IS NULL OR p.providers <> [t.method] THEN 'good'
            ELSE 'no case' END AS word, count(*) AS cases
FROM met AS t JOIN fared AS f USING (journey) LEFT JOIN paid_by AS p USING (intent) GROUP BY ALL ORDER BY ALL
"""


def check(evidence: Evidence) -> CheckResult:
    """Look at every answer by a dead method, and at what became of who met one; a case is either."""
    if not evidence.scenario.capabilities.offers_methods:
        return CheckResult(examined=0, not_offered="the target names no methods")
    evidence.once(find_struck)
    evidence.once(see_how_they_fared)
    evidence.execute(DOWN)
    evidence.execute(ANSWERS, known_after=KNOWN_AFTER, answer_ns=evidence.window_ns("answer_ms"))
    answers = evidence.cases(CASES)
    fared = dict(evidence.rows(JOURNEYS))
    good, bad, undecided = (fared.get(word, 0) for word in ("good", "bad", "undecided"))
    objective = evidence.scenario.objectives.backup_ratio
    ratio = Ratio(
        good=good, total=good + bad, objective=objective, what="customers of a dead method paid by another one in time"
    )
    return CheckResult(
        examined=len(answers) + good + bad + undecided,
        undecided=undecided,
        reasons=reasons([(undecided, "journeys were cut within their patience")]),
        findings=_findings(evidence, [case for case in answers if case.dead or not case.names_one]),
        ratios=(ratio,) if ratio.total else (),
        measured=round(good / ratio.total, 6) if ratio.total else None,
        objective=objective,
        unit="share",
        notes=reasons([(len(answers), "answers about a method that was down while another one was up")]),
    )


def _findings(evidence: Evidence, breaches: list[SimpleNamespace]) -> tuple[Finding, ...]:
    proofs = proof(evidence, [case.order_no for case in breaches if case.order_no is not None])
    findings = []
    for case in breaches:
        named = ", ".join(case.offers) or "no method"
        wrong = f"{', '.join(case.dead)} did not work, and that was known" if case.dead else "none of them works"
        findings.append(
            Finding(
                subject=case.order_id,
                message=(
                    f"A payment by {case.method}, which was down, sent at {when(evidence, case.sent_ns)}, was answered "
                    f"{case.code or 'without a code'} and named {named}; "
                    f"{wrong if case.offers else 'yet'} {', '.join(case.up)} worked."
                ),
                evidence={"named": list(case.offers), "working": list(case.up), "dead": list(case.dead)}
                | proofs.get(case.order_no, {}),
            )
        )
    return tuple(findings)


CHECK = Check(
    name="backup_channel",
    promise="Whoever cannot pay by one method is told of another that works, and gets there.",
    function=check,
    needs=frozenset(
        {
            Premise.FAULTS_CONFIRMED,
            Premise.GENERATOR_HEALTHY,
            Premise.IDS_UNIQUE,
            Premise.LEDGERS_WHOLE,
            Premise.ROWS_COUNTED,
            Premise.SAME_BUILD,
        }
    ),
    facts=("F02", "F20"),
    undecided_share=0.02,
    unit="share",
)
