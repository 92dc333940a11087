"""Runs in which something goes back to customers, or should."""

from tests.histories.builder import Journey, Run, ns
from tests.histories.charge_stories import captures_without_a_row, paid_twice
from tests.histories.order_stories import two_good_orders
from tests.histories.orphan_stories import orphan


def half_back(*, done_at: float | None = 7.0, acknowledged: bool = True) -> tuple[Run, Journey]:
    """Order C was paid, and half of it asked back at 6.0 s; it came back at `done_at`, or never."""
    run = two_good_orders()
    journey = run.paid_order("C", at=3.0)
    if acknowledged:
        journey.refund(6.0, 6.1, "C", 500, result_id="r1", state="paid", http=201)
    else:
        journey.refund(6.0, 9.0, "C", 500, outcome="info", ending="read_timeout", http=None)
    run.books_refund("r1", "C", "wechat", "R-1", 500)
    run.books_order("C", journey, "paid", refunded=500)
    if done_at is not None:
        run.ledger("wechat").refunded(done_at - 0.2, "C-1", "C", 500, "R-1")
    return run, journey


def refunded_in_time() -> Run:
    return half_back()[0]


def booked_and_never_sent() -> Run:
    """The books call the refund done; the provider never heard of it."""
    return half_back(done_at=None)[0]


def refunded_late() -> Run:
    return half_back(done_at=20.0)[0]


def less_than_was_accepted() -> Run:
    """The provider accepted 5.00 CNY to go back, and 0.01 CNY went."""
    run, _ = half_back()
    run.ledger("wechat").rows[-1]["amount_minor"] = 1
    return run


def provider_was_down(done_at: float) -> Run:
    """WeChat Pay was killed at 6.5 s and answered again at 15 s."""
    run, _ = half_back(done_at=done_at)
    run.processes += [
        {"service": "wechat", "event": "killed", "pid": 7, "start_time": 1.0, "at_ns": ns(6.5)},
        {"service": "wechat", "event": "ready", "pid": 8, "start_time": 15.0, "at_ns": ns(15.0)},
    ]
    return run


def back_soon_after_recovery() -> Run:
    return provider_was_down(20.0)


def back_long_after_recovery() -> Run:
    return provider_was_down(30.0)


def edge_was_down(edge: str) -> Run:
    """Nobody could connect to a provider from 6.5 s to 15 s."""
    run, _ = half_back(done_at=20.0)
    run.fault("down", "network", edge, 6.5, 15.0)
    return run


def unreachable() -> Run:
    return edge_was_down("wechat")


def another_unreachable() -> Run:
    return edge_was_down("card")


def two_halves(*, second: float | None) -> Run:
    """Two partial refunds, asked in one order and paid in the other."""
    run, journey = half_back(done_at=None)
    journey.refund(7.0, 7.1, "C", 200, result_id="r2", http=201)
    run.books_refund("r2", "C", "wechat", "R-2", 200)
    run.books_order("C", journey, "paid", refunded=700)
    run.ledger("wechat").refunded(8.0, "C-1", "C", 200, "R-2")
    if second is not None:
        run.ledger("wechat").refunded(second, "C-1", "C", 500, "R-1")
    return run


def partial_refunds_in_another_order() -> Run:
    return two_halves(second=9.0)


def second_answered_with_the_first() -> Run:
    """A second partial refund was told yes, with the first one's id, and no money went for it."""
    run, journey = half_back()
    journey.refund(7.0, 7.1, "C", 200, result_id="r1", amount_minor=500, http=201)
    return run


def key_refused_for_more() -> Run:
    """The key of the half that came back was sent again for all of it, and refused."""
    run = two_good_orders()
    journey = run.paid_order("C", at=3.0)
    journey.refund(6.0, 6.1, "C", 500, key=90, result_id="r1", state="paid", http=201)
    refusal = {"outcome": "fail", "http": 422, "code": "idempotency_key_reused"}
    journey.refund(7.0, 7.1, "C", 1000, key=90, attempt=2, **refusal)
    run.books_refund("r1", "C", "wechat", "R-1", 500)
    run.books_order("C", journey, "paid", refunded=500)
    run.ledger("wechat").refunded(6.8, "C-1", "C", 500, "R-1")
    return run


def one_of_two_partial_refunds() -> Run:
    return two_halves(second=None)


def owed_and_never_asked() -> Run:
    """Captured after the order was closed; nobody asked, nothing went back."""
    run = orphan(state="paid")
    run.payment("C", "wechat", "C-1", "paid")
    return run


def paid_twice_and_kept() -> Run:
    return captures_without_a_row()


def paid_twice_and_half_asked_back() -> Run:
    """What the customer asked for came; what was taken twice did not."""
    run, journey = paid_twice()
    journey.refund(6.0, 6.1, "C", 500, result_id="r1", http=201)
    run.books_refund("r1", "C", "card", "R-1", 500)
    run.books_order("C", journey, "paid", refunded=500)
    run.ledger("card").refunded(6.8, "C-1", "C", 500, "R-1")
    return run


def part_of_a_double_charge() -> Run:
    """Only a part of what was taken twice came back."""
    run, _ = paid_twice()
    run.ledger("wechat").refunded(4.0, "C-w", "C", 400, "R-1")
    return run


def order_gone_from_the_books() -> Run:
    run = orphan()
    run.orders = [row for row in run.orders if row.order != "C"]
    return run


def late_capture_given_back() -> Run:
    """Captured before `pay_by`, never honoured, given back 6 s after `pay_by`."""
    run = orphan(state="paid")
    run.ledger("wechat").refunded(17.0, "C-1", "C", 1000, "R-1")
    run.books_refund("r1", "C", "wechat", "R-1", 1000, requested=False)
    return run


def window_not_over() -> Run:
    """Asked back five seconds before the books were read."""
    run = two_good_orders()
    journey = run.paid_order("C", at=3.0)
    journey.refund(55.0, 55.1, "C", 300, result_id="r2", http=201)
    return run


def unanswered_and_running_and_not_booked() -> Run:
    """No answer, nothing in the books, yet a refund of that amount runs at the provider."""
    run, journey = half_back(done_at=None, acknowledged=False)
    run.refunds.clear()
    run.books_order("C", journey, "paid")
    run.ledger("wechat").refunded(6.5, "C-1", "C", 500, "R-1", done=False)
    return run


def unanswered_and_nowhere() -> Run:
    """No answer, and it stands neither in the books nor at the provider: no case."""
    run, journey = half_back(done_at=None, acknowledged=False)
    run.refunds.clear()
    run.books_order("C", journey, "paid")
    one = run.paid_order("D", at=4.0)
    one.refund(6.0, 6.1, "D", 500, result_id="r9", http=201)
    run.ledger("wechat").refunded(7.0, "D-1", "D", 500, "R-9")
    run.books_refund("r9", "D", "wechat", "R-9", 500)
    run.books_order("D", one, "paid", refunded=500)
    return run


def unanswered_but_booked() -> Run:
    """No answer, but the books took it on and the provider never heard of it."""
    return half_back(done_at=None, acknowledged=False)[0]


def refused_refund() -> Run:
    """Nothing was left to refund, said the target: no case."""
    run, journey = half_back()
    journey.refund(9.0, 9.1, "C", 900, outcome="fail", http=400, code="nothing_to_refund")
    return run
