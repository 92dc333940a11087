"""What does the README say of each defect? The table defect x check, from the verdicts of a proof."""

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.defects import DEFECTS
from tests.lanes import ROOT
from tests.proof.conclusions import by_seed
from tests.proof.detection import DEFECT_SEEDS
from tests.proof.item import NotProven, RunFacts

BEGIN = "<!-- generated: defects -->"
END = "<!-- end -->"
HEAD = ("defect", "the API then", "scene", "check that must fail", "others that fired")


def write_table(readme: Path, runs: Iterable[RunFacts]) -> None:
    """Put the table between its markers; raises NotProven where a defect has not run with every seed."""
    text = readme.read_text()
    before, found, rest = text.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not found or not ended:
        raise NotProven(f"{readme} has no markers {BEGIN} and {END}")
    readme.write_text(f"{before}{BEGIN}\n{table(runs, described())}\n{END}{after}")


def table(runs: Iterable[RunFacts], lines: Mapping[str, str]) -> str:
    """The table as Markdown; the same results give the same bytes."""
    runs_of = by_seed(runs)
    missing = sorted(name for name in DEFECTS if {run.seed for run in runs_of.get(name, ())} < set(DEFECT_SEEDS))
    if missing:
        raise NotProven(f"not run with every seed yet: {', '.join(missing)}; run `python -m tests.proof` first")
    written = [_row(HEAD), _row("---" for _ in HEAD)]
    for name, caught in DEFECTS.items():
        others = others_of(runs_of[name], caught.check)
        written.append(_row((f"`{name}`", lines[name], caught.scene, f"`{caught.check}`", others)))
    return "\n".join(written)


def others_of(runs: Iterable[RunFacts], check: str) -> str:
    """Further checks that failed, with the number of seeds where it was not all of them."""
    whole = list(runs)
    fired: dict[str, int] = {}
    for run in whole:
        for name, judged in run.checks.items():
            if judged.status == "FAIL" and name != check:
                fired[name] = fired.get(name, 0) + 1
    told = [
        f"`{name}`" + ("" if count == len(whole) else f" ({count} of {len(whole)})")
        for name, count in sorted(fired.items())
    ]
    return ", ".join(told) or "none"


def described() -> dict[str, str]:
    """Defect -> what the reference API does then, by its own word."""
    command = [sys.executable, "-m", "compose.payment_api", "defects"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=20)
    lines: dict[str, str] = json.loads(said.stdout)["defects"]
    return {name: line.rstrip(".") for name, line in lines.items()}


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
