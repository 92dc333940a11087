"""Hand-written histories for refund_in_window, about what is called done: half of order C, asked back at 6 s."""

from functools import partial
from typing import Any

import msgspec

from harness.verdict import Status
from tests.histories.builder import Run
from tests.histories.order_stories import two_good_orders
from tests.histories.story import BROKEN, CRIES_WOLF, MISSES, Story


def called_done(
    *,
    back: float | None = 7.0,
    answer: bool = False,
    read: float | None = None,
    last: bool = False,
    number: str = "R-1",
) -> Run:
    """WeChat Pay gave it back at `back`; its answer at 6.1 s, a read done at `read` or the last read called it done."""
    run = two_good_orders()
    done: dict[str, Any] = {"refunds_done": ("r1",)}
    journey = run.paid_order("C", at=3.0)
    journey.refund(6.0, 6.1, "C", 500, result_id="r1", state="paid", http=201, **(done if answer else {}))
    if read is not None:
        shown: dict[str, Any] = {"state": "paid", "amount_minor": 1000, "paid_minor": 1000} | done
        journey.read(read - 0.05, read, "C", **shown)
    run.books_refund("r1", "C", "wechat", "R-1", 500)
    run.books_order("C", journey, "paid", refunded=500)
    if last:
        run.final_read("C", journey, state="paid", amount_minor=1000, paid_minor=1000, **done)
    if back is not None:
        run.ledger("wechat").refunded(back - 0.2, "C-1", "C", 500, number)
    return run


def goodwill() -> Run:
    run = called_done()
    owner = run.journey(20.0)
    owner.create(20.0, 20.1, "D")
    owner.read(21.0, 21.1, "D", state="open", amount_minor=1000, refunds_done=("k1",))
    run.books_order("D", owner, "closed", at=20.0)
    run.books_refund("k1", "D", "wechat", "K-1", 100, requested=False, compensation=True)
    return run


def of_a_stranger() -> Run:
    run = called_done()
    run.journey(6.0).read(6.2, 6.3, "C", state="paid", amount_minor=1000, refunds_done=("r1",))
    return run


def never_sent_and_late() -> Run:
    """Owed, never given back, and called done: one finding, about the money."""
    return called_done(back=None, answer=True)


def by_a_clock_with_an_error() -> Run:
    """WeChat Pay's ledger has a clock of its own, known within 0.9 s."""
    run = called_done(answer=True)
    sources = tuple(
        msgspec.structs.replace(source, clock="utc") if source.name == "wechat" else source
        for source in run.scenario.sources
    )
    run.scenario = msgspec.structs.replace(run.scenario, sources=sources)
    run.clocks.append({"source": "wechat", "at_ns": run.conduct.load_start_ns, "offset_ns": 0, "error_ns": 900_000_000})
    return run


def ledger_not_whole() -> Run:
    run = called_done(answer=True)
    del run.ledger("wechat").rows[0]
    return run


PASS, FAIL = Status.PASS, Status.FAIL
SAID_DONE_STORIES = (
    Story(
        column=BROKEN,
        entry="called done by its own answer",
        tell=partial(called_done, answer=True),
        status=FAIL,
        subjects=("C",),
        says=(
            "by the answer to a refund, done at +6.100 s",
            "refund r1 of 5.00 CNY",
            "wechat gave it back at +7.000 s",
        ),
    ),
    Story(
        column=MISSES,
        entry="called done by a read, and in time in the end",
        tell=partial(called_done, read=6.5),
        status=FAIL,
        subjects=("C",),
        says=("by the answer to a read",),
    ),
    Story(
        column=BROKEN,
        entry="called done and never sent",
        tell=never_sent_and_late,
        status=FAIL,
        subjects=("C",),
        says=("had not come at",),
    ),
    Story(
        column=CRIES_WOLF, entry="called done when it was", tell=partial(called_done, read=7.1, last=True), status=PASS
    ),
    Story(column=CRIES_WOLF, entry="goodwill called done", tell=goodwill, status=PASS),
    Story(column=CRIES_WOLF, entry="called done to a stranger", tell=of_a_stranger, status=PASS),
    Story(column=CRIES_WOLF, entry="done within the clock's error", tell=by_a_clock_with_an_error, status=PASS),
    Story(
        column=CRIES_WOLF,
        entry="called done, by a ledger that is not whole",
        tell=ledger_not_whole,
        status=PASS,
    ),
)
