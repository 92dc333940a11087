"""What does the environment say about this API?"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from compose.environment import SettingMissing, Variables
from compose.payment_api.defects import Defect
from compose.payment_api.model import Method
from compose.payment_api.rollout import FIRST, RELEASES, Release

BREAKER_FAILURES = 3
PAYMENT_SLOTS, PAYMENT_SLOT_MS = 64, 50
"""Where nothing is said: 1,280 payments a second, which no test here comes near."""
SPOOL = "payment-api.spool"
"""Where nothing is said: in the working folder."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderSettings:
    """How one provider is reached, and where it sends its notices."""

    url: str
    key: str
    """Bearer token of each call, secret of each notice's signature."""
    notice_url: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DispatchSettings:
    """Where paid orders are released."""

    url: str
    key: str
    """Bearer token of each call."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """One process of the payment API. Durations in seconds."""

    host: str
    """Address to listen on."""
    port: int
    database_url: str
    providers: Mapping[Method, ProviderSettings]
    dispatch: DispatchSettings | None
    """None: nobody waits for paid orders."""
    token_secret: str
    operator_token: str
    run_id: str
    build: str
    release: Release
    defects: frozenset[Defect]
    deadline_s: float
    """Own deadline on each call to a provider, and the longest that a customer waits for its result."""
    breaker_failures: int
    """Calls in a row to a provider that fail before its breaker opens."""
    schema_version: int
    """Newest version of the providers' schema that this release speaks."""
    pay_by_s: float
    """From an order's creation to the instant at which it closes unpaid."""
    payment_slots: int
    payment_slot_s: float
    """Each new payment holds one of the slots for so long: slots / slot_s a second is this API's own capacity."""
    spool: Path
    """File for what must be booked while the database is gone."""

    @property
    def slot(self) -> str:
        """What tells this process from others on the same database: nobody else has its port while it lives."""
        return f"port-{self.port}"


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read all PAYMENT_API_* variables, or raise SettingMissing for the first that is wrong."""
    variables = Variables(environ=environ, owner="the payment API")
    build, defects = variables.build("PAYMENT_API")
    return Settings(
        host=variables.host("PAYMENT_API"),
        port=variables.integer("PAYMENT_API_PORT"),
        database_url=variables.text("PAYMENT_API_DATABASE_URL"),
        providers={method: _provider(variables, method.value.upper()) for method in Method},
        dispatch=_dispatch(variables),
        token_secret=variables.text("PAYMENT_API_TOKEN_SECRET"),
        operator_token=variables.text("PAYMENT_API_OPERATOR_TOKEN"),
        run_id=variables.text("PAYMENT_API_RUN_ID"),
        build=build,
        release=_release(variables),
        defects=defects,
        deadline_s=variables.integer("PAYMENT_API_PROVIDER_DEADLINE_MS") / 1000,
        breaker_failures=variables.integer("PAYMENT_API_BREAKER_FAILURES", BREAKER_FAILURES),
        schema_version=variables.integer("PAYMENT_API_SCHEMA_VERSION", 1),
        pay_by_s=variables.integer("PAYMENT_API_PAY_BY_MS") / 1000,
        payment_slots=variables.integer("PAYMENT_API_PAYMENT_SLOTS", PAYMENT_SLOTS),
        payment_slot_s=variables.integer("PAYMENT_API_PAYMENT_SLOT_MS", PAYMENT_SLOT_MS) / 1000,
        spool=Path(environ.get("PAYMENT_API_SPOOL") or SPOOL),
    )


def _provider(variables: Variables, name: str) -> ProviderSettings:
    return ProviderSettings(
        url=variables.text(f"PAYMENT_API_{name}_URL"),
        key=variables.text(f"PAYMENT_API_{name}_KEY"),
        notice_url=variables.text(f"PAYMENT_API_{name}_NOTICE_URL"),
    )


def _release(variables: Variables) -> Release:
    name = variables.environ.get("PAYMENT_API_RELEASE", "") or FIRST
    if name not in RELEASES:
        raise SettingMissing(f"PAYMENT_API_RELEASE is {name!r}: one of {', '.join(RELEASES)}")
    return RELEASES[name]


def _dispatch(variables: Variables) -> DispatchSettings | None:
    if not variables.environ.get("PAYMENT_API_DISPATCH_URL"):
        return None
    return DispatchSettings(
        url=variables.text("PAYMENT_API_DISPATCH_URL"), key=variables.text("PAYMENT_API_DISPATCH_KEY")
    )
