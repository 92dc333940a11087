"""What can a server do with a request? Scripts for `tests.load.raw_server`, and requests to send it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from harness.load.client import Client, Deadlines, Exchange
from harness.targets.protocol import Request
from tests.load.raw_server import Peer, RawServer, Script

AMPLE = Deadlines(connect_ms=5_000, read_ms=5_000, total_ms=10_000)
SHORT = Deadlines(connect_ms=80, read_ms=80, total_ms=160)
GET = Request(method="GET", path="/v1/orders", name="GET /v1/orders")
POST = Request(method="POST", path="/v1/orders", name="POST /v1/orders", body=b'{"amount_minor":1200}')
BIG = Request(method="POST", path="/v1/orders", name="POST /v1/orders", body=b"x" * 16_000_000)


def exchange(script: Script, request: Request = GET, deadlines: Deadlines = AMPLE) -> Exchange:
    with RawServer(script) as server, Client(server.url, deadlines=deadlines).connection() as connection:
        return connection.send(request)


def after_request(then: Script) -> Script:
    def script(peer: Peer) -> None:
        peer.request()
        then(peer)

    return script


def saying(*parts: bytes, then: Callable[[Peer], None] = Peer.close) -> Script:
    def script(peer: Peer) -> None:
        peer.request()
        for part in parts:
            peer.send(part)
        then(peer)

    return script


@contextmanager
def client_of(port: int, deadlines: Deadlines) -> Iterator[Exchange]:
    with Client(f"http://127.0.0.1:{port}", deadlines=deadlines).connection() as connection:
        yield connection.send(GET)
