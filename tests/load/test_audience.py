"""Who comes to look when customers are blocked: as many as planned, no faster than the limit, and once each."""

import time
from dataclasses import replace
from itertools import pairwise

import pytest

from harness.load.audience import Blocked
from harness.load.company import Crowd
from harness.operation import JourneyEnd, Op
from harness.scenario import Audience
from tests.load.stage import BUSY, CREATED, PAID, UNKNOWN, Stage, silent

LIMIT_S = 10.0
Seen = list[tuple[str, Op, int]]


def blocked(at_ns: int, number: int = 0) -> Blocked:
    stage = Stage(pays=[UNKNOWN, PAID])
    stage.travel(number)
    (trouble,) = stage.troubled
    return Blocked(person=trouble.person, at_ns=at_ns)


def looks(audience: Audience, *troubled: Blocked) -> Seen:
    seen: Seen = []
    crowd = Crowd(
        [audience],
        lambda *_: None,
        look=lambda who, what, due_ns: seen.append((who.person.order, what, due_ns)),
    )
    for each in troubled:
        crowd.hear_of_trouble(each)
    crowd.wait(LIMIT_S)
    return seen


def test_each_blocked_customer_sends_its_readers_within_the_span() -> None:
    audience = Audience(reads=40, spread_s=0.05, most_per_s=10_000.0, status_share=0.5)
    customers = blocked(0), blocked(0, 1)
    now_ns = time.monotonic_ns()
    seen = looks(audience, *(replace(customer, at_ns=now_ns) for customer in customers))
    over_ns = time.monotonic_ns()
    assert len(seen) == 80
    assert {what for _, what, _ in seen} == {Op.STATUS, Op.READ}
    assert {order for order, _, _ in seen} == {"o-1"}
    span_ns = 50_000_000 + 80 * 100_000  # its spread, and the limit's gap between any two; late ones come at once
    assert all(now_ns <= due_ns <= max(now_ns + span_ns, over_ns) for _, _, due_ns in seen)


def test_readers_come_no_faster_than_the_limit() -> None:
    audience = Audience(reads=6, spread_s=0.0, most_per_s=200.0, status_share=1.0)
    instants_ns = [due_ns for _, _, due_ns in looks(audience, blocked(time.monotonic_ns()))]
    assert [later - due >= 5_000_000 for due, later in pairwise(instants_ns)] == [True] * 5


def test_readers_who_have_not_come_soon_after_the_load_stay_at_home() -> None:
    audience = Audience(reads=1_000, spread_s=0.0, most_per_s=100.0)
    seen: Seen = []
    crowd = Crowd([audience], lambda *_: None, look=lambda *told: seen.append((told[0].person.order, told[1], told[2])))
    crowd.hear_of_trouble(blocked(time.monotonic_ns()))
    crowd.wait(0.4)
    assert 0 < len(seen) < 100


def test_the_same_customer_draws_the_same_readers() -> None:
    audience = Audience(reads=30, spread_s=0.0, most_per_s=10_000.0, status_share=0.5)
    first, again = (looks(audience, blocked(1, number=3)) for _ in range(2))
    assert [what for _, what, _ in first] == [what for _, what, _ in again]


def test_nobody_looks_where_no_audience_is_planned() -> None:
    crowd = Crowd((), lambda *_: None)
    crowd.hear_of_trouble(blocked(1))
    crowd.wait(LIMIT_S)


@pytest.mark.parametrize("trouble", [silent(), BUSY, UNKNOWN], ids=["no answer", "busy", "202"])
def test_a_customer_is_blocked_once_however_often_it_is_told_nothing(trouble: object) -> None:
    stage = Stage(pays=[trouble, trouble, PAID])  # type: ignore[list-item]  # silent() is one too
    assert stage.travel() is JourneyEnd.PAID
    assert len(stage.troubled) == 1


def test_who_cannot_order_is_blocked_too_and_its_order_is_known_later() -> None:
    stage = Stage(creates=[BUSY, CREATED])
    stage.travel()
    (trouble,) = stage.troubled
    assert (trouble.at_ns < trouble.person.at_ns, trouble.person.order) == (True, "o-1")


def test_who_is_paid_at_once_is_not_blocked() -> None:
    stage = Stage()
    stage.travel()
    assert stage.troubled == []
