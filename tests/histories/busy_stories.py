"""Hand-written histories for busy_is_clear: the contract is 429 or 503, Retry-After, code busy, within 1 s."""

from typing import Any

import msgspec

from harness.verdict import Status
from tests.histories.builder import Journey, Run
from tests.histories.story import BROKEN, CRIES_WOLF, EMPTY, HOLDS, MISSES, UNDECIDED, Story


def refusal(**reply: Any) -> dict[str, Any]:
    """A busy answer as it must be, or spoiled."""
    return {"outcome": "fail", "http": 503, "code": "busy", "retry_after_s": 1.0} | reply


def refused(*, took: float = 0.2, **reply: Any) -> tuple[Run, Journey]:
    """An order whose first payment, by WeChat Pay at second 2, was refused, and which a card paid at second 4."""
    run = Run()
    journey = run.journey(1.0)
    journey.create(1.0, 1.1, "A", 1000)
    journey.pay(2.0, 2.0 + took, "A", "wechat", **(refusal(names="order") | reply))
    journey.pay(4.0, 4.4, "A", "card", state="paid", paid_minor=1000, amount_minor=1000)
    journey.ends(4.4)
    run.books_order("A", journey, "paid")
    run.payment("A", "card", "A-1", "paid")
    run.ledger("card").captured(4.2, "A-1", "A", 1000)
    run.seen("A", journey)
    return run, journey


def told(*, took: float = 0.2, **reply: Any) -> Run:
    return refused(took=took, **reply)[0]


def clear() -> Run:
    run, journey = refused()
    journey.create(5.0, 5.1, None, **refusal(names="key", http=429))
    return run


def without_retry_after() -> Run:
    return told(outcome="info", retry_after_s=None)


def create_without_its_key() -> Run:
    run, journey = refused()
    journey.create(5.0, 5.1, None, **refusal())
    return run


def order_denied_afterwards() -> Run:
    run, journey = refused()
    journey.read(3.0, 3.1, "A", outcome="fail", http=404, code="order_not_found")
    return run


def order_denied_at_the_end() -> Run:
    run, journey = refused()
    run.final_read("A", journey, outcome="fail", http=404, code="order_not_found")
    return run


def order_not_in_the_books() -> Run:
    run, _ = refused()
    run.orders = []
    return run


def charged_all_the_same() -> Run:
    run, _ = refused()
    run.ledger("wechat").captured(2.5, "A-2", order="A", amount=1000)
    return run


def charged_while_told_under_200() -> Run:
    run, _ = refused(outcome="info", http=200)
    run.ledger("wechat").captured(2.5, "A-2", order="A", amount=1000)
    return run


def charged_by_a_request_that_was_not_refused() -> Run:
    run, journey = refused()
    journey.pay(3.0, 3.5, "A", "wechat", outcome="info", ending="closed")
    run.ledger("wechat").captured(3.2, "A-2", order="A", amount=1000)
    return run


def charged_for_an_attempt_that_was_called_closed() -> Run:
    run, journey = refused()
    journey.pay(3.0, 3.5, "A", "wechat", outcome="fail", http=200, code="attempt_closed", result_id="payment-2")
    run.ledger("wechat").captured(6.0, "A-2", order="A", amount=1000)
    return run


def made_by_a_proxy() -> Run:
    run, journey = refused()
    journey.pay(3.0, 3.0, "A", "wechat", outcome="info", ending="reset")
    journey.pay(3.1, 3.2, "A", "wechat", outcome="info", http=502)
    journey.pay(3.3, 6.0, "A", "wechat", outcome="info", http=503)
    return run


def result_not_known() -> Run:
    run, journey = refused()
    busy = run.scenario.capabilities.busy
    assert busy is not None
    run.offers(busy=msgspec.structs.replace(busy, unknown_codes=("unavailable",)))
    journey.pay(3.0, 5.0, "A", "wechat", outcome="info", http=503, code="unavailable")
    return run


def told_to_wait(retry_after_s: float, most_s: int | None = None) -> Run:
    """Its Retry-After asks for so much; the contract publishes a longest, or none."""
    run = told(retry_after_s=retry_after_s)
    busy = run.scenario.capabilities.busy
    assert busy is not None
    run.offers(busy=msgspec.structs.replace(busy, most_retry_after_s=most_s))
    return run


def late_on_a_faulty_edge() -> Run:
    run = told(took=1.6)
    run.fault("slow", "network", "customer", 2.5, 3.0)
    return run


def refused_for_good() -> Run:
    run, journey = refused()
    journey.pay(5.0, 5.1, "A", "card", outcome="fail", http=409, code="order_paid")
    return run


def nobody_refused() -> Run:
    run = Run()
    run.paid_order("A")
    return run


PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN
BUSY_STORIES = (
    Story(column=EMPTY, entry="", tell=Run, status=UNKNOWN),
    Story(
        column=HOLDS,
        entry="",
        tell=clear,
        status=PASS,
        says=("1 creates were refused", "1 payments were refused"),
    ),
    Story(column=HOLDS, entry="another refusal meanwhile", tell=refused_for_good, status=PASS),
    Story(
        column=BROKEN,
        entry="without Retry-After",
        tell=without_retry_after,
        status=FAIL,
        subjects=("A",),
        says=("a payment by wechat, sent at +2.000 s", "was told busy without Retry-After"),
    ),
    Story(
        column=BROKEN,
        entry="without the order",
        tell=lambda: told(names=None),
        status=FAIL,
        subjects=("A",),
        says=("without the order that it is about",),
    ),
    Story(
        column=BROKEN,
        entry="a create without its key",
        tell=create_without_its_key,
        status=FAIL,
        subjects=("journey 1",),
        says=("without the key that it is about",),
    ),
    Story(
        column=BROKEN,
        entry="a code that nobody knows",
        tell=lambda: told(code="overloaded", outcome="info"),
        status=FAIL,
        subjects=("A",),
        says=("the code overloaded, which the contract does not know",),
    ),
    Story(
        column=BROKEN,
        entry="slower than 1 s",
        tell=lambda: told(took=1.6),
        status=FAIL,
        subjects=("A",),
        says=("only after 1.6 s",),
    ),
    Story(
        column=BROKEN,
        entry="told to come again after nobody is patient any more",
        tell=lambda: told_to_wait(1000.0),
        status=FAIL,
        subjects=("A",),
        says=("was told to come again after 1000 s, where customers are patient for 10 s",),
    ),
    Story(
        column=MISSES,
        entry="longer than the contract says",
        tell=lambda: told_to_wait(6.0, most_s=5),
        status=FAIL,
        subjects=("A",),
        says=("after 6 s, where the contract says at most 5 s",),
    ),
    Story(column=CRIES_WOLF, entry="as long as patience lasts", tell=lambda: told_to_wait(10.0), status=PASS),
    Story(
        column=CRIES_WOLF,
        entry="longer than patience, as published",
        tell=lambda: told_to_wait(30.0, most_s=30),
        status=PASS,
    ),
    Story(
        column=BROKEN,
        entry="its order denied afterwards",
        tell=order_denied_afterwards,
        status=FAIL,
        subjects=("A",),
        says=("is gone: a later read was answered order_not_found",),
    ),
    Story(
        column=BROKEN,
        entry="its order denied at the end",
        tell=order_denied_at_the_end,
        status=FAIL,
        subjects=("A",),
        says=("is gone: its owner's last read was answered order_not_found",),
    ),
    Story(
        column=BROKEN,
        entry="its order not in the books",
        tell=order_not_in_the_books,
        status=FAIL,
        subjects=("A",),
        says=("is gone: the target's own books do not hold it",),
    ),
    Story(
        column=BROKEN,
        entry="charged all the same",
        tell=charged_all_the_same,
        status=FAIL,
        subjects=("A",),
        says=("every payment by wechat was refused, and wechat took 10.00 CNY",),
    ),
    Story(column=CRIES_WOLF, entry="a reset or 502 that Toxiproxy made", tell=made_by_a_proxy, status=PASS),
    Story(column=CRIES_WOLF, entry="the result is not known", tell=result_not_known, status=PASS),
    Story(
        column=CRIES_WOLF,
        entry="late on the customer's own faulty edge",
        tell=late_on_a_faulty_edge,
        status=PASS,
        says=("1 answers were late",),
    ),
    Story(
        column=CRIES_WOLF,
        entry="charged by a request that was not refused",
        tell=charged_by_a_request_that_was_not_refused,
        status=PASS,
    ),
    Story(
        column=CRIES_WOLF,
        entry="charged late for an attempt that was called closed",
        tell=charged_for_an_attempt_that_was_called_closed,
        status=PASS,
    ),
    Story(
        column=MISSES,
        entry="busy told as HTTP 200",
        tell=lambda: told(outcome="info", http=200, retry_after_s=1.0),
        status=FAIL,
        subjects=("A",),
        says=("was told busy under HTTP 200",),
    ),
    Story(
        column=MISSES,
        entry="busy told as HTTP 200, and charged",
        tell=charged_while_told_under_200,
        status=FAIL,
        subjects=("A",),
        says=("and wechat took 10.00 CNY",),
    ),
    Story(column=MISSES, entry="none examined", tell=nobody_refused, status=UNKNOWN),
    Story(column=UNDECIDED, entry="below the floor", tell=nobody_refused, status=UNKNOWN),
)
