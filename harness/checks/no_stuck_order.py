"""Does every order come to an end?

Violated when an order is still open or being paid, for the books or in its owner's own last read,
later than T_stuck after both the last fault's end and its own `pay_by`; or when the order rests and
one of its attempts is still live or unknown then: such money may yet move.

Only the canonical end states count as an end, whatever the target calls final. Not stuck: an unpaid
order before its `pay_by`; one that never expires by rule. Undecided: a provider that is itself still
processing the charge, or whose ledger cannot tell; a drain shorter than T_stuck.
"""

from harness.checks.check import Check, Premise
from harness.checks.proof import proof, reasons, seconds, when
from harness.evidence.tables import Evidence
from harness.money import amount
from harness.verdict import CheckResult, Finding

ORDERS = """
WITH calm AS (
    SELECT coalesce(max(end_ns), 0) AS fault_end_ns, bool_or(end_ns IS NULL) AS lasting
    FROM faults WHERE start_ns IS NOT NULL AND NOT standing),
charging AS (                            -- charges that a provider took in and has not brought to any end
    SELECT provider, number FROM ledger WHERE number IS NOT NULL GROUP BY provider, number
    HAVING bool_or(kind = 'accepted') AND bool_or(kind IN ('accepted', 'request') AND op IN ('charge', 'confirm'))
       AND NOT bool_or(kind IN ('captured', 'closed', 'failed'))),
attempts AS (
    SELECT p.order_id, string_agg(p.provider || ' ' || coalesce(p.number, 'without number') || ' ' || p.raw_state, ', '
                                  ORDER BY p.payment_id) AS unresolved,
           bool_or(c.number IS NOT NULL OR g.provider IS NULL OR g.unsound IS NOT NULL) AS excused
    FROM books_payments AS p LEFT JOIN charging AS c USING (provider, number) LEFT JOIN ledgers AS g USING (provider)
    WHERE p.state IN ('live', 'unknown') GROUP BY p.order_id),
seen AS (
    SELECT o.order_no, o.order_id, o.user_id, o.total_minor, o.pay_by_ns, b.currency,
           b.state, b.raw_state, r.state AS read_state, r.sent_ns AS read_ns, a.unresolved,
           coalesce(a.excused, false) AS excused, coalesce(c.lasting, false) AS lasting, c.fault_end_ns,
           greatest(c.fault_end_ns, coalesce(o.pay_by_ns, b.created_ns, o.first_sent_ns, 0)) AS due_ns
    FROM orders AS o CROSS JOIN calm AS c LEFT JOIN books_orders AS b USING (order_id)
    LEFT JOIN reads AS r ON r.order_id = o.order_id AND r.user_id = o.user_id AND r.outcome = 'ok'
    LEFT JOIN attempts AS a ON a.order_id = o.order_id
    WHERE (o.in_history OR o.journey IS NOT NULL) AND (b.order_id IS NOT NULL OR r.order_id IS NOT NULL)),
judged AS (
    SELECT *,
           coalesce(state = 'paying' OR (state = 'open' AND $expires), false) AS booked_open,
           coalesce(read_state = 'paying' OR (read_state = 'open' AND $expires), false) AS read_open,
           $read_at_ns > due_ns + $stuck_ns AS books_late, coalesce(read_ns > due_ns + $stuck_ns, false) AS read_late
    FROM seen)
SELECT *, CASE WHEN NOT booked_open AND NOT read_open AND unresolved IS NULL THEN 'rests'
               WHEN excused THEN 'processing'
               WHEN lasting THEN 'fault'
               WHEN (books_late AND (booked_open OR unresolved IS NOT NULL)) OR (read_late AND read_open) THEN 'stuck'
               ELSE 'soon' END AS word
FROM judged ORDER BY order_no
"""


def check(evidence: Evidence) -> CheckResult:
    """Look at every order of the run in the books and in its owner's last read; a case is an order."""
    capabilities = evidence.scenario.capabilities
    if "orders" not in capabilities.books and "read" not in capabilities.operations:
        return CheckResult(examined=0, not_offered="the target shows neither its books nor an order to its owner")
    conduct = evidence.conduct
    stuck_ns = evidence.window_ns("stuck_ms")
    rows = evidence.cases(
        ORDERS,
        expires=capabilities.pay_by,
        stuck_ns=stuck_ns,
        read_at_ns=evidence.until_ns if conduct.books_read_ns is None else conduct.books_read_ns[0],
    )
    told = {word: [row for row in rows if row.word == word] for word in ("stuck", "processing", "fault", "soon")}
    proofs = proof(evidence, {row.order_no for row in told["stuck"]})
    findings = []
    for row in told["stuck"]:
        where = [
            *([f"the books call it {row.raw_state}"] if row.booked_open else []),
            *([f"its owner read {row.read_state}"] if row.read_open else []),
            *([f"unresolved: {row.unresolved}"] if row.unresolved else []),
        ]
        pay_by = "" if row.pay_by_ns is None else f", to be paid by {when(evidence, row.pay_by_ns)},"
        findings.append(
            Finding(
                subject=row.order_id,
                message=(
                    f"Order {row.order_id} of {row.user_id} over {amount(row.total_minor or 0, row.currency)}{pay_by} "
                    f"has not come to an end more than {seconds(stuck_ns)} after {when(evidence, row.due_ns)}: "
                    f"{'; '.join(where)}."
                ),
                evidence=proofs[row.order_no],
            )
        )
    undecided = {word: len(told[word]) for word in ("processing", "fault", "soon")}
    return CheckResult(
        examined=len(rows),
        undecided=sum(undecided.values()),
        reasons=reasons(
            [
                (undecided["processing"], "orders have a charge that its provider still processes, or cannot tell of"),
                (undecided["fault"], "orders are not at rest, but a fault was never seen to end"),
                (undecided["soon"], "orders are not at rest, but the drain was shorter than T_stuck"),
            ]
        ),
        findings=tuple(findings),
        measured=float(len(findings)),
        objective=0.0,
        unit="orders",
    )


CHECK = Check(
    name="no_stuck_order",
    promise="Every order comes to an end, soon after whatever held it up is over.",
    function=check,
    needs=frozenset(
        {
            Premise.IDS_UNIQUE,
            Premise.ROWS_COUNTED,
            Premise.BOOKS_WHOLE,
            Premise.LEDGERS_WHOLE,
            Premise.OWNERS_ASKED,
            Premise.CLOCKS_BOUNDED,
            Premise.FAULTS_CONFIRMED,
            Premise.SAME_BUILD,
        }
    ),
    facts=("F05", "F08", "F09"),
    unit="orders",
)
