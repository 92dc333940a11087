"""One key, one effect, however many requests carry it and whenever they come."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.payment_api.ground import Api, Provider

pytestmark = pytest.mark.live
MANY = 50


def at_once(request: Callable[[], httpx.Response], times: int = MANY) -> list[httpx.Response]:
    """The same request from many threads."""
    with ThreadPoolExecutor(times) as pool:
        return [future.result() for future in [pool.submit(request) for _ in range(times)]]


def test_fifty_parallel_creates_with_one_key_make_one_order(api: Api) -> None:
    customer = api.customer()
    replies = at_once(lambda: customer.create(700, "the-key"))
    assert {reply.status_code for reply in replies} == {201}
    assert len({reply.json()["id"] for reply in replies}) == 1
    assert len(customer.get("/v1/orders").json()["orders"]) == 1


def test_fifty_parallel_payments_with_one_key_charge_once(api: Api, providers: dict[str, Provider]) -> None:
    customer = api.customer()
    order = customer.order()
    replies = at_once(lambda: customer.pay(order, "wechat", "the-key"))
    assert {reply.status_code for reply in replies} <= {200, 202}
    assert len({reply.json()["payment"]["id"] for reply in replies}) == 1
    customer.until(order, "paid")
    assert providers["wechat"].asked(order, "charge") == 1


def test_parallel_payments_by_every_method_charge_once(api: Api, providers: dict[str, Provider]) -> None:
    customer = api.customer()
    order = customer.order()
    methods = ["wechat", "alipay", "card"] * 4
    with ThreadPoolExecutor(len(methods)) as pool:
        replies = list(pool.map(lambda method: customer.pay(order, method), methods))
    assert {reply.status_code for reply in replies} <= {200, 202, 409}
    customer.until(order, "paid")
    assert sum(provider.captured(order) for provider in providers.values()) == 1234


def test_fifty_parallel_refunds_with_one_key_make_one_refund(api: Api, providers: dict[str, Provider]) -> None:
    customer = api.customer()
    order = customer.paid_order("card")
    replies = at_once(lambda: customer.refund(order, 100, "the-refund"))
    assert {reply.status_code for reply in replies} == {201}
    assert len({reply.json()["refund"]["id"] for reply in replies}) == 1
    customer.until(order, "part_refunded")
    assert providers["card"].refunded(order) == 100


def test_a_repeated_create_shows_the_order_as_it_is_now(api: Api) -> None:
    customer = api.customer()
    order = customer.create(1234, "k").json()["id"]
    customer.pay(order, "card")
    again = customer.create(1234, "k")
    assert (again.status_code, again.json()["id"], again.json()["state"]) == (201, order, "paid")


def test_a_repeated_payment_answers_for_the_attempt_that_the_key_made(api: Api) -> None:
    customer = api.customer()
    order = customer.order()
    first, again = customer.pay(order, "card", "k"), customer.pay(order, "card", "k")
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()


def test_a_key_cannot_mean_two_things(api: Api) -> None:
    customer = api.customer()
    order = customer.create(1234, "k").json()["id"]
    other = customer.order()
    customer.pay(order, "card", "p")
    customer.refund(order, 10, "r")
    replies = (
        customer.create(99, "k"),
        customer.pay(order, "card", "k"),
        customer.pay(order, "alipay", "p"),
        customer.pay(other, "card", "p"),
        customer.refund(order, 11, "r"),
    )
    assert [(reply.status_code, reply.json()["error"]["code"]) for reply in replies] == [
        (422, "idempotency_key_reused")
    ] * 5


def test_keys_of_two_users_do_not_meet(api: Api) -> None:
    one, other = api.customer(), api.customer()
    assert one.create(1, "k").json()["id"] != other.create(2, "k").json()["id"]


def test_a_refusal_is_not_kept_with_its_key(api: Api) -> None:
    customer = api.customer()
    order = customer.order()
    assert customer.refund(order, 100, "k").status_code == 409
    customer.pay(order, "card")
    assert customer.refund(order, 100, "k").status_code == 201


def test_another_key_by_the_same_method_joins_the_live_attempt(impatient: Api, providers: dict[str, Provider]) -> None:
    customer = impatient.customer()
    order = customer.order()
    with providers["alipay"].deaf(order):
        first, second = customer.pay(order, "alipay", "a"), customer.pay(order, "alipay", "b")
    assert first.json()["payment"]["id"] == second.json()["payment"]["id"]
    customer.until(order, "paid")
    assert len(impatient.of("payments", order)) == 1
