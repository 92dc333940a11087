"""Which parts is the API made of, and what runs in it beside the requests?"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from compose.payment_api.background import Background, Signals, repeat
from compose.payment_api.books import Books
from compose.payment_api.charger import Charger
from compose.payment_api.closer import CLOSE_EVERY_S, close_expired
from compose.payment_api.database import Database
from compose.payment_api.defects import Defect
from compose.payment_api.method_health import PROBE_EVERY_S, MethodHealth, probe
from compose.payment_api.model import Method
from compose.payment_api.notifications import Notifications
from compose.payment_api.orders import Orders
from compose.payment_api.payments import Payments
from compose.payment_api.providers.alipay import Alipay
from compose.payment_api.providers.card import Card
from compose.payment_api.providers.link import Link
from compose.payment_api.providers.shape import Provider
from compose.payment_api.providers.wechat import Wechat
from compose.payment_api.refunder import Refunder
from compose.payment_api.refunds import Refunds
from compose.payment_api.resolver import Resolver
from compose.payment_api.settings import Settings
from compose.payment_api.wire import Wire

SWEEP_EVERY_S = 1.0
_CLIENTS: Mapping[Method, Callable[..., Provider]] = {Method.WECHAT: Wechat, Method.ALIPAY: Alipay, Method.CARD: Card}


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """What the routes call."""

    database: Database
    orders: Orders
    payments: Payments
    refunds: Refunds
    notifications: Notifications
    health: MethodHealth


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Service]:
    """Connect, take up what a former process left, and work until the block ends."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database(settings.database_url))
        background, signals, defects = Background(), Signals(), settings.defects
        stack.push_async_callback(background.stop)
        providers = await _connect(settings, stack)
        health = MethodHealth(providers)
        books = Books(database, signals, defects)
        charger = Charger(books, providers, background, defects)
        resolver = Resolver(
            database=database,
            books=books,
            charger=charger,
            providers=providers,
            background=background,
            signals=signals,
            defects=defects,
            deadline_s=settings.deadline_s,
        )
        orders = Orders(database, background, defects, settings.pay_by_s)
        refunds = Refunds(database, orders, signals)
        refunder = Refunder(
            database=database,
            refunds=refunds,
            providers=providers,
            background=background,
            signals=signals,
            defects=defects,
        )
        for name, pause_s, step in (
            ("sweep of payments", SWEEP_EVERY_S, resolver.sweep),
            ("sweep of refunds", SWEEP_EVERY_S, refunder.sweep),
            ("watch of closed attempts", resolver.watch_every_s, resolver.watch_closed),
            ("closing at pay_by", CLOSE_EVERY_S, lambda: close_expired(database, books)),
            ("probing of failing methods", PROBE_EVERY_S, lambda: probe(health, providers)),
        ):
            background.start(name, repeat(name, pause_s, step))
        keys = {method: provider.key for method, provider in settings.providers.items()}
        yield Service(
            database=database,
            orders=orders,
            payments=Payments(
                database=database,
                orders=orders,
                charger=charger,
                resolver=resolver,
                signals=signals,
                defects=defects,
                deadline_s=settings.deadline_s,
            ),
            refunds=refunds,
            notifications=Notifications(database, books, refunder, keys),
            health=health,
        )


async def _connect(settings: Settings, stack: AsyncExitStack) -> dict[Method, Provider]:
    providers: dict[Method, Provider] = {}
    for method, provider in settings.providers.items():
        link = Link(
            wire=await stack.enter_async_context(Wire(provider.url, provider.key)),
            run_id=settings.run_id,
            notice_url=provider.notice_url,
            deadline_s=None if Defect.NO_DEADLINE in settings.defects else settings.deadline_s,
        )
        providers[method] = _CLIENTS[method](link=link)
    return providers
