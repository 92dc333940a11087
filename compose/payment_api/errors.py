"""How does this API say no? One shape, a stable code, nothing of the input, nothing of the inside.

{"error": {"code": "order_closed", "message": "...", "order_id": "ord_..."}}
"""

import logging
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("payment_api")

LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InterfaceError,
    OSError,
    TimeoutError,
)
"""What asyncpg raises when the database cannot be reached, or went away in mid-statement."""

# Names of fields that a message may mention. A name that a caller made up is input, and not repeated.
_FIELDS = frozenset(
    {
        "line",
        "merchant",
        "amount_minor",
        "currency",
        "phone",
        "openid",
        "method",
        "card",
        "limit",
        "cursor",
        "after",
        "Idempotency-Key",
        "body",
    }
)


class Undone(Exception):
    """The database was lost before a transaction's commit was asked for: it certainly had no effect."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(type(cause).__name__)
        self.cause = cause


class ApiError(Exception):
    """A refusal with its status, stable code and a message for people."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        order_id: str | None = None,
        retry_after_s: int | None = None,
        methods: list[str] | None = None,
        key: str | None = None,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message
        self.order_id = order_id
        self.retry_after_s = retry_after_s
        self.methods = methods
        """Methods that work now, where the refusal is about one that does not."""
        self.key = key
        """The idempotency key that was refused, where there is no order yet."""


@contextmanager
def telling(card: str | None) -> Iterator[None]:
    """Only for the defect card_number_in_error: what is refused in this block tells the card number."""
    try:
        yield
    except ApiError as exc:
        if card is not None:
            exc.message += f" The card was {card}."
        raise


def install(app: FastAPI, *, traces: bool = False) -> None:
    """Give every way in which a request can fail the one shape; `traces` only with the defect stack_trace_in_500."""
    app.add_exception_handler(ApiError, _refusal)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _bare)
    app.add_exception_handler(asyncpg.LockNotAvailableError, _in_progress)
    for lost in (*LOST, Undone):
        app.add_exception_handler(lost, _unavailable)
    app.add_middleware(_LastResort, traces=traces)


def error_body(code: str, message: str, **more: object) -> bytes:
    """The body of a refusal; what is None is left out."""
    said = {name: value for name, value in more.items() if value is not None}
    return msgspec.json.encode({"error": {"code": code, "message": message} | said})


def in_short(exc: BaseException) -> str:
    """What failed and where, for the log: no message and no stack, which may hold what customers told us."""
    frames = traceback.extract_tb(exc.__traceback__)
    ours = [frame for frame in frames if "payment_api" in frame.filename] or frames
    where = f" at {Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""
    return f"{type(exc).__name__}{where}"


async def _refusal(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, ApiError)
    headers = {} if exc.retry_after_s is None else {"Retry-After": str(exc.retry_after_s)}
    more = {"order_id": exc.order_id, "key": exc.key, "methods": exc.methods}
    return _answer(exc.status, error_body(exc.code, exc.message, **more), headers)


async def _invalid(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, RequestValidationError)
    named = sorted({str(error["loc"][-1]) for error in exc.errors() if error["loc"]} & _FIELDS)
    message = f"Invalid: {', '.join(named)}." if named else "The request is not valid."
    return _answer(422, error_body("invalid_request", message))


async def _bare(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    codes = {404: "not_found", 405: "method_not_allowed"}
    return _answer(exc.status_code, error_body(codes.get(exc.status_code, "refused"), "No such thing here."))


async def _in_progress(_: Request, __: Exception) -> Response:
    message = "Another request about the same thing is being worked on. Try again with the same key."
    return _answer(409, error_body("request_in_progress", message), {"Retry-After": "1"})


async def _unavailable(request: Request, exc: Exception) -> Response:
    # The commit may have got through before the database was lost, so this is no promise of "without effect".
    log.warning("database lost during %s: %s", request.scope["path"], in_short(exc))
    message = "The result is not known. Try again with the same key."
    return _answer(503, error_body("unavailable", message), {"Retry-After": "1"})


class _LastResort:
    """Answers what nobody foresaw. The framework's own handler would also cut the connection behind its answer."""

    def __init__(self, app: ASGIApp, *, traces: bool = False) -> None:
        self._app = app
        self._traces = traces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as exc:
            if begun or scope["type"] != "http":
                raise
            log.error("%s during %s %s", in_short(exc), scope["method"], scope["path"])  # noqa: TRY400 - see in_short
            message = "Something went wrong here. Try again with the same key."
            message = traceback.format_exc() if self._traces else message
            await _answer(500, error_body("internal_error", message))(scope, receive, send)


def _answer(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> Response:
    return Response(body, status, headers=headers, media_type="application/json")
