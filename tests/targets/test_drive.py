"""Does the plain client name each ending, and never raise for what a server does?"""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from harness.operation import Ending, Outcome
from harness.targets.drive import HttpxSender, drive
from harness.targets.protocol import Call, Observation, Reply, Request

GET = Request(method="GET", path="/x?a=1", name="GET /x", headers=(("x-one", "1"),))
DEADLINE_S = 0.25


@contextmanager
def raw_server(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """Accepts one connection, reads one request's head, and does with the connection what `answer` says."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(5)
        done = threading.Event()

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.settimeout(5)
                head = b""
                while b"\r\n\r\n" not in head:
                    head += connection.recv(4096)
                answer(connection)
                done.wait(5)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            done.set()
            thread.join()


def says(text: bytes) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(text)


def says_and_closes(text: bytes) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_RDWR)

    return answer


def resets(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    connection.close()


@pytest.mark.parametrize(
    ("answer", "ending"),
    [
        (says(b""), Ending.READ_TIMEOUT),
        (says_and_closes(b""), Ending.CLOSED),
        (resets, Ending.RESET),
        (says(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), Ending.GARBLED),
        (says(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhal"), Ending.ANSWER_TIMEOUT),
        (says_and_closes(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhal"), Ending.CUT_BODY),
        (
            says(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 5\r\n\r\nplain"),
            Ending.GARBLED,
        ),
    ],
)
def test_a_broken_answer_has_a_name(answer: Callable[[socket.socket], None], ending: Ending) -> None:
    with raw_server(answer) as url, HttpxSender(url, DEADLINE_S) as send:
        assert send(GET) == Reply(ending=ending)


def test_a_whole_answer_comes_with_status_headers_and_body() -> None:
    text = b"HTTP/1.1 503 Busy\r\nX-Tag: a\r\nX-Tag: b\r\nRetry-After: 1\r\ncontent-length: 2\r\n\r\nno"
    with raw_server(says(text)) as url, HttpxSender(url, DEADLINE_S) as send:
        expected = {"x-tag": "b", "retry-after": "1", "content-length": "2"}
        assert send(GET) == Reply(ending=Ending.ANSWERED, status=503, headers=expected, body=b"no")


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    text = b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"
    with raw_server(says(text)) as url, HttpxSender(url, DEADLINE_S) as send:
        assert send(GET).status == 302


def test_the_body_has_a_deadline_as_a_whole() -> None:
    ticks = iter(range(100))
    text = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nno"
    with raw_server(says(text)) as url, HttpxSender(url, DEADLINE_S, now_s=lambda: float(next(ticks))) as send:
        assert send(GET) == Reply(ending=Ending.ANSWER_TIMEOUT)


def test_nobody_listening_is_refused_and_an_unknown_name_unresolved() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with HttpxSender(f"http://127.0.0.1:{port}", DEADLINE_S) as send:
        assert send(GET) == Reply(ending=Ending.REFUSED)
    with HttpxSender("http://nobody.invalid", DEADLINE_S) as send:
        assert send(GET) == Reply(ending=Ending.UNRESOLVED)


def test_an_address_that_is_not_http_is_our_own_mistake() -> None:
    with HttpxSender("ftp://127.0.0.1", DEADLINE_S) as send, pytest.raises(httpx.UnsupportedProtocol):
        send(GET)


def test_driving_hands_each_reply_to_the_adapter_and_returns_what_it_concludes() -> None:
    def two_steps() -> Call:
        first = yield Request(method="GET", path="/1", name="1")
        second = yield Request(method="GET", path=f"/{first.status}", name="2")
        assert second.status is not None
        return Observation(outcome=Outcome.OK, ending=second.ending, http=second.status)

    asked: list[str] = []

    def send(request: Request) -> Reply:
        asked.append(request.path)
        return Reply(ending=Ending.ANSWERED, status=200 + len(asked))

    assert drive(two_steps(), send) == Observation(outcome=Outcome.OK, ending=Ending.ANSWERED, http=202)
    assert asked == ["/1", "/201"]
