"""Hand-written histories for idempotent_reply."""

from functools import partial
from typing import Any

import msgspec

from harness.verdict import Status
from tests.histories.builder import Journey, Run
from tests.histories.story import BROKEN, CRIES_WOLF, EMPTY, HOLDS, MISSES, UNDECIDED, Story

CUT = {"outcome": "info", "ending": "cut_body"}
BUSY: dict[str, Any] = {"outcome": "fail", "http": 503, "code": "system_busy"}
KEY = 90


def two_good_orders() -> Run:
    run = Run()
    run.paid_order("A", at=1.0)
    run.paid_order("B", at=2.0, method="card")
    return run


def owns(run: Run, journey: Journey, *orders: str, state: str = "closed") -> Run:
    for order in orders:
        run.books_order(order, journey, state)
        run.seen(order, journey, state=state)
    return run


def created_again(
    first: dict[str, object], again: dict[str, object], *orders: str, amounts: tuple[int, int] = (1000, 1000)
) -> Run:
    """A create sent twice with one key; the target then has these orders."""
    run = two_good_orders()
    journey = run.journey(3.0)
    for sent, amount, reply in ((3.0, amounts[0], first), (4.0, amounts[1], again)):
        more = {"order": None} | reply
        named = more.pop("order")
        journey.create(sent, sent + 0.5, named, amount, key=KEY, attempt=round(sent) - 2, **more)  # type: ignore[arg-type]
    journey.ends(13.0, "gave_up")
    return owns(run, journey, *orders)


def same_order_again() -> Run:
    return created_again({"order": "C"}, {"order": "C", "state": "paid"}, "C")


def lost_then_answered() -> Run:
    return created_again(dict(CUT), {"order": "C"}, "C")


def two_orders_answered() -> Run:
    return created_again({"order": "C"}, {"order": "D"}, "C", "D")


def another_amount_answered() -> Run:
    return created_again({"order": "C"}, {"order": "C", "amount_minor": 999}, "C")


def first_reply_lost_and_effect_repeated() -> Run:
    """The first create's answer was cut; both were carried out, and only one was ever named."""
    return created_again(dict(CUT), {"order": "D"}, "C", "D")


def repeated_effect_never_answered() -> Run:
    return created_again(dict(CUT), dict(CUT), "C", "D")


def never_answered() -> Run:
    return created_again(dict(CUT), dict(CUT), "C")


def never_answered_and_no_books() -> Run:
    run = never_answered()
    run.absent.add("books.orders")
    return run


def another_body_accepted() -> Run:
    return created_again({"order": "C"}, {"order": "C", "amount_minor": 1000}, "C", amounts=(1000, 2000))


def another_body_refused() -> Run:
    refusal = {"outcome": "fail", "http": 422, "code": "idempotency_key_reused"}
    return created_again({"order": "C"}, dict(refusal), "C", amounts=(1000, 2000))


def another_body(*requests: tuple[int, dict[str, Any]]) -> Run:
    """A key sent for these amounts, one after the other; the target then has order C."""
    run = two_good_orders()
    journey = run.journey(3.0)
    for attempt, (amount, reply) in enumerate(requests, start=1):
        named = "C" if reply == {} else None
        journey.create(2.0 + attempt, 2.5 + attempt, named, amount, key=KEY, attempt=attempt, **reply)
    journey.ends(13.0, "gave_up")
    return owns(run, journey, "C")


def another_body_of_a_refund() -> Run:
    """Half of it was promised; then all of it, under the same key."""
    run = two_good_orders()
    journey = run.paid_order("C", at=3.0)
    journey.refund(4.0, 4.5, "C", 500, key=KEY, result_id="R-1", amount_minor=500)
    journey.refund(5.0, 5.5, "C", 1000, key=KEY, attempt=2, result_id="R-1", amount_minor=500)
    run.books_refund("R-1", "C", "wechat", "R-1", 500)
    return run


def refused_first(http: int, outcome: str) -> Run:
    return created_again({"outcome": outcome, "http": http}, {"order": "C"}, "C")


def two_keys_two_orders() -> Run:
    run = two_good_orders()
    journey = run.journey(3.0)
    journey.create(3.0, 3.5, None, key=90, **CUT)  # type: ignore[arg-type]
    journey.create(4.0, 4.5, "C", key=90, attempt=2)
    journey.create(5.0, 5.5, "D", key=91)
    journey.ends(13.0, "gave_up")
    return owns(run, journey, "C", "D")


def replayed_anothers_key(outcome: str) -> Run:
    """One who asked twice for order C tried another's key too: the target then has order D of hers as well."""
    run = same_order_again()
    journey = next(row for row in run.lists if row["orders"] == ["C"])
    stranger = Journey(run=run, number=journey["journey"], user=journey["user"], phase="steady", intent=7)
    reply: dict[str, Any] = {"result_id": "D"} if outcome == "ok" else {"http": 422}
    stranger.does("trespass", 8.0, 8.1, order="A", named="D", tried="create", key=1, outcome=outcome, **reply)
    return owns(run, stranger, "D")


def left_without_an_answer() -> Run:
    run = two_good_orders()
    journey = run.journey(3.0, leaves_early=True)
    journey.create(3.0, 3.5, None, key=90, **CUT)  # type: ignore[arg-type]
    journey.create(4.0, 4.5, None, key=90, attempt=2, **CUT)  # type: ignore[arg-type]
    journey.ends(5.5, "left")
    return owns(run, journey, "C")


def forgotten_keys() -> Run:
    """The target remembers a key for 24 h; here for half a second, and the key came again after one."""
    run = two_orders_answered()
    capabilities = msgspec.structs.replace(run.scenario.capabilities, key_lives_ms=500)
    run.scenario = msgspec.structs.replace(run.scenario, capabilities=capabilities)
    journey = run.journey(5.0)
    journey.create(5.0, 5.1, "E", key=95)
    journey.create(5.2, 5.3, "E", key=95, attempt=2)
    journey.ends(15.0, "gave_up")
    return owns(run, journey, "E")


def paid_again(methods: tuple[str, str], keys: tuple[int, int], *charges: tuple[str, str]) -> Run:
    """Order C paid for twice; providers then kept these charges."""
    run = two_good_orders()
    journey = run.journey(3.0)
    journey.create(3.0, 3.1, "C")
    journey.pay(3.2, 4.2, "C", methods[0], key=keys[0], **CUT)
    journey.pay(4.5, 5.0, "C", methods[1], key=keys[1], attempt=2, state="paid", result_id="p-1")
    journey.ends(5.0)
    for provider, number in charges:
        run.payment("C", provider, number, "paid")
        run.ledger(provider).captured(4.0, number, "C", 1000)
    return owns(run, journey, "C", state="paid")


def charged_once() -> Run:
    return paid_again(("wechat", "wechat"), (90, 90), ("wechat", "C-1"))


def charged_twice() -> Run:
    return paid_again(("wechat", "wechat"), (90, 90), ("wechat", "C-1"), ("wechat", "C-2"))


def charged_twice_and_given_back() -> Run:
    run = charged_twice()
    run.ledger("wechat").refunded(6.0, "C-2", "C", 1000, "R-1")
    return run


def charged_twice_and_going_back() -> Run:
    """The second charge's refund was accepted when the run was cut short, and is not done."""
    run = charged_twice()
    run.ledger("wechat").refunded(6.0, "C-2", "C", 1000, "R-1", done=False)
    return run


def pending_again(*attempts: str) -> Run:
    """Told twice that it is being worked on, with these attempts' ids."""
    run = two_good_orders()
    journey = run.journey(3.0)
    journey.create(3.0, 3.1, "C")
    for number, attempt in enumerate(attempts, start=1):
        sent = 3.0 + number
        journey.pay(sent, sent + 0.5, "C", key=90, attempt=number, outcome="info", http=202, result_id=attempt)
    journey.ends(13.0, "gave_up")
    return owns(run, journey, "C")


def another_method_with_its_own_key() -> Run:
    run = paid_again(("wechat", "alipay"), (90, 91), ("wechat", "C-1"), ("alipay", "C-2"))
    journey = run.journey(5.0)
    journey.create(5.0, 5.1, "E", key=95)
    journey.create(5.2, 5.3, "E", key=95, attempt=2)
    return owns(run, journey, "E")


def refunded_again(*refunds: str) -> Run:
    run = two_good_orders()
    journey = run.paid_order("C", at=3.0)
    journey.refund(4.0, 4.5, "C", 300, key=90, **CUT)
    journey.refund(5.0, 5.5, "C", 300, key=90, attempt=2, result_id=refunds[-1], amount_minor=300)
    for refund in refunds:
        run.books_refund(refund, "C", "wechat", refund, 300)
    return run


def fifty_at_once() -> Run:
    run = two_good_orders()
    journey = run.journey(3.0)
    for attempt in range(1, 51):
        if attempt == 7:
            journey.create(3.0, 3.2, "C", key=90, attempt=attempt)
        else:
            journey.create(
                3.0, 3.1, None, key=90, attempt=attempt, outcome="info", http=409, code="request_in_progress"
            )
    return owns(run, journey, "C")


def no_keys() -> Run:
    run = same_order_again()
    capabilities = msgspec.structs.replace(run.scenario.capabilities, idempotent=())
    run.scenario = msgspec.structs.replace(run.scenario, capabilities=capabilities)
    return run


PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN
KEY_STORIES = (
    Story(column=EMPTY, entry="", tell=Run, status=UNKNOWN),
    Story(column=EMPTY, entry="a key that was sent once", tell=two_good_orders, status=UNKNOWN),
    Story(column=HOLDS, entry="", tell=same_order_again, status=PASS),
    Story(column=HOLDS, entry="a lost first reply", tell=lost_then_answered, status=PASS),
    Story(column=HOLDS, entry="another body refused", tell=another_body_refused, status=PASS),
    Story(column=HOLDS, entry="charged once", tell=charged_once, status=PASS),
    Story(column=HOLDS, entry="never answered", tell=never_answered, status=PASS, says=("only their effects",)),
    Story(column=HOLDS, entry="pending twice", tell=partial(pending_again, "p-1", "p-1"), status=PASS),
    Story(column=BROKEN, entry="two attempts", tell=partial(pending_again, "p-1", "p-2"), status=FAIL, subjects=("C",)),
    Story(column=HOLDS, entry="refunded once", tell=partial(refunded_again, "R-1"), status=PASS),
    Story(column=HOLDS, entry="fifty at once", tell=fifty_at_once, status=PASS),
    Story(
        column=BROKEN,
        entry="two results",
        tell=two_orders_answered,
        status=FAIL,
        subjects=("C",),
        says=("sent one create 2 times with key 90", "2 results: C, D", "made 2 orders with one key: C, D"),
    ),
    Story(
        column=BROKEN,
        entry="two amounts",
        tell=another_amount_answered,
        status=FAIL,
        subjects=("C",),
        says=("999, 1000",),
    ),
    Story(
        column=BROKEN,
        entry="another body accepted",
        tell=another_body_accepted,
        status=FAIL,
        subjects=("C",),
        says=("accepted again with another body",),
    ),
    Story(
        column=BROKEN,
        entry="another body of a refund accepted",
        tell=another_body_of_a_refund,
        status=FAIL,
        subjects=("C",),
        says=("sent one refund 2 times", "accepted again with another body"),
    ),
    Story(
        column=MISSES,
        entry="two bodies accepted after the first was refused",
        tell=partial(another_body, (1000, BUSY), (2000, {}), (3000, {})),
        status=FAIL,
        subjects=("C",),
        says=("accepted again with another body",),
    ),
    Story(
        column=CRIES_WOLF,
        entry="another body after a refusal without effect",
        tell=partial(another_body, (1000, BUSY), (2000, {})),
        status=PASS,
    ),
    Story(
        column=CRIES_WOLF,
        entry="another body after a request that may never have arrived",
        tell=partial(another_body, (1000, CUT), (2000, {})),
        status=PASS,
    ),
    Story(
        column=CRIES_WOLF,
        entry="another body whose answer was cut",
        tell=partial(another_body, (1000, {}), (2000, CUT)),
        status=PASS,
    ),
    Story(
        column=BROKEN,
        entry="charged twice",
        tell=charged_twice,
        status=FAIL,
        subjects=("C",),
        says=("made 2 charges that were kept with one key: C-1, C-2",),
    ),
    Story(
        column=BROKEN,
        entry="refunded twice",
        tell=partial(refunded_again, "R-1", "R-2"),
        status=FAIL,
        subjects=("C",),
        says=("made 2 refunds with one key: R-1, R-2",),
    ),
    Story(column=CRIES_WOLF, entry="key expired", tell=forgotten_keys, status=PASS),
    Story(
        column=CRIES_WOLF, entry="first answer was validation", tell=partial(refused_first, 422, "fail"), status=PASS
    ),
    Story(column=CRIES_WOLF, entry="first answer was 409", tell=partial(refused_first, 409, "info"), status=PASS),
    Story(column=CRIES_WOLF, entry="first answer was 429", tell=partial(refused_first, 429, "fail"), status=PASS),
    Story(column=CRIES_WOLF, entry="another method is a new key", tell=another_method_with_its_own_key, status=PASS),
    Story(column=CRIES_WOLF, entry="two keys, two orders", tell=two_keys_two_orders, status=PASS),
    Story(
        column=CRIES_WOLF,
        entry="another's key made an order of one's own",
        tell=partial(replayed_anothers_key, "ok"),
        status=PASS,
    ),
    Story(
        column=MISSES,
        entry="another's key was refused, and one's own made two orders",
        tell=partial(replayed_anothers_key, "fail"),
        status=FAIL,
        subjects=("C",),
    ),
    Story(column=CRIES_WOLF, entry="charged twice and given back", tell=charged_twice_and_given_back, status=PASS),
    Story(column=UNDECIDED, entry="charged twice and going back", tell=charged_twice_and_going_back, status=UNKNOWN),
    Story(
        column=MISSES,
        entry="only replies compared, not effects",
        tell=first_reply_lost_and_effect_repeated,
        status=FAIL,
        subjects=("D",),
        says=("made 2 orders with one key: C, D",),
    ),
    Story(
        column=MISSES,
        entry="an effect repeated that was never answered",
        tell=repeated_effect_never_answered,
        status=FAIL,
        subjects=("journey 7",),
    ),
    Story(
        column=UNDECIDED,
        entry="first outcome info and no second reply",
        tell=never_answered_and_no_books,
        status=UNKNOWN,
        says=("1 keys were sent again and never answered",),
    ),
    Story(column=UNDECIDED, entry="a customer who left without an answer", tell=left_without_an_answer, status=UNKNOWN),
    Story(column=UNDECIDED, entry="no keys", tell=no_keys, status=UNKNOWN, says=("claimed, but not offered",)),
)
