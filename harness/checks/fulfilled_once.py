"""Does a customer who paid get what was paid for, exactly once, and nobody else anything?

Violated when an order that was paid is not released within T by the account of whoever releases, or
released more than once, as by a notice that came again; when it is released as another line of
business than was ordered: a meal for a ride; or when an order is released that was not paid: open,
closed, given back unasked, unknown to the books, before the money was taken, or without any money
at all.

Only the releases that took effect count, not what the target booked about them. T begins when the
books call the order paid, and again at the end of a fault that can hold a release up. A target that
takes money outside of all providers releases without a capture. An order that its customer had back
in full before T was over need not be released any more. Lines are compared where whoever releases
names them in the words of `harness.operation.Line`; merchants are not, for nobody tells them.
"""

from collections.abc import Sequence
from types import SimpleNamespace

from harness.checks.check import Check, Premise
from harness.checks.proof import proof, reasons, seconds, unreadable, when
from harness.evidence.tables import Evidence
from harness.money import amount
from harness.operation import Line, State
from harness.verdict import CheckResult, Finding

FOREVER_NS = 4_000_000_000_000_000_000
"""Later than every instant of a run."""

ORDERS = """
WITH released AS (
    SELECT order_id, count(*) AS times, min(at_ns) AS first_ns, max(at_ns) AS last_ns, max(clock_error_ns) AS error_ns,
           bool_and(before_books) AS before_books,
           list(DISTINCT line ORDER BY line) FILTER (line IS NOT NULL AND source IN (
               SELECT source FROM order_releases WHERE list_contains($lines, line))) AS lines   -- in words that we know
    FROM order_releases GROUP BY order_id),
named AS (                               -- what an order was asked for as, by the creates that were told its name
    SELECT order_id, min(line) AS line FROM creates
    WHERE outcome = 'ok' AND order_id IS NOT NULL GROUP BY order_id HAVING count(DISTINCT line) = 1),
meant AS (                               -- else by all those of its intent
    SELECT intent, min(line) AS line FROM operations
    WHERE op = 'create' GROUP BY intent HAVING count(DISTINCT line) = 1),
taken AS (
    SELECT c.order_no, min(c.at_ns - g.clock_error_ns) AS at_ns FROM captures AS c JOIN ledgers AS g USING (provider)
    WHERE c.order_no IS NOT NULL GROUP BY c.order_no),
steps AS (
    SELECT order_id, min(at_ns) FILTER (list_contains($paid_words, to_state)) AS paid_ns,
           max(at_ns) FILTER (list_contains($refunded_words, to_state)) AS refunded_ns
    FROM books_transitions WHERE kind = 'order' GROUP BY order_id),
told AS (                                -- deliveries of the notice of a capture that the target acknowledged
    SELECT n.order_no, count(*) AS notices FROM ledger AS l JOIN our_numbers AS n USING (provider, number)
    WHERE l.kind = 'notice' AND l.op = 'capture' AND l.http BETWEEN 200 AND 299 GROUP BY n.order_no),
asked AS (SELECT DISTINCT order_no FROM customer_refunds WHERE outcome <> 'fail'),
done AS (SELECT order_id, max(done_ns) AS at_ns FROM operations WHERE op <> 'journey' GROUP BY order_id),
every AS (
    SELECT coalesce(o.order_id, r.order_id) AS order_id, o.order_no, o.user_id, o.total_minor, o.journey, b.raw_state,
           coalesce(b.state, f.state) AS state, b.order_id IS NOT NULL AS booked, b.currency,
           coalesce(r.times, 0) AS times, r.first_ns, r.last_ns, r.error_ns, coalesce(r.before_books, false) AS before,
           t.at_ns AS taken_ns, s.refunded_ns, n.notices, q.order_no IS NOT NULL AS refund_asked, x.why AS blind,
           coalesce(l.line, m.line) AS line, r.lines, s.paid_ns AS logged_paid_ns,
           coalesce(s.paid_ns, t.at_ns, d.at_ns, $until_ns) AS paid_ns
    FROM orders AS o FULL JOIN released AS r ON r.order_id = o.order_id
    LEFT JOIN books_orders AS b ON b.order_id = o.order_id
    LEFT JOIN reads AS f ON f.order_id = o.order_id AND f.user_id = o.user_id AND f.outcome = 'ok'
    LEFT JOIN taken AS t ON t.order_no = o.order_no LEFT JOIN steps AS s ON s.order_id = o.order_id
    LEFT JOIN told AS n ON n.order_no = o.order_no LEFT JOIN asked AS q ON q.order_no = o.order_no
    LEFT JOIN blind_orders AS x ON x.order_no = o.order_no LEFT JOIN done AS d ON d.order_id = o.order_id
    LEFT JOIN named AS l ON l.order_id = o.order_id LEFT JOIN meant AS m ON m.intent = o.intent),
held AS (                                -- until when a fault that can hold a release up went on, each with its orders
    SELECT e.order_id, max(coalesce(u.end_ns, $forever_ns)) AS until_ns
    FROM every AS e JOIN faults AS u ON u.start_ns < e.paid_ns + $window_ns
                                    AND coalesce(u.end_ns, $forever_ns) > e.paid_ns
    WHERE NOT u.standing
      AND (u.driver = 'process' OR (u.driver = 'network' AND u."where" NOT IN (SELECT provider FROM ledgers)))
    GROUP BY e.order_id),
due AS (
    SELECT e.*, greatest(e.paid_ns, coalesce(h.until_ns, 0)) + $window_ns + coalesce(e.error_ns, 0) AS due_ns,
           -- given back by rule: it never was paid, or had been given back when it was released
           e.state = 'refunded' AND NOT e.refund_asked
               AND (e.logged_paid_ns IS NULL OR coalesce(e.first_ns > e.refunded_ns, false)) AS unasked
    FROM every AS e LEFT JOIN held AS h USING (order_id)
    WHERE e.journey IS NOT NULL OR e.times > 0),
told_of AS (SELECT *,
    CASE WHEN times > 1 THEN 'twice'
         WHEN NOT $books AND state IS NULL THEN CASE WHEN times > 0 OR taken_ns IS NOT NULL THEN 'unsaid' END
         WHEN (state IS NULL OR state NOT IN ('paid', 'refunded') OR unasked) AND times > 0
             THEN CASE WHEN before AND ($still OR state = 'closed') THEN 'unpaid' ELSE 'moving' END
         WHEN state IS NULL OR state NOT IN ('paid', 'refunded') OR unasked THEN NULL
         WHEN times = 0 AND state = 'refunded' AND coalesce(refunded_ns, 0) <= due_ns THEN 'given back'
         WHEN times = 0 AND NOT $whole THEN 'unread'
         WHEN times = 0 THEN CASE WHEN due_ns < $until_ns THEN 'never' ELSE 'soon' END
         WHEN first_ns > due_ns THEN 'late'
         WHEN $offline OR NOT $money THEN 'once'
         WHEN taken_ns IS NULL AND blind IS NOT NULL THEN 'blind'
         WHEN taken_ns IS NULL THEN 'untaken'
         WHEN first_ns + error_ns < taken_ns THEN 'early'
         ELSE 'once' END AS word
    FROM due)
SELECT * REPLACE (                       -- whatever else is known of it, unless that is worse
    CASE WHEN word NOT IN ('twice', 'unpaid', 'untaken') AND line IS NOT NULL AND lines <> [line]
         THEN 'other' ELSE word END AS word)
FROM told_of ORDER BY order_no, order_id
"""

UNSOUND = "SELECT source FROM fulfilment WHERE unsound IS NOT NULL ORDER BY source"

BROKEN = ("twice", "unpaid", "never", "late", "untaken", "early", "other")
OPEN = {
    "unsaid": "orders of which neither the books nor their owners say whether they are paid",
    "moving": "orders are released and not paid, but had not come to rest",
    "unread": "paid orders are not seen released, but not all that was released could be read",
    "soon": "paid orders are not released, and had time left",
    "blind": "orders are released without a known capture, but a provider's ledger is not whole",
}


def check(evidence: Evidence) -> CheckResult:
    """Hold every order of the run, and every release, against one another; a case is an order paid or released."""
    record = evidence.scenario
    if not any(source.kind == "fulfilment" for source in record.sources):
        return CheckResult(examined=0, not_offered="nobody says where paid orders are released")
    states = record.capabilities.raw_states
    rows = evidence.cases(
        ORDERS,
        lines=[line.value for line in Line],
        paid_words=sorted(word for word, state in states.items() if state == State.PAID),
        refunded_words=sorted(word for word, state in states.items() if state == State.REFUNDED),
        window_ns=evidence.window_ns("released_ms"),
        until_ns=evidence.until_ns,
        forever_ns=FOREVER_NS,
        books="orders" in record.capabilities.books and "books.orders" not in evidence.missing,
        still=evidence.conduct.quiescent_ns is not None,
        whole=not evidence.rows(UNSOUND),
        offline=record.capabilities.offline_payment,
        money=any(source.kind == "ledger" for source in record.sources),
    )
    cases = [row for row in rows if row.word is not None]
    if (unread := unreadable(evidence, len(cases), "books.orders")) is not None:
        return unread
    counts = {word: sum(row.word == word for row in cases) for word in OPEN}
    broken = [row for row in cases if row.word in BROKEN]
    return CheckResult(
        examined=len(cases),
        undecided=sum(counts.values()),
        reasons=reasons([(count, OPEN[word]) for word, count in counts.items()]),
        findings=_findings(evidence, broken),
        measured=float(len(broken)),
        objective=0.0,
        unit="orders",
    )


def _findings(evidence: Evidence, broken: Sequence[SimpleNamespace]) -> tuple[Finding, ...]:
    proofs = proof(evidence, [row.order_no for row in broken if row.order_no is not None])
    return tuple(
        Finding(
            subject=row.order_id,
            message=f"Order {row.order_id}{_whose(row)} {_told(evidence, row)}.",
            evidence=proofs.get(row.order_no, {}),
        )
        for row in broken
    )


def _whose(row: SimpleNamespace) -> str:
    if row.order_no is None:
        return ", which no other source knows,"
    return f" of {row.user_id} over {amount(row.total_minor or 0, row.currency)}"


def _told(evidence: Evidence, row: SimpleNamespace) -> str:
    """What happened instead of one release in time."""
    first = None if row.first_ns is None else when(evidence, row.first_ns)
    match row.word:
        case "twice":
            notices = f"; the target acknowledged {row.notices} deliveries of its notice" if row.notices else ""
            told = f"was released {row.times} times, first at {first}, last at {when(evidence, row.last_ns)}{notices}"
        case "unpaid":
            stands = f"calls it {row.raw_state}" if row.booked else "does not hold it"
            unasked = " and gave it back unasked" if row.unasked else ""
            told = f"was released at {first}, and the target's book {stands}{unasked}"
        case "never":
            told = f"was paid at {when(evidence, row.paid_ns)} and never released, due by {when(evidence, row.due_ns)}"
        case "late":
            late = seconds(row.first_ns - row.due_ns)
            told = f"was paid at {when(evidence, row.paid_ns)} and released at {first}, {late} too late"
        case "other":
            told = f"was released at {first}, as {', '.join(row.lines)}, and had been ordered as {row.line}"
        case "untaken":
            told = f"was released at {first}, and no provider ever took money for it"
        case _:
            told = f"was released at {first}, before its money was taken at {when(evidence, row.taken_ns)}"
    return told


CHECK = Check(
    name="fulfilled_once",
    promise="What was paid for is done, once, and nothing is done that was not paid for.",
    function=check,
    needs=frozenset(
        {
            Premise.IDS_UNIQUE,
            Premise.ROWS_COUNTED,
            Premise.RELEASES_WHOLE,
            Premise.LEDGERS_WHOLE,
            Premise.BOOKS_WHOLE,
            Premise.CLOCKS_BOUNDED,
            Premise.FAULTS_CONFIRMED,
            Premise.QUIESCENT,
            Premise.SAME_BUILD,
        }
    ),
    facts=("F07", "F09"),
    unit="orders",
)
