"""When is a connection used again, and when never?"""

from collections.abc import Callable

import gevent
import gevent.event
import gevent.socket
import pytest

from harness.load.client import Client
from harness.operation import Ending
from harness.targets.protocol import Reply
from tests.load.raw_server import Peer, RawServer, answer
from tests.load.scripts import AMPLE, GET, POST, SHORT


def test_requests_of_one_connection_share_it() -> None:
    def script(peer: Peer) -> None:
        while request := peer.request():
            server.requests.append(request)
            peer.send(answer(str(len(server.requests)).encode()))

    with RawServer(script) as server, Client(server.url, deadlines=AMPLE).connection() as connection:
        bodies = [connection.send(request).reply.body for request in (GET, POST, GET)]
    assert (bodies, server.connections) == ([b"1", b"2", b"3"], 1)


@pytest.mark.parametrize("leave", [Peer.close, Peer.reset], ids=["closed", "reset"])
def test_a_connection_found_closed_before_sending_is_replaced(leave: Callable[[Peer], None]) -> None:
    gone = gevent.event.Event()

    def script(peer: Peer) -> None:
        server.requests.append(peer.request())
        peer.send(answer())
        if peer.number == 1:
            leave(peer)
            gone.set()

    with RawServer(script) as server, Client(server.url, deadlines=AMPLE).connection() as connection:
        first = connection.send(POST)
        gone.wait()
        second = connection.send(POST)
    assert (first.reply.ending, second.reply.ending) == (Ending.ANSWERED, Ending.ANSWERED)
    assert (server.connections, len(server.requests)) == (2, 2)


def test_bytes_that_nobody_asked_for_are_no_answer_to_the_next_request() -> None:
    sent = gevent.event.Event()

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(answer(b"wanted"))
        peer.send(answer(b"stray", status="408 Timeout"))
        sent.set()
        peer.hold()

    with RawServer(script) as server, Client(server.url, deadlines=AMPLE).connection() as connection:
        first = connection.send(GET)
        sent.wait()
        second = connection.send(GET)
    assert (first.reply.body, second.reply.body, server.connections) == (b"wanted", b"wanted", 2)


@pytest.mark.parametrize(
    ("leave", "ending"), [(Peer.close, Ending.CLOSED), (Peer.reset, Ending.RESET)], ids=["closed", "reset"]
)
def test_a_request_on_a_kept_connection_is_not_sent_again(leave: Callable[[Peer], None], ending: Ending) -> None:
    def script(peer: Peer) -> None:
        server.requests.append(peer.request())
        peer.send(answer())
        server.requests.append(peer.request())
        leave(peer)

    with RawServer(script) as server, Client(server.url, deadlines=AMPLE).connection() as connection:
        connection.send(POST)
        second = connection.send(POST)
    assert second.reply == Reply(ending=ending)
    assert (server.connections, len(server.requests)) == (1, 2)


def test_a_connection_that_the_target_will_close_is_not_used_again() -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(answer(headers=("Connection: close",)))
        peer.hold()

    with RawServer(script) as server, Client(server.url, deadlines=AMPLE).connection() as connection:
        assert [connection.send(GET).reply.status for _ in range(2)] == [200, 200]
    assert server.connections == 2


def test_a_connection_is_not_used_again_after_an_ending_without_an_answer() -> None:
    def script(peer: Peer) -> None:
        peer.request()
        if peer.number == 1:
            peer.hold()
        peer.send(answer())

    with RawServer(script) as server, Client(server.url, deadlines=SHORT).connection() as connection:
        assert [connection.send(GET).reply.ending for _ in range(2)] == [Ending.READ_TIMEOUT, Ending.ANSWERED]


def test_a_killed_journey_closes_its_connection() -> None:
    asked, left = gevent.event.Event(), gevent.event.Event()

    def script(peer: Peer) -> None:
        peer.request()
        asked.set()
        if peer.request() == b"":
            left.set()

    with RawServer(script) as server:

        def journey() -> None:
            with Client(server.url, deadlines=AMPLE).connection() as connection:
                connection.send(GET)

        task = gevent.spawn(journey)
        asked.wait()
        task.kill()
        assert left.wait(5)
