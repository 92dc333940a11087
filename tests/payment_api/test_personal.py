"""Does nothing of a customer leave the API, and does each switch that is about that let it out?"""

import base64
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.payment_api.conftest import Launch
from tests.payment_api.ground import SHORT_MS, Api, Customer, Provider, eventually
from tests.payment_api.test_routes import error

pytestmark = pytest.mark.live
PHONE, CARD, OPENID = "19905556666", "9999521234567890", "oChaosAbCdEfGhIjKlMnOpQr01"


def everything_of(api: Api) -> str:
    """All that the operator can read, and the log."""
    books = [str(api.book(name)) for name in ("orders", "payments", "refunds", "transitions")]
    return "".join(books) + Path(api.log).read_text()


def test_a_phone_comes_back_masked_and_old_clients_need_none(api: Api) -> None:
    customer = api.customer()
    made = customer.create(phone=PHONE, openid=OPENID).json()
    assert made["contact"] == customer.read(made["id"])["contact"] == "199****6666"
    assert "contact" not in customer.create().json()


def test_a_card_goes_to_the_acquirer_as_a_reference(api: Api, providers: dict[str, Provider]) -> None:
    customer = api.customer()
    order = customer.create(phone=PHONE, openid=OPENID).json()["id"]
    reply = customer.pay(order, "card", card=CARD)
    assert reply.json()["payment"]["state"] == "paid"
    assert providers["card"].captured(order) == 1234
    told = reply.text + str(reply.headers) + everything_of(api) + str(providers["card"].rows(order))
    assert [secret for secret in (PHONE, CARD, OPENID, customer.token) if secret in told] == []


def test_a_key_stands_for_the_card_and_the_phone_too(api: Api) -> None:
    customer = api.customer()
    order = customer.create(key="k", phone=PHONE).json()["id"]
    assert customer.create(key="k", phone=PHONE).json()["id"] == order
    assert error(customer.create(key="k", phone="19905557777")) == (422, "idempotency_key_reused")
    assert customer.pay(order, "card", "p", card=CARD).status_code == 200
    assert customer.pay(order, "card", "p", card=CARD).status_code == 200
    assert error(customer.pay(order, "card", "p", card=CARD[::-1])) == (422, "idempotency_key_reused")


@pytest.mark.parametrize("told", [{"phone": "call 19905556666"}, {"openid": "o'; --"}, {"phone": ""}])
def test_what_is_no_phone_or_openid_is_refused_without_an_echo(api: Api, told: dict[str, str]) -> None:
    body = {"line": "ride", "merchant": "m-1", "amount_minor": 1, "currency": "CNY"}
    reply = api.customer().post("/v1/orders", body | told)
    assert error(reply) == (422, "invalid_request")
    assert next(iter(told)) in reply.text
    assert [value for value in told.values() if value and value in reply.text] == []


@pytest.fixture(scope="module")
def talkative(launch_for_module: Launch) -> Api:
    """Those that tell what they should not; they do not meet."""
    return launch_for_module(defects="card_number_in_error,stack_trace_in_500,phone_in_log,token_in_header")


def test_card_number_in_error_tells_it_in_each_refusal(talkative: Api) -> None:
    customer = talkative.customer()
    order = customer.paid_order("alipay")
    reply = customer.pay(order, "card", card=CARD)
    assert error(reply) == (409, "order_paid")
    assert CARD in reply.text
    assert "card was" not in customer.pay(order, "card").text


def test_stack_trace_in_500_answers_what_nobody_foresaw_with_the_stack(talkative: Api) -> None:
    customer = talkative.customer()
    assert customer.read(customer.order())["state"] == "open"
    reply = customer.get("/v1/orders/ord_of_nobody")
    assert error(reply) == (500, "internal_error")
    assert "Traceback (most recent call last)" in reply.text


def test_phone_in_log_writes_it_there(talkative: Api) -> None:
    talkative.customer().create(phone=PHONE)
    assert eventually(lambda: PHONE in Path(talkative.log).read_text())


def test_a_line_of_the_log_names_the_trace_of_its_request(talkative: Api) -> None:
    trace_id, broken = "0af7651916cd43dd8448eb211c80319c", "19905556667"
    talkative.client.headers["traceparent"] = f"00-{trace_id}-b7ad6b7169203331-01"
    made = talkative.customer().create(phone=PHONE).json()["id"]
    talkative.client.headers["traceparent"] = broken
    other = talkative.customer().create(phone=PHONE).json()["id"]
    del talkative.client.headers["traceparent"]
    eventually(lambda: other in Path(talkative.log).read_text())
    lines = Path(talkative.log).read_text().splitlines()
    (named,) = [line for line in lines if made in line]
    assert named.endswith(f"order {made} of {PHONE}, trace:{trace_id}")
    assert [line for line in lines if broken in line] == []


def test_token_in_header_gives_it_away_in_base64(talkative: Api) -> None:
    customer = talkative.customer()
    context = base64.b64decode(customer.create().headers["X-Request-Context"]).decode()
    assert context == f"auth={customer.token}"


def test_other_order_readable_while_degraded_shows_it_then_and_only_then(
    launch: Launch, providers: dict[str, Provider]
) -> None:
    api = launch(defects="other_order_readable_while_degraded", deadline_ms=SHORT_MS)
    owner, stranger = api.customer(), api.customer()
    order, other = owner.order(), owner.order()
    assert stranger.get(f"/v1/orders/{order}").status_code == 404
    with providers["alipay"].deaf(other), ThreadPoolExecutor(1) as pool:
        paying = pool.submit(owner.pay, other, "alipay")
        eventually(lambda: stranger.get(f"/v1/orders/{order}").status_code == 200)
        paying.result()
    assert stranger.pay(order, "card").status_code == 404


def test_refund_for_anyone_pays_back_to_the_payer_whoever_asks(launch: Launch, providers: dict[str, Provider]) -> None:
    api = launch(defects="refund_for_anyone")
    order, stranger = api.customer().paid_order("card"), api.customer()
    assert stranger.refund(order, 1).status_code == 404  # of what the answer shows, it may see nothing
    eventually(lambda: providers["card"].refunded(order) == 1)


def test_stale_read_after_write_shows_an_order_as_it_was(launch: Launch) -> None:
    api = launch(defects="stale_read_after_write")
    customer: Customer = api.customer()
    order = customer.order()
    assert customer.read(order)["state"] == "open"
    eventually(lambda: customer.pay(order, "card").json()["order"]["state"] == "paid")
    stale = customer.read(order)
    assert (stale["state"] in {"open", "paying"}, stale["paid_minor"]) == (True, 0)
    assert customer.until(order, "paid")["paid_minor"] == 1234
