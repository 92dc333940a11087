"""Starting and stopping: one line where it cannot start, and a prompt end whatever is held."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest

from tests.providers.calls import WechatCalls
from tests.providers.simulator import LIMIT_S, Simulator, environment, free_port

pytestmark = pytest.mark.live


def run(arguments: list[str], environ: dict[str, str]) -> tuple[int, str]:
    command = [sys.executable, "-m", "compose.providers", *arguments]
    ended = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    return ended.returncode, ended.stderr


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_lets_held_and_slow_requests_go_and_exits_zero(tmp_path: Path, how: signal.Signals) -> None:
    with Simulator("wechat", tmp_path) as provider:
        calls, ends = WechatCalls(provider), []
        number = calls.paid()

        def ask(path: str) -> None:
            with httpx.Client(base_url=provider.url, headers=provider.client.headers, timeout=LIMIT_S) as client:
                try:
                    client.get(path, params={"mchid": "m-1"})
                except httpx.HTTPError as exc:
                    ends.append(type(exc))

        waiting = [
            threading.Thread(target=ask, args=(f"/v3/pay/transactions/out-trade-no/{number}",)),
            threading.Thread(target=ask, args=(f"/v3/refund/domestic/refunds/{number}",)),
        ]
        with provider.fault(kind="lost_answer", when="after", op=["query"]):
            slow = {"id": "slow", "kind": "slow_answer", "when": "before", "by_ms": 600_000, "op": ["refund_query"]}
            provider.harness.post("/control/faults", json=slow).raise_for_status()
            for thread in waiting:
                thread.start()
            provider.await_rows(kind="request", op="query")
            provider.await_rows(kind="request", op="refund_query")
            provider.process.send_signal(how)
            assert provider.process.wait(LIMIT_S) == 0
            for thread in waiting:
                thread.join(LIMIT_S)
            assert ends == [httpx.RemoteProtocolError] * 2
            provider.start()


def test_one_line_says_what_is_missing(tmp_path: Path) -> None:
    environ = environment(free_port(), tmp_path)
    del environ["PROVIDER_KEY"]
    assert run(["card"], environ) == (
        2,
        "card: PROVIDER_KEY is not set: set it in the environment of this provider\n",
    )
    code, said = run(["card"], environment(free_port(), tmp_path) | {"PROVIDER_NOTICE_SCHEDULE_MS": "soon"})
    assert (code, said.count("\n"), "PROVIDER_NOTICE_SCHEDULE_MS" in said) == (2, 1, True)
    code, said = run(["cash"], dict(os.environ))
    assert (code, said) == (2, "usage: python -m compose.providers {wechat|alipay|card}\n")


def test_a_taken_port_and_a_ledger_in_use_are_one_line_each(wechat: Simulator, tmp_path: Path) -> None:
    code, said = run(["card"], environment(wechat.port, tmp_path))
    assert (code, said) == (2, f"card: port {wechat.port} is taken: set PROVIDER_PORT to a free one\n")
    code, said = run(["wechat"], environment(free_port(), wechat.data))
    assert (code, said) == (2, f"wechat: another provider runs on {wechat.data}: stop it or set PROVIDER_DATA\n")


def test_health_and_clock_say_who_answers_and_when(wechat: Simulator) -> None:
    health = wechat.client.get("/healthz").json()
    assert (health["provider"], health["pid"]) == ("wechat", wechat.process.pid)
    first, second = (wechat.harness.get("/control/clock").json() for _ in range(2))
    assert first["monotonic_ns"] < second["monotonic_ns"]
    assert health["started_utc_ms"] <= first["utc_ms"]


def test_a_body_above_the_limit_is_refused(wechat: Simulator) -> None:
    answer = wechat.client.post("/v3/refund/domestic/refunds", content=b"x" * 70_000)
    assert answer.status_code == 413
