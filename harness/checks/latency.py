"""Are operations answered quickly while nothing is broken?

Violated when the share of a kind of operation that was answered within the limit lies below the
objective. The clock starts at the instant at which the customer meant to act, not at the sending,
and what was never answered was never in time. Refusals are answers too.

Only journeys scheduled in the steady phase count, and of those only what overlaps no fault. Not a
case: what a customer who left early had not had answered.
"""

from harness.checks.alive import alive_until_ns
from harness.checks.check import IN_TIME, Check
from harness.checks.proof import operation, reasons
from harness.checks.shares import judged_together, weakest
from harness.evidence.tables import Evidence
from harness.verdict import CheckResult, Ratio

MAX_SHOWN = 20
"""So many slow operations of a kind stand as evidence."""

OPERATIONS = """
WITH steady AS (
    SELECT p.id, p.op, p.scheduled_ns, p.sent_ns, p.done_ns, p.ending, p.http, p.order_id,
           coalesce(p.done_ns, $cut_ns) - p.scheduled_ns AS took_ns
    FROM operations AS p LEFT JOIN journeys AS j USING (journey)
    WHERE p.phase = 'steady' AND p.op IN ('create', 'pay', 'read', 'list', 'refund')
      AND NOT EXISTS (SELECT 1 FROM faults AS f WHERE NOT f.standing AND f.start_ns <= coalesce(p.done_ns, $cut_ns)
                      AND coalesce(f.end_ns, p.scheduled_ns) >= p.scheduled_ns)
      AND (p.ending IS NOT DISTINCT FROM 'answered'
           OR NOT coalesce(j.final = 'left' OR (j.leaves_early AND j.final IS NULL), false))),
judged AS (
    SELECT *, CASE WHEN ending = 'answered' AND took_ns <= $limit_ns THEN 'good'
                   WHEN done_ns IS NULL AND took_ns <= $limit_ns THEN 'undecided' ELSE 'bad' END AS word
    FROM steady)
SELECT op, count(*) FILTER (word = 'good') AS good, count(*) FILTER (word = 'bad') AS bad,
       count(*) FILTER (word = 'undecided') AS undecided,
       quantile_disc(took_ns, 0.5) FILTER (ending = 'answered') AS half_ns,
       quantile_disc(took_ns, 0.99) FILTER (ending = 'answered') AS p99_ns,
       list({'id': id, 'order': order_id, 'scheduled_ns': scheduled_ns, 'sent_ns': sent_ns, 'done_ns': done_ns,
             'ending': ending, 'http': http} ORDER BY took_ns DESC, id) FILTER (word = 'bad') AS slow
FROM judged GROUP BY op ORDER BY op
"""


def check(evidence: Evidence) -> CheckResult:
    """Count operations in time, by kind; a case is an operation."""
    objectives = evidence.scenario.objectives
    limit_ns = objectives.latency_limit_ms * 1_000_000
    kinds = evidence.cases(OPERATIONS, limit_ns=limit_ns, cut_ns=alive_until_ns(evidence))
    ratios = judged_together(
        Ratio(
            good=kind.good,
            total=kind.good + kind.bad,
            objective=objectives.latency_share,
            what=f"{kind.op} answered within {objectives.latency_limit_ms} ms",
            evidence={"slow": [operation(evidence, slow) for slow in (kind.slow or [])[:MAX_SHOWN]]},
        )
        for kind in kinds
    )
    undecided = sum(kind.undecided for kind in kinds)
    lowest = weakest(ratios)
    return CheckResult(
        examined=sum(kind.good + kind.bad for kind in kinds) + undecided,
        undecided=undecided,
        reasons=reasons([(undecided, "operations were cut within the limit")]),
        ratios=ratios,
        measured=None if lowest is None else round(lowest.good / lowest.total, 6),
        objective=objectives.latency_share,
        unit="share",
        notes=tuple(
            f"{kind.op}: p50 {kind.half_ns / 1e6:.0f} ms, p99 {kind.p99_ns / 1e6:.0f} ms of those answered, "
            f"{kind.good} of {kind.good + kind.bad} in time"
            for kind in kinds
            if kind.half_ns is not None
        ),
    )


CHECK = Check(
    name="latency",
    promise="While nothing is broken, answers come quickly.",
    function=check,
    needs=IN_TIME,
    facts=("F01", "F14"),
    undecided_share=0.02,
    unit="share",
)
