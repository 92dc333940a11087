"""Does a customer behave as those of the outage did, and is every step on record?"""

from dataclasses import replace

import pytest

from harness.load.traits import traits_of
from harness.operation import Ending, JourneyEnd, Op, Outcome, State
from harness.profile import GATE
from harness.recorder.rows import Done
from harness.targets.protocol import Observation
from tests.load.stage import (
    ALL,
    ANSWER_NS,
    BUSY,
    CREATED,
    LISTED,
    NONE_LISTED,
    PAID,
    PAYING,
    REFUNDED,
    T0_NS,
    UNKNOWN,
    UNSENT,
    Stage,
    ok,
    refusal,
    silent,
)

SOLD_OUT = refusal("sold_out")
COME_AGAIN = refusal("attempt_unresolved", retry_after_s=1.0)


def keys(stage: Stage, op: str) -> list[str]:
    return [step[-1] for step in stage.asked if step[0] == op]


def test_without_trouble_a_customer_orders_pays_and_looks_at_its_orders() -> None:
    stage = Stage()
    assert stage.travel() is JourneyEnd.PAID
    assert stage.story() == ["create", "pay wechat", "list"]
    assert (stage.acknowledged, stage.closed) == (1, True)


def test_every_fifth_asks_for_half_of_it_back_and_reads_again() -> None:
    stage = Stage()
    assert stage.travel(4) is JourneyEnd.PAID
    assert stage.story() == ["create", "pay alipay", "list", "refund", "read"]
    [refund] = stage.rows.invocations(Op.REFUND)
    [create] = stage.rows.invocations(Op.CREATE)
    assert create.amount_minor is not None
    assert (refund.amount_minor, refund.currency) == (create.amount_minor // 2, "CNY")


def test_two_of_five_look_at_the_receipt_as_soon_as_it_is_paid() -> None:
    stage = Stage()
    assert stage.travel(1, reads_receipt=True) is JourneyEnd.PAID
    assert stage.story() == ["create", "pay alipay", "read", "list"]
    readers = [number for number in range(10) if traits_of(number, seed=1, run_id="r1").reads_receipt]
    assert readers == [1, 3, 6, 8]


def test_some_ask_for_a_quarter_too_and_some_of_them_then_for_more_than_is_left() -> None:
    stage = Stage(refunds=[REFUNDED, REFUNDED, refusal("nothing_to_refund")])
    assert stage.travel(14, refunds_twice=True, wants_too_much=True) is JourneyEnd.PAID
    assert stage.story()[-4:] == ["refund", "refund", "refund", "read"]
    [create] = stage.rows.invocations(Op.CREATE)
    total_minor = create.amount_minor
    assert total_minor is not None
    asked = [row.amount_minor for row in stage.rows.invocations(Op.REFUND)]
    assert asked[:2] == [total_minor // 2, total_minor // 2 // 2]
    assert sum(amount_minor or 0 for amount_minor in asked) == total_minor + 1
    assert len(set(keys(stage, "refund"))) == 3
    kinds = [traits_of(number, seed=1, run_id="r1") for number in range(20)]
    assert [customer.number for customer in kinds if customer.refunds_twice] == [4, 14]
    assert [customer.number for customer in kinds if customer.wants_too_much] == [14]


def test_some_ask_for_all_that_is_left() -> None:
    stage = Stage(refunds=[REFUNDED, REFUNDED])
    assert stage.travel(19, refunds_rest=True) is JourneyEnd.PAID
    assert stage.story()[-3:] == ["refund", "refund", "read"]
    [create] = stage.rows.invocations(Op.CREATE)
    assert sum(row.amount_minor or 0 for row in stage.rows.invocations(Op.REFUND)) == create.amount_minor
    kinds = [traits_of(number, seed=1, run_id="r1") for number in range(20)]
    assert [customer.number for customer in kinds if customer.refunds_rest] == [19]


def test_two_early_ones_order_more_once_they_have_paid_and_list_it_all() -> None:
    stage = Stage()
    assert stage.travel(8, more_orders=2) is JourneyEnd.PAID
    assert stage.story() == ["create", "pay card", "create", "create", "list"]
    assert len(set(keys(stage, "create"))) == 3
    [listed] = [row.listed_orders for row in stage.rows.rows if isinstance(row, Done) and row.listed is not None]
    assert listed == ("o-1",)
    kinds = [traits_of(number, seed=1, run_id="r1") for number in range(1_000)]
    assert [customer.number for customer in kinds if customer.more_orders] == [8, 58]


def test_a_list_that_was_not_read_to_its_end_names_no_orders_in_the_history() -> None:
    stage = Stage(lists=[replace(LISTED, complete=False)])
    stage.travel()
    [row] = [row for row in stage.rows.rows if isinstance(row, Done) and row.listed is not None]
    assert (row.listed, row.listed_orders) == (1, ())


@pytest.mark.parametrize("second", [refusal("nothing_to_refund"), silent()], ids=["refused", "no answer"])
def test_where_a_part_was_not_promised_nobody_asks_for_more_than_is_left(second: Observation) -> None:
    stage = Stage(refunds=[REFUNDED, second])
    stage.travel(14, refunds_twice=True, wants_too_much=True)
    assert len(set(keys(stage, "refund"))) == 2


def test_a_careless_client_sends_acknowledged_keys_again_for_another_amount() -> None:
    stage = Stage()
    assert stage.travel(9, reuses_keys=True) is JourneyEnd.PAID
    assert stage.story() == ["create", "pay wechat", "list", "create", "refund", "refund", "read"]
    for op in (Op.CREATE, Op.REFUND):
        first, again = stage.rows.invocations(op)
        assert (first.key_no, first.attempt, again.attempt) == (again.key_no, 1, 2)
        assert first.amount_minor != again.amount_minor
        assert len(set(keys(stage, op))) == 1
    [twice] = [customer for customer in (traits_of(n, seed=1, run_id="r1") for n in range(20)) if customer.reuses_keys]
    assert (twice.number, twice.refunds_half, twice.refunds_twice) == (9, True, False)


def test_a_key_that_was_not_acknowledged_is_not_sent_for_another_amount() -> None:
    stage = Stage(creates=[silent()], refunds=[refusal("nothing_to_refund")])
    assert stage.travel(8, reuses_keys=True, refunds_half=True) is JourneyEnd.PAID
    assert stage.story() == ["create", "list", "pay card", "list", "refund", "read"]


def test_where_no_keys_are_taken_none_is_sent_again() -> None:
    stage = Stage(idempotent=frozenset())
    assert stage.travel(9, reuses_keys=True) is JourneyEnd.PAID
    assert stage.story() == ["create", "pay wechat", "list", "refund", "read"]


@pytest.mark.parametrize("answer", [silent(), BUSY, UNSENT], ids=["no answer", "busy", "nothing sent"])
def test_a_refund_is_asked_for_again_with_the_same_key(answer: Observation) -> None:
    stage = Stage(refunds=[answer, answer, REFUNDED])
    stage.travel(4)
    assert stage.story()[-4:] == ["refund", "refund", "refund", "read"]
    assert len(set(keys(stage, "refund"))) == 1


def test_a_refused_refund_is_not_asked_for_again() -> None:
    stage = Stage(refunds=[refusal("nothing_to_refund", http=400)])
    assert stage.travel(4) is JourneyEnd.PAID
    assert stage.story()[-2:] == ["refund", "read"]


def test_asking_for_a_refund_ends_with_patience() -> None:
    stage = Stage(refunds=[BUSY])
    assert stage.travel(4) is JourneyEnd.PAID
    assert 5 <= stage.story().count("refund") <= 9


@pytest.mark.parametrize("answer", [BUSY, UNSENT], ids=["busy", "nothing sent"])
def test_a_create_without_effect_is_sent_again_with_the_same_key(answer: Observation) -> None:
    stage = Stage(creates=[answer, answer, CREATED])
    assert stage.travel() is JourneyEnd.PAID
    assert stage.story() == ["create", "create", "create", "pay wechat", "list"]
    assert len(set(keys(stage, "create"))) == 1
    assert [row.attempt for row in stage.rows.invocations(Op.CREATE)] == [1, 2, 3]


def test_after_a_create_without_answer_one_half_looks_for_the_order_first() -> None:
    stage = Stage(creates=[silent()])
    assert stage.travel(0) is JourneyEnd.PAID
    assert stage.story() == ["create", "list", "pay wechat", "list"]
    assert stage.acknowledged == 0


def test_after_a_create_without_answer_the_other_half_sends_it_again_first() -> None:
    stage = Stage(creates=[silent(), silent()])
    assert stage.travel(1) is JourneyEnd.PAID
    assert stage.story() == ["create", "create", "list", "pay alipay", "list"]
    assert len(set(keys(stage, "create"))) == 1


def test_an_order_that_is_not_found_is_created_again_with_the_same_key() -> None:
    stage = Stage(creates=[silent(), silent(), CREATED], lists=[NONE_LISTED, silent(), LISTED])
    assert stage.travel(0) is JourneyEnd.PAID
    assert stage.story() == ["create", "list", "create", "list", "create", "pay wechat", "list"]
    assert len(set(keys(stage, "create"))) == 1


def test_where_there_is_no_list_a_create_is_sent_again() -> None:
    stage = Stage(creates=[silent(), CREATED], offered=ALL - {Op.LIST})
    assert stage.travel(0) is JourneyEnd.PAID
    assert stage.story() == ["create", "create", "pay wechat"]


def test_a_create_that_is_never_answered_ends_with_patience() -> None:
    stage = Stage(creates=[silent()], lists=[NONE_LISTED])
    assert stage.travel() is JourneyEnd.GAVE_UP
    assert set(stage.story()) == {"create", "list"}


def test_an_order_refused_outright_is_declined() -> None:
    stage = Stage(creates=[SOLD_OUT])
    assert stage.travel() is JourneyEnd.DECLINED
    assert stage.story() == ["create"]


def test_an_order_refused_after_silence_is_not_declined() -> None:
    stage = Stage(creates=[silent(), refusal("idempotency_key_reused", http=422)], lists=[NONE_LISTED])
    assert stage.travel(1) is JourneyEnd.GAVE_UP


@pytest.mark.parametrize(
    "answer", [silent(), UNKNOWN, BUSY, UNSENT, COME_AGAIN], ids=["no answer", "202", "busy", "unsent", "come again"]
)
def test_an_unresolved_payment_is_waited_for_looked_at_and_retried_then_moved(answer: Observation) -> None:
    stage = Stage(pays=[answer, answer, answer, PAID], reads=[PAYING])
    assert stage.travel() is JourneyEnd.PAID
    assert stage.story() == (["create", "pay wechat", "read", "pay wechat", "pay alipay", "read", "pay alipay", "list"])
    first, second, third, fourth = keys(stage, "pay")
    assert first == second
    assert third == fourth
    assert first != third


def test_one_who_does_not_look_first_asks_three_times_before_it_looks() -> None:
    stage = Stage(pays=[silent(), silent(), silent(), silent(), PAID], reads=[PAYING])
    assert stage.travel(1) is JourneyEnd.PAID
    assert stage.story() == (
        ["create", "pay alipay", "pay alipay", "pay card", "read", "pay card", "read", "pay wechat", "list"]
    )


def test_a_poll_that_finds_it_paid_ends_the_journey() -> None:
    stage = Stage(pays=[UNKNOWN], reads=[PAYING, ok(order_id="o-1", state=State.PAID)])
    assert stage.travel() is JourneyEnd.PAID
    assert stage.story() == ["create", "pay wechat", "read", "pay wechat", "pay alipay", "read", "list"]


def test_where_there_is_nothing_to_read_a_payment_is_retried_without_looking() -> None:
    stage = Stage(pays=[UNKNOWN, PAID], offered=ALL - {Op.READ})
    assert stage.travel() is JourneyEnd.PAID
    assert stage.story() == ["create", "pay wechat", "pay wechat", "list"]


def test_a_customer_told_that_there_is_no_such_order_looks_for_it() -> None:
    stage = Stage(pays=[UNKNOWN, PAID], reads=[refusal("order_not_found", http=404)])
    assert stage.travel() is JourneyEnd.PAID
    assert stage.story() == ["create", "pay wechat", "read", "list", "pay wechat", "list"]


def test_the_pause_is_at_least_what_the_answer_asks_for() -> None:
    stage = Stage(pays=[replace(UNKNOWN, retry_after_s=2.0), PAID])
    stage.travel()
    first = stage.rows.invocations(Op.PAY)[0]
    answered = stage.rows.completion(first)
    [read] = stage.rows.invocations(Op.READ)
    assert answered is not None
    assert 2.0 <= (read.scheduled_ns - answered.done_ns) / 1e9 <= 2.2


def test_a_pause_beyond_patience_ends_at_patience() -> None:
    stage = Stage(pays=[replace(UNKNOWN, retry_after_s=3_600.0)])
    assert stage.travel() is JourneyEnd.GAVE_UP
    assert stage.clock.ns == T0_NS + GATE.patience_ms * 1_000_000


def test_an_outage_is_given_up_when_patience_is_over() -> None:
    stage = Stage(pays=[silent(Ending.READ_TIMEOUT)], reads=[silent()])
    assert stage.travel() is JourneyEnd.GAVE_UP
    assert {"pay wechat", "pay alipay", "pay card"} <= set(stage.story())
    [journey] = stage.rows.invocations(Op.JOURNEY)
    done = stage.rows.completion(journey)
    assert done is not None
    assert (done.outcome, done.code) == (Outcome.INFO, JourneyEnd.GAVE_UP)
    over_ns = T0_NS + GATE.patience_ms * 1_000_000
    assert over_ns <= done.done_ns <= over_ns + ANSWER_NS


def test_a_payment_learnt_of_after_patience_came_too_late() -> None:
    stage = Stage()
    short = replace(GATE, patience_ms=(ANSWER_NS // 1_000_000) + 450)
    late = Stage(pays=[PAID])
    assert stage.travel(windows=short) is JourneyEnd.PAID
    late.clock.ns += 10_000_000_000  # the generator itself began late
    assert late.travel(windows=short) is JourneyEnd.GAVE_UP


def test_refused_by_every_method_is_declined() -> None:
    stage = Stage(pays=[SOLD_OUT])
    assert stage.travel() is JourneyEnd.DECLINED
    assert stage.story() == ["create", "pay wechat", "pay alipay", "pay card"]
    assert len(set(keys(stage, "pay"))) == 3
    [journey] = stage.rows.invocations(Op.JOURNEY)
    done = stage.rows.completion(journey)
    assert done is not None
    assert (done.outcome, done.code) == (Outcome.FAIL, JourneyEnd.DECLINED)


def test_refused_by_one_method_is_paid_by_another() -> None:
    stage = Stage(pays=[SOLD_OUT, PAID])
    assert stage.travel() is JourneyEnd.PAID
    assert stage.story() == ["create", "pay wechat", "pay alipay", "list"]


def test_refusals_after_silence_are_no_decline() -> None:
    stage = Stage(pays=[silent(), SOLD_OUT])
    assert stage.travel() is JourneyEnd.GAVE_UP


def test_an_order_closed_meanwhile_is_given_up_and_not_declined() -> None:
    by_payment = Stage(pays=[refusal("order_closed", state=State.CLOSED)])
    by_poll = Stage(pays=[UNKNOWN], reads=[ok(state=State.CLOSED)])
    assert (by_payment.travel(), by_poll.travel()) == (JourneyEnd.GAVE_UP, JourneyEnd.GAVE_UP)
    assert by_payment.story() == ["create", "pay wechat"]
    assert by_poll.story() == ["create", "pay wechat", "read"]


def test_an_order_that_is_already_paid_is_paid() -> None:
    stage = Stage(pays=[silent(), refusal("order_paid", state=State.PAID)])
    assert stage.travel() is JourneyEnd.PAID


def test_a_vanished_order_is_no_decline() -> None:
    stage = Stage(pays=[refusal("order_not_found", http=404)], reads=[refusal("order_not_found", http=404)])
    assert stage.travel() is JourneyEnd.GAVE_UP


@pytest.mark.parametrize("answer", [silent(), UNKNOWN, BUSY], ids=["no answer", "202", "busy"])
def test_one_who_leaves_early_goes_a_second_after_an_unresolved_answer(answer: Observation) -> None:
    stage = Stage(pays=[answer])
    assert stage.travel(leaves_early=True) is JourneyEnd.LEFT
    assert stage.story() == ["create", "pay wechat"]
    [journey] = stage.rows.invocations(Op.JOURNEY)
    [pay] = stage.rows.invocations(Op.PAY)
    answered, left = stage.rows.completion(pay), stage.rows.completion(journey)
    assert answered is not None
    assert left == Done(
        id=journey.id, outcome=Outcome.INFO, done_ns=answered.done_ns + 1_000_000_000, code=JourneyEnd.LEFT
    )
    assert journey.leaves_early


def test_one_who_leaves_early_stays_where_all_goes_well() -> None:
    assert Stage().travel(leaves_early=True) is JourneyEnd.PAID


def test_journeys_that_only_create_end_with_the_acknowledgement() -> None:
    stage = Stage()
    assert stage.travel(4, only_create=True) is JourneyEnd.ORDERED
    assert (stage.story(), stage.acknowledged) == (["create"], 1)


def test_the_impatient_turn_to_another_method_without_asking_again() -> None:
    stage = Stage(pays=[UNKNOWN, PAID])
    assert stage.travel(0, tries_a_key=1) is JourneyEnd.PAID
    assert stage.story()[:3] == ["create", "pay wechat", "pay alipay"]
    assert len(set(keys(stage, "pay"))) == 2
