"""What would a target look like that is honest, small, and of no use?

A real server with the shapes of the reference API (so that its adapter fits), no
provider behind it and orders in memory only. It takes payments for as many
orders as it has pieces in stock, and refuses every further one politely; killed
and started again, it knows of nothing. Settings: SMALL_API_PORT, _STOCK,
_PAY_BY_MS, _TOKEN_SECRET, _OPERATOR_TOKEN, _BUILD.
"""

import hashlib
import hmac
import os
import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Row = dict[str, object]


@dataclass(slots=True)
class Order:
    """One order, and everything that happened to it."""

    seq: int
    user: str
    line: str
    merchant: str
    amount_minor: int
    currency: str
    created_ms: int
    pay_by_ms: int
    id: str = field(default_factory=lambda: f"ord_{secrets.token_hex(12)}")
    state: str = "open"
    paid_minor: int = 0
    refunded_minor: int = 0
    attempts: list[Row] = field(default_factory=list)
    refunds: list[Row] = field(default_factory=list)

    def view(self) -> Row:
        """As it stands in answers and in the books."""
        plain = ("id", "state", "line", "merchant", "amount_minor", "currency", "paid_minor", "refunded_minor")
        return {name: getattr(self, name) for name in plain} | {
            "pay_by": instant(self.pay_by_ms),
            "created_at": instant(self.created_ms),
            "attempts": self.attempts,
            "refunds": self.refunds,
        }


class Shop:
    """Everything that is known, for as long as the process lives."""

    def __init__(self, stock: int, pay_by_ms: int) -> None:
        self.stock = stock
        self.pay_by_ms = pay_by_ms
        self.orders: dict[str, Order] = {}
        self.transitions: list[Row] = []
        self.answers: dict[tuple[str, str], tuple[int, Row]] = {}
        """(user, key) -> the answer that was given."""

    def create(self, user: str, body: Row) -> tuple[int, Row]:
        """A new order."""
        now = now_ms()
        order = Order(
            seq=len(self.orders) + 1,
            user=user,
            line=str(body["line"]),
            merchant=str(body["merchant"]),
            amount_minor=amount_of(body),
            currency=str(body["currency"]),
            created_ms=now,
            pay_by_ms=now + self.pay_by_ms,
        )
        self.orders[order.id] = order
        self.step(order, None, "open")
        return 201, order.view()

    def pay(self, order: Order, body: Row) -> tuple[int, Row]:
        """Take the money at once, or refuse."""
        if order.state != "open":
            return refusal("order_closed" if order.state == "closed" else "order_paid", "this order is settled")
        if self.stock <= 0:
            return refusal("sold_out", "so sorry: everything is sold out")
        self.stock -= 1
        number = secrets.token_hex(12)
        attempt: Row = {
            "id": f"pay_{number}",
            "method": body["method"],
            "state": "paid",
            "amount_minor": order.amount_minor,
        }
        order.attempts.append(attempt)
        order.paid_minor = order.amount_minor
        self.step(order, order.state, "paid")
        return 200, {"payment": attempt, "order": order.view()}

    def refund(self, order: Order, body: Row) -> tuple[int, Row]:
        """Give back at once what is asked for and left."""
        amount_minor = amount_of(body)
        if amount_minor > order.paid_minor - order.refunded_minor:
            return refusal("nothing_to_refund", "there is nothing left to refund")
        refund: Row = {"id": f"ref_{secrets.token_hex(12)}", "amount_minor": amount_minor, "state": "done"}
        order.refunds.append(refund)
        order.refunded_minor += amount_minor
        whole = order.refunded_minor == order.paid_minor
        self.step(order, order.state, "refunded" if whole else "part_refunded")
        return 201, {"refund": refund, "order": order.view()}

    def step(self, order: Order, before: str | None, after: str) -> None:
        """Change an order's state, and note it."""
        order.state = after
        row: Row = {"seq": len(self.transitions) + 1, "kind": "order", "id": order.id, "order_id": order.id}
        self.transitions.append(row | {"from": before, "to": after, "at": instant(now_ms())})

    def close_overdue(self) -> None:
        """Close what was not paid in time."""
        for order in self.orders.values():
            if order.state == "open" and order.pay_by_ms < now_ms():
                self.step(order, "open", "closed")

    def book(self, name: str) -> list[Row]:
        """One of the four books."""
        if name == "transitions":
            return self.transitions
        if name == "orders":
            return [order.view() | {"seq": order.seq, "user": order.user} for order in self.orders.values()]
        parts = "attempts" if name == "payments" else "refunds"
        return [self._part(name, order, row) for order in self.orders.values() for row in getattr(order, parts)]

    def _part(self, name: str, order: Order, row: Row) -> Row:
        whole = {"seq": order.seq, "order_id": order.id, "number": row["id"], "method": "wechat"} | row
        if name == "payments":
            return whole | {"captured_minor": row["amount_minor"]}
        return whole | {"payment_id": order.attempts[0]["id"], "requested": True}


def amount_of(body: Row) -> int:
    """The amount in a body."""
    amount = body["amount_minor"]
    assert isinstance(amount, int)
    return amount


def refusal(code: str, message: str) -> tuple[int, Row]:
    """A polite no."""
    return 409, {"error": {"code": code, "message": message}}


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def instant(at_ms: int) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return datetime.fromtimestamp(at_ms / 1_000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def app_of(shop: Shop, *, secret: bytes, operator: str, build: str) -> Starlette:
    """The routes."""
    started_ms = now_ms()

    def user_of(request: Request) -> str | None:
        user, _, mark = request.headers.get("authorization", "").removeprefix("Bearer ").rpartition(".")
        wanted = hmac.new(secret, user.encode(), hashlib.sha256).hexdigest()
        return user if user and hmac.compare_digest(mark, wanted) else None

    async def write(request: Request) -> Response:
        user, key = user_of(request), request.headers.get("idempotency-key", "")
        if user is None:
            return JSONResponse({"error": {"code": "unauthorized", "message": "who are you?"}}, 401)
        shop.close_overdue()
        if (user, key) not in shop.answers:
            body = msgspec.json.decode(await request.body(), type=Row)
            order = shop.orders.get(request.path_params.get("order", ""))
            if request.url.path == "/v1/orders":
                answer = shop.create(user, body)
            elif order is None or order.user != user:
                answer = 404, {"error": {"code": "order_not_found", "message": "there is no such order"}}
            else:
                pays = request.url.path.endswith("/payments")
                answer = shop.pay(order, body) if pays else shop.refund(order, body)
            shop.answers[user, key] = answer
        status, told = shop.answers[user, key]
        return JSONResponse(told, status)

    async def read(request: Request) -> Response:
        user, name = user_of(request), request.path_params.get("order")
        shop.close_overdue()
        own = [order.view() for order in reversed(shop.orders.values()) if order.user == user]
        if name is None:
            return JSONResponse({"orders": own, "next": None})
        found = [view for view in own if view["id"] == name]
        error = {"error": {"code": "order_not_found", "message": "there is no such order"}}
        return JSONResponse(found[0]) if found else JSONResponse(error, 404)

    async def ledger(request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {operator}":
            return Response(status_code=401)
        shop.close_overdue()
        rows = shop.book(request.path_params["book"])
        return Response(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))

    async def health(_: Request) -> Response:
        told = {"status": "ok", "build": build, "pid": os.getpid(), "started_utc_ms": started_ms, "utc_ms": now_ms()}
        return JSONResponse(told)

    return Starlette(
        routes=[
            Route("/healthz", health),
            Route("/v1/orders", write, methods=["POST"]),
            Route("/v1/orders", read, methods=["GET"]),
            Route("/v1/orders/{order}", read, methods=["GET"]),
            Route("/v1/orders/{order}/payments", write, methods=["POST"]),
            Route("/v1/orders/{order}/refunds", write, methods=["POST"]),
            Route("/v1/ledger/{book}", ledger, methods=["GET"]),
        ]
    )


def main(environ: dict[str, str]) -> None:
    """Serve until the process is ended."""
    shop = Shop(stock=int(environ["SMALL_API_STOCK"]), pay_by_ms=int(environ["SMALL_API_PAY_BY_MS"]))
    app = app_of(
        shop,
        secret=environ["SMALL_API_TOKEN_SECRET"].encode(),
        operator=environ["SMALL_API_OPERATOR_TOKEN"],
        build=environ["SMALL_API_BUILD"],
    )
    uvicorn.run(app, host="127.0.0.1", port=int(environ["SMALL_API_PORT"]), log_level="warning")


if __name__ == "__main__":
    main(dict(os.environ))
