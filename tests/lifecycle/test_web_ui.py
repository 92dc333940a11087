"""Can a run be started, stopped and started again over HTTP alone?"""

import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from harness.documents import read_run_record
from harness.errors import ExitCode
from harness.stack.ports import LOOPBACK, reserved
from harness.verdict_document import decode_verdict
from tests.lifecycle.playing import Place, await_, broken

pytestmark = pytest.mark.live

BASE_PATH = "/load"
"""As behind a proxy that serves Locust below its own pages."""
FORM = {"user_count": "50", "spawn_rate": "1", "host": ""}


class Page:
    """Locust's UI, as its own JavaScript speaks to it."""

    def __init__(self, here: Place, port: int, child: subprocess.Popen[bytes]) -> None:
        self.here = here
        self.child = child
        self._client = httpx.Client(base_url=f"http://{LOOPBACK}:{port}{BASE_PATH}", timeout=30, trust_env=False)

    def close(self) -> None:
        self._client.close()

    def answers(self) -> bool:
        try:
            return self._client.get("/").is_success
        except httpx.HTTPError:
            return False

    def start(self, **fields: str) -> Mapping[str, object]:
        reply = self._client.post("/swarm", data=FORM | fields).json()
        assert isinstance(reply, dict)
        return reply

    def told(self) -> str:
        return self._client.get("/payment-chaos/now").raise_for_status().text

    def form(self) -> str:
        return self._client.get("/").raise_for_status().text

    def page_of(self, run: Path) -> str:
        return self._client.get(f"/payment-chaos/runs/{run.name}").raise_for_status().text

    def stop(self) -> None:
        self._client.post("/stop").raise_for_status()

    def requests(self) -> dict[str, int]:
        return {row["name"]: row["num_requests"] for row in self._client.get("/stats/requests").json()["stats"]}


@pytest.fixture
def page(new_place: Callable[[], Place]) -> Iterator[Page]:
    here = new_place()
    with reserved(1) as (port,):
        child = here.start("locust", "Short", "--web-port", str(port), "--web-base-path", BASE_PATH)
        try:
            with closing(Page(here, port, child)) as page:
                await_(page.answers, "the UI")
                yield page
        finally:
            child.kill()
            child.wait()


def test_what_cannot_be_done_is_refused_before_a_byte_is_sent(page: Page) -> None:
    foreign = page.start(host="http://192.0.2.1")
    assert foreign["success"] is False
    assert "'192.0.2.1' is not loopback" in str(foreign["message"])
    assert "unknown size 'huge'" in str(page.start(size="huge")["message"])
    assert "did you mean global_lock?" in str(page.start(defect="global_lok")["message"])
    assert "whole numbers" in str(page.start(seed="x")["message"])
    assert "unknown scenario 'Endless'; there are: Short" in str(page.start(scenario="Endless")["message"])
    assert "rate 11: name a factor above 0, at most 10" in str(page.start(rate="11")["message"])
    assert '"choices": ["all", "Short"]' in page.form()  # of three in the folder the one that Locust was given
    assert "No run yet" in page.told()
    assert page.here.runs() == []
    assert page.requests() == {"Aggregated": 0}
    page.child.send_signal(signal.SIGINT)
    assert page.here.end(page.child).exit_code == ExitCode.HARNESS_FAILED  # no verdict was reached, so never 0


def test_stop_is_a_verdict_cut_short_and_start_works_again(page: Page) -> None:
    assert page.start(scenario="Short")["success"] is True
    await_(page.here.toxics, "the toxic")
    assert "<h2>Short</h2>" in page.told()
    assert "a run goes on with what it was started with" in str(page.start(rate="2")["message"])
    assert page.requests()["POST /v1/orders"] > 0
    page.stop()
    assert page.here.toxics() == []
    refused = page.start()
    assert refused["success"] is False
    assert "still being ended and judged" in str(refused["message"])
    await_(lambda: page.start(rate="0.5")["success"], "the next start")
    first = decode_verdict((page.here.runs()[0] / "verdict.json").read_bytes())
    assert first.exit_code == ExitCode.UNDECIDED
    assert "stopped before its end" in str(first.cut_short)
    await_(lambda: len(list(page.here.folder.glob("runs/*/verdict.json"))) == 2, "the second verdict")
    second = decode_verdict((page.here.runs()[1] / "verdict.json").read_bytes())
    assert (second.exit_code, second.cut_short) == (ExitCode.PASS, None), broken(second)
    await_(lambda: "Every claimed promise held" in page.told(), "the verdict in words")
    assert "Cut short: stopped before its end" not in page.told()  # that was the run before
    last = page.here.runs()[1]
    assert f"<title>PASS: Short ({last.name})" in page.page_of(last)
    record = read_run_record(last)
    assert (record.rate, record.arguments[record.arguments.index("--rate") + 1]) == (0.5, "0.5")
    assert "steady 2/s for 2 s (0.5 times the scenario" in page.page_of(last)
    page.child.send_signal(signal.SIGINT)
    done = page.here.end(page.child)
    assert done.exit_code == ExitCode.PASS
    assert "HTTP Request:" not in done.out + done.err  # httpx would say so for each read of the evidence
    assert page.here.proxies() == []
