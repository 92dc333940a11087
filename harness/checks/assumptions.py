"""Can what was recorded carry a verdict at all?

Always claimed, never violated: a premise that does not hold is an undecided case, which makes this
check UNKNOWN, and takes the PASS, never the FAIL, from every check that needs it. One case a
premise; what each one saw is told in the notes.
"""

from collections.abc import Mapping

from harness.checks.check import Check, Premise
from harness.checks.premises import examine
from harness.evidence.tables import Evidence
from harness.verdict import ASSUMPTIONS, CheckResult


def check(evidence: Evidence) -> CheckResult:
    """Examine every premise; a case is a premise."""
    examined = examine(evidence)
    broken = [found for found in examined if not found.holds]
    told = [f"{found.premise} {'holds' if found.holds else 'broken'}: {found.saw}" for found in examined]
    return CheckResult(
        examined=len(examined),
        undecided=len(broken),
        reasons=tuple(sorted(f"{found.premise}: {found.saw}" for found in broken)),
        measured=float(len(broken)),
        objective=0.0,
        unit="premises broken",
        notes=(*told, *evidence.notes),
    )


def broken_premises(evidence: Evidence) -> Mapping[Premise, str]:
    """The premises that do not hold, and why."""
    return {found.premise: found.saw for found in examine(evidence) if not found.holds}


CHECK = Check(
    name=ASSUMPTIONS,
    promise="What was recorded can carry a verdict.",
    function=check,
    needs=frozenset(),
    facts=("F21",),
    unit="premises broken",
)
