"""The merchant's calls of the three protocols, as short as tests want them."""

from typing import Any

import httpx

from tests.providers.simulator import Simulator, attribution

NOWHERE = "http://127.0.0.1:9/nobody"
"""A notice URL that nothing listens on."""


class WechatCalls:
    """WeChat Pay."""

    def __init__(self, provider: Simulator) -> None:
        self.provider = provider

    def charge(self, number: str, amount: int = 1000, url: str = NOWHERE, **changes: object) -> httpx.Response:
        body: dict[str, Any] = {
            "mchid": "m-1",
            "out_trade_no": number,
            "description": "a ride",
            "amount": {"total": amount, "currency": "CNY"},
            "notify_url": url,
            "attach": attribution(f"order-{number}"),
        }
        return self.provider.post("/v3/papay/pay/transactions/apply", body | changes)

    def pending(self) -> str:
        """A new number that is accepted, and captured only if it is not closed within a minute."""
        number = self.provider.new_number()
        with self.provider.fault(kind="late_capture", by_ms=60_000):
            assert self.charge(number).status_code == 202
        return number

    def query(self, number: str, mchid: str = "m-1") -> httpx.Response:
        return self.provider.client.get(f"/v3/pay/transactions/out-trade-no/{number}", params={"mchid": mchid})

    def close(self, number: str) -> httpx.Response:
        return self.provider.post(f"/v3/pay/transactions/out-trade-no/{number}/close", {"mchid": "m-1"})

    def refund(self, number: str, refund: str, amount: int, total: int = 1000, **changes: object) -> httpx.Response:
        body: dict[str, Any] = {
            "out_trade_no": number,
            "out_refund_no": refund,
            "reason": "asked",
            "amount": {"refund": amount, "total": total, "currency": "CNY"},
        }
        return self.provider.post("/v3/refund/domestic/refunds", body | changes)

    def refund_query(self, refund: str) -> httpx.Response:
        return self.provider.client.get(f"/v3/refund/domestic/refunds/{refund}")

    def paid(self, amount: int = 1000) -> str:
        """A new number that is captured."""
        number = self.provider.new_number()
        assert self.charge(number, amount).status_code == 202
        self.provider.await_rows(number=number, kind="captured")
        return number


class AlipayCalls:
    """Alipay."""

    def __init__(self, provider: Simulator) -> None:
        self.provider = provider

    def pay(self, number: str, amount: str = "10.00", url: str = NOWHERE, **changes: object) -> dict[str, Any]:
        body: dict[str, Any] = {
            "out_trade_no": number,
            "total_amount": amount,
            "subject": "a ride",
            "auth_no": "agreement-1",
            "notify_url": url,
            "passback_params": attribution(f"order-{number}"),
        }
        return self.call("pay", body | changes)

    def call(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.provider.post(f"/v3/alipay/trade/{name}", body)
        assert answer.status_code == 200
        told: dict[str, Any] = answer.json()
        return told

    def refund(self, number: str, request: str, amount: str) -> dict[str, Any]:
        return self.call("refund", {"out_trade_no": number, "out_request_no": request, "refund_amount": amount})

    def paid(self, url: str = NOWHERE) -> str:
        """A new number that is captured."""
        number = self.provider.new_number()
        assert self.pay(number, url=url)["code"] in {"10000", "10003"}
        self.provider.await_rows(number=number, kind="captured")
        return number

    def pending(self) -> str:
        """A new number that waits for the buyer, and is captured only if it is not closed within a minute."""
        number = self.provider.new_number()
        with self.provider.fault(kind="late_capture", by_ms=60_000):
            assert self.pay(number)["code"] == "10003"
        return number

    def started(self, code: str) -> str:
        """A new number whose pay is answered by this code: the seed makes one in three pending."""
        for _ in range(50):
            number = self.provider.new_number()
            if self.pay(number)["code"] == code:
                return number
        raise AssertionError(f"no number of fifty was answered {code}")


class CardCalls:
    """The card acquirer."""

    def __init__(self, provider: Simulator) -> None:
        self.provider = provider

    def create(self, key: str, amount: int = 1000, url: str = NOWHERE, **changes: object) -> httpx.Response:
        body: dict[str, Any] = {
            "amount": amount,
            "currency": "cny",
            "notify_url": url,
            "metadata": {"run": "run-1", "order": f"order-{key}"},
        }
        return self.provider.post("/v1/payment_intents", body | changes, key)

    def confirm(self, intent: str, key: str, **body: object) -> httpx.Response:
        return self.provider.post(f"/v1/payment_intents/{intent}/confirm", body, key)

    def cancel(self, intent: str, key: str) -> httpx.Response:
        return self.provider.post(f"/v1/payment_intents/{intent}/cancel", {}, key)

    def query(self, intent: str) -> dict[str, Any]:
        told: dict[str, Any] = self.provider.client.get(f"/v1/payment_intents/{intent}").raise_for_status().json()
        return told

    def refund(self, intent: str, key: str, amount: int) -> httpx.Response:
        return self.provider.post("/v1/refunds", {"payment_intent": intent, "amount": amount}, key)

    def created(self) -> str:
        """A new intent, not confirmed."""
        intent: str = self.create(self.provider.new_number()).raise_for_status().json()["id"]
        return intent

    def paid(self) -> str:
        """A new intent that is captured."""
        intent = self.created()
        self.confirm(intent, self.provider.new_number()).raise_for_status()
        return intent


def card_error(answer: httpx.Response) -> tuple[int, str, str | None]:
    """Status, type and code of a refusal."""
    error = answer.json()["error"]
    return answer.status_code, error["type"], error["code"]
