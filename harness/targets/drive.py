"""How is an adapter's generator run to its end, and by which plain client?

    drive(target.read(user, order), sender)
          │ next / send(reply)     ▲
          ▼                        │
        Request ──> sender ──> Reply

Evidence, preflight and tests use it; load has a client of its own, which tells
endings apart more finely. No retry here, no proxy from the environment, no
redirect followed.
"""

import socket
import ssl
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager
from types import TracebackType

import httpx

from harness.operation import Ending
from harness.targets.protocol import Reply, Request, T

Send = Callable[[Request], Reply]
"""Performs one request; never raises for what a target or network does."""


def drive(call: Generator[Request, Reply, T], send: Send) -> T:
    """Run one operation: perform each request that it yields, return what it concludes.

    Costs as many requests as the adapter yields; raises what `send` raises.
    """
    try:
        request = next(call)
        while True:
            request = call.send(send(request))
    except StopIteration as stop:
        result: T = stop.value
        return result


class HttpxSender(AbstractContextManager["HttpxSender"]):
    """Sends requests below one base URL; connections are kept while it is open. Safe to share between threads."""

    def __init__(
        self,
        base_url: str,
        deadline_s: float,
        *,
        headers: Mapping[str, str] | None = None,
        connections: int = 8,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`deadline_s` bounds connecting, each silence, and the answer's body; `headers` go with every request."""
        self._base_url = base_url.rstrip("/")
        self._deadline_s = deadline_s
        self._now_s = now_s
        # Loading the trusted roots takes 70 ms, for which plain HTTP on loopback has no use.
        secure = self._base_url.startswith("https:")
        self._client = httpx.Client(
            headers={"accept-encoding": "identity", **(headers or {})},
            timeout=deadline_s,
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            verify=ssl.create_default_context() if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            trust_env=False,
            follow_redirects=False,
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def __call__(self, request: Request) -> Reply:
        """Perform one request. Every failure of target or network is an ending, never an exception."""
        give_up_s = self._now_s() + self._deadline_s
        built = self._client.build_request(
            request.method,
            self._base_url + request.path,
            headers=list(request.headers),
            content=request.body or None,
        )
        try:
            response = self._client.send(built, stream=True)
        except httpx.HTTPError as error:
            return Reply(ending=_before_the_headers(error))
        return self._body(response, give_up_s)

    def _body(self, response: httpx.Response, give_up_s: float) -> Reply:
        chunks: list[bytes] = []
        try:
            for chunk in response.iter_bytes():
                chunks.append(chunk)
                if self._now_s() > give_up_s:
                    return Reply(ending=Ending.ANSWER_TIMEOUT)
        except httpx.TimeoutException:
            return Reply(ending=Ending.ANSWER_TIMEOUT)
        except httpx.DecodingError:
            return Reply(ending=Ending.GARBLED)
        except httpx.HTTPError:
            return Reply(ending=Ending.CUT_BODY)
        finally:
            response.close()
        return Reply(
            ending=Ending.ANSWERED,
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.multi_items()},
            body=b"".join(chunks),
        )


_ENDINGS: tuple[tuple[type[httpx.HTTPError], Ending], ...] = (
    (httpx.ConnectTimeout, Ending.CONNECT_TIMEOUT),
    (httpx.PoolTimeout, Ending.CONNECT_TIMEOUT),
    (httpx.ConnectError, Ending.REFUSED),
    (httpx.WriteTimeout, Ending.SEND_FAILED),
    (httpx.WriteError, Ending.SEND_FAILED),
    (httpx.ReadTimeout, Ending.READ_TIMEOUT),
    (httpx.ReadError, Ending.RESET),
    (httpx.RemoteProtocolError, Ending.GARBLED),
)


def _before_the_headers(error: httpx.HTTPError) -> Ending:
    """Name the ending of a request whose answer's headers never came whole; a request that we built wrongly raises."""
    if _caused_by(error, socket.gaierror):
        return Ending.UNRESOLVED
    if isinstance(error, httpx.RemoteProtocolError) and "disconnected without sending" in str(error):
        # h11 says so also of a half-sent head: for a read that difference decides nothing.
        return Ending.CLOSED
    for kind, ending in _ENDINGS:
        if isinstance(error, kind):
            return ending
    raise error


def _caused_by(error: BaseException, kind: type[BaseException]) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, kind):
            return True
        cause = cause.__cause__ or cause.__context__
    return False
