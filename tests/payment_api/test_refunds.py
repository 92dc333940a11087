"""Money goes back once, never more than came, and without being asked where it was taken wrongly."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.payment_api.ground import METHODS, Api, Provider, eventually

pytestmark = pytest.mark.live


@pytest.mark.parametrize("method", METHODS)
def test_partial_refunds_add_up_to_the_whole(api: Api, providers: dict[str, Provider], method: str) -> None:
    customer = api.customer()
    order = customer.paid_order(method, 1000)
    reply = customer.refund(order, 400)
    assert (reply.status_code, reply.json()["refund"]["state"]) == (201, "pending")
    customer.until(order, "part_refunded")
    customer.refund(order, 600)
    assert customer.until(order, "refunded")["refunded_minor"] == 1000
    assert providers[method].refunded(order) == 1000
    known_there = {row["refund_number"] for row in providers[method].rows(order, "refunded")}
    assert {row["number"] for row in api.of("refunds", order)} == known_there


def test_twenty_parallel_refunds_never_send_back_more_than_came(api: Api, providers: dict[str, Provider]) -> None:
    customer = api.customer()
    order = customer.paid_order("card", 1000)
    with ThreadPoolExecutor(20) as pool:
        statuses = sorted(reply.status_code for reply in pool.map(lambda _: customer.refund(order, 130), range(20)))
    assert statuses == [201] * 7 + [409] * 13
    eventually(lambda: customer.read(order)["refunded_minor"] == 910)
    assert providers["card"].refunded(order) == 910


def test_nothing_can_be_refunded_of_an_order_that_is_not_paid(api: Api) -> None:
    customer = api.customer()
    order = customer.order()
    reply = customer.refund(order, 1)
    assert (reply.status_code, reply.json()["error"]["code"]) == (409, "nothing_to_refund")


@pytest.mark.parametrize("method", METHODS)
def test_a_refund_whose_answer_is_lost_is_sent_once(
    impatient: Api, providers: dict[str, Provider], method: str
) -> None:
    customer = impatient.customer()
    order = customer.paid_order(method)
    with (
        providers[method].fault("lost_answer", order, when="after", op=["refund"]),
        providers[method].fault("lose_notices", order, of="refund"),
    ):
        customer.refund(order, 500)
        eventually(lambda: providers[method].asked(order, "refund") >= 2)
    customer.until(order, "part_refunded")
    assert providers[method].refunded(order) == 500


def test_a_refund_that_never_arrived_is_sent_again(impatient: Api, providers: dict[str, Provider]) -> None:
    customer = impatient.customer()
    order = customer.paid_order("wechat")
    with providers["wechat"].fault("error_answer", order, status=429, when="before", op=["refund"]):
        customer.refund(order, 1234)
        eventually(lambda: providers["wechat"].asked(order, "refund") >= 3)
    customer.until(order, "refunded")
    assert providers["wechat"].refunded(order) == 1234


@pytest.mark.parametrize("notice", ["told", "lost"])
def test_a_capture_after_the_order_closed_goes_back_unasked(
    brief: Api, providers: dict[str, Provider], notice: str
) -> None:
    customer = brief.customer()
    order = customer.order()
    wechat = providers["wechat"]
    lost = {"of": "capture"} if notice == "lost" else {"of": "refund"}
    with (
        wechat.fault("late_capture", order, by_ms=1_200, despite_close=True),
        wechat.fault("lose_notices", order, **lost),
    ):
        customer.pay(order, "wechat")
        customer.until(order, "closed")
        eventually(lambda: wechat.refunded(order) == 1234)
    eventually(lambda: [row["state"] for row in brief.of("refunds", order)] == ["done"])
    (refund,) = brief.of("refunds", order)
    assert (refund["requested"], refund["reason"], refund["amount_minor"]) == (False, "late", 1234)
    assert [(row["state"], row["captured_minor"]) for row in brief.of("payments", order)] == [("late", 1234)]
    shown = customer.read(order)
    assert (shown["state"], shown["paid_minor"], shown["refunded_minor"]) == ("closed", 0, 0)


def test_a_second_capture_of_a_paid_order_goes_back_unasked(impatient: Api, providers: dict[str, Provider]) -> None:
    customer = impatient.customer()
    order = customer.order()
    with providers["wechat"].fault("late_capture", order, by_ms=2_000, despite_close=True):
        customer.pay(order, "wechat")
        eventually(lambda: customer.pay(order, "card").status_code == 200)
        eventually(lambda: providers["wechat"].refunded(order) == 1234)
    eventually(
        lambda: [row["reason"] for row in impatient.of("refunds", order) if row["state"] == "done"] == ["duplicate"]
    )
    shown = customer.read(order)
    assert (shown["state"], shown["paid_minor"], shown["refunded_minor"]) == ("paid", 1234, 0)
