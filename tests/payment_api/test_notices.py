"""A notice is believed when it is signed, fresh and right, and books what it says once."""

import time
from contextlib import ExitStack
from functools import partial

import httpx
import pytest

from tests.payment_api.ground import METHODS, Api, Customer, Provider, capture_notice, eventually

pytestmark = pytest.mark.live


def pending(api: Api, provider: Provider) -> tuple[Customer, str, str]:
    """A customer whose charge is accepted and not captured, its order and the number."""
    customer = api.customer()
    order = customer.order()
    provider.client.post(
        f"{provider.url}/control/faults",
        json={"id": f"p-{order}", "kind": "late_capture", "orders": [order], "by_ms": 60_000, "despite_close": False},
    ).raise_for_status()
    customer.pay(order, provider.name)
    provider.client.delete(f"{provider.url}/control/faults/p-{order}")
    return customer, order, str(api.of("payments", order)[0]["number"])


def refused(reply: httpx.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()["error"]["code"]


def test_a_signed_notice_pays_the_order(impatient: Api, providers: dict[str, Provider]) -> None:
    customer, order, number = pending(impatient, providers["wechat"])
    reply = impatient.notify("wechat", capture_notice("wechat", number), key="wechat-key")
    assert (reply.status_code, reply.content) == (204, b"")
    assert customer.read(order)["state"] == "paid"


def test_a_notice_that_comes_again_changes_nothing(api: Api, providers: dict[str, Provider]) -> None:
    customer = api.customer()
    for method in METHODS:
        order = customer.paid_order(method)
        number = api.of("payments", order)[0]["number"]
        steps = api.of("transitions", order)
        replies = [api.notify(method, capture_notice(method, number), key=f"{method}-key") for _ in range(3)]
        assert {(reply.status_code, reply.text) for reply in replies} == (
            {(200, "success")} if method == "alipay" else {(204, "")}
        )
        assert api.of("transitions", order) == steps
    assert all(provider.child.alive() for provider in providers.values())


def test_a_forged_or_old_notice_is_refused(impatient: Api, providers: dict[str, Provider]) -> None:
    customer, order, number = pending(impatient, providers["wechat"])
    body = capture_notice("wechat", number)
    assert refused(impatient.notify("wechat", body, key="another-key")) == (401, "bad_signature")
    old_s = int(time.time()) - 301
    assert refused(impatient.notify("wechat", body, key="wechat-key", at_s=old_s)) == (401, "bad_signature")
    assert refused(impatient.notify("wechat", body, key="wechat-key", at_s=-1)) == (401, "bad_signature")
    assert refused(impatient.client.post(f"{impatient.url}/v1/notifications/wechat", content=body)) == (
        401,
        "bad_signature",
    )
    assert customer.read(order)["state"] == "paying"


def test_a_notice_of_another_amount_is_refused(impatient: Api, providers: dict[str, Provider]) -> None:
    customer, order, number = pending(impatient, providers["wechat"])
    reply = impatient.notify("wechat", capture_notice("wechat", number, 1), key="wechat-key")
    assert refused(reply) == (409, "amount_mismatch")
    assert customer.read(order)["state"] == "paying"


@pytest.mark.parametrize("method", METHODS)
def test_a_notice_of_an_unknown_number_is_to_come_again(api: Api, method: str) -> None:
    reply = api.notify(method, capture_notice(method, "pi_unknown"), key=f"{method}-key")
    assert refused(reply) == (404, "payment_unknown")


def test_what_is_no_notice_is_refused_without_a_trace(api: Api) -> None:
    reply = api.notify("wechat", b"secret garbage", key="wechat-key")
    assert refused(reply) == (409, "notice_unreadable")
    assert "secret" not in reply.text


def test_a_notice_of_a_kind_that_nobody_acts_on_is_acknowledged(api: Api) -> None:
    reply = api.notify("card", b'{"type":"charge.dispute.created"}', key="card-key")
    assert reply.status_code == 204


def test_a_notice_may_overtake_the_answer_to_the_charge(api: Api, providers: dict[str, Provider]) -> None:
    customer = api.customer()
    order = customer.order()
    with providers["card"].fault("lost_answer", order, when="after", op=["confirm"]):
        reply = customer.pay(order, "card")
    assert (reply.status_code, reply.json()["payment"]["state"]) == (200, "paid")
    eventually(lambda: len(providers["card"].rows(order, "answered")) >= 2)
    assert customer.read(order)["state"] == "paid"


def test_repeated_and_reordered_notices_book_and_send_once(api: Api, providers: dict[str, Provider]) -> None:
    customer = api.customer()
    orders = {method: customer.order() for method in METHODS}
    with ExitStack() as faults:
        for method, order in orders.items():
            faults.enter_context(providers[method].fault("repeat_notices", order, times=3, reorder=True, of="both"))
            customer.pay(order, method)
        for order in orders.values():
            customer.until(order, "paid")
            customer.refund(order, 300)
        for method, order in orders.items():
            customer.until(order, "part_refunded")
            eventually(partial(_were_delivered, providers[method], order, 6))
    for method, order in orders.items():
        shown = customer.read(order)
        assert (shown["paid_minor"], shown["refunded_minor"]) == (1234, 300)
        assert providers[method].refunded(order) == 300


def test_a_refund_notice_may_come_before_the_capture_notice(api: Api, providers: dict[str, Provider]) -> None:
    customer = api.customer()
    order = customer.order()
    with providers["wechat"].fault("late_notices", order, by_ms=800, of="capture"):
        customer.pay(order, "wechat")
        customer.until(order, "paid")
        customer.refund(order, 1234)
        customer.until(order, "refunded")
        eventually(lambda: [row for row in providers["wechat"].rows(order, "notice") if row["op"] == "capture"])
    assert customer.read(order)["state"] == "refunded"
    assert api.of("payments", order)[0]["captured_minor"] == 1234


def _were_delivered(provider: Provider, order: str, deliveries: int) -> bool:
    return len(provider.rows(order, "notice")) >= deliveries
