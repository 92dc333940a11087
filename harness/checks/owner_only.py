"""Can nobody but its owner read, pay or refund an order, whatever state the target is in?

Violated when a stranger who tried was told yes, or "under way", or anything of the order's state or
money, also in a refusal; or when the books hold what only that stranger can have caused: a refund of
just what it asked for beyond those that the owner asked for, or an attempt to pay by a method that the
owner never used. One who replays the owner's create, key and all, may get an order of its own by it, never
the owner's. A refusal that says nothing of the order is how it must be, whatever its status.

No case: an attempt that was never sent, a read or a replay that was never answered (nobody was told anything), an
order of the very user who tried (an account with two holders). Undecided: a write that was never
answered, and no books to show what became of it.
"""

from collections import defaultdict
from types import SimpleNamespace

from harness.checks.check import Check, Premise
from harness.checks.proof import proof, reasons, when
from harness.evidence.tables import Evidence
from harness.verdict import CheckResult, Finding

TRIED = """
WITH refunded AS (                       -- refunds that customers asked for, by amount
    SELECT order_id, amount_minor, count(*) AS booked FROM books_refunds
    WHERE requested AND NOT compensation GROUP BY order_id, amount_minor),
asked AS (
    SELECT asked_order_id AS order_id, asked_minor AS amount_minor, count(DISTINCT coalesce(key_no, -id)) AS asked
    FROM operations WHERE op = 'refund' GROUP BY asked_order_id, asked_minor),
attempted AS (SELECT order_id, provider, count(*) AS booked FROM books_payments GROUP BY order_id, provider),
used AS (SELECT DISTINCT asked_order_id AS order_id, method AS provider FROM operations WHERE op = 'pay')
SELECT p.id, p.tried, p.phase, p.method, p.asked_minor, p.sent_ns, p.outcome, p.ending, p.http, p.code, p.state,
       p.asked_order_id AS order_id, o.order_no, o.user_id AS owner, j.user_id AS stranger,
       p.ending = 'answered' AS answered,
       (p.outcome = 'ok' OR (p.ending = 'answered' AND p.http // 100 = 2))
           AND (p.tried <> 'create' OR p.result_id IS NOT DISTINCT FROM p.asked_order_id) AS done,
       p.ending = 'answered'           -- a replayed create may make an order of the stranger's own
           AND NOT (p.tried = 'create' AND p.outcome = 'ok' AND p.result_id IS DISTINCT FROM p.asked_order_id)
           AND (p.state IS NOT NULL OR p.amount_minor IS NOT NULL OR p.paid_minor IS NOT NULL
                OR p.refunded_minor IS NOT NULL) AS told,
       CASE p.tried WHEN 'refund' THEN coalesce(r.booked, 0) > coalesce(a.asked, 0)
                    WHEN 'pay' THEN t.booked IS NOT NULL AND u.order_id IS NULL ELSE false END AS booked,
       p.tried = 'pay' AND u.order_id IS NOT NULL AS mingled       -- the owner used that method too
FROM operations AS p LEFT JOIN orders AS o ON o.order_id = p.asked_order_id
LEFT JOIN journeys AS j ON j.journey = p.journey
LEFT JOIN refunded AS r ON r.order_id = p.asked_order_id AND r.amount_minor = p.asked_minor
LEFT JOIN asked AS a ON a.order_id = p.asked_order_id AND a.amount_minor = p.asked_minor
LEFT JOIN attempted AS t ON t.order_id = p.asked_order_id AND t.provider = p.method
LEFT JOIN used AS u ON u.order_id = p.asked_order_id AND u.provider = p.method
WHERE p.op = 'trespass' AND o.user_id IS DISTINCT FROM j.user_id
  AND coalesce(p.ending, '') NOT IN ('unresolved', 'refused', 'connect_timeout')
ORDER BY p.sent_ns, p.id
"""

DONE = {"create": "was given it", "read": "read it", "pay": "paid it, or is about to", "refund": "had it refunded"}
TRIED_TO = {"create": "be given, by its owner's key,", "read": "read", "pay": "pay", "refund": "have refunded"}
BOOKS = {"pay": "payments", "refund": "refunds"}


def check(evidence: Evidence) -> CheckResult:
    """Look at what each stranger was told and at what the books hold of it; a case is an attempt."""
    shown = {book for book in evidence.scenario.capabilities.books if f"books.{book}" not in evidence.missing}
    tried = [row for row in evidence.cases(TRIED) if row.answered or row.tried in BOOKS]
    told: dict[str, list[SimpleNamespace]] = defaultdict(list)
    undecided = 0
    for row in tried:
        if row.done or row.told or row.booked:
            told[row.order_id].append(row)
        elif not row.answered and (row.mingled or BOOKS[row.tried] not in shown):
            undecided += 1
    proofs = proof(evidence, (row.order_no for rows in told.values() for row in rows if row.order_no is not None))
    findings = tuple(
        Finding(
            subject=order,
            message=f"Order {order} belongs to {rows[0].owner or 'another'}; "
            f"{'; '.join(_sentence(evidence, row) for row in rows)}.",
            evidence=proofs.get(rows[0].order_no, {}),
        )
        for order, rows in told.items()
    )
    return CheckResult(
        examined=len(tried),
        undecided=undecided,
        reasons=reasons([(undecided, "attempts of strangers to write were never answered, and no book shows them")]),
        notes=_phases(tried),
        findings=findings,
        measured=float(sum(map(len, told.values()))),
        objective=0.0,
        unit="attempts",
    )


def _sentence(evidence: Evidence, row: SimpleNamespace) -> str:
    """What one stranger did, and got."""
    what = f"{row.stranger} tried to {TRIED_TO[row.tried]} it at {when(evidence, row.sent_ns)} ({row.phase})"
    answer = f"{row.http} {row.code}" if row.code else f"{row.http or row.ending}"
    if row.done:
        return f"{what}, was answered {answer}, and {DONE[row.tried]}"
    if row.told:
        return f"{what}, and was told of it in the refusal {answer}: {row.state or 'its amounts'}"
    return f"{what}, was answered {answer}, and the books hold what it asked for"


def _phases(tried: list[SimpleNamespace]) -> tuple[str, ...]:
    counts: dict[str, int] = defaultdict(int)
    for row in tried:
        counts[row.phase] += 1
    return (f"asked by phase: {', '.join(f'{phase} {count}' for phase, count in sorted(counts.items()))}",) * bool(
        tried
    )


CHECK = Check(
    name="owner_only",
    promise="Nobody but its owner can read, pay or refund an order.",
    function=check,
    needs=frozenset(
        {
            Premise.BOOKS_WHOLE,
            Premise.FAULTS_CONFIRMED,
            Premise.IDS_UNIQUE,
            Premise.ROWS_COUNTED,
            Premise.SAME_BUILD,
        }
    ),
    facts=("F24",),
    undecided_share=0.02,
    unit="attempts",
)
