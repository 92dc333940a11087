"""Did more money go back than anyone asked for or was owed, or was more promised than was paid?

Violated when the providers' refunds of an order exceed the distinct refunds that its customer asked
for plus what was owed by rule, when two refunds answer one request, or when the acknowledged refunds of an
order come to more than was paid for it (`over_promised`), whatever became of them.

Requests with one key are one request; one that got no answer permits a refund and requires none; a
refused one permits none. Where the history breaks off without its end, what a provider took on later
may have been asked for, which is undecided. Providers refuse a refund above the capture, so the breaches to be found
lie below it. Goodwill that the books call compensation gives back nothing of the order.
"""

from collections import defaultdict
from types import SimpleNamespace

from harness.checks.alive import heard_until_ns
from harness.checks.check import Check, Premise
from harness.checks.over_promised import over_promised
from harness.checks.proof import proof, reasons, unreadable, when, without_ledger
from harness.evidence.tables import Evidence
from harness.money import Bearer, amount, loss
from harness.verdict import CheckResult, Finding

FOREVER_NS = 4_000_000_000_000_000_000

EXCESS = """
WITH back AS (
    SELECT order_no, coalesce(sum(amount_minor) FILTER (done_ns IS NOT NULL), 0) AS refunded_minor,
           coalesce(sum(amount_minor) FILTER (running), 0) AS running_minor,
           coalesce(sum(amount_minor) FILTER (done_ns IS NOT NULL AND coalesce(accepted_ns, done_ns) > $heard_ns), 0)
               AS unheard_minor              -- may have been asked for after the history breaks off
    FROM provider_refunds WHERE order_no IS NOT NULL AND NOT compensation GROUP BY order_no),
asked AS (SELECT order_no, sum(amount_minor) AS asked_minor, count(*) AS requests FROM customer_refunds
          WHERE outcome <> 'fail' GROUP BY order_no),
ruled AS (SELECT order_no, sum(amount_minor) AS owed_minor FROM rule_owed GROUP BY order_no),
doubled AS (                             -- more refunds of one amount, each booked as asked for, than were asked for
    SELECT order_no, min(amount_minor) AS amount_minor FROM (
        SELECT p.order_no, p.amount_minor
        FROM provider_refunds AS p JOIN books_refunds AS b ON b.provider = p.provider AND b.number = p.refund_number
        WHERE p.done_ns IS NOT NULL AND b.requested AND NOT p.compensation
        GROUP BY p.order_no, p.amount_minor
        HAVING count(*) > (SELECT count(*) FROM customer_refunds AS c WHERE c.order_no = p.order_no
                           AND c.amount_minor = p.amount_minor AND c.outcome <> 'fail')
           AND EXISTS (SELECT 1 FROM customer_refunds AS c WHERE c.order_no = p.order_no
                       AND c.amount_minor = p.amount_minor AND c.outcome <> 'fail'))
    GROUP BY order_no)
SELECT o.order_no, o.order_id, CAST(b.refunded_minor AS BIGINT) AS refunded_minor,
       CAST(b.running_minor AS BIGINT) AS running_minor, CAST(b.unheard_minor AS BIGINT) AS unheard_minor,
       CAST(coalesce(a.asked_minor, 0) AS BIGINT) AS asked_minor,
       coalesce(a.requests, 0) AS requests, CAST(coalesce(r.owed_minor, 0) AS BIGINT) AS owed_minor,
       d.amount_minor AS doubled_minor, x.why AS blind
FROM back AS b JOIN orders AS o USING (order_no) LEFT JOIN asked AS a USING (order_no)
LEFT JOIN ruled AS r USING (order_no) LEFT JOIN doubled AS d USING (order_no)
LEFT JOIN blind_orders AS x USING (order_no) ORDER BY o.order_no
"""

STRAY = "SELECT count(*) FROM provider_refunds WHERE order_no IS NULL ORDER BY ALL"

REFUNDS = """
SELECT r.order_no, r.provider, r.refund_number, r.amount_minor, r.done_ns, c.currency
FROM provider_refunds AS r
LEFT JOIN (SELECT provider, number, min(currency) AS currency FROM captures GROUP BY provider, number) AS c
  USING (provider, number)
WHERE r.order_no IN (SELECT unnest($order_nos)) AND r.done_ns IS NOT NULL AND NOT r.compensation
ORDER BY r.order_no, r.done_ns, r.provider, r.refund_number
"""


def check(evidence: Evidence) -> CheckResult:
    """Hold what went back of each order against what was asked and owed; a case is an order with a refund."""
    if (unseen := without_ledger(evidence)) is not None:
        return unseen
    heard_ns = heard_until_ns(evidence)
    cases = evidence.cases(EXCESS, heard_ns=FOREVER_NS if heard_ns is None else heard_ns)
    stray: int = evidence.row(STRAY)[0]
    examined = len(cases) + stray
    nothing = unreadable(evidence, max(examined, 1), "history", "books.orders")
    if nothing is not None:
        return nothing
    breaches, blind, running, unheard = [], 0, 0, 0
    for case in cases:
        permitted_minor = case.asked_minor + case.owed_minor
        over = case.refunded_minor > permitted_minor or case.doubled_minor is not None
        soon = case.refunded_minor + case.running_minor > permitted_minor
        if case.blind is not None and (over or soon):
            blind += 1
        elif over and 0 < case.unheard_minor >= case.refunded_minor - permitted_minor:
            unheard += 1
        elif over:
            breaches.append(case)
        elif soon:
            running += 1
    return CheckResult(
        examined=examined,
        undecided=stray + blind + running + unheard,
        reasons=reasons(
            [
                (stray, "refunds are of charges that name no order"),
                (blind, "refunds may be owed for captures in a ledger that is not whole"),
                (running, "refunds beyond what was asked are running and not done"),
                (unheard, "refunds may have been asked for after the history breaks off"),
            ]
        ),
        findings=_findings(evidence, breaches) + over_promised(evidence),
        measured=float(sum(_over_minor(case) for case in breaches)),
        objective=0.0,
        unit="minor units",
    )


def _excess_minor(case: SimpleNamespace) -> int:
    excess: int = case.refunded_minor - case.asked_minor - case.owed_minor
    return excess


def _over_minor(case: SimpleNamespace) -> int:
    over: int = max(_excess_minor(case), case.doubled_minor or 0)
    return over


def _findings(evidence: Evidence, breaches: list[SimpleNamespace]) -> tuple[Finding, ...]:
    order_nos = [case.order_no for case in breaches]
    proofs = proof(evidence, order_nos)
    refunds: dict[int, list[SimpleNamespace]] = defaultdict(list)
    for refund in evidence.cases(REFUNDS, order_nos=order_nos):
        refunds[refund.order_no].append(refund)
    return tuple(
        Finding(
            subject=case.order_id,
            message=_story(evidence, case, refunds[case.order_no]),
            evidence=loss(Bearer.OPERATOR, _over_minor(case), refunds[case.order_no][0].currency)
            | proofs[case.order_no],
        )
        for case in breaches
    )


def _story(evidence: Evidence, case: SimpleNamespace, refunds: list[SimpleNamespace]) -> str:
    currency = refunds[0].currency
    went = "; ".join(
        f"{amount(refund.amount_minor, currency)} at {refund.provider} under {refund.refund_number} "
        f"at {when(evidence, refund.done_ns)}"
        for refund in refunds
    )
    broken = (
        f"{amount(_excess_minor(case), currency)} went back that nobody asked for"
        if _excess_minor(case) > 0
        else f"one request for {amount(case.doubled_minor, currency)} was answered by two refunds"
    )
    return (
        f"Of order {case.order_id} the customer asked {amount(case.asked_minor, currency)} back in {case.requests} "
        f"requests and {amount(case.owed_minor, currency)} was owed by rule, but "
        f"{amount(case.refunded_minor, currency)} went back: {went}. So {broken}."
    )


CHECK = Check(
    name="no_over_refund",
    promise="No more goes back than was asked for or owed, and no more is promised than was paid.",
    function=check,
    needs=frozenset(
        {
            Premise.BOOKS_WHOLE,
            Premise.CONDUCT_TOLD,
            Premise.FAULTS_CONFIRMED,
            Premise.IDS_UNIQUE,
            Premise.LEDGERS_WHOLE,
            Premise.QUIESCENT,
            Premise.ROWS_COUNTED,
            Premise.SAME_BUILD,
        }
    ),
    facts=("F16", "F24"),
    unit="minor units",
)
