"""What of a run is worth keeping as time series?

For the node exporter's textfile collector, which takes no instants of its own: `payment_chaos_run_start_time_seconds`
says how old the figures are, and alerts on nights that did not happen. Every metric is a gauge in base units (seconds,
ratios; money in its currency's minor unit). A status is one series for each status that there is, of which one is 1.
"""

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from harness.money import totals
from harness.report.cases import span_of
from harness.report.saved import SavedRun
from harness.report.stories import by_gravity
from harness.verdict import JudgedCheck, ScenarioVerdict, Status

PREFIX = "payment_chaos"
_UNITS = {"s": "seconds", "share": "ratio", "minor units": "money_minor_units"}
"""Units as checks name them -> how a metric's name ends; every other unit counts cases."""


class _Figures(Collector):
    """A run's figures, gathered when they are asked for."""

    def __init__(self, saved: SavedRun) -> None:
        self._saved = saved

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield from _of_run(self._saved)
        yield from _of_scenarios(self._saved.verdict.scenarios)
        yield from _of_promises(self._saved.verdict.scenarios)


def render(saved: SavedRun) -> bytes:
    """The figures in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Figures(saved))
    return generate_latest(registry)


def _gauge(name: str, told: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{PREFIX}_{name}", told, labels=labels)


def _of_run(saved: SavedRun) -> Iterator[GaugeMetricFamily]:
    run, verdict, span = saved.run, saved.verdict, span_of(saved)
    named = {
        "run_id": verdict.run_id,
        "target": run.target,
        "build": run.build,
        "profile": run.profile,
        "size": run.size,
        "seed": str(verdict.seed),
    }
    info = _gauge("run_info", "Which run the figures are of; always 1.", *named)
    info.add_metric(list(named.values()), 1)
    yield info
    for name, told, value in (
        ("run_start_time_seconds", "When the run began, in seconds since the epoch.", span.start_ms / 1_000),
        ("run_end_time_seconds", "When its last load was over, in seconds since the epoch.", span.end_ms / 1_000),
        ("run_exit_code", "What the run exited with: 0 held, 1 broken, 3 undecided or cut short.", verdict.exit_code),
    ):
        gauge = _gauge(name, told)
        gauge.add_metric([], value)
        yield gauge
    status = _gauge("run_status", "The run's status: 1 for the one that it has.", "status")
    _one_of([], (Status.PASS, Status.UNKNOWN, Status.FAIL), verdict.status, status)
    yield status


def _of_scenarios(scenarios: Iterable[ScenarioVerdict]) -> Iterator[GaugeMetricFamily]:
    status = _gauge("scenario_status", "A scenario's status: 1 for the one that it has.", "scenario", "status")
    rating = _gauge("scenario_rating_points", "How well a failure was answered, of 100; none if cut short.", "scenario")
    lost = _gauge(
        "loss_money_minor_units",
        "What broken promises cost, in the currency's minor unit, by whose money is in the wrong place.",
        *("scenario", "bearer", "currency"),
    )
    orders = _gauge("loss_orders", "Orders whose money is in the wrong place.", "scenario", "bearer", "currency")
    longest = _gauge("clock_longest_seconds", "A step of answering a failure, at its longest.", "scenario", "clock")
    window = _gauge("clock_window_seconds", "How long that step may take.", "scenario", "clock")
    unended = _gauge("clock_unended_cases", "Cases in which that step never ended.", "scenario", "clock")
    for scenario in scenarios:
        name = scenario.scenario
        _one_of([name], (Status.PASS, Status.UNKNOWN, Status.FAIL), scenario.status, status)
        if scenario.rating is not None:
            rating.add_metric([name], scenario.rating.score)
        for total in totals(by_gravity(scenario.checks)):
            lost.add_metric([name, total.bearer, total.currency], total.amount_minor)
            orders.add_metric([name, total.bearer, total.currency], total.orders)
        for clock in scenario.clocks:
            if clock.longest_s is not None:  # what was not measured is no 0
                longest.add_metric([name, clock.name], clock.longest_s)
                window.add_metric([name, clock.name], clock.window_s)
                unended.add_metric([name, clock.name], clock.unended)
    yield from (status, rating, lost, orders, longest, window, unended)


def _of_promises(scenarios: Iterable[ScenarioVerdict]) -> Iterator[GaugeMetricFamily]:
    labels = ("scenario", "promise")
    status = _gauge("promise_status", "A promise's status: 1 for the one that it has.", *labels, "status")
    examined = _gauge("promise_examined_cases", "Cases that a promise was examined in.", *labels)
    undecided = _gauge("promise_undecided_cases", "Of the examined cases those that could not be decided.", *labels)
    breaches = _gauge("promise_breaches", "Breaches that are proven.", *labels)
    floor = _gauge("promise_claimed_cases", "Least cases that a scenario claims to examine.", *labels)
    measured = {
        end: (
            _gauge(f"promise_measured_{end}", f"What was measured of promises that are about {end}.", *labels),
            _gauge(f"promise_objective_{end}", f"What is asked of promises that are about {end}.", *labels),
        )
        for end in (*_UNITS.values(), "cases")
    }
    for name, check in ((each.scenario, check) for each in scenarios for check in each.checks):
        where = [name, check.check]
        _one_of(where, Status, check.status, status)
        examined.add_metric(where, check.examined)
        undecided.add_metric(where, check.undecided)
        breaches.add_metric(where, len(check.findings))
        if check.claimed is not None:
            floor.add_metric(where, check.claimed)
        for family, value in zip(measured[_unit(check)], (check.measured, check.objective), strict=True):
            if value is not None:
                family.add_metric(where, value)
    yield from (status, examined, undecided, breaches, floor)
    yield from (family for pair in measured.values() for family in pair)


def _unit(check: JudgedCheck) -> str:
    return _UNITS.get(check.unit, "cases")


def _one_of(where: list[str], every: Iterable[Status], held: Status, gauge: GaugeMetricFamily) -> None:
    for status in every:
        gauge.add_metric([*where, status.value], float(status is held))
