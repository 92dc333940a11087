"""A recorded conversation, replayed strictly.

A conversation is a list of exchanges in a JSON file. Of a request, method, path,
headers and body must be those that were recorded: a request that was not, or one
that never came, fails the test. A body is text, or JSON compared as a value.
"""

from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from harness.operation import Ending
from harness.targets.protocol import Reply, Request

CONVERSATIONS = Path(__file__).parent / "conversations"


class RecordedRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    method: str
    path: str
    headers: dict[str, str] = {}
    text: str = ""
    json: object = None


class RecordedReply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    status: int | None = None
    headers: dict[str, str] = {}
    text: str = ""
    json: object = None
    ending: Ending = Ending.ANSWERED


class Exchange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    request: RecordedRequest
    reply: RecordedReply


class Replay:
    def __init__(self, exchanges: list[Exchange]) -> None:
        self._exchanges = exchanges
        self._next = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            left = [f"{e.request.method} {e.request.path}" for e in self._exchanges[self._next :]]
            assert left == [], "recorded, and never asked for"

    def __call__(self, request: Request) -> Reply:
        assert self._next < len(self._exchanges), f"unexpected: {request.method} {request.path}"
        exchange = self._exchanges[self._next]
        self._next += 1
        assert seen(request, exchange.request) == exchange.request
        return told(exchange.reply)


def conversation(target: str, name: str) -> Replay:
    recorded = msgspec.json.decode((CONVERSATIONS / f"{target}.json").read_bytes(), type=dict[str, list[Exchange]])
    return Replay(recorded[name])


def seen(request: Request, recorded: RecordedRequest) -> RecordedRequest:
    is_json = recorded.json is not None
    return RecordedRequest(
        method=request.method,
        path=request.path,
        headers=dict(request.headers),
        text="" if is_json else request.body.decode(),
        json=msgspec.json.decode(request.body) if is_json else None,
    )


def told(recorded: RecordedReply) -> Reply:
    if recorded.ending is not Ending.ANSWERED:
        return Reply(ending=recorded.ending)
    if recorded.json is None:
        return Reply(
            ending=Ending.ANSWERED, status=recorded.status, headers=recorded.headers, body=recorded.text.encode()
        )
    return Reply(
        ending=Ending.ANSWERED,
        status=recorded.status,
        headers={"content-type": "application/json"} | recorded.headers,
        body=msgspec.json.encode(recorded.json),
    )
