"""What happened to one order, by every source, in the order of instants?

Customers' operations, the target's own log, the providers' ledgers, releases, vouchers and
discrepancies, and the faults that were on meanwhile. The words for an operation and for the books
are those of a story in a verdict (`harness.report.stories`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from harness.evidence.tables import Evidence
from harness.money import amount
from harness.operation import Op
from harness.report.stories import asked, booked

NS_PER_S = 1_000_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """One line of the course."""

    at_ns: int
    who: str
    what: str


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


OPERATIONS = """
SELECT p.op, p.journey, j.user_id, p.key_no, p.asked_order_id, p.method, p.asked_minor, p.tried, p.sent_ns, p.done_ns,
       p.outcome, p.ending, p.http, p.code, p.state, p.offers, p.build, o.journey AS owner
FROM operations AS p JOIN orders AS o ON o.order_id = $order_id LEFT JOIN journeys AS j ON j.journey = p.journey
WHERE p.op NOT IN ('journey', 'request')
  AND (p.order_id = $order_id OR (p.journey = o.journey AND p.intent IS NOT DISTINCT FROM o.intent
                                  AND p.order_id IS NULL AND p.op IN ('create', 'list')))
ORDER BY p.sent_ns, p.id
"""


def operations(evidence: Evidence, order_id: str) -> tuple[list[Asked], list[Moment]]:
    """What customers sent about the order, and how it reads; a create without an answer counts to its intent."""
    keys: dict[int, int] = {}
    sent: list[Asked] = []
    told: list[Moment] = []
    for row in evidence.cases(OPERATIONS, order_id=order_id):
        key = None if row.key_no is None else keys.setdefault(row.key_no, len(keys) + 1)
        sent.append(
            Asked(
                op=row.op,
                journey=row.journey,
                user=row.user_id or "",
                key_no=row.key_no,
                order_id=row.asked_order_id,
                method=row.method,
                amount_minor=row.asked_minor,
                tried=row.tried,
                sent_ns=row.sent_ns,
            )
        )
        told.append(Moment(at_ns=row.sent_ns, who=_who(row), what=_request(row, key)))
    return sent, told


def _who(row: Any) -> str:
    return "stranger" if row.op == Op.TRESPASS else "customer"


def _request(row: Any, key: int | None) -> str:
    story = {"op": row.tried if row.op == Op.TRESPASS else row.op, "sent_s": row.sent_ns / NS_PER_S}
    seen = {"method": row.method, "ending": row.ending, "http": row.http, "code": row.code, "state": row.state}
    story |= {name: value for name, value in seen.items() if value is not None}
    if row.done_ns is not None:
        story["done_s"] = row.done_ns / NS_PER_S
    more = f", told to try {' or '.join(row.offers)}" if row.offers else ""
    return f"{asked(story, key)} [{row.outcome}{f', build {row.build}' if row.build else ''}]{more}"


TRANSITIONS = """
SELECT at_ns, kind, subject, from_state, to_state, build FROM books_transitions
WHERE order_id = $order_id ORDER BY at_ns, seq
"""
LEDGER = """
SELECT l.at_ns, l.provider, l.kind, l.number, l.refund_number, l.amount_minor, l.currency, l.op, l.http, l.fault, l.note
FROM ledger AS l JOIN (SELECT provider, number FROM numbers WHERE order_id = $order_id OR booked_order_id = $order_id)
  AS n USING (provider, number)
WHERE l.at_ns IS NOT NULL ORDER BY l.at_ns, l.provider, l.seq
"""
RELEASES = "SELECT at_ns, source, kind, line FROM releases WHERE order_id = $order_id ORDER BY at_ns, source, seq"
AFFECTED = "SELECT at_ns, reason FROM books_affected WHERE order_id = $order_id ORDER BY at_ns, reason"
VOUCHERS = """
SELECT at_ns, voucher_id, amount_minor, currency FROM books_vouchers
WHERE order_id = $order_id ORDER BY at_ns, voucher_id
"""
DISCREPANCIES = """
SELECT at_ns, provider, number, kind FROM books_discrepancies WHERE order_id = $order_id
   OR EXISTS (SELECT 1 FROM numbers AS n WHERE n.provider = books_discrepancies.provider
              AND n.number = books_discrepancies.number AND $order_id IN (n.order_id, n.booked_order_id))
ORDER BY at_ns, provider, number
"""
READS = """
SELECT sent_ns, outcome, http, code, state, amount_minor, paid_minor, refunded_minor FROM reads
WHERE order_id = $order_id ORDER BY sent_ns
"""


def target_and_providers(evidence: Evidence, order_id: str, currency: str | None) -> Iterator[Moment]:
    """What the target booked and did, and what each provider did."""
    for row in evidence.cases(TRANSITIONS, order_id=order_id):
        subject = "order" if row.subject == order_id else f"{row.kind} {row.subject}"
        build = f" (build {row.build})" if row.build else ""
        step = f"{row.from_state or 'new'} -> {row.to_state}"
        yield Moment(at_ns=row.at_ns, who="books", what=f"{subject}: {step}{build}")
    for row in evidence.cases(LEDGER, order_id=order_id):
        yield Moment(at_ns=row.at_ns, who=row.provider, what=_entry(row, currency))
    for row in evidence.cases(RELEASES, order_id=order_id):
        yield Moment(at_ns=row.at_ns, who=row.source, what=f"{row.kind}{f' ({row.line})' if row.line else ''}")
    for row in evidence.cases(AFFECTED, order_id=order_id):
        yield Moment(at_ns=row.at_ns, who="books", what=f"affected: {row.reason}")
    for row in evidence.cases(VOUCHERS, order_id=order_id):
        money = amount(row.amount_minor, row.currency)
        yield Moment(at_ns=row.at_ns, who="books", what=f"voucher {row.voucher_id} of {money}")
    for row in evidence.cases(DISCREPANCIES, order_id=order_id):
        what = f"discrepancy with {row.provider}'s bill: {row.kind} {row.number or ''}".rstrip()
        yield Moment(at_ns=row.at_ns, who="books", what=what)


def last_read(evidence: Evidence, order_id: str) -> Iterator[Moment]:
    """What its owner read when all was over."""
    for row in evidence.cases(READS, order_id=order_id):
        answer = " ".join(str(each) for each in (row.http, row.code) if each is not None) or "no answer"
        state = f", the order is {row.state}" if row.state else ""
        yield Moment(at_ns=row.sent_ns, who="customer", what=f"last read: {answer}{state} [{row.outcome}]")


def _entry(row: Any, currency: str | None) -> str:
    """One row of a ledger, all that it says."""
    what = f"{row.kind} {row.number}"
    what += f", refund {row.refund_number}" if row.refund_number else ""
    what += f": {amount(row.amount_minor, row.currency or currency)}" if row.amount_minor is not None else ""
    call = " ".join(str(each) for each in (row.op, row.http) if each is not None)
    more = [each for each in (call, f"fault {row.fault}" if row.fault else "", row.note or "") if each]
    return what + (f" ({'; '.join(more)})" if more else "")


FAULTS = """
SELECT "describe", start_ns, end_ns, standing FROM faults
WHERE start_ns IS NOT NULL AND (standing OR (start_ns <= $last_ns AND coalesce(end_ns, $last_ns) >= $first_ns))
ORDER BY start_ns, number
"""


def faults(evidence: Evidence, moments: Iterable[Moment]) -> Iterator[Moment]:
    """Beginning and end of each fault that was on while these things happened."""
    instants = [moment.at_ns for moment in moments]
    if not instants:
        return
    for row in evidence.cases(FAULTS, first_ns=min(instants), last_ns=max(instants)):
        yield Moment(at_ns=row.start_ns, who="fault", what=f"begins: {row.describe}")
        if row.end_ns is not None and not row.standing:
            yield Moment(at_ns=row.end_ns, who="fault", what=f"over: {row.describe}")


BOOKS = """
SELECT 'order' AS book, NULL AS number, raw_state, paid_minor AS amount_minor, refunded_minor AS other_minor
FROM books_orders WHERE order_id = $order_id
UNION ALL SELECT 'payment', number, raw_state, amount_minor, captured_minor
FROM books_payments WHERE order_id = $order_id
UNION ALL SELECT 'refund', number, raw_state, amount_minor, NULL FROM books_refunds WHERE order_id = $order_id
ORDER BY ALL
"""


def at_rest(evidence: Evidence, order_id: str, currency: str | None) -> str:
    """How the books stood in the end."""
    return booked([vars(row) for row in evidence.cases(BOOKS, order_id=order_id)], currency)
