"""Does everything change its state by published steps only?

Violated when the target's own log holds a step of an order, a payment or a refund that its published
machine does not have, or a step that does not begin where the last one ended, or ends somewhere else
than the books say that it stands; or when a customer read an order in one state and, in a read sent
after that one was answered, in a state that no chain of published steps leads to.

The log alone is self-reported, and reads alone miss what happens between two of them, so both are
held. Only reads count: an answer to a repeated key may rightly be an old one. Two reads that overlap
prove nothing. What the target publishes decides: closed may lead to refunded where it says so.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from harness.checks.check import Check, Premise
from harness.checks.proof import proof, reasons, when
from harness.documents import CapabilitiesRecord
from harness.evidence.tables import Evidence
from harness.verdict import CheckResult, Finding

STEPS = """
WITH told AS (
    SELECT t.kind, t.subject, t.order_id, o.order_no, t.seq, t.from_state, t.to_state, t.at_ns, t.build,
           lag(t.to_state) OVER w AS stood, row_number() OVER w AS nth
    FROM books_transitions AS t LEFT JOIN orders AS o USING (order_id)
    WINDOW w AS (PARTITION BY t.kind, t.subject ORDER BY t.seq)),
judged AS (
    SELECT *, nth > 1 AND from_state IS DISTINCT FROM stood AS torn,
           from_state IS NOT NULL AND list_contains($kinds, kind)
               AND NOT list_contains($edges, kind || ' ' || from_state || ' ' || to_state) AS unpublished
    FROM told)
SELECT * FROM judged WHERE torn OR unpublished ORDER BY order_no, order_id, seq
"""

ENDS = """
WITH last AS (
    SELECT kind, subject, order_id, arg_max(to_state, seq) AS logged, max(at_ns) AS at_ns
    FROM books_transitions GROUP BY kind, subject, order_id),
stands AS (
    SELECT 'order' AS kind, order_id AS subject, raw_state FROM books_orders
    UNION ALL SELECT 'payment', payment_id, raw_state FROM books_payments
    UNION ALL SELECT 'refund', refund_id, raw_state FROM books_refunds)
SELECT l.kind, l.subject, l.order_id, o.order_no, l.logged, s.raw_state
FROM last AS l JOIN stands AS s USING (kind, subject) LEFT JOIN orders AS o ON o.order_id = l.order_id
WHERE l.logged <> s.raw_state AND l.at_ns < $books_ns ORDER BY o.order_no, l.order_id, l.kind, l.subject
"""

READS = """
CREATE OR REPLACE TEMP TABLE ordered_reads AS
WITH said AS (
    SELECT o.order_no, p.id, p.state, p.sent_ns, p.done_ns
    FROM operations AS p JOIN orders AS o ON o.order_id = p.asked_order_id AND o.journey = p.journey
    WHERE p.op = 'read' AND p.outcome = 'ok' AND p.state IS NOT NULL
    UNION ALL
    SELECT o.order_no, 0, r.state, r.sent_ns, r.done_ns
    FROM reads AS r JOIN orders AS o ON o.order_id = r.order_id AND o.user_id = r.user_id
    WHERE r.outcome = 'ok' AND r.state IS NOT NULL)
SELECT a.order_no, a.state AS first_state, a.done_ns, b.state AS then_state, b.sent_ns
FROM said AS a JOIN said AS b ON b.order_no = a.order_no AND a.done_ns < b.sent_ns
ORDER BY a.order_no, b.sent_ns, a.done_ns
"""

STEPPED_BACK = """
SELECT r.order_no, o.order_id, r.first_state, r.done_ns, r.then_state, r.sent_ns
FROM ordered_reads AS r JOIN orders AS o USING (order_no)
WHERE r.first_state <> r.then_state AND NOT list_contains($reachable, r.first_state || ' ' || r.then_state)
QUALIFY row_number() OVER (PARTITION BY r.order_no ORDER BY r.sent_ns, r.done_ns DESC) = 1
ORDER BY r.order_no
"""

COUNT = """
SELECT count(*), count(*) FILTER (logged OR read)
FROM (SELECT o.order_no, o.order_id IN (SELECT order_id FROM books_transitions) AS logged,
             o.order_no IN (SELECT order_no FROM ordered_reads) AS read
      FROM orders AS o WHERE o.in_history OR o.journey IS NOT NULL OR o.in_books)
ORDER BY ALL
"""


def check(evidence: Evidence) -> CheckResult:
    """Look at every step in the log and at every pair of ordered reads; a case is an order."""
    capabilities = evidence.scenario.capabilities
    edges = {
        "order": capabilities.legal_edges,
        "payment": capabilities.payment_edges,
        "refund": capabilities.refund_edges,
    }
    published = {kind: pairs for kind, pairs in edges.items() if pairs}
    if not published:
        return CheckResult(examined=0, not_offered="the target publishes no machine of states")
    evidence.con.execute(READS)
    cases, seen = evidence.row(COUNT)
    told: dict[str, list[str]] = defaultdict(list)
    numbers: dict[str, int] = {}
    for order_id, number, sentence in (
        *_in_the_log(evidence, published),
        *_in_the_books(evidence),
        *_in_reads(evidence, capabilities),
    ):
        told[order_id].append(sentence)
        if number is not None:
            numbers[order_id] = number
    proofs = proof(evidence, numbers.values())
    findings = tuple(
        Finding(
            subject=order_id,
            message=f"Order {order_id} took a step that is not published: {'; '.join(sentences)}.",
            evidence=proofs[numbers[order_id]] if order_id in numbers else {},
        )
        for order_id, sentences in told.items()
    )
    return CheckResult(
        examined=cases,
        undecided=cases - seen,
        reasons=reasons([(cases - seen, "orders have no step in a log, nor two reads one after the other")]),
        findings=findings,
        measured=float(len(findings)),
        objective=0.0,
        unit="orders",
    )


Said = tuple[str, int | None, str]
"""Order's id, its number where it has one, and what was seen."""


def _in_the_log(evidence: Evidence, published: Mapping[str, Iterable[tuple[str, str]]]) -> Iterable[Said]:
    edges = [f"{kind} {old} {new}" for kind, pairs in published.items() for old, new in pairs]
    for row in evidence.cases(STEPS, kinds=sorted(published), edges=sorted(edges)):
        by = "" if row.build is None else f" by build {row.build}"
        step = f"{row.kind} {row.subject} from {row.from_state} to {row.to_state} at {when(evidence, row.at_ns)}{by}"
        if row.unpublished:
            yield row.order_id, row.order_no, f"{step}, which the published machine does not have"
        else:
            yield row.order_id, row.order_no, f"{step}, though it stood at {row.stood}"


def _in_the_books(evidence: Evidence) -> Iterable[Said]:
    """Where the log ends somewhere else than the books; only where nothing moved between reading the two."""
    begun = evidence.conduct.books_read_ns
    if evidence.conduct.quiescent_ns is None or begun is None:
        return
    for row in evidence.cases(ENDS, books_ns=begun[0]):
        told = f"{row.kind} {row.subject} stands at {row.raw_state} and its last logged step led to {row.logged}"
        yield row.order_id, row.order_no, told


def _in_reads(evidence: Evidence, capabilities: CapabilitiesRecord) -> Iterable[Said]:
    for row in evidence.cases(STEPPED_BACK, reachable=sorted(reachable(capabilities))):
        first = f"its owner read {row.first_state} in a read answered at {when(evidence, row.done_ns)}"
        yield row.order_id, row.order_no, f"{first}, and {row.then_state} in one sent at {when(evidence, row.sent_ns)}"


def reachable(capabilities: CapabilitiesRecord) -> set[str]:
    """Pairs "first then" of canonical states such that published steps of an order lead from one to the other."""
    words = capabilities.raw_states
    steps = {(words[old], words[new]) for old, new in capabilities.legal_edges if old in words and new in words}
    reached = set(steps)
    while more := {(a, d) for a, b in reached for c, d in steps if b == c} - reached:
        reached |= more
    return {f"{first} {then}" for first, then in reached}


CHECK = Check(
    name="legal_transitions",
    promise="Orders, payments and refunds change by the published steps, and by no other.",
    function=check,
    needs=frozenset(
        {
            Premise.IDS_UNIQUE,
            Premise.ROWS_COUNTED,
            Premise.BOOKS_WHOLE,
            Premise.QUIESCENT,
            Premise.SAME_BUILD,
            Premise.FAULTS_CONFIRMED,
        }
    ),
    facts=("F05", "F15"),
    unit="orders",
)
