"""While payment is in trouble, can those who have paid still look at their order and ask for their money?

Violated when the share of reads, or of refund requests, of paid orders that were answered ok within the
limit lies below the objective, of those meant while paying failed for customers (`trouble`): some method
down, or too busy. Accepting a refund counts, not its coming: its provider may be the very one that is down.

Paid is an order of which its owner had been told so before. No case: what was refused for a reason of
business, and what lies beside a fault on the customer's way, on the target's own process or database.
"""

from harness.checks.busyness import note_served
from harness.checks.check import IN_TIME, Check
from harness.checks.proof import operation, reasons
from harness.checks.shares import judged_together, weakest
from harness.checks.trouble import FAILURES
from harness.evidence.tables import Evidence
from harness.verdict import CheckResult, Ratio

MAX_SHOWN = 20
"""So many operations that were not served stand as evidence beside a share."""

SPELLS = """
CREATE OR REPLACE TEMP TABLE spells AS
SELECT unnest(CAST($from_ns AS BIGINT[])) AS from_ns, unnest(CAST($to_ns AS BIGINT[])) AS to_ns ORDER BY ALL
"""

KINDS = """
WITH paid AS (
    SELECT order_id, min(done_ns) AS known_ns FROM operations
    WHERE outcome = 'ok' AND state = 'paid' AND op IN ('pay', 'read') GROUP BY order_id),
cases AS (
    SELECT s.* FROM served AS s JOIN paid AS k ON k.order_id = s.order_id AND k.known_ns <= s.sent_ns
    WHERE s.op IN ('read', 'refund')
      AND EXISTS (SELECT 1 FROM spells AS f WHERE s.scheduled_ns BETWEEN f.from_ns AND f.to_ns))
SELECT op, count(*) FILTER (word = 'good') AS good, count(*) FILTER (word = 'bad') AS bad,
       count(*) FILTER (word = 'undecided') AS undecided,
       list({'id': id, 'order': order_id, 'scheduled_ns': scheduled_ns, 'done_ns': done_ns, 'ending': ending,
             'http': http, 'code': code} ORDER BY scheduled_ns, id) FILTER (word = 'bad') AS unserved
FROM cases GROUP BY op ORDER BY op
"""


def check(evidence: Evidence) -> CheckResult:
    """Count reads and refunds of paid orders while paying failed; a case is an operation."""
    evidence.once(note_served)
    failures = evidence.cases(FAILURES)
    evidence.execute(SPELLS, from_ns=[f.from_ns for f in failures], to_ns=[f.to_ns for f in failures])
    objectives = evidence.scenario.objectives
    kinds = evidence.cases(KINDS)
    ratios = judged_together(
        Ratio(
            good=kind.good,
            total=kind.good + kind.bad,
            objective=objectives.emergency_ratio,
            what=f"{kind.op} of paid orders answered ok within {objectives.latency_limit_ms} ms while paying failed",
            evidence={"unserved": [operation(evidence, row) for row in (kind.unserved or [])[:MAX_SHOWN]]},
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
        objective=objectives.emergency_ratio,
        unit="share",
        notes=tuple(f"{kind.op}: {kind.good} of {kind.good + kind.bad} answered ok in time" for kind in kinds),
    )


CHECK = Check(
    name="emergency_path",
    promise="Whoever has paid can see the order and ask for the money back, also while nobody can pay.",
    function=check,
    needs=IN_TIME,
    facts=("F17", "F19"),
    undecided_share=0.02,
    unit="share",
)
