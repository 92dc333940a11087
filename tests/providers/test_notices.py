"""Notices: signed, repeated until acknowledged, and lost, late, repeated or reordered where a fault says so."""

import hmac
import json

import pytest

from tests.providers.calls import AlipayCalls, CardCalls, WechatCalls
from tests.providers.simulator import KEY, Simulator, Sink

pytestmark = pytest.mark.live


@pytest.fixture
def calls(wechat: Simulator) -> WechatCalls:
    return WechatCalls(wechat)


def test_a_notice_is_signed_over_timestamp_nonce_and_raw_body(calls: WechatCalls, sink: Sink) -> None:
    url = sink.url()
    calls.charge(calls.provider.new_number(), url=url)
    headers, body = sink.take(url)
    signed = f"{headers['wechatpay-timestamp']}\n{headers['wechatpay-nonce']}\n".encode() + body + b"\n"
    assert headers["wechatpay-signature"] == hmac.new(KEY.encode(), signed, "sha256").hexdigest()


def test_wechat_tells_of_captures_and_refunds(calls: WechatCalls, sink: Sink) -> None:
    number, url, refund_url = calls.provider.new_number(), sink.url(), sink.url()
    calls.charge(number, url=url)
    told = json.loads(sink.take(url)[1])
    assert told["event_type"] == "TRANSACTION.SUCCESS"
    assert (told["resource"]["out_trade_no"], told["resource"]["amount"]["total"]) == (number, 1000)
    calls.refund(number, f"r-{number}", 400, notify_url=refund_url)
    told = json.loads(sink.take(refund_url)[1])
    assert (told["event_type"], told["resource"]["refund_status"]) == ("REFUND.SUCCESS", "SUCCESS")
    assert (told["resource"]["out_refund_no"], told["resource"]["amount"]["refund"]) == (f"r-{number}", 400)


def test_alipay_tells_of_captures_and_refunds_in_yuan(alipay: Simulator, sink: Sink) -> None:
    calls, url = AlipayCalls(alipay), sink.url()
    number = calls.paid(url)
    told = json.loads(sink.take(url)[1])
    assert (told["notify_type"], told["trade_status"]) == ("trade_status_sync", "TRADE_SUCCESS")
    assert (told["out_trade_no"], told["total_amount"]) == (number, "10.00")
    calls.refund(number, "r-1", "4.00")
    told = json.loads(sink.take(url)[1])
    assert (told["notify_type"], told["out_request_no"], told["refund_fee"]) == ("refund", "r-1", "4.00")


def test_the_card_acquirer_tells_of_captures_and_refunds(card: Simulator, sink: Sink) -> None:
    calls, key, url = CardCalls(card), card.new_number(), sink.url()
    intent = calls.create(key, url=url).json()["id"]
    calls.confirm(intent, f"c-{key}")
    told = json.loads(sink.take(url)[1])
    assert (told["type"], told["data"]["object"]["id"]) == ("payment_intent.succeeded", intent)
    calls.refund(intent, f"r-{key}", 400)
    told = json.loads(sink.take(url)[1])
    assert (told["type"], told["data"]["object"]["payment_intent"]) == ("refund.succeeded", intent)
    assert told["data"]["object"]["amount"] == 400


def test_a_notice_that_is_refused_comes_again_by_the_schedule_under_one_id(calls: WechatCalls, sink: Sink) -> None:
    number, url = calls.provider.new_number(), sink.url("refuse")
    calls.charge(number, url=url)
    arrived = [sink.take(url) for _ in range(4)]
    calls.provider.settle()
    assert len({json.loads(body)["id"] for _, body in arrived}) == 1
    assert len({headers["wechatpay-nonce"] for headers, _ in arrived}) == 4
    assert [row["http"] for row in calls.provider.rows(number=number, kind="notice")] == [500] * 4
    assert sink.left(url) == 0


def test_a_notice_that_reaches_nobody_is_recorded_without_a_status(calls: WechatCalls) -> None:
    number = calls.paid()
    calls.provider.settle()
    rows = calls.provider.rows(number=number, kind="notice")
    assert [(row["http"], row["op"], row["order"]) for row in rows] == [(None, "capture", f"order-{number}")] * 4


def test_every_second_captures_notice_is_lost_with_all_its_repeats(calls: WechatCalls, sink: Sink) -> None:
    url = sink.url("refuse")
    with calls.provider.fault(kind="lose_notices", nth=2, of="capture") as fault_id:
        numbers = []
        for _ in range(4):
            numbers.append(calls.provider.new_number())
            calls.charge(numbers[-1], url=url)
            calls.provider.await_rows(number=numbers[-1], kind="captured")
        assert calls.provider.hits(fault_id) == 2
    calls.provider.settle()
    told = [json.loads(sink.take(url)[1])["resource"]["out_trade_no"] for _ in range(8)]
    assert (set(told), sink.left(url)) == ({numbers[0], numbers[2]}, 0)
    lost = [calls.provider.rows(number=number, kind="notice_lost") for number in numbers]
    assert [len(rows) for rows in lost] == [0, 1, 0, 1]
    assert (lost[1][0]["fault"], lost[1][0]["op"]) == ("lost", "capture")


def test_only_notices_of_the_named_orders_are_lost(calls: WechatCalls, sink: Sink) -> None:
    url, lost, told = sink.url(), calls.provider.new_number(), calls.provider.new_number()
    with calls.provider.fault(kind="lose_notices", orders=[f"order-{lost}"]):
        for number in (lost, told):
            calls.charge(number, url=url)
            calls.provider.await_rows(number=number, kind="captured")
    assert json.loads(sink.take(url)[1])["resource"]["out_trade_no"] == told
    assert sink.left(url) == 0


def test_a_late_notice_is_planned_until_it_comes(calls: WechatCalls, sink: Sink) -> None:
    calls.provider.settle()
    number, url = calls.provider.new_number(), sink.url()
    with calls.provider.fault(kind="late_notices", by_ms=1_000):
        calls.charge(number, url=url)
        (captured,) = calls.provider.await_rows(number=number, kind="captured")
    assert (calls.provider.planned()["planned"], sink.left(url)) == (1, 0)
    sink.take(url)
    (told,) = calls.provider.await_rows(number=number, kind="notice")
    assert (told["fault"], told["at_ns"] >= captured["at_ns"] + 1_000_000_000) == ("late", True)


def test_repeated_notices_come_again_although_acknowledged(calls: WechatCalls, sink: Sink) -> None:
    number, url = calls.provider.new_number(), sink.url()
    with calls.provider.fault(kind="repeat_notices", times=3):
        calls.charge(number, url=url)
        bodies = {sink.take(url)[1] for _ in range(3)}
    calls.provider.settle()
    assert (len(bodies), sink.left(url)) == (1, 0)
    assert {row["fault"] for row in calls.provider.rows(number=number, kind="notice")} == {"repeated"}


def test_reordered_notices_of_a_capture_come_behind_those_of_its_refund(calls: WechatCalls, sink: Sink) -> None:
    number, url = calls.provider.new_number(), sink.url()
    with calls.provider.fault(kind="repeat_notices", times=2, reorder=True):
        calls.charge(number, url=url)
        events = [json.loads(sink.take(url)[1])["event_type"]]
        calls.refund(number, f"r-{number}", 400)
        events += [json.loads(sink.take(url)[1])["event_type"] for _ in range(2)]
    assert events == ["TRANSACTION.SUCCESS", "REFUND.SUCCESS", "TRANSACTION.SUCCESS"]
