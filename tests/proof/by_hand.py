"""Does Locust's own UI start, stop and start a run again, spoken to over HTTP alone?"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from harness.errors import ExitCode
from harness.stack.ports import LOOPBACK, reserved
from harness.stack.toxiproxy import VARIABLE, Toxiproxy, open_toxiproxy
from harness.verdict_document import decode_verdict
from tests.lanes import ROOT
from tests.proof.gates import TARGET, shared
from tests.proof.item import Item, NotProven, Room, Shown, need

SCENE = "AnswerLost"
STOP_AFTER_S = 5.0
"""From Start to Stop; AnswerLost's first fault comes later than that, so Stop waits for a toxic besides."""
READY_LIMIT_S = 30.0
VERDICT_LIMIT_S = 60.0
WHOLE_LIMIT_S = 120.0
LOOK_EVERY_S = 0.1
# Locust calls them users; here it is the most journeys at once.
START = {"user_count": "2000", "spawn_rate": "1", "host": ""}


def items() -> Iterator[Item]:
    """Start, stop after five seconds, start again."""
    yield Item(group="ui", name="start-stop-start", prove=start_stop_start)


def start_stop_start(room: Room) -> Shown:
    """Stopped, the run is judged and labelled as cut short, with no toxic left; started again, it runs to its end."""
    runs = room.folder / "runs"
    with open_toxiproxy(log=room.folder / "toxiproxy.log", environ={}) as toxiproxy:
        with locust(room, runs, toxiproxy) as client:
            began_s = time.monotonic()
            need(started(client), "Start was not granted")
            await_(lambda: bool(toxics(toxiproxy)), WHOLE_LIMIT_S, "no toxic was set")
            time.sleep(max(0.0, STOP_AFTER_S - (time.monotonic() - began_s)))
            stopped_s = time.monotonic()
            client.post("/stop").raise_for_status()
            await_(lambda: not toxics(toxiproxy), VERDICT_LIMIT_S, "toxics are left")
            lifted_s = time.monotonic() - stopped_s
            await_(lambda: len(verdicts(runs)) == 1, VERDICT_LIMIT_S, "no verdict on what was stopped")
            first = decode_verdict(verdicts(runs)[0].read_bytes())
            need(bool(first.cut_short), "the verdict is not labelled as cut short")
            need(first.exit_code == ExitCode.UNDECIDED, f"stopped: exit code {first.exit_code}")
            await_(lambda: started(client), VERDICT_LIMIT_S, "Start was not granted again")
            await_(lambda: len(verdicts(runs)) == 2, WHOLE_LIMIT_S, "no verdict on the second run")
        left = sorted(toxiproxy.proxies())
    need(not left, f"proxies left behind: {', '.join(left)}")
    second = decode_verdict(verdicts(runs)[1].read_bytes())
    need(second.exit_code == 0 and second.cut_short is None, f"started again: exit code {second.exit_code}")
    return Shown(
        told=f"stopped: cut short ({first.cut_short}), toxics lifted {lifted_s:.1f} s later; started again: exit code 0"
    )


@contextmanager
def locust(room: Room, runs: Path, toxiproxy: Toxiproxy) -> Iterator[httpx.Client]:
    """Locust with its UI, and a client of it; ended by SIGTERM."""
    with reserved(1) as (port,), (room.folder / "locust.log").open("wb") as log:
        command = [sys.executable, "-m", "locust", "-f", str(ROOT / "scenarios"), SCENE, "--web-port", str(port)]
        command += ["--size", "scene", "--seed", "1", "--target", str(TARGET), "--runs", str(runs)]
        environ = shared(room) | {VARIABLE: toxiproxy.url}
        child = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=log, start_new_session=True)
        try:
            with httpx.Client(base_url=f"http://{LOOPBACK}:{port}", timeout=10, trust_env=False) as client:
                await_(lambda: answers(client), READY_LIMIT_S, "Locust's UI does not answer")
                yield client
        finally:
            child.terminate()
            try:
                child.wait(VERDICT_LIMIT_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def started(client: httpx.Client) -> bool:
    """Press the button; False where the run before is still being judged, which the answer says."""
    reply = client.post("/swarm", data=START)
    need(reply.is_success, f"Start was answered {reply.status_code}: {reply.text[:200]}")
    return bool(reply.json()["success"])


def answers(client: httpx.Client) -> bool:
    """Whether the UI is there."""
    with suppress(httpx.HTTPError):
        return client.get("/").is_success
    return False


def toxics(toxiproxy: Toxiproxy) -> list[str]:
    """Every toxic that stands."""
    return [toxic.name for proxy in toxiproxy.proxies().values() for toxic in proxy.toxics]


def verdicts(runs: Path) -> list[Path]:
    """Verdicts on whole runs, in the order of their beginning."""
    return sorted(runs.glob("*/verdict.json"))


def await_(holds: Callable[[], bool], limit_s: float, otherwise: str) -> None:
    """Wait until it holds; raises NotProven where it does not in time."""
    until_s = time.monotonic() + limit_s
    while not holds():
        if time.monotonic() > until_s:
            raise NotProven(f"{otherwise} within {limit_s:g} s")
        time.sleep(LOOK_EVERY_S)
