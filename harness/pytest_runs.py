"""How does a run come to a pytest session: played by a gate as a child, once for all who ask, or read as it was saved?

    item, fixture ──> Runs.played(scenario) ──> `harness gate` in a session of its own ──> run directory ──> SavedRun
                  └─> Runs.saved() ──> check_run over the folder that --run names

Under pytest-xdist a lock in a folder that its workers share lets one of them play a scenario while
the others wait for it. Neither Locust nor gevent comes into this process.
"""

import fcntl
import hashlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import msgspec

from harness.assignment import new_run_id
from harness.checks.judging import check_run
from harness.errors import ExitCode, HarnessError
from harness.gate import PARENT, Request
from harness.report.saved import SavedRun, read_run

KEPT = 20
"""Run directories of earlier sessions that are kept beside those of this one."""
COLOURS = ("FORCE_COLOR", "TTY_COMPATIBLE", "CLICOLOR_FORCE")
"""Variables by which a gate would draw for a terminal instead of saying lines."""
SAID = "harness: "
"""What the gate's last word begins with where there is no verdict."""
LAST_LINES = 15
MOST_SIGNALS = 2
"""Of Ctrl-C; a further one kills the gate."""
INTERRUPTED = "interrupted; Ctrl-C again hurries"

Tell = Callable[[str], None]


class NoVerdict(HarnessError):
    """A scenario was played, or should have been, and there is no verdict on it; the message says why."""


class _Played(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker leaves to the others: a run directory, or why there is none."""

    folder: str = ""
    error: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What a session's gates are given, as on the command line of `harness gate`."""

    size: str
    rate: float
    seed: int
    build: str
    defects: tuple[str, ...]
    target: Path
    runs: Path
    profile: str
    known: str
    allow_hosts: tuple[str, ...]
    cwd: Path
    """Where relative paths begin."""

    def arguments(self) -> list[str]:
        """Words after `harness gate` and the scenario's name."""
        words = [
            "--size",
            self.size,
            "--rate",
            repr(self.rate),
            "--seed",
            str(self.seed),
            "--build",
            self.build,
            "--target",
            str(self.target),
        ]
        words += ["--runs", str(self.runs), "--profile", self.profile]
        words += [word for name in self.defects for word in ("--defect", name)]
        words += [word for host in self.allow_hosts for word in ("--allow-host", host)]
        return [*words, "--known", self.known] if self.known else words

    def told(self) -> str:
        """What of it somebody wants to see above the results."""
        defects = f", defects {', '.join(self.defects)}" if self.defects else ""
        rate = "" if self.rate == 1 else f", rate {self.rate:g}"
        return f"size {self.size}{rate}, seed {self.seed}, build {self.build}{defects}, runs in {self.runs}"

    def request(self, scenarios: tuple[str, ...], folder: Path) -> Request:
        """The same as a value, to be checked before anything is started."""
        return Request(
            scenarios=scenarios,
            size=self.size,
            rate=self.rate,
            build=self.build,
            defects=self.defects,
            target_file=self.target,
            seed=self.seed,
            runs=self.runs,
            run_id="",
            profile=self.profile,
            port_base=0,
            allow_hosts=self.allow_hosts,
            known=self.known,
            folder=folder,
        )


@dataclass(kw_only=True, slots=True)
class Runs:
    """The runs of one session, by scenario."""

    terms: Terms
    run: Path | None = None
    """A saved run that all questions are answered from."""
    shared: Path | None = None
    """Where xdist's workers meet; None where there are none."""
    keep: int = KEPT
    cut_short: dict[str, Path] = field(default_factory=dict)
    """Run directory of the scenario that Ctrl-C ended."""
    _played: dict[tuple[Path, str], SavedRun | NoVerdict] = field(default_factory=dict)
    _saved: SavedRun | None = None

    def saved(self) -> SavedRun:
        """The run that --run names, judged anew; raises RunDirectoryError where it is none."""
        assert self.run is not None
        if self._saved is None:
            check_run(self.run)
            self._saved = read_run(self.run)
        return self._saved

    def of(self, scenario: str, folder: Path, tell: Tell) -> SavedRun:
        """The run that tells of a scenario of a folder: the saved one, else one that is played now, once.

        Raises NoVerdict where it came to none, each time it is asked for.
        """
        if self.run is not None:
            return self.saved()
        key = (folder, scenario)
        if key not in self._played:
            try:
                self._played[key] = self._once(scenario, folder, tell)
            except HarnessError as error:
                self._played[key] = NoVerdict(str(error))
        found = self._played[key]
        if isinstance(found, NoVerdict):
            raise found
        return found

    def _once(self, scenario: str, folder: Path, tell: Tell) -> SavedRun:
        if self.shared is None:
            return self._read(_Played(folder=str(self._play(scenario, folder, tell))))
        self.shared.mkdir(mode=0o700, exist_ok=True)
        name = hashlib.sha256(f"{folder}::{scenario}".encode()).hexdigest()
        with (self.shared / name).open("a+b") as note:
            fcntl.flock(note, fcntl.LOCK_EX)  # given back when the file is closed, also by a worker's death
            note.seek(0)
            known = note.read()
            if known:
                return self._read(msgspec.json.decode(known, type=_Played))
            try:
                played = _Played(folder=str(self._play(scenario, folder, tell)))
            except NoVerdict as error:
                played = _Played(error=str(error))
            note.write(msgspec.json.encode(played))
        return self._read(played)

    def _read(self, played: _Played) -> SavedRun:
        if played.error:
            raise NoVerdict(played.error)
        return read_run(Path(played.folder))

    def _play(self, scenario: str, folder: Path, tell: Tell) -> Path:
        cwd, run_id = self.terms.cwd, new_run_id()
        where = folder.relative_to(cwd) if folder.is_relative_to(cwd) else folder
        command = [sys.executable, "-m", "harness.cli", "gate", scenario, "--scenarios", str(where)]
        command += ["--run-id", run_id, "--keep", str(self.keep), *self.terms.arguments()]
        run = (self.terms.runs if Path.cwd() == cwd else cwd / self.terms.runs) / run_id
        try:
            code, last = play(command, cwd=cwd, tell=tell)
        except KeyboardInterrupt:
            self.cut_short[scenario] = run
            raise
        if code not in {ExitCode.PASS, ExitCode.BROKEN, ExitCode.UNDECIDED} or not (run / "verdict.json").exists():
            raise NoVerdict(last or f"the gate of {scenario} ended with {code} and said nothing")
        return run


def play(command: list[str], *, cwd: Path, tell: Tell) -> tuple[int, str]:
    """Run a gate to its end; gives its exit code and its last word, where it has one.

    Ctrl-C cuts the run short in good order, twice hurries it; either way its end is waited for, and KeyboardInterrupt
    raised then. A third one kills it. The gate dies with this process, and with the gate all that it started.
    """
    child = subprocess.Popen(
        command,
        cwd=cwd,
        env=environment(os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # the report; it can be printed at any time from the run directory
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,  # Ctrl-C reaches this process alone, which passes it on
    )
    assert child.stderr is not None
    lines: list[str] = []
    try:
        with child.stderr, _ctrl_c_passed_to(child) as passed:
            for line in child.stderr:
                lines.append(line.rstrip())
                if not any(each.startswith(SAID) for each in lines[-LAST_LINES:]):
                    tell(f"{lines[-1]} ({INTERRUPTED})" if passed else lines[-1])
            code = child.wait()
    finally:
        child.kill()  # does nothing to one that has ended
        child.wait()
    if passed:
        raise KeyboardInterrupt
    start = next((number for number, line in enumerate(lines) if line.startswith(SAID)), None)
    last = lines[-LAST_LINES:] if start is None else lines[start:]
    return code, "\n".join(last).removeprefix(SAID)


@contextmanager
def _ctrl_c_passed_to(child: subprocess.Popen[str]) -> Iterator[list[int]]:
    """Hand SIGINT on, instead of an exception that could come anywhere; gives the list of those handed on."""
    passed: list[int] = []

    def pass_on(number: int, _frame: FrameType | None) -> None:
        passed.append(number)
        if len(passed) > MOST_SIGNALS:
            raise KeyboardInterrupt
        child.send_signal(number)

    if threading.current_thread() is not threading.main_thread():
        yield passed  # nobody sends signals to other threads
        return
    before = signal.signal(signal.SIGINT, pass_on)
    try:
        yield passed
    finally:
        signal.signal(signal.SIGINT, before)


def environment(around: Mapping[str, str]) -> dict[str, str]:
    """What a gate gets of this process's environment."""
    return {name: value for name, value in around.items() if name not in COLOURS} | {PARENT: str(os.getpid())}
