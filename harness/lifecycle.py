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
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import gevent
from locust import User
from locust.dispatch import UsersDispatcher
from locust.runners import LocalRunner

from harness.afterwards import judge, make_page
from harness.arguments import NO_WORKERS, add_arguments, leave, read_assignment, refuse_workers
from harness.assignment import Assignment
from harness.conductor import conduct
from harness.cut import Cut
from harness.errors import ExitCode, HarnessError, UsageError
from harness.hearing import Overheard, statistics_of
from harness.live.state import State
from harness.progress import NEWS, Progress, Say, reporter
from harness.scenario import Scenario
from harness.verdict_document import decode_verdict
from harness.web_ui.known import Ended, Known, judged, unjudged

MOST_JOURNEYS = 2_000
"""Most journeys at once where nobody says `-u`; beyond it arrivals count as missed."""
KEPT_ENDED = 20
"""Runs that are over, of which the web UI still tells."""
RUNNING = "a run goes on with what it was started with; stop it first"
BUSY = "the last run is still being ended and judged; try again in a moment"

LOGGER = logging.getLogger(__name__)

Describe = Callable[[Iterable[type[object]]], tuple[Scenario, ...]]
Names = Callable[[], Sequence[str]]


class NoUsers(UsersDispatcher):
    """Makes -u, Edit and rebalancing harmless: the target is always no user at all."""

    def new_dispatch(
        self, target_user_count: int, spawn_rate: float, user_classes: list[type[User]] | None = None
    ) -> None:
        """Ignore `target_user_count` and `user_classes`; the rate must be positive and means nothing."""
        del target_user_count, user_classes
        super().new_dispatch(0, spawn_rate)


def hang(events: Any, describe: Describe, loaded: Names) -> None:
    """Hang a `Lifecycle` on Locust's events; called once, when `harness.customer` is imported."""
    refuse_workers(sys.argv[1:], os.environ)
    offered: list[str] = []

    @events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]
    def ask(parser: Any) -> None:
        """On the command line for any scenario that was loaded; then, on the form, for those that Locust was given."""
        add_arguments(parser, offered or loaded())

    @events.init.add_listener  # type: ignore[untyped-decorator]
    def begin(environment: Any, **_: object) -> None:
        lifecycle = Lifecycle(environment, describe)
        offered.extend(scenario.name for scenario in describe(environment.user_classes))
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
        self.progress: Progress | None = None
        """The last of the run that goes on."""
        self.ended: deque[Ended] = deque(maxlen=KEPT_ENDED)
        """The last run first."""
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
            from harness.web_ui.routes import hang_in  # noqa: PLC0415  # only where there is a web UI

            hang_in(environment.web_ui, self, options.web_base_path)

    def read_assignment(self, form: Mapping[str, str] = MappingProxyType({})) -> Assignment:
        """Read what is asked for, anew at each start; raises UsageError where it cannot be done."""
        return read_assignment(
            self.environment.parsed_options,
            form,
            scenarios=self.describe(self.environment.user_classes),
            host=self.environment.host or "",
        )

    def refusal(self, form: Mapping[str, str]) -> str | None:
        """Why the UI's Start cannot be granted; Edit asks for a start too."""
        if self.busy():
            return BUSY if self.judging() else RUNNING
        try:
            self.read_assignment(form)
        except UsageError as error:
            return str(error)
        return None

    def known(self) -> Known:
        """What the web UI tells."""
        return Known(
            assignment=self.assignment,
            busy=self.busy(),
            cut=None if self.cut is None else self.cut.reason,
            progress=self.progress,
            live=self.live,
            ended=tuple(self.ended),
        )

    def page_of(self, folder: Path) -> bytes:
        """The page of a run that is over."""
        return make_page(folder)

    def busy(self) -> bool:
        """Whether a run is being conducted or judged."""
        return self.run is not None and not self.run.ready()

    def judging(self) -> bool:
        """Whether the run that goes on is being ended and judged."""
        cut = self.cut is not None and self.cut.reason is not None
        return cut or (self.progress is not None and self.progress.phase == "verdict")

    def on_test_start(self, **_: object) -> None:
        """Begin a run in a greenlet of its own."""
        if self.busy():
            return  # Edit in the UI starts again what runs already
        self.cut, self.progress, self.live = Cut(), None, None
        self.run = gevent.spawn(self.conduct, self.cut)

    def conduct(self, cut: Cut) -> None:
        """Run, judge, and end Locust's test; ends Locust itself where it is headless."""
        say = self.kept(reporter())
        assignment = None
        try:
            assignment = self.assignment = self.read_assignment()
            ended = self.play(assignment, cut, say)
        except HarnessError as error:
            ended = unjudged(assignment, str(error), error.exit_code)
        except Exception as error:
            ended = unjudged(assignment, f"{type(error).__name__}: {error}", ExitCode.HARNESS_FAILED)
            LOGGER.exception("the harness failed")
        if ended.status is None:
            say(Progress(scenario="", phase="error", text=ended.sentence))
        self.ended.appendleft(ended)
        self.overheard.first = None
        self.environment.process_exit_code = ended.exit_code
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

    def play(self, assignment: Assignment, cut: Cut, say: Say) -> Ended:
        """Conduct a run and have it judged; raises HarnessError where there is no verdict."""
        on_request = statistics_of(self.environment)
        folder = conduct(assignment, cut=cut, say=say, on_request=on_request, on_state=self.hear_state)
        self.overheard.check(folder)
        say(Progress(scenario="", phase="verdict", text=f"judging {folder}"))
        judge(folder)
        return judged(assignment, decode_verdict((folder / "verdict.json").read_bytes()))

    def kept(self, say: Say) -> Say:
        """The same reporter, whose last word on where the run stands is kept."""

        def keep(progress: Progress) -> None:
            if progress.phase not in NEWS:
                self.progress = progress
            say(progress)

        return keep

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
