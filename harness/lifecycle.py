"""What do Locust's events mean to a run?

    init          usage is checked, signals are taken over, the exit code is 4 until a verdict says otherwise
    test_start    a greenlet conducts the run (harness.conductor) and has it judged by a fresh process
    test_stopping the run is cut short, unless it ended by itself: faults are lifted first
    quitting      Locust waits for the verdict and exits with its code

Locust's own users, spawn rate and shapes play no part: the dispatcher below
turns every target into no users, and `-u` means the most journeys at once.
Works with the local runner only; a run with workers is refused.
"""

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import gevent
import msgspec
from gevent.subprocess import PIPE, Popen
from locust import User
from locust.dispatch import UsersDispatcher
from locust.runners import LocalRunner

from harness.arguments import NO_WORKERS, add_arguments, leave, read_assignment, refuse_workers
from harness.assignment import Assignment
from harness.conductor import conduct
from harness.cut import Cut
from harness.documents import read_run_record
from harness.errors import ExitCode, HarnessError, UsageError
from harness.live.state import State
from harness.operation import Ending
from harness.progress import Progress, reporter
from harness.scenario import Scenario
from harness.stage import write

MOST_JOURNEYS = 2_000
"""Most journeys at once where nobody says `-u`; beyond it arrivals count as missed."""
JUDGE_LIMIT_S = 300
"""Longest that judging a run may take before Locust gives up on a verdict."""

VERDICTS = frozenset({ExitCode.PASS, ExitCode.BROKEN, ExitCode.UNDECIDED})
"""What the judge exits with where it has written a verdict."""
FIRST_FAILURE_STATUS = 400

LOGGER = logging.getLogger(__name__)

Describe = Callable[[Iterable[type[object]]], tuple[Scenario, ...]]


class RequestFailed(Exception):
    """What Locust's statistics count as a failure, by how the request ended; few words, since it keeps each text."""


class Overheard(logging.Handler):
    """Keeps what Locust only logs: that a listener or a greenlet raised, so that such a run is never taken for good."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.first: str | None = None
        """The first such exception in one line."""

    def emit(self, record: logging.LogRecord) -> None:
        """Note the exception that a log record carries, as an object or as Locust's text."""
        text = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            text = f"{record.exc_info[1]!r}"
        elif not text.startswith("Uncaught exception"):
            return
        self.first = self.first or text.strip().splitlines()[-1]

    def check(self, folder: Path) -> None:
        """Raise HarnessError where something raised, and say so in `run.json`, so that no later verdict passes."""
        if self.first is not None:
            reason = f"a listener or a greenlet of Locust's raised {self.first}"
            record = msgspec.structs.replace(read_run_record(folder), ended=f"the harness failed: {reason}")
            write(folder / "run.json", record)
            raise HarnessError(reason)


class NoUsers(UsersDispatcher):
    """Makes -u, Edit and rebalancing harmless: the target is always no user at all."""

    def new_dispatch(
        self, target_user_count: int, spawn_rate: float, user_classes: list[type[User]] | None = None
    ) -> None:
        """Ignore `target_user_count` and `user_classes`; the rate must be positive and means nothing."""
        del target_user_count, user_classes
        super().new_dispatch(0, spawn_rate)


def hang(events: Any, describe: Describe) -> None:
    """Hang a `Lifecycle` on Locust's events; called once, when `harness.customer` is imported."""
    refuse_workers(sys.argv[1:], os.environ)
    events.init_command_line_parser.add_listener(add_arguments)

    @events.init.add_listener  # type: ignore[untyped-decorator]
    def begin(environment: Any, **_: object) -> None:
        lifecycle = Lifecycle(environment, describe)
        events.test_start.add_listener(lifecycle.on_test_start)
        events.test_stopping.add_listener(lifecycle.on_test_stopping)
        events.quitting.add_listener(lifecycle.on_quitting)


class Lifecycle:
    """One Locust process's runs, one after the other; between runs it is idle."""

    def __init__(self, environment: Any, describe: Describe) -> None:
        self.environment = environment
        self.describe = describe
        self.cut: Cut | None = None
        self.run: gevent.Greenlet | None = None
        self.quitting = False
        self.leaving = False
        self.live: State | None = None
        """What was known of the run that goes on, a second ago at most."""
        self.overheard = Overheard()
        logging.getLogger().addHandler(self.overheard)
        logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs each request, and evidence takes thousands
        environment.process_exit_code = int(ExitCode.HARNESS_FAILED)
        environment.dispatcher_class = NoUsers
        options = environment.parsed_options
        if not isinstance(environment.runner, LocalRunner):
            leave(NO_WORKERS)
        if options.num_users is None:
            options.num_users = MOST_JOURNEYS
        if options.spawn_rate is None:
            options.spawn_rate = 1
        try:
            self.assignment = self.read_assignment()
        except UsageError as error:
            leave(str(error))
        gevent.signal_handler(signal.SIGINT, self.on_interrupt)
        if environment.web_ui is not None:
            environment.web_ui.app.before_request(self.before_request)

    def read_assignment(self, form: Mapping[str, str] = MappingProxyType({})) -> Assignment:
        """Read what is asked for, anew at each start; raises UsageError where it cannot be done."""
        return read_assignment(
            self.environment.parsed_options,
            form,
            scenarios=self.describe(self.environment.user_classes),
            host=self.environment.host or "",
        )

    def before_request(self) -> Any:
        """Answer the UI's Start with a reason where it cannot be granted."""
        from flask import jsonify, request  # noqa: PLC0415  # only where there is a web UI

        if not request.path.rstrip("/").endswith("/swarm"):  # it may lie below --web-base-path
            return None
        message = "the last run is still being ended and judged; try again in a moment" if self.busy() else None
        if message is None:
            try:
                self.read_assignment(request.form)
            except UsageError as error:
                message = str(error)
        return jsonify({"success": False, "message": message, "host": self.environment.host}) if message else None

    def busy(self) -> bool:
        """Whether a run is being conducted or judged."""
        return self.run is not None and not self.run.ready()

    def on_test_start(self, **_: object) -> None:
        """Begin a run in a greenlet of its own."""
        if self.busy():
            return  # Edit in the UI starts again what runs already
        self.cut, self.live = Cut(), None
        self.run = gevent.spawn(self.conduct, self.cut)

    def conduct(self, cut: Cut) -> None:
        """Run, judge, and end Locust's test; ends Locust itself where it is headless."""
        say = reporter()
        code = ExitCode.HARNESS_FAILED
        try:
            assignment = self.assignment = self.read_assignment()
            folder = conduct(assignment, cut=cut, say=say, on_request=self.fire_request, on_state=self.hear_state)
            self.overheard.check(folder)
            say(Progress(scenario="", phase="verdict", text=f"judging {folder}"))
            code = judge(folder)
        except HarnessError as error:
            say(Progress(scenario="", phase="error", text=str(error)))
            code = error.exit_code
        except Exception as error:
            say(Progress(scenario="", phase="error", text=f"{type(error).__name__}: {error}"))
            LOGGER.exception("the harness failed")
        self.overheard.first = None
        self.environment.process_exit_code = int(code)
        if self.quitting:
            return
        cut.over = True
        if self.environment.web_ui is None:
            self.environment.runner.quit()
        else:
            self.environment.runner.stop()
            if self.leaving:
                self.environment.web_ui.stop()

    def hear_state(self, state: State) -> None:
        """Keep what is known so far, for the UI."""
        self.live = state

    def fire_request(  # noqa: PLR0917  # the shape that `harness.load.session.OnRequest` gives it
        self, name: str, method: str, response_ms: float, size: int, ending: Ending, status: int | None
    ) -> None:
        """Feed Locust's statistics; latency counts from the scheduled instant."""
        problem = None
        if ending is not Ending.ANSWERED:
            problem = RequestFailed(ending.value)
        elif status is not None and status >= FIRST_FAILURE_STATUS:
            problem = RequestFailed(f"HTTP {status}")
        self.environment.events.request.fire(
            request_type=method,
            name=name,
            response_time=response_ms,
            response_length=size,
            exception=problem,
            context={},
        )

    def on_test_stopping(self, **_: object) -> None:
        """Stop in the UI, or -t: cut the run short; it is judged all the same."""
        if self.cut is not None and not self.cut.over:
            self.cut.pull("stopped before its end")

    def on_interrupt(self) -> None:
        """Ctrl-C: cut the run short, judge it and leave; twice skips the evidence that is not there yet."""
        if self.busy() and self.cut is not None:
            self.leaving = True
            self.cut.pull("interrupted")
        elif self.environment.web_ui is not None:
            self.environment.web_ui.stop()
        else:
            self.environment.runner.quit()

    def on_quitting(self, **_: object) -> None:
        """Wait for the verdict of a run that is still on; fires twice at times, so it may find nothing to do."""
        self.quitting = True
        if self.busy() and self.cut is not None and self.run is not None:
            if not self.cut.over:
                self.cut.pull("terminated")
            self.run.join()


def judge(folder: Path) -> ExitCode:
    """Have a run directory judged by a fresh process, which knows neither gevent nor Locust; give its exit code.

    In a session of its own, so that a Ctrl-C meant for Locust does not reach it.
    """
    quiet = ["--quiet"] if "HARNESS_PROGRESS_FD" in os.environ else []
    command = [sys.executable, "-m", "harness.cli", "check", str(folder), *quiet]
    child = Popen(command, start_new_session=True, stderr=PIPE)
    try:
        said = child.communicate(timeout=JUDGE_LIMIT_S)[1].decode(errors="replace")
    except Exception as error:
        child.kill()
        raise HarnessError(f"no verdict on {folder} within {JUDGE_LIMIT_S} s; try `harness check {folder}`") from error
    if child.returncode not in VERDICTS:
        raise HarnessError(f"judging {folder} ended with {child.returncode}:\n{said.rstrip()}\n")
    sys.stderr.write(said)
    return ExitCode(child.returncode)
