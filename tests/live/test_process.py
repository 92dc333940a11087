"""Does the live process watch a run from beside it, serve its metrics, and end when the run does?"""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from harness.live.__main__ import LOOK_S
from harness.live.metrics import METRICS, PREFIX
from harness.live.news import (
    Ledger,
    Loading,
    Marked,
    News,
    PhaseBegins,
    Rested,
    RunBegins,
    ScenarioBegins,
    ScenarioEnds,
)
from harness.live.state import Broken, State
from harness.stack.ports import LOOPBACK, reserved
from tests.histories.builder import Run
from tests.histories.settings import ANCHOR, ns

KEY = "k-of-wechat"
LIMIT_S = 20


class Handler(BaseHTTPRequestHandler):
    """A ledger that is read page by page, with a key."""

    rows: tuple[bytes, ...] = ()

    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        allowed = self.headers.get("X-Control-Key") == KEY
        rows = self.rows[int(asked["after"][0]) :] if allowed else ()
        self.send_response(200 if allowed else 401)
        self.send_header("X-Last-Seq", str(len(self.rows)))
        self.end_headers()
        self.wfile.write(b"".join(row + b"\n" for row in rows))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it so
        """A test's output is its own."""


@pytest.fixture
def ledger_url() -> Iterator[str]:
    with ThreadingHTTPServer((LOOPBACK, 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{LOOPBACK}:{server.server_address[1]}/control/ledger"
        server.shutdown()


class Watching:
    """A live process, its lines and its pipe."""

    def __init__(self, *arguments: str) -> None:
        self.child = subprocess.Popen(
            [sys.executable, "-m", "harness.live", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._lines: Queue[State | None] = Queue()
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def tell(self, *news: News) -> None:
        assert self.child.stdin is not None
        self.child.stdin.write(b"".join(msgspec.json.encode(each) + b"\n" for each in news))
        self.child.stdin.flush()

    def until(self, check: str) -> State:
        """The first state in which a breach of the promise is known."""
        while True:
            state = self._lines.get(timeout=LIMIT_S)
            assert state is not None, self.end()
            if any(promise.check == check and promise.broken for promise in state.promises):
                return state

    def close(self) -> None:
        """The run is over."""
        assert self.child.stdin is not None
        self.child.stdin.close()

    def end(self) -> tuple[int, str]:
        """Close the pipe; gives exit code and standard error."""
        assert self.child.stderr is not None
        self.close()
        with self.child.stderr as errors:
            said = errors.read().decode()
        self._reading.join(LIMIT_S)
        return self.child.wait(timeout=LIMIT_S), said

    def _read(self) -> None:
        assert self.child.stdout is not None
        with self.child.stdout as lines:
            for line in lines:
                self._lines.put(msgspec.json.decode(line, type=State))
        self._lines.put(None)


@pytest.fixture
def watching() -> Iterator[tuple[Watching, int]]:
    with reserved(1) as (port,):
        watching = Watching("--metrics-port", str(port))
        try:
            yield watching, port
        finally:
            if watching.child.poll() is None:
                watching.child.kill()
                watching.end()


def served(port: int) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """(sample, labels) -> figure, of all that is served now."""
    text = httpx.get(f"http://{LOOPBACK}:{port}/metrics", trust_env=False).text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def in_phases(port: int) -> list[str]:
    """The phases that any scenario is in."""
    return [dict(labels)["phase"] for (name, labels), on in served(port).items() if on and name == f"{PREFIX}phase"]


def charged_twice(ledger_url: str, folder: Path) -> tuple[News, ...]:
    """A run in which an order was charged twice, told up to its rest; its instants lie long ago."""
    run = Run()
    order = run.paid_order("A")
    run.ledger("wechat").captured(2.0, "A-2", order="A", amount=1000)
    home = run.write(folder)
    (home / "evidence" / "rereads.jsonl").unlink()
    Handler.rows = tuple(msgspec.json.encode(row) for row in run.ledger("wechat").rows)
    assert order.user
    return (
        RunBegins(run_id="r-1", target="reference", profile="gate", size="scene", seed=7),
        ScenarioBegins(
            scenario=run.scenario.name,
            folder=str(home),
            base_url="http://127.0.0.1:9",
            adapter="harness.targets.reference:Reference",
            target_file="reference.toml",
            target_folder=str(folder),
            settings={"token_secret": "s", "operator_token": "o"},
            anchor=ANCHOR,
            ledgers=(Ledger(name="wechat", url=ledger_url, headers={"X-Control-Key": KEY}, clock="monotonic"),),
        ),
        Marked(watermark={"wechat": 0}),
        PhaseBegins(phase="load"),
        Loading(load_start_ns=ns(0), planned=4, started=3, missed=1, in_flight=2, lateness_p99_ms=4.0, cpu_share=0.25),
        Rested(quiescent=True),
    )


def test_a_double_charge_is_told_kept_and_counted(
    watching: tuple[Watching, int], ledger_url: str, tmp_path: Path
) -> None:
    process, port = watching
    process.tell(*charged_twice(ledger_url, tmp_path))
    state = process.until("no_double_charge")
    assert (state.planned, state.started, state.missed, state.in_flight) == (4, 3, 1, 2)
    assert {each.subject for each in state.new} == {"A"}
    told = served(port)
    scenario = ("scenario", "HandWritten")

    def figure(name: str, *labels: tuple[str, str]) -> float:
        return told[PREFIX + name, frozenset({scenario, *labels})]

    assert figure("breaches_total", ("promise", "no_double_charge")) == 1
    assert figure("breaches_total", ("promise", "no_vanished_order")) == 0
    captured = (("currency", "CNY"), ("direction", "captured"), ("provider", "wechat"))
    assert figure("provider_money_minor_units_total", *captured) == 2000
    assert figure("arrivals_missed_total") == 1
    assert process.end() == (0, "")
    kept = (tmp_path / "HandWritten" / "live.jsonl").read_bytes().splitlines()
    assert {msgspec.json.decode(line, type=Broken).check for line in kept} == {"no_double_charge", "refund_in_window"}


def test_a_scenario_that_is_over_is_in_no_phase_and_the_next_ones_are_not_its_own(
    watching: tuple[Watching, int], ledger_url: str, tmp_path: Path
) -> None:
    process, port = watching
    process.tell(*charged_twice(ledger_url, tmp_path), PhaseBegins(phase="evidence"))
    process.until("no_double_charge")
    assert in_phases(port) == ["evidence"]
    process.tell(ScenarioEnds(), PhaseBegins(phase="stack"))
    until_s = time.monotonic() + LIMIT_S
    while in_phases(port):
        assert time.monotonic() < until_s
    time.sleep(2 * LOOK_S)
    assert in_phases(port) == []
    assert process.end() == (0, "")


def test_every_family_that_is_served_stands_in_the_list(
    watching: tuple[Watching, int], ledger_url: str, tmp_path: Path
) -> None:
    process, port = watching
    process.tell(*charged_twice(ledger_url, tmp_path))
    process.until("no_double_charge")
    text = httpx.get(f"http://{LOOPBACK}:{port}/metrics", trust_env=False).text
    types = {family.name: family.type for family in text_string_to_metric_families(text)}
    assert types == {metric.exposed.removesuffix("_total"): metric.type for metric in METRICS.values()}


def test_who_has_asked_for_metrics_may_ask_once_more_when_the_run_is_over(
    watching: tuple[Watching, int], ledger_url: str, tmp_path: Path
) -> None:
    process, port = watching
    with httpx.Client(base_url=f"http://{LOOPBACK}:{port}", trust_env=False) as prometheus:
        process.tell(*charged_twice(ledger_url, tmp_path)[:-1])
        process.until("refund_in_window")
        series = 'payment_chaos_breaches_total{promise="no_double_charge",scenario="HandWritten"} '
        assert f"{series}0.0" in prometheus.get("/metrics").text
        process.tell(Rested(quiescent=True))
        process.close()
        process.until("no_double_charge")
        assert f"{series}1.0" in prometheus.get("/metrics").text
    assert process.end() == (0, "")


def test_it_ends_with_its_pipe_also_where_nothing_was_told() -> None:
    assert Watching().end() == (0, "")


def test_a_line_that_is_no_news_ends_it_with_a_reason() -> None:
    process = Watching()
    assert process.child.stdin is not None
    process.child.stdin.write(b'{"type":"gossip"}\n')
    code, said = process.end()
    assert code != 0
    assert "gossip" in said
