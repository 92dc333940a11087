"""Does the client say exactly how a request ended, and never send one twice?

Every ending is produced by real sockets on loopback. Deadlines are short, and
no test looks at how long anything took.
"""

import resource
from collections.abc import Iterator
from contextlib import contextmanager

import gevent
import gevent.event
import gevent.socket
import pytest

from harness.errors import UsageError
from harness.load.client import Client, Deadlines, GeneratorExhausted
from harness.load.wire import MAX_BODY_BYTES
from harness.operation import NOTHING_SENT, Ending
from harness.targets.protocol import Reply, Request
from tests.load.raw_server import Peer, RawServer, Script, answer
from tests.load.scripts import AMPLE, BIG, GET, POST, SHORT, after_request, client_of, exchange, saying


def drip(peer: Peer) -> None:
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while not peer.over(0.03):
        peer.send(b".")


def drip_headers(peer: Peer) -> None:
    peer.send(b"HTTP/1.1 200 OK\r\n")
    while not peer.over(0.03):
        peer.send(b"X-More: 1\r\n")


def endless(start: bytes, part: bytes) -> Script:
    def script(peer: Peer) -> None:
        peer.send(start)
        while True:
            peer.send(part)

    return after_request(script)


LENGTH_5 = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

ENDINGS: dict[str, tuple[Script, Deadlines, Ending]] = {
    "reset before the first byte": (after_request(Peer.reset), AMPLE, Ending.RESET),
    "closed before the first byte": (after_request(Peer.close), AMPLE, Ending.CLOSED),
    "silence": (after_request(Peer.hold), SHORT, Ending.READ_TIMEOUT),
    "closed within the status line": (saying(b"HTTP/1.1 2"), AMPLE, Ending.CUT_HEADERS),
    "closed within the headers": (saying(b"HTTP/1.1 200 OK\r\nContent-Le"), AMPLE, Ending.CUT_HEADERS),
    "closed after an interim reply": (saying(b"HTTP/1.1 100 Continue\r\n\r\n"), AMPLE, Ending.CUT_HEADERS),
    "reset within the headers": (saying(b"HTTP/1.1 200 OK\r\n", then=Peer.reset), AMPLE, Ending.CUT_HEADERS),
    "closed within the body": (saying(LENGTH_5, b"abc"), AMPLE, Ending.CUT_BODY),
    "closed before the body": (saying(LENGTH_5), AMPLE, Ending.CUT_BODY),
    "reset within the body": (saying(LENGTH_5, b"abc", then=Peer.reset), AMPLE, Ending.CUT_BODY),
    "closed between chunks": (saying(CHUNKED, b"3\r\nabc\r\n"), AMPLE, Ending.CUT_BODY),
    "reset in a body without length": (saying(b"HTTP/1.0 200 OK\r\n\r\nabc", then=Peer.reset), AMPLE, Ending.CUT_BODY),
    "silence within the headers": (saying(b"HTTP/1.1 200 OK\r\n", then=Peer.hold), SHORT, Ending.ANSWER_TIMEOUT),
    "silence within the body": (saying(LENGTH_5, b"abc", then=Peer.hold), SHORT, Ending.ANSWER_TIMEOUT),
    "a body that drips past the total deadline": (after_request(drip), SHORT, Ending.ANSWER_TIMEOUT),
    "headers that drip past the total deadline": (after_request(drip_headers), SHORT, Ending.ANSWER_TIMEOUT),
    "another protocol": (saying(b"SSH-2.0-OpenSSH_9.2\r\n"), AMPLE, Ending.GARBLED),
    "a chunk without a size": (saying(CHUNKED, b"zz\r\nabc\r\n"), AMPLE, Ending.GARBLED),
    "two lengths": (
        saying(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc"),
        AMPLE,
        Ending.GARBLED,
    ),
    "another protocol asked for": (
        saying(b"HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"),
        AMPLE,
        Ending.GARBLED,
    ),
    "headers without end": (
        endless(b"HTTP/1.1 200 OK\r\n", b"X-More: " + b"x" * 8192 + b"\r\n"),
        AMPLE,
        Ending.GARBLED,
    ),
    "one header without end": (endless(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 8192), AMPLE, Ending.GARBLED),
    "interim replies without end": (endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100), AMPLE, Ending.GARBLED),
    "a body without end": (endless(CHUNKED, b"10000\r\n" + b"x" * 65536 + b"\r\n"), AMPLE, Ending.GARBLED),
}


@pytest.mark.parametrize("case", ENDINGS)
def test_an_ending_is_told_exactly(case: str) -> None:
    script, deadlines, ending = ENDINGS[case]
    found = exchange(script, deadlines=deadlines)
    assert found.reply == Reply(ending=ending)
    assert found.sent_ns <= found.done_ns


ANSWERS: dict[str, tuple[Script, Request, Reply]] = {
    "a length": (
        saying(answer(b"hello", headers=("Retry-After: 2",))),
        GET,
        Reply(ending=Ending.ANSWERED, status=200, headers={"content-length": "5", "retry-after": "2"}, body=b"hello"),
    ),
    "chunks, split anywhere, with a trailer": (
        saying(CHUNKED, b"3\r", b"\nabc\r\n2;x=y\r\nde", b"\r\n0\r\nX-Sum: 1\r\n\r\n"),
        GET,
        Reply(ending=Ending.ANSWERED, status=200, headers={"transfer-encoding": "chunked"}, body=b"abcde"),
    ),
    "204 without a length": (
        saying(b"HTTP/1.1 204 No Content\r\n\r\n", then=Peer.hold),
        POST,
        Reply(ending=Ending.ANSWERED, status=204),
    ),
    "304 with the length of what is not sent": (
        saying(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", then=Peer.hold),
        GET,
        Reply(ending=Ending.ANSWERED, status=304, headers={"content-length": "5"}),
    ),
    "the head of a body that is not sent": (
        saying(LENGTH_5, then=Peer.hold),
        Request(method="HEAD", path="/", name="HEAD /"),
        Reply(ending=Ending.ANSWERED, status=200, headers={"content-length": "5"}),
    ),
    "interim replies first": (
        saying(
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n", answer(b"ok", status="201 Created")
        ),
        POST,
        Reply(ending=Ending.ANSWERED, status=201, headers={"content-length": "2"}, body=b"ok"),
    ),
    "HTTP/1.0, ended by closing": (
        saying(b"HTTP/1.0 200 OK\r\n\r\nabc", b"def"),
        GET,
        Reply(ending=Ending.ANSWERED, status=200, body=b"abcdef"),
    ),
    "a header twice, one empty, one folded over reads": (
        saying(
            b"HTTP/1.1 500 X\r\nx-a: 1\r\nX-A: 2\r\nX-Empty:\r\nX-Lo", b"ng: va", b"lue \r\nContent-Length: 0\r\n\r\n"
        ),
        GET,
        Reply(
            ending=Ending.ANSWERED,
            status=500,
            headers={"x-a": "2", "x-empty": "", "x-long": "value", "content-length": "0"},
        ),
    ),
    "one byte at a time": (
        saying(*(bytes([byte]) for byte in answer(b"hello"))),
        GET,
        Reply(ending=Ending.ANSWERED, status=200, headers={"content-length": "5"}, body=b"hello"),
    ),
    "garbage behind a whole answer": (
        saying(answer(b"hello") + b"garbage"),
        GET,
        Reply(ending=Ending.ANSWERED, status=200, headers={"content-length": "5"}, body=b"hello"),
    ),
    "a second answer behind a whole one": (
        saying(answer(b"hello") + answer(b"not asked for", status="500 No", headers=("X-A: 1",))),
        GET,
        Reply(ending=Ending.ANSWERED, status=200, headers={"content-length": "5"}, body=b"hello"),
    ),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_a_whole_answer_is_read(case: str) -> None:
    script, request, reply = ANSWERS[case]
    assert exchange(script, request).reply == reply


def test_a_port_that_nobody_listens_on_refuses() -> None:
    with bound_without_listening() as port, client_of(port, AMPLE) as found:
        assert found.reply == Reply(ending=Ending.REFUSED)


def test_a_full_backlog_is_a_connect_timeout() -> None:
    with full_backlog() as port, client_of(port, SHORT) as found:
        assert found.reply == Reply(ending=Ending.CONNECT_TIMEOUT)


def test_a_name_that_cannot_be_resolved_is_told() -> None:
    with Client(f"http://{'a' * 64}.localhost", deadlines=AMPLE).connection() as connection:
        assert connection.send(GET).reply == Reply(ending=Ending.UNRESOLVED)


def test_a_name_is_tried_at_each_of_its_addresses() -> None:
    with RawServer(saying(answer())) as server:
        with Client(f"http://localhost:{server.port}", deadlines=AMPLE).connection() as connection:
            assert connection.send(GET).reply.status == 200


def test_a_body_that_the_target_breaks_off_is_a_failed_send() -> None:
    def script(peer: Peer) -> None:
        peer.sock.recv(1000)
        peer.reset()

    assert exchange(script, BIG).reply == Reply(ending=Ending.SEND_FAILED)


def test_a_refusal_sent_before_the_body_was_read_is_an_answer() -> None:
    def script(peer: Peer) -> None:
        peer.sock.recv(1000)
        peer.send(answer(b"", status="413 Too Large", headers=("Connection: close",)))
        peer.reset()

    found = exchange(script, BIG)
    # RST may overtake the refusal; whichever the kernel delivers, it is no other ending.
    assert found.reply.status == 413 or found.reply.ending is Ending.SEND_FAILED


def test_a_target_that_does_not_take_the_body_is_silent() -> None:
    def script(peer: Peer) -> None:
        peer.hold()

    assert exchange(script, BIG, SHORT).reply == Reply(ending=Ending.READ_TIMEOUT)


def test_the_request_arrives_as_it_was_yielded() -> None:
    def script(peer: Peer) -> None:
        server.requests.append(peer.request())
        peer.send(answer())

    request = Request(
        method="POST", path="/orders?x=%20", name="POST /orders", headers=(("Idempotency-Key", "k-1"),), body=b"{}"
    )
    with RawServer(script) as server:
        with Client(f"{server.url}/api/", deadlines=AMPLE).connection() as connection:
            connection.send(request)
    assert server.requests == [
        b"POST /api/orders?x=%20 HTTP/1.1\r\n"
        + f"Host: 127.0.0.1:{server.port}\r\n".encode()
        + b"User-Agent: payment-chaos-harness\r\nAccept-Encoding: identity\r\n"
        + b"Idempotency-Key: k-1\r\nContent-Length: 2\r\n\r\n{}"
    ]


def test_a_generator_out_of_descriptors_is_a_fault_of_the_harness() -> None:
    client = Client("http://127.0.0.1:9", deadlines=AMPLE)
    gevent.sleep(0)  # the hub opens its own descriptors first
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        with client.connection() as connection, pytest.raises(GeneratorExhausted, match="raise the limit"):
            connection.send(GET)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize(
    "url", ["ftp://host", "http://", "127.0.0.1:80", "http://u:p@host", "http://h?x=1", "http://h:99999"]
)
def test_a_base_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="base URL"):
        Client(url, deadlines=AMPLE)


def test_deadlines_follow_from_the_customers_own() -> None:
    assert Deadlines.within(5_000) == Deadlines(connect_ms=3_000, read_ms=5_000, total_ms=5_000)
    assert Deadlines.within(500) == Deadlines(connect_ms=500, read_ms=500, total_ms=500)


def test_the_scripts_produce_every_ending() -> None:
    produced = {ending for _, _, ending in ENDINGS.values()}
    elsewhere = NOTHING_SENT | {Ending.SEND_FAILED, Ending.ANSWERED}
    assert produced | elsewhere == set(Ending)
    assert MAX_BODY_BYTES < 16_000_000


@contextmanager
def bound_without_listening() -> Iterator[int]:
    with gevent.socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]


@contextmanager
def full_backlog() -> Iterator[int]:
    """A listener that never accepts, its queue filled: further SYNs are dropped."""
    with gevent.socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = []
        for _ in range(4):
            sock = gevent.socket.socket()
            sock.setblocking(0)
            sock.connect_ex(listener.getsockname())
            waiting.append(sock)
        try:
            yield listener.getsockname()[1]
        finally:
            for sock in waiting:
                sock.close()
