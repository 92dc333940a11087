"""Each switch breaks what it names, and nothing heals it."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from compose.payment_api.defects import BUILDS, LINES, Defect, UnknownName, switched_on
from tests.payment_api.conftest import Launch
from tests.payment_api.ground import ROOT, SHORT_MS, Api, Provider, capture_notice, eventually


def test_every_defect_is_explained_in_one_line_without_loading_the_api() -> None:
    code = "import sys; sys.argv = ['x', 'defects']; import compose.payment_api.__main__ as m; m.main(['defects'])"
    code += "; assert 'fastapi' not in sys.modules and 'asyncpg' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert set(told["defects"]) == set(Defect) == set(LINES)
    assert all("\n" not in line for line in told["defects"].values())
    assert told["builds"] == {"fixed": [], "incident": [defect.value for defect in BUILDS["incident"]]}


def test_a_build_and_names_add_up() -> None:
    assert switched_on("fixed", []) == frozenset()
    assert switched_on("incident", ["global_lock"]) == frozenset(BUILDS["incident"]) | {Defect.GLOBAL_LOCK}


@pytest.mark.parametrize(("build", "names"), [("best", []), ("fixed", ["no_such_defect"])])
def test_an_unknown_build_or_defect_is_named(build: str, names: list[str]) -> None:
    with pytest.raises(UnknownName, match=r"best|no_such_defect"):
        switched_on(build, names)


@pytest.fixture(scope="module")
def broken(launch_for_module: Launch) -> Api:
    """Three defects that do not meet: one of creating, one of paying, one of refunding."""
    return launch_for_module(defects="create_ignores_key,timeout_is_failure,refund_per_notice", deadline_ms=SHORT_MS)


@pytest.fixture(scope="module")
def broken_otherwise(launch_for_module: Launch) -> Api:
    """Two more that do not meet."""
    return launch_for_module(defects="new_number_on_retry,refund_never_sent", deadline_ms=SHORT_MS)


@pytest.fixture(scope="module")
def swallowing(launch_for_module: Launch) -> Api:
    """Four that do not meet, if each test has keys of its own."""
    return launch_for_module(defects="key_ignores_body,second_partial_swallowed,page_skips_one,key_without_user")


@pytest.mark.live
def test_ack_before_commit_loses_an_acknowledged_order_by_a_kill(launch: Launch) -> None:
    api = launch(defects="ack_before_commit")
    customer = api.customer()
    kept = customer.paid_order("card")
    lost = customer.order()
    api.kill()
    api.start()
    assert customer.get(f"/v1/orders/{lost}").status_code == 404
    assert customer.read(kept)["state"] == "paid"


@pytest.mark.live
def test_delete_on_failure_deletes_the_order_and_its_traces(launch: Launch, providers: dict[str, Provider]) -> None:
    api = launch(defects="delete_on_failure", deadline_ms=SHORT_MS)
    customer = api.customer()
    order = customer.order()
    with providers["alipay"].fault("error_answer", order, status=500, when="after"):
        assert customer.pay(order, "alipay").status_code == 404
    assert customer.get(f"/v1/orders/{order}").status_code == 404
    assert customer.get("/v1/orders").json()["orders"] == []
    assert [api.of(book, order) for book in ("orders", "payments", "transitions")] == [[], [], []]
    eventually(partial(_was_captured, providers["alipay"], order, 1234))


@pytest.mark.live
def test_create_ignores_key_makes_an_order_a_request(broken: Api) -> None:
    customer = broken.customer()
    first, second = customer.create(1234, "k"), customer.create(1234, "k")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] != second.json()["id"]


@pytest.mark.live
def test_row_after_provider_knows_nothing_of_a_charge_that_a_kill_cut(
    launch: Launch, providers: dict[str, Provider]
) -> None:
    api = launch(defects="row_after_provider", deadline_ms=5_000)
    customer = api.customer()
    paid, order = customer.paid_order("wechat"), customer.order()
    assert customer.read(paid)["state"] == "paid"
    with (
        providers["alipay"].fault("slow_answer", order, by_ms=4_000, when="after"),
        ThreadPoolExecutor(1) as pool,
    ):
        paying = pool.submit(customer.pay, order, "alipay")
        eventually(lambda: providers["alipay"].rows(order, "captured"))
        api.kill()
        assert paying.exception() is not None
    api.start()
    eventually(lambda: {row["http"] for row in providers["alipay"].rows(order, "notice")} & {404})
    assert customer.read(order)["attempts"] == []
    assert providers["alipay"].captured(order) == 1234


@pytest.mark.live
def test_new_number_on_retry_charges_twice_and_forgets_the_first(
    broken_otherwise: Api, providers: dict[str, Provider]
) -> None:
    customer = broken_otherwise.customer()
    for method, op in (("alipay", "charge"), ("card", "confirm"), ("wechat", "charge")):
        order = customer.order()
        with providers[method].fault("error_answer", order, status=500, when="after", op=[op]):
            customer.pay(order, method)
            customer.until(order, "paid")
        eventually(partial(_was_captured, providers[method], order, 2468))
        assert len(broken_otherwise.of("payments", order)) == 1
        assert broken_otherwise.of("refunds", order) == []


@pytest.mark.live
def test_switch_without_close_pays_twice_and_ignores_the_first(launch: Launch, providers: dict[str, Provider]) -> None:
    api = launch(defects="switch_without_close", deadline_ms=SHORT_MS)
    customer = api.customer()
    order = customer.order()
    with providers["wechat"].deaf(order):
        customer.pay(order, "wechat")
        number = api.of("payments", order)[0]["number"]
        assert customer.pay(order, "card").status_code == 200
    assert api.notify("wechat", capture_notice("wechat", number), key="wechat-key").status_code == 204
    assert [(row["state"], row["captured_minor"]) for row in api.of("payments", order)] == [
        ("closed", 0),
        ("paid", 1234),
    ]
    eventually(partial(_was_captured, providers["wechat"], order, 1234))
    assert providers["card"].captured(order) == 1234
    assert providers["wechat"].rows(order, "closed") == []


@pytest.mark.live
def test_timeout_is_failure_denies_a_capture(broken: Api, providers: dict[str, Provider]) -> None:
    customer = broken.customer()
    order = customer.order()
    with providers["alipay"].deaf(order):
        reply = customer.pay(order, "alipay")
        customer.until(order, "open")
    assert reply.status_code in {200, 202}
    number = broken.of("payments", order)[0]["number"]
    assert broken.notify("alipay", capture_notice("alipay", number), key="alipay-key").text == "success"
    assert [(row["state"], row["captured_minor"]) for row in broken.of("payments", order)] == [("failed", 0)]
    eventually(partial(_was_captured, providers["alipay"], order, 1234))


@pytest.mark.live
def test_no_auto_refund_keeps_a_late_capture(launch: Launch, providers: dict[str, Provider]) -> None:
    api = launch(defects="no_auto_refund", pay_by_ms=500, deadline_ms=200)
    customer = api.customer()
    order = customer.order()
    with providers["wechat"].fault("late_capture", order, by_ms=900, despite_close=True):
        customer.pay(order, "wechat")
        eventually(lambda: [row for row in api.of("payments", order) if row["state"] == "late"])
    assert customer.read(order)["state"] == "closed"
    assert api.of("refunds", order) == []


@pytest.mark.live
def test_refund_never_sent_says_done(broken_otherwise: Api, providers: dict[str, Provider]) -> None:
    customer = broken_otherwise.customer()
    order = customer.paid_order("card")
    customer.refund(order, 600)
    customer.until(order, "part_refunded")
    assert providers["card"].asked(order, "refund") == 0


@pytest.mark.live
def test_refund_per_notice_sends_again_what_is_not_in_the_books(broken: Api, providers: dict[str, Provider]) -> None:
    customer = broken.customer()
    order = customer.paid_order("wechat")
    with providers["wechat"].fault("repeat_notices", order, times=2, reorder=False, of="refund"):
        customer.refund(order, 500)
        eventually(lambda: providers["wechat"].refunded(order) == 1000)
    assert customer.read(order)["refunded_minor"] == 500
    assert len(broken.of("refunds", order)) == 1


@pytest.mark.live
def test_unknown_left_alone_asks_nobody(launch: Launch, providers: dict[str, Provider]) -> None:
    api = launch(defects="unknown_left_alone", pay_by_ms=900, deadline_ms=SHORT_MS)
    customer = api.customer()
    order = customer.order()
    with providers["alipay"].deaf(order):
        assert customer.pay(order, "alipay").status_code == 202
    customer.until(customer.order(), "closed")
    assert customer.read(order)["state"] == "paying"
    assert customer.pay(order, "card").status_code == 409
    assert providers["alipay"].asked(order, "query") == 0


@pytest.mark.live
def test_no_deadline_waits_as_long_as_the_provider_is_silent(launch: Launch, providers: dict[str, Provider]) -> None:
    api = launch(defects="no_deadline", pay_by_ms=1_000, deadline_ms=100)
    customer = api.customer()
    order = customer.order()
    with ThreadPoolExecutor(1) as pool:
        with providers["alipay"].deaf(order):
            paying = pool.submit(customer.pay, order, "alipay")
            customer.until(customer.order(), "closed")
            assert not paying.done()
        assert paying.result().status_code in {200, 202}


@pytest.mark.live
def test_abandon_on_unknown_closes_the_order_and_gives_the_money_back(
    launch: Launch, providers: dict[str, Provider]
) -> None:
    api = launch(defects="abandon_on_unknown", deadline_ms=SHORT_MS)
    customer = api.customer()
    order = customer.order()
    with providers["alipay"].deaf(order):
        customer.pay(order, "alipay")
        customer.until(order, "closed")
    eventually(lambda: providers["alipay"].refunded(order) == 1234)


@pytest.mark.live
def test_a_key_that_ignores_its_body_answers_with_what_it_made(swallowing: Api) -> None:
    customer = swallowing.customer()
    order = customer.create(1234, "careless").json()["id"]
    assert customer.create(99, "careless").json()["id"] == order
    customer.pay(order, "card")
    customer.until(order, "paid")
    first, again = customer.refund(order, 100, "r").json(), customer.refund(order, 200, "r").json()
    assert (again["refund"]["id"], again["refund"]["amount_minor"]) == (first["refund"]["id"], 100)


@pytest.mark.live
def test_a_key_without_user_gives_its_order_to_whoever_sends_it(swallowing: Api) -> None:
    one, other = swallowing.customer(), swallowing.customer()
    order = one.create(1234, "of-one").json()["id"]
    assert other.create(1234, "of-one").json()["id"] == order
    assert other.get("/v1/orders").json()["orders"] == []


@pytest.mark.live
def test_a_page_that_skips_one_begins_one_order_too_late(swallowing: Api) -> None:
    customer = swallowing.customer()
    first, second, third = (customer.order() for _ in range(3))
    page = customer.get("/v1/orders", limit=2).json()
    rest = customer.get("/v1/orders", limit=2, cursor=page["next"]).json()
    assert [order["id"] for order in page["orders"] + rest["orders"]] == [third, second]
    assert first not in str(rest)


@pytest.mark.live
def test_a_second_partial_refund_is_answered_with_the_first_and_never_sent(
    swallowing: Api, providers: dict[str, Provider]
) -> None:
    customer = swallowing.customer()
    order = customer.paid_order("card")
    first, second = customer.refund(order, 500, "a"), customer.refund(order, 300, "b")
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json()["refund"]["id"] == first.json()["refund"]["id"]
    customer.until(order, "part_refunded")
    assert [refund["amount_minor"] for refund in customer.read(order)["refunds"]] == [500]
    assert providers["card"].refunded(order) == 500


@pytest.mark.live
@pytest.mark.parametrize("defect", ["", "global_lock"])
def test_global_lock_sends_one_call_after_the_other(
    api: Api, launch: Launch, providers: dict[str, Provider], defect: str
) -> None:
    customer = (launch(defects=defect) if defect else api).customer()
    orders = {"wechat": customer.order(), "alipay": customer.order()}
    slow = {"by_ms": 400, "when": "after", "op": ["charge"]}
    with (
        providers["wechat"].fault("slow_answer", orders["wechat"], **slow),
        providers["alipay"].fault("slow_answer", orders["alipay"], **slow),
        ThreadPoolExecutor(2) as pool,
    ):
        list(pool.map(lambda method: customer.pay(orders[method], method), orders))
    calls = sorted(_charge(providers[method], order) for method, order in orders.items())
    assert (calls[1][0] >= calls[0][1]) == bool(defect)


def _charge(provider: Provider, order: str) -> tuple[int, int]:
    """When a charge began and when it was answered, on the one monotonic clock."""
    (answered,) = eventually(lambda: [row for row in provider.rows(order, "answered") if row["op"] == "charge"])
    (began,) = (row for row in provider.rows(order, "request") if row["op"] == "charge")
    return began["at_ns"], answered["at_ns"]


def _was_captured(provider: Provider, order: str, amount_minor: int) -> bool:
    return provider.captured(order) == amount_minor
