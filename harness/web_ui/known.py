"""What is known of this process's runs, as values that words can be made of?"""

from dataclasses import dataclass
from pathlib import Path

from harness.assignment import Assignment
from harness.checks import CHECKS
from harness.live.state import State
from harness.progress import Progress
from harness.report.html.stakes import sentence
from harness.report.stories import by_gravity
from harness.verdict import Status, Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokenPromise:
    """A promise that a verdict calls broken."""

    scenario: str
    check: str
    promise: str
    breaches: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """A run that is over: its verdict in short, or why there is none."""

    folder: Path | None
    """None where nothing was begun."""
    scenarios: tuple[str, ...]
    status: Status | None
    """None where there is no verdict."""
    exit_code: int
    sentence: str
    broken: tuple[BrokenPromise, ...] = ()
    cut_short: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What is known at one moment."""

    assignment: Assignment
    """Of the run that goes on, else of the last one, else as Locust was started."""
    busy: bool
    """A run is being conducted or judged."""
    cut: str | None = None
    """Why it is being cut short."""
    progress: Progress | None = None
    """Where it stands."""
    live: State | None = None
    ended: tuple[Ended, ...] = ()
    """Runs of this process that are over, the last one first."""


def judged(assignment: Assignment, verdict: Verdict) -> Ended:
    """A verdict in short."""
    return Ended(
        folder=assignment.folder,
        scenarios=_names(assignment),
        status=verdict.status,
        exit_code=verdict.exit_code,
        sentence=sentence(verdict.status, verdict.scenarios),
        broken=tuple(
            BrokenPromise(
                scenario=scenario.scenario,
                check=check.check,
                promise=CHECKS[check.check].promise if check.check in CHECKS else "",
                breaches=len(check.findings),
            )
            for scenario in verdict.scenarios
            for check in by_gravity(scenario.checks)
        ),
        cut_short=verdict.cut_short,
    )


def unjudged(assignment: Assignment | None, why: str, exit_code: int) -> Ended:
    """A run on which there is no verdict, or one that could not even be assigned."""
    return Ended(
        folder=None if assignment is None else assignment.folder,
        scenarios=() if assignment is None else _names(assignment),
        status=None,
        exit_code=int(exit_code),
        sentence=why,
    )


def _names(assignment: Assignment) -> tuple[str, ...]:
    return tuple(scenario.name for scenario in assignment.scenarios)
