"""Is there money taken without a reason: unknown to the target, or for an order that nobody asked to pay?

Violated by a capture in a provider's ledger that was not given back within its window and for whose
very number the target's books show no paid attempt. That another attempt of the same order was paid
does not help: this one is money without a reason. So is money taken for a customer's order before any
request to pay it was sent, whatever the books say: her other order, an order that she only looked at.
A request that ended without an answer has asked, a refused one too, and a stranger's, whom `owner_only`
judges. Where a history ends early, later captures are nobody's word.

The ledger was read before the books, so what stands in that reading the books had to know; a later
capture, a refund still running and an open window are undecided. Captures before the run's
watermark are another run's business.
"""

from types import SimpleNamespace

from harness.checks.alive import heard_until_ns
from harness.checks.check import Check, Premise
from harness.checks.proof import proof, reasons, unreadable, when, without_ledger
from harness.evidence.tables import Evidence
from harness.money import Bearer, amount, loss
from harness.verdict import CheckResult, Finding

CHARGED = "SELECT count(DISTINCT (provider, number)) FROM captures ORDER BY ALL"

ORPHANS = """
WITH taken AS (
    SELECT c.provider, c.number, min(c.seq) AS seq, min(c.at_ns) AS at_ns, min(c.currency) AS currency,
           CAST(sum(c.amount_minor) AS BIGINT) AS captured_minor, bool_and(c.before_books) AS before_books,
           any_value(c.order_no) AS order_no, any_value(c.order_id) AS order_id,
           -- from its pay_by on nobody can mean it any more; of an order that another attempt paid nobody ever did
           max(if(h.order_no IS NULL, greatest(c.at_ns, o.pay_by_ns), c.at_ns)) AS owed_ns,
           any_value(o.order_no) FILTER (o.journey IS NOT NULL) AS our_order_no
    FROM captures AS c LEFT JOIN orders AS o USING (order_no) LEFT JOIN honoured AS h USING (order_no)
    GROUP BY c.provider, c.number),
asked AS (                               -- when a request to pay it was first sent
    SELECT o.order_no, min(p.sent_ns) AS sent_ns FROM operations AS p JOIN orders AS o ON o.order_id = p.asked_order_id
    WHERE p.op = 'pay' OR p.tried = 'pay' GROUP BY o.order_no),
paid AS (SELECT DISTINCT provider, number FROM books_payments WHERE state = 'paid'),
back AS (
    SELECT provider, number, CAST(sum(amount_minor) FILTER (done_ns IS NOT NULL) AS BIGINT) AS refunded_minor,
           CAST(sum(amount_minor) FILTER (running) AS BIGINT) AS running_minor
    FROM provider_refunds GROUP BY provider, number)
SELECT t.provider, t.number, t.seq, t.at_ns, t.currency, t.captured_minor, t.order_no, t.order_id, t.before_books,
       p.number IS NOT NULL AS booked,
       coalesce(b.refunded_minor, 0) AS refunded_minor, coalesce(b.running_minor, 0) AS running_minor,
       back_by(t.provider, if(booked, t.at_ns, t.owed_ns)) AS back_by_ns, g.unsound
FROM taken AS t LEFT JOIN paid AS p USING (provider, number) LEFT JOIN back AS b USING (provider, number)
LEFT JOIN asked AS a ON a.order_no = t.our_order_no JOIN ledgers AS g USING (provider)
WHERE t.captured_minor > coalesce(b.refunded_minor, 0)
  AND (p.number IS NULL OR (t.our_order_no IS NOT NULL AND t.at_ns <= $heard_until_ns
                            AND coalesce(a.sent_ns > t.at_ns + coalesce(g.clock_error_ns, 0), true)))
ORDER BY t.at_ns, t.provider, t.seq
"""

KNOWN_TO_BOOKS = """
SELECT p.provider, p.number, p.raw_state FROM books_payments AS p
WHERE p.number IN (SELECT unnest($numbers)) ORDER BY p.provider, p.number, p.payment_id
"""

ORDER_IN_BOOKS = """
SELECT o.order_no, b.raw_state FROM books_orders AS b JOIN orders AS o USING (order_id)
WHERE o.order_no IN (SELECT unnest($order_nos)) ORDER BY o.order_no
"""


def check(evidence: Evidence) -> CheckResult:
    """Look up the number of every capture among the paid attempts of the books; a case is a number."""
    examined: int = evidence.row(CHARGED)[0]
    if "payments" not in evidence.scenario.capabilities.books:
        return CheckResult(examined=0, not_offered="the target shows no book of payments")
    nothing = without_ledger(evidence) or unreadable(evidence, examined, "books.payments")
    if nothing is not None:
        return nothing
    breaches, blind, late, running, early = [], 0, 0, 0, 0
    for case in evidence.cases(ORPHANS, heard_until_ns=_heard_until_ns(evidence)):
        if case.unsound is not None:
            blind += 1
        elif not case.before_books:
            late += 1
        elif case.captured_minor <= case.refunded_minor + case.running_minor:
            running += 1
        elif case.back_by_ns > evidence.until_ns:
            early += 1
        else:
            breaches.append(case)
    return CheckResult(
        examined=examined,
        undecided=blind + late + running + early,
        reasons=reasons(
            [
                (blind, "captures without a reason may have gone back in a ledger that is not whole"),
                (late, "captures came while the books were being read"),
                (running, "captures without a reason have a refund still running"),
                (early, "captures without a reason may still be booked or refunded in time"),
            ]
        ),
        findings=_findings(evidence, breaches),
        measured=float(sum(case.captured_minor - case.refunded_minor for case in breaches)),
        objective=0.0,
        unit="minor units",
    )


def _heard_until_ns(evidence: Evidence) -> int:
    """Until when every request to pay stands in the history."""
    until_ns = evidence.start_ns if "history" in evidence.missing else heard_until_ns(evidence)
    return evidence.until_ns if until_ns is None else until_ns


def _findings(evidence: Evidence, breaches: list[SimpleNamespace]) -> tuple[Finding, ...]:
    order_nos = [case.order_no for case in breaches if case.order_no is not None]
    attempts = {
        (provider, number): state
        for provider, number, state in evidence.rows(KNOWN_TO_BOOKS, numbers=[case.number for case in breaches])
    }
    states = {number: state for number, state in evidence.rows(ORDER_IN_BOOKS, order_nos=order_nos)}  # noqa: C416
    proofs = proof(evidence, order_nos)
    findings = []
    for case in breaches:
        attempt = attempts.get((case.provider, case.number))
        known = "do not know that number" if attempt is None else f"call that attempt '{attempt}'"
        wish = "Until then nobody had asked to pay it. " if case.booked else ""
        shown = f"the order as '{states[case.order_no]}'" if case.order_no in states else "no such order"
        findings.append(
            Finding(
                subject=case.order_id or f"{case.provider} {case.number}",
                message=(
                    f"{case.provider} captured {amount(case.captured_minor, case.currency)} under {case.number} "
                    f"for order {case.order_id or '(not named)'} at {when(evidence, case.at_ns)}. "
                    f"{wish}The books {known} and show {shown}; until {when(evidence, case.back_by_ns)} "
                    f"{amount(case.refunded_minor, case.currency)} had gone back."
                ),
                evidence={"provider": case.provider, "number": case.number, "seq": case.seq}
                | loss(Bearer.CUSTOMER, case.captured_minor - case.refunded_minor, case.currency)
                | proofs.get(case.order_no, {}),
            )
        )
    return tuple(findings)


CHECK = Check(
    name="no_orphan_charge",
    promise="No money is taken that the target does not know of, or that nobody asked to pay.",
    function=check,
    needs=frozenset(
        {
            Premise.BOOKS_WHOLE,
            Premise.CONDUCT_TOLD,
            Premise.FAULTS_CONFIRMED,
            Premise.LEDGERS_WHOLE,
            Premise.QUIESCENT,
            Premise.SAME_BUILD,
        }
    ),
    facts=("F02", "F05"),
    unit="minor units",
)
