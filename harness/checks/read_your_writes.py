"""Once a write is acknowledged, does its customer see it in everything that is read afterwards?

Violated when a read or a list, sent after an acknowledged create, payment or refund of the same customer
was done, shows the order in an older state (unpaid though a payment was acknowledged, open though it
was told to be closed), or less paid or refunded than the write's answer said; when an order is over
another amount than the one that its customer asked for, by an acknowledged create's own answer, by a
read or by the target's books; when a list sent after an acknowledged create is empty, or, read to its
last page, lacks its order; when a list names an order twice; when the books
give an order to another user than the one whose create made it; or when replies deny what was told
or booked: another `pay_by` than at first, a failed attempt that was paid (`replies`). The customers' last
reads count too.

What was asked for is the request's word, never the answer's: an answer that names less cannot excuse
what follows it. An amount that nobody tells is no case. An order that its owner has from a list, after
a create without an answer, may be over any amount that this owner asked for; and where creates over
several amounts were acknowledged by one order, that is `idempotent_reply`'s.

States are compared by a partial order: open and paying before paid before refunded, and before closed;
what moves forward behind the customer's back (refunded, closed) is no breach, nor is a refund that is
promised and not yet counted. A read that overlaps the write proves nothing, and an order created while a
list is being read may move others from page to page. That an order is said not
to be there at all is `no_vanished_order`'s. Without one ordered pair nothing was examined.
"""

from collections import defaultdict
from types import SimpleNamespace

from harness.checks.check import Check, Premise
from harness.checks.proof import proof, when
from harness.checks.replies import contradicted
from harness.evidence.tables import Evidence
from harness.money import amount
from harness.verdict import CheckResult, Finding

PAIRS = """
CREATE OR REPLACE TEMP TABLE pairs AS    -- one row a read that followed an acknowledged write
WITH level(state, level) AS (VALUES ('open', 0), ('paying', 0), ('closed', 0), ('paid', 1), ('refunded', 2)),
writes AS (
    SELECT p.id, p.journey, p.order_id, p.op, p.done_ns, p.paid_minor, p.refunded_minor, p.state = 'closed' AS closed,
           greatest(coalesce(l.level, 0), CASE WHEN p.op = 'create' THEN 0 ELSE 1 END) AS level
    FROM operations AS p LEFT JOIN level AS l USING (state)
    WHERE p.op IN ('create', 'pay', 'refund') AND p.outcome = 'ok' AND p.order_id IS NOT NULL),
readings AS (
    SELECT id, journey, order_id, sent_ns, state, amount_minor, paid_minor, refunded_minor, 'read' AS source
    FROM operations WHERE op = 'read' AND outcome = 'ok'
    UNION ALL                            -- a later page of a list was sent later still
    SELECT id, journey, unnest(listed_orders), sent_ns, unnest(listed_states), unnest(listed_amounts),
           unnest(listed_paid), unnest(listed_refunded), 'list'
    FROM operations WHERE op = 'list' AND outcome = 'ok' AND len(listed_states) = len(listed_orders)
    UNION ALL
    SELECT -o.order_no, j.journey, r.order_id, r.sent_ns, r.state, r.amount_minor, r.paid_minor, r.refunded_minor,
           'last read'
    FROM reads AS r JOIN journeys AS j USING (user_id) JOIN orders AS o USING (order_id) WHERE r.outcome = 'ok')
SELECT r.id, r.journey, r.order_id, r.sent_ns, r.state, r.amount_minor, r.paid_minor, r.refunded_minor, r.source,
       l.level, max(w.level) AS written_level, bool_or(w.closed) AS written_closed,
       max(w.paid_minor) AS written_paid_minor, max(w.refunded_minor) AS written_refunded_minor,
       arg_max(w.op, (w.level, w.done_ns, w.id)) AS op, arg_max(w.done_ns, (w.level, w.done_ns, w.id)) AS done_ns
FROM readings AS r JOIN writes AS w USING (journey, order_id) LEFT JOIN level AS l ON l.state = r.state
WHERE w.done_ns < r.sent_ns
GROUP BY r.id, r.journey, r.order_id, r.sent_ns, r.state, r.amount_minor, r.paid_minor, r.refunded_minor, r.source,
         l.level ORDER BY r.sent_ns, r.id
"""

BEHIND = """
SELECT p.*, p.level < p.written_level OR (p.written_closed AND p.state IN ('open', 'paying')) AS older,
       p.paid_minor < p.written_paid_minor AS less_paid, p.refunded_minor < p.written_refunded_minor AS less_refunded,
       o.order_no, c.currency
FROM pairs AS p JOIN orders AS o USING (order_id)
LEFT JOIN (SELECT journey, min(currency) AS currency FROM operations WHERE op = 'create' GROUP BY journey) AS c
       ON c.journey = p.journey
WHERE older OR less_paid OR less_refunded ORDER BY p.sent_ns, p.id
"""

ASKED = """
CREATE OR REPLACE TEMP TABLE asked_over AS   -- one row an order whose owner asked for it, over one of these amounts
WITH acknowledged AS (
    SELECT order_id, list(DISTINCT asked_minor) AS amounts, min(currency) AS currency
    FROM creates WHERE outcome = 'ok' AND asked_minor IS NOT NULL GROUP BY order_id),
sent AS (
    SELECT journey, list(DISTINCT asked_minor) AS amounts, min(currency) AS currency
    FROM creates WHERE asked_minor IS NOT NULL GROUP BY journey)
SELECT o.order_no, o.order_id, o.journey, o.user_id, list_sort(coalesce(a.amounts, s.amounts)) AS amounts,
       coalesce(a.currency, s.currency) AS currency
FROM orders AS o LEFT JOIN acknowledged AS a USING (order_id) LEFT JOIN sent AS s ON s.journey = o.journey
WHERE a.order_id IS NOT NULL OR s.journey IS NOT NULL ORDER BY o.order_no
"""

NAMED = """
CREATE OR REPLACE TEMP TABLE told_over AS    -- one row a time that somebody names such an order's amount
SELECT a.order_no, p.op AS source, p.done_ns AS at_ns, p.amount_minor, NULL AS currency
FROM operations AS p JOIN asked_over AS a ON a.order_id = p.order_id AND a.journey = p.journey
WHERE p.op IN ('create', 'read') AND p.outcome = 'ok' AND p.amount_minor IS NOT NULL
UNION ALL
SELECT a.order_no, 'list', p.done_ns, p.amount_minor, NULL
FROM (SELECT journey, done_ns, unnest(listed_orders) AS order_id, unnest(listed_amounts) AS amount_minor
      FROM operations WHERE op = 'list' AND outcome = 'ok' AND len(listed_amounts) = len(listed_orders)) AS p
JOIN asked_over AS a USING (order_id, journey) WHERE p.amount_minor IS NOT NULL
UNION ALL
SELECT a.order_no, 'last read', r.done_ns, r.amount_minor, NULL
FROM reads AS r JOIN asked_over AS a USING (order_id, user_id) WHERE r.outcome = 'ok' AND r.amount_minor IS NOT NULL
UNION ALL
SELECT a.order_no, 'books', NULL, b.amount_minor, nullif(b.currency, '')
FROM books_orders AS b JOIN asked_over AS a USING (order_id)
ORDER BY order_no, at_ns NULLS LAST
"""

OTHER_AMOUNTS = """
SELECT a.order_no, a.order_id, a.amounts, a.currency AS asked_currency, coalesce(t.currency, a.currency) AS currency,
       t.source, t.at_ns, t.amount_minor
FROM told_over AS t JOIN asked_over AS a USING (order_no)
WHERE NOT list_contains(a.amounts, t.amount_minor) OR coalesce(t.currency <> a.currency, false)
QUALIFY row_number() OVER (PARTITION BY a.order_no, t.source ORDER BY t.at_ns, t.amount_minor) = 1
ORDER BY a.order_no, t.at_ns NULLS LAST, t.source
"""

LISTED = """
CREATE OR REPLACE TEMP TABLE listed AS   -- one row a list that followed an acknowledged create
SELECT l.id, l.sent_ns, l.listed, arg_min(c.order_id, c.id) AS order_id, min(c.done_ns) AS done_ns
FROM operations AS l JOIN operations AS c USING (journey)
WHERE l.op = 'list' AND l.outcome = 'ok' AND l.listed IS NOT NULL
  AND c.op = 'create' AND c.outcome = 'ok' AND c.order_id IS NOT NULL AND c.done_ns < l.sent_ns
GROUP BY l.id, l.sent_ns, l.listed ORDER BY l.id
"""
NOT_LISTED = """
SELECT o.order_no, o.order_id, l.sent_ns, l.done_ns FROM listed AS l JOIN orders AS o USING (order_id)
WHERE l.listed = 0 ORDER BY l.sent_ns, l.id
"""
ABSENT = """
WITH known AS (SELECT journey, order_id, min(done_ns) AS done_ns FROM operations
               WHERE op = 'create' AND outcome = 'ok' AND order_id IS NOT NULL GROUP BY journey, order_id)
SELECT o.order_no, o.order_id, l.sent_ns, k.done_ns, l.listed
FROM operations AS l JOIN known AS k USING (journey) JOIN orders AS o ON o.order_id = k.order_id
WHERE l.op = 'list' AND l.outcome = 'ok' AND k.done_ns < l.sent_ns
  AND NOT list_contains(l.listed_orders, k.order_id)          -- of one that was not read to its end: NULL
ORDER BY l.sent_ns, l.id, o.order_no
"""
LISTED_TWICE = """
WITH named AS (SELECT id, journey, sent_ns, done_ns, unnest(listed_orders) AS order_id
               FROM operations WHERE op = 'list' AND outcome = 'ok')
SELECT o.order_no, o.order_id, l.sent_ns, count(*) AS times
FROM named AS l JOIN orders AS o USING (order_id)
WHERE NOT EXISTS (SELECT 1 FROM operations AS c
                  WHERE c.journey = l.journey AND c.op IN ('create', 'trespass') AND c.sent_ns < l.done_ns
                    AND (c.outcome = 'info' OR c.done_ns > l.sent_ns))
GROUP BY l.id, o.order_no, o.order_id, l.sent_ns HAVING count(*) > 1 ORDER BY l.sent_ns, l.id, o.order_no
"""

ANOTHERS = """
SELECT o.order_no, o.order_id, j.user_id, min(b.user_id) AS booked
FROM books_orders AS b JOIN orders AS o USING (order_id)
JOIN operations AS p ON p.order_id = o.order_id AND p.op = 'create' AND p.outcome = 'ok'
JOIN journeys AS j ON j.journey = p.journey
GROUP BY o.order_no, o.order_id, j.user_id HAVING NOT bool_or(b.user_id = j.user_id) ORDER BY o.order_no
"""

COUNT_PAIRS = """
SELECT (SELECT count(*) FROM pairs WHERE source <> 'list'), (SELECT count(*) FROM listed),
       (SELECT count(DISTINCT order_no) FROM told_over)
ORDER BY ALL
"""


def check(evidence: Evidence) -> CheckResult:
    """Hold each read and list against the writes acknowledged before it; a case is such a read or list."""
    for table in (PAIRS, LISTED, ASKED, NAMED):
        evidence.execute(table)
    reads, lists, named = evidence.row(COUNT_PAIRS)
    told: dict[int, list[str]] = defaultdict(list)
    names: dict[int, str] = {}
    for case in evidence.cases(BEHIND):
        names[case.order_no] = case.order_id
        who = "its owner's last read" if case.source == "last read" else f"a {case.source}"
        told[case.order_no].append(
            f"a {case.op} was acknowledged at {when(evidence, case.done_ns)}, and {who} sent at "
            f"{when(evidence, case.sent_ns)} showed {_shown(case.state, case)}"
        )
    for case in evidence.cases(OTHER_AMOUNTS):
        names[case.order_no] = case.order_id
        told[case.order_no].append(_other_amount(evidence, case))
    for case in evidence.cases(NOT_LISTED):
        names[case.order_no] = case.order_id
        told[case.order_no].append(
            f"a create was acknowledged at {when(evidence, case.done_ns)}, and a list sent at "
            f"{when(evidence, case.sent_ns)} was empty"
        )
    for case in evidence.cases(ABSENT):
        names[case.order_no] = case.order_id
        told[case.order_no].append(
            f"a create was acknowledged at {when(evidence, case.done_ns)}, and a list sent at "
            f"{when(evidence, case.sent_ns)} and read to its end named {case.listed} others"
        )
    for case in evidence.cases(LISTED_TWICE):
        names[case.order_no] = case.order_id
        told[case.order_no].append(f"a list sent at {when(evidence, case.sent_ns)} named it {case.times} times")
    for case in evidence.cases(ANOTHERS):
        names[case.order_no] = case.order_id
        told[case.order_no].append(f"{case.user_id} created it, and the books give it to {case.booked}")
    for number, order, clause in contradicted(evidence):
        names[number] = order
        told[number].append(clause)
    proofs = proof(evidence, told)
    findings = tuple(
        Finding(
            subject=names[number], message=f"Order {names[number]}: {'; '.join(told[number])}.", evidence=proofs[number]
        )
        for number in sorted(told)
    )
    return CheckResult(
        examined=reads + lists,
        findings=findings,
        notes=(
            f"{reads} reads and {lists} lists followed an acknowledged write",
            f"the amounts of {named} orders were held against what was asked for",
        ),
        measured=float(len(findings)),
        objective=0.0,
        unit="orders",
    )


def _other_amount(evidence: Evidence, case: SimpleNamespace) -> str:
    """Who names which amount of an order instead of the one that its customer asked for."""
    asked = " or ".join(amount(minor, case.asked_currency) for minor in case.amounts)
    here = amount(case.amount_minor, case.currency)
    if case.source == "books":
        return f"it was asked for over {asked}, and the books have it over {here}"
    who = {"create": "the answer to its create", "read": "a read", "list": "a list"}.get(
        case.source, "its owner's last read"
    )
    return f"it was asked for over {asked}, and {who}, done at {when(evidence, case.at_ns)}, showed it over {here}"


def _shown(state: str | None, case: object) -> str:
    """What a read showed that was behind."""
    currency = getattr(case, "currency", None)
    pairs = (
        ("less_paid", "paid_minor", "written_paid_minor", "with {} paid instead of {}"),
        ("less_refunded", "refunded_minor", "written_refunded_minor", "with {} refunded instead of {}"),
    )
    parts = [f"it {state}"] if getattr(case, "older", False) else ["it"]
    for wrong, shown, written, words in pairs:
        if getattr(case, wrong, False):
            parts.append(words.format(amount(getattr(case, shown), currency), amount(getattr(case, written), currency)))
    return " ".join(parts)


CHECK = Check(
    name="read_your_writes",
    promise="What a customer has been told is done shows in all that is read afterwards, and no answer denies it.",
    function=check,
    needs=frozenset(
        {
            Premise.BOOKS_WHOLE,
            Premise.FAULTS_CONFIRMED,
            Premise.IDS_UNIQUE,
            Premise.OWNERS_ASKED,
            Premise.ROWS_COUNTED,
            Premise.SAME_BUILD,
        }
    ),
    facts=("F05", "F24"),
    unit="orders",
)
