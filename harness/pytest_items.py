"""What does pytest collect, and what becomes of it: scenarios as collectors, their promises as items.

    ScenarioFile (scenarios/answer_lost.py) ─> Scenario (AnswerLost) ─> Promise (no_double_charge), ..., unclaimed
    RunFile      (runs/<id>/run.json)       ─┘

A scenario is played in the set-up of its first item, so what is not selected is not run. UNKNOWN
is raised in an item's set-up, since pytest calls what fails there an error and no failure. Registered
as a plugin by `harness.pytest_plugin` when the first of these files is met, and never before.
"""

from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

import pytest

from harness.catalogue import Described, Entry, described
from harness.errors import HarnessError, UsageError
from harness.promises import PromiseBroken, Undecided, answer
from harness.pytest_progress import telling
from harness.pytest_runs import Runs
from harness.report.promise import UNCLAIMED, Settled, claimed_names, settle
from harness.verdict import ASSUMPTIONS, Status

RUNS = pytest.StashKey[Runs]()
"""The session's runs; put there by `harness.pytest_plugin`."""
_SEEN = pytest.StashKey[dict[Path, Described | None]]()
"""Scenario files by path; None until the child was asked about them."""
RUN_PROPERTY = "payment_run"
"""Property of an item: the run directory that settles it."""


class ScenarioFile(pytest.File):
    """A file that declares scenarios; a child process says which, for all files met so far at once."""

    @classmethod
    def of(cls, parent: pytest.Collector, path: Path) -> "ScenarioFile":
        """Collect a file, and note it down for the child."""
        parent.config.stash.setdefault(_SEEN, {}).setdefault(path, None)
        return cls.from_parent(parent, path=path)

    def collect(self) -> Iterable[pytest.Collector]:
        """The scenarios of the file, with the promises that they claim at the session's size."""
        seen = self.config.stash[_SEEN]
        if seen[self.path] is None:
            try:
                new = [path for path, known in seen.items() if known is None]
                seen.update((Path(each.path), each) for each in described(new))
            except UsageError as error:
                raise self.CollectError(str(error)) from error
        file = seen[self.path]
        assert file is not None
        if file.error:
            raise self.CollectError(file.error)
        for entry in file.entries:
            self._refuse_twins(entry)
            yield Scenario.from_parent(
                self, name=entry.name, claims=self._claims(entry), unplayable=self._why_not(entry)
            )

    def _refuse_twins(self, entry: Entry) -> None:
        for path, other in self.config.stash[_SEEN].items():
            same = other is not None and path.parent == self.path.parent and path != self.path
            if same and other is not None and entry.name in {each.name for each in other.entries}:
                raise self.CollectError(
                    f"scenario {entry.name} stands in {path.name} too, and only one of them would be run"
                )

    def _claims(self, entry: Entry) -> tuple[str, ...]:
        size = self.config.stash[RUNS].terms.size
        claims = entry.claims.get(size) or tuple(sorted({name for names in entry.claims.values() for name in names}))
        return tuple(dict.fromkeys((ASSUMPTIONS, *claims)))

    def _why_not(self, entry: Entry) -> str:
        runs = self.config.stash[RUNS]
        if runs.run is not None or runs.terms.size in entry.claims:
            return ""
        return f"{entry.name} declares no size {runs.terms.size!r}; it has {', '.join(sorted(entry.claims))}"


class RunFile(pytest.File):
    """`run.json` of the run that --run names: its scenarios as they were judged."""

    def collect(self) -> Iterable[pytest.Collector]:
        """The scenarios of the run."""
        try:
            verdict = self.config.stash[RUNS].saved().verdict
        except HarnessError as error:
            raise self.CollectError(str(error)) from error
        for scenario in verdict.scenarios:
            yield Scenario.from_parent(self, name=scenario.scenario, claims=claimed_names(scenario))


class Scenario(pytest.Collector):
    """A scenario: run, or read, in its set-up."""

    def __init__(self, *, claims: tuple[str, ...], unplayable: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.claims = claims
        self.unplayable = unplayable
        """Why it cannot be played at this size; empty where it can."""
        self.settled: dict[str, Settled] = {}
        """What became of its promises, once that is known."""
        self.run: Path | None = None

    def collect(self) -> Iterable[pytest.Item]:
        """One item a claim, and one for all that is not claimed."""
        for name in (*self.claims, UNCLAIMED):
            yield Promise.from_parent(self, name=name)

    def setup(self) -> None:
        """Play the scenario to its verdict; where it comes to none, NoVerdict makes an error of every item."""
        if self.config.getoption("setupplan", False):
            return
        if self.unplayable:
            pytest.skip(self.unplayable)
        with telling(self.config) as tell:
            saved = self.config.stash[RUNS].of(self.name, self.path.parent, tell)
        self.run = saved.folder
        self.settled = {name: settle(saved, self.name, name, self.claims) for name in (*self.claims, UNCLAIMED)}


class Promise(pytest.Item):
    """One promise of a scenario."""

    def setup(self) -> None:
        """Raise Undecided for UNKNOWN: here it is an error, later it would be a failure."""
        scenario = self.parent
        assert isinstance(scenario, Scenario)
        if self.name not in scenario.settled:
            return  # --setup-plan
        settled = scenario.settled[self.name]
        if RUN_PROPERTY not in dict(self.user_properties):  # a plugin may set it up again
            self.user_properties += [(RUN_PROPERTY, str(scenario.run)), *settled.figures]
        if settled.status is Status.UNKNOWN:
            answer([settled])

    def runtest(self) -> None:
        """Pass, fail, skip, or fail as was to be expected."""
        scenario = self.parent
        assert isinstance(scenario, Scenario)
        answer([scenario.settled[self.name]])

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The story instead of a traceback, its headline where there is room for no more."""
        error = excinfo.value
        if not isinstance(error, PromiseBroken | Undecided | HarnessError):
            return super().repr_failure(excinfo, style)
        told = excinfo.getrepr(style="value")
        if told.reprcrash is not None:
            told.reprcrash.path, told.reprcrash.lineno = str(self.path), 1
            told.reprcrash.message = str(error).splitlines()[0] if isinstance(error, HarnessError) else error.headline
        return told

    def reportinfo(self) -> tuple[Path, int, str]:
        """Scenario and promise, for headings."""
        scenario = self.parent
        assert isinstance(scenario, Scenario)
        return self.path, 0, f"{scenario.name}::{self.name}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Errors of set-up are told as failures are, and a skip is placed in the scenario's file instead of in this one."""
    report = yield
    if isinstance(item, Promise) and call.excinfo is not None:
        if report.skipped and isinstance(report.longrepr, tuple):
            report.longrepr = (str(item.path), 1, report.longrepr[2])
        elif report.failed and call.when == "setup":
            report.longrepr = item.repr_failure(call.excinfo)
    return report


def pytest_collection_finish(session: pytest.Session) -> None:
    """Raise UsageError for what cannot be done, before the first run begins."""
    config, runs = session.config, session.config.stash[RUNS]
    scenarios = {
        item.parent for item in session.items if isinstance(item, Promise) and isinstance(item.parent, Scenario)
    }
    runs.keep += len(scenarios)
    if config.option.collectonly or hasattr(config, "workerinput") or runs.run is not None:
        return
    for folder in sorted({scenario.path.parent for scenario in scenarios}):
        names = sorted(each.name for each in scenarios if each.path.parent == folder and not each.unplayable)
        check_terms(runs, tuple(names), folder)


def check_terms(runs: Runs, scenarios: tuple[str, ...], folder: Path) -> None:
    """Raise pytest's UsageError where the scenarios cannot be played as was asked for."""
    from harness.gate import check_request  # noqa: PLC0415

    try:
        check_request(runs.terms.request(scenarios, folder))
    except HarnessError as error:
        raise pytest.UsageError(f"payment scenarios: {error}") from error


def pytest_report_collectionfinish(config: pytest.Config, items: list[pytest.Item]) -> list[str]:
    """What is about to be played."""
    runs = config.stash[RUNS]
    scenarios = {item.parent for item in items if isinstance(item, Promise) and isinstance(item.parent, Scenario)}
    count = sum(not scenario.unplayable for scenario in scenarios)
    if not count or runs.run is not None or config.option.collectonly:
        return []
    return [f"payment: {count} scenario{'s' if count > 1 else ''} to be run, {runs.terms.told()}"]
