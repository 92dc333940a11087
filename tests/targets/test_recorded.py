"""Does the protocol fit APIs that are nothing like the reference?"""

from collections.abc import Callable
from typing import TypeVar

import pytest

from harness.operation import Ending, Line, Method, Outcome, State
from harness.targets.drive import drive
from harness.targets.protocol import NewOrder, Observation, Request, Target
from tests.targets.graphql_shop import GraphqlShop
from tests.targets.replay import Replay, conversation
from tests.targets.stripe_like import StripeLike
from tests.targets.wallet import Wallet

ORDER = NewOrder(line=Line.RIDE, merchant="m-12", amount_minor=4250, currency="CNY")
T = TypeVar("T")


def stripe() -> Target:
    return StripeLike({"secret_key": "sk_test_1"})


def shop() -> Target:
    return GraphqlShop({"storefront_token": "st-1"})


def wallet() -> Target:
    return Wallet({"app_id": "app-1"})


def test_a_stored_500_stays_open_however_often_the_key_is_repeated_and_a_read_resolves_it() -> None:
    target = stripe()
    with conversation("stripe_like", "stored 500") as wire:
        made = drive(target.create_order("cus_7", ORDER, "k-1"), wire)
        told = [drive(target.pay("cus_7", "pi_3Q", Method.CARD, "k-2"), wire) for _ in range(3)]
        read = drive(target.read("cus_7", "pi_3Q"), wire)
    assert made == Observation(
        outcome=Outcome.OK,
        ending=Ending.ANSWERED,
        http=200,
        order_id="pi_3Q",
        result_id="pi_3Q",
        state=State.OPEN,
        amount_minor=4250,
        paid_minor=0,
        refunded_minor=0,
    )
    assert [(seen.outcome, seen.code) for seen in told] == [
        (Outcome.INFO, "api_error"),
        (Outcome.INFO, "stored_500"),
        (Outcome.INFO, "stored_500"),
    ]
    assert (read.outcome, read.state, read.paid_minor) == (Outcome.OK, State.PAID, 4250)


def test_a_card_api_tells_a_decline_and_a_lock_from_a_key_that_is_in_use() -> None:
    target = stripe()
    with conversation("stripe_like", "refusals") as wire:
        declined = drive(target.pay("cus_7", "pi_3Q", Method.CARD, "k-3"), wire)
        told = [drive(target.pay("cus_7", "pi_3Q", Method.ALIPAY, "k-4"), wire) for _ in range(3)]
        unknown = drive(target.read("cus_7", "pi_none"), wire)
    assert [(seen.outcome, seen.code, seen.state) for seen in (declined, *told, unknown)] == [
        (Outcome.FAIL, "card_declined", None),
        (Outcome.FAIL, "lock_timeout", None),
        (Outcome.INFO, "idempotency_key_in_use", None),
        (Outcome.INFO, None, State.PAYING),
        (Outcome.FAIL, "resource_missing", None),
    ]


def test_a_list_of_two_pages_is_one_operation() -> None:
    target = stripe()
    with conversation("stripe_like", "refund and list") as wire:
        refunded = drive(target.refund("cus_7", "pi_3Q", 2125, "k-5"), wire)
        listed = drive(target.list_orders("cus_7"), wire)
    assert (refunded.outcome, refunded.order_id, refunded.result_id, refunded.amount_minor) == (
        Outcome.OK,
        "pi_3Q",
        "re_3Q",
        2125,
    )
    assert listed == Observation(
        outcome=Outcome.OK,
        ending=Ending.ANSWERED,
        http=200,
        order_ids=("pi_3Q", "pi_2P", "pi_1N"),
        complete=True,
    )


def test_a_checkout_of_five_requests_is_one_operation_with_a_name_for_each() -> None:
    target = shop()
    with conversation("graphql_shop", "checkout") as wire:
        names: list[str] = []
        made = drive(target.create_order("u-7", ORDER, "k-1"), noting(names, wire))
        read = drive(target.read("u-7", "o-5"), wire)
    assert names == [
        "POST /graphql checkoutCreate",
        "POST /graphql checkoutLinesAdd",
        "POST /graphql checkoutAddressSet",
        "POST /graphql checkoutShippingSet",
        "POST /graphql checkoutComplete",
    ]
    assert (made.outcome, made.result_id, made.state, made.paid_minor) == (Outcome.OK, "o-5", State.PAID, 4250)
    assert (read.outcome, read.result_id, read.state, read.paid_minor) == (Outcome.OK, None, State.PAID, 4250)


@pytest.mark.parametrize(
    ("name", "outcome", "ending", "code"),
    [
        ("sold out in the middle", Outcome.FAIL, Ending.ANSWERED, "SOLD_OUT"),
        ("reset in the middle", Outcome.FAIL, Ending.RESET, None),
        ("broken off in the middle", Outcome.FAIL, Ending.ANSWERED, "INTERNAL_SERVER_ERROR"),
        ("broken off at the end", Outcome.INFO, Ending.ANSWERED, "INTERNAL_SERVER_ERROR"),
        ("cut at the end", Outcome.INFO, Ending.CUT_BODY, None),
        ("refused at the end", Outcome.FAIL, Ending.ANSWERED, "PAYMENT_DECLINED"),
        ("throttled at the end", Outcome.FAIL, Ending.ANSWERED, "THROTTLED"),
        ("half a document at the end", Outcome.INFO, Ending.ANSWERED, "unreadable_answer"),
    ],
)
def test_a_checkout_may_have_made_an_order_only_once_its_last_request_is_sent(
    name: str, outcome: Outcome, ending: Ending, code: str | None
) -> None:
    with conversation("graphql_shop", name) as wire:
        seen = drive(shop().create_order("u-7", ORDER, "k-1"), wire)
    assert (seen.outcome, seen.ending, seen.code, seen.order_id) == (outcome, ending, code, None)


def test_a_wallets_520_is_a_definite_failure_and_another_key_may_pay() -> None:
    target = wallet()
    with conversation("wallet", "payment failed") as wire:
        made = drive(target.create_order("u-7", ORDER, "k-1"), wire)
        failed = drive(target.pay("u-7", "B77", Method.ALIPAY, "k-2"), wire)
        paid = drive(target.pay("u-7", "B77", Method.ALIPAY, "k-3"), wire)
    assert [(seen.outcome, seen.http, seen.code, seen.state) for seen in (made, failed, paid)] == [
        (Outcome.OK, 200, None, State.OPEN),
        (Outcome.FAIL, 520, "payment_failed", None),
        (Outcome.OK, 200, None, State.PAID),
    ]


def test_every_other_5xx_of_the_wallet_stays_open_save_the_busy_contract() -> None:
    target = wallet()
    with conversation("wallet", "other 5xx") as wire:
        told = [drive(target.pay("u-7", "B77", Method.ALIPAY, "k-2"), wire) for _ in range(5)]
        reads = [drive(target.read("u-7", "B77"), wire) for _ in range(2)]
    assert [(seen.outcome, seen.code, seen.busy, seen.retry_after_s) for seen in told] == [
        (Outcome.INFO, None, False, None),
        (Outcome.INFO, "SYSTEM_ERROR", False, None),
        (Outcome.INFO, "PAYMENT_FAILED", False, None),
        (Outcome.INFO, "BUSY", False, None),
        (Outcome.FAIL, "BUSY", True, 2.0),
    ]
    assert [(seen.outcome, seen.state) for seen in reads] == [(Outcome.INFO, None), (Outcome.OK, State.PAID)]


def test_a_request_that_was_not_recorded_fails_the_test() -> None:
    with pytest.raises(AssertionError, match="unexpected: POST /bills"):
        drive(wallet().create_order("u-7", ORDER, "k-1"), Replay([]))
    with pytest.raises(AssertionError):
        drive(wallet().create_order("u-8", ORDER, "k-1"), conversation("wallet", "payment failed"))


def test_a_recorded_request_that_never_came_fails_the_test() -> None:
    with pytest.raises(AssertionError, match="never asked for"):
        with conversation("wallet", "payment failed"):
            pass


def noting(names: list[str], send: Callable[[Request], T]) -> Callable[[Request], T]:
    def noted(request: Request) -> T:
        names.append(request.name)
        return send(request)

    return noted
