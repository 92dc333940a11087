"""Which routes are there? They read the request, call the service and write the answer; nothing is decided here."""

import logging
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import msgspec
from fastapi import FastAPI, Header, Query, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from compose.payment_api import bodies, ledger
from compose.payment_api.defects import Defect
from compose.payment_api.door import Asks
from compose.payment_api.errors import ApiError, install, telling
from compose.payment_api.measured import Measured
from compose.payment_api.metrics import CONTENT_TYPE, Metrics
from compose.payment_api.model import CAPTURED, Method
from compose.payment_api.notifications import BODY_MAX_BYTES
from compose.payment_api.orders import Wanted
from compose.payment_api.payments import Wish
from compose.payment_api.personal import debug_context, masked, reference
from compose.payment_api.rollout import Wear, schema_refused
from compose.payment_api.service import Service, running
from compose.payment_api.settings import Settings
from compose.payment_api.tokens import check_operator, user_of
from compose.payment_api.tracing import Traced
from compose.payment_api.views import payment_view

log = logging.getLogger("payment_api")

Key = Annotated[str, Header(alias="Idempotency-Key", min_length=1, max_length=255)]
Bearer = Annotated[str | None, Header(alias="Authorization")]
Cursor = Annotated[str | None, Query(pattern="^[0-9]{1,18}$")]
ERRORS: dict[int | str, dict[str, object]] = {
    status: {"model": bodies.ErrorOut} for status in (401, 404, 409, 422, 500, 503)
}


def create_app(settings: Settings) -> FastAPI:
    """The API, not yet connected: that happens when it is started."""
    held: list[Service] = []
    metrics = Metrics()
    started_utc_ms = time.time_ns() // 1_000_000

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with running(settings, metrics) as service:
            held.append(service)
            yield

    app = FastAPI(title="Payment API", version="1", lifespan=lifespan, responses=ERRORS, docs_url=None, redoc_url=None)
    install(app, traces=Defect.STACK_TRACE_IN_500 in settings.defects)
    app.add_middleware(Traced)
    app.add_middleware(Measured, metrics=metrics)

    @app.get("/healthz")
    async def healthz() -> Response:
        now_ms = time.time_ns() // 1_000_000
        health = {"status": "ok", "build": settings.build, "release": settings.release.name, "pid": os.getpid()}
        return _json(200, health | {"started_utc_ms": started_utc_ms, "utc_ms": now_ms})

    @app.get("/metrics", include_in_schema=False)
    async def told() -> Response:
        return Response(metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    _add_customer_routes(app, settings, held)
    _add_other_routes(app, settings, held, metrics)
    for route in app.routes:
        if isinstance(route, APIRoute) and route.path.startswith("/v1/orders"):  # a customer's
            for method in route.methods or ():
                metrics.expect_route(route.path, method)
    return app


def _add_customer_routes(app: FastAPI, settings: Settings, held: list[Service]) -> None:
    wear = Wear(settings.release)

    @app.post("/v1/orders", status_code=201, responses={201: {"model": bodies.OrderOut}})
    async def create_order(body: bodies.AnyOrderIn, key: Key, token: Bearer = None) -> Response:
        user = user_of(token, settings.token_secret)
        with held[0].health.watching_orders():
            made = await held[0].door.create(user, _wanted(body, settings), key)
        if Defect.PHONE_IN_LOG in settings.defects:
            log.warning("order %s of %s", made["id"], body.phone)
        return _json(201, made, debug_context(token) if Defect.TOKEN_IN_HEADER in settings.defects else None)

    @app.get("/v1/orders", responses={200: {"model": bodies.PageOut}})
    async def list_orders(
        request: Request, limit: Annotated[int, Query(ge=1, le=100)] = 20, cursor: Cursor = None, token: Bearer = None
    ) -> Response:
        user = user_of(token, settings.token_secret)
        await held[0].door.express(Asks.LIST, request.is_disconnected)
        return _json(200, await held[0].queries.page(user, limit, None if cursor is None else int(cursor)))

    @app.get("/v1/orders/{order_id}", responses={200: {"model": bodies.OrderOut}})
    async def read_order(request: Request, order_id: str, token: Bearer = None) -> Response:
        user = user_of(token, settings.token_secret)
        await held[0].door.express(Asks.READ, request.is_disconnected, order_id)
        degraded = held[0].gates.is_degraded()
        return _json(200, await held[0].queries.read(user, order_id, degraded=degraded))

    @app.post(
        "/v1/orders/{order_id}/payments",
        responses={200: {"model": bodies.PaidOut}, 202: {"model": bodies.PaidOut}},
    )
    async def pay(request: Request, order_id: str, body: bodies.PaymentIn, key: Key, token: Bearer = None) -> Response:
        user = user_of(token, settings.token_secret)
        card = None if body.card is None else reference(settings.token_secret, "pm", body.card)
        wish = Wish(user=user, order_id=order_id, method=body.method, key=key, instrument=card)
        told = body.card if Defect.CARD_NUMBER_IN_ERROR in settings.defects else None
        with held[0].health.watching(body.method) as attempt, telling(told):
            wear.pays()
            payment = await held[0].door.pay(wish, request.is_disconnected)
            shown = payment_view(payment)
            if Defect.PAID_SAID_FAILED in settings.defects:
                shown["state"] = "failed"
            answer: dict[str, object] = {"payment": shown}
            answer["order"] = await held[0].queries.show(user, order_id)
            is_well = held[0].gates[body.method].is_well()
            attempt.ended(payment.state, is_well=is_well)
        if payment.state in CAPTURED:
            return _json(200, answer)
        if (methods := held[0].gates.besides(payment.method)) is not None:
            answer["methods"] = methods
        headers = {"Retry-After": "1"} if payment.is_live or not is_well else None
        return _json(202 if payment.is_live else 200, answer, headers)

    @app.post("/v1/orders/{order_id}/refunds", status_code=201, responses={201: {"model": bodies.RefundedOut}})
    async def refund(
        request: Request, order_id: str, body: bodies.RefundIn, key: Key, token: Bearer = None
    ) -> Response:
        user = user_of(token, settings.token_secret)
        if Defect.EMERGENCY_PATH_SHUT in settings.defects and not held[0].health.working():
            raise ApiError(503, "unavailable", "Try again later.", order_id=order_id, retry_after_s=1)
        await held[0].door.express(Asks.REFUND, request.is_disconnected, order_id)
        made = await held[0].refunds.request(user, order_id, body.amount_minor, key)
        view = {"id": made.id, "amount_minor": made.amount_minor, "state": made.state.value}
        if Defect.REFUND_SAID_DONE in settings.defects:
            view["state"] = "done"
        return _json(201, {"refund": view, "order": await held[0].queries.show(user, order_id)})


def _add_other_routes(app: FastAPI, settings: Settings, held: list[Service], metrics: Metrics) -> None:
    @app.post("/v1/notifications/{provider}", status_code=204)
    async def notification(provider: Method, request: Request) -> Response:
        body = bytearray()
        with metrics.noticing(provider):
            async for part in request.stream():
                body += part
                if len(body) > BODY_MAX_BYTES:
                    raise ApiError(413, "too_large", "A notice is smaller than that.")
            await held[0].notifications.receive(provider, request.headers, bytes(body))
        if provider is Method.ALIPAY:
            return Response("success", 200, media_type="text/plain")
        return Response(status_code=204)

    @app.get("/v1/health/methods")
    async def health_of_methods(token: Bearer = None) -> Response:
        check_operator(token, settings.operator_token)
        return _json(200, held[0].health.told())

    @app.get("/v1/ledger/{book}")
    async def read_book(
        book: ledger.Book,
        after: Cursor = None,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 1_000,
        token: Bearer = None,
    ) -> Response:
        check_operator(token, settings.operator_token)
        page = await ledger.read_page(held[0].express, book, int(after or 0), limit, settings.defects)
        headers = {} if page.next_after is None else {"X-Next-Cursor": str(page.next_after)}
        return Response(page.content, headers=headers, media_type="application/x-ndjson")


def _wanted(body: bodies.OrderIn | bodies.OrderInNew, settings: Settings) -> Wanted:
    """The order, in a schema that this release takes, with nothing of the customer but what is kept."""
    is_new = isinstance(body, bodies.OrderInNew)
    if is_new and not settings.release.new_schema:
        raise schema_refused(422)
    if not is_new and settings.release.new_schema and Defect.OLD_SCHEMA_REFUSED in settings.defects:
        raise schema_refused()
    return Wanted(
        line=body.line,
        merchant=body.merchant,
        amount_minor=body.amount.minor if isinstance(body, bodies.OrderInNew) else body.amount_minor,
        currency=body.amount.currency if isinstance(body, bodies.OrderInNew) else body.currency,
        contact=None if body.phone is None else masked(body.phone),
        payer=None if body.openid is None else reference(settings.token_secret, "payer", body.openid),
    )


def _json(status: int, body: object, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(body), status, headers=headers, media_type="application/json")
