"""Does everything change its state by published steps only?

Violated when the target's own log holds a step of an order, a payment or a refund that its published
machine does not have, or a step that does not begin where the last one ended, or ends somewhere else
than the books say that it stands; when a customer read an order in one state and, in a read sent
after that one was answered, in a state that no chain of published steps leads to; or when an unpaid
order was closed before the `pay_by` that its customer was told, by the log or by an answer.

The step from unpaid to closed is published with its condition: that `pay_by` has passed. So it is this
check's when it is taken too early; that it is not taken at all is `no_stuck_order`'s.

The log alone is self-reported, and reads alone miss what happens between two of them, so both are
held. Only reads count: an answer to a repeated key may rightly be an old one. Two reads that overlap
prove nothing. What the target publishes decides: closed may lead to refunded where it says so, and states
that an order may be closed to at any time (`closed_at_any_time`: cancelled by its customer, sold out) are
no case, nor is any answer about an order that may have gone there. The books' clock tells both the step
and the `pay_by`, and may be wrong by the error of its best sample; an answer was there when it was done, by our
clock. Without a sample what looks too early is undecided.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from harness.checks.check import Check, Premise
from harness.checks.proof import proof, reasons, when
from harness.documents import CapabilitiesRecord
from harness.evidence.tables import Evidence
from harness.operation import State
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

EARLY = """
CREATE OR REPLACE TEMP TABLE closed_early AS -- one row an order that was closed before its pay_by, as it seems
WITH first_told AS (                     -- what is said later cannot take it back
    SELECT order_id, arg_min(pay_by_ns, (done_ns, id)) AS pay_by_ns FROM operations
    WHERE pay_by_ns IS NOT NULL AND op <> 'trespass' GROUP BY order_id),
begun AS (SELECT journey, min(sent_ns) AS sent_ns FROM operations WHERE op = 'create' GROUP BY journey),
told AS (
    SELECT o.order_no, o.order_id, o.journey, o.user_id, coalesce(f.pay_by_ns, o.pay_by_ns) AS pay_by_ns,
           -- by our clock, whatever theirs says: no order is older than its customer's first create
           g.sent_ns + coalesce(f.pay_by_ns, o.pay_by_ns) - b.created_ns AS surely_ns
    FROM orders AS o LEFT JOIN first_told AS f USING (order_id) LEFT JOIN begun AS g ON g.journey = o.journey
    LEFT JOIN books_orders AS b ON b.order_id = o.order_id
    WHERE $timed AND (o.in_history OR o.journey IS NOT NULL)),
otherwise AS (                           -- orders that were, or may have been, closed for another reason
    SELECT order_id FROM books_transitions WHERE kind = 'order' AND list_contains($any_time, to_state)
    UNION SELECT order_id FROM books_orders WHERE list_contains($any_time, raw_state)
    UNION SELECT order_id FROM orders AS o
    WHERE len($any_time) > 0 AND NOT EXISTS (SELECT 1 FROM books_orders AS b WHERE b.order_id = o.order_id)),
closed AS (
    SELECT order_id, 'log' AS source, at_ns FROM books_transitions
    WHERE kind = 'order' AND list_contains($unpaid, from_state) AND list_contains($closed, to_state)
    UNION ALL
    SELECT p.order_id, p.op, p.done_ns FROM operations AS p JOIN told AS t USING (order_id, journey)
    WHERE p.state = 'closed' AND p.op IN ('create', 'pay', 'read', 'refund') AND p.done_ns IS NOT NULL
    UNION ALL
    SELECT r.order_id, 'last read', r.done_ns FROM reads AS r JOIN told AS t USING (order_id, user_id)
    WHERE r.state = 'closed' AND r.outcome = 'ok')
SELECT t.order_no, t.order_id, c.source, c.at_ns, t.pay_by_ns,
       -- else nobody knows how far the books' clock is from ours
       $error_ns IS NOT NULL OR coalesce(c.source <> 'log' AND c.at_ns < t.surely_ns, false) AS certain
FROM told AS t JOIN closed AS c USING (order_id) ANTI JOIN otherwise AS w ON w.order_id = t.order_id
WHERE c.at_ns + coalesce(CAST($error_ns AS BIGINT), 0) < t.pay_by_ns
QUALIFY row_number() OVER (PARTITION BY t.order_no, c.source = 'log' ORDER BY c.at_ns, c.source) = 1
ORDER BY t.order_no, c.at_ns
"""

SEEN_EARLY = "SELECT * FROM closed_early WHERE certain ORDER BY order_no, at_ns"
BOOKS_ERROR = "SELECT min(error_ns) FROM source_clocks WHERE source = $source ORDER BY ALL"

COUNT = """
SELECT count(*), count(*) FILTER (logged OR read), count(*) FILTER ((logged OR read) AND early)
FROM (SELECT o.order_no, o.order_id IN (SELECT order_id FROM books_transitions) AS logged,
             o.order_no IN (SELECT order_no FROM ordered_reads) AS read,
             o.order_no IN (SELECT order_no FROM closed_early WHERE NOT certain) AS early
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
    evidence.execute(READS)
    _note_what_closed_early(evidence)
    cases, seen, early = evidence.row(COUNT)
    told: dict[str, list[str]] = defaultdict(list)
    numbers: dict[str, int] = {}
    for order_id, number, sentence in (
        *_in_the_log(evidence, published),
        *_in_the_books(evidence),
        *_in_reads(evidence, capabilities),
        *_too_early(evidence),
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
        undecided=cases - seen + early,
        reasons=reasons(
            [
                (cases - seen, "orders have no step in a log, nor two reads one after the other"),
                (early, "orders seem to have closed before their pay_by, by a clock that was not sampled"),
            ]
        ),
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


def _note_what_closed_early(evidence: Evidence) -> None:
    """Fill `closed_early`; it stays empty where orders wait for no announced instant."""
    capabilities = evidence.scenario.capabilities
    any_time = sorted(capabilities.closed_at_any_time)
    states = capabilities.raw_states
    books = next((source for source in evidence.scenario.sources if source.kind == "books"), None)
    evidence.execute(
        EARLY,
        timed=capabilities.pay_by,
        any_time=any_time,
        unpaid=sorted(raw for raw, state in states.items() if state in {State.OPEN, State.PAYING}),
        closed=sorted(raw for raw, state in states.items() if state == State.CLOSED and raw not in any_time),
        error_ns=None if books is None else evidence.row(BOOKS_ERROR, source=books.name)[0],
    )


def _too_early(evidence: Evidence) -> Iterable[Said]:
    for row in evidence.cases(SEEN_EARLY):
        pay_by = f"before its pay_by at {when(evidence, row.pay_by_ns)}"
        if row.source == "log":
            yield row.order_id, row.order_no, f"it was closed unpaid at {when(evidence, row.at_ns)}, {pay_by}"
        else:
            answer = f"its owner's {row.source}" if row.source == "last read" else f"the answer to a {row.source}"
            said = f"{answer}, there at {when(evidence, row.at_ns)}, called it closed, {pay_by}"
            yield row.order_id, row.order_no, said


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
            Premise.CLOCKS_BOUNDED,
            Premise.SAME_BUILD,
            Premise.FAULTS_CONFIRMED,
        }
    ),
    facts=("F05", "F15"),
    unit="orders",
)
