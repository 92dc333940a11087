"""A method's health is what its customers see, and what its provider says when they have gone."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from compose.payment_api.errors import ApiError
from compose.payment_api.method_health import MethodHealth, probe
from compose.payment_api.model import Method, Payment, PaymentState
from compose.payment_api.providers.shape import Answer, Result
from tests.payment_api.conftest import Launch
from tests.payment_api.ground import METHODS, OPERATOR, SHORT_MS, Api, Provider, eventually

CARD, ALIPAY = Method.CARD, Method.ALIPAY


@dataclass(kw_only=True)
class Watched:
    """Health on a clock that a test turns."""

    at_s: float = 100.0
    health: MethodHealth = field(init=False)

    def __post_init__(self) -> None:
        self.health = MethodHealth((CARD, ALIPAY), lambda: self.at_s, lambda: round(self.at_s * 1000))

    def seen(self, *results: bool, every_s: float = 0.5) -> None:
        for works in results:
            self.health.seen(CARD, works=works)
            self.at_s += every_s

    def card(self) -> tuple[str, int]:
        told = self.health.told()["methods"]
        assert isinstance(told, dict)
        assert told["alipay"] == {"state": "ok", "since_utc_ms": 100_000}
        return told["card"]["state"], told["card"]["since_utc_ms"]


def test_half_of_the_attempts_of_two_seconds_make_a_method_degraded() -> None:
    watched = Watched()
    watched.seen(True, False)
    assert watched.card() == ("degraded", 100_500)
    assert watched.health.working() == (ALIPAY,)


def test_one_failure_alone_says_nothing() -> None:
    watched = Watched()
    watched.seen(False, every_s=2.5)
    watched.seen(True, True, False, True)
    assert watched.card() == ("ok", 100_000)


def test_three_failures_in_a_row_say_so_however_rare_they_are() -> None:
    watched = Watched()
    watched.seen(False, False, every_s=30.0)
    assert watched.card() == ("ok", 100_000)
    watched.seen(False)
    assert watched.card() == ("down", 160_000)


def test_it_is_down_until_attempts_work_again_and_since_tells_both() -> None:
    watched = Watched()
    watched.seen(False, False, False)
    assert watched.card() == ("down", 100_500)
    watched.seen(True, True, True, True)
    assert watched.card() == ("ok", 102_500)


def test_that_nobody_asks_any_more_is_no_recovery() -> None:
    watched = Watched()
    watched.seen(False, False)
    assert watched.health.silent() == ()
    watched.at_s += 60
    assert watched.card() == ("down", 100_500)
    assert watched.health.silent() == (CARD,)


def test_a_paid_and_an_unresolved_answer_count_and_refusals_of_the_order_do_not() -> None:
    watched = Watched()
    for state in (PaymentState.CLOSED, PaymentState.FAILED):
        with watched.health.watching(CARD) as attempt:
            attempt.ended(state)
    for code in ("order_paid", "attempt_unresolved"):
        with pytest.raises(ApiError, match=code), watched.health.watching(CARD):
            raise ApiError(409, code, "")
    assert watched.card()[0] == "ok"
    for state in (PaymentState.SENT, PaymentState.UNKNOWN):
        with watched.health.watching(CARD) as attempt:
            attempt.ended(state)
    assert watched.card()[0] == "down"
    for _ in range(3):
        with watched.health.watching(CARD) as attempt:
            attempt.ended(PaymentState.PAID)
    assert watched.card()[0] == "ok"


def test_being_turned_away_and_breaking_count_as_failures() -> None:
    watched = Watched()
    with pytest.raises(ApiError, match="method_unavailable"), watched.health.watching(CARD):
        raise ApiError(409, "method_unavailable", "")
    with pytest.raises(ApiError, match="system_busy"), watched.health.watching(CARD):
        raise ApiError(503, "system_busy", "")
    with pytest.raises(OSError, match="gone"), watched.health.watching(CARD):
        raise OSError("gone")
    assert watched.card()[0] == "down"


def test_an_answer_that_came_too_late_reached_nobody() -> None:
    watched = Watched()
    for _ in range(3):
        with watched.health.watching(CARD) as attempt:
            watched.at_s += 2.6
            attempt.ended(PaymentState.PAID)
    assert watched.card()[0] == "down"


@dataclass(kw_only=True)
class Answers:
    """A provider that says one thing to every query."""

    result: Result
    asked: int = 0
    method: Method = CARD

    async def query(self, _: Payment) -> Answer:
        self.asked += 1
        return Answer(result=self.result)


@pytest.mark.parametrize(("result", "state"), [(Result.UNKNOWN, "down"), (Result.NOT_KNOWN, "ok")])
def test_a_provider_is_believed_when_it_answers_and_its_customers_have_gone(result: Result, state: str) -> None:
    watched, provider = Watched(), Answers(result=result)
    watched.seen(False, False)
    asyncio.run(probe(watched.health, {CARD: provider}, there))  # type: ignore[dict-item]  # a provider that is only asked
    assert provider.asked == 0
    watched.at_s += 2.0
    asyncio.run(probe(watched.health, {CARD: provider}, there))  # type: ignore[dict-item]
    assert (provider.asked, watched.card()[0]) == (1, state)


async def there() -> None: ...


async def gone() -> None:
    raise ConnectionRefusedError


def both(watched: Watched) -> tuple[str, str]:
    told = watched.health.told()["methods"]
    assert isinstance(told, dict)
    return told["card"]["state"], told["alipay"]["state"]


def place(watched: Watched, error: Exception | None = None) -> None:
    with suppress(ApiError, OSError), watched.health.watching_orders():
        if error is not None:
            raise error


def test_where_orders_cannot_be_placed_no_method_works_until_they_can() -> None:
    watched = Watched()
    for _ in range(2):
        place(watched, ApiError(422, "invalid_request", ""))
    assert both(watched) == ("ok", "ok")
    for _ in range(2):
        place(watched, OSError("the database has gone"))
    assert both(watched) == ("down", "down")
    assert watched.health.working() == (CARD, ALIPAY)
    for _ in range(3):
        place(watched)
    assert both(watched) == ("ok", "ok")


def test_where_nobody_orders_any_more_the_database_is_asked() -> None:
    watched = Watched()
    for _ in range(3):
        with suppress(OSError), watched.health.watching(CARD):
            raise OSError("the database has gone")
    watched.at_s += 1.1
    asyncio.run(probe(watched.health, {CARD: Answers(result=Result.NOT_KNOWN)}, gone))  # type: ignore[dict-item]
    assert both(watched) == ("down", "down")
    asyncio.run(probe(watched.health, {}, there))
    assert both(watched) == ("ok", "ok")


def states(api: Api) -> dict[str, str]:
    reply = api.client.get(f"{api.url}/v1/health/methods", headers={"Authorization": f"Bearer {OPERATOR}"})
    assert reply.status_code == 200
    return {method: told["state"] for method, told in reply.json()["methods"].items()}


@pytest.mark.live
def test_the_operator_is_told_which_method_fails_and_that_it_works_again_without_a_customer(
    launch: Launch, providers: dict[str, Provider]
) -> None:
    api = launch(deadline_ms=SHORT_MS)
    assert states(api) == dict.fromkeys(METHODS, "ok")
    customer = api.customer()
    orders = [customer.order() for _ in range(2)]
    for order in orders:
        with providers["alipay"].deaf(order):
            assert customer.pay(order, "alipay").status_code == 202
    assert states(api) == {"wechat": "ok", "alipay": "down", "card": "ok"}
    eventually(lambda: states(api) == dict.fromkeys(METHODS, "ok"))


@pytest.mark.live
def test_nobody_else_is_told(api: Api) -> None:
    customer = api.customer()
    assert customer.get("/v1/health/methods").status_code == 401
    assert api.client.get(f"{api.url}/v1/health/methods").status_code == 401
