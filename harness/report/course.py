"""What happened to an order, by every source, in the order of instants?

Customers' operations, the target's own log, the providers' ledgers, releases, vouchers and
discrepancies, and the faults that were on meanwhile. The words for an operation and for the books
are those of a story in a verdict (`harness.report.stories`). Asked for many orders at once, since each
question costs a scan of its table, whether for one order or for thousands.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.evidence.tables import Evidence
from harness.money import amount
from harness.operation import Op, Outcome
from harness.report.stories import Row, asked, booked

NS_PER_S = 1_000_000_000
CUSTOMER, STRANGER, BOOKS_WORD, FAULT = "customer", "stranger", "books", "fault"
"""Who a moment is told of; else it is a provider or another source, by its name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """One line of the course."""

    at_ns: int
    who: str
    what: str
    minor: bool = False
    """A look that found what it sought, or a step towards an effect: no news by itself."""
    where: str = ""
    """Of a fault: what it strikes."""
    trace_id: str | None = None
    """Of a customer's operation: under which the target knows it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """One operation of a customer's, as it was sent; fields of the table `operations`."""

    op: str
    journey: int
    user: str
    key_no: int | None
    order_id: str | None
    method: str | None
    amount_minor: int | None
    tried: str | None
    sent_ns: int
    trace_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Course:
    """One order's story."""

    order_id: str
    user: str | None
    total_minor: int | None
    """What it costs; None where no source says."""
    currency: str | None
    sent: list[Asked] = field(default_factory=list)
    """What customers sent about it, in the order of sending; a create without an answer counts to its intent."""
    moments: list[Moment] = field(default_factory=list)
    """In the order of instants."""
    at_rest: str
    """How the books stood in the end."""


OWNERS = """
SELECT o.order_id, o.user_id, o.total_minor, coalesce(b.currency, p.currency) AS currency
FROM orders AS o LEFT JOIN books_orders AS b USING (order_id)
LEFT JOIN (SELECT order_id, min(currency) AS currency FROM operations GROUP BY order_id) AS p USING (order_id)
WHERE o.order_id IN (SELECT unnest($orders)) ORDER BY ALL
"""


def courses(evidence: Evidence, order_ids: Sequence[str]) -> dict[str, Course]:
    """The stories of these orders, by their ids; what no source names as an order has none. Costs some 50 ms."""
    orders = list(order_ids)
    owners = {row.order_id: row for row in evidence.cases(OWNERS, orders=orders)}
    sent: dict[str, list[Asked]] = defaultdict(list)
    told: dict[str, list[Moment]] = defaultdict(list)
    for order_id, request, moment in _operations(evidence, orders):
        sent[order_id].append(request)
        told[order_id].append(moment)
    currencies = {order_id: row.currency for order_id, row in owners.items()}
    for order_id, moment in _target_and_providers(evidence, orders, currencies):
        told[order_id].append(moment)
    faults = evidence.cases(FAULTS)
    for order_id in owners:
        told[order_id] += _faults(faults, told[order_id])
    for order_id, moment in _last_reads(evidence, orders):
        told[order_id].append(moment)
    books: dict[str, list[Row]] = defaultdict(list)
    for row in evidence.cases(BOOKS, orders=orders):
        books[row.order_id].append(vars(row))
    return {
        order_id: Course(
            order_id=order_id,
            user=row.user_id,
            total_minor=row.total_minor,
            currency=row.currency,
            sent=sent[order_id],
            moments=sorted(told[order_id], key=lambda moment: moment.at_ns),
            at_rest=booked(books[order_id], row.currency),
        )
        for order_id, row in owners.items()
    }


OPERATIONS = """
WITH asked AS (SELECT * FROM orders WHERE order_id IN (SELECT unnest($orders))),
about AS (
    SELECT o.order_id AS about_order_id, o.journey AS owner, p.* FROM operations AS p
    JOIN asked AS o ON p.order_id = o.order_id
    UNION ALL
    SELECT o.order_id, o.journey, p.* FROM operations AS p
    JOIN asked AS o ON p.journey = o.journey AND p.intent IS NOT DISTINCT FROM o.intent
    WHERE p.order_id IS NULL AND p.op IN ('create', 'list'))
SELECT p.about_order_id, p.id, p.op, p.journey, j.user_id, p.key_no, p.asked_order_id, p.method, p.asked_minor, p.tried,
       p.sent_ns, p.done_ns, p.outcome, p.ending, p.http, p.code, p.state, p.offers, p.build
FROM about AS p LEFT JOIN journeys AS j ON j.journey = p.journey
WHERE p.op NOT IN ('journey', 'request') ORDER BY p.about_order_id, p.sent_ns, p.id
"""


def _operations(evidence: Evidence, orders: list[str]) -> Iterator[tuple[str, Asked, Moment]]:
    """What customers sent about each order, and how it reads; keys are counted order by order."""
    keys: dict[str, dict[int, int]] = defaultdict(dict)
    for row in evidence.cases(OPERATIONS, orders=orders):
        counted = keys[row.about_order_id]
        key = None if row.key_no is None else counted.setdefault(row.key_no, len(counted) + 1)
        request = Asked(
            op=row.op,
            journey=row.journey,
            user=row.user_id or "",
            key_no=row.key_no,
            order_id=row.asked_order_id,
            method=row.method,
            amount_minor=row.asked_minor,
            tried=row.tried,
            sent_ns=row.sent_ns,
            trace_id=evidence.traces.trace_id(row.id),
        )
        yield row.about_order_id, request, _told(row, key, request.trace_id)


def _told(row: Any, key: int | None, trace_id: str) -> Moment:
    who = STRANGER if row.op == Op.TRESPASS else CUSTOMER
    look = row.op in {Op.READ, Op.LIST} and row.outcome == Outcome.OK
    return Moment(at_ns=row.sent_ns, who=who, what=_request(row, key), minor=look, trace_id=trace_id)


def _request(row: Any, key: int | None) -> str:
    story = {"op": row.tried if row.op == Op.TRESPASS else row.op, "sent_s": row.sent_ns / NS_PER_S}
    seen = {"method": row.method, "ending": row.ending, "http": row.http, "code": row.code, "state": row.state}
    story |= {name: value for name, value in seen.items() if value is not None}
    if row.done_ns is not None:
        story["done_s"] = row.done_ns / NS_PER_S
    more = f", told to try {' or '.join(row.offers)}" if row.offers else ""
    return f"{asked(story, key)} [{row.outcome}{f', build {row.build}' if row.build else ''}]{more}"


EFFECTS = frozenset({"captured", "refunded", "closed", "failed"})
"""Kinds of a ledger's rows that move money or end a charge."""
REFUSED = 400
"""HTTP statuses from here on are no."""

TRANSITIONS = """
SELECT order_id, at_ns, kind, subject, from_state, to_state, build FROM books_transitions
WHERE order_id IN (SELECT unnest($orders)) ORDER BY order_id, at_ns, seq
"""
LEDGER = """
WITH mine AS (
    SELECT order_id, provider, number FROM numbers WHERE order_id IN (SELECT unnest($orders))
    UNION SELECT booked_order_id, provider, number FROM numbers WHERE booked_order_id IN (SELECT unnest($orders)))
SELECT n.order_id, l.at_ns, l.provider, l.kind, l.number, l.refund_number, l.amount_minor, l.currency, l.op, l.http,
       l.fault, l.note
FROM ledger AS l JOIN mine AS n USING (provider, number)
WHERE l.at_ns IS NOT NULL ORDER BY n.order_id, l.at_ns, l.provider, l.seq
"""
RELEASES = """
SELECT order_id, at_ns, source, kind, line FROM releases
WHERE order_id IN (SELECT unnest($orders)) ORDER BY order_id, at_ns, source, seq
"""
AFFECTED = """
SELECT order_id, at_ns, reason FROM books_affected
WHERE order_id IN (SELECT unnest($orders)) ORDER BY order_id, at_ns, reason
"""
VOUCHERS = """
SELECT order_id, at_ns, voucher_id, amount_minor, currency FROM books_vouchers
WHERE order_id IN (SELECT unnest($orders)) ORDER BY order_id, at_ns, voucher_id
"""
DISCREPANCIES = """
WITH mine AS (
    SELECT order_id, provider, number FROM numbers WHERE order_id IN (SELECT unnest($orders))
    UNION SELECT booked_order_id, provider, number FROM numbers WHERE booked_order_id IN (SELECT unnest($orders))),
told AS (
    SELECT order_id, at_ns, provider, number, kind FROM books_discrepancies WHERE order_id IN (SELECT unnest($orders))
    UNION SELECT n.order_id, d.at_ns, d.provider, d.number, d.kind
    FROM books_discrepancies AS d JOIN mine AS n USING (provider, number))
SELECT * FROM told ORDER BY order_id, at_ns, provider, number, kind
"""
READS = """
SELECT order_id, sent_ns, outcome, http, code, state FROM reads
WHERE order_id IN (SELECT unnest($orders)) ORDER BY order_id, sent_ns
"""


def _target_and_providers(
    evidence: Evidence, orders: list[str], currencies: Mapping[str, str | None]
) -> Iterator[tuple[str, Moment]]:
    """What the target booked and did, and what each provider did."""
    for row in evidence.cases(TRANSITIONS, orders=orders):
        subject = "order" if row.subject == row.order_id else f"{row.kind} {row.subject}"
        build = f" (build {row.build})" if row.build else ""
        step = f"{row.from_state or 'new'} -> {row.to_state}"
        yield row.order_id, Moment(at_ns=row.at_ns, who=BOOKS_WORD, what=f"{subject}: {step}{build}")
    for row in evidence.cases(LEDGER, orders=orders):
        what = _entry(row, currencies.get(row.order_id))
        minor = row.kind not in EFFECTS and row.fault is None and (row.http is None or row.http < REFUSED)
        yield row.order_id, Moment(at_ns=row.at_ns, who=row.provider, what=what, minor=minor)
    for row in evidence.cases(RELEASES, orders=orders):
        what = f"{row.kind}{f' ({row.line})' if row.line else ''}"
        yield row.order_id, Moment(at_ns=row.at_ns, who=row.source, what=what)
    for row in evidence.cases(AFFECTED, orders=orders):
        yield row.order_id, Moment(at_ns=row.at_ns, who=BOOKS_WORD, what=f"affected: {row.reason}")
    for row in evidence.cases(VOUCHERS, orders=orders):
        money = amount(row.amount_minor, row.currency)
        yield row.order_id, Moment(at_ns=row.at_ns, who=BOOKS_WORD, what=f"voucher {row.voucher_id} of {money}")
    for row in evidence.cases(DISCREPANCIES, orders=orders):
        what = f"discrepancy with {row.provider}'s bill: {row.kind} {row.number or ''}".rstrip()
        yield row.order_id, Moment(at_ns=row.at_ns, who=BOOKS_WORD, what=what)


def _last_reads(evidence: Evidence, orders: list[str]) -> Iterator[tuple[str, Moment]]:
    """What each order's owner read when all was over."""
    for row in evidence.cases(READS, orders=orders):
        answer = " ".join(str(each) for each in (row.http, row.code) if each is not None) or "no answer"
        state = f", the order is {row.state}" if row.state else ""
        told = f"last read: {answer}{state} [{row.outcome}]"
        yield row.order_id, Moment(at_ns=row.sent_ns, who=CUSTOMER, what=told)


def _entry(row: Any, currency: str | None) -> str:
    """One row of a ledger, all that it says."""
    what = f"{row.kind} {row.number}"
    what += f", refund {row.refund_number}" if row.refund_number else ""
    what += f": {amount(row.amount_minor, row.currency or currency)}" if row.amount_minor is not None else ""
    call = " ".join(str(each) for each in (row.op, row.http) if each is not None)
    more = [each for each in (call, f"fault {row.fault}" if row.fault else "", row.note or "") if each]
    return what + (f" ({'; '.join(more)})" if more else "")


FAULTS = """
SELECT "describe", "where", start_ns, end_ns, standing FROM faults WHERE start_ns IS NOT NULL ORDER BY start_ns, number
"""


def _faults(faults: Iterable[Any], moments: Iterable[Moment]) -> list[Moment]:
    """Beginning and end of each fault that was on while these things happened."""
    instants = [moment.at_ns for moment in moments]
    if not instants:
        return []
    first_ns, last_ns = min(instants), max(instants)
    told: list[Moment] = []
    for row in faults:
        met = row.start_ns <= last_ns and (row.end_ns is None or row.end_ns >= first_ns)
        if row.standing or met:
            edge = "all along" if row.standing else "begins"
            told.append(Moment(at_ns=row.start_ns, who=FAULT, what=f"{edge}: {row.describe}", where=row.where))
            if row.end_ns is not None and not row.standing:
                told.append(Moment(at_ns=row.end_ns, who=FAULT, what=f"over: {row.describe}", where=row.where))
    return told


BOOKS = """
WITH held AS (
    SELECT order_id, 'order' AS book, NULL AS number, raw_state, paid_minor AS amount_minor,
           refunded_minor AS other_minor FROM books_orders
    UNION ALL SELECT order_id, 'payment', number, raw_state, amount_minor, captured_minor FROM books_payments
    UNION ALL SELECT order_id, 'refund', number, raw_state, amount_minor, NULL FROM books_refunds)
SELECT * FROM held WHERE order_id IN (SELECT unnest($orders)) ORDER BY ALL
"""
