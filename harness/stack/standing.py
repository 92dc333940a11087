"""How does a stack stand by itself, between `harness up` and `harness down`?

    harness up ──starts──> holder (this module as a process): Ground and Stack open, warden behind it
                               └─ writes <state>/stack.json once everything answers, then waits for SIGTERM
    harness down ──SIGTERM──> holder: closes both, removes stack.json

If the holder is killed its warden ends the stack; a `stack.json` that it left
behind is recognised by pid and start time, and means nothing.
"""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from harness.errors import ExitCode, HarnessError, StackError, TimeLimit, UsageError
from harness.profile import PROFILES
from harness.stack.addresses import addresses_of
from harness.stack.builds import DEFAULT_BUILD, Chosen, resolve_defects
from harness.stack.ground import Ground, check_groups, open_ground
from harness.stack.hosts import check_hosts
from harness.stack.local import Stack, open_stack
from harness.stack.process import wait_for
from harness.stack.undo import STATE_FOLDER, rescue
from harness.stack.warden import start_ticks
from harness.targets.file import load_target

SCHEMA_VERSION = 1
FILE = "stack.json"
LOG = "stack.log"
UP_LIMIT_S = 120.0
DOWN_LIMIT_S = 30.0
RUN_ID = "up"
SCENARIO = "standing"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What `harness up` was asked for."""

    target_file: str
    only: tuple[str, ...] | None = None
    build: str = DEFAULT_BUILD
    defects: tuple[str, ...] = ()
    seed: int = 1
    profile: str = "gate"
    port_base: int = 0
    allowed_hosts: tuple[str, ...] = ()


class StandingService(msgspec.Struct, frozen=True, kw_only=True):
    """A process of the stack."""

    url: str
    pid: int
    log: str


class StandingEdge(msgspec.Struct, frozen=True, kw_only=True):
    """A proxy of the stack."""

    listen: str
    upstream: str
    to: str
    proxy: str


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """`stack.json`: what stands, and what it takes to speak to it."""

    schema_version: int
    asked: Asked
    target: str
    run_id: str
    holder: int
    holder_ticks: int
    base_url: str
    services: dict[str, StandingService]
    edges: dict[str, StandingEdge]
    expected: dict[str, dict[str, str]]
    """Services that somebody else is to start -> the environment that they need, ports included."""
    secrets: dict[str, str]
    toxiproxy: str | None
    postgres: str | None
    """Connection URL of the stack's database, past every proxy."""

    def alive(self) -> bool:
        """Whether whoever holds it lives."""
        return start_ticks(self.holder) == self.holder_ticks


def up(asked: Asked, *, state: Path = STATE_FOLDER) -> tuple[Standing, bool]:
    """Start a stack that stands until `down`; returns it, and False where it stood already.

    Raises UsageError where another one stands, or before anything is started where it cannot be as asked; StackError
    with the last words of its log where it does not come up.
    """
    target = load_target(Path(asked.target_file))
    asked = msgspec.structs.replace(asked, target_file=str(target.path))
    resolve_defects(target, asked.build, asked.defects)
    check_groups(target, asked.only)
    check_hosts(addresses_of(target, os.environ), file_allows=target.allow_hosts, allowed=asked.allowed_hosts)
    if asked.profile not in PROFILES:
        raise UsageError(f"unknown time profile {asked.profile!r}; there are: {', '.join(sorted(PROFILES))}")
    with alone(state):
        standing = read_standing(state)
        if standing is not None and standing.asked != asked:
            raise UsageError(
                f"another stack stands already (target {standing.target}, pid {standing.holder}); end it first: "
                "`harness down`"
            )
        if standing is not None:
            return standing, False
        return start_holder(asked, state), True


def down(*, state: Path = STATE_FOLDER) -> str:
    """End the stack that stands; returns one line on what was done. Nothing stands: says so.

    Where its holder was killed, what its warden could not undo is undone here.
    """
    with alone(state):
        standing = read_standing(state)
        if standing is None:
            (state / FILE).unlink(missing_ok=True)
            left = [line for rescued in rescue(state, running=False) for line in rescued.lifted]
            return f"nothing stood; ended what was left of it: {'; '.join(left)}" if left else "nothing stands"
        os.kill(standing.holder, signal.SIGTERM)
        try:
            wait_for(lambda: not standing.alive(), DOWN_LIMIT_S, "the stack's end (limit stack_down)")
        except TimeLimit:
            # Its warden then ends everything within two seconds.
            os.kill(standing.holder, signal.SIGKILL)
            wait_for(lambda: not standing.alive(), DOWN_LIMIT_S, "the end of the stack's holder (limit stack_down)")
            rescue(state, running=False)
        (state / FILE).unlink(missing_ok=True)
        return f"ended: target {standing.target}, {', '.join(sorted(standing.services)) or 'no services'}"


def read_standing(state: Path = STATE_FOLDER) -> Standing | None:
    """The stack that stands; None where there is none, or only the file of one whose holder is gone."""
    try:
        standing = msgspec.json.decode((state / FILE).read_bytes(), type=Standing)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    return standing if standing.alive() else None


@contextmanager
def alone(state: Path) -> Iterator[None]:
    """One `up` or `down` at a time in a state folder; raises UsageError where another is at work."""
    state.mkdir(parents=True, exist_ok=True)
    with (state / "stack.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise UsageError(f"another `harness up` or `down` is at work in {state}; wait for it") from exc
        yield


def start_holder(asked: Asked, state: Path) -> Standing:
    """Start the holder and wait until its stack stands."""
    (state / FILE).unlink(missing_ok=True)
    log = state / LOG
    with log.open("wb") as output:
        # Not a `Child`: it is meant to outlive us, and has a warden of its own.
        holder = subprocess.Popen(
            [sys.executable, "-m", "harness.stack.standing", msgspec.json.encode(asked).decode(), str(state.resolve())],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_for(
            lambda: holder.poll() is not None or read_standing(state) is not None,
            UP_LIMIT_S,
            "the stack (limit stack_up)",
        )
    except BaseException:
        holder.kill()
        raise
    standing = read_standing(state)
    if standing is None:
        last = (log.read_text(errors="replace").strip().splitlines() or [f"see {log}"])[-1].removeprefix("harness: ")
        raise UsageError(last) if holder.returncode == ExitCode.USAGE else StackError(last)
    # It outlives us on purpose; without this Python would complain of a child that it forgets.
    holder.returncode = 0
    return standing


def hold(asked: Asked, state: Path) -> None:
    """Be the holder: open ground and stack, say so in `stack.json`, close both at SIGTERM."""
    target = load_target(Path(asked.target_file))
    logs = state / "logs"
    chosen = Chosen(build=asked.build, defects=tuple(sorted(set(asked.defects))))
    with open_ground(
        target,
        run_id=f"{RUN_ID}-{os.getpid()}",
        logs=logs,
        state=state,
        port_base=asked.port_base,
        only=asked.only,
        allowed_hosts=asked.allowed_hosts,
    ) as ground:
        with open_stack(
            ground,
            scenario=SCENARIO,
            seed=asked.seed,
            chosen=chosen,
            windows=PROFILES[asked.profile],
            logs=logs,
            allowed_hosts=asked.allowed_hosts,
        ) as stack:
            # Until here SIGTERM simply ends this process, and the warden what it had started.
            signals = {signal.SIGTERM, signal.SIGINT}
            signal.pthread_sigmask(signal.SIG_BLOCK, signals)
            written = state / f".{FILE}.{time.monotonic_ns()}"
            written.touch(mode=0o600)
            written.write_bytes(msgspec.json.format(msgspec.json.encode(describe(asked, ground, stack))))
            written.replace(state / FILE)
            signal.sigwait(signals)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
            with suppress(FileNotFoundError):
                (state / FILE).unlink()


def describe(asked: Asked, ground: Ground, stack: Stack) -> Standing:
    """What `stack.json` says."""
    running = {name: service.running() for name, service in stack.services.items()}
    database = None
    if ground.postgres is not None and stack.database is not None:
        database = ground.postgres.url(stack.database)
    return Standing(
        schema_version=SCHEMA_VERSION,
        asked=asked,
        target=stack.target.name,
        run_id=stack.run_id,
        holder=os.getpid(),
        holder_ticks=start_ticks(os.getpid()) or 0,
        base_url=stack.base_url,
        services={
            name: StandingService(url=service.url, pid=process.pid, log=str(service.log))
            for name, service in stack.services.items()
            if (process := running[name]) is not None
        },
        edges={
            name: StandingEdge(listen=edge.listen, upstream=edge.upstream, to=edge.to, proxy=edge.proxy)
            for name, edge in stack.edges.items()
        },
        expected={name: dict(environment) for name, environment in stack.expected.items()},
        secrets=dict(stack.secrets),
        toxiproxy=None if stack.toxiproxy is None else stack.toxiproxy.url,
        postgres=database,
    )


def main(arguments: Sequence[str]) -> int:
    """Hold a stack; returns the exit code."""
    try:
        hold(msgspec.json.decode(arguments[0], type=Asked), Path(arguments[1]))
    except HarnessError as error:
        print(f"harness: {error}", file=sys.stderr)  # noqa: T201 # read by whoever waits for the stack
        return int(error.exit_code)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
