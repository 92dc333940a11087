"""Was anyone charged twice for one thing?

Violated when, at rest, the providers' ledgers hold more captured than given back than an order
costs, or than an intent costs over the several orders that were made for it. A double charge that
was healed by a refund in time is no breach; it is reported with the time it was exposed.

Joined from the ledgers: a capture that the target's books have lost counts like any other. Two
intents are two purchases. What is running back, or may still be inside its window, is undecided.
"""

from collections import defaultdict
from types import SimpleNamespace

from harness.checks.check import Check, Premise
from harness.checks.proof import proof, reasons, seconds, unreadable, when, without_ledger
from harness.evidence.tables import Evidence
from harness.money import Bearer, amount, loss
from harness.verdict import CheckResult, Finding

NETS = """
CREATE OR REPLACE TEMP TABLE order_nets AS
WITH taken AS (
    SELECT order_no, sum(amount_minor) AS captured_minor, count(*) AS captures, max(at_ns) AS last_ns,
           max(back_by(provider, at_ns)) AS back_by_ns, min(currency) AS currency
    FROM captures WHERE order_no IS NOT NULL GROUP BY order_no),
back AS (
    SELECT order_no, sum(amount_minor) FILTER (done_ns IS NOT NULL) AS refunded_minor,
           sum(amount_minor) FILTER (running) AS running_minor
    FROM provider_refunds WHERE order_no IS NOT NULL AND NOT compensation GROUP BY order_no)
SELECT o.order_no, o.order_id, o.intent, o.total_minor, t.captures, t.last_ns, t.back_by_ns, t.currency,
       CAST(t.captured_minor AS BIGINT) AS captured_minor,
       CAST(coalesce(b.refunded_minor, 0) AS BIGINT) AS refunded_minor,
       CAST(coalesce(b.running_minor, 0) AS BIGINT) AS running_minor,
       x.why AS blind
FROM taken AS t JOIN orders AS o USING (order_no) LEFT JOIN back AS b USING (order_no)
LEFT JOIN blind_orders AS x USING (order_no) ORDER BY o.order_no
"""

COUNT_CHARGED = """
SELECT count(*), count(*) FILTER (total_minor IS NULL AND captures > 1 AND blind IS NULL),
       count(*) FILTER (blind IS NOT NULL)
FROM order_nets ORDER BY ALL
"""

UNATTRIBUTED = "SELECT count(*) FROM captures WHERE order_no IS NULL ORDER BY ALL"

OVERCHARGED = """
SELECT 'order' AS what, [order_no] AS order_nos, order_id AS subject, total_minor, captured_minor, refunded_minor,
       running_minor, back_by_ns, currency, coalesce(blind, '') AS blind
FROM order_nets WHERE captured_minor - refunded_minor > total_minor
UNION ALL
SELECT 'intent', list(n.order_no ORDER BY n.order_no), min(n.order_id), min(i.total_minor),
       CAST(sum(n.captured_minor) AS BIGINT), CAST(sum(n.refunded_minor) AS BIGINT),
       CAST(sum(n.running_minor) AS BIGINT), max(n.back_by_ns), min(n.currency), coalesce(min(n.blind), '')
FROM order_nets AS n JOIN intents AS i USING (intent)
WHERE n.captured_minor > n.refunded_minor GROUP BY n.intent
HAVING count(*) > 1 AND sum(n.captured_minor - n.refunded_minor) > min(i.total_minor)
   AND NOT bool_or(n.captured_minor - n.refunded_minor > n.total_minor)
ORDER BY 3, 1
"""

CHARGES = """
SELECT order_no, provider, number, at_ns, amount_minor, currency FROM captures
WHERE order_no IN (SELECT unnest($order_nos)) ORDER BY order_no, at_ns, provider, seq
"""

HEALED = """
WITH over AS (
    SELECT order_no, order_id, total_minor, captured_minor FROM order_nets
    WHERE captured_minor > total_minor AND captured_minor - refunded_minor <= total_minor),
taken AS (
    SELECT c.order_no, c.at_ns, o.total_minor, sum(c.amount_minor) OVER w AS so_far_minor
    FROM captures AS c JOIN over AS o USING (order_no)
    WINDOW w AS (PARTITION BY c.order_no ORDER BY c.at_ns, c.provider, c.seq)),
back AS (
    SELECT r.order_no, r.done_ns, o.captured_minor - o.total_minor AS excess_minor,
           sum(r.amount_minor) OVER w AS back_minor
    FROM provider_refunds AS r JOIN over AS o USING (order_no) WHERE r.done_ns IS NOT NULL AND NOT r.compensation
    WINDOW w AS (PARTITION BY r.order_no ORDER BY r.done_ns, r.provider, r.refund_number)),
since AS (SELECT order_no, min(at_ns) AS at_ns FROM taken WHERE so_far_minor > total_minor GROUP BY order_no),
until AS (SELECT order_no, min(done_ns) AS at_ns FROM back WHERE back_minor >= excess_minor GROUP BY order_no)
SELECT o.order_id, s.at_ns AS since_ns, u.at_ns AS healed_ns
FROM over AS o JOIN since AS s USING (order_no) JOIN until AS u USING (order_no)
ORDER BY u.at_ns - s.at_ns DESC, o.order_id
"""

MAX_NOTES = 10


def check(evidence: Evidence) -> CheckResult:
    """Hold captures less refunds of each order, and of each intent, against its price; a case is a charged order."""
    if (unseen := without_ledger(evidence)) is not None:
        return unseen
    evidence.execute(NETS)
    examined, priceless, blind = evidence.row(COUNT_CHARGED)
    stray: int = evidence.row(UNATTRIBUTED)[0]
    examined += stray
    nothing = unreadable(evidence, examined, "history")
    if nothing is not None:
        return nothing
    breaches, running, early = [], 0, 0
    for case in evidence.cases(OVERCHARGED):
        if case.blind:
            continue  # counted already: what went back may stand in what is missing
        if case.captured_minor - case.refunded_minor - case.running_minor <= case.total_minor:
            running += 1
        elif case.back_by_ns > evidence.until_ns:
            early += 1
        else:
            breaches.append(case)
    return CheckResult(
        examined=examined,
        undecided=stray + priceless + blind + running + early,
        reasons=reasons(
            [
                (stray, "captures name no order"),
                (priceless, "orders were charged more than once and nobody knows their price"),
                (blind, "orders were tried at a provider whose ledger is not whole"),
                (running, "orders were charged twice and the refund is still running"),
                (early, "orders were charged twice and may still be refunded in time"),
            ]
        ),
        findings=_findings(evidence, breaches),
        measured=float(sum(_excess_minor(case) for case in breaches)),
        objective=0.0,
        unit="minor units",
        notes=_healed(evidence),
    )


def _excess_minor(case: SimpleNamespace) -> int:
    excess: int = case.captured_minor - case.refunded_minor - case.total_minor
    return excess


def _findings(evidence: Evidence, breaches: list[SimpleNamespace]) -> tuple[Finding, ...]:
    order_nos = [number for case in breaches for number in case.order_nos]
    proofs = proof(evidence, order_nos)
    charges: dict[int, list[SimpleNamespace]] = defaultdict(list)
    for charge in evidence.cases(CHARGES, order_nos=order_nos):
        charges[charge.order_no].append(charge)
    return tuple(
        Finding(
            subject=case.subject,
            message=_story(evidence, case, [charge for number in case.order_nos for charge in charges[number]]),
            evidence=loss(Bearer.CUSTOMER, _excess_minor(case), case.currency)
            | (
                proofs[case.order_nos[0]]
                if case.what == "order"
                else {"orders": [proofs[number] for number in case.order_nos]}
            ),
        )
        for case in breaches
    )


def _story(evidence: Evidence, case: SimpleNamespace, charges: list[SimpleNamespace]) -> str:
    taken = "; ".join(
        f"{amount(charge.amount_minor, charge.currency)} at {charge.provider} under {charge.number} "
        f"at {when(evidence, charge.at_ns)}"
        for charge in charges
    )
    what = (
        f"Order {case.subject}"
        if case.what == "order"
        else f"One purchase, made as {len(case.order_nos)} orders ({case.subject} and others),"
    )
    return (
        f"{what} costs {amount(case.total_minor, case.currency)} and was charged "
        f"{amount(case.captured_minor, case.currency)}: {taken}. "
        f"{amount(case.refunded_minor, case.currency)} went back; "
        f"{amount(_excess_minor(case), case.currency)} too much stays taken."
    )


def _healed(evidence: Evidence) -> tuple[str, ...]:
    """Double charges that were given back, the longest exposed first."""
    healed = evidence.rows(HEALED)
    notes = [
        f"healed: order {order} was charged twice from {when(evidence, since_ns)} for {seconds(healed_ns - since_ns)}"
        for order, since_ns, healed_ns in healed[:MAX_NOTES]
    ]
    if len(healed) > MAX_NOTES:
        notes.append(f"healed: {len(healed) - MAX_NOTES} more double charges, all exposed for a shorter time")
    return tuple(notes)


CHECK = Check(
    name="no_double_charge",
    promise="Nobody pays twice for one thing.",
    function=check,
    needs=frozenset(
        {
            Premise.CONDUCT_TOLD,
            Premise.FAULTS_CONFIRMED,
            Premise.IDS_UNIQUE,
            Premise.LEDGERS_WHOLE,
            Premise.QUIESCENT,
            Premise.ROWS_COUNTED,
            Premise.SAME_BUILD,
        }
    ),
    facts=("F02", "F04"),
    unit="minor units",
)
