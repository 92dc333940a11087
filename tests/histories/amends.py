"""What do hand-written histories of compensation and reconciliation have in common?

The rule: affected after 3 s unresolved, a tenth of the order, at least 100 and at most 2,000.
"""

from dataclasses import replace
from typing import Any

import msgspec

from harness.documents import CompensationRecord
from harness.operation import Method
from harness.targets.books import BookAffected, BookDiscrepancy, BookVoucher
from tests.histories.builder import Journey, Run, ns, utc_ms

RULE = CompensationRecord(
    unresolved_ms=3_000,
    percent=10,
    least_minor=100,
    most_minor=2_000,
    unresolved_states=("created", "sent", "unknown"),
)


def with_rule() -> Run:
    """An empty run of a target that publishes rule and books."""
    run = Run()
    run.offers(books=("vouchers", "affected", "discrepancies"), compensation=RULE)
    return run


def attempt(run: Run, order: str, begun: float, decided: float | None, *, to: str = "paid", number: str = "1") -> None:
    """The log's steps of one attempt; `decided` None: it has none but the first."""
    subject = f"payment-{order}-{order}-{number}"
    run.transition(begun, "payment", subject, order, old=None, new="created")
    if decided is not None:
        run.transition(decided, "payment", subject, order, old="created", new=to)


def quick(run: Run, order: str, at: float = 1.0, amount: int = 1000) -> Journey:
    """A whole good order whose attempt was resolved at once."""
    journey = run.paid_order(order, at, amount=amount)
    attempt(run, order, at + 0.2, at + 0.35)
    return journey


def slow(
    run: Run, order: str, at: float = 1.0, *, lasted: float = 4.0, amount: int = 1000, logged: float | None = None
) -> Journey:
    """An order that was paid by an attempt which took `lasted` seconds, and which the log calls `logged` long."""
    journey = run.journey(at, amount=amount)
    journey.create(at, at + 0.1, order, amount)
    journey.pay(at + 0.2, at + 1.2, order, outcome="info", http=202, state="paying")
    journey.read(at + lasted, at + lasted + 0.1, order, state="paying")
    journey.read(at + lasted + 1, at + lasted + 1.1, order, state="paid", paid_minor=amount, amount_minor=amount)
    journey.ends(at + lasted + 1.1)
    run.books_order(order, journey, "paid", amount, at=at)
    run.payment(order, "wechat", f"{order}-1", "paid", amount=amount)
    run.ledger("wechat").captured(at + 0.3, f"{order}-1", order, amount)
    run.seen(order, journey, amount=amount)
    attempt(run, order, at + 0.2, at + 0.2 + (lasted + 0.3 if logged is None else logged))
    return journey


def sent_back(run: Run, order: str, at: float = 1.0, amount: int = 1000) -> Journey:
    """An order that ran out of time; what was captured late went back unasked, 10.7 s after `at`."""
    journey = run.journey(at, amount=amount)
    journey.create(at, at + 0.1, order, amount)
    journey.pay(at + 0.2, at + 1.2, order, outcome="info", http=202, state="paying")
    journey.ends(at + 8.0, "gave_up")
    run.books_order(order, journey, "closed", amount, at=at)
    run.payment(order, "wechat", f"{order}-1", "paid", amount=amount)
    attempt(run, order, at + 0.2, at + 2.0, to="closed")
    run.ledger("wechat").captured(at + 10, f"{order}-1", order, amount)
    run.ledger("wechat").refunded(at + 10.5, f"{order}-1", order, amount, f"{order}-R")
    run.books_refund(f"refund-{order}", order, "wechat", f"{order}-R", amount, requested=False)
    run.seen(order, journey, state="closed", amount=amount)
    return journey


def busy(run: Run, order: str, at: float = 1.0) -> Journey:
    """An order whose only payment was answered busy."""
    journey = run.journey(at)
    journey.create(at, at + 0.1, order)
    journey.pay(at + 0.2, at + 0.3, order, outcome="fail", http=503, code="busy", retry_after_s=1.0)
    journey.ends(at + 5.0, "gave_up")
    run.books_order(order, journey, "closed", at=at)
    run.seen(order, journey, state="closed")
    return journey


def timed_out(run: Run, order: str, at: float = 1.0) -> Journey:
    """An order whose customer never saw the answer to her payment, which the target resolved at once."""
    journey = run.journey(at, leaves_early=True)
    journey.create(at, at + 0.1, order)
    journey.pay(at + 0.2, at + 5.2, order, outcome="info", ending="read_timeout")
    journey.ends(at + 5.2, "left")
    run.books_order(order, journey, "paid", at=at)
    run.payment(order, "wechat", f"{order}-1", "paid")
    attempt(run, order, at + 0.2, at + 0.5)
    run.ledger("wechat").captured(at + 0.4, f"{order}-1", order, 1000)
    run.seen(order, journey)
    return journey


def voucher(run: Run, order: str, worth: int = 100, at: float = 6.0, **more: Any) -> None:
    """A voucher in O."""
    number = len(run.vouchers) + 1
    row = BookVoucher(voucher=f"v-{number}", order=order, amount_minor=worth, currency="CNY", at_utc_ms=utc_ms(at))
    run.vouchers.append(replace(row, **more))


def listed(run: Run, order: str, reason: str = "unresolved", at: float = 5.0) -> None:
    """An order on the target's list."""
    run.affected.append(BookAffected(order=order, reason=reason, at_utc_ms=utc_ms(at)))


def planted(run: Run, at: float, number: str, note: str, order: str | None = None) -> None:
    """A row that a fault left out of WeChat Pay's bill, or put there."""
    more: dict[str, Any] = {"order": order, "amount_minor": 1000, "currency": "CNY", "fault": "planted", "note": note}
    run.ledger("wechat").add(at, "bill_planted", number, **more)


def named(run: Run, at: float, number: str, kind: str, order: str | None = None) -> None:
    """A discrepancy with WeChat Pay that the target's reconciliation named."""
    run.discrepancies.append(
        BookDiscrepancy(
            provider=Method.WECHAT, number=number, order=order, kind=kind, amount_minor=1000, at_utc_ms=utc_ms(at)
        )
    )


def read_at(run: Run, at: float) -> Run:
    """The books were read at this second."""
    run.conduct = msgspec.structs.replace(run.conduct, quiescent_ns=ns(at), books_read_ns=(ns(at), ns(at + 0.1)))
    return run
