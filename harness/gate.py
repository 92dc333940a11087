"""How does a gate run end in an exit code?

It starts Locust as a child, which conducts the run and has it judged, shows how
far it is, and reads the verdict from the run directory. Signals are passed on:
once cuts the run short and judges it, twice hurries. If the gate is killed the
kernel kills Locust, and at that the warden lifts every fault and ends every
process.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from harness import progress
from harness.assignment import MetricsAt, check_metrics, check_names, check_ports, check_rate, check_stack
from harness.catalogue import declared, known_scenarios
from harness.errors import CutBeforeStart, ExitCode, HarnessError, UsageError
from harness.known_file import file_asked_for, read_known
from harness.operation import StackKind
from harness.stack.addresses import addresses_of
from harness.stack.builds import resolve_defects
from harness.stack.hosts import check_hosts
from harness.targets.file import load_target

PR_SET_PDEATHSIG = 1
PARENT = "HARNESS_PARENT"
"""Environment variable by which a program that starts a gate gives its own pid, so that the gate dies with it."""
LOG_LINES = 15
"""Of Locust's log, shown where it ended without a verdict and without a reason."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What a gate was asked for; checked by `check_request` before anything is started."""

    scenarios: tuple[str, ...]
    size: str
    build: str
    defects: tuple[str, ...]
    target_file: Path
    seed: int
    runs: Path
    run_id: str
    profile: str
    port_base: int
    allow_hosts: tuple[str, ...]
    live: bool = True
    """The run is watched while it goes on."""
    metrics: MetricsAt | None = None
    rate: float = 1.0
    """Times each scenario's own arrival rate."""
    stack: str = StackKind.PROCESSES.value
    known: str = ""
    """File of known breaches; empty for ./known.toml, if it is there."""
    folder: Path = Path("scenarios")


def every_scenario(size: str, folder: Path = Path("scenarios")) -> tuple[str, ...]:
    """Names of all scenarios that declare a size; raises UsageError where there is none."""
    names = tuple(entry.name for entry in known_scenarios(folder) if size in entry.seconds)
    if not names:
        raise UsageError(f"no scenario in {folder} declares a size {size!r}")
    return names


def check_request(request: Request) -> None:
    """Raise UsageError, in one line, for what cannot be done; nothing is started for a request that passes either."""
    check_rate(request.rate)
    target = load_target(request.target_file)
    resolve_defects(target, request.build, request.defects)
    check_hosts(addresses_of(target, os.environ), file_allows=target.allow_hosts, allowed=request.allow_hosts)
    check_ports(target, request.port_base)
    check_metrics(request.metrics, live=request.live)
    check_stack(target, request.stack)
    known_file = file_asked_for(request.known)
    shown = declared(request.folder)
    if known_file is None and all(request.size in shown.get(name, ()) for name in request.scenarios):
        return  # whether the files can be loaded shows when Locust does
    # Last, since it takes longest: a child process loads the scenario files.
    entries = {entry.name: tuple(entry.seconds) for entry in known_scenarios(request.folder)}
    check_names(request.scenarios, entries, request.size)
    read_known(known_file, entries)


def run_locust(request: Request, console: Console) -> ExitCode:
    """Run the scenarios to their verdict; gives Locust's exit code, which is the verdict's.

    Locust's own output goes to `locust.log` in the run directory. Raises UsageError where Locust found that it cannot
    be done, CutBeforeStart where a signal came first, and HarnessError, with the reason, where there is no verdict.
    """
    folder = request.runs / request.run_id
    try:
        folder.mkdir(parents=True)
    except OSError as exc:
        raise UsageError(
            f"run directory {folder} cannot be made: {exc.strerror}; choose another folder by --runs"
        ) from exc
    reading, writing = os.pipe()
    log_path = folder / "locust.log"
    with log_path.open("wb") as log, open(reading, "rb") as events:  # noqa: PTH123  # a descriptor, no path
        child = subprocess.Popen(
            locust_command(request),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(writing,),
            env=os.environ | {"HARNESS_PROGRESS_FD": str(writing), "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
            preexec_fn=die_with_us,  # noqa: PLW1509  # no threads run here
        )
        os.close(writing)
        with signals_passed_to(child) as passed:
            error = _show(events, console)
            code = child.wait()
    if code in {ExitCode.PASS, ExitCode.BROKEN, ExitCode.UNDECIDED} and (folder / "verdict.json").exists():
        return ExitCode(code)
    last = [line for line in log_path.read_text(errors="replace").splitlines() if line.strip()][-LOG_LINES:]
    if not (folder / "run.json").exists() and (passed or code == ExitCode.USAGE):
        shutil.rmtree(folder)
        if passed:
            raise CutBeforeStart("cut short before anything was started; there is nothing to judge")
        said = next((line for line in last if "error:" in line), "".join(last[-1:]))
        raise UsageError(error or said.removeprefix("harness: "))
    if not error and not (folder / "run.json").exists():
        _check_files(request)
    if error:
        raise HarnessError(f"no verdict: {error}; Locust's own words are in {log_path}")
    raise HarnessError(f"no verdict: Locust ended with {code}; the end of {log_path}:\n" + "\n".join(last))


def _check_files(request: Request) -> None:
    """Raise UsageError, in one line, where it was a scenario file that Locust could not begin with."""
    try:
        known_scenarios(request.folder)
    except UsageError:
        shutil.rmtree(request.runs / request.run_id)
        raise


def locust_command(request: Request) -> list[str]:
    """Give the command line that conducts `request`."""
    watched = [] if request.live else ["--no-live"]
    if request.metrics is not None:
        watched += ["--metrics-host", request.metrics.host, "--metrics-port", str(request.metrics.port)]
    return [
        sys.executable,
        *("-m", "locust", "-f", str(request.folder), *request.scenarios),
        *("--headless", "--only-summary", "--loglevel", "WARNING"),
        *(
            "--size",
            request.size,
            "--rate",
            repr(request.rate),
            "--build",
            request.build,
            "--target",
            str(request.target_file),
        ),
        *("--seed", str(request.seed), "--runs", str(request.runs), "--run-id", request.run_id),
        *("--windows", request.profile, "--port-base", str(request.port_base)),
        *("--defect", ",".join(request.defects), "--allow-host", ",".join(request.allow_hosts)),
        *("--known", request.known, "--stack", request.stack),
        *watched,
    ]


def prune(runs: Path, keep: int) -> None:
    """Remove the oldest run directories beyond `keep`; nothing but run directories is touched."""
    found = sorted(path.parent for path in runs.glob("*/run.json"))
    for folder in found[: max(0, len(found) - keep)]:
        shutil.rmtree(folder, ignore_errors=True)  # a gate beside this one may be removing it too


def die_with(parent: int) -> None:
    """Ask the kernel for SIGKILL at the death of the process that started this one; the warden cleans up behind it."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def die_with_us() -> None:
    """What a child calls before it becomes another program: the kernel then ends it when its parent dies."""
    die_with(os.getppid())


@contextmanager
def signals_passed_to(child: subprocess.Popen[bytes]) -> Iterator[list[int]]:
    """Hand SIGINT and SIGTERM to the child, which ends the run in good order; gives the list of those handed on."""
    passed: list[int] = []

    def pass_on(number: int, _frame: FrameType | None) -> None:
        if child.poll() is None:
            passed.append(number)
            child.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield passed
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _show(events: Iterable[bytes], console: Console) -> str:
    """Draw progress until the child closes its end: a bar on a terminal, plain lines elsewhere.

    Gives the text of the last error among it, which is told at the end; empty where there was none.
    """
    decoder = msgspec.json.Decoder(progress.Progress)
    error = ""
    with _drawing(console) as draw:
        for line in events:
            event = decoder.decode(line)
            if event.phase == "error":
                error = event.text
            else:
                draw(event)
    return error


@contextmanager
def _drawing(console: Console) -> Iterator[progress.Say]:
    """How progress is shown on this console."""
    if not console.is_terminal:
        yield progress.plain_lines()
        return
    columns = (
        TextColumn("{task.description:<28}"),
        BarColumn(24),
        TextColumn("{task.fields[text]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as drawing:
        task = drawing.add_task("starting", total=1, text="")

        def draw(event: progress.Progress) -> None:
            if event.phase in progress.NEWS:  # it stays on the terminal above the bar
                drawing.console.print(
                    f"{event.scenario} {event.phase}: {event.text}".strip(), style="red", markup=False
                )
                return
            name = f"{event.scenario} {event.phase}".strip()
            drawing.update(task, description=name, completed=event.share or 0, text=event.text)

        yield draw
