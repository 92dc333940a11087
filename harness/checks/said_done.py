"""Was a customer told that a refund is done before its money went back?

Each refund that a reply to its owner, or the owner's last read, called done, at the first such reply, against the
provider's ledger: there the money must have gone back by then, within the error of the provider's clock. The
books tie the refund to the provider's number; one without a number, one of goodwill, and one of a provider whose
ledger is not whole are left out, as is what was told only after the ledger was read.
"""

from harness.checks.proof import proof, seconds, when
from harness.evidence.tables import Evidence
from harness.money import amount
from harness.verdict import Finding

SAID_DONE = """
WITH said AS (
    SELECT unnest(p.refunds_done) AS refund_id, p.op AS source, p.done_ns AS at_ns, p.id
    FROM operations AS p JOIN orders AS o ON o.order_id = p.order_id AND o.journey = p.journey
    WHERE p.op IN ('create', 'pay', 'read', 'refund')
    UNION ALL
    SELECT unnest(r.refunds_done), 'last read', r.done_ns, NULL
    FROM reads AS r JOIN orders AS o USING (order_id, user_id) WHERE r.outcome = 'ok'),
first AS (SELECT refund_id, min(at_ns) AS at_ns, arg_min(source, (at_ns, id)) AS source FROM said GROUP BY refund_id)
SELECT o.order_no, o.order_id, f.refund_id, f.source, f.at_ns, b.provider, b.number, b.amount_minor, p.done_ns,
       n.currency
FROM first AS f JOIN books_refunds AS b USING (refund_id) JOIN orders AS o ON o.order_id = b.order_id
JOIN ledgers AS g ON g.provider = b.provider AND g.unsound IS NULL
LEFT JOIN (SELECT provider, refund_number, min(done_ns) AS done_ns FROM provider_refunds
           GROUP BY provider, refund_number) AS p ON p.provider = b.provider AND p.refund_number = b.number
LEFT JOIN (SELECT order_no, min(currency) AS currency FROM captures GROUP BY order_no) AS n ON n.order_no = o.order_no
WHERE b.number IS NOT NULL AND NOT coalesce(b.compensation, false)
  AND CASE WHEN p.done_ns IS NULL THEN f.at_ns <= (SELECT until_ns FROM limits)
           ELSE p.done_ns > f.at_ns + coalesce(g.clock_error_ns, 0) END
QUALIFY row_number() OVER (PARTITION BY o.order_no ORDER BY f.at_ns, f.refund_id) = 1 ORDER BY o.order_no
"""


def said_done(evidence: Evidence) -> tuple[Finding, ...]:
    """One finding an order: the first refund of it that was called done too early, or for nothing."""
    cases = evidence.cases(SAID_DONE)
    proofs = proof(evidence, [case.order_no for case in cases])
    return tuple(
        Finding(
            subject=case.order_id,
            message=f"The customer was told by {_who(case.source)}, done at {when(evidence, case.at_ns)}, that refund "
            f"{case.refund_id} of {amount(case.amount_minor, case.currency)} of order {case.order_id} was done, and "
            f"{case.provider} {_what(evidence, case.done_ns, case.at_ns)} under {case.number}.",
            evidence=proofs[case.order_no],
        )
        for case in cases
    )


def _who(source: str) -> str:
    return "the last read" if source == "last read" else f"the answer to a {source}"


def _what(evidence: Evidence, done_ns: int | None, told_ns: int) -> str:
    if done_ns is None:
        return "never gave it back"
    return f"gave it back at {when(evidence, done_ns)}, {seconds(done_ns - told_ns)} later,"
