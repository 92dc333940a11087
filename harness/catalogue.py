"""Which scenarios are there, for those who must not import Locust?

`known_scenarios` and `described` ask a child process (`harness.scenario_files`), which takes about a second;
`declared` only reads the files, for those who want to know no more than that a name is there.
"""

import ast
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import msgspec

from harness.errors import UsageError
from harness.operation import Size

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


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """What one file declares."""

    path: str
    entries: tuple[Entry, ...] = ()
    """The scenarios that it defines itself; those it only imports belong to another file."""
    error: str = ""
    """Why it cannot be loaded, in one line; empty where it can."""


def declared(folder: Path) -> dict[str, set[str]]:
    """Scenario -> its sizes, as far as the files' text alone shows; empty where one of them cannot be read.

    What stands in it is there if the files can be loaded; what does not may be there all the same, by another name
    or another way of writing it down. Costs some 20 ms.
    """
    found: dict[str, set[str]] = {}
    for path in scenario_files(folder):
        try:
            tree = ast.parse(path.read_bytes())
        except (OSError, SyntaxError, ValueError):
            return {}
        found |= {node.name: _sizes(node) for node in tree.body if isinstance(node, ast.ClassDef) and _customer(node)}
    return found


def _customer(node: ast.ClassDef) -> bool:
    return any(isinstance(base, ast.Name) and base.id == "Customer" for base in node.bases)


def _sizes(node: ast.ClassDef) -> set[str]:
    targets = (target for line in node.body if isinstance(line, ast.Assign) for target in line.targets)
    return {target.id for target in targets if isinstance(target, ast.Name)} & set(Size)


def scenario_files(folder: Path) -> list[Path]:
    """Every file of the folder that Locust would load, by name."""
    return sorted(path for path in folder.rglob("*.py") if not path.name.startswith("_"))


def known_scenarios(folder: Path) -> list[Entry]:
    """Ask a child process, since it takes Locust to load scenario files; raises UsageError with what it said."""
    return msgspec.json.decode(_ask(str(folder), about=str(folder)), type=list[Entry])


def described(paths: Iterable[Path]) -> list[Described]:
    """Ask a child process about each file by itself, so that one that is broken does not hide the others.

    Raises UsageError where the child came to no answer at all.
    """
    names = [str(path) for path in paths]
    return msgspec.json.decode(_ask("--each", *names, about=", ".join(names)), type=list[Described])


def _ask(*arguments: str, about: str) -> bytes:
    command = [sys.executable, "-m", "harness.scenario_files", *arguments]
    try:
        child = subprocess.run(command, capture_output=True, check=False, timeout=LIMIT_S, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired as exc:
        raise UsageError(f"the scenarios in {about} could not be loaded within {LIMIT_S} s") from exc
    if child.returncode != 0:
        said = child.stderr.decode(errors="replace").strip().splitlines()
        raise UsageError(said[-1] if said else f"the scenarios in {about} could not be listed")
    return child.stdout
