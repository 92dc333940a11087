"""Does a provider in trouble leave the others' customers alone?

Violated when, while one method is struck by a fault, the share of customers paid within patience
among those whose *first* method is healthy falls more than the objective below what it was for such
customers in the steady phase, who had come to their end before the fault began.

Judged by first methods and each method apart: customers who flee from the broken method to a healthy
one are the broken one's, however they fare there (their number is told), and one that is starved
does not hide behind another. Where a fault stands elsewhere too, on the customer's edge or the API
itself, or on the customer's own method, it is no case.
"""

from harness.checks.check import IN_TIME, Check
from harness.checks.proof import reasons, since_start
from harness.checks.shares import judged_together, weakest
from harness.checks.struck import find_struck, see_how_they_fared
from harness.evidence.tables import Evidence
from harness.verdict import CheckResult, Ratio

MAX_SHOWN = 20

BESIDE = """
CREATE OR REPLACE TEMP TABLE beside AS   -- journeys by a healthy method, scheduled while another one was struck
SELECT f.* FROM fared AS f
WHERE EXISTS (SELECT 1 FROM struck AS s WHERE s.method <> f.first_method
              AND s.start_ns <= f.scheduled_ns AND f.scheduled_ns <= s.lifted_ns)
  AND NOT EXISTS (SELECT 1 FROM struck AS s WHERE s.method = f.first_method
                  AND s.start_ns <= f.until_ns AND f.scheduled_ns <= s.lifted_ns)
  AND NOT EXISTS (SELECT 1 FROM faults AS o WHERE NOT o.standing AND o."where" NOT IN ('wechat', 'alipay', 'card')
                  AND o.start_ns <= f.until_ns AND f.scheduled_ns <= coalesce(o.lifted_ns, f.scheduled_ns))
ORDER BY f.journey
"""
BEFORE = """
SELECT count(*) FILTER (word = 'good') AS good, count(*) FILTER (word IN ('good', 'bad')) AS total
FROM fared WHERE phase = 'steady' AND first_method IN (SELECT first_method FROM beside)
  AND until_ns < (SELECT min(start_ns) FROM struck) ORDER BY ALL
"""
MEANWHILE = """
SELECT first_method, count(*) FILTER (word = 'good') AS good, count(*) FILTER (word = 'bad') AS bad,
       count(*) FILTER (word = 'undecided') AS undecided,
       list({'user': user_id, 'scheduled_ns': scheduled_ns, 'final': final} ORDER BY scheduled_ns, journey)
           FILTER (word = 'bad') AS unpaid
FROM beside GROUP BY first_method ORDER BY first_method
"""
FLED = """
SELECT count(*) FROM fared AS f WHERE f.word = 'good' AND f.methods > 1
  AND EXISTS (SELECT 1 FROM struck AS s WHERE s.method = f.first_method
              AND s.start_ns <= f.scheduled_ns AND f.scheduled_ns <= s.lifted_ns) ORDER BY ALL
"""


def check(evidence: Evidence) -> CheckResult:
    """Compare customers of healthy methods with those of the steady phase; a case is one of the former."""
    evidence.once(find_struck)
    evidence.once(see_how_they_fared)
    evidence.execute(BESIDE)
    before = evidence.cases(BEFORE)[0]
    methods = evidence.cases(MEANWHILE)
    undecided = sum(case.undecided for case in methods)
    decided = sum(case.good + case.bad for case in methods)
    ratios: tuple[Ratio, ...] = ()
    unmeasured = 0
    if before.total:
        objective = max(0.0, before.good / before.total - evidence.scenario.objectives.bulkhead_drop)
        ratios = judged_together(
            Ratio(
                good=case.good,
                total=case.good + case.bad,
                objective=round(objective, 6),
                what=f"customers of {case.first_method} paid within patience while another method was struck",
                evidence={"unpaid": [_shown(evidence, each) for each in (case.unpaid or [])[:MAX_SHOWN]]},
            )
            for case in methods
        )
    else:
        unmeasured = decided
    lowest = weakest(ratios)
    fled = evidence.row(FLED)[0]
    return CheckResult(
        examined=decided + undecided,
        undecided=undecided + unmeasured,
        reasons=reasons(
            [
                (undecided, "journeys were cut within their patience"),
                (unmeasured, "journeys have none of the steady phase to be compared with"),
            ]
        ),
        ratios=ratios,
        measured=None if lowest is None else round(lowest.good / lowest.total, 6),
        objective=None if lowest is None else lowest.objective,
        unit="share",
        notes=reasons([(fled, "customers of a struck method were paid by another one")]),
    )


def _shown(evidence: Evidence, journey: dict[str, object]) -> dict[str, object]:
    at_ns = journey["scheduled_ns"]
    assert isinstance(at_ns, int)
    return {
        "user": journey["user"],
        "scheduled_s": since_start(evidence, at_ns),
        "ended": journey["final"] or "never",
    }


CHECK = Check(
    name="bulkhead",
    promise="One provider in trouble does not take the other ways to pay down with it.",
    function=check,
    needs=IN_TIME,
    facts=("F02", "F13"),
    undecided_share=0.02,
    unit="share",
)
