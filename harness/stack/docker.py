"""How is a Docker engine spoken to, and how are its answers read?

Through the command line, `docker` and its plugin `compose`: it finds the engine
as its user does (context, rootless, a socket in another place). A call takes 50
to 100 ms. Works under gevent's monkey-patching as without.
"""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.errors import StackError, TimeLimit, UsageError
from harness.stack.compose_file import RUN_LABEL
from harness.stack.process import MARK
from harness.targets.file import ComposeEntry, TargetFile

PROGRAM = "docker"
CALL_LIMIT_S = 30.0
"""Of one question or one signal."""
UP_LIMIT_S = 120.0
"""Of starting or ending several containers."""
BUILD_LIMIT_S = 1_200.0
"""Of building images: without a cache, packages are fetched."""
PASSED_ON = re.compile(r"PATH|HOME|XDG_RUNTIME_DIR|DOCKER_\w+|BUILDX_\w+")
"""What the command line must know to find the same engine."""
STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z|\+00:00)")


@dataclass(frozen=True, kw_only=True, slots=True)
class ContainerState:
    """What the engine says of a container."""

    id: str
    status: str
    """created, running, paused, restarting, exited or dead."""
    running: bool
    """Also while it is paused."""
    paused: bool
    pid: int
    """Of its first process, in the engine's pid namespace; 0 where it does not run."""
    started_ns: int
    """UTC."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """One container of a compose project."""

    id: str
    service: str
    running: bool
    run_id: str
    """Of the run that started it; empty where nobody's run did."""


class Docker:
    """One engine; every call has a limit and raises StackError or TimeLimit where it fails."""

    def __init__(self, *, environ: Mapping[str, str] = os.environ, mark: str = "") -> None:
        """`mark` is the run's: by it the warden ends a call that outlives us."""
        self._environ = {**environ, **({MARK: mark} if mark else {})}
        # Taken once, so that one start is one instant however often it is asked for.
        self.utc_to_boot_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.time_ns()

    def call(self, *arguments: str, limit_s: float = CALL_LIMIT_S) -> str:
        """What `docker ARGUMENTS` prints."""
        return self._call(arguments, limit_s, output=subprocess.PIPE).stdout

    def compose(self, project: str, file: Path, *arguments: str, limit_s: float = UP_LIMIT_S) -> str:
        """What `docker compose ARGUMENTS` prints for a project and its file."""
        return self.call(*compose_arguments(project, file), *arguments, limit_s=limit_s)

    def config(self, file: Path) -> str:
        """A compose file as `docker compose` reads it, all profiles included, in JSON; raises UsageError."""
        try:
            return self.call("compose", "-f", str(file), "--profile", "*", "config", "--format", "json")
        except StackError as exc:
            raise UsageError(f"compose file {file} cannot be read: {exc}") from exc

    def listed(self, project: str) -> tuple[Listed, ...]:
        """The project's containers, `docker compose run`'s left out; raises UsageError where no engine answers."""
        labels = ("com.docker.compose.service", RUN_LABEL)
        form = "\t".join(("{{.ID}}", "{{.State}}", *(f'{{{{.Label "{label}"}}}}' for label in labels)))
        filters = (f"label=com.docker.compose.project={project}", "label=com.docker.compose.oneoff=False")
        try:
            text = self.call("ps", "-a", "--no-trunc", *(f"--filter={each}" for each in filters), "--format", form)
        except (StackError, TimeLimit) as exc:
            raise UsageError(f"no Docker engine answers: {exc}; start it, or name it by DOCKER_HOST") from exc
        return tuple(listed(line) for line in text.splitlines() if line.strip())

    def inspect(self, container: str) -> ContainerState | None:
        """A container's state; None where there is no such container."""
        done = self._call(
            ("inspect", "--type=container", "--format={{.Id}} {{json .State}}", container),
            CALL_LIMIT_S,
            output=subprocess.PIPE,
            check=False,
        )
        return state(done.stdout) if done.returncode == 0 else None

    def keep_logs(self, container: str, log: Path, *, after: int = 0) -> int:
        """Write all that a container has said so far into a file, after its first `after` bytes; gives its size."""
        with log.open("ab") as file:
            file.truncate(after)
            self._call(("logs", container), CALL_LIMIT_S, output=file.fileno(), check=False)
        return log.stat().st_size

    def last_words(self, container: str) -> str:
        """The last lines that a container said, in one line."""
        done = self._call(("logs", "--tail=6", container), CALL_LIMIT_S, output=subprocess.PIPE, check=False)
        lines = [line.strip() for line in (done.stdout + (done.stderr or "")).splitlines()]
        return " | ".join(line for line in lines if line) or "(it said nothing)"

    def versions(self) -> dict[str, str]:
        """Of engine and plugin."""
        return {
            "docker": self.call("version", "--format={{.Server.Version}}").strip(),
            "docker-compose": self.call("compose", "version", "--short").strip(),
        }

    def environment(self) -> dict[str, str]:
        """What a command needs that undoes things in our place."""
        return {name: text for name, text in self._environ.items() if PASSED_ON.fullmatch(name)}

    def boot_ticks(self, utc_ns: int) -> int:
        """An instant that the engine names, in clock ticks since boot, rounded down as a start time in /proc."""
        return (utc_ns + self.utc_to_boot_ns) * os.sysconf("SC_CLK_TCK") // 1_000_000_000

    def _call(
        self, arguments: Sequence[str], limit_s: float, *, output: int, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        told = f"docker {' '.join(arguments)}"
        try:
            done = subprocess.run(
                [PROGRAM, *arguments],
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.PIPE if output == subprocess.PIPE else subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=limit_s,
                check=False,
            )
        except subprocess.TimeoutExpired as exc:
            raise TimeLimit(f"{told}: did not end within {limit_s:g} s (limit docker_call)") from exc
        except OSError as exc:
            raise StackError(f"{told}: {exc}") from exc
        if check and done.returncode:
            last = [line.strip() for line in done.stderr.splitlines() if line.strip()][-3:]
            raise StackError(f"{told} ended with code {done.returncode}: {' | '.join(last)}")
        return done


def compose_arguments(project: str, file: Path) -> tuple[str, ...]:
    """How `docker` is told which project it is about."""
    return ("compose", "--project-name", project, "--file", str(file))


def check_compose(target: TargetFile) -> ComposeEntry:
    """Raise UsageError where a target cannot be started as containers, here or at all."""
    if target.compose is None:
        raise UsageError(
            f"target {target.name} cannot be started as containers: its file {target.path} has no [compose]"
        )
    if not (target.folder / target.compose.file).is_file():
        raise UsageError(
            f"target file {target.path}: [compose] file: there is no {target.folder / target.compose.file}"
        )
    if shutil.which(PROGRAM) is None:
        raise UsageError("--stack compose needs the program docker with its plugin compose on PATH; there is none")
    return target.compose


def listed(line: str) -> Listed:
    """One line of `docker ps`."""
    identity, status, service, run_id = (*line.split("\t"), "", "", "")[:4]
    return Listed(id=identity, service=service, running=status in {"running", "paused"}, run_id=run_id)


def state(text: str) -> ContainerState:
    """One line of `docker inspect`: the id and the state in JSON."""
    identity, _, rest = text.strip().partition(" ")
    row = json.loads(rest)
    return ContainerState(
        id=identity,
        status=row["Status"],
        running=row["Running"],
        paused=row["Paused"],
        pid=row["Pid"],
        started_ns=stamp_ns(row["StartedAt"]),
    )


def stamp_ns(text: str) -> int:
    """An instant as the engine writes it, in ns since 1970; 0 for what never was (year 1)."""
    found = STAMP.fullmatch(text)
    if found is None:
        raise StackError(f"the engine names an instant that is not understood: {text!r}")
    seconds = int(datetime.fromisoformat(found.group(1)).replace(tzinfo=UTC).timestamp())
    return max(0, seconds * 1_000_000_000 + int((found.group(2) or "0").ljust(9, "0")))
