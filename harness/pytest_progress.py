"""How does somebody who waits for a pytest session see that a run goes on?

On a terminal one line is written over and over and wiped in the end; in a log there is a line a phase,
and now and then one in between. Under pytest-xdist the worker says it on standard error.
"""

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import pytest

NEWS_S = 15.0
"""A phase that goes on is told of so often where there is only a log."""

Tell = Callable[[str], None]


@contextmanager
def telling(config: pytest.Config) -> Iterator[Tell]:
    """Give the function by which a run's lines are told while a test is being set up, past pytest's capture."""
    capture = config.pluginmanager.get_plugin("capturemanager")
    reporter = config.pluginmanager.get_plugin("terminalreporter")

    def shown() -> AbstractContextManager[None]:
        return nullcontext() if capture is None else capture.global_and_fixture_disabled()

    if config.get_verbosity() < 0:
        yield lambda _line: None
    elif reporter is None or hasattr(config, "workerinput"):  # a worker's reporter writes to nobody
        name = getattr(config, "workerinput", {}).get("workerid", "payment")
        yield now_and_then(lambda line: _to_log(f"[{name}] {line}", shown))
    else:
        with _line_given_back(reporter, shown) as write:
            yield write if reporter.isatty() else now_and_then(write)


def now_and_then(write: Tell, now_s: Callable[[], float] = time.monotonic) -> Tell:
    """Pass on what is new, and of a phase that goes on only a line every NEWS_S."""
    before, said_s = "", 0.0

    def tell(line: str) -> None:
        nonlocal before, said_s
        phase, at_s = line.partition(":")[0], now_s()
        if phase == before and at_s - said_s < NEWS_S:
            return
        before, said_s = phase, at_s
        write(line)

    return tell


def _to_log(line: str, shown: Callable[[], AbstractContextManager[None]]) -> None:
    with shown():
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


@contextmanager
def _line_given_back(
    reporter: pytest.TerminalReporter, shown: Callable[[], AbstractContextManager[None]]
) -> Iterator[Tell]:
    """Write below the line that the reporter is in the middle of, and begin that one anew at the end."""
    wrote, over = False, reporter.isatty()

    def write(line: str) -> None:
        nonlocal wrote
        wrote = True
        with shown():
            reporter.ensure_newline()
            if over:
                reporter.rewrite(line[: shutil.get_terminal_size().columns - 1], erase=True)
            else:
                reporter.write_line(f"  {line}")
            reporter.flush()

    yield write
    if wrote:
        with shown():
            if over:
                reporter.rewrite("", erase=True)
                reporter.rewrite("")
            if reporter.showfspath and not reporter.showlongtestinfo:  # else it comes with each result
                reporter.write_fspath_result(os.environ.get("PYTEST_CURRENT_TEST", ""), "")
            reporter.flush()
