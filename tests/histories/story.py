"""What is a hand-written history, and what must come of it?"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.checks.check import Check
from harness.evidence.tables import open_evidence
from harness.judgement import judge
from harness.verdict import CheckResult, JudgedCheck, Status, Terms
from tests.histories.builder import Run

EMPTY = "empty"
HOLDS = "holds"
BROKEN = "broken"
CRIES_WOLF = "cries wolf"
"""A naive version of the check would fire; this one must not."""
MISSES = "misses"
"""A naive version of the check would see nothing; this one must fire."""
UNDECIDED = "undecided"


@dataclass(frozen=True, kw_only=True, slots=True)
class Story:
    """One hand-written history, told for one check."""

    column: str
    entry: str
    """What it is about, in the words of the table that lists what a check must withstand."""
    tell: Callable[[], Run]
    status: Status
    """Of the check when claimed with a floor of one case."""
    subjects: tuple[str, ...] = ()
    """Of the findings, in their order."""
    says: tuple[str, ...] = ()
    """Pieces that the first finding's message, the reason or a note must hold."""


def found(check: Check, run: Run, folder: Path) -> CheckResult:
    """What the check finds in a run written to `folder`."""
    with open_evidence(run.write(folder)) as evidence:
        return check.function(evidence)


def judged(check: Check, result: CheckResult, *, claimed: int | None = 1) -> JudgedCheck:
    """What it comes to when claimed with a floor of one case, or not claimed."""
    return judge(check.name, result, Terms(claimed=claimed))
