"""Does what an order is called fit to the money that it holds, once everything is at rest?

By the canonical meanings (`harness.operation.State`), whatever words the target has for them, and by
the order's own figures: what was paid in all, and what of it went back.

    paid        all of its total was paid, and not all of that went back; half of it back leaves it paid
    refunded    all that was paid went back, and something was
    closed      it holds no money
    open        it does not hold its whole total; the same where it is being paid

Read from the books and from the owner's own last read, each by itself; and where both say that the order
has come to an end, they must say the same. Figures that a source does not tell are no case.

Left out is what may yet move, or is told otherwise by good right: a refund on its way or one of goodwill; money
owed back by rule whose window is not over, and of a paid order all that was ever owed so (paid twice): it may or
may not count as part of what the order says; and, where orders can be paid outside of all providers, what such
an order lacks. That a provider moved its money only lately excuses nothing: at rest the books do not move.
"""

from dataclasses import dataclass
from types import SimpleNamespace

from harness.checks.proof import proof, when
from harness.evidence.tables import Evidence
from harness.money import Bearer, amount, loss
from harness.verdict import Finding

CONTRADICTIONS = """
WITH moving AS (                         -- orders whose money may yet move, or whose refunds give back nothing of it
    SELECT o.order_no FROM books_refunds AS r JOIN orders AS o USING (order_id)
    WHERE r.state = 'pending' OR r.compensation
    UNION SELECT order_no FROM rule_owed WHERE back_by_ns > (SELECT until_ns FROM limits)),
booked AS (
    SELECT o.order_no, o.order_id, b.state, b.raw_state, b.amount_minor, b.paid_minor, b.refunded_minor, b.currency
    FROM books_orders AS b JOIN orders AS o USING (order_id)
    ANTI JOIN moving AS m ON m.order_no = o.order_no WHERE o.in_history OR o.journey IS NOT NULL),
shown AS (
    SELECT o.order_no, o.order_id, r.state, coalesce(r.amount_minor, b.amount_minor) AS amount_minor, r.paid_minor,
           r.refunded_minor, r.sent_ns, b.currency
    FROM reads AS r JOIN orders AS o ON o.order_id = r.order_id AND o.user_id = r.user_id
    LEFT JOIN booked AS b ON b.order_no = o.order_no
    ANTI JOIN moving AS m ON m.order_no = o.order_no WHERE r.outcome = 'ok' AND r.sent_ns >= $quiescent_ns),
said AS (
    SELECT order_no, order_id, NULL AS read_ns, state, raw_state, amount_minor, paid_minor, refunded_minor, currency
    FROM booked
    UNION ALL SELECT order_no, order_id, sent_ns, state, state, amount_minor, paid_minor, refunded_minor, currency
    FROM shown),
judged AS (
    SELECT s.*, NULL AS other_state, NULL AS other_paid_minor, NULL AS other_refunded_minor,
           CASE WHEN state = 'closed' AND paid_minor > refunded_minor THEN 'holds'
                WHEN state IN ('open', 'paying') AND amount_minor > 0 AND paid_minor - refunded_minor >= amount_minor
                    THEN 'whole'
                WHEN w.order_no IS NOT NULL THEN NULL
                WHEN state = 'paid' AND paid_minor < amount_minor AND NOT $offline THEN 'short'
                WHEN state = 'paid' AND paid_minor > 0 AND refunded_minor >= paid_minor THEN 'back'
                WHEN state = 'refunded' AND paid_minor > 0 AND refunded_minor <> paid_minor THEN 'part'
                WHEN state = 'refunded' AND paid_minor = 0 AND amount_minor > 0 AND NOT $offline THEN 'nothing'
           END AS word
    FROM said AS s LEFT JOIN (SELECT DISTINCT order_no FROM rule_owed) AS w USING (order_no)),
differ AS (
    SELECT s.order_no, s.order_id, s.sent_ns, s.state, s.state, s.amount_minor, s.paid_minor, s.refunded_minor,
           b.currency, b.raw_state, b.paid_minor, b.refunded_minor, 'differ'
    FROM shown AS s JOIN booked AS b USING (order_no)
    WHERE s.state IN ('paid', 'refunded', 'closed') AND b.state IN ('paid', 'refunded', 'closed')
      AND (s.state <> b.state OR coalesce(s.paid_minor <> b.paid_minor, false)
           OR coalesce(s.refunded_minor <> b.refunded_minor, false)))
SELECT * FROM judged WHERE word IS NOT NULL UNION ALL SELECT * FROM differ
ORDER BY order_no, read_ns NULLS FIRST, word
"""

MEANS = {
    "holds": "an order that is closed holds no money",
    "whole": "an order that holds its whole total is paid",
    "short": "an order is paid when all of it is",
    "back": "an order of which all went back is refunded",
    "part": "an order is refunded when all that was paid went back",
    "nothing": "an order of which nothing was paid has nothing to give back",
}
"""Word of a row -> the rule that it breaks."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Contradiction:
    """One order whose state and money do not fit."""

    order_no: int
    order_id: str
    sentences: tuple[str, ...]
    amount_minor: int
    """How far they are apart, at most."""
    currency: str | None


def contradictions(evidence: Evidence) -> tuple[Contradiction, ...]:
    """Orders in their order; none where the run never came to rest."""
    quiescent_ns = evidence.conduct.quiescent_ns
    if quiescent_ns is None:
        return ()
    offline = evidence.scenario.capabilities.offline_payment
    told: dict[int, Contradiction] = {}
    for case in evidence.cases(CONTRADICTIONS, quiescent_ns=quiescent_ns, offline=offline):
        before = told.get(case.order_no)
        told[case.order_no] = Contradiction(
            order_no=case.order_no,
            order_id=case.order_id,
            sentences=(*(before.sentences if before else ()), _sentence(evidence, case)),
            amount_minor=max(before.amount_minor if before else 0, _apart_minor(case)),
            currency=case.currency,
        )
    return tuple(told.values())


def findings_of(evidence: Evidence, found: tuple[Contradiction, ...]) -> tuple[Finding, ...]:
    """One finding an order, with the rows that prove it."""
    proofs = proof(evidence, [one.order_no for one in found])
    return tuple(
        Finding(
            subject=one.order_id,
            message=f"Order {one.order_id} is called what its money does not say: {'; '.join(one.sentences)}.",
            evidence=loss(Bearer.BOOKS, one.amount_minor, one.currency) | proofs[one.order_no],
        )
        for one in found
    )


def _sentence(evidence: Evidence, case: SimpleNamespace) -> str:
    money = _money(case.paid_minor, case.refunded_minor, case.currency)
    if case.read_ns is None:
        who = f"the books call it {case.raw_state}"
    else:
        who = f"its owner's last read, sent at {when(evidence, case.read_ns)}, showed it {case.state}"
    if case.word == "differ":
        theirs = _money(case.other_paid_minor, case.other_refunded_minor, case.currency)
        return f"{who}{money}, and the books call it {case.other_state}{theirs}"
    return f"{who} over {amount(case.amount_minor or 0, case.currency)}{money}, but {MEANS[case.word]}"


def _money(paid_minor: int | None, refunded_minor: int | None, currency: str | None) -> str:
    """What was paid and went back, as far as it was told."""
    told = ((paid_minor, "paid"), (refunded_minor, "given back"))
    parts = [f"{amount(minor, currency)} {what}" for minor, what in told if minor is not None]
    return f" with {' and '.join(parts)}" if parts else ""


def _apart_minor(case: SimpleNamespace) -> int:
    paid, back = case.paid_minor or 0, case.refunded_minor or 0
    match case.word:
        case "short" | "nothing":
            apart: int = case.amount_minor - paid
        case "back":
            apart = back
        case "differ":
            apart = max(
                _between(case.paid_minor, case.other_paid_minor),
                _between(case.refunded_minor, case.other_refunded_minor),
            )
        case _:
            apart = abs(paid - back)
    return apart


def _between(one_minor: int | None, other_minor: int | None) -> int:
    return 0 if one_minor is None or other_minor is None else abs(one_minor - other_minor)
