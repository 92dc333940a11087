"""A server that behaves exactly as badly as a script says: real sockets, no HTTP of its own."""

import socket
import ssl
import struct
from collections.abc import Callable
from typing import Self

import gevent
import gevent.event
import gevent.socket
import gevent.ssl


class Peer:
    """The server's end of one connection."""

    def __init__(self, sock: gevent.socket.socket, number: int, stopped: gevent.event.Event) -> None:
        self.sock = sock
        self.number = number
        """1 for the first connection, 2 for the next."""
        self._stopped = stopped
        self._seen = b""

    def request(self) -> bytes:
        """Read one whole request; b"" once the client has closed."""
        while b"\r\n\r\n" not in self._seen:
            if not (data := self.sock.recv(65536)):
                return b""
            self._seen += data
        head, _, rest = self._seen.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        while len(rest) < length:
            rest += self.sock.recv(65536)
        self._seen = rest[length:]
        return head + b"\r\n\r\n" + rest[:length]

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def close(self) -> None:
        """Close in good order."""
        self.sock.close()

    def reset(self) -> None:
        """Close so that the client is sent RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def hold(self) -> None:
        """Say nothing more until the test is over."""
        self._stopped.wait()

    def over(self, pause_s: float) -> bool:
        """Pause between drops of a dripping answer; True once the test is over."""
        return bool(self._stopped.wait(pause_s))


Script = Callable[[Peer], None]


class RawServer:
    """Listens on loopback and runs `script` for each connection; everything ends with the context."""

    def __init__(self, script: Script, *, tls: ssl.SSLContext | None = None) -> None:
        self._script = script
        self._tls = tls
        self._stopped = gevent.event.Event()
        self._listener = gevent.socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(64)
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self.requests: list[bytes] = []
        """What scripts put here."""
        self._tasks: list[gevent.Greenlet] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._tasks.append(gevent.spawn(self._accept))
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._tasks[0].kill()
        self._listener.close()
        gevent.joinall(self._tasks, timeout=5)
        gevent.killall(self._tasks)

    def _accept(self) -> None:
        while True:
            sock, _ = self._listener.accept()
            self.connections += 1
            self._tasks.append(gevent.spawn(self._serve, sock, self.connections))

    def _serve(self, sock: gevent.socket.socket, number: int) -> None:
        try:
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_side=True)
            self._script(Peer(sock, number, self._stopped))
        except OSError:
            # The client is free to leave in the middle of a script.
            pass
        finally:
            sock.close()


def answer(body: bytes = b"{}", *, status: str = "200 OK", headers: tuple[str, ...] = ()) -> bytes:
    """A well-formed answer with a length."""
    lines = (f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", "")
    return "\r\n".join(lines).encode() + body
