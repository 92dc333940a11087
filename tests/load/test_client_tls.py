"""Does the client verify whom it talks to, and tell a cut TLS stream from a whole one?

`certificates/` holds the certificate of a CA whose key is gone, and a server
certificate of its for 127.0.0.1 with its key: good for these tests alone.
"""

import os
import ssl
from pathlib import Path

import gevent.event
import gevent.ssl

from harness.load.client import Client, Connection, Deadlines
from harness.operation import Ending
from harness.targets.protocol import Reply, Request
from tests.load.raw_server import Peer, RawServer, Script, answer

CERTIFICATES = Path(__file__).parent / "certificates"
AMPLE = Deadlines(connect_ms=5_000, read_ms=5_000, total_ms=10_000)
SHORT = Deadlines(connect_ms=80, read_ms=80, total_ms=160)
GET = Request(method="GET", path="/", name="GET /")


def server_of(script: Script) -> RawServer:
    context = gevent.ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / "server.pem")
    return RawServer(script, tls=context)


def trusting(url: str, deadlines: Deadlines = AMPLE) -> Connection:
    context = gevent.ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(CERTIFICATES / "ca.pem")
    return Client(url, deadlines=deadlines, tls=context).connection()


def secure(server: RawServer, host: str = "127.0.0.1") -> str:
    return f"https://{host}:{server.port}"


def test_requests_share_a_verified_connection() -> None:
    def script(peer: Peer) -> None:
        while peer.request():
            peer.send(answer(b"hello"))

    with server_of(script) as server, trusting(secure(server)) as connection:
        assert [connection.send(GET).reply.body for _ in range(3)] == [b"hello"] * 3
    assert server.connections == 1


def test_a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_sent() -> None:
    with server_of(Peer.hold) as server, Client(secure(server), deadlines=AMPLE).connection() as connection:
        found = connection.send(GET)
    assert found.reply == Reply(ending=Ending.REFUSED)
    assert "CERTIFICATE_VERIFY_FAILED" in found.detail


def test_a_certificate_for_another_host_is_refused() -> None:
    with server_of(Peer.hold) as server, trusting(secure(server, "localhost")) as connection:
        found = connection.send(GET)
    assert found.reply == Reply(ending=Ending.REFUSED)
    assert "localhost" in found.detail


def test_a_server_without_tls_is_refused() -> None:
    def script(peer: Peer) -> None:
        peer.send(answer())
        peer.hold()

    with RawServer(script) as server, trusting(secure(server)) as connection:
        assert connection.send(GET).reply == Reply(ending=Ending.REFUSED)


def test_a_handshake_that_is_never_answered_is_a_connect_timeout() -> None:
    with RawServer(Peer.hold) as server, trusting(secure(server), SHORT) as connection:
        assert connection.send(GET).reply == Reply(ending=Ending.CONNECT_TIMEOUT)


def test_a_stream_cut_without_a_farewell_is_no_end_of_a_body() -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\nabc")
        peer.close()

    with server_of(script) as server, trusting(secure(server)) as connection:
        assert connection.send(GET).reply == Reply(ending=Ending.CUT_BODY)


def test_a_connection_closed_before_the_first_byte_is_told() -> None:
    def script(peer: Peer) -> None:
        peer.request()

    with server_of(script) as server, trusting(secure(server)) as connection:
        assert connection.send(GET).reply == Reply(ending=Ending.CLOSED)


def test_plain_bytes_within_a_tls_stream_are_garbled() -> None:
    def script(peer: Peer) -> None:
        peer.request()
        os.write(peer.sock.fileno(), answer())
        peer.hold()

    with server_of(script) as server, trusting(secure(server)) as connection:
        assert connection.send(GET).reply == Reply(ending=Ending.GARBLED)


def test_a_connection_found_closed_before_sending_is_replaced() -> None:
    gone = gevent.event.Event()

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(answer(b"hello"))
        if peer.number == 1:
            peer.close()
            gone.set()

    with server_of(script) as server, trusting(secure(server)) as connection:
        first = connection.send(GET)
        gone.wait()
        second = connection.send(GET)
    assert (first.reply.body, second.reply.body, server.connections) == (b"hello", b"hello", 2)


def test_silence_is_told() -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.hold()

    slow = Deadlines(connect_ms=5_000, read_ms=80, total_ms=10_000)
    with server_of(script) as server, trusting(secure(server), slow) as connection:
        assert connection.send(GET).reply == Reply(ending=Ending.READ_TIMEOUT)
