"""Why is a promise undecided? Each reason once, and which promises it concerns. No I/O."""

import re
from collections.abc import Sequence

from harness.verdict import ASSUMPTIONS, JudgedCheck, Status

DECIDED = frozenset({Status.PASS, Status.FAIL, Status.KNOWN})


def undecided(checks: Sequence[JudgedCheck]) -> tuple[dict[str, list[int]], list[str]]:
    """Why promises are undecided: for each check the numbers of its reasons, and each reason once.

    A premise that broke is the reason of many checks; `assumptions` tells of each in its notes.
    """
    premises = [note for check in checks if check.check == ASSUMPTIONS for note in check.notes if " broken: " in note]
    numbers: dict[str, int] = {}
    marks: dict[str, list[int]] = {}
    for check in checks:
        own = [] if check.status in DECIDED or _unclaimed(check) else _own_reasons(check, premises)
        marks[check.check] = [numbers.setdefault(reason, len(numbers) + 1) for reason in own]
    return marks, list(numbers)


def _unclaimed(check: JudgedCheck) -> bool:
    return check.status is Status.NOT_EXERCISED and not check.findings and check.traceback is None


def _own_reasons(check: JudgedCheck, premises: Sequence[str]) -> list[str]:
    if check.check == ASSUMPTIONS and premises:
        return list(premises)
    own, rest = [], check.reason
    for premise in premises:
        if f"premise {premise}" in rest:
            own.append(premise)
            rest = rest.replace(f"premise {premise}", "")
    rest = re.sub(r"(; )+", "; ", rest).strip("; ")
    return [*own, f"{check.check}: {rest}"] if rest else own
