"""Does every order that a customer was told of still exist, for the target and for its owner?

Violated when an ok reply named an order, and then: a request sent after that reply was answered
that there is no such order, or at quiescence it is absent from the target's books, or its owner's
own last read or complete list does not know it. What the live judge asked for the owner counts as if she had.

Any ok reply naming the order makes it known, not only the create. Only the target's own refusal
counts as "no such order": a bare 404 may be a proxy's. A list that was not read to its last page,
and a read that overlaps the acknowledgement, prove nothing.
"""

from collections import defaultdict

from harness.checks.check import Check, Premise
from harness.checks.proof import proof, reasons, when
from harness.evidence.tables import Evidence
from harness.money import amount
from harness.operation import Op, Outcome
from harness.verdict import CheckResult, Finding

KNOWN = """
SELECT k.order_no, k.order_id, k.user_id, k.known_ns, p.op, p.outcome, k.total_minor, c.taken_minor, c.currency,
       c.providers
FROM known_orders AS k JOIN operations AS p ON p.id = k.known_by
LEFT JOIN (SELECT order_no, CAST(sum(amount_minor) AS BIGINT) AS taken_minor, min(currency) AS currency,
                  string_agg(DISTINCT provider, ', ' ORDER BY provider) AS providers
           FROM captures GROUP BY order_no) AS c ON c.order_no = k.order_no
WHERE k.order_no IN (SELECT unnest($order_nos)) ORDER BY k.order_no
"""

DENIED_IN_HISTORY = """
SELECT k.order_no, p.op, p.sent_ns, p.http, p.code
FROM known_orders AS k JOIN operations AS p ON p.asked_order_id = k.order_id AND p.journey = k.journey
WHERE p.op IN ('read', 'pay', 'refund') AND p.sent_ns > k.known_ns AND p.outcome = 'fail' AND p.ending = 'answered'
  AND (p.code = 'order_not_found' OR (p.http = 404 AND p.code IS NOT NULL))
ORDER BY k.order_no, p.sent_ns, p.id
"""

DENIED_AT_THE_END = """
SELECT k.order_no, r.sent_ns, r.http, r.code
FROM known_orders AS k JOIN reads AS r ON r.order_id = k.order_id AND r.user_id = k.user_id
WHERE r.sent_ns > k.known_ns AND r.outcome = 'fail' AND r.ending = 'answered'
  AND (r.code = 'order_not_found' OR (r.http = 404 AND r.code IS NOT NULL))
ORDER BY k.order_no, r.sent_ns
"""

DENIED_ON_REREAD = """
SELECT k.order_no, r.sent_ns, r.http, r.code
FROM known_orders AS k JOIN rereads AS r ON r.order_id = k.order_id AND r.user_id = k.user_id
WHERE r.sent_ns > k.known_ns AND r.outcome = 'fail' AND r.ending = 'answered'
  AND (r.code = 'order_not_found' OR (r.http = 404 AND r.code IS NOT NULL))
ORDER BY k.order_no, r.sent_ns
"""

NOT_LISTED = """
SELECT k.order_no, min(l.sent_ns) AS sent_ns, min(len(l.orders)) AS listed
FROM known_orders AS k JOIN lists AS l USING (user_id)
WHERE l.outcome = 'ok' AND l.complete AND l.sent_ns > k.known_ns
GROUP BY k.order_no HAVING NOT bool_or(list_contains(l.orders, k.order_id)) ORDER BY k.order_no
"""

NOT_BOOKED = "SELECT order_no FROM known_orders WHERE NOT in_books ORDER BY order_no"

NOT_READ = """
SELECT k.order_no FROM known_orders AS k
WHERE NOT EXISTS (SELECT 1 FROM reads AS r WHERE r.order_id = k.order_id AND r.user_id = k.user_id
                  AND r.sent_ns > k.known_ns AND r.outcome = 'ok') ORDER BY k.order_no
"""

COUNT_KNOWN = "SELECT count(*) FROM known_orders ORDER BY ALL"


def check(evidence: Evidence) -> CheckResult:
    """Look for every known order in history, books, last reads and lists; a case is an order."""
    examined: int = evidence.row(COUNT_KNOWN)[0]
    told: dict[int, list[str]] = defaultdict(list)
    for number, op, sent_ns, http, code in evidence.rows(DENIED_IN_HISTORY):
        told[number].append(f"a {op} sent at {when(evidence, sent_ns)} was answered {http} {code}")
    for number, sent_ns, http, code in evidence.rows(DENIED_ON_REREAD):
        told[number].append(f"a read for its owner, sent at {when(evidence, sent_ns)}, was answered {http} {code}")
    for number, sent_ns, http, code in evidence.rows(DENIED_AT_THE_END):
        told[number].append(f"its owner's last read at {when(evidence, sent_ns)} was answered {http} {code}")
    for number, sent_ns, listed in evidence.rows(NOT_LISTED):
        told[number].append(f"its owner's own list of {listed} at {when(evidence, sent_ns)} does not hold it")
    moving: set[int] = set()
    if _books_shown(evidence):
        absent = {row[0] for row in evidence.rows(NOT_BOOKED)}
        if evidence.conduct.quiescent_ns is None:
            moving = absent - told.keys()
        else:
            for number in absent:
                told[number].append("the target's own books do not hold it")
    unread = {row[0] for row in evidence.rows(NOT_READ)} - told.keys() - moving
    return CheckResult(
        examined=examined,
        undecided=len(moving) + len(unread),
        reasons=reasons(
            [
                (len(moving), "orders are not in the books, which had not come to rest"),
                (len(unread), "orders have no last read by their owner that was answered"),
            ]
        ),
        findings=_findings(evidence, told),
        measured=float(len(told)),
        objective=0.0,
        unit="orders",
    )


def _books_shown(evidence: Evidence) -> bool:
    return "orders" in evidence.scenario.capabilities.books and "books.orders" not in evidence.missing


def _findings(evidence: Evidence, told: dict[int, list[str]]) -> tuple[Finding, ...]:
    proofs = proof(evidence, told)
    findings = []
    for case in evidence.cases(KNOWN, order_nos=sorted(told)):
        found = "the list in which its owner found it, who asked about it"
        by = (
            found
            if case.outcome != Outcome.OK
            else "a create"
            if case.op == Op.CREATE
            else f"a {case.op} that named it"
        )
        money = (
            "no money had been taken"
            if case.taken_minor is None
            else f"{amount(case.taken_minor, case.currency)} had been taken at {case.providers}"
        )
        findings.append(
            Finding(
                subject=case.order_id,
                message=(
                    f"Order {case.order_id} of {case.user_id} over {amount(case.total_minor or 0, case.currency)} was "
                    f"acknowledged by {by} at {when(evidence, case.known_ns)}, and is gone: "
                    f"{'; '.join(told[case.order_no])}; {money}."
                ),
                evidence=proofs[case.order_no],
            )
        )
    return tuple(findings)


CHECK = Check(
    name="no_vanished_order",
    promise="An order that a customer was told of never disappears.",
    function=check,
    needs=frozenset(
        {
            Premise.BOOKS_WHOLE,
            Premise.CONDUCT_TOLD,
            Premise.FAULTS_CONFIRMED,
            Premise.IDS_UNIQUE,
            Premise.OWNERS_ASKED,
            Premise.QUIESCENT,
            Premise.ROWS_COUNTED,
            Premise.SAME_BUILD,
        }
    ),
    facts=("F05",),
    unit="orders",
)
