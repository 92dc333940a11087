"""Is one order's story told whole, and can its requests be sent again as they stand?"""

import io
import os
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import msgspec
import pytest
from rich.console import Console

from harness.checks import CHECKS
from harness.checks.judging import check_run
from harness.errors import RunDirectoryError, UsageError
from harness.evidence.tables import open_evidence
from harness.load.keys import key_number
from harness.recorder.traces import Traces
from harness.report.course import Asked
from harness.report.curl import curl_lines
from harness.report.explain import explain, print_explanation
from harness.targets.books import BookAffected, BookDiscrepancy, BookVoucher
from harness.targets.reference import Reference
from tests.histories.builder import Run, utc_ms
from tests.histories.settings import RUN

SENT = "SELECT id, sent_ns FROM operations WHERE op <> 'journey' ORDER BY id"
STUB = '#!/bin/sh\necho "authorization: Bearer of $2"\n'
TRACE_ID = "c0885c4e8ef063bdf7ac1557996f8a96"
SETTINGS = {"token_secret": "none", "operator_token": "none"}


def told_run(folder: Path) -> Path:
    """Order A1 with everything that can happen to one, A2 and B beside it; judged."""
    run = Run()
    run.scenario = msgspec.structs.replace(run.scenario, claims={"no_double_charge": 1})
    run.dispatches()
    run.offers(books=("vouchers", "affected", "discrepancies"))
    run.fault("cut_answers", "network", "wechat", 1.0, 3.0)
    run.fault("pause", "process", "card", 8.0, 9.0)
    journey = run.paid_order("A1", at=1.0)
    journey.read(1.6, 1.7, "A1", state="paid")
    journey.refund(2.0, 2.9, "A1", 400, result_id="R1", build="r2")
    stranger = run.journey(2.0)
    stranger.does("trespass", 2.1, 2.2, order="A1", tried="pay", outcome="fail", http=404, code="order_not_found")
    run.transition(1.05, "order", "A1", "A1", old=None, new="open")
    run.transition(1.3, "payment", "P1", "A1", old="sent", new="paid", build="r1")
    run.ledger("wechat").captured(2.5, "A1-2", "A1", 1000, fault="twice", note="again")
    run.release(3.0, "A1")
    run.affected = [BookAffected(order="A1", reason="busy", at_utc_ms=utc_ms(3.5))]
    run.vouchers = [BookVoucher(voucher="V1", order="A1", amount_minor=100, currency="CNY", at_utc_ms=utc_ms(4.0))]
    run.discrepancies = [
        BookDiscrepancy(
            provider="wechat", number="A1-2", order=None, kind="missing", amount_minor=1000, at_utc_ms=utc_ms(5.0)
        )
    ]
    run.paid_order("A2", at=3.0)
    run.paid_order("B", at=4.0, amount=2000)
    run.write(folder)
    return folder


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = told_run(tmp_path_factory.mktemp("told"))
    checks = {name: CHECKS[name] for name in ("no_double_charge", "assumptions")}
    check_run(folder, checks)
    return folder


def shown(run: Path, order: str) -> str:
    file = io.StringIO()
    print_explanation(run, explain(run, order), Console(file=file, width=200, highlight=False))
    return file.getvalue()


def test_the_course_is_told_by_every_source_in_the_order_of_instants(judged: Path) -> None:
    story = explain(judged, "A1")
    start_ns = story.start_ns
    assert [(round((each.at_ns - start_ns) / 1e9, 2), each.who, each.what) for each in story.moments] == [
        (1.0, "customer", "create (key 1): 200, the order is open [ok]"),
        (1.0, "fault", "begins: cut_answers at wechat"),
        (1.05, "books", "order: new -> open"),
        (1.2, "customer", "pay by wechat (key 2): 200, the order is paid [ok]"),
        (1.3, "books", "payment P1: sent -> paid (build r1)"),
        (1.3, "wechat", "captured A1-1: 10.00 CNY"),
        (1.6, "customer", "read: 200, the order is paid [ok]"),
        (2.0, "customer", "refund (key 3): 200 after 0.9 s [ok, build r2]"),
        (2.1, "stranger", "pay (key 4): 404 order_not_found [fail]"),
        (2.5, "wechat", "captured A1-2: 10.00 CNY (fault twice; again)"),
        (3.0, "dispatch", "released (ride)"),
        (3.0, "fault", "over: cut_answers at wechat"),
        (3.5, "books", "affected: busy"),
        (4.0, "books", "voucher V1 of 1.00 CNY"),
        (5.0, "books", "discrepancy with wechat's bill: missing A1-2"),
        (60.0, "customer", "last read: 200, the order is paid [ok]"),
    ]


def test_each_step_of_a_customer_stands_beside_its_trace_and_nothing_else_does(judged: Path) -> None:
    story = explain(judged, "A1")
    with open_evidence(judged / "HandWritten") as evidence:
        sent = {row.sent_ns: row.id for row in evidence.cases(SENT)}
    traces = Traces(run_id=RUN.run_id, scenario="HandWritten")
    steps = [each for each in story.moments if each.at_ns in sent and each.who in {"customer", "stranger"}]
    assert len(steps) == len(story.sent) == 5
    assert [each.trace_id for each in steps] == [traces.trace_id(sent[each.at_ns]) for each in steps]
    assert [each.trace_id for each in story.sent] == [each.trace_id for each in steps]
    assert {each.trace_id for each in story.moments if each not in steps} == {None}
    text = shown(judged, "A1")
    for step in steps:
        assert f"{step.what}, trace:{step.trace_id}" in text


def test_what_was_broken_is_said(judged: Path) -> None:
    assert [check for check, _ in explain(judged, "A1").broken] == ["no_double_charge"]
    assert explain(judged, "B").broken == ()


def test_an_order_can_be_named_by_its_beginning(judged: Path) -> None:
    assert explain(judged, "B").order_id == "B"
    with pytest.raises(UsageError, match=r"2 orders of .* begin with 'A': A1 \(HandWritten\), A2 \(HandWritten\)"):
        explain(judged, "A")


@pytest.mark.parametrize("order", ["C", "a1", ""])
def test_an_order_that_is_not_there_is_refused(judged: Path, order: str) -> None:
    with pytest.raises(UsageError, match="no order of"):
        explain(judged, order)


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunDirectoryError, match="is no run directory"):
        explain(tmp_path, "A1")


def test_a_run_without_a_verdict_is_told_all_the_same(tmp_path: Path) -> None:
    assert explain(told_run(tmp_path), "A1").broken == ()


def test_a_damaged_verdict_is_named(tmp_path: Path) -> None:
    (told_run(tmp_path) / "verdict.json").write_text("{}")
    with pytest.raises(RunDirectoryError, match="harness check"):
        explain(tmp_path, "A1")


def test_without_the_target_file_the_story_is_told_without_requests(judged: Path) -> None:
    text = shown(judged, "A1")
    assert "A1 of HandWritten, 10.00 CNY, user user-1" in text
    assert "# how the target is spoken to is not known here" in text


Seen = list[tuple[str, str, str | None, str | None, bytes, str | None]]


@pytest.fixture
def server() -> Iterator[tuple[str, Seen]]:
    """An HTTP server that keeps what it was asked: method, path, key, authorization, body, trace."""
    seen: Seen = []

    class Keeper(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            keys = (self.headers["idempotency-key"], self.headers["authorization"])
            seen.append((self.command, self.path, *keys, body, self.headers["traceparent"]))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        do_POST = do_GET  # noqa: N815  # the name that http.server calls

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Keeper) as keeper:
        thread = Thread(target=keeper.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{keeper.server_port}", seen
        keeper.shutdown()
        thread.join()


def asked(op: str, *, user: str = "u-r-3", nth: int | None = None, **more: Any) -> Asked:
    fields: dict[str, Any] = {"key_no": None if nth is None else key_number(3, nth), "order_id": "o'1 x"}
    fields |= {"method": None, "amount_minor": None, "tried": None, "sent_ns": 0, "trace_id": TRACE_ID} | more
    return Asked(op=op, journey=3, user=user, **fields)


def test_the_requests_run_as_they_stand(tmp_path: Path, server: tuple[str, Seen]) -> None:
    base_url, seen = server
    sent = [
        asked("create", nth=1, order_id=None),
        asked("pay", nth=2, method="wechat"),
        asked("read"),
        asked("trespass", tried="pay", nth=9, method="card", user="u-r-4"),
        asked("refund", nth=3, amount_minor=400),
        asked("trespass", tried="create", nth=1, user="u-r-4"),
        asked("status", order_id=None),
    ]
    lines = list(curl_lines(Reference(SETTINGS), sent, "o'1 x", seed=7, run_id="r"))
    stub = tmp_path / "harness"
    stub.write_text(STUB)
    stub.chmod(0o755)
    environ = os.environ | {"BASE_URL": base_url, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["sh", "-eu"], input="\n".join(lines).encode(), env=environ, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    mine, other = "Bearer of u-r-3", "Bearer of u-r-4"
    assert [each[:4] for each in seen] == [
        ("POST", "/v1/orders", "u-r-3-1", mine),
        ("POST", "/v1/orders/o%271%20x/payments", "u-r-3-2", mine),
        ("GET", "/v1/orders/o%271%20x", None, mine),
        ("POST", "/v1/orders/o%271%20x/payments", "u-r-4-9", other),
        ("POST", "/v1/orders/o%271%20x/refunds", "u-r-3-3", mine),
        ("POST", "/v1/orders", "u-r-3-1", other),
    ]
    assert {each[5] for each in seen} == {None}  # what is sent again is no part of the run's trace
    assert seen[5][4] == seen[0][4]
    assert b'"amount_minor":' in seen[0][4]
    assert seen[1][4] == b'{"method":"wechat"}'


def test_the_requests_say_what_to_set_first() -> None:
    lines = list(curl_lines(Reference(SETTINGS), [asked("read", order_id="o1")], "o1", seed=7, run_id="r"))
    assert lines[0].startswith("# bring the target up by `harness up`")
    assert lines[-2:] == [f"# in the run: trace {TRACE_ID}", 'curl -sS -i "$BASE_URL/v1/orders/$ORDER" -H "$TOKEN"']
    done = subprocess.run(["sh"], input="\n".join(lines).encode(), env={}, capture_output=True, check=False)
    assert done.returncode != 0
    assert b"where customers send their requests" in done.stderr
