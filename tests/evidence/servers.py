"""A payment API and providers' control APIs, as small real HTTP servers with their answers in plain lists."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, dict[str, str], bytes]
Route = Callable[[str, dict[str, str], str], Answer]
"""Path, query and Authorization header of a GET -> status, headers, body."""


def as_json(status: int, value: object) -> Answer:
    return status, {"content-type": "application/json"}, json.dumps(value).encode()


def as_lines(rows: list[dict[str, object]], **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return 200, {"content-type": "application/x-ndjson"} | named, b"".join(json.dumps(r).encode() + b"\n" for r in rows)


@contextmanager
def serving(route: Route) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # An answer in two segments would otherwise wait 40 ms for the client's delayed acknowledgement.
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            bearer = self.headers.get("authorization") or self.headers.get("x-control-key") or ""
            status, headers, body = route(parts.path, query, bearer)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@dataclass(kw_only=True, slots=True)
class Provider:
    rows: list[dict[str, object]]
    planned: int = 0
    digest: str = "d1"
    says_last: int | None = None
    """What `X-Last-Seq` claims, where that is not the truth."""
    failing: int = 0
    """So many of the next answers are 503."""
    clock: dict[str, object] = field(default_factory=lambda: {"monotonic_ns": 5_000, "utc_ms": 1_000})
    asked: list[str] = field(default_factory=list)

    def __call__(self, path: str, query: dict[str, str], bearer: str) -> Answer:
        self.asked.append(path)
        if bearer != "control":
            return as_json(401, {})
        if self.failing:
            self.failing -= 1
            return as_json(503, {})
        match path:
            case "/control/ledger":
                after, limit = int(query["after"]), int(query["limit"])
                rows = [row for row in self.rows if isinstance(seq := row["seq"], int | float) and seq > after][:limit]
                last = len(self.rows) if self.says_last is None else self.says_last
                return as_lines(rows, x_last_seq=str(last))
            case "/control/planned":
                return as_json(200, {"planned": self.planned, "effects": len(self.rows), "digest": self.digest})
            case "/control/clock":
                return as_json(200, self.clock)
            case _:
                return as_json(404, {})


@dataclass(kw_only=True, slots=True)
class Api:
    """The reference API's shapes; books a row a page, so that paging is exercised."""

    orders: dict[str, dict[str, object]]
    """Order -> its row in the book, the user included."""
    books: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    """Orders that stand in the books and are not shown to their owner."""
    broken: set[str] = field(default_factory=set)
    """Paths that are answered 500."""
    hiccups: dict[str, int] = field(default_factory=dict)
    """Path -> so many of its next answers are 502."""
    asked: list[str] = field(default_factory=list)

    def __call__(self, path: str, query: dict[str, str], bearer: str) -> Answer:
        self.asked.append(path)
        if path in self.broken:
            return as_json(500, {"error": {"code": "internal_error", "message": "no"}})
        if self.hiccups.get(path):
            self.hiccups[path] -= 1
            return 502, {}, b""
        if path == "/healthz":
            return as_json(200, {"status": "ok", "build": "b", "pid": 7, "started_utc_ms": 1, "utc_ms": 1_000})
        if path.startswith("/v1/ledger/"):
            return self.book(path.removeprefix("/v1/ledger/"), int(query.get("after", "0")))
        return self.shown(path, bearer.removeprefix("Bearer ").rpartition(".")[0])

    def shown(self, path: str, user: str) -> Answer:
        own = {name: row for name, row in self.orders.items() if row["user"] == user and name not in self.hidden}
        if path == "/v1/orders":
            return as_json(200, {"orders": list(own.values()), "next": None})
        order = own.get(path.removeprefix("/v1/orders/"))
        if order is None:
            return as_json(404, {"error": {"code": "order_not_found", "message": "no"}})
        return as_json(200, order)

    def book(self, name: str, after: int) -> Answer:
        rows = list(self.orders.values()) if name == "orders" else self.books.get(name, [])
        more = {"x_next_cursor": str(after + 1)} if after + 1 < len(rows) else {}
        return as_lines(rows[after : after + 1], **more)


def order_row(order: str, user: str, state: str = "paid", paid: int = 1200, refunded: int = 0) -> dict[str, object]:
    return {
        "id": order,
        "user": user,
        "state": state,
        "amount_minor": 1200,
        "currency": "CNY",
        "paid_minor": paid,
        "refunded_minor": refunded,
        "pay_by": "1970-01-01T00:00:09.000Z",
        "created_at": "1970-01-01T00:00:01.000Z",
    }


def refund_row(refund: str, order: str, state: str) -> dict[str, object]:
    return {
        "id": refund,
        "order_id": order,
        "payment_id": "p-1",
        "method": "wechat",
        "number": "R1",
        "state": state,
        "amount_minor": 600,
        "requested": True,
    }
