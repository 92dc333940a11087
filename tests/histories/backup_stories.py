"""Hand-written histories for backup_channel: 90 % get there; WeChat Pay is down from second 10 to second 30."""

import msgspec

from harness.verdict import Status
from tests.histories.builder import Journey, Run, ns
from tests.histories.story import BROKEN, CRIES_WOLF, EMPTY, HOLDS, MISSES, UNDECIDED, Story

OTHERS = ("alipay", "card")


def begun() -> Run:
    run = Run()
    run.offers(offers_methods=True)
    run.conduct = msgspec.structs.replace(run.conduct, load_end_ns=ns(50.0))
    run.fault("refuse", "network", "wechat", 10.0, 30.0)
    for number in range(20):  # Alipay works all the time
        by_alipay(run, 9.0 + number)
    return run


def by_alipay(run: Run, at: float) -> None:
    order = f"P{at}"
    journey = run.paid_order(order, at=at, method="alipay")
    journey.phase = "fault"


def told(
    run: Run,
    at: float,
    offers: tuple[str, ...] = OTHERS,
    *,
    order: str | None = None,
    final: str | None = "paid",
    takes: str = "alipay",
    leaves_early: bool = False,
    **reply: object,
) -> Journey:
    """A customer of WeChat Pay who is refused, told of these methods, and takes one of them."""
    name = order or f"W{at}"
    journey = run.journey(at, phase="fault", leaves_early=leaves_early)
    journey.create(at, at + 0.05, name)
    refused: dict[str, object] = {"outcome": "fail", "code": "method_unavailable", "offers": offers} | reply
    journey.pay(at + 0.1, at + 0.15, name, "wechat", **refused)
    if final == "paid":
        journey.pay(at + 0.3, at + 0.4, name, takes, state="paid")
        run.ledger(takes).captured(at + 0.35, f"{name}-1", name, 1000)
    if final is not None:
        journey.ends(at + (0.5 if final == "paid" else 10.0), final)
    return journey


def led(offers: tuple[str, ...] = OTHERS) -> Run:
    run = begun()
    for number in range(12):
        told(run, 11.0 + number, offers)
    return run


def names_none() -> Run:
    run = led()
    told(run, 24.0, (), order="A")
    return run


def names_itself() -> Run:
    run = led()
    told(run, 24.0, ("wechat", "alipay"), order="A")
    return run


def names_only_the_dead() -> Run:
    """Both WeChat Pay and the acquirer are down, and it names the acquirer; Alipay works."""
    run = led(("alipay",))
    run.fault("refuse", "network", "card", 10.0, 30.0)
    for number in range(3):
        failed_by_card(run, 20.0 + number / 10)
    told(run, 24.0, ("card",), order="A")
    return run


def failed_by_card(run: Run, at: float) -> None:
    order = f"C{at}"
    journey = run.journey(at, phase="fault")
    journey.pay(at + 0.1, at + 0.2, order, "card", outcome="info", http=202, offers=("alipay",))
    journey.pay(at + 0.3, at + 0.4, order, "alipay", state="paid")
    run.ledger("alipay").captured(at + 0.35, f"{order}-1", order, 1000)
    journey.ends(at + 0.4)


def just_found_dead() -> Run:
    """The acquirer went down a moment ago; two payments had failed by then, so it could not be known."""
    run = led()
    run.fault("refuse", "network", "card", 23.5, 30.0)
    for number in range(2):
        failed_by_card(run, 23.5 + number / 10)
    told(run, 24.0, ("card", "alipay"))
    return run


def refused_after_alipay_was_struck(seconds: float) -> Run:
    """Alipay was struck as well, and is back; so long after its return a customer is told of nothing."""
    run = led()
    run.fault("refuse", "network", "alipay", 19.5, 20.5)
    for number in range(4):
        told(run, 26.5 + number / 10)
    told(run, 20.5 + seconds, (), order="A")
    return run


def nobody_gets_there() -> Run:
    run = led()
    for number in range(6):
        told(run, 12.5 + number, final="gave_up")
    return run


def all_are_down() -> Run:
    run = Run()
    run.offers(offers_methods=True)
    for method in ("wechat", "alipay", "card"):
        run.fault("refuse", "network", method, 10.0, 30.0)
    for number in range(12):
        journey = told(run, 11.0 + number, (), final="gave_up")
        for method in OTHERS:
            journey.pay(12.0 + number, 12.1 + number, f"W{11.0 + number}", method, outcome="fail")
    return run


def still_unresolved_elsewhere() -> Run:
    """Told to wait, since an earlier attempt by another method is not resolved: moving now could charge twice."""
    run = led()
    journey = run.journey(20.0, phase="fault")
    journey.create(20.0, 20.05, "A")
    journey.pay(20.1, 20.2, "A", "card", outcome="info", http=202, code="attempt_unknown")
    journey.pay(20.6, 20.7, "A", "wechat", outcome="fail", code="attempt_unresolved")
    return run


def order_is_over() -> Run:
    run = led()
    journey = run.journey(20.0, phase="fault")
    journey.pay(20.1, 20.2, "A", "wechat", outcome="fail", code="order_closed", state="closed")
    journey.ends(20.2, "gave_up")
    return run


def comes_through_now_and_then() -> Run:
    """Struck, and not down: every tenth payment works, and nobody is sent elsewhere."""
    run = begun()
    for number in range(12):
        told(run, 11.0 + number, ())
    journey = run.journey(15.0, phase="fault")
    journey.pay(15.1, 15.3, "B", "wechat", state="paid")
    return run


def an_old_key_is_answered() -> Run:
    """Paid before the fault, and the answer given again within it: that does not make the method alive."""
    run = led()
    journey = run.journey(9.5)
    journey.create(9.5, 9.6, "B")
    journey.pay(9.7, 9.8, "B", "wechat", key=9_001, outcome="info", ending="reset", http=None)
    journey.pay(11.0, 11.1, "B", "wechat", key=9_001, attempt=2, state="paid")
    told(run, 24.0, (), order="A")
    return run


def outlasted() -> Run:
    """Told well, and paid by WeChat Pay after all, when it was back."""
    run = led()
    for number in range(8):
        order = f"O{number}"
        journey = told(run, 28.0 + number / 10, order=order, final=None)
        journey.pay(31.0, 31.2, order, "wechat", state="paid")
        run.ledger("wechat").captured(31.1, f"{order}-1", order, 1000)
        journey.ends(31.2)
    return run


def leaves() -> Run:
    run = led()
    for number in range(8):
        told(run, 12.5 + number, final="left", leaves_early=True)
    return run


def cut() -> Run:
    run = led()
    for number in range(8):
        told(run, 25.0 + number / 10, final=None)
    run.conduct = msgspec.structs.replace(run.conduct, load_end_ns=ns(28.0), cut_short="stopped")
    return run


def nobody_affected() -> Run:
    return begun()


PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN
THERE = "customers of a dead method paid by another one in time"
BACKUP_STORIES = (
    Story(column=EMPTY, entry="", tell=Run, status=UNKNOWN, says=("names no methods",)),
    Story(column=HOLDS, entry="", tell=led, status=PASS),
    Story(
        column=BROKEN,
        entry="names none",
        tell=names_none,
        status=FAIL,
        subjects=("A",),
        says=("named no method", "yet alipay worked"),
    ),
    Story(
        column=BROKEN,
        entry="names itself",
        tell=names_itself,
        status=FAIL,
        subjects=("A",),
        says=("named wechat, alipay; wechat did not work, and that was known",),
    ),
    Story(column=BROKEN, entry="names only a dead one", tell=names_only_the_dead, status=FAIL, subjects=("A",)),
    Story(
        column=BROKEN,
        entry="nobody gets there",
        tell=nobody_gets_there,
        status=FAIL,
        subjects=(THERE,),
        says=("12 of 18",),
    ),
    Story(column=MISSES, entry="an old key is answered", tell=an_old_key_is_answered, status=FAIL, subjects=("A",)),
    Story(
        column=MISSES,
        entry="the other is back for long",
        tell=lambda: refused_after_alipay_was_struck(4.0),
        status=FAIL,
        subjects=("A",),
    ),
    Story(
        column=CRIES_WOLF,
        entry="the other came back a moment ago",
        tell=lambda: refused_after_alipay_was_struck(1.2),
        status=PASS,
    ),
    Story(column=CRIES_WOLF, entry="all providers down", tell=all_are_down, status=UNKNOWN),
    Story(column=CRIES_WOLF, entry="died a moment ago", tell=just_found_dead, status=PASS),
    Story(column=CRIES_WOLF, entry="an earlier attempt is unresolved", tell=still_unresolved_elsewhere, status=PASS),
    Story(column=CRIES_WOLF, entry="the order is over", tell=order_is_over, status=PASS),
    Story(column=CRIES_WOLF, entry="struck and not down", tell=comes_through_now_and_then, status=UNKNOWN),
    Story(column=CRIES_WOLF, entry="paid by it when it was back", tell=outlasted, status=PASS),
    Story(column=CRIES_WOLF, entry="a customer who left early", tell=leaves, status=PASS),
    Story(column=UNDECIDED, entry="none affected", tell=nobody_affected, status=UNKNOWN),
    Story(column=UNDECIDED, entry="cut within patience", tell=cut, status=UNKNOWN, says=("8 journeys were cut",)),
)
