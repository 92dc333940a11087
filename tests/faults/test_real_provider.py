"""The same faults against the reference's own WeChat Pay: every kind strikes, and its count proves it."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from harness.faults import (
    CutAnswers,
    LateCapture,
    LateNotices,
    LoseAnswers,
    LoseNotices,
    PlantInBill,
    RepeatNotices,
    Silence,
    SlowAnswers,
)
from harness.faults.surroundings import Edge, Endpoint, ProviderControl, Surroundings
from harness.faults.timeline import Timeline
from harness.scenario import Faults
from tests.faults.ground import KEY, RUN, Ground, Server, Warden, free_port, ground, steps, wait_for_port

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "PROVIDER_PORT": str(port),
        "PROVIDER_DATA": str(tmp_path_factory.mktemp("wechat")),
        "PROVIDER_KEY": "merchant",
        "PROVIDER_CONTROL_KEY": KEY,
        "PROVIDER_SEED": "1",
        "PROVIDER_NOTICE_SCHEDULE_MS": "100,100",
    }
    process = subprocess.Popen([sys.executable, "-m", "compose.providers", "wechat"], env=environment)
    try:
        wait_for_port(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def around(toxiproxy: Server, provider: str) -> Iterator[Surroundings]:
    with ground(toxiproxy) as parts:
        yield _with(parts, provider)


def _with(parts: Ground, provider: str) -> Surroundings:
    """The same surroundings with the real provider behind the edge."""
    edge = parts.around.edges["wechat"]
    upstream = provider.removeprefix("http://")
    parts.toxiproxy.client.post(f"/proxies/{edge.proxy}", json={"upstream": upstream}).raise_for_status()
    edges: dict[str, Edge] = {**parts.around.edges, "wechat": replace(edge, upstream=upstream)}
    return replace(
        parts.around,
        edges=edges,
        services={"wechat": Endpoint(url=provider)},
        providers={"wechat": ProviderControl(url=provider, key=KEY)},
    )


@pytest.mark.parametrize(
    "faults",
    [CutAnswers("wechat"), Silence("wechat", answers=True), Silence("wechat", answers=False)],
    ids=["cut", "answers", "requests"],
)
def test_network_faults_are_proven_by_what_the_provider_remembers(
    around: Surroundings, tmp_path: Path, faults: Faults
) -> None:
    path = tmp_path / "faults.jsonl"
    with Timeline(around=around, faults=faults.between(0, 0.2), path=path) as timeline:
        timeline.run(time.monotonic_ns())
    assert {status for _, status in steps(path)} == {"confirmed"}
    assert len(dict(steps(path))) == 7


@pytest.mark.parametrize(
    "faults",
    [
        SlowAnswers("wechat", by_ms=10),
        LoseAnswers("wechat", ops="charge"),
        LateCapture("wechat", by_ms=10, despite_close=True),
        LoseNotices("wechat"),
        LateNotices("wechat", by_ms=10),
        RepeatNotices("wechat", times=3, reorder=True),
        PlantInBill("wechat"),
    ],
    ids=lambda faults: str(faults[0].kind),
)
def test_every_provider_fault_strikes_a_real_charge(around: Surroundings, tmp_path: Path, faults: Faults) -> None:
    path = tmp_path / "faults.jsonl"
    with Timeline(around=around, faults=faults.between(0, 0.8), path=path) as timeline:
        running = threading.Thread(target=timeline.run, args=(time.monotonic_ns(),))
        running.start()
        assert timeline._courses[0].placed.wait(5)
        _charge(around, f"order-{faults[0].kind}")
        running.join()
    assert {status for _, status in steps(path)} == {"confirmed"}
    assert len(dict(steps(path))) == 7
    assert isinstance(around.warden, Warden)
    assert around.warden.undo == {}


def _charge(around: Surroundings, number: str) -> None:
    """One charge, whose answer may never come, past the proxy."""
    body = {
        "mchid": "1900000001",
        "out_trade_no": number,
        "description": "a ride",
        "amount": {"total": 1_234, "currency": "CNY"},
        "notify_url": "http://127.0.0.1:9/notices",
        "attach": f'{{"run": "{RUN}", "order": "{number}"}}',
    }
    try:
        reply = httpx.post(
            f"{around.providers['wechat'].url}/v3/papay/pay/transactions/apply",
            json=body,
            headers={"Authorization": "Bearer merchant"},
            timeout=0.3,
            trust_env=False,
        )
    except httpx.ReadTimeout:
        return
    assert reply.status_code == 202, reply.text
