"""Does the target itself notice in time where its books and a provider's bill do not agree?

Violated when a discrepancy that lasted is named later than the window after it arose, or never; and when
the target names one that is none: that was none at all, or that was only money on its way, younger than
the grace that the target publishes, and settled since; or names it for another amount. Known are the rows
that a fault planted in a bill, which the provider wrote down, and real differences between the provider's
ledger and the books: money moved that is not booked, money booked that did not move, another amount. From
the sources' own instants, so that one which healed before the run's end is not lost.

In flight is none: what was booked, or moved, within the window is no case. What stood for the grace may
be named, though it is withdrawn later; what lasts may be named sooner; without a published grace whatever
stood may. A fault at that provider, or of the target itself, that was on meanwhile moves the deadline to a
window after its end. Undecided: the window is not over, a ledger is not whole, or the log does not say when
what was named came to be booked.
"""

from types import SimpleNamespace

from harness.checks.check import Check, Premise
from harness.checks.proof import proof, reasons, seconds, unreadable, when, without_ledger
from harness.evidence.tables import Evidence
from harness.money import amount
from harness.verdict import CheckResult, Finding

STALE_NS = 2_000_000_000
"""A reconciliation may name what it saw when it began; longer ago than this it should have looked again."""
ROUNDED_NS = 2_000_000
"""Two instants in whole ms lie no further than this from where they were; an instant of a clock has its error too."""

MOVED = """
CREATE OR REPLACE TABLE moved AS         -- each capture and refund, as the ledgers and as the books have it
WITH taken AS (
    SELECT provider, number, sum(amount_minor) AS amount_minor, min(at_ns) AS at_ns,
           min(order_id) AS order_id
    FROM captures GROUP BY provider, number
    UNION ALL
    SELECT provider, refund_number, amount_minor, done_ns, order_id FROM provider_refunds WHERE done_ns IS NOT NULL),
steps AS (
    SELECT kind, subject, to_state, min(at_ns) AS at_ns FROM books_transitions GROUP BY kind, subject, to_state),
booked AS (
    SELECT b.provider, b.number, b.order_id, b.captured_minor AS amount_minor, s.at_ns
    FROM books_payments AS b
    LEFT JOIN steps AS s ON s.kind = 'payment' AND s.subject = b.payment_id AND s.to_state = b.raw_state
    WHERE b.number IS NOT NULL AND b.captured_minor > 0
    UNION ALL
    SELECT r.provider, r.number, r.order_id, r.amount_minor, s.at_ns
    FROM books_refunds AS r
    LEFT JOIN steps AS s ON s.kind = 'refund' AND s.subject = r.refund_id AND s.to_state = r.raw_state
    WHERE r.number IS NOT NULL AND r.state = 'done')
SELECT coalesce(t.provider, b.provider) AS provider, coalesce(t.number, b.number) AS number,
       coalesce(b.order_id, t.order_id) AS order_id,
       t.provider IS NOT NULL AS taken, b.provider IS NOT NULL AS booked,
       t.at_ns AS taken_ns, b.at_ns AS booked_ns, t.amount_minor AS taken_minor, b.amount_minor AS booked_minor
FROM taken AS t FULL JOIN booked AS b ON b.provider = t.provider AND b.number = t.number
ORDER BY provider, number
"""

AROSE = """
CREATE OR REPLACE TABLE arose AS         -- discrepancies with the instants between which they stood
WITH each AS (
    SELECT provider, number, order_id, 'missing_in_' || CASE note WHEN 'missing' THEN 'bill' ELSE 'books' END AS kind,
           amount_minor, at_ns AS since_ns, CAST(NULL AS BIGINT) AS healed_ns, true AS planted
    FROM ledger JOIN ledgers USING (provider) WHERE kind = 'bill_planted' AND seq > watermark_seq
    UNION ALL
    SELECT provider, number, order_id, 'missing_in_books', taken_minor, taken_ns, booked_ns, false
    FROM moved WHERE taken AND (NOT booked OR booked_ns > taken_ns)
    UNION ALL
    SELECT provider, number, order_id, 'missing_in_bill', booked_minor, booked_ns, taken_ns, false
    FROM moved WHERE booked AND (NOT taken OR taken_ns > booked_ns)
    UNION ALL
    SELECT provider, number, order_id, 'amount_differs', taken_minor, greatest(taken_ns, booked_ns), NULL, false
    FROM moved WHERE taken AND booked AND taken_minor <> booked_minor),
excuses AS (                             -- faults that may have kept the target from seeing a bill
    SELECT "where" AS place, "where" IN (SELECT provider FROM ledgers) AS at_provider, start_ns,
           coalesce(end_ns, 4000000000000000000) AS end_ns
    FROM faults WHERE NOT standing AND kind <> 'plant_in_bill')
SELECT e.*, x.unsound, greatest(e.since_ns, coalesce(max(f.end_ns), 0)) + $window_ns + max(x.clock_error_ns) AS due_ns
FROM each AS e JOIN ledgers AS x USING (provider)
LEFT JOIN excuses AS f ON (f.place = e.provider OR NOT f.at_provider)
    AND f.start_ns < e.since_ns + $window_ns AND f.end_ns >= e.since_ns
GROUP BY e.provider, e.number, e.order_id, e.kind, e.amount_minor, e.since_ns, e.healed_ns, e.planted, x.unsound
ORDER BY e.provider, e.number, e.kind
"""

CASES = """
WITH named AS (SELECT provider, number, kind, min(at_ns) AS named_ns FROM books_discrepancies
               GROUP BY provider, number, kind)
SELECT a.*, n.named_ns, o.order_no, o.currency,
       CASE WHEN n.named_ns <= a.due_ns THEN 'named'
            WHEN a.unsound IS NOT NULL OR a.since_ns IS NULL THEN 'blind'
            WHEN n.named_ns > a.due_ns THEN 'late'
            WHEN a.due_ns > $until_ns THEN 'early'
            ELSE 'never' END AS word
FROM arose AS a LEFT JOIN named AS n USING (provider, number, kind)
LEFT JOIN (SELECT o.order_no, o.order_id, b.currency FROM orders AS o LEFT JOIN books_orders AS b USING (order_id)) AS o
  ON o.order_id = a.order_id
-- in flight: it healed before anyone had to have seen it
WHERE a.planted OR a.healed_ns IS NULL OR a.healed_ns > a.due_ns
ORDER BY a.since_ns, a.provider, a.number, a.kind
"""

NAMED_AND_NONE = """
WITH stood AS (                          -- of what was named: when it stood, and whether for long enough, or for good
    SELECT d.provider, d.number, d.kind, d.at_ns, max(a.since_ns) AS since_ns, max(a.healed_ns) AS healed_ns,
           bool_or($grace_ns IS NULL OR a.planted OR a.healed_ns IS NULL
                   OR a.since_ns + $grace_ns <= d.at_ns + x.clock_error_ns + $error_ns) AS long,
           -- of two amounts either may be named
           any_value(a.amount_minor) FILTER (a.kind <> 'amount_differs' AND NOT EXISTS (
               SELECT 1 FROM arose AS e WHERE e.provider = a.provider AND e.number = a.number AND e.kind = a.kind
                                          AND e.amount_minor = d.amount_minor)) AS so_minor
    FROM books_discrepancies AS d JOIN ledgers AS x USING (provider) JOIN arose AS a USING (provider, number, kind)
    WHERE a.since_ns <= d.at_ns + x.clock_error_ns + $error_ns
      AND (a.healed_ns IS NULL OR a.healed_ns > d.at_ns - $stale_ns)
    GROUP BY d.provider, d.number, d.kind, d.at_ns)
SELECT d.provider, d.number, d.kind, d.order_id, d.amount_minor, d.at_ns, o.order_no, b.currency,
       s.since_ns, s.healed_ns, s.so_minor,
       CASE WHEN x.unsound IS NOT NULL THEN 'blind'
            WHEN m.number IS NOT NULL AND (m.taken_ns IS NULL OR m.booked_ns IS NULL) THEN 'undated'
            WHEN s.long IS NULL THEN 'none' WHEN s.long THEN 'another amount' ELSE 'on its way' END AS word
FROM books_discrepancies AS d JOIN ledgers AS x USING (provider)
LEFT JOIN stood AS s USING (provider, number, kind, at_ns)
LEFT JOIN moved AS m ON m.provider = d.provider AND m.number = d.number AND m.taken AND m.booked
LEFT JOIN orders AS o ON o.order_id = d.order_id LEFT JOIN books_orders AS b ON b.order_id = d.order_id
WHERE (NOT coalesce(s.long, false) OR s.so_minor IS NOT NULL)
  -- of another run, or of before the load: not ours to judge
  AND NOT EXISTS (SELECT 1 FROM numbers AS n ANTI JOIN our_numbers AS u USING (provider, number)
                  WHERE n.provider = d.provider AND n.number = d.number)
ORDER BY d.at_ns, d.provider, d.number, d.kind
"""

WHAT = {
    "missing_in_bill": "stood in the books and not on the bill",
    "missing_in_books": "stood on the bill and not in the books",
    "amount_differs": "stood on the bill with another amount than in the books",
}


def check(evidence: Evidence) -> CheckResult:
    """Hold what the target named against what was so; a case is a discrepancy that arose, or that was named."""
    books = ("orders", "payments", "refunds", "transitions", "discrepancies")
    if not set(books) <= set(evidence.scenario.capabilities.books):
        return CheckResult(examined=0, not_offered="the target does not show what its reconciliation found")
    nothing = without_ledger(evidence) or unreadable(evidence, 1, *(f"books.{name}" for name in books))
    if nothing is not None:
        return nothing
    window_ns = evidence.window_ns("discrepancy_ms")
    evidence.execute(MOVED)
    evidence.execute(AROSE, window_ns=window_ns)
    cases = evidence.cases(CASES, until_ns=evidence.until_ns)
    named = _named_and_none(evidence)
    none = [case for case in named if case.word in {"none", "another amount", "on its way"}]
    breaches = [case for case in cases if case.word in {"late", "never"}]
    counts = {word: sum(case.word == word for case in (*cases, *named)) for word in ("blind", "early", "undated")}
    waits = [case.named_ns - case.since_ns for case in cases if case.word in {"named", "late"}]
    waits += [evidence.until_ns - case.since_ns for case in cases if case.word == "never"]
    return CheckResult(
        examined=len(cases) + len(named),
        undecided=sum(counts.values()),
        reasons=reasons(
            [
                (counts["blind"], "discrepancies are with a provider whose ledger is not whole, or have no instant"),
                (counts["undated"], "discrepancies were named of what the log does not say when it was booked"),
                (counts["early"], "discrepancies are not named yet, and their window is not over"),
            ]
        ),
        findings=(*_unnamed(evidence, breaches, window_ns), *_imagined(evidence, none)),
        measured=max(waits) / 1e9 if waits else None,
        objective=window_ns / 1e9,
        unit="s",
    )


def _named_and_none(evidence: Evidence) -> list[SimpleNamespace]:
    grace_ms = evidence.scenario.capabilities.reconciliation_grace_ms
    return evidence.cases(
        NAMED_AND_NONE,
        stale_ns=STALE_NS,
        grace_ns=None if grace_ms is None else grace_ms * 1_000_000,
        error_ns=ROUNDED_NS + 2 * evidence.books_error_ns(),
    )


def _unnamed(evidence: Evidence, breaches: list[SimpleNamespace], window_ns: int) -> list[Finding]:
    proofs = proof(evidence, {case.order_no for case in breaches if case.order_no is not None})
    found = []
    for case in breaches:
        named = "never" if case.named_ns is None else f"only at {when(evidence, case.named_ns)}"
        found.append(
            Finding(
                subject=case.order_id or f"{case.provider} {case.number}",
                message=(
                    f"From {when(evidence, case.since_ns)} {amount(case.amount_minor, case.currency)} of "
                    f"{case.provider} {case.number} {WHAT[case.kind]}. The target's own reconciliation named it "
                    f"{named}; due was {seconds(window_ns)} later, by {when(evidence, case.due_ns)}."
                ),
                evidence={"provider": case.provider, "number": case.number, "kind": case.kind}
                | {"planted": case.planted}
                | proofs.get(case.order_no, {}),
            )
        )
    return found


def _imagined(evidence: Evidence, none: list[SimpleNamespace]) -> list[Finding]:
    proofs = proof(evidence, {case.order_no for case in none if case.order_no is not None})
    return [
        Finding(
            subject=case.order_id or f"{case.provider} {case.number}",
            message=(
                f"At {when(evidence, case.at_ns)} the target named a discrepancy, {case.kind}, of {case.provider} "
                f"{case.number}, and {_none(evidence, case)}."
            ),
            evidence={"provider": case.provider, "number": case.number, "kind": case.kind}
            | proofs.get(case.order_no, {}),
        )
        for case in none
    ]


def _none(evidence: Evidence, case: SimpleNamespace) -> str:
    if case.word == "none":
        return "there was none"
    if case.word == "another amount":
        told, so = (amount(minor, case.currency) for minor in (case.amount_minor, case.so_minor))
        return f"told {told} where it is about {so}"
    grace_ms = evidence.scenario.capabilities.reconciliation_grace_ms or 0
    stood_s = max(0, case.at_ns - case.since_ns) / 1e9
    return (
        f"that was only money on its way: it had stood for {stood_s:.3f} s of the {grace_ms / 1000:.1f} s for which "
        f"it may, and was settled by {when(evidence, case.healed_ns)}"
    )


CHECK = Check(
    name="detection_time",
    promise="Where its books and a provider's bill differ, the target says so by itself, and soon.",
    function=check,
    needs=frozenset(
        {
            Premise.BOOKS_WHOLE,
            Premise.CLOCKS_BOUNDED,
            Premise.CONDUCT_TOLD,
            Premise.FAULTS_CONFIRMED,
            Premise.LEDGERS_WHOLE,
            Premise.SAME_BUILD,
        }
    ),
    facts=("F22", "F24"),
    unit="s",
)
