"""Which scenarios are there, for those who must not import Locust?

Asks a child process (`harness.scenario_files`), which takes about a second.
"""

import subprocess
import sys
from pathlib import Path

import msgspec

from harness.errors import UsageError

LIMIT_S = 60


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One scenario, as far as a list or a check of names needs it."""

    name: str
    what: str
    """First line of its docstring."""
    facts: tuple[str, ...]
    seconds: dict[str, float]
    """Size -> length of the load."""
    claims: dict[str, tuple[str, ...]]
    """Size -> names of the promises claimed."""


def known_scenarios(folder: Path) -> list[Entry]:
    """Ask a child process, since it takes Locust to load scenario files; raises UsageError with what it said."""
    child = subprocess.run(
        [sys.executable, "-m", "harness.scenario_files", str(folder)], capture_output=True, check=False, timeout=LIMIT_S
    )
    if child.returncode != 0:
        said = child.stderr.decode(errors="replace").strip().splitlines()
        raise UsageError(said[-1] if said else f"the scenarios in {folder} could not be listed")
    return msgspec.json.decode(child.stdout, type=list[Entry])
