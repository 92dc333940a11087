"""What does a customer see of an order? One statement reads it with its attempts and refunds."""

from collections.abc import Mapping
from datetime import UTC, datetime

import asyncpg
import msgspec

from compose.payment_api.model import Payment

SHOW = """
SELECT o.seq, o.id, o.state, o.line, o.merchant, o.amount_minor, o.currency, o.contact, o.paid_minor, o.refunded_minor,
       o.pay_by, o.created_at,
       coalesce((SELECT json_agg(json_build_object('id', p.id, 'method', p.method, 'state', p.state,
                                                   'amount_minor', p.amount_minor) ORDER BY p.seq)
                 FROM payments p WHERE p.order_id = o.id), '[]')::text AS attempts,
       coalesce((SELECT json_agg(json_build_object('id', r.id, 'amount_minor', r.amount_minor, 'state', r.state)
                                 ORDER BY r.seq)
                 FROM refunds r WHERE r.order_id = o.id), '[]')::text AS refunds
FROM orders o
"""
SHOW_ONE = SHOW + " WHERE o.id = $1 AND o.user_id = $2"
SHOW_ANYONES = SHOW + " WHERE o.id = $1"
"""Only for the defect other_order_readable_while_degraded."""
SHOW_PAGE = SHOW + " WHERE o.user_id = $1 AND o.seq < $2 ORDER BY o.seq DESC LIMIT $3"

_PLAIN = ("id", "state", "line", "merchant", "amount_minor", "currency", "paid_minor", "refunded_minor")


def order_view(row: asyncpg.Record) -> dict[str, object]:
    """An order as it stands in answers, from a row of SHOW."""
    view: dict[str, object] = {name: row[name] for name in _PLAIN}
    if row["contact"] is not None:
        view["contact"] = row["contact"]
    view["pay_by"] = instant(row["pay_by"])
    view["created_at"] = instant(row["created_at"])
    view["attempts"] = msgspec.Raw(row["attempts"].encode())
    view["refunds"] = msgspec.Raw(row["refunds"].encode())
    return view


STATE_AS_OF = """
SELECT to_state FROM transitions WHERE kind = 'order' AND order_id = $1
ORDER BY at <= $2 DESC, CASE WHEN at <= $2 THEN -seq ELSE seq END LIMIT 1
"""
"""The state at an instant; of an order that is younger its first."""


def as_a_replica_shows(view: Mapping[str, object], state: str) -> dict[str, object]:
    """Only for the defect stale_read_after_write: the order as it was when it was in this state."""
    lacking: dict[str, object] = {}
    if state in {"open", "paying", "closed"}:
        lacking["paid_minor"] = 0
    if state not in {"part_refunded", "refunded"}:
        lacking["refunded_minor"] = 0
    return {**view, "state": state, **lacking}


def as_it_was_made(view: Mapping[str, object]) -> dict[str, object]:
    """Only for the defect list_from_index."""
    return {**view, "state": "open", "paid_minor": 0, "refunded_minor": 0, "attempts": [], "refunds": []}


def all_called(parts: str, state: str) -> list[dict[str, object]]:
    """Only for the defects paid_said_failed and refund_said_done: a row's attempts or refunds, each in this state."""
    decoded: list[dict[str, object]] = msgspec.json.decode(parts)
    return [{**part, "state": state} for part in decoded]


def payment_view(payment: Payment) -> dict[str, object]:
    """An attempt as it stands in answers."""
    return {
        "id": payment.id,
        "method": payment.method.value,
        "state": payment.state.value,
        "amount_minor": payment.amount_minor,
    }


def instant(at: datetime | None) -> str | None:
    """RFC 3339 in UTC, to the millisecond."""
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
