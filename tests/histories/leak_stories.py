"""Hand-written histories for no_leak: what the scanner finds in a reply is what stands in its row."""

import base64

from harness.load.leaks import Scanner
from harness.load.personal import Canaries
from harness.verdict import Status
from tests.histories.builder import Run
from tests.histories.settings import RUN_ID
from tests.histories.story import BROKEN, CRIES_WOLF, EMPTY, HOLDS, MISSES, UNDECIDED, Story

ME = Canaries(seed=1, run_id=RUN_ID).of(3)


def found(body: str, **headers: str) -> tuple[str, ...]:
    """Kinds that the scanner of this run finds in a reply."""
    return Scanner(seed=1, run_id=RUN_ID).kinds(headers, body.encode())


def two_good_orders() -> Run:
    run = Run()
    run.paid_order("A", at=1.0)
    run.paid_order("B", at=2.0, method="card")
    return run


def refused(body: str, http: int = 409, **headers: str) -> Run:
    """A third customer's payment by card is refused with this reply."""
    run = two_good_orders()
    journey = run.journey(3.0)
    journey.create(3.0, 3.1, "C")
    journey.pay(3.2, 3.3, "C", "card", outcome="fail", http=http, code="order_paid", leaks=found(body, **headers))
    journey.ends(3.3, "declined")
    return run


def card_number_in_an_error() -> Run:
    return refused(f'{{"error":{{"code":"order_paid","message":"Not by {ME.card}."}}}}')


def stack_trace_in_a_500() -> Run:
    run = refused('Traceback (most recent call last):\n  File "/srv/api/orders.py", line 3, in show', http=500)
    run.paid_order("D", at=5.0)
    return run


def masked() -> Run:
    return refused(f'{{"contact":"{ME.phone[:3]}****{ME.phone[-4:]}","card":"{ME.card[:6]}******{ME.card[-4:]}"}}')


def in_a_header() -> Run:
    run = two_good_orders()
    run.journey(3.0).read(3.0, 3.1, "A", leaks=found("{}", **{"x-payer": ME.openid}))
    return run


def in_base64() -> Run:
    return refused(base64.b64encode(f'{{"phone":"{ME.phone}"}}'.encode()).decode())


def again_and_again() -> Run:
    run = two_good_orders()
    journey = run.journey(3.0)
    journey.create(3.0, 3.1, "C", leaks=("phone",))
    journey.read(3.2, 3.3, "C", leaks=("openid", "phone"))
    return run


def anothers_order_in_a_list() -> Run:
    run = two_good_orders()
    run.journey(3.0).list(3.0, 3.1, 2, leaks=("other_order",))
    return run


def in_a_log() -> Run:
    run = two_good_orders()
    run.log_leaks += [{"source": "api", "line": line, "kind": "phone"} for line in (7, 9)]
    return run


def on_the_status_page() -> Run:
    run = two_good_orders()
    run.offers(operations=("status",))
    run.sample(1.0)
    run.sample(2.0, leaks=["path"])
    return run


def logs_not_looked_through() -> Run:
    run = two_good_orders()
    run.absent.add("log_leaks")
    return run


def never_answered() -> Run:
    run = Run()
    journey = run.journey(1.0)
    journey.create(1.0, 6.0, None, outcome="info", ending="read_timeout")
    return run


PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN
LEAK_STORIES = (
    Story(column=EMPTY, entry="", tell=Run, status=UNKNOWN),
    Story(column=HOLDS, entry="", tell=two_good_orders, status=PASS, says=("4 replies and 0 samples",)),
    Story(
        column=BROKEN,
        entry="",
        tell=card_number_in_an_error,
        status=FAIL,
        subjects=("C",),
        says=("A pay by card of user-", "+3.200 s", "answered 409 order_paid with a card number in it."),
    ),
    Story(
        column=BROKEN,
        entry="a stack trace",
        tell=stack_trace_in_a_500,
        status=FAIL,
        subjects=("C",),
        says=("answered 500 order_paid with a file path and a stack trace in it",),
    ),
    Story(column=BROKEN, entry="base64", tell=in_base64, status=FAIL, subjects=("C",), says=("with a phone number",)),
    Story(
        column=BROKEN,
        entry="another customer's order",
        tell=anothers_order_in_a_list,
        status=FAIL,
        subjects=("journey 7",),
        says=("A list of user-7", "with another customer's order in it"),
    ),
    Story(
        column=BROKEN,
        entry="several replies to one customer",
        tell=again_and_again,
        status=FAIL,
        subjects=("C",),
        says=(
            "A create",
            "with a phone number in it; 2 replies to this customer held an openid and a phone number",
        ),
    ),
    Story(column=CRIES_WOLF, entry="masked values", tell=masked, status=PASS),
    Story(
        column=MISSES,
        entry="error bodies only: a header",
        tell=in_a_header,
        status=FAIL,
        subjects=("journey 7",),
        says=("A read", "answered 200 with an openid in it"),
    ),
    Story(
        column=MISSES,
        entry="error bodies only: a log",
        tell=in_a_log,
        status=FAIL,
        subjects=("log of api",),
        says=("Line 7 of the log of api holds a phone number; 2 lines in all",),
    ),
    Story(
        column=MISSES,
        entry="error bodies only: the status page",
        tell=on_the_status_page,
        status=FAIL,
        subjects=("status page",),
        says=("answered 200 at +2.000 s", "held a file path; 1 samples in all"),
    ),
    Story(column=UNDECIDED, entry="none examined", tell=never_answered, status=UNKNOWN),
    Story(
        column=UNDECIDED,
        entry="logs not looked through",
        tell=logs_not_looked_through,
        status=UNKNOWN,
        says=("1 set of logs was not looked through",),
    ),
)
