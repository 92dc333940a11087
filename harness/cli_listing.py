"""What does `harness list` show?

Tables of what there is: scenarios from their files, checks and faults from the
code, defects from the target itself.
"""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from rich.table import Table

from harness.catalogue import known_scenarios


class Listed(StrEnum):
    """What `harness list` can list."""

    SCENARIOS = "scenarios"
    CHECKS = "checks"
    FAULTS = "faults"
    DEFECTS = "defects"


def listing(what: Listed, target_file: Path) -> Table:
    """Make the table; raises UsageError where scenarios or target cannot be asked."""
    tables: dict[Listed, Callable[[], Table]] = {
        Listed.SCENARIOS: _scenarios,
        Listed.CHECKS: _checks,
        Listed.FAULTS: _faults,
        Listed.DEFECTS: lambda: _defects(target_file),
    }
    return tables[what]()


def _scenarios() -> Table:
    table = _table("scenario", "what happens to the customer", "facts", "load, s", "claims")
    for entry in known_scenarios(Path("scenarios")):
        seconds = ", ".join(f"{size} {length:g}" for size, length in entry.seconds.items())
        claims = sorted({claim for names in entry.claims.values() for claim in names})
        table.add_row(entry.name, entry.what, " ".join(entry.facts), seconds, " ".join(claims))
    return table


def _checks() -> Table:
    from harness.checks import CHECKS  # noqa: PLC0415

    table = _table("check", "promise", "facts")
    for name, entry in CHECKS.items():
        table.add_row(name, entry.promise, " ".join(entry.facts))
    return table


def _faults() -> Table:
    from harness.faults import FAULTS  # noqa: PLC0415

    table = _table("fault", "constructor", "driver", "what it does")
    for name, entry in FAULTS.items():
        table.add_row(name, entry.make.__name__, entry.driver.value, entry.line)
    return table


def _defects(target_file: Path) -> Table:
    from harness.stack.builds import list_builds  # noqa: PLC0415
    from harness.targets.file import load_target  # noqa: PLC0415

    builds = list_builds(load_target(target_file))
    table = _table("defect", "the target then", "in builds")
    for name, line in builds.defects.items():
        table.add_row(name, line, " ".join(build for build, names in builds.builds.items() if name in names))
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
