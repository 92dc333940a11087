"""What Prometheus is told: every event once, by closed sets of labels, whatever the API's state, and of nobody."""

import asyncio
import re
from collections.abc import Sequence
from contextlib import closing

import pytest
from prometheus_client.parser import text_string_to_metric_families

from compose.payment_api.database import Database, took
from compose.payment_api.errors import ApiError
from compose.payment_api.metrics import COUNTED, REQUESTS, Metrics, Type
from compose.payment_api.model import Kind, Method, Step
from compose.payment_api.standing import STANDING
from harness.load.leaks import Scanner
from harness.stack.postgres import Postgres
from tests.payment_api.conftest import Launch
from tests.payment_api.ground import METHODS, SHORT_MS, Api, Provider, eventually

PHONE, CARD, OPENID = "19905556666", "9999521234567890", "oChaosAbCdEfGhIjKlMnOpQr01"
UNITS = ("_seconds", "_requests", "_info", "_minor_units", "_state", "_slots", "_lines", "_tasks", "_connections")

Series = dict[str, float]


@pytest.fixture(scope="module")
def own(launch_for_module: Launch) -> Api:
    """An API that nobody else asks for anything."""
    return launch_for_module()


def told(text: str) -> Series:
    """Every sample as it is written in PromQL, labels in alphabetical order."""
    return {
        f"{sample.name}{{{','.join(f'{label}={told}' for label, told in sorted(sample.labels.items()))}}}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def asked(api: Api) -> Series:
    reply = api.client.get(f"{api.url}/metrics")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    return told(reply.text)


def new(before: Series, after: Series, *names: str) -> Series:
    """What has grown of the counters that are named so, and by how much."""
    grown = {series: value - before.get(series, 0) for series, value in after.items() if series.startswith(names)}
    return {series.removeprefix("payment_api_"): value for series, value in grown.items() if value}


def test_names_follow_the_conventions_of_prometheus() -> None:
    names = [metric.name for metric in (*COUNTED, *STANDING)]
    assert len(set(names)) == len(names)
    for metric in (*COUNTED, *STANDING):
        assert re.fullmatch(r"payment_api_[a-z]+(_[a-z]+)+", metric.name)
        assert (metric.type is Type.COUNTER) is metric.name.endswith("_total")
        assert (metric.type is not Type.HISTOGRAM) or metric.name.endswith("_seconds")
        assert metric.told.endswith(".")
        assert not {"order", "order_id", "user", "key", "path"} & set(metric.labels)
        assert not {"job", "instance"} & set(metric.labels)  # Prometheus' own, which name where a series comes from


def test_two_registries_know_nothing_of_each_other() -> None:
    first, second = Metrics(), Metrics()
    first.busy("pay")
    series = "payment_api_busy_answers_total{operation=pay}"
    assert [told(each.text().decode())[series] for each in (first, second)] == [1, 0]


def test_what_is_known_beforehand_stands_at_0_so_that_the_first_event_is_a_rate() -> None:
    metrics = Metrics()
    metrics.expect_route("/v1/orders", "POST")
    text = metrics.text().decode()
    absent = [metric.name for metric in COUNTED if f"\n{metric.name}{{" not in text and metric.type is Type.COUNTER]
    assert sorted(absent) == [  # by currency, and by what is done again and again
        "payment_api_captured_money_minor_units_total",
        "payment_api_job_rounds_total",
        "payment_api_refunded_money_minor_units_total",
    ]
    assert told(text)[f"{REQUESTS.name}_count{{method=POST,route=/v1/orders,status_class=5xx}}"] == 0


def test_a_refusal_that_nobody_foresaw_makes_no_series_of_its_own() -> None:
    metrics = Metrics()
    for code in ("bad_signature", "a word of somebody's", "another word"):
        with pytest.raises(ApiError), metrics.noticing(Method.CARD):
            raise ApiError(401, code, "No.")
    taken = new({}, told(metrics.text().decode()), "payment_api_notices_total")
    assert taken == {
        "notices_total{provider=card,result=bad_signature}": 1,
        "notices_total{provider=card,result=other}": 2,
    }


@pytest.mark.live
def test_an_order_s_life_is_counted_step_by_step(own: Api) -> None:
    before = asked(own)
    customer = own.customer()
    order = customer.paid_order("alipay", 1234)
    customer.refund(order, 34)
    customer.until(order, "part_refunded")
    grown = new(before, asked(own), "payment_api_order_", "payment_api_payment_", "payment_api_refund")
    assert grown == {
        "order_transitions_total{from=none,to=open}": 1,
        "order_transitions_total{from=open,to=paying}": 1,
        "order_transitions_total{from=paying,to=paid}": 1,
        "order_transitions_total{from=paid,to=part_refunded}": 1,
        "payment_attempts_begun_total{provider=alipay}": 1,
        "payment_attempts_ended_total{provider=alipay,result=paid}": 1,
        "refunds_begun_total{provider=alipay,reason=customer}": 1,
        "refunds_ended_total{provider=alipay,result=done}": 1,
        "refunded_money_minor_units_total{currency=CNY,provider=alipay}": 34,
    }


@pytest.mark.live
def test_requests_are_told_by_template_and_whatever_strangers_ask_for_is_one_series(own: Api) -> None:
    before = asked(own)
    customer = own.customer()
    orders = [customer.order() for _ in range(3)]
    for path in (*(f"/v1/orders/{order}" for order in orders), "/v1/orders/none", "/a", "/b/c", "/v1"):
        customer.get(path)
    own.client.request("PURGE", f"{own.url}/pot")
    grown = new(before, asked(own), "payment_api_http_request_duration_seconds_count")
    name = "http_request_duration_seconds_count"
    assert grown == {
        f"{name}{{method=POST,route=/v1/orders,status_class=2xx}}": 3,
        f"{name}{{method=GET,route=/v1/orders/{{order_id}},status_class=2xx}}": 3,
        f"{name}{{method=GET,route=/v1/orders/{{order_id}},status_class=4xx}}": 1,
        f"{name}{{method=GET,route=other,status_class=4xx}}": 3,
        f"{name}{{method=other,route=other,status_class=4xx}}": 1,
        f"{name}{{method=GET,route=/metrics,status_class=2xx}}": 1,
    }


@pytest.mark.live
def test_all_that_is_listed_is_served(api: Api) -> None:
    api.customer().paid_order("card")
    customer = api.customer()
    customer.refund(order := customer.paid_order("wechat"), 1)
    customer.until(order, "part_refunded")
    text = api.client.get(f"{api.url}/metrics").text
    types = {family.name: family.type for family in text_string_to_metric_families(text)}
    listed = {metric.name.removesuffix("_total"): metric.type.value for metric in (*COUNTED, *STANDING)}
    assert {name: kind for name, kind in types.items() if name.startswith("payment_api_")} == listed
    assert types["process_cpu_seconds"] == "counter"
    series = told(text)
    for metric in STANDING:
        shown = [each for each in series if each.startswith(f"{metric.name}{{")]
        assert all(re.findall(r"(\w+)=", each) == sorted(metric.labels) for each in shown), shown
        assert shown
    connections = [f"payment_api_database_connections{{pool=paying,state={state}}}" for state in ("busy", "idle")]
    assert sum(series[each] for each in connections) == series["payment_api_database_connections_limit{pool=paying}"]
    assert series["payment_api_http_requests_in_flight{}"] >= 1  # this one


@pytest.mark.live
def test_nothing_of_a_customer_or_of_the_inside_is_told(own: Api) -> None:
    customer = own.customer()
    order = customer.create(phone=PHONE, openid=OPENID, key="key-of-mine").json()["id"]
    customer.pay(order, "card", card=CARD)
    customer.get(f"/{PHONE}")
    reply = own.client.get(f"{own.url}/metrics")
    secrets = (PHONE, "6666", CARD, OPENID, customer.name, customer.token, order, "key-of-mine", "m-1")
    lines = reply.text.splitlines()  # without figures, in which any four digits turn up now and then
    words = "\n".join(line if line.startswith("#") else line.rpartition(" ")[0] for line in lines)
    assert [secret for secret in secrets if secret in words] == []
    assert Scanner(seed=7, run_id="run-1").kinds(dict(reply.headers), reply.content) == ()


@pytest.mark.live
def test_who_asks_for_figures_is_answered_while_everybody_else_is_told_busy(launch: Launch) -> None:
    narrow = {"PAYMENT_API_PAYMENT_SLOTS": "1", "PAYMENT_API_PAYMENT_SLOT_MS": "60000"}
    with closing(launch(more=narrow)) as api:
        customer = api.customer()
        first, second = customer.order(), customer.order()
        assert customer.pay(first, "card").status_code in {200, 202}  # it holds the slot, decided or not
        before = asked(api)
        assert [customer.pay(second, "card").status_code, customer.create().status_code] == [503, 503]
        after = asked(api)
    assert new(before, after, "payment_api_busy_") == {
        "busy_answers_total{operation=pay}": 1,
        "busy_answers_total{operation=create}": 1,
    }
    names = ("slots{state=free}", "slots{state=held}", "waiting_requests{}", "waiting_limit{}")
    assert [after[f"payment_api_admission_{name}"] for name in names] == [0, 1, 0, 0]


@pytest.mark.live
def test_a_provider_that_is_silent_shows_in_its_calls_its_attempts_and_its_breaker(
    launch: Launch, providers: dict[str, Provider]
) -> None:
    with closing(launch(deadline_ms=SHORT_MS, more={"PAYMENT_API_BREAKER_FAILURES": "1"})) as api:
        before = asked(api)
        customer = api.customer()
        order = customer.order()
        with providers["wechat"].deaf(order):
            assert customer.pay(order, "wechat").status_code == 202
            state = "payment_api_provider_breaker_state{provider=%s,state=%s}"
            open_ = eventually(lambda: series if (series := asked(api))[state % ("wechat", "open")] else None)
            unknown = "payment_api_payment_attempts_unknown_total{provider=wechat}"
            after = eventually(lambda: series if (series := asked(api))[unknown] else None)
    assert [open_[state % (method, "closed")] for method in METHODS] == [0, 1, 1]
    grown = new(before, after, "payment_api_payment_attempts_", "payment_api_provider_call_duration_seconds_count")
    assert grown["payment_attempts_begun_total{provider=wechat}"] == 1
    assert grown["payment_attempts_unknown_total{provider=wechat}"] == 1
    assert grown["provider_call_duration_seconds_count{outcome=no_answer,provider=wechat}"] >= 1


@pytest.mark.live
def test_a_step_is_counted_when_it_is_committed_and_not_when_it_is_undone(postgres: Postgres) -> None:
    seen: list[Step] = []
    postgres.create_database("steps_counted")

    def see(steps: Sequence[Step]) -> None:
        seen.extend(steps)

    async def step(database: Database, subject: str, *, fails: bool = False) -> None:
        async with database.transaction():
            took(Step(Kind.REFUND, subject, "ord_1", None, "pending"))
            assert seen == []
            if fails:
                raise RuntimeError(subject)

    async def story() -> None:
        async with Database(postgres.url("steps_counted"), connections=1, on_commit=see) as database:
            with pytest.raises(RuntimeError):
                await step(database, "ref_1", fails=True)
            await step(database, "ref_2")
        assert [step.subject for step in seen] == ["ref_2"]

    asyncio.run(story())
