"""Does a customer who is told which methods work turn to one of them?"""

from dataclasses import replace

from harness.load.person import THINK_S
from harness.operation import JourneyEnd, Method, Op
from tests.load.stage import PAID, UNKNOWN, Stage, refusal

NOT_WECHAT = refusal("method_unavailable", offers=(Method.CARD, Method.ALIPAY), retry_after_s=1.0)


def test_one_who_is_refused_and_told_what_works_turns_to_the_first_of_it_in_its_own_order_at_once() -> None:
    stage = Stage(pays=[NOT_WECHAT, PAID])
    assert stage.travel() is JourneyEnd.PAID
    assert stage.story() == ["create", "pay wechat", "pay alipay", "list"]
    first, second = stage.rows.invocations(Op.PAY)
    answered = stage.rows.completion(first)
    assert answered is not None
    assert answered.offers == ("card", "alipay")
    assert (second.sent_ns - answered.done_ns) / 1e9 <= THINK_S[1]


def test_offers_lead_past_the_next_method_and_where_there_are_none_it_goes_on_from_there() -> None:
    only_card = replace(NOT_WECHAT, offers=(Method.CARD,))
    stage = Stage(pays=[only_card, replace(NOT_WECHAT, offers=()), PAID])
    assert stage.travel(tries_a_key=1) is JourneyEnd.PAID
    assert stage.story() == ["create", "pay wechat", "pay card", "pay wechat", "list"]


def test_an_unresolved_answer_that_names_methods_is_asked_about_again_before_the_move() -> None:
    stage = Stage(pays=[replace(UNKNOWN, offers=(Method.CARD,)), replace(UNKNOWN, offers=(Method.CARD,)), PAID])
    assert stage.travel(1, tries_a_key=2) is JourneyEnd.PAID
    assert stage.story() == ["create", "pay alipay", "pay alipay", "pay card", "list"]


def test_methods_that_do_not_work_are_no_decline_and_nobody_leaves_for_them() -> None:
    stage = Stage(pays=[refusal("attempt_failed", http=200, offers=(Method.CARD,))])
    assert stage.travel(leaves_early=True) is JourneyEnd.GAVE_UP
    assert stage.story()[:3] == ["create", "pay wechat", "pay card"]
