"""Does everyone who was let down by the rule get one voucher, and nobody else?

Violated when an order that is certainly affected has no voucher by the window's end, has two, has one
of another amount or currency than the published rule gives, or got it too late; when an order that is
certainly unaffected has one; and when any order has two or one of a wrong amount, affected or not.

A case is an affected order, or one that cannot be told (`affected`); the unaffected are looked at and
are no cases, so that a run in which nobody was let down shows nothing. Undecided: an answer to a payment
that its customer never saw, a log with a gap or at the limit to the millisecond, a window not over.
"""

from types import SimpleNamespace

from harness.checks.affected import BOOKS, EDGE_NS, find_affected
from harness.checks.check import Check, Premise
from harness.checks.proof import proof, reasons, seconds, unreadable, when
from harness.documents import CompensationRecord
from harness.evidence.tables import Evidence
from harness.money import amount
from harness.verdict import CheckResult, Finding

GIVEN = """
WITH given AS (
    SELECT order_id, count(*) AS vouchers, min(amount_minor) AS worth_minor, min(currency) AS currency,
           min(at_ns) AS at_ns
    FROM books_vouchers GROUP BY order_id)
SELECT t.*, coalesce(g.vouchers, 0) AS vouchers, g.worth_minor, g.currency, g.at_ns,
       b.currency AS order_currency, coalesce(t.total_minor, b.amount_minor) AS amount_minor
FROM touched AS t LEFT JOIN given AS g USING (order_id) LEFT JOIN books_orders AS b USING (order_id)
WHERE t.word <> 'unaffected' OR g.order_id IS NOT NULL
ORDER BY t.order_no
"""

WHY = {
    "busy_ns": "its payment was answered busy",
    "unresolved_ns": "an attempt to pay it stayed unresolved too long",
    "refunded_ns": "its money came back unasked",
}


def check(evidence: Evidence) -> CheckResult:
    """Hold the vouchers against the rule; a case is an order that is affected or may be."""
    capabilities = evidence.scenario.capabilities
    rule = capabilities.compensation
    if rule is None or not {*BOOKS, "vouchers"} <= set(capabilities.books):
        return CheckResult(examined=0, not_offered="the target publishes no rule of compensation, or not its books")
    nothing = unreadable(evidence, 1, "history", *(f"books.{name}" for name in (*BOOKS, "vouchers")))
    if nothing is not None:
        return nothing
    evidence.once(find_affected)
    rows = evidence.cases(GIVEN)
    told = [(row, wrong(evidence, rule, row)) for row in rows]
    breaches = [(row, text) for row, text in told if text is not None]
    open_ = [row for row, text in told if text is None and is_early(evidence, row)]
    unclear = [row for row, text in told if text is None and row.word == "unclear"]
    proofs = proof(evidence, {row.order_no for row, _ in breaches})
    return CheckResult(
        examined=len([row for row, text in told if row.word != "unaffected" or text is not None]),
        undecided=len(open_) + len(unclear),
        reasons=reasons(
            [
                (len(open_), "orders are affected and have no voucher yet, and their window is not over"),
                (len(unclear), "orders may be affected or not: nobody saw the answer, or the log does not decide"),
            ]
        ),
        findings=tuple(
            Finding(
                subject=row.order_id,
                message=text,
                evidence={"vouchers": row.vouchers, "word": row.word} | proofs[row.order_no],
            )
            for row, text in breaches
        ),
        measured=float(len(breaches)),
        objective=0.0,
        unit="orders",
    )


def worth_minor(rule: CompensationRecord, amount_minor: int) -> int:
    """What the published rule gives for an order: a share of it, rounded half up, within its bounds."""
    return min(max((amount_minor * rule.percent + 50) // 100, rule.least_minor), rule.most_minor)


def wrong(evidence: Evidence, rule: CompensationRecord, row: SimpleNamespace) -> str | None:
    """What the target did wrong by this order, as a sentence; None where that is nothing, or not certain."""
    if row.vouchers == 0:
        return _none_given(evidence, row)
    if row.vouchers > 1:
        return f"Order {row.order_id} was given {row.vouchers} vouchers; the rule gives one an order."
    due_minor = None if row.amount_minor is None else worth_minor(rule, row.amount_minor)
    other_currency = row.order_currency is not None and row.currency != row.order_currency
    if due_minor is not None and (row.worth_minor != due_minor or other_currency):
        return (
            f"The voucher of order {row.order_id} over {amount(row.amount_minor, row.order_currency)} is worth "
            f"{amount(row.worth_minor, row.currency)}; the rule gives {amount(due_minor, row.order_currency)}."
        )
    if row.word == "unaffected":
        return (
            f"Order {row.order_id} was given a voucher and is not affected: no payment was answered busy, each "
            f"attempt was resolved in time, nothing came back unasked."
        )
    return _given_late(evidence, row)


def _none_given(evidence: Evidence, row: SimpleNamespace) -> str | None:
    if row.since_ns is None or is_early(evidence, row):
        return None
    window = seconds(evidence.window_ns("voucher_ms"))
    return f"Order {row.order_id} is affected: {_cause(evidence, row)}. It had no voucher {window} later."


def _given_late(evidence: Evidence, row: SimpleNamespace) -> str | None:
    window_ns = evidence.window_ns("voucher_ms")
    if row.since_ns is None or row.at_ns <= row.since_ns + window_ns + EDGE_NS:
        return None
    return (
        f"Order {row.order_id} is affected: {_cause(evidence, row)}. Its voucher came at "
        f"{when(evidence, row.at_ns)}, later than {seconds(window_ns)} after that."
    )


def is_early(evidence: Evidence, row: SimpleNamespace) -> bool:
    """Affected without a voucher, and its window is not over."""
    if row.since_ns is None or row.vouchers:
        return False
    return bool(row.since_ns + evidence.window_ns("voucher_ms") > evidence.until_ns)


def _cause(evidence: Evidence, row: SimpleNamespace) -> str:
    told = [f"{text} ({when(evidence, at)})" for name, text in WHY.items() if (at := getattr(row, name)) is not None]
    if row.unresolved_ns is not None and row.log_denies:
        told.append("which the target's log denies and its customer saw")
    return ", ".join(told)


CHECK = Check(
    name="compensated",
    promise="Whoever was let down gets the voucher that the published rule gives, once, and nobody else gets one.",
    function=check,
    needs=frozenset(
        {
            Premise.BOOKS_WHOLE,
            Premise.CLOCKS_BOUNDED,
            Premise.CONDUCT_TOLD,
            Premise.FAULTS_CONFIRMED,
            Premise.IDS_UNIQUE,
            Premise.LEDGERS_WHOLE,
            Premise.QUIESCENT,
            Premise.ROWS_COUNTED,
            Premise.SAME_BUILD,
        }
    ),
    facts=("F16",),
    # An order at the rule's limit to the millisecond is nobody's fault, and a scene has few.
    undecided_share=0.1,
    unit="orders",
)
