"""Is "too busy, come again" said so that a customer, and a program, can rely on it?

Violated where a refusal of a create or a payment for busyness lacks something: one of the contract's
statuses, Retry-After, a stable code, the order's id (on a create the key); where its Retry-After is longer
than the target publishes, or, where it publishes none, than a customer's patience; where it came later than the
limit after the request was sent; where its order was gone afterwards; or where the provider took the money
of just that attempt: for an order and a method of which no request could have had an effect.

A busy answer that a fault on the customer's own edge, or on the process that answers, made late is not held
to the limit. What a proxy made instead of the target is no case.
"""

from collections import defaultdict
from types import SimpleNamespace

from harness.checks.busyness import note_busy
from harness.checks.check import Check, Premise
from harness.checks.proof import proof, reasons, seconds, since_start, when
from harness.documents import BusyRecord
from harness.evidence.tables import Evidence
from harness.money import amount
from harness.verdict import CheckResult, Finding

MOST_TOLD = 4
"""So many breaches about one order are told in its sentence; its evidence has all."""

CASES = """
SELECT t.id, t.op, t.method, t.journey, t.order_id, t.sent_ns, t.done_ns, t.http, t.code, t.outcome, t.names,
       t.retry_after_s, t.done_ns - t.sent_ns AS took_ns, o.order_no,
       EXISTS (SELECT 1 FROM faults AS f
               WHERE NOT f.standing AND f.start_ns <= t.done_ns AND coalesce(f.end_ns, t.done_ns) >= t.sent_ns
                 AND (f.driver = 'process' OR (f.driver = 'network' AND f."where" = 'customer'))) AS excused
FROM told_busy AS t LEFT JOIN orders AS o USING (order_id) ORDER BY t.sent_ns, t.id
"""

GONE = """
WITH refused AS (SELECT order_id, min(done_ns) AS done_ns FROM told_busy WHERE op = 'pay' GROUP BY order_id)
SELECT r.order_id, CASE WHEN p.id IS NOT NULL THEN 'a later ' || p.op || ' was answered ' || p.code
                        WHEN l.order_id IS NOT NULL THEN 'its owner''s last read was answered ' || l.code
                        ELSE 'the target''s own books do not hold it' END AS why
FROM refused AS r JOIN orders AS o USING (order_id)
LEFT JOIN (SELECT order_id, min(id) AS id, any_value(op ORDER BY id) AS op, any_value(code ORDER BY id) AS code
           FROM (SELECT p.asked_order_id AS order_id, p.id, p.op, p.code
                 FROM operations AS p JOIN refused AS f ON f.order_id = p.asked_order_id
                 WHERE p.op IN ('read', 'pay', 'refund') AND p.ending = 'answered' AND p.outcome = 'fail'
                   AND p.http IN (404, 410) AND p.code IS NOT NULL AND p.sent_ns > f.done_ns)
           GROUP BY order_id) AS p ON p.order_id = r.order_id
LEFT JOIN (SELECT order_id, min(code) AS code FROM reads
           WHERE outcome = 'fail' AND ending = 'answered' AND http IN (404, 410) AND code IS NOT NULL
           GROUP BY order_id) AS l ON l.order_id = r.order_id
WHERE p.id IS NOT NULL OR l.order_id IS NOT NULL OR ($books AND NOT o.in_books) ORDER BY r.order_id
"""

CHARGED = """
WITH asked AS (
    SELECT p.order_id, p.method, min(t.sent_ns) AS sent_ns
    FROM operations AS p LEFT JOIN told_busy AS t USING (id)
    WHERE p.op = 'pay' AND p.order_id IS NOT NULL
    GROUP BY p.order_id, p.method
    HAVING count(t.id) > 0
       AND count(*) FILTER (t.id IS NULL AND (p.outcome <> 'fail' OR p.result_id IS NOT NULL)) = 0)
SELECT a.order_id, a.method, c.at_ns, c.number, c.amount_minor, c.currency
FROM asked AS a JOIN orders AS o USING (order_id)
JOIN captures AS c ON c.order_no = o.order_no AND c.provider = a.method AND c.at_ns > a.sent_ns
ORDER BY c.at_ns, c.provider, c.number
"""

SLOWEST = "SELECT max(done_ns - sent_ns) FROM told_busy ORDER BY ALL"


def check(evidence: Evidence) -> CheckResult:
    """Hold every busy answer against the contract, and look at what became of its order; a case is an answer."""
    busy = note_busy(evidence)
    if busy is None:
        return CheckResult(examined=0, not_offered="it declares no busy answer")
    limit_ns = evidence.window_ns("busy_ms")
    patience_s = evidence.window_ns("patience_ms") / 1e9
    most_s = patience_s if busy.most_retry_after_s is None else busy.most_retry_after_s
    cases = evidence.cases(CASES)
    told: dict[str, list[str]] = defaultdict(list)
    numbers: dict[str, int | None] = {}
    rows: dict[str, list[SimpleNamespace]] = defaultdict(list)
    for case in cases:
        subject = case.order_id or f"journey {case.journey}"
        numbers[subject] = case.order_no
        if wrong := _wrong(case, busy, limit_ns, most_s):
            rows[subject].append(case)
            told[subject].append(f"{_asked(case)}, sent at {when(evidence, case.sent_ns)}, {' and '.join(wrong)}")
    books = "orders" in evidence.scenario.capabilities.books and "books.orders" not in evidence.missing
    for order, why in evidence.rows(GONE, books=books and evidence.conduct.quiescent_ns is not None):
        told[order].append(f"the order whose payment was refused is gone: {why}")
    for row in evidence.cases(CHARGED):
        told[row.order_id].append(
            f"every payment by {row.method} was refused, and {row.method} took "
            f"{amount(row.amount_minor, row.currency)} at {when(evidence, row.at_ns)} under {row.number}"
        )
    slowest_ns = evidence.row(SLOWEST)[0]
    proofs = proof(evidence, {number for subject in told if (number := numbers.get(subject)) is not None})
    answers = {subject: {"answers": [_shown(evidence, row) for row in rows[subject]]} for subject in told}
    return CheckResult(
        examined=len(cases),
        findings=tuple(
            Finding(
                subject=subject,
                message=f"Of {subject}: {'; '.join(told[subject][:MOST_TOLD])}.",
                evidence=answers[subject] | dict(proofs.get(numbers.get(subject) or 0, {})),
            )
            for subject in sorted(told, key=lambda subject: (numbers.get(subject) or 0, subject))
        ),
        measured=None if slowest_ns is None else round(slowest_ns / 1e9, 3),
        objective=limit_ns / 1e9,
        unit="s",
        notes=reasons(
            [
                (sum(case.op == "create" for case in cases), "creates were refused"),
                (sum(case.op == "pay" for case in cases), "payments were refused"),
                (
                    sum(case.excused and case.took_ns > limit_ns for case in cases),
                    "answers were late, and a fault on their way or on who answers may have made them so",
                ),
            ]
        ),
    )


def _wrong(case: SimpleNamespace, busy: BusyRecord, limit_ns: int, most_s: float) -> list[str]:
    """What the answer itself lacks."""
    wrong = []
    if case.http not in busy.statuses:
        wrong.append(f"was told {case.code} under HTTP {case.http}")
    if case.code not in busy.codes:
        wrong.append(f"was refused with {case.http} and the code {case.code}, which the contract does not know")
    if busy.needs_retry_after and case.retry_after_s is None and case.outcome != "fail":
        wrong.append(f"was told {case.code} without Retry-After")
    if case.retry_after_s is not None and case.retry_after_s > most_s:
        longest = "customers are patient for" if busy.most_retry_after_s is None else "the contract says at most"
        wrong.append(f"was told to come again after {case.retry_after_s:g} s, where {longest} {most_s:g} s")
    if case.names is None:
        wrong.append(f"was told {case.code} without the {'key' if case.op == 'create' else 'order'} that it is about")
    if case.took_ns > limit_ns and not case.excused:
        wrong.append(f"was told {case.code} only after {seconds(case.took_ns)}")
    return wrong


def _asked(case: SimpleNamespace) -> str:
    return f"a payment by {case.method}" if case.op == "pay" else "a create"


def _shown(evidence: Evidence, case: SimpleNamespace) -> dict[str, object]:
    return {
        "id": case.id,
        "op": case.op,
        "sent_s": since_start(evidence, case.sent_ns),
        "done_s": since_start(evidence, case.done_ns),
        "http": case.http,
        "code": case.code,
        "retry_after_s": case.retry_after_s,
        "trace_id": evidence.traces.trace_id(case.id),
    }


CHECK = Check(
    name="busy_is_clear",
    promise="Who is turned away is told so at once and clearly, loses nothing, and is charged nothing.",
    function=check,
    needs=frozenset(
        {
            Premise.BOOKS_WHOLE,
            Premise.CONDUCT_TOLD,
            Premise.FAULTS_CONFIRMED,
            Premise.GENERATOR_HEALTHY,
            Premise.IDS_UNIQUE,
            Premise.LEDGERS_WHOLE,
            Premise.QUIESCENT,
            Premise.ROWS_COUNTED,
            Premise.SAME_BUILD,
        }
    ),
    facts=("F03", "F10"),
    unit="s",
)
