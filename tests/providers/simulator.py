"""A provider as a real process, and a merchant's end for its notices, for the tests in this folder."""

import itertools
import json
import os
import queue
import socket
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import httpx

KEY = "merchant-key"
CONTROL_KEY = "control-key"
LIMIT_S = 10.0
"""Longest wait for anything here."""

EFFECTS = ("accepted", "captured", "closed", "failed", "refund_accepted", "refunded")

_pace = threading.Event()
_ports = itertools.count(24_000 + os.getpid() % 3_000)


def free_port() -> int:
    """A port below the ephemeral range that nothing listens on."""
    for port in _ports:
        with socket.socket() as trial:
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")


def environment(port: int, data: Path) -> dict[str, str]:
    return os.environ | {
        "PROVIDER_PORT": str(port),
        "PROVIDER_DATA": str(data),
        "PROVIDER_KEY": KEY,
        "PROVIDER_CONTROL_KEY": CONTROL_KEY,
        "PROVIDER_SEED": "7",
        "PROVIDER_NOTICE_SCHEDULE_MS": "20,20,40",
    }


def attribution(order: str) -> str:
    return json.dumps({"run": "run-1", "order": order})


class Simulator:
    """One provider process, started on entry and ended on exit."""

    def __init__(self, name: str, data: Path) -> None:
        self.name = name
        self.data = data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        self.client = httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {KEY}"}, timeout=LIMIT_S, trust_env=False
        )
        self.harness = httpx.Client(
            base_url=self.url, headers={"X-Control-Key": CONTROL_KEY}, timeout=LIMIT_S, trust_env=False
        )
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.harness.close()
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(LIMIT_S)

    def start(self) -> None:
        self._read: list[dict[str, Any]] = []  # since this start: what an earlier process said is read again
        command = [sys.executable, "-m", "compose.providers", self.name]
        self.process = subprocess.Popen(command, env=environment(self.port, self.data))
        for _ in attempts("the provider's first answer"):
            assert self.process.poll() is None, "the provider ended while starting"
            try:
                self.harness.get("/healthz").raise_for_status()
            except httpx.TransportError:
                continue
            return

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(LIMIT_S)

    def new_number(self) -> str:
        return f"number-{self.name}-{next(self._numbers)}"

    def post(self, path: str, body: dict[str, Any], key: str | None = None) -> httpx.Response:
        return self.client.post(path, json=body, headers={} if key is None else {"Idempotency-Key": key})

    def abandon(self, path: str, body: dict[str, Any], key: str | None = None, **match: object) -> None:
        """Send a request, wait until the ledger has it (`match` finds its row), and hang up without an answer."""
        before = len(self.rows(kind="request", **match))
        with socket.create_connection(("127.0.0.1", self.port), LIMIT_S) as line:
            content = json.dumps(body)
            head = [f"POST {path} HTTP/1.1", "Host: provider", f"Authorization: Bearer {KEY}"]
            head += [f"Idempotency-Key: {key}"] if key is not None else []
            line.sendall("\r\n".join([*head, f"Content-Length: {len(content)}", "", content]).encode())
            for _ in attempts("the abandoned request's row"):
                if len(self.rows(kind="request", **match)) > before:
                    return

    def rows(self, **match: object) -> list[dict[str, Any]]:
        """Every ledger row that has these values."""
        while True:
            after = self._read[-1]["seq"] if self._read else 0
            page = self.harness.get("/control/ledger", params={"after": after, "limit": 10_000}).raise_for_status()
            rows = [json.loads(line) for line in page.text.splitlines()]
            self._read += rows
            if not rows or rows[-1]["seq"] >= int(page.headers["X-Last-Seq"]):
                break
        return [row for row in self._read if all(row[name] == value for name, value in match.items())]

    def effects(self, number: str) -> list[str]:
        """Kinds of the effects on a trade, in order."""
        return [row["kind"] for row in self.rows(number=number) if row["kind"] in EFFECTS]

    def planned(self) -> dict[str, Any]:
        standing: dict[str, Any] = self.harness.get("/control/planned").raise_for_status().json()
        return standing

    def settle(self) -> None:
        """Wait until nothing is planned any more."""
        for _ in attempts("nothing planned"):
            if self.planned()["planned"] == 0:
                return

    def await_rows(self, **match: object) -> list[dict[str, Any]]:
        """Wait for the first such row."""
        for _ in attempts(f"a row {match}"):
            if rows := self.rows(**match):
                return rows
        raise AssertionError

    @contextmanager
    def fault(self, **settings: object) -> Iterator[str]:
        """A fault in force for the length of the block; gives its id."""
        fault_id = f"fault-{next(self._numbers)}"
        answer = self.harness.post("/control/faults", json={"id": fault_id, **settings})
        assert answer.status_code == 201, answer.text
        try:
            yield fault_id
        finally:
            assert self.harness.delete(f"/control/faults/{fault_id}").status_code == 204

    def hits(self, fault_id: str) -> int:
        faults = self.harness.get("/control/faults").raise_for_status().json()
        return next(int(fault["hits"]) for fault in faults if fault["id"] == fault_id)


class Sink:
    """The merchant's end of notices: `/ok/...` acknowledges, `/refuse/...` answers 500, each path has its queue."""

    def __init__(self) -> None:
        self._arrived: dict[str, queue.SimpleQueue[tuple[dict[str, str], bytes]]] = defaultdict(queue.SimpleQueue)
        self._names = itertools.count(1)

    def __enter__(self) -> Self:
        arrived = self._arrived

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                arrived[self.path].put(({name.lower(): value for name, value in self.headers.items()}, body))
                answer = b"success"
                self.send_response(200 if self.path.startswith("/ok/") else 500)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", free_port()), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def url(self, kind: str = "ok") -> str:
        """A notice URL of its own."""
        return f"http://127.0.0.1:{self._server.server_port}/{kind}/{next(self._names)}"

    def take(self, url: str) -> tuple[dict[str, str], bytes]:
        """The next notice that comes there: headers in lower case, and body."""
        return self._arrived[httpx.URL(url).path].get(timeout=LIMIT_S)

    def left(self, url: str) -> int:
        """Notices that came and were not taken."""
        return self._arrived[httpx.URL(url).path].qsize()


def attempts(what: str) -> Iterator[int]:
    """Give chances, 20 ms apart, until the limit; then fail, naming what was awaited."""
    for number in range(int(LIMIT_S / 0.02)):
        yield number
        _pace.wait(0.02)
    raise AssertionError(f"{what} was not seen within {LIMIT_S:g} s")
