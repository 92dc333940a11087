"""Hand-written histories of orders and their releases, for `fulfilment_stories`: 6 s to release, at rest at 60 s."""

import msgspec

from tests.histories.builder import Journey, Run, ns, utc_ms


def paid(*orders: str, released_after: float | None = 0.2) -> Run:
    """Orders paid at 1.4 s, 2.4 s, ... by their log, and released a moment later."""
    run = Run()
    run.dispatches()
    for number, order in enumerate(orders):
        pays(run, order, 1.0 + number, released_after)
    return run


def pays(run: Run, order: str, at: float, released_after: float | None = 0.2) -> Journey:
    journey = run.paid_order(order, at=at)
    logs(run, order, at, "paid")
    if released_after is not None:
        run.release(at + 0.4 + released_after, order)
    return journey


def logs(run: Run, order: str, at: float, *states: str) -> None:
    """The order's way in the log, a tenth of a second a step and the last at 0.4 s."""
    old: str | None = None
    for number, new in enumerate(("open", "paying", *states)):
        run.transition(at + 0.1 + 0.15 * number, "order", order, order, old=old, new=new)
        old = new


def asks_back(run: Run, journey: Journey, at: float) -> None:
    """The owner of order B, paid at 2 s, asks for all of it, and has it a moment later."""
    journey.refund(at, at + 0.1, "B", 1000, result_id="refund-B")
    run.transition(at + 0.4, "order", "B", "B", old="paid", new="refunded")
    run.books_order("B", journey, "refunded", refunded=1000, at=2.0)
    run.books_refund("refund-B", "B", "wechat", "B-r", 1000)
    run.ledger("wechat").refunded(at + 0.1, "B-1", "B", 1000, "B-r")


def unpaid(run: Run, order: str, state: str = "closed", at: float = 1.0) -> Journey:
    journey = run.journey(at)
    journey.create(at, at + 0.1, order)
    journey.ends(at + 10.0, "gave_up")
    run.books_order(order, journey, state, at=at)
    run.seen(order, journey, state=state)
    return journey


def all_released() -> Run:
    run = paid("A", "B")
    unpaid(run, "C")
    return run


def released_twice_by_a_repeated_notice() -> Run:
    run = paid("A", "B")
    for at in (1.35, 1.5, 1.6):
        run.ledger("wechat").add(at, "notice", "A-1", order="A", op="capture", http=204)
    run.release(1.7, "A", note="repeat")
    return run


def notice_repeated_and_released_once() -> Run:
    run = paid("A", "B")
    for at in (1.35, 1.5, 1.6):
        run.ledger("wechat").add(at, "notice", "A-1", order="A", op="capture", http=204)
    run.release(1.7, "A", kind="repeated_key")
    return run


def booked_and_not_effected() -> Run:
    """The target's log says that the order is fulfilled; nobody was told."""
    run = paid("A")
    pays(run, "B", 2.0, None)
    run.transition(3.0, "release", "release-B", "B", old=None, new="done")
    return run


def released_too_late() -> Run:
    return paid("A", released_after=7.0)


def released_when_the_database_was_back() -> Run:
    run = paid("A", released_after=9.0)
    run.fault("down", "network", "database", 1.0, 5.0)
    return run


def released_late_though_only_a_provider_was_slow() -> Run:
    run = paid("A", released_after=9.0)
    run.fault("slow_answers", "provider", "wechat", 1.0, 5.0)
    return run


def unpaid_and_released(state: str) -> Run:
    run = paid("A")
    unpaid(run, "B", state)
    run.release(3.0, "B")
    return run


def closed_and_released() -> Run:
    return unpaid_and_released("closed")


def open_and_released() -> Run:
    return unpaid_and_released("open")


def given_back_unasked_and_released() -> Run:
    """Captured too late, and given back by rule: the order is none that may be fulfilled."""
    run = paid("A")
    journey = unpaid(run, "B", "refunded", 2.0)
    journey.pay(2.2, 3.2, "B", outcome="info")
    run.ledger("wechat").captured(12.0, "B-1", "B", 1000)
    run.ledger("wechat").refunded(12.5, "B-1", "B", 1000, "B-r")
    run.payment("B", "wechat", "B-1", "paid")
    run.books_refund("refund-B", "B", "wechat", "B-r", 1000, requested=False)
    run.release(12.6, "B")
    return run


def given_back_unasked_and_not_released() -> Run:
    run = given_back_unasked_and_released()
    run.releases.pop()
    return run


def released_before_its_money_was_taken() -> Run:
    run = paid("A")
    pays(run, "B", 2.0, None)
    run.release(2.25, "B")
    return run


def released_for_a_forged_notice() -> Run:
    """The books call it paid; no provider ever took anything."""
    run = paid("A", "B")
    run.ledgers["wechat"].rows = [row for row in run.ledgers["wechat"].rows if row.get("order") != "B"]
    for seq, row in enumerate(run.ledgers["wechat"].rows, 1):
        row["seq"] = seq
    return run


def released_without_anyone_knowing_the_order() -> Run:
    run = paid("A")
    run.release(3.0, "Z")
    return run


def paid_in_cash() -> Run:
    run = released_for_a_forged_notice()
    run.offers(offline_payment=True)
    return run


def given_back_at_once_on_request() -> Run:
    run = paid("A")
    journey = pays(run, "B", 2.0, None)
    asks_back(run, journey, 2.5)
    return run


def given_back_on_request_long_after_and_never_released() -> Run:
    run = paid("A")
    journey = pays(run, "B", 2.0, None)
    asks_back(run, journey, 12.5)
    return run


def given_back_unasked_long_after_its_release() -> Run:
    """It was paid and released; that it was given back later is another promise's matter."""
    run = paid("A")
    journey = pays(run, "B", 2.0)
    run.transition(12.9, "order", "B", "B", old="paid", new="refunded")
    run.books_order("B", journey, "refunded", refunded=1000, at=2.0)
    return run


def released_before_the_watermark() -> Run:
    run = paid("A")
    run.releases.insert(0, {"seq": 1, "kind": "released", "at_ns": ns(-5.0), "utc_ms": utc_ms(-5.0), "order": "A"})
    for seq, row in enumerate(run.releases, 1):
        row["seq"] = seq
    run.conduct = msgspec.structs.replace(run.conduct, watermark=run.conduct.watermark | {"dispatch": 1})
    return run


def released_for_another_run() -> Run:
    run = paid("A")
    run.release(3.0, "Z", run="r-another")
    return run


def paid_a_moment_ago() -> Run:
    run = paid("A")
    pays(run, "B", 57.0, None)
    return run


def still_moving() -> Run:
    run = unpaid_and_released("paying")
    run.conduct = msgspec.structs.replace(run.conduct, quiescent_ns=None)
    return run


def not_all_releases_read() -> Run:
    run = paid("A")
    pays(run, "B", 2.0, None)
    run.absent.add("releases.dispatch")
    return run


def a_ledger_is_missing() -> Run:
    run = released_for_a_forged_notice()
    run.absent.add("ledger.wechat")
    return run


def books_are_missing() -> Run:
    run = all_released()
    run.absent.add("books.orders")
    return run


def only_info() -> Run:
    """Neither books nor the owner's own read say whether it is paid; its payment was never answered."""
    run = Run()
    run.dispatches()
    run.scenario = msgspec.structs.replace(
        run.scenario, capabilities=msgspec.structs.replace(run.scenario.capabilities, books=())
    )
    journey = run.journey(1.0)
    journey.create(1.0, 1.1, "A")
    journey.pay(1.2, None, "A", outcome="info")
    run.ledger("wechat").captured(1.3, "A-1", "A", 1000)
    run.final_read("A", journey, outcome="info")
    return run


def nobody_dispatches() -> Run:
    run = Run()
    run.paid_order("A")
    return run
