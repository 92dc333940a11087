"""Do the target's books and the providers' ledgers agree about each order's money?

Violated when, for an order and a provider, what the books say was paid less what they say went back
differs from what the ledger says was captured less refunded, or either of them claims what the ledger
does not hold; when an order's own figures differ from those of its payments and refunds; or when an
order at rest, in the books or in its owner's last read, is called what its money does not say
(`harness.checks.at_rest`): refunded though half of it went back, paid though it was not.

Judged order by order and provider by provider, so that two errors cannot cancel out. What the books
claim and the ledger, read later, does not hold was never there. Where the ledger is ahead, the books
have the refund window to follow. Fees, other runs' orders and those from before the watermark do
not count. Without ledgers nothing is conserved that could be seen to be; a contradiction is one all
the same.
"""

from types import SimpleNamespace

from harness.checks.at_rest import contradictions, findings_of
from harness.checks.check import Check, Premise
from harness.checks.proof import proof, reasons, unreadable, when, without_ledger
from harness.evidence.tables import Evidence
from harness.money import Bearer, amount, loss
from harness.verdict import CheckResult, Finding

BALANCES = """
CREATE OR REPLACE TEMP TABLE balances AS -- one row an order and provider that books or ledger know of
WITH foreign_numbers AS (SELECT provider, number FROM numbers ANTI JOIN our_numbers USING (provider, number)),
ours AS (
    SELECT o.order_no, p.* FROM books_payments AS p JOIN orders AS o USING (order_id)
    LEFT JOIN books_orders AS b ON b.order_id = p.order_id
    ANTI JOIN foreign_numbers AS f ON f.provider = p.provider AND f.number = p.number
    WHERE o.in_history OR o.in_ledger OR coalesce(b.created_ns >= (SELECT start_ns FROM limits), true)),
told AS (
    SELECT order_no, provider, sum(captured_minor) AS captured_minor FROM ours GROUP BY order_no, provider),
told_back AS (
    SELECT o.order_no, r.provider, sum(r.amount_minor) AS refunded_minor
    FROM books_refunds AS r JOIN orders AS o USING (order_id)
    WHERE r.state = 'done' AND o.order_no IN (SELECT order_no FROM ours) GROUP BY o.order_no, r.provider),
taken AS (
    SELECT coalesce(order_no, booked_order_no) AS order_no, provider, sum(amount_minor) AS captured_minor,
           max(at_ns) AS last_ns, bool_and(before_books) AS before_books, min(currency) AS currency
    FROM captures GROUP BY ALL),
back AS (
    SELECT coalesce(order_no, booked_order_no) AS order_no, provider,
           sum(amount_minor) FILTER (done_ns IS NOT NULL) AS refunded_minor, max(done_ns) AS last_ns,
           bool_and(before_books) FILTER (done_ns IS NOT NULL) AS before_books
    FROM provider_refunds GROUP BY ALL),
pairs AS (
    SELECT order_no, provider FROM told UNION SELECT order_no, provider FROM told_back
    UNION SELECT order_no, provider FROM taken WHERE order_no IS NOT NULL
    UNION SELECT order_no, provider FROM back WHERE order_no IS NOT NULL)
SELECT p.order_no, p.provider, t.currency,
       CAST(coalesce(a.captured_minor, 0) AS BIGINT) AS booked_minor,
       CAST(coalesce(b.refunded_minor, 0) AS BIGINT) AS booked_back_minor,
       CAST(coalesce(t.captured_minor, 0) AS BIGINT) AS captured_minor,
       CAST(coalesce(k.refunded_minor, 0) AS BIGINT) AS refunded_minor,
       greatest(t.last_ns, k.last_ns) AS last_ns,
       coalesce(t.before_books, true) AND coalesce(k.before_books, true) AS before_books
FROM pairs AS p LEFT JOIN told AS a USING (order_no, provider) LEFT JOIN told_back AS b USING (order_no, provider)
LEFT JOIN taken AS t USING (order_no, provider) LEFT JOIN back AS k USING (order_no, provider)
ORDER BY p.order_no, p.provider
"""

COUNT = """
SELECT (SELECT count(*) FROM balances),
       (SELECT count(*) FROM captures WHERE order_no IS NULL AND booked_order_no IS NULL),
       (SELECT count(*) FROM balances AS b LEFT JOIN ledgers AS g USING (provider)
        WHERE g.provider IS NULL OR g.unsound IS NOT NULL)
ORDER BY ALL
"""

DIFFERENCES = """
SELECT b.order_no, o.order_id, b.provider, b.currency, b.booked_minor, b.booked_back_minor, b.captured_minor,
       b.refunded_minor, b.last_ns,
       b.booked_minor > b.captured_minor OR b.booked_back_minor > b.refunded_minor AS claimed_in_vain,
       NOT b.before_books OR back_by(b.provider, b.last_ns) > (SELECT until_ns FROM limits) AS young
FROM balances AS b JOIN orders AS o USING (order_no) JOIN ledgers AS g USING (provider)
WHERE g.unsound IS NULL
  AND (b.booked_minor - b.booked_back_minor <> b.captured_minor - b.refunded_minor OR claimed_in_vain)
ORDER BY b.order_no, b.provider
"""

DO_NOT_ADD_UP = """
WITH parts AS (
    SELECT order_no, CAST(sum(booked_minor) AS BIGINT) AS booked_minor,
           CAST(sum(booked_back_minor) AS BIGINT) AS booked_back_minor, min(currency) AS currency,
           bool_or(NOT before_books OR back_by(provider, last_ns) > (SELECT until_ns FROM limits)) AS young
    FROM balances GROUP BY order_no)
SELECT o.order_no, o.order_id, p.currency, b.paid_minor, b.refunded_minor, p.booked_minor, p.booked_back_minor
FROM parts AS p JOIN orders AS o USING (order_no) JOIN books_orders AS b USING (order_id)
WHERE NOT coalesce(p.young, false)
  AND (b.paid_minor - b.refunded_minor <> p.booked_minor - p.booked_back_minor
       OR (b.paid_minor <> p.booked_minor      -- what goes back by rule may or may not count, on both sides
           AND NOT EXISTS (SELECT 1 FROM books_refunds AS r WHERE r.order_id = o.order_id AND NOT r.requested)))
  AND NOT EXISTS (SELECT 1 FROM rule_owed AS w WHERE w.order_no = o.order_no)  -- no part of what the order says
  AND NOT EXISTS (SELECT 1 FROM books_refunds AS r WHERE r.order_id = o.order_id
                  AND (r.state = 'pending' OR r.compensation))
ORDER BY o.order_no
"""


def check(evidence: Evidence) -> CheckResult:
    """Hold books against ledgers; a case is an order at a provider."""
    lacking = _lacking(evidence)
    if lacking is not None:
        found = contradictions(evidence)
        return CheckResult(examined=len(found), not_offered=lacking, findings=findings_of(evidence, found))
    evidence.execute(BALANCES)
    examined, stray, blind = evidence.row(COUNT)
    nothing = unreadable(evidence, max(examined + stray, 1), "books.payments", "books.refunds", "books.orders")
    if nothing is not None:
        return nothing
    differences = evidence.cases(DIFFERENCES)
    breaches = [case for case in differences if case.claimed_in_vain or not case.young]
    named = {case.order_no for case in differences}
    sums = [] if evidence.conduct.quiescent_ns is None else evidence.cases(DO_NOT_ADD_UP)
    sums = [case for case in sums if case.order_no not in named]
    named |= {case.order_no for case in sums}
    found = tuple(case for case in contradictions(evidence) if case.order_no not in named)
    moving = len(differences) - len(breaches)
    return CheckResult(
        examined=examined + stray,
        undecided=stray + blind + moving,
        reasons=reasons(
            [
                (stray, "captures name no order and no attempt of the books has their number"),
                (blind, "orders were paid at a provider whose ledger is not whole"),
                (moving, "orders differ and their money moved too lately for the books to have followed"),
            ]
        ),
        findings=_differences(evidence, breaches) + _sums(evidence, sums) + findings_of(evidence, found),
        measured=float(
            sum(abs(_difference_minor(case)) for case in breaches)
            + sum(abs(_sum_minor(case)) for case in sums)
            + sum(case.amount_minor for case in found)
        ),
        objective=0.0,
        unit="minor units",
    )


def _lacking(evidence: Evidence) -> str | None:
    """Why books and providers cannot be held against each other; None where they can."""
    if "payments" not in evidence.scenario.capabilities.books:
        return "the target's books do not show payments by order"
    nothing = without_ledger(evidence)
    return None if nothing is None else nothing.not_offered


def _difference_minor(case: SimpleNamespace) -> int:
    """By how much the books are ahead; where what they claim in vain cancels out, how much that is."""
    difference: int = case.booked_minor - case.booked_back_minor - case.captured_minor + case.refunded_minor
    return difference or max(case.booked_minor - case.captured_minor, case.booked_back_minor - case.refunded_minor)


def _sum_minor(case: SimpleNamespace) -> int:
    difference: int = case.paid_minor - case.refunded_minor - case.booked_minor + case.booked_back_minor
    return difference or case.paid_minor - case.booked_minor


def _differences(evidence: Evidence, breaches: list[SimpleNamespace]) -> tuple[Finding, ...]:
    proofs = proof(evidence, [case.order_no for case in breaches])
    findings = []
    for case in breaches:
        unit = case.currency
        moved = (
            "never moved any money" if case.last_ns is None else f"last moved money at {when(evidence, case.last_ns)}"
        )
        findings.append(
            Finding(
                subject=case.order_id,
                message=(
                    f"Order {case.order_id} at {case.provider}: the books say "
                    f"{amount(case.booked_minor, unit)} paid and {amount(case.booked_back_minor, unit)} given back, "
                    f"the provider captured "
                    f"{amount(case.captured_minor, unit)} and refunded {amount(case.refunded_minor, unit)}: "
                    f"a difference of {amount(_difference_minor(case), unit)}. The provider {moved}."
                ),
                evidence={"provider": case.provider}
                | loss(Bearer.BOOKS, _difference_minor(case), unit)
                | proofs[case.order_no],
            )
        )
    return tuple(findings)


def _sums(evidence: Evidence, sums: list[SimpleNamespace]) -> tuple[Finding, ...]:
    proofs = proof(evidence, [case.order_no for case in sums])
    return tuple(
        Finding(
            subject=case.order_id,
            message=(
                f"Order {case.order_id}: the books do not add up. The order says "
                f"{amount(case.paid_minor, case.currency)} paid and {amount(case.refunded_minor, case.currency)} given "
                f"back, its payments and refunds come to {amount(case.booked_minor, case.currency)} paid and "
                f"{amount(case.booked_back_minor, case.currency)} given back."
            ),
            evidence=loss(Bearer.BOOKS, _sum_minor(case), case.currency) | proofs[case.order_no],
        )
        for case in sums
    )


CHECK = Check(
    name="money_conserved",
    promise="The books and the providers agree about every order's money.",
    function=check,
    needs=frozenset(
        {
            Premise.BOOKS_WHOLE,
            Premise.CONDUCT_TOLD,
            Premise.FAULTS_CONFIRMED,
            Premise.LEDGERS_WHOLE,
            Premise.OWNERS_ASKED,
            Premise.QUIESCENT,
            Premise.SAME_BUILD,
        }
    ),
    facts=("F24",),
    unit="minor units",
)
