"""A provider that fails is let alone, customers are told which methods work, and nobody else is held up."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from tests.payment_api.conftest import Launch
from tests.payment_api.ground import SHORT_MS, Api, Customer, Provider, eventually

pytestmark = pytest.mark.live

THREE = {"PAYMENT_API_BREAKER_FAILURES": "3"}
NOBODY = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def wary(launch_for_module: Launch) -> Api:
    return launch_for_module(deadline_ms=SHORT_MS, more=THREE)


def refused(customer: Customer, order: str, method: str) -> dict[str, Any] | None:
    """The refusal of a payment, as soon as it is one."""
    reply = customer.pay(order, method)
    return None if reply.status_code != 409 else {"retry": reply.headers.get("Retry-After"), **reply.json()["error"]}


@contextmanager
def failing(provider: Provider, api: Api) -> Iterator[None]:
    """The provider answers 500 to all about two orders, often enough for the breaker to open."""
    customer = api.customer()
    first, second = customer.order(), customer.order()
    with errors(provider, first, second):
        assert customer.pay(first, provider.name).status_code == 202
        eventually(lambda: refused(customer, second, provider.name))
        yield
    # A query that is answered would close the breaker of the next test.
    eventually(lambda: all(customer.read(order)["state"] != "paying" for order in (first, second)))


@contextmanager
def errors(provider: Provider, *orders: str) -> Iterator[None]:
    """The provider answers 500 to all about these orders, and does nothing."""
    with ExitStack() as faults:
        for order in orders:
            faults.enter_context(provider.fault("error_answer", order, status=500, when="before"))
        yield


def test_a_method_that_fails_is_refused_at_once_and_others_are_named(wary: Api, providers: dict[str, Provider]) -> None:
    customer = wary.customer()
    rounds = [[customer.order() for _ in range(8)] for _ in range(5)]
    orders = [order for each in rounds for order in each]
    # All is ready before the breaker opens: it closes again when nobody tries it for a while.
    with errors(providers["wechat"], *orders), failing(providers["wechat"], wary), ThreadPoolExecutor(8) as pool:
        # Half open, one a deadline is let through, in vain; of eight at a time most are refused.
        told = []
        for each in rounds:  # on a machine that is slow the first eight come so late that it has closed
            told = [answer for answer in pool.map(lambda order: refused(customer, order, "wechat"), each) if answer]
            if told:
                break
        assert told
        assert (told[0]["code"], told[0]["retry"]) == ("method_unavailable", "1")
        assert (told[0]["order_id"] in orders, told[0]["methods"]) == (True, ["alipay", "card"])
        untouched = customer.read(told[0]["order_id"])
        assert (untouched["state"], untouched["attempts"]) == ("open", [])
        customer.pay(told[0]["order_id"], "card")
        customer.until(told[0]["order_id"], "paid")
    back = customer.order()
    eventually(lambda: customer.pay(back, "wechat").status_code in (200, 202))
    customer.until(back, "paid")


def test_a_charge_that_found_no_provider_has_failed_and_says_where_to_go(launch: Launch) -> None:
    api = launch(deadline_ms=SHORT_MS, more=THREE | {f"PAYMENT_API_{name}_URL": NOBODY for name in ("WECHAT", "CARD")})
    customer = api.customer()
    for method in ("wechat", "card"):
        order = customer.order()
        reply = customer.pay(order, method, key=method)
        assert (reply.status_code, reply.headers["Retry-After"]) == (200, "1")
        told = reply.json()
        assert (told["payment"]["state"], told["order"]["state"]) == ("failed", "open")
        assert "alipay" in told["methods"]
        assert method not in told["methods"]
        assert customer.pay(order, method, key=method).json()["payment"]["id"] == told["payment"]["id"]
        customer.pay(order, "alipay")
        customer.until(order, "paid")


def test_an_order_that_was_tried_twice_in_vain_is_no_probe(wary: Api, providers: dict[str, Provider]) -> None:
    customer = wary.customer()
    order = customer.order()
    with ExitStack() as faults:
        for provider, op in (("alipay", "charge"), ("wechat", "charge"), ("card", "confirm")):
            faults.enter_context(providers[provider].fault("error_answer", order, status=500, when="before", op=[op]))
        for method in ("card", "alipay"):
            customer.pay(order, method)
        with failing(providers["wechat"], wary):
            assert refused(customer, order, "wechat") is not None
    assert providers["wechat"].asked(order, "charge") == 0


def test_a_slow_provider_takes_no_call_of_another(wary: Api, providers: dict[str, Provider]) -> None:
    customer = wary.customer()
    slow = [customer.order() for _ in range(20)]
    with ExitStack() as faults, ThreadPoolExecutor(20) as pool:
        for order in slow:
            faults.enter_context(providers["card"].fault("slow_answer", order, by_ms=5_000, when="before"))
        paying = [pool.submit(customer.pay, order, "card") for order in slow]
        other = customer.order()
        customer.pay(other, "alipay")
        customer.until(other, "paid")
        assert {future.result().status_code for future in paying} <= {202, 409}


def test_no_breaker_goes_on_charging(launch: Launch, providers: dict[str, Provider]) -> None:
    api = launch(defects="no_breaker,no_backup_named", deadline_ms=SHORT_MS, more=THREE)
    customer = api.customer()
    for _ in range(4):
        order = customer.order()
        with providers["alipay"].fault("error_answer", order, status=500, when="before"):
            reply = customer.pay(order, "alipay")
            assert (reply.status_code, "methods" in reply.json()) == (202, False)
        assert providers["alipay"].asked(order, "charge") >= 1


def test_breaker_never_closes_refuses_what_works_again(launch: Launch, providers: dict[str, Provider]) -> None:
    api = launch(defects="breaker_never_closes,dead_method_named", deadline_ms=SHORT_MS, more=THREE)
    customer = api.customer()
    with failing(providers["alipay"], api):
        pass
    told = refused(customer, customer.order(), "alipay")
    assert told is not None
    assert told["methods"] == ["wechat", "alipay", "card"]


def test_retry_amplified_reaches_the_provider_five_times_at_once(
    launch: Launch, providers: dict[str, Provider]
) -> None:
    api = launch(defects="retry_amplified", deadline_ms=SHORT_MS)
    customer = api.customer()
    order = customer.order()
    with providers["wechat"].fault("error_answer", order, status=500, when="before", op=["charge"]):
        customer.pay(order, "wechat")
    assert providers["wechat"].asked(order, "charge") >= 5
    assert len(api.of("payments", order)) == 1
    customer.until(order, "paid")
    assert providers["wechat"].captured(order) == 1234


def test_one_pool_for_all_lets_a_slow_provider_hold_up_the_others(
    launch: Launch, providers: dict[str, Provider]
) -> None:
    api = launch(defects="one_pool_for_all", deadline_ms=2_000)
    customer = api.customer()
    slow, other = customer.order(), customer.order()
    with (
        providers["card"].fault("slow_answer", slow, by_ms=5_000, when="before", op=["create"]),
        ThreadPoolExecutor(2) as pool,
    ):
        paying = pool.submit(customer.pay, slow, "card")
        eventually(lambda: providers["card"].asked(slow, "create"))
        reply = pool.submit(customer.pay, other, "alipay").result()
        assert reply.json().get("payment", {}).get("state") != "paid"
        paying.result()
