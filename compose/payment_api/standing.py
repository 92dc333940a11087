"""What stands in this API at the moment at which Prometheus asks?

Read when it is asked for, from parts that know it anyway, so it costs a request nothing.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from compose.payment_api.background import Background
from compose.payment_api.breaker import State
from compose.payment_api.database import Database
from compose.payment_api.door import Door
from compose.payment_api.gates import Gates
from compose.payment_api.metrics import OTHER, PREFIX, TASK_KINDS, Metric, Metrics, Type, kind_of
from compose.payment_api.settings import Settings


def _gauge(name: str, told: str, *labels: str) -> Metric:
    return Metric(name=f"{PREFIX}_{name}", type=Type.GAUGE, told=told, labels=labels)


BUILD = _gauge("build_info", "Which build and release this is; always 1.", "build", "release")
IN_FLIGHT = _gauge("http_requests_in_flight", "Requests being answered.")
SLOTS = _gauge("admission_slots", "Slots for new payments, held or free.", "state")
WAITING = _gauge("admission_waiting_requests", "New payments that wait for a slot.")
ROOM = _gauge("admission_waiting_limit", "So many may wait; whoever comes then is told that the system is busy.")
BREAKERS = _gauge("provider_breaker_state", "A provider's circuit breaker: 1 for its state.", "provider", "state")
WORKS = _gauge("method_works", "Whether customers are told that a method works; the status page says it.", "provider")
SPOOL = _gauge("spool_lines", "Refusals in the spool file, waiting for the database to be back.")
TASKS = _gauge("background_tasks", "Tasks at work behind the requests.", "kind")
CONNECTIONS = _gauge("database_connections", "Connections to the database, by pool, idle or busy.", "pool", "state")
CONNECTIONS_MAX = _gauge("database_connections_limit", "Connections that a pool may have.", "pool")

STANDING = (*(BUILD, IN_FLIGHT, SLOTS, WAITING, ROOM, BREAKERS, WORKS, SPOOL, TASKS, CONNECTIONS, CONNECTIONS_MAX),)


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """Whom to ask."""

    gates: Gates
    door: Door
    background: Background
    pools: Mapping[str, Database]


class Standing(Collector):
    """The gauges."""

    def __init__(self, settings: Settings, metrics: Metrics, parts: Parts) -> None:
        self._settings = settings
        self._metrics = metrics
        self._parts = parts

    def collect(self) -> Iterator[GaugeMetricFamily]:
        door, settings = self._parts.door, self._settings
        free = door.admission.free
        yield _told(BUILD, {(settings.build, settings.release.name): 1})
        yield _told(IN_FLIGHT, {(): self._metrics.in_flight})
        yield _told(SLOTS, {("free",): free, ("held",): settings.payment_slots - free})
        yield _told(WAITING, {(): door.admission.waiting})
        yield _told(ROOM, {(): door.admission.room})
        yield _told(SPOOL, {(): door.refusals.spool.lines})
        yield from self._of_providers()
        kinds = Counter(kind_of(name) for name in self._parts.background.names())
        yield _told(TASKS, {(kind,): kinds[kind] for kind in (*TASK_KINDS, OTHER)})
        yield from self._of_pools()

    def _of_providers(self) -> Iterator[GaugeMetricFamily]:
        gates, now_s = self._parts.gates, time.monotonic()
        states = {method: gate.breaker.state(now_s) for method, gate in gates.gates.items()}
        working = gates.seen.working()
        yield _told(BREAKERS, {(method, each): each is state for method, state in states.items() for each in State})
        yield _told(WORKS, {(method,): method in working for method in states})

    def _of_pools(self) -> Iterator[GaugeMetricFamily]:
        counts = {name: pool.open_and_idle() for name, pool in self._parts.pools.items()}
        states: dict[tuple[str, ...], float] = {(name, "idle"): idle for name, (_, idle) in counts.items()}
        states |= {(name, "busy"): opened - idle for name, (opened, idle) in counts.items()}
        yield _told(CONNECTIONS, states)
        yield _told(CONNECTIONS_MAX, {(name,): pool.connections for name, pool in self._parts.pools.items()})


def _told(metric: Metric, values: Mapping[tuple[str, ...], float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(metric.name, metric.told, labels=metric.labels)
    for labels, value in values.items():
        family.add_metric(labels, float(value))
    return family
