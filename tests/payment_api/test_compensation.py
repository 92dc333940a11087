"""Who was let down gets one voucher by the published rule, and whoever was not gets none."""

import asyncio
import json

import asyncpg
import pytest

from compose.payment_api.compensator import voucher_minor
from tests.payment_api.conftest import Launch
from tests.payment_api.ground import SHORT_MS, Api, Provider, eventually


@pytest.mark.parametrize(
    ("amount_minor", "worth_minor"),
    [(900, 100), (1_004, 100), (1_005, 101), (1_234, 123), (1_235, 124), (19_995, 2_000), (40_000, 2_000)],
)
def test_a_voucher_is_a_tenth_rounded_half_up_between_its_bounds(amount_minor: int, worth_minor: int) -> None:
    assert voucher_minor(amount_minor) == worth_minor


@pytest.mark.live
def test_an_order_refunded_unasked_is_compensated_once_though_the_process_is_killed(
    launch: Launch, providers: dict[str, Provider]
) -> None:
    api = launch(pay_by_ms=500, deadline_ms=SHORT_MS)
    order = let_down(api, providers)
    eventually(lambda: api.of("vouchers", order))
    api.kill()
    api.start()
    witness = let_down(api, providers)
    eventually(lambda: api.of("vouchers", witness))
    (voucher,) = api.of("vouchers", order)
    assert (voucher["amount_minor"], voucher["currency"]) == (124, "CNY")
    assert [row["reason"] for row in api.of("affected", order)] == ["refunded"]


@pytest.mark.live
def test_an_attempt_that_stays_unresolved_for_three_seconds_makes_its_order_affected(
    api: Api, providers: dict[str, Provider]
) -> None:
    customer = api.customer()
    order, quick = customer.order(), customer.paid_order("card")
    with providers["wechat"].deaf(order):
        customer.pay(order, "wechat")
        (affected,) = eventually(lambda: api.of("affected", order))
        assert customer.read(order)["state"] == "paying"
    (attempt,) = api.of("payments", order)
    assert affected["reason"] == "unresolved"
    assert attempt["created_at"] < affected["at"]
    assert len(api.of("vouchers", order)) == 1
    assert api.of("affected", quick) + api.of("vouchers", quick) == []


@pytest.mark.live
def test_an_attempt_that_was_answered_busy_makes_its_order_affected(api: Api) -> None:
    order = api.customer().order()

    async def refuse() -> None:
        connection = await asyncpg.connect(api.environment["PAYMENT_API_DATABASE_URL"])
        try:
            await connection.execute("INSERT INTO refusals (order_id, at, reason) VALUES ($1, now(), 'busy')", order)
        finally:
            await connection.close()

    asyncio.run(refuse())
    eventually(lambda: api.of("vouchers", order))
    assert [row["reason"] for row in api.of("affected", order)] == ["busy"]


@pytest.mark.live
def test_a_customer_s_own_refund_affects_nobody(api: Api, brief: Api, providers: dict[str, Provider]) -> None:
    customer = api.customer()
    order = customer.paid_order("alipay")
    customer.refund(order, 600)
    customer.until(order, "part_refunded")
    witness = let_down(brief, providers)
    eventually(lambda: brief.of("vouchers", witness))
    assert api.of("affected", order) == []


def let_down(api: Api, providers: dict[str, Provider]) -> str:
    """An order whose money comes when its time is over."""
    customer = api.customer()
    order = customer.order(1_235)
    with providers["wechat"].fault("late_capture", order, by_ms=700, despite_close=True):
        customer.pay(order, "wechat")
        customer.until(order, "closed")
        eventually(lambda: providers["wechat"].refunded(order) == 1_235)
    return order


@pytest.mark.live
def test_the_books_of_what_was_made_good_are_the_operator_s_alone(api: Api) -> None:
    for book in ("vouchers", "affected", "discrepancies"):
        reply = api.client.get(f"{api.url}/v1/ledger/{book}")
        assert (reply.status_code, json.loads(reply.text)["error"]["code"]) == (401, "unauthorized")
