"""How long does each request take, and how is it answered?

Around everything else, so that what nobody foresaw is measured as well. A route is named by its template, a path that
belongs to none by `other`: whatever strangers ask for makes one series.
"""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from compose.payment_api.metrics import OTHER, Metrics

_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


class Measured:
    """Tells `Metrics` of each HTTP request when it has ended."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status: int | None = None

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        metrics, began_s = self._metrics, time.perf_counter()
        metrics.in_flight += 1
        try:
            await self._app(scope, receive, sending)
        finally:
            metrics.in_flight -= 1
            route = getattr(scope.get("route"), "path", OTHER)
            method = scope["method"] if scope["method"] in _METHODS else OTHER
            metrics.answered(route, method, status, time.perf_counter() - began_s)
