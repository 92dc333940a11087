"""What does Locust hear of a run, and what do we overhear of Locust?

Its statistics hear of each request; and since it only logs what its listeners and greenlets raise, its log is listened
to.
"""

import logging
from pathlib import Path
from typing import Any

import msgspec

from harness.documents import read_run_record
from harness.errors import HarnessError
from harness.load.session import OnRequest
from harness.operation import Ending
from harness.stage import write

FIRST_FAILURE_STATUS = 400


class RequestFailed(Exception):
    """What Locust's statistics count as a failure, by how the request ended; few words, since it keeps each text."""


def statistics_of(environment: Any) -> OnRequest:
    """Give the function that feeds Locust's statistics; latency counts from the scheduled instant."""

    def fire(  # noqa: PLR0917  # the shape that `harness.load.session.OnRequest` gives it
        name: str, method: str, response_ms: float, size: int, ending: Ending, status: int | None
    ) -> None:
        problem = None
        if ending is not Ending.ANSWERED:
            problem = RequestFailed(ending.value)
        elif status is not None and status >= FIRST_FAILURE_STATUS:
            problem = RequestFailed(f"HTTP {status}")
        environment.events.request.fire(
            request_type=method,
            name=name,
            response_time=response_ms,
            response_length=size,
            exception=problem,
            context={},
        )

    return fire


class Overheard(logging.Handler):
    """Keeps what Locust only logs: that a listener or a greenlet raised, so that such a run is never taken for good."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.first: str | None = None
        """The first such exception in one line."""

    def emit(self, record: logging.LogRecord) -> None:
        """Note the exception that a log record carries, as an object or as Locust's text."""
        text = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            text = f"{record.exc_info[1]!r}"
        elif not text.startswith("Uncaught exception"):
            return
        self.first = self.first or text.strip().splitlines()[-1]

    def check(self, folder: Path) -> None:
        """Raise HarnessError where something raised, and say so in `run.json`, so that no later verdict passes."""
        if self.first is not None:
            reason = f"a listener or a greenlet of Locust's raised {self.first}"
            record = msgspec.structs.replace(read_run_record(folder), ended=f"the harness failed: {reason}")
            write(folder / "run.json", record)
            raise HarnessError(reason)
