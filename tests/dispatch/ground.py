"""Dispatch as a process that can be killed, from the outside."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from harness.stack.process import Child
from tests.payment_api.ground import ROOT, inherited

KEY = "dispatch-key"
CONTROL_KEY = "dispatch-control-key"
LIMIT_S = 10.0


@dataclass(kw_only=True)
class Dispatch:
    """One process, with a folder that outlives it."""

    port: int
    folder: Path
    child: Child | None = None
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=5))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        return inherited() | {
            "DISPATCH_PORT": str(self.port),
            "DISPATCH_DATA": str(self.folder / "data"),
            "DISPATCH_KEY": KEY,
            "DISPATCH_CONTROL_KEY": CONTROL_KEY,
        }

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "-m", "compose.dispatch"]
        self.child = Child("dispatch", command, log=self.folder / "log", env=self.environment, cwd=ROOT)
        until = time.monotonic() + LIMIT_S
        while True:
            assert self.child.alive(), self.child.tail()
            with suppress(httpx.TransportError):
                self.client.get(f"{self.url}/healthz").raise_for_status()
                return
            assert time.monotonic() < until
            time.sleep(0.02)

    def kill(self) -> None:
        assert self.child is not None
        self.child.kill()

    def release(self, order: str, key: str, *, token: str = KEY) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
        body = {"order": order, "run": "run-1", "line": "ride"}
        return self.client.post(f"{self.url}/v1/releases", json=body, headers=headers)

    def control(self, path: str, *, key: str = CONTROL_KEY) -> httpx.Response:
        return self.client.get(f"{self.url}/control/{path}", headers={"X-Control-Key": key})

    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.control("ledger?limit=10000").raise_for_status().text.splitlines()]

    def of(self, order: str) -> list[tuple[str, str | None]]:
        """Kind and note of each call for an order."""
        return [(row["kind"], row["note"]) for row in self.rows() if row["order"] == order]


@contextmanager
def running(port: int, folder: Path) -> Iterator[Dispatch]:
    """It, until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    dispatch = Dispatch(port=port, folder=folder)
    dispatch.start()
    try:
        yield dispatch
    finally:
        dispatch.kill()
        dispatch.client.close()
