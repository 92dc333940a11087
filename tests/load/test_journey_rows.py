"""What stands on record of a customer's way, row by row?"""

from dataclasses import replace
from functools import partial

from harness.load.personal import Canaries
from harness.operation import Ending, JourneyEnd, Method, Op, Outcome, Phase, State
from harness.recorder.rows import Done, Inv
from harness.targets.protocol import Shown
from tests.load.stage import (
    ALL,
    ANSWER_NS,
    CREATED,
    LISTED,
    OPEN,
    PAID,
    T0_NS,
    UNKNOWN,
    Stage,
    refusal,
    silent,
)

SOLD_OUT = refusal("sold_out")
COME_AGAIN = refusal("attempt_unresolved", retry_after_s=1.0)


def test_rows_tell_the_whole_journey() -> None:
    stage = Stage()
    stage.travel()
    journey, create, created, pay, paid, ended, listing, listed = stage.rows.rows
    assert isinstance(create, Inv)
    assert isinstance(pay, Inv)
    think_ns = pay.scheduled_ns - T0_NS - ANSWER_NS
    assert 100_000_000 <= think_ns <= 400_000_000
    paid_ns = pay.scheduled_ns + ANSWER_NS
    shared = partial(Inv, journey=0, intent=0, phase=Phase.STEADY)
    assert journey == shared(id=1, op=Op.JOURNEY, scheduled_ns=T0_NS, sent_ns=T0_NS, user="u-r1-0")
    assert create == shared(
        id=2,
        op=Op.CREATE,
        scheduled_ns=T0_NS,
        sent_ns=T0_NS,
        key_no=1,
        attempt=1,
        amount_minor=create.amount_minor,
        currency="CNY",
        line=create.line,
    )
    assert created == Done(
        id=2,
        outcome=Outcome.OK,
        done_ns=T0_NS + ANSWER_NS,
        ending=Ending.ANSWERED,
        http=201,
        order_no=1,
        order="o-1",
        result_id="o-1",
        state=State.OPEN,
        pay_by_utc_ms=1_700_000_008_000,
    )
    assert pay == shared(
        id=3,
        op=Op.PAY,
        scheduled_ns=pay.scheduled_ns,
        sent_ns=pay.scheduled_ns,
        order_no=1,
        method=Method.WECHAT,
        key_no=2,
        attempt=1,
    )
    assert paid == Done(
        id=3,
        outcome=Outcome.OK,
        done_ns=paid_ns,
        ending=Ending.ANSWERED,
        http=200,
        result_id="a-1",
        state=State.PAID,
        paid_minor=1_000,
    )
    assert ended == Done(id=1, outcome=Outcome.OK, done_ns=paid_ns, code=JourneyEnd.PAID)
    assert isinstance(listing, Inv)
    assert (listing.op, listing.order_no) == (Op.LIST, None)
    assert isinstance(listed, Done)
    assert listed.listed == 1


def test_an_operation_of_several_requests_has_a_pair_for_each() -> None:
    stage = Stage(steps=3, offered=ALL - {Op.LIST})
    stage.travel()
    [create] = stage.rows.invocations(Op.CREATE)
    parts = [row for row in stage.rows.invocations(Op.REQUEST) if row.parent == create.id]
    ends = [stage.rows.completion(part) for part in parts]
    assert [part.sent_ns for part in parts] == [T0_NS, T0_NS + ANSWER_NS, T0_NS + 2 * ANSWER_NS]
    assert [end and (end.done_ns, end.outcome, end.ending, end.http) for end in ends] == [
        (T0_NS + ANSWER_NS * step, Outcome.OK, Ending.ANSWERED, 201) for step in (1, 2, 3)
    ]
    assert {part.id for part in parts} <= set(stage.rows.flushed)
    whole = stage.rows.completion(create)
    assert whole is not None
    assert whole.done_ns == T0_NS + 3 * ANSWER_NS


def test_what_leaks_in_any_request_of_an_operation_stands_in_its_completion() -> None:
    phone = Canaries(seed=1, run_id="r1").of(0).phone.encode()
    stage = Stage(steps=3, bodies=[b"{}", phone, b"/etc/passwd"], offered=ALL - {Op.LIST})
    stage.travel()
    [create] = stage.rows.invocations(Op.CREATE)
    [pay] = stage.rows.invocations(Op.PAY)
    told = [stage.rows.completion(row) for row in (create, pay)]
    assert [done and done.leaks for done in told] == [("path", "phone"), ()]


def test_an_order_first_named_by_a_later_row_stands_there_by_name() -> None:
    stage = Stage(creates=[silent()])
    stage.travel(0)
    [pay] = stage.rows.invocations(Op.PAY)
    assert (pay.order_no, pay.order) == (1, "o-1")


def test_each_request_is_told_with_its_time_from_the_schedule() -> None:
    stage = Stage(offered=ALL - {Op.LIST})
    stage.clock.ns += 30_000_000  # the arrival was started 30 ms late
    stage.travel()
    assert stage.requests == [
        ("create", "POST", 50.0, 2, Ending.ANSWERED, 201),
        ("pay", "POST", 20.0, 2, Ending.ANSWERED, 200),
    ]


def test_the_same_customer_thinks_the_same_times() -> None:
    stages = [Stage(pays=[UNKNOWN, UNKNOWN, UNKNOWN, PAID]) for _ in range(2)]
    for stage in stages:
        stage.travel()
    assert stages[0].rows.rows == stages[1].rows.rows
    assert OPEN.state is State.OPEN


def test_a_refusals_row_says_whether_it_named_just_what_was_asked_about() -> None:
    busy = refusal("system_busy", http=503, busy=True, retry_after_s=1.0)
    stage = Stage(
        creates=[replace(busy, named_key="u-r1-0-1"), replace(busy, named_key="another"), CREATED],
        pays=[replace(busy, order_id="o-1"), replace(busy, order_id="o-2"), busy, UNKNOWN, PAID],
    )
    stage.travel(tries_a_key=9)
    rows = [stage.rows.completion(inv) for op in (Op.CREATE, Op.PAY) for inv in stage.rows.invocations(op)]
    assert [row.names for row in rows if row is not None] == [
        *("key", None, None),
        *("order", None, None, "order", None),
    ]


def test_a_pay_by_stands_on_record_beside_a_create_only_where_it_is_another() -> None:
    told_ms = CREATED.pay_by_utc_ms
    assert told_ms is not None
    later = told_ms + 1
    reads = [replace(OPEN, pay_by_utc_ms=told_ms), replace(OPEN, pay_by_utc_ms=later)]
    stage = Stage(pays=[COME_AGAIN, COME_AGAIN, COME_AGAIN, COME_AGAIN, PAID], reads=reads)
    stage.travel()
    told = [stage.rows.completion(row) for row in stage.rows.invocations(Op.READ)]
    assert [done and done.pay_by_utc_ms for done in told][:2] == [None, later]


def test_what_a_whole_list_shows_of_its_orders_stands_beside_their_names() -> None:
    shown = (Shown(state=State.PAID, amount_minor=1_200, paid_minor=1_200, refunded_minor=0),)
    whole = replace(LISTED, shown=shown)
    rows: list[Done] = []
    for listed in (whole, replace(whole, complete=False), LISTED):
        stage = Stage(lists=[listed])
        stage.travel()
        rows += [row for row in stage.rows.rows if isinstance(row, Done) and row.listed is not None]
    assert [row.listed_states for row in rows] == [("paid",), (), ()]
    assert [(row.listed_amounts, row.listed_paid, row.listed_refunded) for row in rows][:1] == [
        ((1_200,), (1_200,), (0,))
    ]
