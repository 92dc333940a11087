"""What does this API count of itself, for Prometheus?

    steps that are committed, calls that ended, answers ──> Metrics ──GET /metrics──> Prometheus
    what stands at the moment of asking (`standing`) ─────────┘

Names and units by Prometheus' conventions. Labels come from closed sets only: no order, no user, no key, no path
that somebody made up. Each metric is told of in `COUNTED` or `STANDING`, of which the README's table is made. Nothing
here is durable, and nothing waits: a process that starts anew starts at 0.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest

from compose.payment_api.door import Asks
from compose.payment_api.errors import ApiError
from compose.payment_api.model import EDGES, Kind, Method, OrderState, PaymentState, Reason, RefundState, Step
from compose.payment_api.providers.link import Outcome

PREFIX = "payment_api"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
NONE = "none"
"""Stands where there is nothing to name: the state before the first, the status of a request that got no answer."""
OTHER = "other"
"""Stands for all that a closed set does not have."""

_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Up to the longest answer of the time profile LIFE; 1 s is what a busy answer may take."""
_ENDED = (PaymentState.PAID, PaymentState.LATE, PaymentState.CLOSED, PaymentState.FAILED)
_TAKEN = "taken"
_REFUSALS = ("bad_signature", "payment_unknown", "refund_unknown", "amount_mismatch", "notice_unreadable", "too_large")


class Type(StrEnum):
    """What Prometheus makes of a metric."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """One metric, as the README lists it."""

    name: str
    type: Type
    told: str
    labels: tuple[str, ...] = ()


def _counter(name: str, told: str, *labels: str) -> Metric:
    return Metric(name=f"{PREFIX}_{name}_total", type=Type.COUNTER, told=told, labels=labels)


def _histogram(name: str, told: str, *labels: str) -> Metric:
    return Metric(name=f"{PREFIX}_{name}", type=Type.HISTOGRAM, told=told, labels=labels)


REQUESTS = _histogram(
    "http_request_duration_seconds",
    "Answers to HTTP requests, and how long each took, by the route's template.",
    *("route", "method", "status_class"),
)
CALLS = _histogram(
    "provider_call_duration_seconds", "Calls to a provider, and how long each took.", "provider", "outcome"
)
ORDERS = _counter("order_transitions", "Steps of orders that are committed.", "from", "to")
BEGUN = _counter("payment_attempts_begun", "Payment attempts whose intent is on disk.", "provider")
ENDED = _counter(
    "payment_attempts_ended",
    "Payment attempts by what came of them; one that was closed and is captured all the same is late as well.",
    *("provider", "result"),
)
UNKNOWN = _counter("payment_attempts_unknown", "Charges that ended without a result that can be believed.", "provider")
CAPTURED = _counter("captured_money_minor_units", "Money booked as captured.", "provider", "currency")
REFUNDS_BEGUN = _counter("refunds_begun", "Refunds that are booked to be sent.", "provider", "reason")
REFUNDS_ENDED = _counter("refunds_ended", "Refunds by what came of them.", "provider", "result")
REFUNDED = _counter("refunded_money_minor_units", "Money booked as sent back.", "provider", "currency")
NOTICES = _counter("notices", "Notices of providers: taken, or why not.", "provider", "result")
BUSY = _counter("busy_answers", "Requests told that the system is busy.", "operation")
ROUNDS = _counter("job_rounds", "Rounds of what is done again and again beside the requests.", "name", "result")
TASK_FAILURES = _counter("background_task_failures", "Tasks behind the requests that ended in an error.", "kind")

COUNTED = (
    *(REQUESTS, BUSY, ORDERS, BEGUN, ENDED, UNKNOWN, CAPTURED, REFUNDS_BEGUN, REFUNDS_ENDED, REFUNDED),
    *(CALLS, NOTICES, ROUNDS, TASK_FAILURES),
)
"""What is counted as it happens."""

TASK_KINDS = ("charge", "resolve", "refund", "release")
"""First words of the names of tasks that belong to one payment, refund or order."""


def kind_of(task: str) -> str:
    """The kind of a task, by its name; other: what is done again and again, or only with a defect."""
    word = task.partition(" ")[0]
    return word if word in TASK_KINDS else OTHER


class Metrics:
    """All that one process counts, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.in_flight = 0
        """Requests being answered."""
        ProcessCollector(registry=self.registry)
        self._counters = {each.name: self._new(each) for each in COUNTED if each.type is Type.COUNTER}
        histograms = (
            Histogram(each.name, each.told, each.labels, buckets=_BUCKETS_S, registry=self.registry)
            for each in (REQUESTS, CALLS)
        )
        self._requests, self._calls = histograms
        self._answers: dict[tuple[str, str, str], Histogram] = {}
        self._ended_calls: dict[tuple[Method, Outcome], Histogram] = {}
        self._series: dict[tuple[str, ...], Counter] = {}
        """What `labels` costs, two thirds of counting an event, is spent once a series."""
        self._expect()

    def text(self) -> bytes:
        """All of it in Prometheus' text format; costs about 10 us a line."""
        return generate_latest(self.registry)

    def answered(self, route: str, method: str, status: int | None, took_s: float) -> None:
        """A request has ended; `status` is None where it got no answer."""
        self._answer(route, method, NONE if status is None else f"{status // 100}xx").observe(took_s)

    def expect_route(self, route: str, method: str) -> None:
        """Have the series of a route stand at 0 before its first request, so that its first error is a rate."""
        for status_class in ("2xx", "5xx"):
            self._answer(route, method, status_class)

    def called(self, provider: Method, outcome: Outcome, took_s: float) -> None:
        """A call to a provider has ended."""
        self._ended_calls[provider, outcome].observe(took_s)

    def committed(self, steps: Sequence[Step]) -> None:
        """These steps are taken for good."""
        for step in steps:
            if step.kind is Kind.ORDER:
                self._count(ORDERS, step.old or NONE, step.new)
            elif step.kind is Kind.PAYMENT:
                self._attempt(step)
            else:
                self._refund(step)

    def busy(self, operation: str) -> None:
        """Somebody was turned away."""
        self._count(BUSY, operation)

    def round_ended(self, job: str, is_well: bool) -> None:
        """A round of what is done again and again."""
        self._count(ROUNDS, job, "ok", by=is_well)
        self._count(ROUNDS, job, "failed", by=not is_well)  # so that both stand there from the beginning

    def task_failed(self, name: str) -> None:
        """A task ended in an error."""
        self._count(TASK_FAILURES, kind_of(name))

    @contextmanager
    def noticing(self, provider: Method) -> Iterator[None]:
        """Count a notice by what comes of it in the block."""
        result = "failed"
        try:
            yield
            result = _TAKEN
        except ApiError as exc:
            result = exc.code if exc.code in _REFUSALS else OTHER
            raise
        finally:
            self._count(NOTICES, provider.value, result)

    def _attempt(self, step: Step) -> None:
        provider = _provider(step)
        if step.old is None:
            self._count(BEGUN, provider)
        elif step.new == PaymentState.UNKNOWN:
            self._count(UNKNOWN, provider)
        elif step.new in _ENDED:
            self._count(ENDED, provider, step.new)
        if step.new in {PaymentState.PAID, PaymentState.LATE}:
            self._count(CAPTURED, provider, step.currency, by=step.amount_minor)

    def _refund(self, step: Step) -> None:
        provider = _provider(step)
        if step.old is None:
            self._count(REFUNDS_BEGUN, provider, step.reason or OTHER)
        else:
            self._count(REFUNDS_ENDED, provider, step.new)
        if step.new == RefundState.DONE:
            self._count(REFUNDED, provider, step.currency, by=step.amount_minor)

    def _count(self, metric: Metric, *labels: str, by: float = 1) -> None:
        key = (metric.name, *labels)
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = self._counters[metric.name].labels(*labels)
        series.inc(by)

    def _answer(self, *labels: str) -> Histogram:
        route, method, status_class = labels
        key = (route, method, status_class)
        if key not in self._answers:
            self._answers[key] = self._requests.labels(*key)
        return self._answers[key]

    def _new(self, metric: Metric) -> Counter:
        return Counter(metric.name, metric.told, metric.labels, registry=self.registry)

    def _expect(self) -> None:
        """Have each series that is known beforehand stand at 0: what appears with its first event shows no rate."""
        for metric, labels in _expected():
            self._counters[metric.name].labels(*labels)
        for provider in Method:
            for outcome in Outcome:
                self._ended_calls[provider, outcome] = self._calls.labels(provider.value, outcome.value)


def _expected() -> Iterator[tuple[Metric, Iterable[str]]]:
    for old, new in sorted({(NONE, OrderState.OPEN), *EDGES[Kind.ORDER]}):
        yield ORDERS, (old, new)
    for operation in Asks:
        yield BUSY, (operation,)
    for kind in (*TASK_KINDS, OTHER):
        yield TASK_FAILURES, (kind,)
    for provider in Method:
        yield from ((each, (provider,)) for each in (BEGUN, UNKNOWN))
        yield from ((ENDED, (provider, result)) for result in _ENDED)
        yield from ((REFUNDS_BEGUN, (provider, reason)) for reason in Reason)
        yield from ((REFUNDS_ENDED, (provider, result)) for result in (RefundState.DONE, RefundState.FAILED))
        yield from ((NOTICES, (provider, result)) for result in (_TAKEN, *_REFUSALS))


def _provider(step: Step) -> str:
    return OTHER if step.method is None else step.method.value
