"""Hand-written histories for announced: the limit is 4 s. WeChat Pay fails from 10 to 18, cards work all along."""

from collections.abc import Callable
from typing import Any

import msgspec

from harness.verdict import Status
from tests.histories.builder import Run, ns
from tests.histories.story import BROKEN, CRIES_WOLF, EMPTY, HOLDS, MISSES, UNDECIDED, Story

FROM_S, TO_S, END_S = 10.0, 18.0, 30.0


def steps(begin: float, end: float, every: float) -> list[float]:
    return [begin + n * every for n in range(round((end - begin) / every))]


def attempts(run: Run, method: str, begin: float, end: float, *, every: float = 0.5, **reply: Any) -> Run:
    """Somebody tries to pay by it, again and again; each try takes 0.2 s."""
    for at in steps(begin, end, every):
        run.journey(at).pay(at, at + 0.2, f"{method}-{at}", method, **reply)
    return run


def looks(run: Run, begin: float, end: float, *methods: str, every: float = 0.5, **more: Any) -> Run:
    """The page is looked at, and says this all the while."""
    for at in steps(begin, end, every):
        run.sample(at, *methods, **more)
    return run


def cards_work() -> Run:
    return attempts(Run(), "card", 0.0, END_S, every=0.25)


def wechat_fails(begin: float = FROM_S, end: float = TO_S, **reply: Any) -> Run:
    run = attempts(cards_work(), "wechat", 0.0, begin)
    return attempts(attempts(run, "wechat", begin, end, **({"outcome": "info"} | reply)), "wechat", end, END_S)


def says(run: Run, begin: float, end: float, *methods: str) -> Run:
    """The page names these from `begin` to `end`, and nothing before and after."""
    return looks(looks(looks(run, -2.0, begin), begin, end, *methods), end, END_S)


def told_in_time() -> Run:
    return says(wechat_fails(), 12.0, 20.0, "wechat")


def never_told() -> Run:
    return looks(wechat_fails(), -2.0, END_S)


def told_too_late() -> Run:
    return says(wechat_fails(), 15.5, 20.0, "wechat")


def another_told() -> Run:
    run = wechat_fails()
    run.fault("latency", "network", "alipay", 9.0, 19.0)
    attempts(run, "alipay", 0.0, END_S)
    return says(run, 12.0, 20.0, "alipay")


def forgotten_in_the_middle() -> Run:
    run = wechat_fails(10.0, 22.0)
    return looks(looks(looks(run, -2.0, 11.0), 11.0, 13.0, "wechat"), 13.0, END_S)


def not_taken_back() -> Run:
    return says(wechat_fails(), 12.0, 24.0, "wechat")


def told_without_cause() -> Run:
    return says(cards_work(), 12.0, 14.0, "card")


def degraded_and_nothing_named() -> Run:
    return looks(looks(cards_work(), -2.0, 12.0), 12.0, 14.0, degraded=True)


def masked_by_retries() -> Run:
    """A fault was there, and the target bore it."""
    run = attempts(cards_work(), "wechat", 0.0, END_S)
    run.fault("latency", "network", "wechat", FROM_S, TO_S)
    return looks(run, -2.0, END_S)


def masked_and_told() -> Run:
    run = attempts(cards_work(), "wechat", 0.0, END_S)
    run.fault("latency", "network", "wechat", FROM_S, TO_S)
    return says(run, 12.0, 21.0, "wechat")


def over_at_once() -> Run:
    return looks(wechat_fails(10.0, 13.0), -2.0, END_S)


def told_when_it_was_over() -> Run:
    return says(wechat_fails(10.0, 13.0), 13.5, 16.5, "wechat")


def two_attempts_at_a_time() -> Run:
    run = attempts(cards_work(), "wechat", FROM_S, TO_S, every=1.5, outcome="info")
    return looks(run, -2.0, END_S)


def fewer_than_half() -> Run:
    run = attempts(cards_work(), "wechat", 0.0, END_S, every=0.25)
    return looks(attempts(run, "wechat", FROM_S, TO_S, outcome="info"), -2.0, END_S)


def own_edge_faulty() -> Run:
    run = wechat_fails()
    run.fault("cut_answers", "network", "customer", FROM_S - 0.5, TO_S + 0.5)
    return looks(run, -2.0, END_S)


def the_way_is_blocked_by_another_attempt() -> Run:
    """Who flees from WeChat Pay to Alipay is told to wait until the first attempt is resolved."""
    run = says(wechat_fails(), 12.0, 20.0, "wechat")
    return attempts(run, "alipay", FROM_S, TO_S, outcome="fail", http=409, state="paying", retry_after_s=1.0)


def declined() -> Run:
    return looks(wechat_fails(outcome="fail", http=200, code="attempt_failed"), -2.0, END_S)


def both_fail_one_after_the_other() -> Run:
    run = attempts(wechat_fails(), "alipay", 14.0, 23.0, outcome="info")
    looks(run, -2.0, 11.0)
    looks(looks(run, 11.0, 15.0, "wechat"), 15.0, 20.0, "wechat", "alipay")
    return looks(looks(run, 20.0, 25.0, "alipay"), 25.0, END_S)


def flickers() -> Run:
    """One who must see two good answers before it believes in either: named, not named, named again."""
    run = looks(wechat_fails(), -2.0, 12.0)
    for at in steps(12.0, 20.0, 2.0):
        looks(looks(run, at, at + 1.5, "wechat"), at + 1.5, at + 2.0)
    return looks(run, 20.0, END_S)


def api_killed(run: Run) -> Run:
    """Nobody can order for eight seconds, and no method has three attempts in two seconds."""
    for at in steps(0.0, END_S, 0.25):
        dead = FROM_S <= at < TO_S
        reply: dict[str, Any] = {"outcome": "info", "ending": "reset", "http": None} if dead else {}
        run.journey(at).create(at, at + 0.02, None if dead else f"A{at}", **reply)
        if not dead:
            run.journey(at).pay(at + 0.1, at + 0.2, f"A{at}", "card")
    return run


def everything_told() -> Run:
    return says(api_killed(Run()), 12.5, 20.0, "wechat", "alipay", "card")


def said_nothing_while_the_api_was_dead() -> Run:
    """It asked the API while its reader waited, and so had no answer either."""
    run = looks(looks(api_killed(Run()), -2.0, FROM_S), TO_S, END_S)
    return looks(run, FROM_S, TO_S, outcome="info", ending="answered", http=502, degraded=None)


def started_again() -> Run:
    """The page is degraded until it has heard from an API that was started a moment ago."""
    run = looks(looks(told_in_time(), -4.0, -2.5, "wechat", "alipay", "card"), -2.5, -2.0)
    for event, at in (("started", -6.0), ("ready", -5.0)):
        run.processes.append({"service": "api", "event": event, "pid": 1, "start_time": 1.0, "at_ns": ns(at)})
    return run


def always_degraded() -> Run:
    return looks(wechat_fails(), -2.0, END_S, "wechat", "alipay", "card")


def turned_away_by_a_breaker() -> Run:
    """Refused at once, to come again: no money moved, and the method does not work all the same."""
    return looks(wechat_fails(outcome="fail", http=409, code="method_unavailable", retry_after_s=1.0), -2.0, END_S)


def looked_at_too_rarely() -> Run:
    return looks(wechat_fails(), -2.0, END_S, every=1.5)


def not_looked_at() -> Run:
    run = wechat_fails()
    run.absent.add("status")
    return run


def way_to_the_page_faulty() -> Run:
    run = looks(looks(wechat_fails(), -2.0, FROM_S), TO_S, END_S)
    run.fault("silence", "network", "status", FROM_S, TO_S)
    return looks(run, FROM_S, TO_S, outcome="info", ending="read_timeout", http=None, degraded=None)


def no_page() -> Run:
    run = Run()
    capabilities = msgspec.structs.replace(run.scenario.capabilities, operations=("create", "pay"))
    run.scenario = msgspec.structs.replace(run.scenario, capabilities=capabilities)
    return run


PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN


def holds(entry: str, tell: Callable[[], Run], *says: str) -> Story:
    return Story(column=HOLDS, entry=entry, tell=tell, status=PASS, says=says)


def breaks(column: str, entry: str, tell: Callable[[], Run], *subjects: str, says: str = "") -> Story:
    return Story(column=column, entry=entry, tell=tell, status=FAIL, subjects=subjects, says=(says,))


def bears(entry: str, tell: Callable[[], Run], status: Status = UNKNOWN) -> Story:
    """Nothing is found; where nothing had to be told either, there is no case."""
    return Story(column=CRIES_WOLF, entry=entry, tell=tell, status=status)


def open_to_doubt(entry: str, tell: Callable[[], Run], *says: str) -> Story:
    return Story(column=UNDECIDED, entry=entry, tell=tell, status=UNKNOWN, says=says)


ANNOUNCED_STORIES = (
    Story(column=EMPTY, entry="", tell=Run, status=UNKNOWN),
    Story(column=EMPTY, entry="no page", tell=no_page, status=UNKNOWN, says=("it has no status page",)),
    holds("", told_in_time),
    holds("two methods, one after the other", both_fail_one_after_the_other),
    holds("the API was dead and all of it was told", everything_told),
    breaks(BROKEN, "never told", never_told, "wechat", says="had not named it for 4."),
    breaks(BROKEN, "told too late", told_too_late, "wechat"),
    breaks(BROKEN, "another one told", another_told, "wechat"),
    breaks(BROKEN, "forgotten in the middle", forgotten_in_the_middle, "wechat", says="had named it, and no more"),
    breaks(BROKEN, "not taken back", not_taken_back, "wechat", says="after the last trouble with it"),
    breaks(BROKEN, "without cause", told_without_cause, "card", says="without cause"),
    breaks(BROKEN, "degraded, and nothing named", degraded_and_nothing_named, "paying", says="without cause"),
    bears("injected but masked by the target's retries", masked_by_retries),
    bears("masked, and told", masked_and_told, PASS),
    bears("over before it had to be told", over_at_once),
    bears("told when it was over", told_when_it_was_over, PASS),
    bears("few attempts", two_attempts_at_a_time),
    bears("fewer than half failed", fewer_than_half),
    bears("a fault on the customer's own edge", own_edge_faulty),
    bears("refused because another attempt is live", the_way_is_blocked_by_another_attempt, PASS),
    bears("declined", declined),
    bears("flickers", flickers, PASS),
    bears("the API had just been started", started_again, PASS),
    breaks(MISSES, 'a constant "degraded"', always_degraded, "alipay", "card", "wechat"),
    breaks(MISSES, "turned away by a breaker", turned_away_by_a_breaker, "wechat"),
    breaks(MISSES, "a page that dies with the API", said_nothing_while_the_api_was_dead, "paying"),
    open_to_doubt("gap between samples > T/4", looked_at_too_rarely, "nobody looked at the page for 1.0 s"),
    open_to_doubt("never looked at", not_looked_at, "nobody looked at the page"),
    open_to_doubt("the way to the page was faulty", way_to_the_page_faulty, "the way to the page was itself faulty"),
)
