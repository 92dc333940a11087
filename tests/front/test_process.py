"""Starting and stopping: one line where it cannot start; what is under way is answered before it ends."""

import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from harness.stack.ports import Ports
from harness.stack.process import Child, wait_for

ROOT = Path(__file__).parent.parent.parent
LIMIT_S = 15.0


class Slow(ThreadingHTTPServer):
    """Answers when it is let go."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.heard, self.go_on = threading.Event(), threading.Event()


class _Handler(BaseHTTPRequestHandler):
    server: Slow

    def do_GET(self) -> None:
        self.server.heard.set()
        self.server.go_on.wait(LIMIT_S)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the standard library's name
        """Say nothing."""


def environment(port: int, url: str) -> dict[str, str]:
    return os.environ | {"FRONT_PORT": str(port), "FRONT_URL": url, "FRONT_CONTROL_TOKEN": "t"}


@pytest.mark.live
def test_a_stop_answers_what_is_under_way_and_accepts_nothing_more(tmp_path: Path) -> None:
    slow = Slow()
    serving = threading.Thread(target=slow.serve_forever, kwargs={"poll_interval": 0.02})
    serving.start()
    answers: list[httpx.Response] = []
    with Ports() as ports, httpx.Client(timeout=LIMIT_S) as client:
        (port,) = ports.take()
        url = f"http://127.0.0.1:{port}"
        env = environment(port, f"http://127.0.0.1:{slow.server_port}")
        child = Child("front", [sys.executable, "-m", "compose.front"], log=tmp_path / "log", env=env, cwd=ROOT)
        wait_for(lambda: _answers(client, f"{url}/front/healthz"), LIMIT_S, "the front")
        asking = threading.Thread(target=lambda: answers.append(httpx.get(f"{url}/x", timeout=LIMIT_S)))
        asking.start()
        assert slow.heard.wait(LIMIT_S)
        child.send(signal.SIGTERM)
        wait_for(lambda: not _answers(client, f"{url}/front/healthz"), LIMIT_S, "the front's ears being closed")
        assert child.alive()
        slow.go_on.set()
        asking.join(LIMIT_S)
        wait_for(lambda: not child.alive(), LIMIT_S, "the front's end")
        child.stop()
    slow.shutdown()
    slow.server_close()
    serving.join(LIMIT_S)
    assert [(reply.status_code, reply.text) for reply in answers] == [(200, "ok")]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("FRONT_CONTROL_TOKEN", "", "front: FRONT_CONTROL_TOKEN is not set: "),
        ("FRONT_PORT", "http", "front: FRONT_PORT is 'http': "),
        ("FRONT_URL", "api:80", "front: FRONT_URL is 'api:80': "),
        ("FRONT_DEFECTS", "no_such", "front: FRONT_BUILD or FRONT_DEFECTS: unknown defect 'no_such'"),
    ],
)
def test_one_line_says_what_is_wrong(name: str, value: str, said: str) -> None:
    env = environment(1, "http://127.0.0.1:1") | {name: value}
    ended = subprocess.run(
        [sys.executable, "-m", "compose.front"], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr.startswith(said), ended.stderr.count("\n")) == (2, True, 1), ended.stderr


def _answers(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url, headers={"Connection": "close"}).status_code == 200
    except httpx.TransportError:
        return False
