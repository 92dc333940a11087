"""Is the target's own list of whom the outage touched the true one?

Violated when an order that is certainly affected by the published rule does not stand on the list by the
voucher's window, or one that is certainly unaffected does. Order by order: a list of the right length
can name the wrong people. An order may stand there for several reasons.

A case is an affected order, or one that cannot be told (`affected`), as for `compensated`; who stands on
the list although nothing happened to them is a finding and no case.
"""

from harness.checks.affected import BOOKS, find_affected
from harness.checks.check import Check
from harness.checks.compensated import CHECK as COMPENSATED
from harness.checks.compensated import WHY
from harness.checks.proof import proof, reasons, unreadable, when
from harness.evidence.tables import Evidence
from harness.verdict import CheckResult, Finding

LISTED = """
WITH listed AS (SELECT order_id, string_agg(reason, ', ' ORDER BY at_ns, reason) AS as_what
                FROM books_affected GROUP BY order_id)
SELECT t.*, l.as_what,
       CASE WHEN t.word = 'unaffected' THEN 'wrongly'
            WHEN t.word = 'unclear' THEN 'unclear'
            WHEN l.order_id IS NOT NULL THEN 'right'
            WHEN t.since_ns + $window_ns > $until_ns THEN 'early'
            ELSE 'forgotten' END AS outcome
FROM touched AS t LEFT JOIN listed AS l USING (order_id)
WHERE t.word <> 'unaffected' OR l.order_id IS NOT NULL
ORDER BY t.order_no
"""


def check(evidence: Evidence) -> CheckResult:
    """Hold the target's list against the rule; a case is an order that is affected or may be."""
    capabilities = evidence.scenario.capabilities
    if capabilities.compensation is None or not {*BOOKS, "affected"} <= set(capabilities.books):
        return CheckResult(examined=0, not_offered="the target shows no list of affected orders, or no rule for it")
    nothing = unreadable(evidence, 1, "history", *(f"books.{name}" for name in (*BOOKS, "affected")))
    if nothing is not None:
        return nothing
    evidence.once(find_affected)
    rows = evidence.cases(LISTED, window_ns=evidence.window_ns("voucher_ms"), until_ns=evidence.until_ns)
    wrong = [row for row in rows if row.outcome in {"wrongly", "forgotten"}]
    counts = {outcome: sum(row.outcome == outcome for row in rows) for outcome in ("early", "unclear")}
    proofs = proof(evidence, {row.order_no for row in wrong})
    findings = []
    for row in wrong:
        if row.outcome == "wrongly":
            text = f"stands on the target's list of affected orders ({row.as_what}), and nothing happened to it"
        else:
            causes = [(WHY[name], getattr(row, name)) for name in WHY if getattr(row, name) is not None]
            told = ", ".join(f"{why} ({when(evidence, at_ns)})" for why, at_ns in causes)
            text = f"is affected: {told}. It does not stand on the target's list"
        findings.append(
            Finding(subject=row.order_id, message=f"Order {row.order_id} {text}.", evidence=proofs[row.order_no])
        )
    return CheckResult(
        examined=len(rows),
        undecided=sum(counts.values()),
        reasons=reasons(
            [
                (counts["early"], "orders are affected and not on the list yet, and their window is not over"),
                (counts["unclear"], "orders may be affected or not: nobody saw the answer, or the log does not decide"),
            ]
        ),
        findings=tuple(findings),
        measured=float(len(findings)),
        objective=0.0,
        unit="orders",
    )


CHECK = Check(
    name="affected_list",
    promise="The target's own list of whom an outage touched names them all, and nobody else.",
    function=check,
    needs=COMPENSATED.needs,
    facts=("F28",),
    undecided_share=COMPENSATED.undecided_share,
    unit="orders",
)
