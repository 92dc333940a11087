"""How does the customer's request end, exactly?

One HTTP/1.1 client over gevent's sockets; what comes is read by `wire`. It
sends what an adapter yields and says how that ended (`Ending`): nothing sent,
sent without an answer, answer cut.

Nothing is ever sent twice. A kept-alive connection that the target closed
meanwhile is found closed *before* the first byte of the next request is handed
to the kernel: a read that does not block gives the stream's end, an error or
bytes that nobody asked for. Only such a connection is replaced, for nothing of
the request was sent on it. From the first `send` on a request has an ending,
whatever happens.

No redirects, cookies, decompression or proxies. A body that ends only with the
connection and is cut by an orderly close cannot be told from a whole one.
"""

import errno
import ipaddress
import ssl
import time
from dataclasses import dataclass
from typing import Protocol, Self
from urllib.parse import urlsplit

import gevent
import gevent.socket
import gevent.ssl

from harness.errors import HarnessError, UsageError
from harness.load.wire import Answer, Garbled, encode
from harness.operation import Ending
from harness.targets.protocol import Reply, Request

_CUT = "UNEXPECTED_EOF_WHILE_READING"
"""OpenSSL's reason where a TLS stream ends without a farewell, as Python before 3.11.4 tells it."""
_BLOCK_BYTES = 16 * 1024
_OWN_FAULTS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL, errno.EBADF})
"""Errors that say something about this machine and nothing about the target."""


class Socket(Protocol):
    """What the client needs of gevent's sockets, plain and TLS."""

    def settimeout(self, howlong: float | None, /) -> None: ...
    def send(self, data: memoryview, /) -> int: ...
    def recv(self, size: int, flags: int = 0, /) -> bytes: ...
    def close(self) -> None: ...


class GeneratorExhausted(HarnessError):
    """The load generator ran out of descriptors, ports or memory; raise its limits or lower the rate."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Deadlines:
    """How long one request may take; all in milliseconds."""

    connect_ms: int
    """Resolving the name, connecting and the TLS handshake together."""
    read_ms: int
    """Silence: from the last byte sent or received to the next one received."""
    total_ms: int
    """The whole request, from before connecting to the answer's last byte."""

    @classmethod
    def within(cls, total_ms: int) -> Self:
        """A customer's deadlines: 3 s to connect, so that a lost SYN is repeated twice, and the total for all."""
        return cls(connect_ms=min(3_000, total_ms), read_ms=total_ms, total_ms=total_ms)


@dataclass(frozen=True, kw_only=True, slots=True)
class Exchange:
    """One request and how it ended; instants are CLOCK_MONOTONIC, in ns."""

    reply: Reply
    sent_ns: int
    """Before connecting or sending: the target cannot have seen the request earlier."""
    done_ns: int
    """The answer was whole, or the ending was known."""
    detail: str
    """What the system said of an ending other than ANSWERED; for people, not for checks."""


class Client:
    """Where the target is and how long to wait for it; shared by all journeys of a run."""

    def __init__(self, base_url: str, *, deadlines: Deadlines, tls: ssl.SSLContext | None = None) -> None:
        url = urlsplit(base_url)
        if url.scheme not in ("http", "https") or not url.hostname or url.username or url.query or url.fragment:
            raise UsageError(f"base URL {base_url!r}: must be http(s)://host[:port][/path]")
        self.deadlines = deadlines
        self.host = url.hostname
        try:
            self.port = url.port or (443 if url.scheme == "https" else 80)
        except ValueError as exc:
            raise UsageError(f"base URL {base_url!r}: {exc}") from exc
        self.prefix = url.path.rstrip("/")
        self.host_header = url.netloc
        self.tls: gevent.ssl.SSLContext | None = None
        if url.scheme == "https":
            self.tls = tls or _verifying()
            # Python before 3.11.4 sets this option of OpenSSL 3, by which a stream that was cut looks like a whole one.
            self.tls.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF

    def connection(self) -> "Connection":
        """One journey's connection; opened at its first request."""
        return Connection(self)

    def connect(self, end_ns: int) -> Socket:
        """A connected socket, TLS included. Raises _Ended with an ending of `NOTHING_SENT`."""
        limit_ns = min(end_ns, time.monotonic_ns() + self.deadlines.connect_ms * 1_000_000)
        ended = _Ended(Ending.UNRESOLVED, f"{self.host}: no address")
        for family, address in self._addresses(limit_ns):
            try:
                return self._open(family, address, limit_ns)
            except _Ended as exc:
                ended = exc
        raise ended

    def _addresses(self, limit_ns: int) -> list[tuple[int, tuple[str, int]]]:
        try:
            version = ipaddress.ip_address(self.host).version
        except ValueError:
            pass
        else:
            family = gevent.socket.AF_INET if version == 4 else gevent.socket.AF_INET6  # noqa: PLR2004
            return [(family, (self.host, self.port))]
        try:
            with gevent.Timeout(_left_s(limit_ns), TimeoutError("resolving the name took too long")):
                found = gevent.socket.getaddrinfo(self.host, self.port, type=gevent.socket.SOCK_STREAM)
        except (gevent.socket.gaierror, UnicodeError, TimeoutError) as exc:
            raise _Ended(Ending.UNRESOLVED, f"{self.host}: {exc}") from exc
        return [(info[0], info[4]) for info in found]

    def _open(self, family: int, address: tuple[str, int], limit_ns: int) -> Socket:
        try:
            sock = gevent.socket.socket(family, gevent.socket.SOCK_STREAM)
        except OSError as exc:
            raise _own_fault(exc) or _Ended(Ending.REFUSED, str(exc)) from exc
        try:
            sock.settimeout(_left_s(limit_ns))
            sock.connect(address)
            if sock.getsockname() == sock.getpeername():
                # Linux may hand out the very port that nobody listens on: the socket then talks to itself.
                raise ConnectionRefusedError(errno.ECONNREFUSED, "connected to itself: nobody listens")  # noqa: TRY301
            sock.setsockopt(gevent.socket.IPPROTO_TCP, gevent.socket.TCP_NODELAY, 1)
            if self.tls is not None:
                sock = self.tls.wrap_socket(
                    sock, server_hostname=self.host, do_handshake_on_connect=False, suppress_ragged_eofs=False
                )
                sock.settimeout(_left_s(limit_ns))
                sock.do_handshake()
        except BaseException as exc:
            sock.close()
            if isinstance(exc, TimeoutError):
                raise _Ended(Ending.CONNECT_TIMEOUT, str(exc)) from exc
            if isinstance(exc, OSError):
                raise _own_fault(exc) or _Ended(Ending.REFUSED, str(exc)) from exc
            raise
        connected: Socket = sock
        return connected


class Connection:
    """One customer's connection, kept alive from request to request; used by one greenlet."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._sock: Socket | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection, if there is one; the next request opens another."""
        if self._sock is not None:
            self._sock.close()
            self._sock = None

    def send(self, request: Request) -> Exchange:
        """Send one request, once, and wait for how it ends; at most `total_ms`.

        Raises nothing for what a target may do. Raises RequestMalformed, and
        GeneratorExhausted where this machine is at its end.
        """
        wire = encode(request, host=self._client.host_header, prefix=self._client.prefix)
        sent_ns = time.monotonic_ns()
        detail = ""
        try:
            reply = self._exchange(wire, Answer(bodiless=request.method == "HEAD"), sent_ns)
        except _Ended as exc:
            self.close()
            reply, detail = Reply(ending=exc.ending), exc.detail
        return Exchange(reply=reply, sent_ns=sent_ns, done_ns=time.monotonic_ns(), detail=detail)

    def _exchange(self, wire: bytes, answer: Answer, sent_ns: int) -> Reply:
        end_ns = sent_ns + self._client.deadlines.total_ms * 1_000_000
        self._close_if_stale()
        if self._sock is None:
            self._sock = self._client.connect(end_ns)
        broken = self._write(self._sock, wire, end_ns)
        self._read(self._sock, answer, end_ns, broken)
        if broken or not answer.reusable:
            self.close()
        return Reply(ending=Ending.ANSWERED, status=answer.status, headers=answer.headers, body=bytes(answer.body))

    def _close_if_stale(self) -> None:
        sock = self._sock
        if sock is None:
            return
        sock.settimeout(0.0)
        try:
            # A TLS socket cannot be peeked at; a byte taken from it is lost, but then it is closed anyway.
            unasked = sock.recv(1) if self._client.tls else sock.recv(1, gevent.socket.MSG_PEEK)
            del unasked
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        except OSError:
            pass
        self.close()

    def _write(self, sock: Socket, wire: bytes, end_ns: int) -> str:
        """Send all of it; returns why that broke, or "". An answer may stand in the socket all the same."""
        rest = memoryview(wire)
        try:
            while rest:
                sock.settimeout(_left_s(end_ns, self._client.deadlines.read_ms))
                rest = rest[sock.send(rest) :]
        except TimeoutError as exc:
            raise _Ended(Ending.READ_TIMEOUT, f"the target did not take the whole request: {exc}") from exc
        except OSError as exc:
            if own := _own_fault(exc):
                raise own from exc
            return str(exc)
        return ""

    def _read(self, sock: Socket, answer: Answer, end_ns: int, broken: str) -> None:
        unanswered = Ending.SEND_FAILED if broken else None
        while not answer.whole:
            try:
                sock.settimeout(_left_s(end_ns, self._client.deadlines.read_ms))
                data = sock.recv(_BLOCK_BYTES)
            except TimeoutError as exc:
                raise _Ended(Ending.ANSWER_TIMEOUT if answer.begun else Ending.READ_TIMEOUT, str(exc)) from exc
            except ssl.SSLError as exc:
                if not (isinstance(exc, ssl.SSLEOFError) or exc.reason == _CUT):
                    raise _Ended(Ending.GARBLED, str(exc)) from exc
                raise _Ended(answer.cut(unanswered or Ending.CLOSED), broken or str(exc)) from exc
            except OSError as exc:
                if own := _own_fault(exc):
                    raise own from exc
                raise _Ended(answer.cut(unanswered or Ending.RESET), broken or str(exc)) from exc
            if data:
                _take(answer, data)
            elif not answer.ends_with_connection():
                raise _Ended(answer.cut(unanswered or Ending.CLOSED), broken or "closed in good order")


class _Ended(Exception):
    """A request came to an ending other than ANSWERED."""

    def __init__(self, ending: Ending, detail: str) -> None:
        super().__init__(detail)
        self.ending = ending
        self.detail = detail


def _take(answer: Answer, data: bytes) -> None:
    try:
        answer.take(data)
    except Garbled as exc:
        raise _Ended(Ending.GARBLED, str(exc)) from exc


def _left_s(end_ns: int, most_ms: int | None = None) -> float:
    """Seconds until `end_ns`, at most `most_ms`; raises TimeoutError where none are left."""
    left_s = (end_ns - time.monotonic_ns()) / 1e9
    if left_s <= 0:
        raise TimeoutError("the deadline has passed")
    return left_s if most_ms is None else min(left_s, most_ms / 1e3)


def _own_fault(exc: OSError) -> GeneratorExhausted | None:
    if exc.errno not in _OWN_FAULTS:
        return None
    return GeneratorExhausted(f"a socket of the load generator failed: {exc}; raise the limit or lower the rate")


def _verifying() -> gevent.ssl.SSLContext:
    context = gevent.ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    return context
