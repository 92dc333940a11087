"""A Prometheus, ours or somebody's, and a scene that it looks at: AnswerLost against an API that charges twice.

harness gate ──/metrics──┐
payment API ──/metrics───┴──> prometheus, with compose/prometheus/ as its configuration
"""

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
from ruamel.yaml import YAML

from harness.stack.ports import LOOPBACK, Ports
from harness.stack.process import Child
from tests.readme import ROOT

CONFIG = ROOT / "compose" / "prometheus"
RUN_ID = "20261129-rehearsal"
SCENE = ("AnswerLost", "--size", "scene", "--defect", "new_number_on_retry", "--seed", "1", "--run-id", RUN_ID)
LIMIT_S = 60.0
SCENE_LIMIT_S = 240.0
LOOK_BACK_S = 1800
COARSE_S = 5
POLL_S = 0.25

Series = dict[str, Any]


@dataclass(kw_only=True)
class Prometheus:
    """What a Prometheus knows, and of which while."""

    url: str
    start_s: float = 0.0
    end_s: float = 0.0
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=30, trust_env=False))

    def get(self, path: str, **query: object) -> Any:
        """The data of an answer; raises where Prometheus takes the query for none."""
        reply = self.client.get(f"{self.url}/api/v1/{path}", params={name: str(value) for name, value in query.items()})
        told = reply.json()
        assert told["status"] == "success", told
        return told["data"]

    def over(self, expr: str, step_s: int = 1) -> list[Series]:
        """A query's series over the run; points that are no number are left out, and series that have no others."""
        data = self.get("query_range", query=expr, start=self.start_s, end=self.end_s, step=step_s)
        series: list[Series] = data["result"]
        return [each for each in series if not all(math.isnan(float(value)) for _, value in each["values"])]

    def look_back(self) -> bool:
        """Find the while in which a run was seen lately; False where there was none."""
        self.start_s, self.end_s = time.time() - LOOK_BACK_S, time.time()
        found = self.over("count(payment_chaos_phase)", COARSE_S)
        if found:
            instants = [instant for instant, _ in found[0]["values"]]
            self.start_s, self.end_s = instants[0] - COARSE_S, instants[-1] + COARSE_S
        return bool(found)


@contextmanager
def rehearsed(folder: Path) -> Iterator[Prometheus]:
    """Play the scene while a Prometheus of ours asks, and keep that until the block ends."""
    with Ports() as ports:
        port, metrics = ports.take(2)
        targets = _configured(folder)
        _point(targets / "harness.json", f"{LOOPBACK}:{metrics}")
        prometheus = Prometheus(url=f"http://{LOOPBACK}:{port}")
        command = ["prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"]
        command.append(f"--web.listen-address={LOOPBACK}:{port}")
        child = Child("prometheus", command, log=folder / "log", env={"PATH": os.environ["PATH"]}, cwd=folder)
        try:
            _until_ready(prometheus, child)
            prometheus.start_s = time.time()
            _play(folder, metrics, targets / "api.json")
            prometheus.end_s = time.time()
            yield prometheus
        finally:
            child.kill()
            prometheus.client.close()


def _configured(folder: Path) -> Path:
    """Prometheus' files as they are, with each target read from a file; returns the folder of those."""
    yaml = YAML(typ="safe")
    config = yaml.load(CONFIG / "prometheus.yml")
    targets = folder / "targets"
    targets.mkdir()
    config["rule_files"] = [str(CONFIG / "rules.yml")]
    for job in config["scrape_configs"]:
        for way in ("static_configs", "dns_sd_configs"):
            job.pop(way, None)
        file = targets / f"{job['job_name']}.json"
        job["file_sd_configs"] = [{"files": [str(file)], "refresh_interval": "1s"}]
    yaml.dump(config, folder / "prometheus.yml")
    return targets


def _point(file: Path, *targets: str) -> None:
    whole = file.with_suffix(".new")
    whole.write_text(json.dumps([{"targets": targets}]))
    whole.replace(file)


def _until_ready(prometheus: Prometheus, child: Child) -> None:
    until = time.monotonic() + LIMIT_S
    while True:
        assert child.alive(), child.tail()
        with suppress(httpx.TransportError):
            if prometheus.client.get(f"{prometheus.url}/-/ready").status_code == httpx.codes.OK:
                return
        assert time.monotonic() < until, "prometheus did not get ready"
        time.sleep(POLL_S)


def _play(folder: Path, metrics: int, api: Path) -> None:
    """Play the scene, and point Prometheus at each build of its API as soon as there is one."""
    seen: set[str] = set()
    options = ("--runs", str(folder / "runs"), "--metrics-port", str(metrics))
    command = [sys.executable, "-m", "harness.cli", "gate", *SCENE, *options]
    with (folder / "gate.log").open("wb") as log:
        gate = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
        try:
            until = time.monotonic() + SCENE_LIMIT_S
            while gate.poll() is None:
                assert time.monotonic() < until, (folder / "gate.log").read_text()
                if new := _ports_of_apis() - seen:
                    seen |= new
                    _point(api, *(f"{LOOPBACK}:{port}" for port in sorted(seen)))
                time.sleep(POLL_S)
        finally:
            gate.terminate()
            gate.wait()
    assert gate.returncode == 1, (folder / "gate.log").read_text()


def _ports_of_apis() -> set[str]:
    """Of the payment APIs that serve the scene."""
    found: set[str] = set()
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            environment: Mapping[str, str] = process.environ()
            if environment.get("PAYMENT_API_RUN_ID") == RUN_ID:
                found.add(environment["PAYMENT_API_PORT"])
    return found
