"""Which files of a run can be asked for on the command line, and when are they written?

`harness gate` and `harness report` take the same options, one for each of `harness.report.formats.FORMATS`.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from harness.errors import HarnessError, UsageError

Junit = Annotated[Path | None, typer.Option("--junit", help="Write JUnit XML here, for CI servers.")]
Ctrf = Annotated[Path | None, typer.Option("--ctrf", help="Write CTRF here, the Common Test Report Format (JSON).")]
Markdown = Annotated[Path | None, typer.Option("--markdown", help="Write a page of GitHub's markdown here.")]
Html = Annotated[
    Path | None, typer.Option("--html", help="Write one page here that a browser opens from disk, with no network.")
]
Prometheus = Annotated[
    Path | None, typer.Option("--prometheus", help="Write figures here for the textfile collector (NAME.prom).")
]

COMPARING = (
    "Show runs side by side, and what got worse in the last; seeds may differ, as nights do."
    "\n\nEach scenario is held against the latest earlier run that is like the last one (target, build, defects, size, "
    "rate, profile) and has it whole. Worse is: a promise that is FAIL and was not, that is UNKNOWN and was PASS, or "
    "that is not claimed or offered any more; a share, PASS or FAIL both times, of which the highest value that its "
    "counts allow lies below the lowest that they allowed before, both by the exact one-sided 95 % bound that checks "
    "judge by; a clock of which a case never ended and all did before; a scenario that is missing."
    "\n\nAny other value comes once a night and has no error bar: its difference is told and is never called worse."
    "\n\nExit codes: 0 nothing got worse, 1 something did, 2 wrong usage, 3 nothing is seen to be worse, but not "
    "everything could be compared."
)
"""What `harness compare --help` says; the rules are those of `harness.report.change`."""


def asked_for(**paths: Path | None) -> dict[str, Path]:
    """The files that were named, by format; raises UsageError where two of them are one."""
    asked = {name: path for name, path in paths.items() if path is not None}
    for name, path in asked.items():
        twice = [other for other, same in asked.items() if other != name and same == path]
        if twice:
            raise UsageError(f"--{name} and --{twice[0]} name the same file {path}")
    return asked


def report_run(run: Path, asked: Mapping[str, Path]) -> None:
    """Write the files of a judged run; raises UsageError where none is named, the folder is none, or one fails."""
    from harness.report.formats import FORMATS, write  # noqa: PLC0415
    from harness.report.saved import read_run  # noqa: PLC0415

    if not asked:
        raise UsageError(f"nothing is asked for; name a file by one or more of --{', --'.join(FORMATS)}")
    write(read_run(run), asked)


def report_gate(run: Path, asked: Mapping[str, Path]) -> str | None:
    """Write the files of a gate's run, and GitHub's summary of the step where there is one.

    Gives what could not be written, in a line, or None: the verdict stands all the same.
    """
    from harness.report import formats  # noqa: PLC0415
    from harness.report.saved import read_run  # noqa: PLC0415

    saved = read_run(run)
    summary = os.environ.get(formats.SUMMARY_VARIABLE)
    if summary:
        try:
            formats.append_summary(saved, Path(summary))
        except (OSError, HarnessError) as error:  # a nicety, so no reason to end otherwise
            print(f"harness: {formats.SUMMARY_VARIABLE} cannot be appended to: {error}", file=sys.stderr)
    try:
        formats.write(saved, asked)
    except HarnessError as error:
        return str(error)
    return None
