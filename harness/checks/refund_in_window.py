"""Did what was owed to customers come back in time?

Violated when a provider's refund succeeded later than its window after it was owed, or never. Owed
is an acknowledged refund, from its acknowledgement; what was captured for an order that the books
do not honour, from the later of capture and `pay_by`; and what was captured beyond the price, from
the later capture.

Only the providers' ledgers say that money went back. Within one order, money is counted, not
refunds matched: by each deadline at least as much must have gone back as was due by then, which no
order of partial refunds can break wrongly. A provider that was down restarts the window at its
recovery, and the finding shows both. A refund that was refused, or that ended without an answer and
stands nowhere, is no case.
"""

from types import SimpleNamespace

from harness.checks.check import Check, Premise
from harness.checks.proof import amount, proof, reasons, seconds, unreadable, when
from harness.evidence.tables import Evidence
from harness.verdict import CheckResult, Finding

OWED = """
CREATE OR REPLACE TEMP TABLE owed AS
WITH taken AS (SELECT order_no, sum(amount_minor) AS captured_minor, min(currency) AS currency
               FROM captures WHERE order_no IS NOT NULL GROUP BY order_no),
patient AS (                             -- a customer's refund goes to any provider that was paid: the slowest counts
    SELECT r.key_no, max(back_by(c.provider, r.owed_ns)) AS back_by_ns
    FROM customer_refunds AS r JOIN (SELECT DISTINCT order_no, provider FROM captures) AS c USING (order_no)
    WHERE r.owed_ns IS NOT NULL GROUP BY r.key_no),
due AS (
    SELECT order_no, CASE WHEN booked THEN 'booked' ELSE 'asked' END AS why, owed_ns, amount_minor, back_by_ns,
           NULL AS provider, NULL AS number, NULL AS seq, key_no
    FROM customer_refunds JOIN patient USING (key_no)
    UNION ALL
    SELECT order_no, why, owed_ns, amount_minor, back_by_ns, provider, number, seq, NULL FROM rule_owed),
queued AS (
    SELECT *, row_number() OVER w AS nth, CAST(sum(amount_minor) OVER w AS BIGINT) AS due_minor
    FROM due WINDOW w AS (PARTITION BY order_no ORDER BY back_by_ns, owed_ns, amount_minor, key_no, provider, seq))
SELECT q.*, t.currency, least(q.due_minor, t.captured_minor) AS need_minor
FROM queued AS q JOIN taken AS t USING (order_no)
WHERE q.due_minor - q.amount_minor < t.captured_minor    -- what was never captured cannot go back
ORDER BY q.order_no, q.nth
"""

MET = """
WITH back AS (
    SELECT order_no, done_ns,
           sum(amount_minor) OVER (PARTITION BY order_no ORDER BY done_ns, provider, refund_number) AS back_minor
    FROM provider_refunds WHERE done_ns IS NOT NULL AND NOT compensation AND order_no IS NOT NULL)
SELECT w.order_no, o.order_id, w.why, w.owed_ns, w.amount_minor, w.back_by_ns, w.provider, w.number, w.currency,
       min(b.done_ns) FILTER (b.back_minor >= w.need_minor) AS met_ns,
       CAST(coalesce(max(b.back_minor) FILTER (b.done_ns <= w.back_by_ns), 0) AS BIGINT) AS in_time_minor,
       w.due_minor, x.why AS blind
FROM owed AS w JOIN orders AS o USING (order_no) LEFT JOIN back AS b USING (order_no)
LEFT JOIN blind_orders AS x USING (order_no)
GROUP BY ALL ORDER BY w.order_no, w.back_by_ns, w.owed_ns, w.amount_minor, w.provider, w.number
"""

UNCLEAR = """
SELECT (SELECT count(*) FROM captures WHERE order_no IS NULL),
       (SELECT count(*) FROM customer_refunds AS r
        WHERE r.outcome = 'info' AND NOT r.booked AND EXISTS (
            SELECT 1 FROM provider_refunds AS p
            WHERE p.order_no = r.order_no AND p.amount_minor = r.amount_minor AND p.running))
ORDER BY ALL
"""

WHY = {
    "asked": "the customer asked for it and was told yes",
    "booked": "the customer asked for it and the books took it on, though she got no answer",
    "not honoured": "it was captured for an order that the books do not honour",
    "twice": "it was captured although the order was already paid",
}


def check(evidence: Evidence) -> CheckResult:
    """Hold the refunds of the ledgers against what was owed by each deadline; a case is one thing owed."""
    evidence.con.execute(OWED)
    cases = evidence.cases(MET)
    stray, unclear = evidence.row(UNCLEAR)
    examined = len(cases) + stray + unclear
    nothing = unreadable(evidence, max(examined, 1), "history", "books.orders", "books.refunds")
    if nothing is not None:
        return nothing
    breaches, blind, early = [], 0, 0
    for case in cases:
        if case.met_ns is not None and case.met_ns <= case.back_by_ns:
            continue
        if case.blind is not None:
            blind += 1
        elif case.met_ns is None and case.back_by_ns > evidence.until_ns:
            early += 1
        else:
            breaches.append(case)
    waits = [case.met_ns - case.owed_ns for case in cases if case.met_ns is not None]
    return CheckResult(
        examined=examined,
        undecided=stray + unclear + blind + early,
        reasons=reasons(
            [
                (stray, "captures name no order"),
                (unclear, "refunds got no answer, are not in the books and are running at a provider"),
                (blind, "refunds are owed by a provider whose ledger is not whole"),
                (early, "refunds are owed and their window is not over"),
            ]
        ),
        findings=_findings(evidence, breaches),
        measured=max(waits) / 1e9 if waits else None,
        objective=evidence.window_ns("refund_ms") / 1e9,
        unit="s",
    )


def _findings(evidence: Evidence, breaches: list[SimpleNamespace]) -> tuple[Finding, ...]:
    proofs = proof(evidence, [case.order_no for case in breaches])
    return tuple(
        Finding(
            subject=case.order_id,
            message=_story(evidence, case),
            evidence={"why": case.why, "owed_minor": case.amount_minor} | proofs[case.order_no],
        )
        for case in breaches
    )


def _story(evidence: Evidence, case: SimpleNamespace) -> str:
    ends_ns = case.owed_ns + evidence.window_ns("refund_ms")
    where = f" by {case.provider} under {case.number}" if case.provider else ""
    due = f"by {when(evidence, ends_ns)}"
    if case.back_by_ns - ends_ns > NS_PER_S:  # less is the error of the provider's clock
        due += f", or as the provider was down by {when(evidence, case.back_by_ns)}"
    came = (
        f"came only at {when(evidence, case.met_ns)}, {seconds(case.met_ns - case.owed_ns)} after it was owed"
        if case.met_ns is not None
        else f"had not come at {when(evidence, evidence.until_ns)}"
    )
    return (
        f"{amount(case.amount_minor, case.currency)} of order {case.order_id} was owed back{where} from "
        f"{when(evidence, case.owed_ns)}: {WHY[case.why]}. It was due {due} and {came}; of "
        f"{amount(case.due_minor, case.currency)} due by then {amount(case.in_time_minor, case.currency)} came in time."
    )


NS_PER_S = 1_000_000_000

CHECK = Check(
    name="refund_in_window",
    promise="What is owed to a customer comes back in time, asked for or not.",
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
    facts=("F15",),
    unit="s",
)
