"""Alipay's codes, each with its effect on the ledger."""

import pytest

from tests.providers.calls import AlipayCalls
from tests.providers.simulator import Simulator

pytestmark = pytest.mark.live


@pytest.fixture
def calls(alipay: Simulator) -> AlipayCalls:
    return AlipayCalls(alipay)


def code(told: dict[str, object]) -> tuple[object, object]:
    return told["code"], told.get("sub_code")


def test_10000_is_a_payment_captured_at_once_with_its_notice_still_to_come(calls: AlipayCalls) -> None:
    number = calls.started("10000")
    assert calls.provider.effects(number) == ["accepted", "captured"]
    told = calls.call("query", {"out_trade_no": number})
    assert (told["trade_status"], told["total_amount"], "send_pay_date" in told) == ("TRADE_SUCCESS", "10.00", True)


def test_10003_is_a_payment_under_way_that_is_captured_a_little_later(calls: AlipayCalls) -> None:
    number = calls.started("10003")
    calls.provider.await_rows(number=number, kind="captured")
    assert calls.call("query", {"out_trade_no": number})["trade_status"] == "TRADE_SUCCESS"
    assert calls.provider.effects(number) == ["accepted", "captured"]


def test_a_repeated_payment_is_captured_once(calls: AlipayCalls) -> None:
    number = calls.paid()
    assert code(calls.pay(number)) == ("10000", None)
    assert calls.provider.effects(number) == ["accepted", "captured"]


def test_context_inconsistent_is_a_number_with_another_amount(calls: AlipayCalls) -> None:
    number = calls.paid()
    assert code(calls.pay(number, "9.99")) == ("40004", "ACQ.CONTEXT_INCONSISTENT")
    assert calls.provider.effects(number) == ["accepted", "captured"]


def test_trade_has_close_is_a_payment_of_a_closed_number(calls: AlipayCalls) -> None:
    number = calls.pending()
    assert calls.call("query", {"out_trade_no": number})["trade_status"] == "WAIT_BUYER_PAY"
    assert code(calls.call("close", {"out_trade_no": number})) == ("10000", None)
    assert code(calls.call("close", {"out_trade_no": number})) == ("10000", None)
    assert code(calls.pay(number)) == ("40004", "ACQ.TRADE_HAS_CLOSE")
    told = calls.call("query", {"out_trade_no": number})
    assert (told["trade_status"], "send_pay_date" in told) == ("TRADE_CLOSED", False)
    calls.provider.settle()
    assert calls.provider.effects(number) == ["accepted", "closed"]


def test_trade_status_error_is_a_close_of_a_paid_trade(calls: AlipayCalls) -> None:
    number = calls.paid()
    assert code(calls.call("close", {"out_trade_no": number})) == ("40004", "ACQ.TRADE_STATUS_ERROR")
    assert calls.provider.effects(number) == ["accepted", "captured"]


def test_reason_trade_status_invalid_is_a_close_of_a_trade_refunded_in_full(calls: AlipayCalls) -> None:
    number = calls.paid()
    calls.refund(number, "all", "10.00")
    assert code(calls.call("close", {"out_trade_no": number})) == ("40004", "ACQ.REASON_TRADE_STATUS_INVALID")
    told = calls.call("query", {"out_trade_no": number})
    assert (told["trade_status"], "send_pay_date" in told) == ("TRADE_CLOSED", True)


@pytest.mark.parametrize("name", ["query", "close", "refund", "fastpay/refund/query"])
def test_trade_not_exist_is_any_call_but_cancel_for_an_unknown_number(calls: AlipayCalls, name: str) -> None:
    number = calls.provider.new_number()
    told = calls.call(name, {"out_trade_no": number, "out_request_no": "r", "refund_amount": "1.00"})
    assert code(told) == ("40004", "ACQ.TRADE_NOT_EXIST")
    assert calls.provider.effects(number) == []


def test_a_cancel_closes_what_is_unpaid(calls: AlipayCalls) -> None:
    number = calls.pending()
    told = calls.call("cancel", {"out_trade_no": number})
    assert (told["action"], told["retry_flag"]) == ("close", "N")
    calls.provider.settle()
    assert calls.provider.effects(number) == ["accepted", "closed"]


def test_a_cancel_returns_what_is_paid_once(calls: AlipayCalls) -> None:
    number = calls.paid()
    assert [calls.call("cancel", {"out_trade_no": number})["action"] for _ in range(2)] == ["refund", "refund"]
    calls.provider.await_rows(number=number, kind="refunded")
    assert calls.provider.effects(number) == ["accepted", "captured", "refund_accepted", "refunded"]
    assert calls.provider.rows(number=number, kind="refunded")[0]["amount_minor"] == 1000


def test_a_cancel_bars_a_number_whose_payment_is_still_on_its_way(calls: AlipayCalls) -> None:
    number = calls.provider.new_number()
    assert calls.call("cancel", {"out_trade_no": number})["action"] == "close"
    assert code(calls.pay(number)) == ("40004", "ACQ.TRADE_HAS_CLOSE")
    assert calls.provider.effects(number) == ["closed"]


def test_a_refund_moves_money_in_its_first_call_only(calls: AlipayCalls) -> None:
    number = calls.paid()
    first, second = (calls.refund(number, "r-1", "4.00") for _ in range(2))
    assert (first["fund_change"], second["fund_change"], first["refund_fee"]) == ("Y", "N", "4.00")
    calls.provider.await_rows(number=number, kind="refunded")
    told = calls.call("fastpay/refund/query", {"out_trade_no": number, "out_request_no": "r-1"})
    assert (told["refund_status"], told["refund_amount"]) == ("REFUND_SUCCESS", "4.00")
    assert calls.provider.effects(number) == ["accepted", "captured", "refund_accepted", "refunded"]


def test_a_refund_query_that_knows_nothing_is_10000_without_a_status(calls: AlipayCalls) -> None:
    number = calls.paid()
    told = calls.call("fastpay/refund/query", {"out_trade_no": number, "out_request_no": "never-sent"})
    assert told == {"code": "10000", "msg": "Success"}


def test_one_request_number_serves_two_trades(calls: AlipayCalls) -> None:
    numbers = [calls.paid(), calls.paid()]
    assert [calls.refund(number, "same", "1.00")["fund_change"] for number in numbers] == ["Y", "Y"]


def test_discordant_repeat_request_is_a_request_number_with_another_amount(calls: AlipayCalls) -> None:
    number = calls.paid()
    calls.refund(number, "r-1", "4.00")
    assert code(calls.refund(number, "r-1", "3.00")) == ("40004", "ACQ.DISCORDANT_REPEAT_REQUEST")
    assert calls.provider.effects(number).count("refund_accepted") == 1


def test_reason_trade_refund_fee_err_is_a_refund_above_what_is_left(calls: AlipayCalls) -> None:
    number = calls.paid()
    calls.refund(number, "r-1", "6.00")
    assert code(calls.refund(number, "r-2", "4.01")) == ("40004", "ACQ.REASON_TRADE_REFUND_FEE_ERR")
    assert code(calls.refund(number, "r-3", "4.00")) == ("10000", None)
    assert calls.provider.effects(number).count("refund_accepted") == 2


def test_refund_amt_not_equal_total_is_a_partial_refund_without_a_request_number(calls: AlipayCalls) -> None:
    number = calls.paid()
    told = calls.call("refund", {"out_trade_no": number, "refund_amount": "4.00"})
    assert code(told) == ("40004", "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL")
    assert calls.provider.effects(number) == ["accepted", "captured"]


def test_trade_status_error_is_a_refund_of_what_is_not_paid(calls: AlipayCalls) -> None:
    number = calls.pending()
    calls.call("close", {"out_trade_no": number})
    assert code(calls.refund(number, "r-1", "4.00")) == ("40004", "ACQ.TRADE_STATUS_ERROR")
    assert calls.provider.effects(number) == ["accepted", "closed"]


@pytest.mark.parametrize("amount", ["0", "0.00", "1.234", "-1.00", "1e2", ""])
def test_invalid_parameter_is_an_amount_that_is_none(calls: AlipayCalls, amount: str) -> None:
    number = calls.provider.new_number()
    assert code(calls.pay(number, amount)) == ("40004", "ACQ.INVALID_PARAMETER")
    assert calls.provider.effects(number) == []


def test_system_error_leaves_the_effect_and_says_20000_as_http_200(calls: AlipayCalls) -> None:
    number = calls.provider.new_number()
    with calls.provider.fault(kind="error_answer", status=200, when="after", op=["charge"]):
        assert code(calls.pay(number)) == ("20000", "ACQ.SYSTEM_ERROR")
    calls.provider.await_rows(number=number, kind="captured")


def test_invalid_signature_is_a_wrong_merchant_key(calls: AlipayCalls) -> None:
    answer = calls.provider.harness.post("/v3/alipay/trade/query", json={"out_trade_no": "number-x"})
    assert (answer.status_code, code(answer.json())) == (401, ("40002", "isv.invalid-signature"))
