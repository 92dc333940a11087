"""What does the front say itself? Errors in the API's one shape, and JSON to whoever controls it."""

from http import HTTPStatus

import msgspec


def json_reply(status: int, content: object, *, retry_after_s: int | None = None) -> bytes:
    """A whole answer with a JSON body."""
    body = msgspec.json.encode(content)
    later = "" if retry_after_s is None else f"retry-after: {retry_after_s}\r\n"
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        f"content-type: application/json\r\n{later}content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def refusal(status: int, code: str, message: str, *, retry_after_s: int | None = None) -> bytes:
    """An error in the API's shape."""
    return json_reply(status, {"error": {"code": code, "message": message}}, retry_after_s=retry_after_s)
