"""Was more of an order promised back than was ever paid for it?

The acknowledged refunds of one order, added up as each was acknowledged: distinct refunds, by the amount that
was asked for. What was paid is the most that any source knows of: the providers' captures, the books, a reply.

A refund that failed gives its part free again, from when the target's own log has it so (within the clock's
error; where the log or its clock says nothing, from the beginning). Without the book of refunds that cannot be
told, and nothing is found. A request without an answer promises nothing.
"""

from harness.checks.proof import proof, when
from harness.evidence.tables import Evidence
from harness.money import amount
from harness.verdict import Finding

PROMISED = """
WITH promised AS (                            -- one row a refund that an ok reply named
    SELECT order_no, coalesce(refund_id, 'key ' || key_no) AS refund, min(owed_ns) AS at_ns,
           arg_min(amount_minor, (owed_ns, id)) AS amount_minor
    FROM customer_refunds WHERE outcome = 'ok' AND amount_minor IS NOT NULL GROUP BY ALL),
failed AS (
    SELECT b.refund_id AS refund,
           coalesce(min(t.at_ns) - CAST($error_ns AS BIGINT), 0) AS at_ns
    FROM books_refunds AS b LEFT JOIN books_transitions AS t
      ON t.kind = 'refund' AND t.subject = b.refund_id AND t.to_state = b.raw_state
    WHERE b.state = 'failed' GROUP BY b.refund_id),
sums AS (                                -- what was promised, and not free again, when this one was acknowledged
    SELECT p.order_no, p.at_ns, sum(q.amount_minor) AS promised_minor, count(*) AS refunds
    FROM promised AS p JOIN promised AS q ON q.order_no = p.order_no AND q.at_ns <= p.at_ns
    LEFT JOIN failed AS f ON f.refund = q.refund
    WHERE f.at_ns IS NULL OR f.at_ns > p.at_ns GROUP BY p.order_no, p.refund, p.at_ns),
captured AS (SELECT order_no, sum(amount_minor) AS paid_minor FROM captures GROUP BY order_no),
told AS (SELECT order_id, max(paid_minor) AS paid_minor FROM operations WHERE op <> 'trespass' GROUP BY order_id),
booked AS (SELECT order_id, max(paid_minor) AS paid_minor FROM books_orders GROUP BY order_id)
SELECT o.order_no, o.order_id, s.at_ns, CAST(s.promised_minor AS BIGINT) AS promised_minor, s.refunds,
       CAST(greatest(c.paid_minor, t.paid_minor, b.paid_minor) AS BIGINT) AS paid_minor, n.currency
FROM sums AS s JOIN orders AS o USING (order_no) LEFT JOIN captured AS c USING (order_no)
LEFT JOIN told AS t USING (order_id) LEFT JOIN booked AS b USING (order_id)
LEFT JOIN (SELECT order_no, min(currency) AS currency FROM captures GROUP BY order_no) AS n USING (order_no)
WHERE NOT EXISTS (SELECT 1 FROM blind_orders AS x WHERE x.order_no = o.order_no)
  AND s.promised_minor > greatest(c.paid_minor, t.paid_minor, b.paid_minor)
QUALIFY row_number() OVER (PARTITION BY o.order_no ORDER BY s.at_ns, s.refunds) = 1 ORDER BY o.order_no
"""


def over_promised(evidence: Evidence) -> tuple[Finding, ...]:
    """One finding an order: when the promises first exceeded what was paid, and by how much."""
    if "refunds" not in evidence.scenario.capabilities.books or "books.refunds" in evidence.missing:
        return ()
    cases = evidence.cases(PROMISED, error_ns=min(evidence.books_errors_ns(), default=None))
    proofs = proof(evidence, [case.order_no for case in cases])
    return tuple(
        Finding(
            subject=case.order_id,
            message=f"Of order {case.order_id} the customer was promised {amount(case.promised_minor, case.currency)} "
            f"of {amount(case.paid_minor, case.currency)} back: with the refund acknowledged at "
            f"{when(evidence, case.at_ns)}, {case.refunds} of them together are more than was paid.",
            evidence=proofs[case.order_no],
        )
        for case in cases
    )
