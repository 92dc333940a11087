"""Does the harness's adapter understand the real API, and does what it collects agree with the providers?"""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from compose.payment_api.model import EDGES, Kind
from harness.documents import Anchor
from harness.evidence.collect import collect, digest_of_effects, digest_of_states
from harness.operation import Line, Method, Outcome, State
from harness.recorder.rows import Done, Header, Inv, Row
from harness.targets.drive import HttpxSender, drive
from harness.targets.protocol import NewOrder, Observation
from harness.targets.reference import Reference
from harness.targets.source import Source, SourceClock, SourceKind
from tests.payment_api import ground

pytestmark = pytest.mark.live

TARGET = Reference({"token_secret": ground.SECRET, "operator_token": ground.OPERATOR})
NEW = NewOrder(line=Line.RIDE, merchant="m-1", amount_minor=1234, currency="CNY")


def test_the_machines_that_the_adapter_knows_are_those_that_the_api_publishes() -> None:
    offered = TARGET.capabilities
    assert {
        Kind.ORDER: offered.legal_edges,
        Kind.PAYMENT: offered.payment_edges,
        Kind.REFUND: offered.refund_edges,
    } == {kind: frozenset((str(old), str(new)) for old, new in edges) for kind, edges in EDGES.items()}


def paid_order(send: HttpxSender, user: str, method: Method) -> str:
    """A paid order's id; a payment whose result is open is asked for until it is there."""
    made = drive(TARGET.create_order(user, NEW, f"{user}-create"), send)
    assert (made.outcome, made.state, made.amount_minor) == (Outcome.OK, State.OPEN, 1234)
    assert made.order_id is not None
    assert made.pay_by_utc_ms is not None
    told = drive(TARGET.pay(user, made.order_id, method, f"{user}-pay"), send)
    assert told.outcome is (Outcome.OK if told.http == 200 else Outcome.INFO)
    assert told.result_id is not None
    return read_until(send, user, made.order_id, State.PAID).order_id or ""


def read_until(send: HttpxSender, user: str, order: str, state: State, refunded_minor: int = 0) -> Observation:
    def reached() -> Observation | None:
        seen = drive(TARGET.read(user, order), send)
        assert seen.outcome is Outcome.OK
        return seen if (seen.state, seen.refunded_minor) == (state, refunded_minor) else None

    return ground.eventually(reached)


def sources(api: ground.Api, providers: dict[str, ground.Provider]) -> tuple[Source, ...]:
    ledgers = [
        Source(
            name=name,
            kind=SourceKind.LEDGER,
            url=f"{provider.url}/control/ledger",
            headers={"X-Control-Key": ground.CONTROL_KEY},
            control_url=f"{provider.url}/control",
            clock=SourceClock.MONOTONIC,
        )
        for name, provider in providers.items()
    ]
    return (Source(name="api", kind=SourceKind.BOOKS, url=api.url), *ledgers)


def test_every_operation_of_the_api_is_understood(api: ground.Api) -> None:
    with HttpxSender(api.url, 5) as send:
        order = paid_order(send, "adapter-1", Method.ALIPAY)
        again = drive(TARGET.create_order("adapter-1", NEW, "adapter-1-create"), send)
        reused = drive(TARGET.create_order("adapter-1", replace(NEW, amount_minor=9), "adapter-1-create"), send)
        twice = drive(TARGET.pay("adapter-1", order, Method.CARD, "adapter-1-pay-2"), send)
        listed = drive(TARGET.list_orders("adapter-1"), send)
        stranger = drive(TARGET.read("adapter-2", order), send)
        refunded = drive(TARGET.refund("adapter-1", order, 617, "adapter-1-refund"), send)
        too_much = drive(TARGET.refund("adapter-1", order, 1234, "adapter-1-refund-2"), send)
        settled = read_until(send, "adapter-1", order, State.PAID, refunded_minor=617)
        health = drive(TARGET.health(), send).health
    assert (again.outcome, again.order_id, again.result_id, again.state) == (Outcome.OK, order, order, State.PAID)
    assert (reused.outcome, reused.code) == (Outcome.FAIL, "idempotency_key_reused")
    assert (twice.outcome, twice.code, twice.state) == (Outcome.FAIL, "order_paid", State.PAID)
    assert (listed.outcome, listed.order_ids, listed.complete) == (Outcome.OK, (order,), True)
    assert (stranger.outcome, stranger.http, stranger.code) == (Outcome.FAIL, 404, "order_not_found")
    assert (refunded.outcome, refunded.order_id, refunded.amount_minor) == (Outcome.OK, order, 617)
    assert (too_much.outcome, too_much.code) == (Outcome.FAIL, "nothing_to_refund")
    assert (settled.amount_minor, settled.paid_minor) == (1234, 1234)
    assert health is not None
    assert health.build == "fixed"


def test_what_is_collected_agrees_with_the_providers(
    api: ground.Api, providers: dict[str, ground.Provider], tmp_path: Path
) -> None:
    with HttpxSender(api.url, 5) as send:
        orders = {method: paid_order(send, f"collected-{method}", method) for method in Method}
        known = sources(api, providers)
        ground.eventually(lambda: digest_of_effects(known, limit_s=5).planned == 0)
        states = digest_of_states(TARGET, send, limit_s=5)
        assert digest_of_states(TARGET, send, limit_s=5).digest == states.digest
    assert set(orders.values()) <= set(states.orders)
    write_history(tmp_path / "history", orders)
    anchor = Anchor(monotonic_ns=time.monotonic_ns(), utc_ms=time.time() * 1_000, error_ms=5)
    told = collect(
        target=TARGET,
        base_url=api.url,
        sources=known,
        history=tmp_path / "history",
        into=tmp_path / "evidence",
        anchor=anchor,
        limit_s=20,
    )
    assert told.problems == ()
    assert told.books_read_ns is not None
    captured = {row["order"]: row["amount_minor"] for name in providers for row in ledger(tmp_path, name)}
    reads = {row["order"]: row["paid_minor"] for row in rows(tmp_path, "reads")}
    numbers = {row["order"]: row["number"] for row in rows(tmp_path, "books.payments")}
    assert reads == dict.fromkeys(orders.values(), 1234)
    assert {order: captured[order] for order in reads} == reads
    for method, order in orders.items():
        assert numbers[order] in {row["number"] for row in ledger(tmp_path, method)}
    # One host, one clock: the providers' offset is nought within its error.
    clocks = {row["source"]: row for row in rows(tmp_path, "clocks")}
    assert [abs(clocks[name]["offset_ns"]) <= clocks[name]["error_ns"] for name in sorted(clocks)] == [True] * 4


def write_history(folder: Path, orders: dict[Method, str]) -> None:
    folder.mkdir()
    lines: list[Row] = [Header(schema_version=1, worker=0, clock="monotonic")]
    for journey, (method, order) in enumerate(orders.items()):
        for number, op in enumerate(("journey", "create")):
            lines.append(
                Inv(
                    id=2 * journey + number,
                    journey=journey,
                    intent=journey,
                    op=op,
                    phase="steady",
                    scheduled_ns=1,
                    sent_ns=1,
                    user=f"collected-{method}" if op == "journey" else None,
                )
            )
        lines.append(Done(id=2 * journey + 1, outcome="ok", done_ns=2, order_no=journey, order=order))
    (folder / "0.jsonl").write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))


def rows(folder: Path, name: str) -> list[dict[str, Any]]:
    text = (folder / "evidence" / f"{name}.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def ledger(folder: Path, name: str) -> list[dict[str, Any]]:
    return [row for row in rows(folder, f"ledger.{name}") if row["kind"] == "captured"]
