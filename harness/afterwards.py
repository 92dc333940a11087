"""What do fresh processes make of a run that is over: its verdict, and its page?

They know neither gevent nor Locust, which judging would stall; each in a session of its own, so that a Ctrl-C meant
for Locust does not reach it. Works on gevent.
"""

import os
import sys
from pathlib import Path

from gevent.lock import BoundedSemaphore
from gevent.subprocess import PIPE, Popen

from harness.errors import ExitCode, HarnessError

JUDGE_LIMIT_S = 300
"""Longest that judging a run may take before Locust gives up on a verdict."""
PAGE_LIMIT_S = 120
PAGE = "report.html"
"""In the run directory."""
VERDICTS = frozenset({ExitCode.PASS, ExitCode.BROKEN, ExitCode.UNDECIDED})
"""What the judge exits with where it has written a verdict."""

_ONE_PAGE = BoundedSemaphore()


def judge(folder: Path) -> ExitCode:
    """Have a run directory judged; gives the exit code, raises HarnessError where there is no verdict."""
    quiet = ["--quiet"] if "HARNESS_PROGRESS_FD" in os.environ else []
    again = f"no verdict on {folder} within {JUDGE_LIMIT_S} s; try `harness check {folder}`"
    code, said = _harness("check", str(folder), *quiet, limit_s=JUDGE_LIMIT_S, late=again)
    if code not in VERDICTS:
        raise HarnessError(f"judging {folder} ended with {code}:\n{said.rstrip()}\n")
    sys.stderr.write(said)
    return ExitCode(code)


def make_page(folder: Path) -> bytes:
    """The page of a judged run, made the first time that somebody wants it; one at a time, about a second a scenario.

    Raises HarnessError where it cannot be made.
    """
    page, verdict = folder / PAGE, folder / "verdict.json"
    with _ONE_PAGE:
        try:
            if not page.exists() or page.stat().st_mtime_ns < verdict.stat().st_mtime_ns:
                late = f"no page of {folder} within {PAGE_LIMIT_S} s"
                code, said = _harness("report", str(folder), "--html", str(page), limit_s=PAGE_LIMIT_S, late=late)
                if code != ExitCode.PASS:
                    raise HarnessError(f"there is no page of {folder}: {said.rstrip()}")
            return page.read_bytes()
        except OSError as error:
            raise HarnessError(f"there is no page of {folder}: {error}") from error


def _harness(*arguments: str, limit_s: float, late: str) -> tuple[int, str]:
    """Run the command line; gives its exit code and what it said. Raises HarnessError(late) where it does not end."""
    child = Popen([sys.executable, "-m", "harness.cli", *arguments], start_new_session=True, stderr=PIPE)
    try:
        said = child.communicate(timeout=limit_s)[1].decode(errors="replace")
    except Exception as error:
        child.kill()
        raise HarnessError(late) from error
    return child.returncode, said
