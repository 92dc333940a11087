"""What each route answers, and how it says no."""

import re

import httpx
import pytest

from tests.payment_api.ground import METHODS, OPERATOR, Api, Customer, Provider

pytestmark = pytest.mark.live
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def error(reply: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal that has exactly the one shape."""
    body = reply.json()
    assert set(body) == {"error"}
    assert set(body["error"]) - {"order_id"} == {"code", "message"}
    return reply.status_code, body["error"]["code"]


@pytest.mark.parametrize("method", METHODS)
def test_an_order_is_paid_and_captured_once(api: Api, providers: dict[str, Provider], method: str) -> None:
    customer = api.customer()
    order = customer.order()
    reply = customer.pay(order, method)
    assert reply.status_code == 200, reply.text
    assert reply.json()["payment"].items() >= {"method": method, "state": "paid", "amount_minor": 1234}.items()
    assert reply.json()["order"] == customer.read(order)
    assert customer.read(order)["paid_minor"] == providers[method].captured(order) == 1234
    (attempt,) = api.of("payments", order)
    (captured,) = providers[method].rows(order, "captured")
    assert (attempt["number"], attempt["captured_minor"]) == (captured["number"], 1234)
    assert captured["run"] == "run-1"


def test_a_new_order_is_open_and_names_its_pay_by(api: Api) -> None:
    reply = api.customer().create(500)
    assert reply.status_code == 201
    body = reply.json()
    assert all(INSTANT.fullmatch(body.pop(name)) for name in ("pay_by", "created_at"))
    assert body.pop("id").startswith("ord_")
    assert body == {
        "state": "open",
        "line": "ride",
        "merchant": "m-1",
        "amount_minor": 500,
        "currency": "CNY",
        "paid_minor": 0,
        "refunded_minor": 0,
        "attempts": [],
        "refunds": [],
    }


def test_the_list_is_paged_newest_first_and_is_the_callers_own(api: Api) -> None:
    customer, stranger = api.customer(), api.customer()
    orders = [customer.order() for _ in range(5)]
    stranger.order()
    first = customer.get("/v1/orders", limit=3).json()
    rest = customer.get("/v1/orders", limit=3, cursor=first["next"]).json()
    assert [order["id"] for order in first["orders"] + rest["orders"]] == orders[::-1]
    assert rest["next"] is None


def test_another_users_order_is_not_found_for_reading_paying_and_refunding(api: Api) -> None:
    order, stranger = api.customer().order(), api.customer()
    replies = (stranger.get(f"/v1/orders/{order}"), stranger.pay(order, "card"), stranger.refund(order, 1))
    assert [error(reply) for reply in replies] == [(404, "order_not_found")] * 3


def test_a_wrong_token_is_refused_everywhere(api: Api) -> None:
    customer = api.customer()
    order = customer.order()
    for header in ("", "Bearer x", f"Bearer {customer.name}.00", "Basic abc", f"Bearer {OPERATOR}"):
        reply = api.client.get(f"{api.url}/v1/orders/{order}", headers={"Authorization": header})
        assert error(reply) == (401, "unauthorized")
    for header in ("", "Bearer x", customer.token):
        reply = api.client.get(f"{api.url}/v1/ledger/orders", headers={"Authorization": header})
        assert error(reply) == (401, "unauthorized")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"line": "boat", "merchant": "m", "amount_minor": 1, "currency": "CNY"},
        {"line": "ride", "merchant": "m", "amount_minor": 0, "currency": "CNY"},
        {"line": "ride", "merchant": "m", "amount_minor": 1.5, "currency": "CNY"},
        {"line": "ride", "merchant": "m", "amount_minor": "12", "currency": "CNY"},
        {"line": "ride", "merchant": "secret-13800138000", "amount_minor": 1, "currency": "USD"},
        {"line": "ride", "merchant": "m", "amount_minor": 1, "currency": "CNY", "secret-4111111111111111": 1},
        "secret-text",
    ],
)
def test_a_wrong_body_is_refused_without_an_echo(api: Api, body: object) -> None:
    reply = api.customer().post("/v1/orders", body)
    assert error(reply) == (422, "invalid_request")
    assert "secret" not in reply.text


def test_a_write_without_a_key_is_refused(api: Api) -> None:
    customer = api.customer()
    body = {"line": "ride", "merchant": "m", "amount_minor": 1, "currency": "CNY"}
    reply = api.client.post(f"{api.url}/v1/orders", json=body, headers={"Authorization": customer.token})
    assert error(reply) == (422, "invalid_request")


def test_unknown_paths_methods_and_providers_have_the_one_shape(api: Api) -> None:
    assert error(api.client.get(f"{api.url}/nothing")) == (404, "not_found")
    assert error(api.client.delete(f"{api.url}/v1/orders")) == (405, "method_not_allowed")
    assert error(api.client.post(f"{api.url}/v1/notifications/paypal")) == (422, "invalid_request")


def test_a_paid_order_cannot_be_paid_again(api: Api, providers: dict[str, Provider]) -> None:
    customer = api.customer()
    order = customer.paid_order("card")
    reply = customer.pay(order, "alipay")
    assert error(reply) == (409, "order_paid")
    assert reply.json()["error"]["order_id"] == order
    assert providers["alipay"].rows(order) == []


def test_the_books_are_paged_and_log_every_step(api: Api) -> None:
    customer = api.customer()
    order = customer.paid_order("card")
    customer.refund(order, 1234)
    customer.until(order, "refunded")
    steps = [(row["kind"], row["from"], row["to"]) for row in api.of("transitions", order)]
    assert steps == [
        ("order", None, "open"),
        ("payment", None, "created"),
        ("order", "open", "paying"),
        ("payment", "created", "paid"),
        ("order", "paying", "paid"),
        ("refund", None, "pending"),
        ("refund", "pending", "done"),
        ("order", "paid", "refunded"),
    ]
    (refund,) = api.of("refunds", order)
    assert (refund["state"], refund["requested"], refund["reason"]) == ("done", True, "customer")
    assert INSTANT.fullmatch(refund["done_at"])
    seqs = [row["seq"] for row in api.book("transitions")]
    assert seqs == sorted(set(seqs))


def test_health_names_the_build_and_the_process(api: Api) -> None:
    assert api.child is not None
    health = api.client.get(f"{api.url}/healthz").json()
    assert (health["status"], health["build"], health["pid"]) == ("ok", "fixed", api.child.pid)
    assert health["started_utc_ms"] <= health["utc_ms"]


def test_openapi_describes_every_route(api: Api) -> None:
    paths = api.client.get(f"{api.url}/openapi.json").json()["paths"]
    assert {(path, method) for path, methods in paths.items() for method in methods} == {
        ("/healthz", "get"),
        ("/v1/orders", "get"),
        ("/v1/orders", "post"),
        ("/v1/orders/{order_id}", "get"),
        ("/v1/orders/{order_id}/payments", "post"),
        ("/v1/orders/{order_id}/refunds", "post"),
        ("/v1/notifications/{provider}", "post"),
        ("/v1/ledger/{book}", "get"),
        ("/v1/health/methods", "get"),
    }


def test_a_customer_is_someone_with_a_signed_name(api: Api) -> None:
    dotted = Customer(api=api, name="a.b.c")
    assert dotted.create().status_code == 201
