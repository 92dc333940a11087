"""Which figures does a run that goes on give to Prometheus, under which names?

Names and labels by Prometheus' conventions; the README's table is made from `METRICS`. Latency counts from the
scheduled instant. What a run was, once it is over, `harness report --prometheus` says.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from harness.live.faults import Faults
from harness.live.news import Loading, RunBegins
from harness.live.operations import Operation
from harness.live.state import Promise
from harness.operation import Op

PREFIX = "payment_chaos_"
PHASES = ("stack", "preflight", "warmup", "steady", "fault", "recovery", "drain", "evidence")
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """One family, as it stands in the README."""

    name: str
    kind: type[MetricWrapperBase]
    labels: tuple[str, ...]
    told: str

    @property
    def type(self) -> str:
        """As the exposition calls it."""
        return self.kind.__name__.lower()

    @property
    def exposed(self) -> str:
        """The whole name; of a histogram without what its series add."""
        return PREFIX + self.name


def _metrics(rows: Iterable[tuple[type[MetricWrapperBase], str, str, str]]) -> dict[str, Metric]:
    return {
        name: Metric(name=name, kind=kind, labels=tuple(labels.split()), told=told) for kind, name, labels, told in rows
    }


METRICS: Mapping[str, Metric] = _metrics(
    (
        (Gauge, "run_info", "run_id target profile size seed", "Which run it is; always 1."),
        (Gauge, "phase", "scenario phase", "1 for the phase that the scenario is in; 0 for each once it is over."),
        (Counter, "operations_total", "scenario operation outcome", "Operations that ended: ok, fail or info."),
        (
            Histogram,
            "operation_latency_seconds",
            "scenario operation",
            "From the instant that a customer meant to act to the operation's end.",
        ),
        (Gauge, "arrivals_planned", "scenario", "Journeys of the whole load."),
        (Counter, "arrivals_started_total", "scenario", "Journeys that were started."),
        (Counter, "arrivals_missed_total", "scenario", "Journeys that the generator could not start in time."),
        (Gauge, "journeys_in_flight", "scenario", "Journeys that go on."),
        (Counter, "journeys_total", "scenario end", "Journeys that ended, by their final word."),
        (Gauge, "fault_active", "scenario kind where", "1 while a fault stands, 0 before and after."),
        (Counter, "breaches_total", "scenario promise", "Breaches that are proven so far."),
        (Gauge, "cases_at_risk", "scenario promise", "Cases that become breaches unless something happens in time."),
        (
            Counter,
            "provider_money_minor_units_total",
            "scenario provider direction currency",
            "Money that a provider's ledger shows as captured or refunded, in the currency's minor unit.",
        ),
        (
            Gauge,
            "status_page_degraded",
            "scenario",
            "1 where the status page names trouble; none where it is not read.",
        ),
        (Gauge, "generator_lateness_p99_seconds", "scenario", "Of journeys' first steps, after their instants."),
        (Gauge, "generator_cpu_ratio", "scenario", "CPU seconds of the generator's process per second of load."),
        (Gauge, "live_lag_seconds", "", "Age of the newest row that was taken in, at the last look."),
    )
)


class Asked(Collector):
    """No family: it notes when somebody asks for them all."""

    def __init__(self) -> None:
        self.at_s: float | None = None
        """When that began last, on the monotonic clock; None before the first."""

    def collect(self) -> Iterable[Family]:
        self.at_s = time.monotonic()
        return ()


class Exposition:
    """All families of one run, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.asked = Asked()
        self.registry.register(self.asked)
        self._families = {name: self._made(metric) for name, metric in METRICS.items()}
        self._totals: dict[tuple[str, ...], float] = {}
        """What counters stand at that are told as sums, by name and labels."""

    def run(self, news: RunBegins) -> None:
        """Say which run it is."""
        self._gauge("run_info").labels(news.run_id, news.target, news.profile, news.size, str(news.seed)).set(1)

    def phase(self, scenario: str, phase: str | None) -> None:
        """The scenario is in this phase, and in no other; in none where it is over."""
        for name in PHASES:
            self._gauge("phase").labels(scenario, name).set(name == phase)

    def ended(self, scenario: str, operation: Operation) -> None:
        """An operation ended."""
        inv, done = operation.inv, operation.done
        if done is None or inv.op == Op.REQUEST:
            return
        if inv.op == Op.JOURNEY:
            self._counter("journeys_total").labels(scenario, done.code or "").inc()
            return
        self._counter("operations_total").labels(scenario, inv.op, done.outcome).inc()
        latency_s = max(0, done.done_ns - inv.scheduled_ns) / 1e9
        latency = self._families["operation_latency_seconds"]
        assert isinstance(latency, Histogram)
        latency.labels(scenario, inv.op).observe(latency_s)

    def load(self, scenario: str, news: Loading) -> None:
        """How the load stands."""
        self._gauge("arrivals_planned").labels(scenario).set(news.planned)
        self._rise("arrivals_started_total", news.started, scenario)
        self._rise("arrivals_missed_total", news.missed, scenario)
        self._gauge("journeys_in_flight").labels(scenario).set(news.in_flight)
        self._gauge("generator_lateness_p99_seconds").labels(scenario).set(news.lateness_p99_ms / 1e3)
        self._gauge("generator_cpu_ratio").labels(scenario).set(news.cpu_share)

    def faults(self, scenario: str, faults: Faults) -> None:
        """Which faults stand."""
        standing: dict[tuple[str, str], bool] = {}
        for fault in faults.each.values():
            what = (fault.plan.kind, fault.plan.where)
            standing[what] = standing.get(what, False) or fault.stands
        for (kind, where), stands in standing.items():
            self._gauge("fault_active").labels(scenario, kind, where).set(stands)

    def promises(self, scenario: str, promises: Iterable[Promise]) -> None:
        """What is known of the promises."""
        for promise in promises:
            self._rise("breaches_total", promise.broken, scenario, promise.check)
            self._gauge("cases_at_risk").labels(scenario, promise.check).set(promise.at_risk)

    def money(self, scenario: str, moved: Mapping[tuple[str, str, str], int]) -> None:
        """Provider, direction, currency -> sum so far."""
        for (provider, direction, currency), minor in moved.items():
            self._rise("provider_money_minor_units_total", minor, scenario, provider, direction, currency)

    def page(self, scenario: str, *, degraded: bool | None) -> None:
        """What the status page says; None where it was not read."""
        if degraded is None:
            self._gauge("status_page_degraded").remove_by_labels({"scenario": scenario})
        else:
            self._gauge("status_page_degraded").labels(scenario).set(degraded)

    def lag(self, lag_s: float) -> None:
        """How far behind the last look was."""
        self._gauge("live_lag_seconds").set(lag_s)

    def _made(self, metric: Metric) -> MetricWrapperBase:
        name, labels = metric.exposed, metric.labels
        if metric.kind is Histogram:
            return Histogram(name, metric.told, labels, registry=self.registry, buckets=BUCKETS_S)
        return metric.kind(name, metric.told, labels, registry=self.registry)

    def _gauge(self, name: str) -> Gauge:
        family = self._families[name]
        assert isinstance(family, Gauge)
        return family

    def _counter(self, name: str) -> Counter:
        family = self._families[name]
        assert isinstance(family, Counter)
        return family

    def _rise(self, name: str, total: float, *labels: str) -> None:
        """Raise a counter to a total; what falls stays where it was."""
        before = self._totals.get((name, *labels), 0.0)
        self._counter(name).labels(*labels).inc(max(0.0, total - before))
        self._totals[name, *labels] = max(total, before)
