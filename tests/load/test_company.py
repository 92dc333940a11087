"""Do customers who have paid come back, and only they, with keys that nobody used before?"""

import time
from dataclasses import replace

import pytest

from harness.errors import HarnessError
from harness.load.company import (
    REPLAYS,
    RETURNING_KEYS,
    TRESPASS_KEYS,
    TRESPASS_MINOR,
    Crowd,
    look_and_ask_back,
    try_the_order_of,
)
from harness.load.journey import Ended
from harness.load.keys import MOST_KEYS, key_of
from harness.load.person import Person
from harness.load.session import Session
from harness.load.traits import traits_of
from harness.operation import JourneyEnd, Op, Phase
from harness.scenario import Returning, Strangers
from tests.load.stage import BUSY, REFUNDED, T0_NS, TRACES, Stage, refusal

LIMIT_S = 10.0


def ended(number: int, end: JourneyEnd = JourneyEnd.PAID) -> Ended:
    traits = traits_of(number, seed=1, run_id="r1")
    return Ended(traits=traits, phase=Phase.STEADY, end=end, order=f"o-{number}", at_ns=T0_NS)


def again(stage: Stage, number: int, keys_from: int) -> Person:
    traits = traits_of(number, seed=1, run_id="r1")
    session = Session(
        journey=number,
        user=traits.user,
        phase=Phase.STEADY,
        connection=stage,
        recorder=stage.rows,
        traces=TRACES,
        clock=stage.clock,
        on_request=lambda *_: None,
        keys_from=keys_from,
    )
    return Person(traits, stage, session, stage.clock, begin_ns=T0_NS, patience_ms=10_000)


def come_back(stage: Stage, number: int = 0) -> None:
    person = again(stage, number, RETURNING_KEYS)
    person.order = "o-1"
    look_and_ask_back(person)


def test_one_who_comes_back_reads_asks_for_half_until_it_is_promised_and_reads_again() -> None:
    stage = Stage(refunds=[BUSY, REFUNDED])
    come_back(stage, 3)
    assert stage.story() == ["read", "refund", "refund", "read"]
    (first, again) = stage.rows.invocations(Op.REFUND)
    assert (first.journey, first.intent, first.key_no, again.attempt) == (3, 3, 3 * MOST_KEYS + RETURNING_KEYS + 1, 2)
    assert first.amount_minor == traits_of(3, seed=1, run_id="r1").order.amount_minor // 2


def test_where_nothing_but_reading_is_offered_one_who_comes_back_reads() -> None:
    stage = Stage(offered=frozenset({Op.CREATE, Op.PAY, Op.READ}))
    come_back(stage)
    assert stage.story() == ["read", "read"]


def test_those_come_back_who_paid_in_time_and_ask_for_no_refund_by_themselves() -> None:
    seen: list[tuple[str, int]] = []
    crowd = Crowd([Returning(count=3, start_s=0.0, end_s=0.03)], lambda who, due_ns: seen.append((who.order, due_ns)))
    for number, end in enumerate((JourneyEnd.PAID, JourneyEnd.GAVE_UP, JourneyEnd.PAID, JourneyEnd.LEFT)):
        crowd.hear(ended(number, end))
    crowd.hear(ended(4))  # every fifth asks for a refund as a part of its own way
    begin_ns = time.monotonic_ns()
    crowd.start(begin_ns)
    crowd.wait(LIMIT_S)
    assert seen == [("o-0", begin_ns), ("o-2", begin_ns + 10_000_000)]


def test_a_stranger_tries_to_read_to_pay_and_to_refund_once_each_under_its_own_name() -> None:
    no = refusal("order_not_found", http=404)
    stage = Stage(reads=[no], pays=[no], refunds=[no])
    try_the_order_of(ended(6), again(stage, 8, TRESPASS_KEYS))
    assert stage.story() == ["read", "pay card", "refund"]
    rows = stage.rows.invocations(Op.TRESPASS)
    assert [(row.tried, row.journey, row.order or row.order_no) for row in rows] == [
        ("read", 8, "o-6"),
        ("pay", 8, 1),
        ("refund", 8, 1),
    ]
    assert [row.key_no for row in rows[1:]] == [8 * MOST_KEYS + TRESPASS_KEYS + nth for nth in (1, 2)]
    assert rows[2].amount_minor == TRESPASS_MINOR


def test_every_nth_who_is_done_tries_the_order_of_the_one_before_however_either_ended() -> None:
    seen: list[tuple[int, str]] = []
    crowd = Crowd(
        [Strangers(every_nth=2)], lambda *_: None, lambda who, of, _: seen.append((who.traits.number, of.order))
    )
    crowd.hear(ended(0, JourneyEnd.GAVE_UP))
    crowd.hear(ended(1, JourneyEnd.PAID))
    crowd.hear(replace(ended(2), order=""))  # had no order, so nobody can try it
    crowd.hear(replace(ended(3, JourneyEnd.LEFT), order=""))
    crowd.wait(LIMIT_S)
    assert seen == [(1, "o-0"), (3, "o-1")]


def test_the_first_strangers_replay_a_create_and_no_later_ones() -> None:
    seen: list[bool] = []
    crowd = Crowd([Strangers(every_nth=1)], lambda *_: None, lambda _, __, replays: seen.append(replays))
    for number in range(REPLAYS + 3):
        crowd.hear(ended(number))
    crowd.wait(LIMIT_S)
    assert seen == [True] * REPLAYS + [False] * 2


def test_one_who_replays_sends_the_owners_key_and_body_under_its_own_name() -> None:
    stage = Stage()
    try_the_order_of(ended(6), again(stage, 8, TRESPASS_KEYS), replays=True)
    victim = ended(6).traits
    assert stage.asked[-1] == ("create", str(victim.order.amount_minor), f"{victim.user}-1")
    row = stage.rows.invocations(Op.TRESPASS)[-1]
    assert (row.tried, row.journey, row.key_no) == ("create", 8, 6 * MOST_KEYS + 1)
    assert (row.amount_minor, row.order_no) == (victim.order.amount_minor, 1)
    assert key_of(victim.user, row.key_no or 0) == stage.asked[-1][-1]


def test_where_creates_carry_no_key_nobody_replays_one() -> None:
    stage = Stage(idempotent=frozenset())
    try_the_order_of(ended(6), again(stage, 8, TRESPASS_KEYS), replays=True)
    assert stage.story() == ["read", "pay card", "refund"]


def test_the_first_who_is_done_finds_nobody_before() -> None:
    seen: list[object] = []
    crowd = Crowd([Strangers(every_nth=1)], lambda *_: None, lambda *pair: seen.append(pair))
    crowd.hear(ended(0))
    crowd.wait(LIMIT_S)
    assert seen == []


def test_no_company_is_there_where_none_is_planned() -> None:
    crowd = Crowd((), lambda *_: None)
    crowd.start(time.monotonic_ns())
    crowd.wait(LIMIT_S)


def test_one_who_fails_is_told_as_a_fault_of_the_harness() -> None:
    def fail(_: Ended, __: int) -> None:
        raise ZeroDivisionError

    crowd = Crowd([Returning(count=1, start_s=0.0, end_s=0.0)], fail)
    crowd.hear(ended(0))
    crowd.start(time.monotonic_ns())
    with pytest.raises(HarnessError, match="company: 1 failed, the first with ZeroDivisionError"):
        crowd.wait(LIMIT_S)
