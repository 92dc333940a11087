"""The compose file's stack in a project of its own, on ports of its own, for tests; it goes again whatever happens."""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from harness.stack.ports import Ports
from tests.readme import ROOT

FILE = ROOT / "compose" / "compose.yaml"
PORTS = ("CUSTOMER_PORT", "STATUS_PORT", "TOXIPROXY_PORT", "PROMETHEUS_PORT", "GRAFANA_PORT")
BUILD_LIMIT_S = 1_200
RUN_LIMIT_S = 600


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A command that has ended."""

    code: int
    output: str


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One compose project."""

    project: str
    environ: Mapping[str, str]

    def compose(self, *arguments: str, limit_s: float = RUN_LIMIT_S) -> Ended:
        return self.run("docker", "compose", "-f", str(FILE), *arguments, limit_s=limit_s)

    def gate(self, *arguments: str) -> Ended:
        return self.run(sys.executable, "-m", "harness.cli", "gate", "--stack", "compose", *arguments)

    def from_inside(self, *arguments: str) -> Ended:
        return self.compose("run", "--rm", "-T", "harness", "gate", *arguments)

    def run(self, *command: str, limit_s: float = RUN_LIMIT_S) -> Ended:
        """Run it and show what it says as it goes; a test that is interrupted lets it end in good order first."""
        begun_s = time.monotonic()
        say(f"$ {' '.join(Path(word).name if word == str(FILE) else word for word in command)}")
        with subprocess.Popen(
            command,
            cwd=ROOT,
            env=dict(self.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as child:
            assert child.stdout is not None
            lines = []
            for line in child.stdout:
                lines.append(line)
                say(f"  {line.rstrip()}")
            code = child.wait(limit_s)
        say(f"  exit code {code} after {time.monotonic() - begun_s:.0f} s")
        return Ended(code=code, output="".join(lines))

    def services(self, *, form: str = "{{.Service}} {{.Health}}") -> set[str]:
        return set(self.compose("ps", "--format", form).output.split("\n")) - {""}

    def url(self, variable: str) -> str:
        return f"http://127.0.0.1:{self.environ[variable]}"

    def left(self) -> list[str]:
        """Containers, networks and volumes of the project."""
        label = f"label=com.docker.compose.project={self.project}"
        kinds = (("ps", "-a"), ("network", "ls"), ("volume", "ls"))
        return [name for kind in kinds for name in docker(*kind, "-q", "--filter", label).split()]

    def nameless(self) -> int:
        """How many volumes lie there that belong to no container: of no project, as far as the engine knows."""
        return len(docker("volume", "ls", "-q", "--filter", "dangling=true", "--filter", "name=^[0-9a-f]{64}$").split())


def docker(*arguments: str) -> str:
    """What `docker ARGUMENTS` prints."""
    return subprocess.run(("docker", *arguments), capture_output=True, text=True, timeout=60, check=True).stdout


def say(line: str) -> None:
    """Show progress; the make target has pytest capture nothing."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


@contextmanager
def project() -> Iterator[Standing]:
    """A project that nobody else has, not started yet."""
    name = f"payment-chaos-test-{secrets.token_hex(3)}"
    with Ports() as ports:
        taken = dict(zip(PORTS, map(str, ports.take(len(PORTS))), strict=True))
        standing = Standing(project=name, environ={**os.environ, **taken, "COMPOSE_PROJECT_NAME": name})
        try:
            yield standing
        finally:
            standing.compose("--profile", "*", "down", "--volumes", "--remove-orphans", "--timeout", "2")
            if containers := docker("ps", "-aq", "--filter", f"label=com.docker.compose.project={name}").split():
                docker("rm", "--force", "--volumes", *containers)
                standing.compose("--profile", "*", "down", "--volumes")


def answers(url: str) -> bool:
    """Whether a page is there."""
    return httpx.get(url, trust_env=False).is_success
