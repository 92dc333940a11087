"""Which files can a run be told in, and how do they come to lie where they were asked for?

A format is a function from a `SavedRun` to bytes, and a line in `FORMATS`; the command line has an option of its name.
Files are replaced as a whole, so that nobody reads half of one.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import UsageError
from harness.report import ctrf, junit, markdown, prometheus
from harness.report.saved import SavedRun

SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"
"""Names the file that GitHub shows as a step's summary; steps append to it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Format:
    """One kind of file."""

    render: Callable[[SavedRun], bytes]
    stays: bool = False
    """Whether a file of an earlier run may stay until there is a new one; no test result may."""


def _page(saved: SavedRun) -> bytes:
    from harness.report.html.render import render_run  # noqa: PLC0415  # tables and templates, only where asked for

    return render_run(saved)


FORMATS: Mapping[str, Format] = {
    "junit": Format(render=junit.render),
    "ctrf": Format(render=ctrf.render),
    "markdown": Format(render=markdown.render),
    "html": Format(render=_page),
    "prometheus": Format(render=prometheus.render, stays=True),
}
"""By the name of the option."""


def prepare(asked: Mapping[str, Path]) -> None:
    """Make sure, before a run begins, that its files can be written; files of an earlier run are taken away.

    Raises UsageError where one cannot be.
    """
    for name, path in asked.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not _is_stream(path):
                beside = _beside(path)
                beside.touch()
                beside.unlink()
                if path.is_dir():
                    raise IsADirectoryError(None, "it is a folder")
                if not FORMATS[name].stays:
                    path.unlink(missing_ok=True)
        except OSError as exc:
            raise _unwritable(name, path, exc) from exc


def write(saved: SavedRun, asked: Mapping[str, Path]) -> None:
    """Write each file that was asked for; raises UsageError where one cannot be written."""
    for name, path in asked.items():
        made = FORMATS[name].render(saved)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _replace(path, made)
        except OSError as exc:
            raise _unwritable(name, path, exc) from exc


def append_summary(saved: SavedRun, path: Path) -> None:
    """Append the markdown to a step's summary, which has a limit as a whole; raises OSError or HarnessError."""
    taken = path.stat().st_size if path.exists() else 0
    page = markdown.render(saved, markdown.MOST_BYTES - taken)
    with path.open("ab") as file:
        file.write(page)


def _unwritable(name: str, path: Path, exc: OSError) -> UsageError:
    return UsageError(f"--{name}: {path} cannot be written: {exc.strerror}; name a file in a folder of yours")


def _is_stream(path: Path) -> bool:
    """A pipe or a device, /dev/stdout say, which is written to and not replaced."""
    return path.parts[:2] == ("/", "dev") or (path.exists() and not path.is_file() and not path.is_dir())


def _beside(path: Path) -> Path:
    """A name in the same folder that no collector of files takes for one of its own."""
    whole = path.resolve()
    return whole.with_name(f".{whole.name}.{os.getpid()}")


def _replace(path: Path, made: bytes) -> None:
    if _is_stream(path):
        with path.open("wb") as stream:
            stream.write(made)
        return
    beside = _beside(path)
    try:
        beside.write_bytes(made)
        beside.replace(path.resolve())
    finally:
        beside.unlink(missing_ok=True)
