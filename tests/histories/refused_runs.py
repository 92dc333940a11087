"""Runs in which a customer is refused a refund, with and without cause.

Orders C and D cost 10.00 CNY each; D's customer, of whom these tell, was told at 4.4 s that it is paid.
"""

from typing import Any

import msgspec

from harness.documents import SourceRecord
from tests.histories.builder import Journey, Run, ns
from tests.histories.refund_runs import half_back


def good() -> tuple[Run, Journey]:
    """C's half came back in time; nothing was asked for of D yet."""
    run, _ = half_back()
    return run, run.paid_order("D", at=4.0)


def refused(amount: int = 500, *, http: int = 409, code: str | None = "nothing_to_refund", **more: Any) -> Run:
    """D's customer asked for `amount` at 6.0 s, and was refused."""
    run, journey = good()
    says_no(journey, amount, http=http, code=code, **more)
    return run


def says_no(journey: Journey, amount: int = 500, at: float = 6.0, http: int = 409, **more: Any) -> None:
    journey.refund(at, at + 0.1, "D", amount, **{"outcome": "fail", "http": http, "code": "nothing_to_refund"} | more)


def comes_back(run: Run, at: float, amount: int = 500, *, requested: bool = True, refund: str = "d1") -> None:
    """So much of D went back, and stands in the books, whoever asked for it."""
    number = f"D-{refund}"
    run.ledger("wechat").refunded(at - 0.2, "D-1", "D", amount, number)
    run.books_refund(refund, "D", "wechat", number, amount, requested=requested)


def refused_without_cause() -> Run:
    return refused()


def all_of_it_refused() -> Run:
    return refused(1000)


def refused_with_a_400() -> Run:
    return refused(http=400, code=None)


def refused_after_a_busy_answer() -> Run:
    """Told to come again, it came again with the same key."""
    run, journey = good()
    journey.refund(5.0, 5.1, "D", 500, outcome="fail", http=503, code="busy", retry_after_s=1.0, key=77)
    says_no(journey, key=77, attempt=2)
    return run


def back_too_late() -> Run:
    run = refused()
    comes_back(run, 20.0)
    return run


def back_all_the_same() -> Run:
    run = refused()
    comes_back(run, 9.0)
    return run


def another_part_asked_before(first: int, second: int, outcome: str = "ok") -> Run:
    """So much had been asked for 0.1 s before, and came back after the refusal."""
    run, journey = good()
    http = 201 if outcome == "ok" else None
    result = "d1" if outcome == "ok" else None
    journey.refund(5.9, 6.05, "D", first, outcome=outcome, http=http, result_id=result)
    if outcome == "ok":
        comes_back(run, 7.0, first)
    says_no(journey, second)
    return run


def what_another_left_refused() -> Run:
    return another_part_asked_before(300, 500)


def another_half_asked_before() -> Run:
    return another_part_asked_before(500, 500)


def more_than_another_left() -> Run:
    return another_part_asked_before(600, 500)


def another_may_have_had_it() -> Run:
    return another_part_asked_before(600, 500, outcome="info")


def more_than_was_paid() -> Run:
    return refused(1001)


def nothing_asked_for() -> Run:
    return refused(0, http=400, code="invalid_request")


def busy() -> Run:
    return refused(http=503, code="busy", retry_after_s=1.0)


def busy_by_its_code() -> Run:
    """Under another status than the contract's, and without a word of when."""
    return refused(code="busy")


def come_again() -> Run:
    return refused(http=409, code="refund_running", retry_after_s=1.0)


def called_a_stranger() -> Run:
    run = refused(http=404, code="order_not_found")
    journey = run.paid_order("E", at=4.0)
    journey.refund(6.0, 6.1, "E", 500, outcome="fail", http=403, code="forbidden")
    return run


def form_not_taken() -> Run:
    return refused(http=426, code="schema_too_old")


def key_had_another_amount() -> Run:
    run, journey = good()
    says_no(journey, 300, at=5.0, http=503, code="busy", key=77)
    says_no(journey, http=422, code="key_reused", key=77)
    return run


def first_request_unanswered() -> Run:
    """The same key may have had its effect before it was refused."""
    run, journey = good()
    journey.refund(5.0, 5.5, "D", 500, outcome="info", ending="reset", http=None, key=77)
    says_no(journey, key=77, attempt=2)
    return run


def not_yet_told() -> Run:
    """Captured, and its customer had no answer to the payment when it asked."""
    run, _ = half_back()
    journey = run.journey(4.0)
    journey.create(4.0, 4.1, "D")
    journey.pay(4.2, 6.5, "D", state="paid", paid_minor=1000, amount_minor=1000)
    says_no(journey)
    journey.ends(6.5)
    run.books_order("D", journey, "paid", at=4.0)
    run.payment("D", "wechat", "D-1", "paid")
    run.ledger("wechat").captured(4.3, "D-1", "D", 1000)
    run.seen("D", journey)
    return run


def told_otherwise_since() -> Run:
    run, journey = good()
    journey.read(5.0, 5.1, "D", state="refunded", paid_minor=1000, refunded_minor=1000, amount_minor=1000)
    says_no(journey)
    return run


def captured_at(at: float) -> Run:
    """Told paid, though the provider took the money only then."""
    run = refused()
    for row in run.ledger("wechat").rows:
        if row.get("order") == "D":
            row["at_ns"] = ns(at)
    return run


def captured_after() -> Run:
    return captured_at(6.05)


def captured_before_by_a_clock_that_may_be_wrong() -> Run:
    """0.2 s before the request by WeChat Pay's clock, which is known to half a second."""
    run = captured_at(5.8)
    sources = tuple(
        SourceRecord(name=s.name, kind=s.kind, complete=True, attribution="order", clock="utc")
        if s.name == "wechat"
        else s
        for s in run.scenario.sources
    )
    run.scenario = msgspec.structs.replace(run.scenario, sources=sources)
    for row in run.ledger("wechat").rows:
        row["utc_ms"] = run_utc_ms(row["at_ns"])
    run.clocks.append({"source": "wechat", "at_ns": ns(0.0), "offset_ns": 0, "error_ns": 500_000_000})
    return run


def run_utc_ms(at_ns: int) -> float:
    return 1_700_000_000_000.0 + (at_ns - ns(0.0)) / 1e6


def closed_and_going_back_by_rule() -> Run:
    """The books do not honour it: all of it goes back unasked."""
    run, journey = good()
    says_no(journey, state="closed", code="order_closed")
    run.books_order("D", journey, "closed", at=4.0)
    comes_back(run, 9.0, 1000, requested=False)
    return run


def gone_back_unasked_before() -> Run:
    run, journey = good()
    comes_back(run, 5.0, 600, requested=False)
    says_no(journey)
    return run


def gone_back_before_and_not_booked() -> Run:
    run = gone_back_unasked_before()
    run.refunds = [row for row in run.refunds if row.refund != "d1"]
    return run


def a_stranger_had_it() -> Run:
    run, journey = good()
    stranger = run.journey(5.0)
    stranger.does("trespass", 5.0, 5.1, order="D", tried="refund", asked=600, http=201)
    says_no(journey)
    return run


def asked_again_and_had_it() -> Run:
    run, journey = good()
    says_no(journey)
    journey.refund(7.0, 7.1, "D", 500, result_id="d1", http=201)
    comes_back(run, 8.0)
    return run


def refused_a_moment_ago() -> Run:
    """5.2 s before the end of all evidence, and at rest."""
    run, journey = good()
    says_no(journey, at=55.0)
    return run


def refused_a_moment_ago_and_pending() -> Run:
    """The books have taken it on after all."""
    run = refused_a_moment_ago()
    run.books_refund("d1", "D", "wechat", "D-d1", 500, state="pending")
    run.transition(56.0, "refund", "d1", "D", old=None, new="pending")
    return run


def refused_a_moment_ago_and_running() -> Run:
    run = refused_a_moment_ago()
    run.ledger("wechat").refunded(57.0, "D-1", "D", 500, "D-d1", done=False)
    return run


def refused_a_moment_ago_and_not_at_rest() -> Run:
    run = refused_a_moment_ago()
    run.conduct = msgspec.structs.replace(run.conduct, quiescent_ns=None)
    return run


def refused_with_a_gap_in_the_ledger() -> Run:
    run = refused()
    run.ledger("wechat").rows[-1]["seq"] += 1
    return run


def refused_without_the_books_of_refunds() -> Run:
    run = refused()
    run.absent.add("books.refunds")
    return run
