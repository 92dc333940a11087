"""Do customers get their orders paid within their patience?

Violated when the share of journeys that ended paid within patience, by phase of the scheduled
instant, lies below the objective: one for the steady phase, one for fault and recovery together.

Journeys count, never requests, which polls would dilute. A customer who was to walk away early and
one who was told definitely no are no cases; those told no are counted and shown, so that a target
that refuses everybody politely ends below its floor. A journey cut within its patience is undecided.
"""

from harness.checks.alive import alive_until_ns
from harness.checks.check import IN_TIME, Check
from harness.checks.proof import reasons, since_start
from harness.checks.shares import judged_together, weakest
from harness.evidence.tables import Evidence
from harness.verdict import CheckResult, Ratio

MAX_SHOWN = 20
"""So many unpaid journeys stand as evidence beside a share."""

JOURNEYS = """
WITH ended AS (
    SELECT journey, user_id, scheduled_ns, done_ns, final,
           CASE WHEN phase = 'steady' THEN 'steady' ELSE 'in fault' END AS part,
           CASE WHEN leaves_early OR final = 'left' THEN 'left'
                WHEN final IN ('declined', 'ordered') THEN final
                WHEN final = 'paid' AND done_ns <= scheduled_ns + $patience_ns THEN 'good'
                WHEN done_ns IS NULL AND $cut_ns < scheduled_ns + $patience_ns THEN 'undecided'
                ELSE 'bad' END AS word
    FROM journeys WHERE phase IN ('steady', 'fault', 'recovery'))
SELECT part, word, count(*) AS cases,
       list({'journey': journey, 'user': user_id, 'scheduled_ns': scheduled_ns, 'final': final}
            ORDER BY scheduled_ns, journey) FILTER (word = 'bad') AS unpaid
FROM ended GROUP BY part, word ORDER BY part, word
"""


def check(evidence: Evidence) -> CheckResult:
    """Count journeys by phase and final word; a case is a journey."""
    told: dict[tuple[str, str], int] = {}
    unpaid: dict[str, list[dict[str, object]]] = {}
    rows = evidence.rows(JOURNEYS, patience_ns=evidence.window_ns("patience_ms"), cut_ns=alive_until_ns(evidence))
    for part, word, cases, journeys in rows:
        told[part, word] = cases
        unpaid[part] = [
            {
                "user": journey["user"],
                "scheduled_s": since_start(evidence, journey["scheduled_ns"]),
                "ended": journey["final"] or "never",
            }
            for journey in (journeys or [])[:MAX_SHOWN]
        ] or unpaid.get(part, [])
    objectives = evidence.scenario.objectives
    ratios = judged_together(
        Ratio(
            good=told.get((part, "good"), 0),
            total=told.get((part, "good"), 0) + told.get((part, "bad"), 0),
            objective=objective,
            what=f"journeys paid within patience, {part}",
            evidence={"unpaid": unpaid.get(part, [])},
        )
        for part, objective in (("steady", objectives.success_ratio), ("in fault", objectives.success_ratio_in_fault))
    )
    total = {word: sum(n for (_, each), n in told.items() if each == word) for word in WORDS}
    lowest = weakest(ratios)
    return CheckResult(
        examined=total["good"] + total["bad"] + total["undecided"],
        undecided=total["undecided"],
        reasons=reasons([(total["undecided"], "journeys were cut within their patience")]),
        ratios=ratios,
        measured=None if lowest is None else round(lowest.good / lowest.total, 6),
        objective=None if lowest is None else lowest.objective,
        unit="share",
        notes=_notes(evidence, total),
    )


WORDS = ("good", "bad", "undecided", "declined", "left")


def _notes(evidence: Evidence, total: dict[str, int]) -> tuple[str, ...]:
    said = {
        "declined": "journeys were declined by the target, which is no case of success",
        "left": "journeys were to walk away early, which is no case of success",
    }
    notes = [f"{total[word]} {sentence}" for word, sentence in said.items() if total[word]]
    if evidence.conduct.missed:
        notes.append(f"{evidence.conduct.missed} arrivals were missed and are no cases")
    return tuple(notes)


CHECK = Check(
    name="success_ratio",
    promise="A customer who wants to pay gets paid for within their patience.",
    function=check,
    needs=IN_TIME,
    facts=("F01", "F02", "F14"),
    undecided_share=0.02,
    unit="share",
)
