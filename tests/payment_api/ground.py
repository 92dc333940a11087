"""Real parts on loopback: PostgreSQL, three providers, the payment API as a process that can be killed.

Providers and PostgreSQL are shared by all tests; a provider is told with each
charge where its notices go, so several APIs live side by side. Faults name the
order that they are meant for.
"""

import hashlib
import hmac
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx

from harness.stack.process import Child

T = TypeVar("T")

ROOT = Path(__file__).parent.parent.parent
SECRET = "token-secret"
OPERATOR = "operator-token"
CONTROL_KEY = "control-key"
METHODS = ("wechat", "alipay", "card")
PREFIXES = {"wechat": "Wechatpay", "alipay": "Alipay", "card": "Card"}
LIMIT_S = 15.0
"""For whatever a test waits for; reached only where something is broken."""
DEADLINE_MS = 1_000
SHORT_MS = 300
"""Deadline of the APIs whose tests make providers silent."""


def eventually(question: Callable[[], T | None]) -> T:
    """The first answer that is neither None nor false, asked every 20 ms."""
    until = time.monotonic() + LIMIT_S
    while True:
        answer = question()
        if answer:
            return answer
        assert time.monotonic() < until, "it did not happen within the limit"
        time.sleep(0.02)


def inherited() -> dict[str, str]:
    """What every child gets of our environment."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}


def capture_notice(method: str, number: str, amount_minor: int = 1234) -> bytes:
    """The notice of a capture as each provider writes it."""
    yuan = f"{amount_minor // 100}.{amount_minor % 100:02d}"
    bodies = {
        "wechat": {
            "id": "n",
            "event_type": "TRANSACTION.SUCCESS",
            "resource": {"out_trade_no": number, "trade_state": "SUCCESS", "amount": {"total": amount_minor}},
        },
        "alipay": {
            "notify_type": "trade_status_sync",
            "out_trade_no": number,
            "trade_status": "TRADE_SUCCESS",
            "total_amount": yuan,
        },
        "card": {"type": "payment_intent.succeeded", "data": {"object": {"id": number, "amount": amount_minor}}},
    }
    return json.dumps(bodies[method]).encode()


@dataclass(kw_only=True)
class Provider:
    """One simulator, from the outside."""

    name: str
    url: str
    key: str
    child: Child
    client: httpx.Client = field(default_factory=lambda: httpx.Client(headers={"X-Control-Key": CONTROL_KEY}))

    def rows(self, order: str, kind: str | None = None) -> list[dict[str, Any]]:
        """What the ledger holds of an order."""
        rows: list[dict[str, Any]] = []
        while True:
            after = rows[-1]["seq"] if rows else 0
            reply = self.client.get(f"{self.url}/control/ledger", params={"after": after, "limit": 1_000})
            rows += [json.loads(line) for line in reply.raise_for_status().text.splitlines()]
            if not rows or rows[-1]["seq"] == int(reply.headers["X-Last-Seq"]):
                break
        return [row for row in rows if row.get("order") == order and kind in (None, row["kind"])]

    def captured(self, order: str) -> int:
        """Money taken for an order, in minor units."""
        return sum(row["amount_minor"] for row in self.rows(order, "captured"))

    def refunded(self, order: str) -> int:
        """Money sent back for an order, in minor units."""
        return sum(row["amount_minor"] for row in self.rows(order, "refunded"))

    def asked(self, order: str, op: str) -> int:
        """How many requests of a kind came for an order."""
        return sum(row["op"] == op for row in self.rows(order, "request"))

    @contextmanager
    def fault(self, kind: str, order: str, **settings: object) -> Iterator[None]:
        """A fault for one order, lifted at the end of the block."""
        name = f"{kind}-{order}-{'-'.join(str(value) for value in settings.values())}"
        fault = {"id": name, "kind": kind, "orders": [order], **settings}
        self.client.post(f"{self.url}/control/faults", json=fault).raise_for_status()
        try:
            yield
        finally:
            self.client.delete(f"{self.url}/control/faults/{name}").raise_for_status()

    @contextmanager
    def deaf(self, order: str) -> Iterator[None]:
        """The provider takes charges for an order, answers nothing about them, and sends no notice."""
        with (
            self.fault("lost_answer", order, when="after", op=["charge", "confirm", "query", "close", "cancel"]),
            self.fault("lose_notices", order, of="capture"),
        ):
            yield


@dataclass(kw_only=True)
class Api:
    """The payment API as a process, with a database of its own."""

    port: int
    environment: Mapping[str, str]
    log: Path
    child: Child | None = None
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=8))
    users: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the process and wait until it answers."""
        command = [sys.executable, "-m", "compose.payment_api"]
        self.child = Child("payment API", command, log=self.log, env=self.environment, cwd=ROOT)
        eventually(self.answers)

    def answers(self) -> bool:
        assert self.child is not None
        assert self.child.alive(), self.child.tail()
        with suppress(httpx.TransportError):
            return self.client.get(f"{self.url}/healthz").status_code == 200
        return False

    def kill(self) -> None:
        assert self.child is not None
        self.child.kill()

    def close(self) -> None:
        """Nothing of it is needed any more."""
        if self.child is not None:
            self.child.kill()
        self.client.close()

    def book(self, name: str) -> list[dict[str, Any]]:
        """All rows of a book."""
        rows: list[dict[str, Any]] = []
        after: str | None = None
        while True:
            query = {"limit": "50"} | ({} if after is None else {"after": after})
            reply = self.client.get(
                f"{self.url}/v1/ledger/{name}", params=query, headers={"Authorization": f"Bearer {OPERATOR}"}
            )
            rows += [json.loads(line) for line in reply.text.splitlines()]
            after = reply.headers.get("X-Next-Cursor")
            if after is None:
                return rows

    def of(self, name: str, order: str) -> list[dict[str, Any]]:
        """The rows of a book that are about an order."""
        return [row for row in self.book(name) if row.get("order_id", row.get("id")) == order]

    def customer(self) -> "Customer":
        """Somebody new."""
        self.users += 1
        return Customer(api=self, name=f"user-{self.port}-{self.users}")

    def notify(self, provider: str, body: bytes, *, key: str, at_s: int | None = None) -> httpx.Response:
        """Deliver a notice as the provider would, signed with `key`."""
        timestamp, nonce = str(int(time.time()) if at_s is None else at_s), "nonce"
        signed = b"%s\n%s\n%s\n" % (timestamp.encode(), nonce.encode(), body)
        signature = hmac.new(key.encode(), signed, "sha256").hexdigest()
        names = {"Timestamp": timestamp, "Nonce": nonce, "Signature": signature}
        headers = {f"{PREFIXES[provider]}-{name}": value for name, value in names.items()}
        return self.client.post(f"{self.url}/v1/notifications/{provider}", content=body, headers=headers)


@dataclass(kw_only=True)
class Customer:
    """A user with a token."""

    api: Api
    name: str
    keys: int = 0

    @property
    def token(self) -> str:
        return f"Bearer {self.name}.{hmac.new(SECRET.encode(), self.name.encode(), hashlib.sha256).hexdigest()}"

    def get(self, path: str, **query: str | int) -> httpx.Response:
        return self.api.client.get(f"{self.api.url}{path}", params=query, headers={"Authorization": self.token})

    def post(self, path: str, body: object, key: str | None = None) -> httpx.Response:
        """A write; without a key of its own it gets one that nothing else has."""
        self.keys += 1
        headers = {"Authorization": self.token, "Idempotency-Key": key or f"{self.name}-{self.keys}"}
        return self.api.client.post(f"{self.api.url}{path}", json=body, headers=headers)

    def create(self, amount_minor: int = 1234, key: str | None = None, **told: str) -> httpx.Response:
        body = {"line": "ride", "merchant": "m-1", "amount_minor": amount_minor, "currency": "CNY"} | told
        return self.post("/v1/orders", body, key)

    def order(self, amount_minor: int = 1234) -> str:
        """A new order's id."""
        reply = self.create(amount_minor)
        assert reply.status_code == 201, reply.text
        return str(reply.json()["id"])

    def pay(self, order: str, method: str, key: str | None = None, **told: str) -> httpx.Response:
        return self.post(f"/v1/orders/{order}/payments", {"method": method} | told, key)

    def refund(self, order: str, amount_minor: int, key: str | None = None) -> httpx.Response:
        return self.post(f"/v1/orders/{order}/refunds", {"amount_minor": amount_minor}, key)

    def read(self, order: str) -> dict[str, Any]:
        reply = self.get(f"/v1/orders/{order}")
        assert reply.status_code == 200, reply.text
        body: dict[str, Any] = reply.json()
        return body

    def until(self, order: str, *states: str) -> dict[str, Any]:
        """The order as soon as it is in one of these states."""
        return eventually(lambda: shown if (shown := self.read(order))["state"] in states else None)

    def paid_order(self, method: str, amount_minor: int = 1234) -> str:
        """A new order that is paid."""
        order = self.order(amount_minor)
        self.pay(order, method)
        self.until(order, "paid")
        return order
