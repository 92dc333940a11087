"""Do a target's replies about one order agree with what it told, and with what it booked?

Two things that a reply may say and that never change behind the customer's back:

    pay_by      every reply about an order, its owner's last read and the books name the instant that was
                acknowledged first. A second of difference is rounding; a later one is none of this where the
                target publishes that it puts it off (`extends_pay_by`).
    an attempt  a payment that was answered "over, nothing taken" was not taken: the books have that very
                attempt paid, by its id, since before the request was sent, or the same reply calls the order
                paid though nothing but that attempt ever paid for it.

An attempt that failed and was captured later, as the published machine allows, was told right. So is one that a
repeated key tells again, where an earlier answer under it may have said so, and one of an order that
another attempt paid for. Where the books' clock was not sampled, "since before" cannot be told.
"""

from collections.abc import Iterable
from types import SimpleNamespace

from harness.checks.proof import when
from harness.evidence.tables import Evidence

ROUNDING_MS = 1_000

PAY_BY_TOLD = """
WITH said AS (
    SELECT p.order_id, p.op AS source, p.done_ns AS at_ns, p.id, p.pay_by_utc_ms
    FROM operations AS p JOIN orders AS o ON o.order_id = p.order_id AND o.journey = p.journey
    WHERE p.op IN ('create', 'pay', 'read', 'refund') AND p.pay_by_utc_ms IS NOT NULL
    UNION ALL
    SELECT r.order_id, 'last read', r.done_ns, NULL, r.pay_by_utc_ms
    FROM reads AS r JOIN orders AS o USING (order_id, user_id) WHERE r.outcome = 'ok' AND r.pay_by_utc_ms IS NOT NULL
    UNION ALL
    SELECT order_id, 'books', NULL, NULL, pay_by_utc_ms FROM books_orders WHERE pay_by_utc_ms IS NOT NULL),
first AS (
    SELECT order_id, min(done_ns) AS first_ns, arg_min(pay_by_utc_ms, (done_ns, id)) AS first_utc_ms
    FROM operations WHERE op = 'create' AND outcome = 'ok' AND pay_by_utc_ms IS NOT NULL GROUP BY order_id)
SELECT o.order_no, o.order_id, s.source, s.at_ns, s.pay_by_utc_ms - f.first_utc_ms AS later_ms, f.first_ns,
       f.first_utc_ms
FROM said AS s JOIN first AS f USING (order_id) JOIN orders AS o USING (order_id)
WHERE f.first_utc_ms - s.pay_by_utc_ms > $rounding_ms
   OR (NOT $extends AND s.pay_by_utc_ms - f.first_utc_ms > $rounding_ms)
QUALIFY row_number() OVER (PARTITION BY o.order_no, s.source ORDER BY s.at_ns, s.id) = 1
ORDER BY o.order_no, s.at_ns NULLS LAST, s.source
"""

DENIED = """
WITH said AS (                           -- answers that called their attempt over, the first under their key to do so
    SELECT p.id, p.order_id, p.method, p.result_id, p.code, p.state, p.sent_ns, p.done_ns
    FROM operations AS p
    WHERE p.op = 'pay' AND p.outcome = 'fail' AND p.ending = 'answered' AND p.http // 100 = 2
      AND p.result_id IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM operations AS e WHERE e.key_no = p.key_no AND e.op = 'pay' AND e.id < p.id
                      AND (e.ending IS DISTINCT FROM 'answered' OR (e.outcome = 'fail' AND e.result_id IS NOT NULL)
                           OR (e.outcome = 'info' AND e.http // 100 <> 2)))),
paid AS (                                -- attempts that the books have as paid, and the step that led there
    SELECT b.payment_id, b.number, min(t.at_ns) AS at_ns, arg_min(t.from_state, (t.at_ns, t.seq)) AS from_state
    FROM books_payments AS b LEFT JOIN books_transitions AS t
      ON t.kind = 'payment' AND t.subject = b.payment_id AND t.to_state = b.raw_state
    WHERE b.state = 'paid' GROUP BY b.payment_id, b.number),
payers AS (SELECT order_id, count(*) AS payers FROM books_payments WHERE state = 'paid' GROUP BY order_id),
dead AS (SELECT DISTINCT raw_state FROM books_payments WHERE state = 'dead')
SELECT o.order_no, o.order_id, s.method, s.code, s.sent_ns, s.done_ns, p.payment_id, p.number, p.at_ns,
       coalesce(p.at_ns + CAST($error_ns AS BIGINT) < s.sent_ns, false) AS before
FROM said AS s JOIN paid AS p ON p.payment_id = s.result_id JOIN orders AS o ON o.order_id = s.order_id
JOIN payers AS n ON n.order_id = s.order_id
WHERE before OR (s.state = 'paid' AND n.payers = 1
                 AND NOT coalesce(p.from_state IN (SELECT raw_state FROM dead), false))
QUALIFY row_number() OVER (PARTITION BY o.order_no, p.payment_id ORDER BY s.sent_ns, s.id) = 1
ORDER BY o.order_no, s.sent_ns, s.id
"""

Said = tuple[int, str, str]
"""Number and id of an order, and a clause about it."""


def contradicted(evidence: Evidence) -> Iterable[Said]:
    """Clauses about orders of which one reply denies what another, or the books, say."""
    capabilities = evidence.scenario.capabilities
    if capabilities.pay_by:
        for case in evidence.cases(PAY_BY_TOLD, rounding_ms=ROUNDING_MS, extends=capabilities.extends_pay_by):
            yield case.order_no, case.order_id, _other_pay_by(evidence, case)
    for case in evidence.cases(DENIED, error_ns=min(evidence.books_errors_ns(), default=None)):
        since = f" since {when(evidence, case.at_ns)}" if case.before else ""
        yield (
            case.order_no,
            case.order_id,
            f"a payment by {case.method}, sent at {when(evidence, case.sent_ns)}, was answered {case.code}, and the "
            f"books have that very attempt ({case.payment_id}) as paid{since}"
            + ("" if case.before else ", as the same answer has the order"),
        )


def _other_pay_by(evidence: Evidence, case: SimpleNamespace) -> str:
    """Who names which pay_by instead of the one that was acknowledged first."""
    way = "later" if case.later_ms > 0 else "earlier"
    apart = f"{abs(case.later_ms) / 1000:.3f} s {way}"
    told = f"its create was acknowledged at {when(evidence, case.first_ns)} with a pay_by"
    if case.source == "books":
        return f"{told}, and the books have it {apart}"
    who = "its owner's last read" if case.source == "last read" else f"the answer to a {case.source}"
    return f"{told}, and {who}, done at {when(evidence, case.at_ns)}, showed it {apart}"
