"""Real parts on loopback for the fault drivers: Toxiproxy, a provider, an API as a process of its own.

The provider is a small HTTP server in a thread: it remembers probes, keeps faults
with a count of hits, and answers. The API is `served.py` in a child process, so
that it can be killed and stopped.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psutil

from harness.faults.proof import FaultRow
from harness.faults.surroundings import Edge, Endpoint, ProviderControl, Running, Sight, Surroundings
from harness.stack.sight import ProcessSight
from harness.stack.toxiproxy import Toxiproxy, open_toxiproxy

KEY = "control key"
RUN = "r1"


class Provider(ThreadingHTTPServer):
    """What the drivers need of a provider simulator."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _ProviderHandler)
        self.probes: set[str] = set()
        self.faults: dict[str, dict[str, Any]] = {}
        self.refuses = False
        self.url = f"http://127.0.0.1:{self.server_port}"


class _ProviderHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Provider

    def do_GET(self) -> None:
        match self.path.strip("/").split("/"):
            case ["probe", nonce]:
                self.server.probes.add(nonce)
                self._answer(204, None)
            case ["healthz"]:
                self._answer(200, {"provider": "wechat"})
            case ["control", "probes", nonce]:
                self._answer(200, {"seen": nonce in self.server.probes})
            case ["control", "faults"]:
                self._answer(200, list(self.server.faults.values()))
            case _:
                self._answer(404, {})

    def do_POST(self) -> None:
        fault = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.faults[fault["id"]] = fault | {"hits": 0}
        self._answer(201, {})

    def do_DELETE(self) -> None:
        known = self.server.faults.pop(self.path.rpartition("/")[2], None)
        self._answer(404 if known is None else 204, None)

    def _answer(self, status: int, body: object) -> None:
        if "/control" in self.path and self.headers["X-Control-Key"] != KEY:
            status, body = 403, {}
        if self.server.refuses:
            status, body = 503, {}
        text = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the standard library's name
        """Say nothing."""


@dataclass(kw_only=True)
class Api:
    """`served.py` as a child process, on one port for all its lives."""

    port: int
    process: subprocess.Popen[bytes] | None = None
    argument: str = ""
    immortal: bool = False
    """Signals and restarts have no effect, without a word."""
    family: list[psutil.Process] = field(default_factory=list)
    """Whoever ever lived, to be ended."""

    def running(self, service: str) -> Running | None:
        assert service == "api"
        if self.process is None or self.process.poll() is not None:
            return None
        stat = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return Running(pid=self.process.pid, start_ticks=int(stat[19]))

    def sight(self, service: str) -> Sight | None:
        running = self.running(service)
        return None if running is None else ProcessSight(running)

    def kill(self, service: str) -> None:
        self._send(service, signal.SIGKILL)
        assert self.process is not None
        if not self.immortal:
            self.process.wait(5)

    def start(self, service: str) -> None:
        assert service == "api"
        if self.immortal:
            return
        script = Path(__file__).with_name("served.py")
        self.process = subprocess.Popen([sys.executable, str(script), str(self.port), self.argument])
        wait_for_port(self.port)
        leader = psutil.Process(self.process.pid)
        self.family += [leader, *leader.children()]

    def start_as(self, service: str, release: str) -> None:
        raise NotImplementedError

    def drain(self, service: str) -> None:
        raise NotImplementedError

    def pause(self, service: str) -> None:
        self._send(service, signal.SIGSTOP)

    def resume(self, service: str) -> None:
        self._send(service, signal.SIGCONT)

    def end(self) -> None:
        for process in self.family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        if self.process is not None:
            self.process.wait(5)

    def _send(self, service: str, number: signal.Signals) -> None:
        assert service == "api"
        assert self.process is not None
        if not self.immortal:
            os.kill(self.process.pid, number)


@dataclass(kw_only=True)
class Warden:
    """Remembers what it was told."""

    undo: dict[int, str] = field(default_factory=dict)
    ever: list[str] = field(default_factory=list)
    gone: Exception | None = None

    def will_delete(self, url: str, headers: Mapping[str, str] | None = None) -> int:
        if self.gone is not None:
            raise self.gone
        assert headers is None or headers == {"X-Control-Key": KEY}
        self.ever.append(url)
        self.undo[len(self.ever)] = url
        return len(self.ever)

    def will_request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: str | None = None
    ) -> int:
        assert (method, headers, body) == ("POST", {"Content-Type": "application/json"}, '{"enabled": true}')
        return self.will_delete(url)

    def done(self, number: int) -> None:
        del self.undo[number]


class Server(Toxiproxy):
    """Toxiproxy as a fault uses it, and as a saboteur does."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.client = httpx.Client(base_url=url, timeout=5, trust_env=False)


@dataclass(kw_only=True)
class Ground:
    """All of it."""

    around: Surroundings
    toxiproxy: Server
    wechat: Provider
    api: Api
    warden: Warden


@contextmanager
def toxiproxy(log: Path) -> Iterator[Server]:
    """The real server."""
    with open_toxiproxy(log=log) as opened:
        server = Server(opened.url)
        yield server
        server.client.close()


@contextmanager
def ground(server: Server, run: str = RUN) -> Iterator[Ground]:
    """Edges of one run on a Toxiproxy that may be shared; all of them are gone afterwards."""
    provider = Provider()
    serving = threading.Thread(target=provider.serve_forever, kwargs={"poll_interval": 0.02})
    serving.start()
    api = Api(port=free_port())
    leads = {"wechat": ("wechat", provider.server_port), "customer": ("api", api.port), "nowhere": ("shop", 9)}
    edges = {}
    for name, (to, port) in leads.items():
        proxy = f"{run}.{name}"
        upstream = f"127.0.0.1:{port}"
        listen = server.create_proxy(proxy, listen="127.0.0.1:0", upstream=upstream).listen
        edges[name] = Edge(name=name, proxy=proxy, listen=listen, upstream=upstream, at=listen, past=upstream, to=to)
    warden = Warden()
    around = Surroundings(
        run_id=run,
        edges=edges,
        services={"api": Endpoint(url=f"http://127.0.0.1:{api.port}"), "wechat": Endpoint(url=provider.url)},
        providers={"wechat": ProviderControl(url=provider.url, key=KEY)},
        toxiproxy=server,
        control=api,
        warden=warden,
    )
    try:
        yield Ground(around=around, toxiproxy=server, wechat=provider, api=api, warden=warden)
    finally:
        for edge in edges.values():
            server.delete_proxy(edge.proxy)
        provider.shutdown()
        provider.server_close()
        serving.join(5)
        api.end()


def free_port() -> int:
    """A port that nobody listens on, outside the range for outgoing connections."""
    for port in range(21_000 + os.getpid() % 9_000, 32_000):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise AssertionError("no free port")


def wait_for_port(port: int) -> None:
    """Until somebody accepts there."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError(f"nobody accepts on port {port}")


def rows(path: Path) -> list[FaultRow]:
    """What `faults.jsonl` says."""
    return [msgspec.json.decode(line, type=FaultRow) for line in path.read_bytes().splitlines()]


def steps(path: Path, number: int = 0) -> list[tuple[str, str]]:
    """Event and status of one fault's rows; a run of equal ones once."""
    told = [(row.event.value, row.status.value) for row in rows(path) if row.number == number]
    return [step for place, step in enumerate(told) if place == 0 or told[place - 1] != step]
