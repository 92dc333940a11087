"""Which parts is the API made of, and what runs in it beside the requests?"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial

from compose.payment_api.background import Background, Signals, led, repeat
from compose.payment_api.books import Books
from compose.payment_api.breaker import Breaker
from compose.payment_api.charger import Charger
from compose.payment_api.closer import CLOSE_EVERY_S, close_expired
from compose.payment_api.compensator import COMPENSATE_EVERY_S, Compensator
from compose.payment_api.database import EXPRESS, Database
from compose.payment_api.defects import Defect
from compose.payment_api.door import Door
from compose.payment_api.draining import drain, marks_of
from compose.payment_api.gates import LANE_CALLS, Gate, Gates
from compose.payment_api.lease import ADOPT_PAYMENTS, ADOPT_REFUNDS, ADOPT_RELEASES, BEAT_EVERY_S, Lease
from compose.payment_api.method_health import PROBE_EVERY_S, MethodHealth, probe
from compose.payment_api.metrics import Metrics
from compose.payment_api.model import Method
from compose.payment_api.notifications import Notifications
from compose.payment_api.orders import Orders
from compose.payment_api.payments import Payments
from compose.payment_api.providers.alipay import Alipay
from compose.payment_api.providers.bills import Bills
from compose.payment_api.providers.card import Card
from compose.payment_api.providers.link import Link
from compose.payment_api.providers.shape import Provider
from compose.payment_api.providers.wechat import Wechat
from compose.payment_api.reconciler import RECONCILE_EVERY_S, Reconciler
from compose.payment_api.refunder import Refunder
from compose.payment_api.refunds import Refunds
from compose.payment_api.refusals import HAND_OVER_EVERY_S
from compose.payment_api.releaser import Releaser
from compose.payment_api.resolver import Resolver
from compose.payment_api.schemas import Schemas
from compose.payment_api.settings import Settings
from compose.payment_api.standing import Parts, Standing
from compose.payment_api.wire import Wire

SWEEP_EVERY_S = 1.0
RELEASES_AT_ONCE = 8
BILLS_CALLS = 2
"""To one provider at a time."""
ONE_POOL_CALLS = 1
"""Only of the defect one_pool_for_all."""
UNBOUNDED_CALLS = 100_000
"""Only with the defect no_deadline, whose calls would fill a lane for good."""
_CLIENTS: Mapping[Method, Callable[..., Provider]] = {Method.WECHAT: Wechat, Method.ALIPAY: Alipay, Method.CARD: Card}


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """What the routes call."""

    express: Database
    """Connections that new payments cannot fill."""
    gates: Gates
    queries: Orders
    """Orders, read over those."""
    door: Door
    refunds: Refunds
    notifications: Notifications
    health: MethodHealth


@asynccontextmanager
async def running(settings: Settings, metrics: Metrics) -> AsyncIterator[Service]:
    """Connect, take up what a former process left, and work until the block ends."""
    async with AsyncExitStack() as stack:
        connect = partial(Database, settings.database_url, marks_of(settings), on_commit=metrics.committed)
        database = await stack.enter_async_context(connect())
        express = await stack.enter_async_context(connect(connections=EXPRESS))
        background, signals, defects = Background(metrics.task_failed), Signals(), settings.defects
        lease = Lease(database, slot=settings.slot, release=settings.release.name, deadline_s=settings.deadline_s)
        stack.push_async_callback(lease.leave)
        stack.push_async_callback(background.stop)
        lanes = await _connect(settings, stack, metrics)
        health = lanes.gates.seen
        books = Books(database, signals, defects)
        charger = Charger(books, lanes.charges, background, defects)
        resolver = Resolver(
            database=database,
            books=books,
            charger=charger,
            providers=lanes.background,
            gates=lanes.gates,
            background=background,
            signals=signals,
            lease=lease,
            defects=defects,
            deadline_s=settings.deadline_s,
        )
        orders = Orders(database, background, defects, settings.pay_by_s)
        refunds = Refunds(express, orders, signals, defects)
        refunder = Refunder(
            database=express,
            refunds=refunds,
            providers=lanes.background,
            background=background,
            signals=signals,
            lease=lease,
            defects=defects,
        )
        lease.takes(ADOPT_PAYMENTS, resolver.watch)
        lease.takes(ADOPT_REFUNDS, refunder.send)
        releaser = await _release_orders(
            settings=settings,
            stack=stack,
            database=database,
            background=background,
            signals=signals,
            lease=lease,
            metrics=metrics,
        )
        payments = Payments(
            database=database,
            orders=orders,
            charger=charger,
            resolver=resolver,
            gates=lanes.gates,
            signals=signals,
            defects=defects,
            deadline_s=settings.deadline_s,
        )
        door = Door(
            express=express,
            orders=orders,
            payments=payments,
            background=background,
            settings=settings,
            on_busy=metrics.busy,
        )
        reconciler = Reconciler(database, await _bills(settings, stack), defects)
        await lease.register()
        jobs = _Jobs(
            lease=lease,
            resolver=resolver,
            refunder=refunder,
            door=door,
            database=database,
            books=books,
            compensator=Compensator(database, defects),
            reconciler=reconciler,
        )
        for name, pause_s, step in (
            *jobs.listed(),
            ("probing of failing methods", PROBE_EVERY_S, lambda: probe(health, lanes.background, database.reach)),
        ):
            background.start(name, repeat(name, pause_s, step, metrics.round_ended))
        pools = {"paying": database, "express": express}
        parts = Parts(gates=lanes.gates, door=door, background=background, pools=pools)
        metrics.registry.register(Standing(settings, metrics, parts))
        stack.push_async_callback(drain, settings, database, books, background)
        keys = {method: provider.key for method, provider in settings.providers.items()}
        yield Service(
            express=express,
            gates=lanes.gates,
            queries=orders.through(express),
            door=door,
            refunds=refunds,
            notifications=Notifications(
                database=database,
                books=books,
                refunder=refunder,
                releaser=releaser,
                background=background,
                keys=keys,
                defects=defects,
            ),
            health=health,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Jobs:
    """What is done again and again, beside the requests."""

    lease: Lease
    resolver: Resolver
    refunder: Refunder
    door: Door
    database: Database
    books: Books
    compensator: Compensator
    reconciler: Reconciler

    def listed(self) -> tuple[tuple[str, float, Callable[[], Coroutine[object, object, None]]], ...]:
        """Name, pause in seconds, one round; what belongs to no one row is for one process only."""
        return (
            ("lease", BEAT_EVERY_S, self.lease.beat),
            ("sweep of payments", SWEEP_EVERY_S, self.resolver.sweep),
            ("sweep of refunds", SWEEP_EVERY_S, self.refunder.sweep),
            ("handing over refusals", HAND_OVER_EVERY_S, self.door.refusals.hand_over),
            ("watch of closed attempts", self.resolver.watch_every_s, led(self._leads, self.resolver.watch_closed)),
            ("closing at pay_by", CLOSE_EVERY_S, led(self._leads, self._close_expired)),
            ("compensation", COMPENSATE_EVERY_S, led(self._leads, self.compensator.sweep)),
            ("reconciliation", RECONCILE_EVERY_S, led(self._leads, self.reconciler.look)),
        )

    def _leads(self) -> bool:
        return self.lease.leads

    async def _close_expired(self) -> None:
        await close_expired(self.database, self.books)


async def _release_orders(
    *,
    settings: Settings,
    stack: AsyncExitStack,
    database: Database,
    background: Background,
    signals: Signals,
    lease: Lease,
    metrics: Metrics,
) -> Releaser | None:
    """Have paid orders released, where somebody waits for them."""
    if settings.dispatch is None:
        return None
    calls = asyncio.Semaphore(RELEASES_AT_ONCE)
    releaser = Releaser(
        database=database,
        dispatch=await stack.enter_async_context(Wire(settings.dispatch.url, settings.dispatch.key, calls)),
        background=background,
        signals=signals,
        lease=lease,
        defects=settings.defects,
        run_id=settings.run_id,
        deadline_s=settings.deadline_s,
    )
    lease.takes(ADOPT_RELEASES, releaser.release)
    name = "sweep of releases"
    background.start(name, repeat(name, SWEEP_EVERY_S, releaser.sweep, metrics.round_ended))
    return releaser


@dataclass(frozen=True, kw_only=True, slots=True)
class _Lanes:
    """Two ways to each provider, and what stands before the first."""

    charges: Mapping[Method, Provider]
    background: Mapping[Method, Provider]
    gates: Gates


async def _connect(settings: Settings, stack: AsyncExitStack, metrics: Metrics) -> _Lanes:
    shared = asyncio.Semaphore(ONE_POOL_CALLS)
    calls = UNBOUNDED_CALLS if Defect.NO_DEADLINE in settings.defects else LANE_CALLS
    charges: dict[Method, Provider] = {}
    background: dict[Method, Provider] = {}
    gates: dict[Method, Gate] = {}
    for method, provider in settings.providers.items():

        async def open_wire(url: str = provider.url, key: str = provider.key) -> Wire:
            one_pool = Defect.ONE_POOL_FOR_ALL in settings.defects
            return await stack.enter_async_context(Wire(url, key, shared if one_pool else asyncio.Semaphore(calls)))

        lane = await open_wire()
        breaker = Breaker(open_s=settings.deadline_s, enough=settings.breaker_failures)
        gate = Gate(method=method, breaker=breaker, charges=lane, defects=settings.defects)
        link = Link(
            wire=lane,
            schemas=Schemas(newest=settings.schema_version, defects=settings.defects),
            run_id=settings.run_id,
            notice_url=provider.notice_url,
            deadline_s=None if Defect.NO_DEADLINE in settings.defects else settings.deadline_s,
            on_end=partial(gate.ended, charges=True),
            measured=partial(metrics.called, method),
        )
        beside = replace(link, wire=await open_wire(), on_end=partial(gate.ended, charges=False))
        charges[method], background[method] = _CLIENTS[method](link=link), _CLIENTS[method](link=beside)
        gates[method] = gate
    return _Lanes(
        charges=charges,
        background=background,
        gates=Gates(gates=gates, seen=MethodHealth(gates), defects=settings.defects),
    )


async def _bills(settings: Settings, stack: AsyncExitStack) -> Bills:
    """Connections of their own: a bill that does not come must not hold up a charge."""
    wires = {
        method: await stack.enter_async_context(Wire(provider.url, provider.key, asyncio.Semaphore(BILLS_CALLS)))
        for method, provider in settings.providers.items()
    }
    return Bills(wires)
