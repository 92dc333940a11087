"""The page as a process: what visitors get, and what is left when the API has gone."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from harness.stack.ports import Ports
from harness.stack.process import Child
from tests.payment_api.ground import ROOT, eventually, inherited

pytestmark = pytest.mark.live
WORKS = b'{"methods":{"wechat":{"state":"ok","since_utc_ms":1},"card":{"state":"ok","since_utc_ms":1}},"utc_ms":2}'
CARD_DOWN = WORKS.replace(b'"card":{"state":"ok"', b'"card":{"state":"down"')


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    says: Callable[[str | None], tuple[int, bytes]]

    def do_GET(self) -> None:
        status, body = type(self).says(self.headers.get("Authorization"))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None: ...


@dataclass(kw_only=True)
class Site:
    """A status page, and the one who plays its API."""

    url: str
    child: Child
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=5))
    body: bytes = WORKS
    speaks: bool = True

    def says(self, token: str | None) -> tuple[int, bytes]:
        return (200, self.body) if self.speaks and token == "Bearer operator" else (503, b"")

    def status(self) -> str | None:
        reply = self.client.get(f"{self.url}/status")
        return str(reply.json()["status"]) if reply.status_code == 200 else None


@contextmanager
def opened(folder: Path, defects: str = "") -> Iterator[Site]:
    with Ports() as ports, ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as api:
        (port,) = ports.take()
        environment = inherited() | {
            "STATUS_PAGE_PORT": str(port),
            "STATUS_PAGE_APIS": f"http://127.0.0.1:{api.server_address[1]}",
            "STATUS_PAGE_OPERATOR_TOKEN": "operator",
            "STATUS_PAGE_DEFECTS": defects,
        }
        command = [sys.executable, "-m", "compose.status_page"]
        child = Child("status page", command, log=folder / "status.log", env=environment, cwd=ROOT)
        site = Site(url=f"http://127.0.0.1:{port}", child=child)
        api.RequestHandlerClass = type("Handler", (_Handler,), {"says": staticmethod(site.says)})
        Thread(target=api.serve_forever, daemon=True).start()
        try:
            eventually(lambda: answers(site))
            yield site
        finally:
            api.shutdown()
            child.kill()
            site.client.close()


def answers(site: Site) -> bool:
    assert site.child.alive(), site.child.tail()
    try:
        return site.client.get(f"{site.url}/healthz").status_code == 200
    except httpx.TransportError:
        return False


def test_it_says_ok_then_which_method_then_all_of_them_and_ok_again(tmp_path: Path) -> None:
    with opened(tmp_path) as site:
        eventually(lambda: site.status() == "ok")
        site.body = CARD_DOWN
        eventually(lambda: site.status() == "degraded")
        methods = site.client.get(f"{site.url}/status").json()["methods"]
        assert [method["method"] for method in methods if method["state"] != "ok"] == ["card"]
        site.speaks = False
        eventually(lambda: len(site.client.get(f"{site.url}/status").json()["methods"]) == 3)
        site.body, site.speaks = WORKS, True
        eventually(lambda: site.status() == "ok")


def test_a_browser_gets_a_page_and_everything_else_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path) as site:
        eventually(lambda: site.status() == "ok")
        shown = site.client.get(f"{site.url}/status", headers={"Accept": "text/html"})
        assert shown.headers["content-type"].startswith("text/html")
        assert "All payment methods work." in shown.text
        assert site.client.get(f"{site.url}/other").status_code == 404
        assert site.client.post(f"{site.url}/status").status_code == 405
        assert site.client.get(f"{site.url}/status", headers={"X-Long": "x" * 20_000}).status_code == 400


@pytest.mark.parametrize(
    ("defect", "told"),
    [
        ("status_always_ok", ("ok", "ok")),
        ("status_always_degraded", ("degraded", "degraded")),
        ("status_shares_fate", ("ok", None)),
    ],
)
def test_a_defect_shows_before_and_after_the_api_has_gone(
    tmp_path: Path, defect: str, told: tuple[str | None, str | None]
) -> None:
    with opened(tmp_path, defect) as site:
        before = eventually(site.status)
        site.speaks = False
        assert (before, site.status()) == told


def test_a_stop_ends_it_and_what_is_missing_is_named(tmp_path: Path) -> None:
    with opened(tmp_path) as site:
        with httpx.Client() as visitor:
            visitor.get(f"{site.url}/status")
            os.kill(site.child.pid, signal.SIGTERM)
            eventually(lambda: not site.child.alive())
    done = subprocess.run(
        [sys.executable, "-m", "compose.status_page"],
        cwd=ROOT,
        env=inherited(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "STATUS_PAGE_PORT is not set" in done.stderr) == (2, True)
