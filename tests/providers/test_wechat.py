"""WeChat Pay's codes, each with its effect on the ledger."""

from typing import Any

import pytest

from tests.providers.calls import WechatCalls
from tests.providers.simulator import Simulator, Sink

pytestmark = pytest.mark.live


@pytest.fixture
def calls(wechat: Simulator) -> WechatCalls:
    return WechatCalls(wechat)


def test_an_accepted_charge_is_read_as_being_paid_until_it_is_captured(calls: WechatCalls) -> None:
    number = calls.pending()
    assert calls.query(number).json()["trade_state"] == "USERPAYING"
    assert "transaction_id" not in calls.query(number).json()
    calls.close(number)


def test_a_charge_is_accepted_and_captured_a_little_later(calls: WechatCalls, sink: Sink) -> None:
    number, url = calls.provider.new_number(), sink.url()
    answer = calls.charge(number, url=url)
    assert (answer.status_code, answer.json()) == (202, {})
    sink.take(url)
    shown = calls.query(number).json()
    assert (shown["trade_state"], shown["amount"]["total"]) == ("SUCCESS", 1000)
    assert shown["transaction_id"].startswith("4200")
    assert calls.provider.effects(number) == ["accepted", "captured"]


def test_every_row_of_a_trade_names_its_run_and_order(calls: WechatCalls) -> None:
    number = calls.paid()
    calls.query(number)
    calls.refund(number, f"r-{number}", 400)
    calls.refund_query(f"r-{number}")
    calls.provider.settle()
    rows = calls.provider.rows(number=number)
    assert {(row["run"], row["order"]) for row in rows} == {("run-1", f"order-{number}")}
    asked = [row["op"] for row in rows if row["kind"] == "request"]
    assert asked == ["charge", "query", "refund", "refund_query"]
    assert {row["refund_number"] for row in rows if row["op"] == "refund_query"} == {f"r-{number}"}


def test_a_repeated_charge_is_answered_alike_and_captured_once(calls: WechatCalls) -> None:
    number = calls.paid()
    assert calls.charge(number).status_code == 202
    assert calls.provider.effects(number) == ["accepted", "captured"]


def test_out_trade_no_used_is_a_number_with_another_amount(calls: WechatCalls) -> None:
    number = calls.paid()
    answer = calls.charge(number, 999)
    assert (answer.status_code, answer.json()["code"]) == (403, "OUT_TRADE_NO_USED")
    assert calls.provider.effects(number) == ["accepted", "captured"]


def test_a_close_before_the_capture_wins_and_is_answered_alike_again(calls: WechatCalls) -> None:
    number = calls.pending()
    assert [calls.close(number).status_code for _ in range(2)] == [204, 204]
    assert calls.query(number).json()["trade_state"] == "CLOSED"
    calls.provider.settle()
    assert calls.provider.effects(number) == ["accepted", "closed"]


def test_order_closed_is_a_charge_of_a_closed_number(calls: WechatCalls) -> None:
    number = calls.pending()
    calls.close(number)
    answer = calls.charge(number)
    assert (answer.status_code, answer.json()["code"]) == (400, "ORDER_CLOSED")
    assert calls.provider.effects(number) == ["accepted", "closed"]


def test_orderpaid_is_a_close_after_the_capture(calls: WechatCalls) -> None:
    number = calls.paid()
    answer = calls.close(number)
    assert (answer.status_code, answer.json()["code"]) == (400, "ORDERPAID")
    assert calls.provider.effects(number) == ["accepted", "captured"]


def test_order_not_exist_is_a_query_or_close_of_an_unknown_number(calls: WechatCalls) -> None:
    number = calls.provider.new_number()
    answers = [calls.query(number), calls.close(number)]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "ORDER_NOT_EXIST")] * 2
    assert calls.provider.effects(number) == []


def test_no_auth_is_a_query_by_another_merchant(calls: WechatCalls) -> None:
    number = calls.paid()
    answer = calls.query(number, mchid="m-2")
    assert (answer.status_code, answer.json()["code"]) == (403, "NO_AUTH")


@pytest.mark.parametrize(
    "changes",
    [
        {"out_trade_no": "short"},
        {"amount": {"total": 0, "currency": "CNY"}},
        {"amount": {"total": 10.5, "currency": "CNY"}},
        {"amount": {"total": 1000, "currency": "EUR"}},
        {"notify_url": "ftp://127.0.0.1/x"},
        {"mchid": None},
        {"description": ""},
    ],
)
def test_param_error_is_a_charge_that_is_not_understood(calls: WechatCalls, changes: dict[str, Any]) -> None:
    number = calls.provider.new_number()
    answer = calls.charge(number, **changes)
    assert (answer.status_code, answer.json()["code"]) == (400, "PARAM_ERROR")
    assert calls.provider.effects(number) == []


def test_sign_error_is_a_wrong_merchant_key_and_nothing_of_it_is_believed(calls: WechatCalls) -> None:
    number = calls.provider.new_number()
    calls.provider.client.headers["Authorization"] = "Bearer another"
    try:
        answer = calls.charge(number)
    finally:
        calls.provider.client.headers["Authorization"] = "Bearer merchant-key"
    assert (answer.status_code, answer.json()["code"]) == (401, "SIGN_ERROR")
    assert calls.provider.rows(number=number) == []
    assert calls.provider.rows(kind="answered")[-1]["http"] == 401


def test_a_refund_is_accepted_then_successful_and_shown_by_the_trade(calls: WechatCalls) -> None:
    number = calls.paid()
    answer = calls.refund(number, f"r-{number}", 400)
    assert (answer.status_code, answer.json()["status"]) == (200, "PROCESSING")
    assert answer.json()["amount"] == {"refund": 400, "total": 1000, "currency": "CNY"}
    calls.provider.await_rows(number=number, kind="refunded")
    assert calls.refund_query(f"r-{number}").json()["status"] == "SUCCESS"
    assert calls.query(number).json()["trade_state"] == "REFUND"
    assert calls.provider.effects(number) == ["accepted", "captured", "refund_accepted", "refunded"]


def test_a_repeated_refund_is_one_refund(calls: WechatCalls) -> None:
    number = calls.paid()
    first, second = (calls.refund(number, f"r-{number}", 1000).json() for _ in range(2))
    assert first["refund_id"] == second["refund_id"]
    calls.provider.settle()
    assert calls.provider.effects(number) == ["accepted", "captured", "refund_accepted", "refunded"]


def test_invalid_request_is_a_refund_number_with_another_amount(calls: WechatCalls) -> None:
    number = calls.paid()
    calls.refund(number, f"r-{number}", 400)
    answer = calls.refund(number, f"r-{number}", 300)
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_REQUEST")
    assert calls.provider.effects(number).count("refund_accepted") == 1


def test_invalid_request_is_a_refund_with_another_total(calls: WechatCalls) -> None:
    number = calls.paid()
    answer = calls.refund(number, f"r-{number}", 400, total=900)
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_REQUEST")
    assert calls.provider.effects(number) == ["accepted", "captured"]


def test_not_enough_is_a_refund_above_what_is_left(calls: WechatCalls) -> None:
    number = calls.paid()
    assert calls.refund(number, f"a-{number}", 600).status_code == 200
    answer = calls.refund(number, f"b-{number}", 401)
    assert (answer.status_code, answer.json()["code"]) == (403, "NOT_ENOUGH")
    assert calls.refund(number, f"c-{number}", 400).status_code == 200
    assert calls.provider.effects(number).count("refund_accepted") == 2


def test_trade_error_is_a_refund_of_what_is_not_paid(calls: WechatCalls) -> None:
    number = calls.pending()
    calls.close(number)
    answer = calls.refund(number, f"r-{number}", 400)
    assert (answer.status_code, answer.json()["code"]) == (403, "TRADE_ERROR")
    assert calls.provider.effects(number) == ["accepted", "closed"]


def test_resource_not_exists_is_a_refund_or_refund_query_of_something_unknown(calls: WechatCalls) -> None:
    number = calls.provider.new_number()
    answers = [calls.refund(number, f"r-{number}", 400), calls.refund_query(f"r-{number}")]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "RESOURCE_NOT_EXISTS")] * 2
    assert calls.provider.effects(number) == []


@pytest.mark.parametrize(
    ("status", "code"),
    [(429, "FREQUENCY_LIMITED"), (500, "SYSTEM_ERROR"), (502, "SERVICE_UNAVAILABLE"), (503, "SERVICE_UNAVAILABLE")],
)
def test_a_fault_answers_an_error_instead_of_the_truth(calls: WechatCalls, status: int, code: str) -> None:
    number = calls.provider.new_number()
    with calls.provider.fault(kind="error_answer", status=status, when="after", op=["charge"]):
        answer = calls.charge(number)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    calls.provider.await_rows(number=number, kind="captured")
    assert calls.provider.effects(number) == ["accepted", "captured"]


def test_an_unknown_call_is_recorded_and_refused(calls: WechatCalls) -> None:
    answer = calls.provider.client.get("/v3/unheard/of")
    assert (answer.status_code, answer.json()["code"]) == (404, "RESOURCE_NOT_EXISTS")
    assert calls.provider.rows(op="unknown", kind="answered")[-1]["http"] == 404
