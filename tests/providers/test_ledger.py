"""The ledger survives a kill, leaves no gap, and counts one effect for fifty requests at once."""

import asyncio
import csv
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path

import httpx
import pytest

from tests.providers.calls import AlipayCalls, CardCalls, WechatCalls
from tests.providers.simulator import KEY, LIMIT_S, Simulator, Sink

pytestmark = pytest.mark.live

BEIJING = timezone(timedelta(hours=8))


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Simulator]:
    """A WeChat Pay of the test's own, to be killed."""
    with Simulator("wechat", tmp_path) as simulator:
        yield simulator


def test_after_a_kill_every_row_is_there_and_what_was_planned_happens(mortal: Simulator, sink: Sink) -> None:
    calls, url = WechatCalls(mortal), sink.url()
    paid, late = calls.paid(), mortal.new_number()
    with mortal.fault(kind="late_capture", by_ms=1_000):
        calls.charge(late, url=url)
    calls.refund(paid, f"r-{paid}", 400)
    before = mortal.rows()
    mortal.kill()
    mortal.start()
    mortal.settle()
    after = mortal.rows()
    assert after[: len(before)] == before
    assert [row["seq"] for row in after] == list(range(1, len(after) + 1))
    assert [row["kind"] for row in after].count("started") == 2
    assert mortal.effects(late) == ["accepted", "captured"]
    assert mortal.effects(paid)[-1] == "refunded"
    assert sink.take(url)[1]


def test_a_fault_outlives_a_kill_with_its_count(mortal: Simulator) -> None:
    calls = WechatCalls(mortal)
    number = calls.paid()
    with mortal.fault(kind="error_answer", when="after", status=503, nth=2, op=["query"]):
        assert calls.query(number).status_code == 200
        mortal.kill()
        mortal.start()
        assert calls.query(number).status_code == 503


def test_a_kill_under_load_leaves_no_gap_and_no_answer_without_its_effect(mortal: Simulator) -> None:
    async def pay(client: httpx.AsyncClient, number: str) -> str | None:
        body = {"mchid": "m-1", "out_trade_no": number, "description": "x", "amount": {"total": 5}}
        try:
            answer = await client.post("/v3/papay/pay/transactions/apply", json=body | {"notify_url": mortal.url})
        except httpx.TransportError:
            return None
        return number if answer.status_code == 202 else None

    async def storm() -> list[str | None]:
        headers = {"Authorization": f"Bearer {KEY}"}
        async with httpx.AsyncClient(base_url=mortal.url, headers=headers, timeout=LIMIT_S, trust_env=False) as client:
            waves = [await asyncio.gather(*(pay(client, f"load-{wave}-{n}") for n in range(20))) for wave in range(3)]
            dying = asyncio.gather(*(pay(client, f"load-x-{n}") for n in range(50)))
            await asyncio.sleep(0)
            while not (done := await asyncio.to_thread(mortal.rows, number="load-x-0")):
                assert done == []
            mortal.process.kill()
            return [number for wave in waves for number in wave] + await dying

    acknowledged = {number for number in asyncio.run(storm()) if number is not None}
    mortal.process.wait(LIMIT_S)
    mortal.start()
    rows = mortal.rows()
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    assert acknowledged <= {row["number"] for row in rows if row["kind"] == "accepted"}
    assert len(acknowledged) >= 60


def test_fifty_refunds_at_once_with_one_number_are_one_refund(
    wechat: Simulator, alipay: Simulator, card: Simulator
) -> None:
    number, trade, intent = WechatCalls(wechat).paid(), AlipayCalls(alipay).paid(), CardCalls(card).paid()
    amount = {"refund": 700, "total": 1000, "currency": "CNY"}
    body: Mapping[str, object] = {"out_trade_no": number, "out_refund_no": f"r-{number}", "amount": amount}
    answers = at_once(wechat, "/v3/refund/domestic/refunds", body)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refund_id"] for answer in answers}) == 1

    body = {"out_trade_no": trade, "out_request_no": "r-1", "refund_amount": "7.00"}
    answers = at_once(alipay, "/v3/alipay/trade/refund", body)
    assert sorted(answer.json()["fund_change"] for answer in answers) == ["N"] * 49 + ["Y"]

    answers = at_once(card, "/v1/refunds", {"payment_intent": intent, "amount": 700}, "one-key")
    assert len({answer.content for answer in answers}) == 1
    for provider, of in ((wechat, number), (alipay, trade), (card, intent)):
        provider.settle()
        assert provider.effects(of) == ["accepted", "captured", "refund_accepted", "refunded"]


def test_fifty_charges_at_once_with_one_number_are_one_capture(alipay: Simulator) -> None:
    number = alipay.new_number()
    body = {"out_trade_no": number, "total_amount": "10.00", "subject": "x", "notify_url": "http://127.0.0.1:9/"}
    answers = at_once(alipay, "/v3/alipay/trade/pay", body)
    assert {answer.json()["code"] for answer in answers} <= {"10000", "10003"}
    alipay.settle()
    assert alipay.effects(number) == ["accepted", "captured"]


def test_the_file_itself_refuses_to_forget(mortal: Simulator) -> None:
    with sqlite3.connect(mortal.data / "ledger.sqlite") as connection:
        for statement in ("DELETE FROM ledger", "UPDATE ledger SET amount_minor = 0"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(statement)
        (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    connection.close()
    assert mode == "wal"


def test_the_digest_changes_with_effects_only_and_outlives_a_kill(mortal: Simulator) -> None:
    calls = WechatCalls(mortal)
    number = calls.paid()
    mortal.settle()
    first = mortal.planned()
    calls.query(number)
    assert (first["effects"], mortal.planned()) == (2, first)
    mortal.kill()
    mortal.start()
    assert mortal.planned() == first
    calls.refund(number, f"r-{number}", 400)
    mortal.settle()
    last = mortal.planned()
    assert (last["effects"], last["digest"] != first["digest"]) == (4, True)


def test_the_ledger_is_read_in_pages(mortal: Simulator) -> None:
    WechatCalls(mortal).paid()
    mortal.settle()
    page = mortal.harness.get("/control/ledger", params={"after": 1, "limit": 2})
    rows = [line for line in page.text.splitlines() if line]
    assert (len(rows), int(page.headers["X-Last-Seq"])) == (2, len(mortal.rows()))
    for wrong in ({"after": "x"}, {"after": -1}, {"limit": 0}, {"limit": 10_001}, {"after": "9" * 30}):
        assert mortal.harness.get("/control/ledger", params=wrong).status_code == 422


def test_a_day_s_bill_of_wechat_names_captures_and_refunds_in_yuan(mortal: Simulator) -> None:
    calls = WechatCalls(mortal)
    number = calls.paid()
    calls.refund(number, f"r-{number}", 400)
    mortal.settle()
    lines = bill(mortal, f"/v3/bill/tradebill?bill_date={today()}&bill_type=ALL")
    assert [(line["商户订单号"], line["交易状态"], line["应结订单金额"], line["退款金额"]) for line in lines] == [
        (f"`{number}", "`SUCCESS", "`10.00", "`0.00"),
        (f"`{number}", "`REFUND", "`0.00", "`4.00"),
    ]
    assert mortal.client.get("/v3/bill/tradebill?bill_date=today").json()["code"] == "PARAM_ERROR"
    assert mortal.client.get(f"/bill/{today()}.ALL.9.{'0' * 64}").status_code == 404


def test_a_link_to_a_bill_gives_the_same_file_though_the_day_goes_on(alipay: Simulator) -> None:
    calls = AlipayCalls(alipay)
    number = calls.paid()
    asked = {"bill_type": "trade", "bill_date": today()}
    link = alipay.post("/v3/alipay/data/dataservice/bill/downloadurl/query", asked).json()["bill_download_url"]
    first = alipay.client.get(link).text
    calls.paid()
    assert alipay.client.get(link).text == first
    (line,) = (line for line in csv.DictReader(first.splitlines()) if line["商户订单号"] == number)
    assert (line["业务类型"], line["订单金额"], line["商家实收"]) == ("交易", "10.00", "10.00")


def test_what_a_fault_plants_in_a_bill_is_written_down_and_outlives_fault_and_process(mortal: Simulator) -> None:
    calls = WechatCalls(mortal)
    with mortal.fault(kind="plant_in_bill") as fault_id:
        left_out, shown = calls.paid(), calls.paid()
        assert mortal.hits(fault_id) == 1
    mortal.kill()
    mortal.start()
    missing, extra = mortal.rows(kind="bill_planted")
    assert (missing["number"], missing["note"], extra["note"], extra["amount_minor"]) == (
        left_out,
        "missing",
        "extra",
        1000,
    )
    lines = bill(mortal, f"/v3/bill/tradebill?bill_date={today()}&bill_type=ALL")
    assert [(line["商户订单号"], line["应结订单金额"]) for line in lines] == [
        (f"`{extra['number']}", "`10.00"),
        (f"`{shown}", "`10.00"),
    ]


def test_what_is_planted_in_the_card_acquirer_s_bill_stands_among_its_balance_transactions(card: Simulator) -> None:
    calls = CardCalls(card)
    with card.fault(kind="plant_in_bill"):
        left_out = calls.paid()
    (extra,) = (row for row in card.rows(kind="bill_planted") if row["note"] == "extra")
    listed = card.client.get("/v1/balance_transactions", params={"limit": 100}).json()["data"]
    intents = {transaction["payment_intent"]: transaction["amount"] for transaction in listed}
    assert (left_out in intents, intents[extra["number"]]) == (False, 1000)


def today() -> str:
    return datetime.now(BEIJING).date().isoformat()


def bill(provider: Simulator, path: str) -> list[dict[str, str]]:
    link = provider.client.get(path).raise_for_status().json()["download_url"]
    return list(csv.DictReader(provider.client.get(link).raise_for_status().text.splitlines()))


def at_once(
    provider: Simulator, path: str, body: Mapping[str, object], key: str | None = None, times: int = 50
) -> list[httpx.Response]:
    """The same request so many times in parallel, each over a connection of its own."""

    async def all_of_them() -> list[httpx.Response]:
        headers = {"Authorization": f"Bearer {KEY}"} | ({} if key is None else {"Idempotency-Key": key})
        async with httpx.AsyncClient(
            base_url=provider.url, headers=headers, timeout=LIMIT_S, trust_env=False
        ) as client:
            return list(await asyncio.gather(*(client.post(path, json=body) for _ in range(times))))

    return asyncio.run(all_of_them())
