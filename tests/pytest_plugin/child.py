"""pytest as a child that knows this plugin and no other, and the JUnit file that it leaves."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase

ALONE = ("-p", "harness.pytest_plugin")
TAGS = {Error: "error", Failure: "failure", Skipped: "skipped"}
LIMIT_S = 120


@dataclass(frozen=True, kw_only=True, slots=True)
class Played:
    """A pytest session that has ended."""

    code: int
    out: str
    """What it said, on both streams."""

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def counts(self) -> str:
        """How many of each outcome: the last line without its time."""
        return self.lines[-1].strip("= ").rpartition(" in ")[0]


def play(folder: Path, *arguments: str) -> Played:
    """Run it in a folder; without what else is installed it starts in a fraction of the time."""
    around = {name: value for name, value in os.environ.items() if name not in {"CI", "BUILD_NUMBER", "PYTEST_ADDOPTS"}}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *ALONE, *arguments],
        cwd=folder,
        env=around | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "COLUMNS": "120"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    return Played(code=done.returncode, out=done.stdout)


def every_case(path: Path) -> list[TestCase]:
    """The cases of a JUnit file."""
    return [case for suite in JUnitXml.fromfile(str(path)) for case in suite]


def outcomes(path: Path) -> Mapping[str, str]:
    """Item -> "pass", or the tag that JUnit has for it."""
    found = {}
    for case in every_case(path):
        (found[case.name],) = [TAGS[type(each)] for each in case.result] or ["pass"]
    return found


def message(path: Path, name: str) -> tuple[str, str]:
    """An item's message and text."""
    (result,) = [case.result[0] for case in every_case(path) if case.name == name]
    return result.message or "", result.text or ""
