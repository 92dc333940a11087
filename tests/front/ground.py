"""A front in this process, builds behind it that do as a test says, and requests written by hand."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from compose.front.customer import Customer
from compose.front.server import Front
from compose.front.settings import Settings
from compose.payment_api.defects import Defect

TOKEN = "control-token"
LIMIT_S = 5.0

Reply = tuple[int, dict[str, str], bytes]


def answer(status: int = 200, body: bytes = b"{}", **headers: str) -> bytes:
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} So\r\n{lines}content-length: {len(body)}\r\n\r\n".encode() + body


@dataclass(kw_only=True)
class Behind:
    """A build: remembers requests, and answers each as `does` says."""

    release: str
    does: Callable[["Behind", asyncio.StreamWriter], Awaitable[None]] | None = None
    heard: list[bytes] = field(default_factory=list)
    connections: int = 0
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                self.heard.append(await request_of(reader))
                if self.does is None:
                    writer.write(answer(x_build=self.release))
                else:
                    await self.does(self, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@dataclass(kw_only=True)
class Stage:
    front: Front
    port: int
    builds: dict[str, Behind]

    async def ask(self, token: str | None, path: str = "/v1/orders", method: str = "GET", body: bytes = b"") -> Reply:
        """One request on a connection of its own."""
        async with self.connection() as (reader, writer):
            writer.write(request(token, path, method, body))
            return await reply_of(reader)

    async def control(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        content = b"" if body is None else json.dumps(body).encode()
        status, _, said = await self.ask(TOKEN, f"/front/control/{path}", method, content)
        told: dict[str, Any] = json.loads(said) | {"status": status}
        return told

    async def candidate(self, release: str, share: float) -> dict[str, Any]:
        wanted = {"release": release, "url": self.builds[release].url, "share": share}
        return await self.control("PUT", "candidate", wanted)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        async with asyncio.timeout(LIMIT_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            try:
                yield reader, writer
            finally:
                writer.close()


def played(story: Callable[[Stage], Awaitable[None]], *builds: Behind, defects: tuple[Defect, ...] = ()) -> None:
    """Tell a story on a front whose first build is stable."""

    async def run() -> None:
        async with AsyncExitStack() as stack:
            for build in builds:
                server = await asyncio.start_server(build.serve, "127.0.0.1", 0)
                stack.callback(server.close)
                build.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            settings = Settings(
                host="127.0.0.1",
                port=0,
                release=builds[0].release,
                url=builds[0].url,
                control_token=TOKEN,
                build="fixed",
                defects=frozenset(defects),
            )
            front = Front(settings)
            loop = asyncio.get_running_loop()
            server = await loop.create_server(lambda: Customer(front), "127.0.0.1", 0)
            stack.callback(server.close)
            port = server.sockets[0].getsockname()[1]
            await story(Stage(front=front, port=port, builds={build.release: build for build in builds}))

    asyncio.run(run())


def request(token: str | None, path: str, method: str = "GET", body: bytes = b"") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: front\r\n" + (f"Authorization: Bearer {token}\r\n" if token else "")
    return f"{head}Idempotency-Key: k-1\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def request_of(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    found = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return head + await reader.readexactly(int(found or b"0"))


async def reply_of(reader: asyncio.StreamReader) -> Reply:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    lines = head.split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return int(lines[0].split()[1]), headers, body
