"""What is a run asked to do, and is that possible?

`assign` turns what was asked for on a command line or in a start form into an
`Assignment`, or raises UsageError: nothing is started before it is known to be
possible. What of it goes to disk is made by `harness.records`.
"""

import os
import secrets
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.documents import Anchor
from harness.errors import UsageError
from harness.known_file import file_asked_for, read_known
from harness.operation import Size, StackKind
from harness.profile import PROFILES, Windows
from harness.scenario import Scenario
from harness.stack.addresses import addresses_of
from harness.stack.builds import Chosen, resolve_defects
from harness.stack.docker import check_compose
from harness.stack.hosts import check_hosts
from harness.stack.ports import check_free, reserved
from harness.targets.file import TargetFile, load_target
from harness.targets.template import nearest

SERVERS = 2
"""PostgreSQL and Toxiproxy."""
MOST_RATE = 10.0
"""A scenario's arrival rate can be multiplied by so much at most; beyond it the machine is what is tested."""
SCENARIOS = "scenarios"
"""Where scenario files lie unless another folder is named."""
LIBRARIES = ("locust", "gevent", "httpx", "toxiproxy-python", "duckdb", "msgspec")


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricsAt:
    """Where a run that goes on serves Prometheus' metrics."""

    host: str
    port: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Assignment:
    """One run, known to be possible."""

    run_id: str
    scenarios: tuple[Scenario, ...]
    """At the rate that is asked for."""
    rate: float = 1.0
    """Times their own arrival rate."""
    size: Size
    seed: int
    target: TargetFile
    target_file: Path
    """As it was given, for `harness rerun`."""
    chosen: Chosen
    profile: str
    runs: Path
    port_base: int
    allow_hosts: tuple[str, ...]
    most_journeys: int
    stack: StackKind = StackKind.PROCESSES
    known_file: str = ""
    """As it was given, for `harness rerun`; empty for ./known.toml, if it is there."""
    known: bytes | None = None
    """What it says; goes into the run directory."""
    scenario_files: str = SCENARIOS
    """The folder that they came from, for `harness rerun`."""
    live: bool = True
    """It is watched while it goes on."""
    metrics: MetricsAt | None = None

    @property
    def folder(self) -> Path:
        """The run directory."""
        return self.runs / self.run_id

    def windows(self, scenario: Scenario) -> Windows:
        """Time windows of one scenario."""
        return scenario.windows(self.size, PROFILES[self.profile])

    def settings(self, scenario: Scenario) -> dict[str, str | int]:
        """What the target is started with for one scenario."""
        return {**self.target.defaults, **scenario.plans[self.size].settings}

    def arguments(self) -> tuple[str, ...]:
        """What `harness gate` is given to run the same again."""
        given = [scenario.name for scenario in self.scenarios]
        given += ["--size", self.size.value, "--build", self.chosen.build]
        given += ["--target", str(self.target_file), "--seed", str(self.seed), "--profile", self.profile]
        if self.rate != 1:
            given += ["--rate", f"{self.rate!r}"]
        for name in self.chosen.defects:
            given += ["--defect", name]
        for host in self.allow_hosts:
            given += ["--allow-host", host]
        if self.stack is not StackKind.PROCESSES:
            given += ["--stack", self.stack.value]
        if self.known_file:
            given += ["--known", self.known_file]
        if self.scenario_files.rstrip("/") != SCENARIOS:
            given += ["--scenarios", self.scenario_files]
        return tuple(given)


def assign(
    *,
    run_id: str,
    scenarios: Sequence[Scenario],
    size: str,
    seed: int,
    target_file: Path,
    build: str,
    defects: Sequence[str],
    profile: str,
    runs: Path,
    port_base: int,
    allow_hosts: tuple[str, ...],
    host: str,
    most_journeys: int,
    rate: float = 1.0,
    stack: str = StackKind.PROCESSES.value,
    known_file: str = "",
    scenario_files: str = SCENARIOS,
    live: bool = True,
    metrics: MetricsAt | None = None,
) -> Assignment:
    """Check what is asked for; raises UsageError, in one line, where it cannot be done.

    `host` is what Locust's `--host` or its start form names: empty for the target file's own.
    """
    if not scenarios:
        raise UsageError("no scenario to run; name one, or run this where the folder scenarios/ lies")
    if size not in set(Size):
        raise UsageError(f"unknown size {size!r}{nearest(size, tuple(Size))}")
    check_rate(rate)
    wanted = Size(size)
    check_sizes({scenario.name: {each.value for each in scenario.plans} for scenario in scenarios}, wanted.value)
    target = load_target(target_file)
    if host:
        target = with_host(target, host, allow_hosts)
    check_settings(target, {scenario.name: scenario.plans[wanted].settings for scenario in scenarios})
    check_hosts(addresses_of(target, os.environ), file_allows=target.allow_hosts, allowed=allow_hosts)
    check_ports(target, port_base)
    check_metrics(metrics, live=live)
    kind = check_stack(target, stack)
    if (runs / run_id / "run.json").exists():
        raise UsageError(f"run directory {runs / run_id} holds a run already; leave out --run-id, or name another")
    return Assignment(
        run_id=run_id,
        scenarios=tuple(scenario.at_rate(rate) for scenario in scenarios),
        rate=rate,
        size=wanted,
        seed=seed,
        target=target,
        target_file=target_file,
        chosen=resolve_defects(target, build, defects),
        profile=profile,
        runs=runs,
        port_base=port_base,
        allow_hosts=allow_hosts,
        most_journeys=most_journeys,
        stack=kind,
        known_file=known_file,
        known=read_known(file_asked_for(known_file)),
        scenario_files=scenario_files,
        live=live,
        metrics=metrics,
    )


def with_host(target: TargetFile, host: str, allow_hosts: Sequence[str]) -> TargetFile:
    """The target at another base URL, as Locust's host field may name one; refused before a byte is sent.

    Raises HostNotAllowed, or UsageError for a target that the stack starts on ports of its own.
    """
    url = host if "://" in host else f"http://{host}"
    check_hosts([url], file_allows=target.allow_hosts, allowed=allow_hosts)
    if target.base_url is None:
        raise UsageError(
            f"host {host}: target {target.name} is started on ports of its own; leave the host empty, "
            "or name a target file with a base_url by --target"
        )
    return target.model_copy(update={"base_url": url})


def check_rate(rate: float) -> None:
    """Raise UsageError where a load cannot be multiplied by it."""
    if not 0 < rate <= MOST_RATE:
        raise UsageError(f"rate {rate:g}: name a factor above 0, at most {MOST_RATE:g}; 1 is the scenario's own rate")


def check_ports(target: TargetFile, base: int) -> None:
    """Raise PortTaken where a port is in use that a base fixes for services, edges, PostgreSQL and Toxiproxy."""
    if base:
        with reserved(len(target.service) + len(target.edge) + SERVERS, base=base):
            pass


def check_metrics(metrics: MetricsAt | None, *, live: bool) -> None:
    """Raise UsageError where nobody would serve what is asked for, PortTaken where the port is in use."""
    if metrics is None:
        return
    if not live:
        raise UsageError("metrics are served by the live judge; leave out --no-live or --metrics-port")
    check_free(metrics.host, metrics.port)


def check_stack(target: TargetFile, name: str) -> StackKind:
    """The kind of stack; raises UsageError where there is none of that name, or the target cannot be started so."""
    if name not in set(StackKind):
        raise UsageError(f"unknown stack {name!r}{nearest(name, tuple(StackKind))}")
    kind = StackKind(name)
    if kind is StackKind.COMPOSE:
        check_compose(target)
    return kind


def check_sizes(scenarios: Mapping[str, Collection[str]], size: str) -> None:
    """Raise UsageError where a scenario does not declare the size."""
    for name, sizes in scenarios.items():
        if size not in sizes:
            raise UsageError(f"scenario {name} declares no size {size!r}; it has {', '.join(sorted(sizes))}")


def check_settings(target: TargetFile, wanted: Mapping[str, Collection[str]]) -> None:
    """Raise UsageError where a scenario sets what the target file's [defaults] do not name."""
    for scenario, names in wanted.items():
        for name in sorted(names):
            if name not in target.defaults:
                raise UsageError(
                    f"scenario {scenario} sets {name!r}, which [defaults] of target file {target.path} does not name"
                    + nearest(name, target.defaults)
                )


def check_names(asked: Sequence[str], known: Mapping[str, Collection[str]], size: str) -> None:
    """Raise UsageError where a scenario is unknown, with what was probably meant, or lacks the size."""
    for name in asked:
        if name not in known:
            raise UsageError(f"unknown scenario {name!r}{nearest(name, known)}")
    check_sizes({name: known[name] for name in asked}, size)


def read_anchor() -> Anchor:
    """Read both clocks; the best of ten tries, since another process may come in between."""
    tries = []
    for _ in range(10):
        before_ns = time.monotonic_ns()
        utc_ms = time.time_ns() / 1e6
        after_ns = time.monotonic_ns()
        tries.append((after_ns - before_ns, before_ns, utc_ms))
    took_ns, before_ns, utc_ms = min(tries)
    return Anchor(monotonic_ns=before_ns + took_ns // 2, utc_ms=utc_ms, error_ms=took_ns / 2e6)


def new_run_id() -> str:
    """Name a run by the instant at which it was asked for, UTC, and four digits against twins."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
