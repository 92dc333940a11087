"""How long after the last fault's end are customers served as before?

Violated when, of the journeys scheduled after the fault's actual end, there are none from which on
every window of 30 holds the steady objective to the end of the phase, or only such as were scheduled
later than the limit after it. Served as before means paid within patience, and by the method asked
for first: customers who must go elsewhere because theirs is still refused hide a breaker that never
closes from a share of paid journeys.

Journeys scheduled while the fault stood are no cases. A first good window does not count when a bad
one follows. Undecided where none was found and the phase does not hold one more window past the limit.
"""

from collections.abc import Sequence

from harness.binomial import falls_short
from harness.checks.check import IN_TIME, Check
from harness.checks.proof import reasons, since_start, when
from harness.checks.struck import see_how_they_fared
from harness.evidence.tables import Evidence
from harness.verdict import CheckResult, Finding

WINDOW = 30
"""Journeys without which a share says nothing."""
MAX_SHOWN = 20

END = "SELECT max(lifted_ns) FROM faults WHERE NOT standing ORDER BY ALL"
AFTER = """
SELECT journey, user_id, scheduled_ns, first_method, final,
       CASE WHEN word = 'good' AND methods > 1 THEN 'bad' ELSE word END AS word
FROM fared WHERE scheduled_ns >= $end_ns ORDER BY scheduled_ns, journey
"""


def check(evidence: Evidence) -> CheckResult:
    """Find from when on all went well again; a case is a journey scheduled after the last fault's end."""
    evidence.once(see_how_they_fared)
    end_ns = evidence.row(END)[0]
    if end_ns is None:
        return CheckResult(examined=0, unit="s")
    after = [case for case in evidence.cases(AFTER, end_ns=end_ns) if case.word != "no case"]
    cases = [case for case in after if case.word != "undecided"]
    limit_ns = evidence.window_ns("recovered_ms")
    objective = evidence.scenario.objectives.success_ratio
    begun = recovered_from([case.word == "good" for case in cases], objective)
    took_ns = None if begun is None else (cases[begun].scheduled_ns - end_ns if begun else 0)
    late = sum(case.scheduled_ns >= end_ns + limit_ns for case in cases)
    breached = (took_ns is None and late >= WINDOW) or (took_ns is not None and took_ns > limit_ns)
    undecided = len(after) if took_ns is None and not breached else len(after) - len(cases)
    findings: tuple[Finding, ...] = ()
    if breached:
        bad = [case for case in cases if case.word == "bad" and case.scheduled_ns >= end_ns + limit_ns]
        told = f"only from {took_ns / 1e9:.1f} s later on" if took_ns is not None else "not until the load ended"
        message = (
            f"The last fault ended at {when(evidence, end_ns)}; customers were served as before {told}, "
            f"{limit_ns / 1e9:g} s are allowed. Of {late} who came after that {len(bad)} were not."
        )
        shown = [
            {
                "user": case.user_id,
                "scheduled_s": since_start(evidence, case.scheduled_ns),
                "first_method": case.first_method,
                "ended": case.final or "never",
            }
            for case in bad[:MAX_SHOWN]
        ]
        findings = (Finding(subject="recovery", message=message, evidence={"not_served": shown}),)
    return CheckResult(
        examined=len(after),
        undecided=undecided,
        reasons=reasons([(undecided, f"journeys are too few after the fault, or were cut: {WINDOW} are needed")]),
        findings=findings,
        measured=None if took_ns is None else round(took_ns / 1e9, 3),
        objective=limit_ns / 1e9,
        unit="s",
    )


def recovered_from(served: Sequence[bool], objective: float) -> int | None:
    """The first place from which on each window of 30 reaches the objective, the last one being longer; or None."""
    for place in range(len(served) - WINDOW + 1):
        tail = served[place:]
        whole = len(tail) // WINDOW
        windows = [tail[at * WINDOW : (at + 1) * WINDOW if at < whole - 1 else None] for at in range(whole)]
        if served[place] and not any(falls_short(sum(each), len(each), objective) for each in windows):
            return place
    return None


CHECK = Check(
    name="recovery_time",
    promise="Soon after the trouble is over everything is as it was before.",
    function=check,
    needs=IN_TIME,
    facts=("F01", "F22"),
    undecided_share=0.02,
    unit="s",
)
