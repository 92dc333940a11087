"""When there is not room for all, do those who have paid already come before those who want to?

Violated when, while new payments were refused for busyness, lists, queries or refunds fared worse than new payments:
a smaller share of them was answered ok in time. Asked counts, not accepted: who is turned away, or waits in
vain, was not served. Each operation counts from the instant at which its customer meant it, so how long
customers think makes no difference.

Overload is from the first busy answer to a payment to the last. No case: what was refused for a reason of
business, and what lies beside a fault on the customer's way, on the target's own process or database.
"""

from harness.checks.busyness import note_busy, note_served
from harness.checks.check import IN_TIME, Check
from harness.checks.proof import reasons
from harness.checks.shares import judged_together, weakest
from harness.evidence.tables import Evidence
from harness.verdict import CheckResult, Ratio

FEWEST_REFUSED = 10
"""Fewer busy answers make no overload."""

OVERLOAD = """
SELECT count(*) AS refused, min(sent_ns) AS from_ns, max(done_ns) AS to_ns FROM told_busy WHERE op = 'pay' ORDER BY ALL
"""

KINDS = """
SELECT op AS kind, count(*) FILTER (word = 'good') AS good,
       count(*) FILTER (word = 'bad') AS bad, count(*) FILTER (word = 'undecided') AS undecided
FROM served WHERE op <> 'create' AND scheduled_ns BETWEEN $from_ns AND $to_ns GROUP BY op ORDER BY op
"""


def check(evidence: Evidence) -> CheckResult:
    """Compare the shares that were served under overload; a case is a list, a query or a refund."""
    if note_busy(evidence) is None:
        return CheckResult(examined=0, not_offered="it declares no busy answer, so nobody can tell when it is too busy")
    (overload,) = evidence.cases(OVERLOAD)
    if overload.refused < FEWEST_REFUSED:
        return CheckResult(examined=0, notes=(f"{overload.refused} payments were refused as busy: no overload",))
    evidence.once(note_served)
    kinds = {kind.kind: kind for kind in evidence.cases(KINDS, from_ns=overload.from_ns, to_ns=overload.to_ns)}
    paying = kinds.pop("pay", None)
    if paying is None or paying.good + paying.bad == 0:
        return CheckResult(examined=0, notes=("no payment under overload can be counted",))
    share = paying.good / (paying.good + paying.bad)
    within = f"answered ok within {evidence.scenario.objectives.latency_limit_ms} ms under overload"
    ratios = judged_together(
        Ratio(
            good=kind.good,
            total=kind.good + kind.bad,
            objective=share,
            what=f"{NAMES[name]} {within}, beside new payments",
        )
        for name, kind in kinds.items()
    )
    undecided = sum(kind.undecided for kind in kinds.values())
    lowest = weakest(ratios)
    return CheckResult(
        examined=sum(kind.good + kind.bad for kind in kinds.values()) + undecided,
        undecided=undecided,
        reasons=reasons([(undecided, "operations were cut within the limit")]),
        ratios=ratios,
        measured=None if lowest is None else round(lowest.good / lowest.total, 6),
        objective=round(share, 6),
        unit="share",
        notes=tuple(
            f"{NAMES[name]}: {kind.good} of {kind.good + kind.bad} served under overload"
            for name, kind in sorted({**kinds, "pay": paying}.items())
        ),
    )


NAMES = {"list": "lists", "read": "queries", "refund": "refunds", "pay": "new payments"}

CHECK = Check(
    name="priority",
    promise="When there is not room for all, queries and refunds come before new payments.",
    function=check,
    needs=IN_TIME,
    facts=("F17",),
    undecided_share=0.02,
    unit="share",
)
