"""Did what was owed to customers come back in time?

Violated when a provider's refund succeeded later than its window after it was owed, or never. Owed
is an acknowledged refund, from its acknowledgement; one that was refused although the money for it
was there (`refused`), from its refusal; what was captured for an order that the books do not honour,
from the later of capture and `pay_by`; and what was captured when the order was already paid, from that
capture. One capture over too high an amount is `no_double_charge`'s business.

Told too early is a breach as well: a refund that a reply called done when its money had not gone back (`said_done`).

Only the providers' ledgers say that money went back. A customer's refund is looked for under the
number that the books give it; for all else money is counted within the order: by each deadline at
least as much must have gone back as was due by then, which no order of partial refunds can break
wrongly. A provider that was down restarts the window at its recovery, and the finding shows both. A
refund that was refused for want of money, or that ended without an answer and stands nowhere, is no
case; one that was refused without cause holds where the money came back in time all the same, and is
broken before its window is over where all is at rest and none is on its way.
"""

from types import SimpleNamespace

from harness.checks.check import Check, Premise
from harness.checks.proof import proof, reasons, seconds, unreadable, when
from harness.checks.refused import CASES as REFUSED_CASES
from harness.checks.refused import find_refused
from harness.checks.said_done import said_done
from harness.evidence.tables import Evidence
from harness.money import Bearer, amount, loss
from harness.verdict import CheckResult, Finding

TIED = """
CREATE OR REPLACE TEMP TABLE tied AS     -- customers' refunds that the books tie to a provider's of that amount
SELECT r.key_no, p.provider, p.refund_number, p.done_ns
FROM customer_refunds AS r JOIN books_refunds AS b USING (refund_id)
JOIN provider_refunds AS p ON p.provider = b.provider AND p.refund_number = b.number AND p.order_no = r.order_no
WHERE r.owed_ns IS NOT NULL AND p.done_ns IS NOT NULL AND p.amount_minor = r.amount_minor AND NOT p.compensation
QUALIFY row_number() OVER (PARTITION BY r.key_no ORDER BY p.done_ns, p.provider, p.refund_number) = 1
    AND row_number() OVER (PARTITION BY p.provider, p.refund_number ORDER BY r.owed_ns, r.key_no) = 1
ORDER BY r.key_no
"""

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
           NULL AS provider, NULL AS number, NULL AS seq, key_no, done_ns AS tied_ns
    FROM customer_refunds JOIN patient USING (key_no) LEFT JOIN tied USING (key_no)
    UNION ALL
    SELECT order_no, why, owed_ns, amount_minor, back_by_ns, provider, number, seq, NULL, NULL FROM rule_owed
    WHERE why <> 'overcharged'),         -- too high a price from the beginning is no_double_charge's business
queued AS (                              -- what is tied stands for itself, the rest is counted in the order it is due
    SELECT *, CAST(if(tied_ns IS NULL, sum(amount_minor) OVER w, amount_minor) AS BIGINT) AS due_minor,
           sum(amount_minor) FILTER (tied_ns IS NOT NULL) OVER (PARTITION BY order_no) AS tied_minor
    FROM due WINDOW w AS (PARTITION BY order_no, tied_ns IS NOT NULL
                          ORDER BY back_by_ns, owed_ns, amount_minor, key_no, provider, seq))
SELECT q.*, t.currency, least(q.due_minor, t.captured_minor - coalesce(q.tied_minor, 0)) AS need_minor
FROM queued AS q JOIN taken AS t USING (order_no)
WHERE q.tied_ns IS NOT NULL              -- what was never captured cannot go back
   OR q.due_minor - q.amount_minor < t.captured_minor - coalesce(q.tied_minor, 0)
ORDER BY q.order_no, q.back_by_ns, q.owed_ns, q.due_minor
"""

MET = """
WITH back AS (
    SELECT p.order_no, p.done_ns, sum(p.amount_minor) OVER w AS back_minor
    FROM provider_refunds AS p ANTI JOIN tied AS t ON t.provider = p.provider AND t.refund_number = p.refund_number
    WHERE p.done_ns IS NOT NULL AND NOT p.compensation AND p.order_no IS NOT NULL
    WINDOW w AS (PARTITION BY p.order_no ORDER BY p.done_ns, p.provider, p.refund_number))
SELECT w.order_no, o.order_id, w.why, w.owed_ns, w.amount_minor, w.back_by_ns, w.provider, w.number, w.currency,
       coalesce(w.tied_ns, min(b.done_ns) FILTER (b.back_minor >= w.need_minor)) AS met_ns,
       CAST(CASE WHEN w.tied_ns <= w.back_by_ns THEN w.amount_minor WHEN w.tied_ns IS NOT NULL THEN 0
            ELSE coalesce(max(b.back_minor) FILTER (b.done_ns <= w.back_by_ns), 0) END AS BIGINT) AS in_time_minor,
       w.due_minor, x.why AS blind
FROM owed AS w JOIN orders AS o USING (order_no) LEFT JOIN back AS b USING (order_no)
LEFT JOIN blind_orders AS x USING (order_no)
GROUP BY w.order_no, o.order_id, w.why, w.owed_ns, w.amount_minor, w.back_by_ns, w.provider, w.number, w.currency,
         w.tied_ns, w.need_minor, w.due_minor, w.key_no, w.seq, x.why
ORDER BY w.order_no, w.back_by_ns, w.owed_ns, w.due_minor, w.key_no, w.provider, w.number
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
    "refused": "the customer asked for it, having been told that the order was paid, and was refused",
}


def find_owed(evidence: Evidence) -> None:
    """Make the tables `tied` and `owed`; to be called by `Evidence.once`."""
    evidence.execute(TIED)
    evidence.execute(OWED)


def check(evidence: Evidence) -> CheckResult:
    """Hold the refunds of the ledgers against what was owed by each deadline; a case is one thing owed."""
    evidence.once(find_owed)
    evidence.once(find_refused)
    cases = evidence.cases(MET) + evidence.cases(REFUSED_CASES)
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
        elif case.met_ns is None and case.back_by_ns > evidence.until_ns and not _hopeless(evidence, case):
            early += 1
        else:
            breaches.append(case)
    findings = _findings(evidence, breaches)
    found = {each.subject for each in findings}
    waits = [case.met_ns - case.owed_ns for case in cases if case.met_ns is not None]
    waits += [evidence.until_ns - case.owed_ns for case in breaches if case.met_ns is None]  # and has not ended yet
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
        findings=findings + tuple(each for each in said_done(evidence) if each.subject not in found),
        measured=max(waits) / 1e9 if waits else None,
        objective=evidence.window_ns("refund_ms") / 1e9,
        unit="s",
    )


def _hopeless(evidence: Evidence, case: SimpleNamespace) -> bool:
    """Refused, and at rest nothing moves that could yet bring it: no need to wait for the window's end."""
    return case.why == "refused" and not case.coming and evidence.conduct.quiescent_ns is not None


def _findings(evidence: Evidence, breaches: list[SimpleNamespace]) -> tuple[Finding, ...]:
    proofs = proof(evidence, [case.order_no for case in breaches])
    return tuple(
        Finding(
            subject=case.order_id,
            message=_story(evidence, case),
            evidence={"why": case.why, "owed_minor": case.amount_minor}
            | loss(Bearer.CUSTOMER if case.met_ns is None else Bearer.LATE, case.amount_minor, case.currency)
            | proofs[case.order_no],
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
    if case.met_ns is None and case.back_by_ns > evidence.until_ns:
        came += ", with nothing on its way"
    part = (
        f"; of {amount(case.due_minor, case.currency)} due by then "
        f"{amount(case.in_time_minor, case.currency)} came in time"
        if case.in_time_minor > 0
        else ""
    )
    why = WHY[case.why]
    if case.why == "refused":
        why += f" ({case.refusal}), with {amount(case.left_minor, case.currency)} left of what was captured"
    return (
        f"{amount(case.amount_minor, case.currency)} of order {case.order_id} was owed back{where} from "
        f"{when(evidence, case.owed_ns)}: {why}. It was due {due} and {came}{part}."
    )


NS_PER_S = 1_000_000_000

CHECK = Check(
    name="refund_in_window",
    promise="What is owed to a customer comes back in time, asked for or not, and is not called done before.",
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
