"""How does a finding tell its story: instants, amounts, and the rows that prove it?"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from harness.evidence.tables import Evidence
from harness.verdict import CheckResult

MAX_ROWS = 60
"""Rows of one kind in one finding; what is beyond is cut and said."""

HISTORY_OF_ORDERS = """
SELECT o.order_no, p.id, p.op, p.method, p.key_no, p.attempt, p.sent_ns, p.done_ns, p.outcome, p.ending, p.http, p.code,
       p.state, coalesce(p.asked_minor, p.amount_minor) AS amount_minor, p.result_id
FROM operations AS p JOIN orders AS o ON o.order_id = p.order_id
WHERE o.order_no IN (SELECT unnest($order_nos)) AND p.op <> 'journey' ORDER BY o.order_no, p.sent_ns, p.id
"""

LEDGER_OF_ORDERS = """
SELECT n.order_no, l.provider, l.seq, l.kind, l.at_ns, l.number, l.refund_number, l.amount_minor, l.fault
FROM ledger AS l JOIN (SELECT provider, number, coalesce(order_no, booked_order_no) AS order_no FROM our_numbers) AS n
  USING (provider, number)
WHERE n.order_no IN (SELECT unnest($order_nos))
  AND l.kind IN ('accepted', 'captured', 'closed', 'failed', 'refund_accepted', 'refunded')
ORDER BY n.order_no, l.at_ns, l.provider, l.seq
"""

BOOKS_OF_ORDERS = """
SELECT o.order_no, 'order' AS book, b.order_id AS id, NULL AS provider, NULL AS number, b.raw_state,
       b.paid_minor AS amount_minor, b.refunded_minor AS other_minor
FROM books_orders AS b JOIN orders AS o USING (order_id) WHERE o.order_no IN (SELECT unnest($order_nos))
UNION ALL
SELECT o.order_no, 'payment', b.payment_id, b.provider, b.number, b.raw_state, b.amount_minor, b.captured_minor
FROM books_payments AS b JOIN orders AS o USING (order_id) WHERE o.order_no IN (SELECT unnest($order_nos))
UNION ALL
SELECT o.order_no, 'refund', b.refund_id, b.provider, b.number, b.raw_state, b.amount_minor, NULL
FROM books_refunds AS b JOIN orders AS o USING (order_id) WHERE o.order_no IN (SELECT unnest($order_nos))
ORDER BY ALL
"""

RELEASES_OF_ORDERS = """
SELECT order_no, source, seq, at_ns, line, note FROM order_releases
WHERE order_no IN (SELECT unnest($order_nos)) ORDER BY order_no, at_ns, source, seq
"""
QUESTIONS = (
    ("history", HISTORY_OF_ORDERS),
    ("ledger", LEDGER_OF_ORDERS),
    ("books", BOOKS_OF_ORDERS),
    ("releases", RELEASES_OF_ORDERS),
)


def when(evidence: Evidence, at_ns: int) -> str:
    """An instant for people: seconds since the load's start, and UTC."""
    utc = datetime.fromtimestamp(evidence.utc_ms(at_ns) / 1000, tz=UTC)
    return f"{since_start(evidence, at_ns):+.3f} s ({utc:%H:%M:%S}.{utc.microsecond // 1000:03d} UTC)"


def since_start(evidence: Evidence, at_ns: int) -> float:
    """Seconds since the load's start."""
    return round((at_ns - evidence.start_ns) / 1e9, 3)


def seconds(duration_ns: int) -> str:
    """A duration for people."""
    return f"{duration_ns / 1e9:.1f} s"


def proof(evidence: Evidence, order_nos: Iterable[int]) -> dict[int, dict[str, object]]:
    """What history, ledgers, books and releases hold of these orders, by order_no; JSON values only."""
    wanted = sorted(set(order_nos))
    told: dict[int, dict[str, object]] = {number: {} for number in wanted}
    if wanted:
        for name, query in QUESTIONS:
            for number, rows in _by_order(evidence, query, wanted).items():
                told[number][name] = rows[:MAX_ROWS]
                if len(rows) > MAX_ROWS:
                    told[number][f"{name}_rows_left_out"] = len(rows) - MAX_ROWS
    return told


def entry(evidence: Evidence, row: Mapping[str, Any]) -> dict[str, object]:
    """One row as evidence, without what it does not say; `_ns` becomes seconds since the load's start."""
    shown: dict[str, object] = {}
    for name, value in row.items():
        if value is not None:
            instant = name.endswith("_ns")
            shown[name.removesuffix("_ns") + "_s" if instant else name] = (
                since_start(evidence, value) if instant else value
            )
    return shown


def operation(evidence: Evidence, row: Mapping[str, Any]) -> dict[str, object]:
    """The same of an operation of a customer, by its `id`, with the trace under which the target knows it."""
    return entry(evidence, row) | {"trace_id": evidence.traces.trace_id(row["id"])}


def _by_order(evidence: Evidence, query: str, order_nos: Sequence[int]) -> dict[int, list[dict[str, object]]]:
    cursor = evidence.execute(query, order_nos=list(order_nos))
    names = [column[0] for column in cursor.description or ()]
    found: dict[int, list[dict[str, object]]] = defaultdict(list)
    tell = operation if query is HISTORY_OF_ORDERS else entry
    for row in cursor.fetchall():
        found[row[0]].append(tell(evidence, dict(zip(names[1:], row[1:], strict=True))))
    return found


def without_ledger(evidence: Evidence) -> CheckResult | None:
    """Not offered where the target file declares no provider's ledger, so that nobody saw what moved; else None."""
    if any(source.kind == "ledger" for source in evidence.scenario.sources):
        return None
    return CheckResult(examined=0, not_offered="no provider's ledger is declared")


def reasons(counts: Iterable[tuple[int, str]]) -> tuple[str, ...]:
    """Sentences "<count> <why>" for `CheckResult.reasons`; empty counts say nothing."""
    return tuple(sorted(f"{count} {why}" for count, why in counts if count))


def unreadable(evidence: Evidence, examined: int, *sources: str) -> CheckResult | None:
    """All cases undecided where a source is missing without which nothing can be said; else None."""
    lacking = sorted(name for name in evidence.missing if name.startswith(sources))
    if not lacking:
        return None
    return CheckResult(examined=examined, undecided=examined, reasons=(f"no evidence: {', '.join(lacking)}",))
