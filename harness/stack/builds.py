"""Which builds and defects does a target have, and is what was asked for among them?

The target says so itself, through the command in its file's [defects]; the
harness knows no defect by name.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from harness.errors import TargetFileError, UsageError
from harness.stack.process import inherited
from harness.targets.file import TargetFile
from harness.targets.template import fill, nearest

COMMAND_LIMIT_S = 20.0
DEFAULT_BUILD = "fixed"


class _Answer(msgspec.Struct, frozen=True):
    """What the command prints."""

    defects: dict[str, str]
    builds: dict[str, tuple[str, ...]] = {}


@dataclass(frozen=True, kw_only=True, slots=True)
class Builds:
    """What a target can be started as."""

    defects: Mapping[str, str]
    """Name -> what the target does then, in one line."""
    builds: Mapping[str, tuple[str, ...]]
    """Name -> defects that are on in it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """What it is started as."""

    build: str
    defects: tuple[str, ...]
    """Switched on by name, beside those of the build; sorted."""


def list_builds(target: TargetFile) -> Builds:
    """Ask the target (0.1 s); one without [defects] has none and only the build "fixed".

    Raises TargetFileError where the command cannot be run or its answer not be read.
    """
    if target.defects is None:
        return Builds(defects={}, builds={DEFAULT_BUILD: ()})
    where = f"target file {target.path}: [defects] command"
    command = [fill(part, {"python": sys.executable}, where=where) for part in target.defects.command]
    try:
        done = subprocess.run(
            command,
            cwd=target.folder,
            env=inherited(os.environ),
            capture_output=True,
            timeout=COMMAND_LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise TargetFileError(f"{where}: {exc}") from exc
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise TargetFileError(f"{where} ended with code {done.returncode}: {' '.join(last)}")
    try:
        answer = msgspec.json.decode(done.stdout, type=_Answer)
    except msgspec.DecodeError as exc:
        raise TargetFileError(
            f'{where}: its output is not {{"defects": {{name: line}}, "builds": {{name: [defect]}}}}: {exc}'
        ) from exc
    return Builds(defects=answer.defects, builds={DEFAULT_BUILD: (), **answer.builds})


def resolve_defects(target: TargetFile, build: str, names: Sequence[str]) -> Chosen:
    """Check a build's name and defects' names against the target; raises UsageError, with what was probably meant."""
    if target.defects is None and (names or build != DEFAULT_BUILD):
        asked = f"defect {names[0]}" if names else f"build {build}"
        raise UsageError(f"target {target.name} has no {asked}: its file {target.path} has no [defects]")
    if target.defects is None or (not names and build == DEFAULT_BUILD):
        return Chosen(build=build, defects=())
    known = list_builds(target)
    if build not in known.builds:
        raise UsageError(f"unknown build {build!r} of target {target.name}{nearest(build, known.builds)}")
    for name in names:
        if name not in known.defects:
            raise UsageError(f"unknown defect {name!r} of target {target.name}{nearest(name, known.defects)}")
    return Chosen(build=build, defects=tuple(sorted(set(names))))
