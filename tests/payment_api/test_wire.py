"""A call to a provider ends in a whole answer or in CallFailed, whatever the other side does."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from compose.payment_api.wire import CallFailed, NotSent, Reply, Wire

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
WHOLE = b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"a":"b"}\r\n'


async def request_of(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return head + await reader.readexactly(length)


def answering(*pieces: bytes) -> Serve:
    """A server that sends these bytes to each connection's first request, then closes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        writer.close()

    return serve


def calls(serve: Serve, times: int = 1, limit_s: float | None = 2.0) -> tuple[list[Reply], int]:
    """Replies to so many calls in a row, and how many connections they took."""
    connections = 0

    async def counted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        try:
            await serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has gone, as it may
        finally:
            writer.close()

    async def run() -> list[Reply]:
        server = await asyncio.start_server(counted, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, Wire(f"http://127.0.0.1:{port}/base", "the-key", asyncio.Semaphore(4)) as wire:
            return [await wire.call("POST", "/x", body={"a": 1}, limit_s=limit_s) for _ in range(times)]

    return asyncio.run(run()), connections


def test_an_answer_in_one_piece_or_in_many_is_whole() -> None:
    expected = [Reply(status=200, body=b'{"a":"b"}\r\n')]
    assert calls(answering(WHOLE))[0] == expected
    assert calls(answering(*(WHOLE[i : i + 1] for i in range(len(WHOLE)))))[0] == expected


def test_a_chunked_answer_is_whole() -> None:
    chunked = b"HTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    assert calls(answering(chunked))[0] == [Reply(status=500, body=b"abcde")]


def test_a_connection_is_kept_for_the_next_call() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await request_of(reader)
            writer.write(WHOLE)

    replies, connections = calls(serve, times=3)
    assert (len(replies), connections) == (3, 1)


def test_a_connection_that_the_server_gives_up_is_not_used_again() -> None:
    closing = WHOLE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    replies, connections = calls(answering(closing), times=3)
    assert (len(replies), connections) == (3, 3)


def test_the_request_carries_key_length_and_the_base_path() -> None:
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await request_of(reader))
        writer.write(WHOLE)

    calls(serve)
    head, _, body = seen[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /base/x HTTP/1.1\r\n")
    assert b"\r\nAuthorization: Bearer the-key\r\n" in head
    assert body == b'{"a":1}'


@pytest.mark.parametrize(
    "pieces",
    [(), (b"HTTP/1.1 200 OK\r\nContent-Le",), (WHOLE[:-4],), (b"SSH-2.0-x\r\n\r\n",)],
    ids=["closed", "cut in its head", "cut in its body", "no HTTP"],
)
def test_an_answer_that_is_not_whole_fails_the_call(pieces: tuple[bytes, ...]) -> None:
    with pytest.raises(CallFailed):
        calls(answering(*pieces))


def test_silence_fails_the_call_at_its_limit() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        await reader.read()
        writer.close()

    with pytest.raises(CallFailed, match="TimeoutError") as failed:
        calls(serve, limit_s=0.05)
    assert failed.type is CallFailed


def test_a_refused_connection_fails_the_call_and_says_that_nothing_was_sent() -> None:
    async def run() -> None:
        async with Wire("http://127.0.0.1:1", "key", asyncio.Semaphore(4)) as wire:
            await wire.call("GET", "/", limit_s=1)

    with pytest.raises(NotSent, match="Refused"):
        asyncio.run(run())
