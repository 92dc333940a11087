"""Which ways can the harness itself fail, and with what exit code?

One root; leaves are named by what failed. A faulty *target* is data and never
one of these: a target that answers 500 to
everything ends in a verdict, not in an exception.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """What `harness gate`, `harness check` and Locust exit with."""

    PASS = 0
    """Every claimed promise held."""
    BROKEN = 1
    """A promise was broken, also when the run was cut short."""
    USAGE = 2
    """Usage or configuration is wrong; nothing was started."""
    UNDECIDED = 3
    """Undecided or cut short."""
    HARNESS_FAILED = 4
    """The harness itself failed; no verdict could be written."""


class HarnessError(Exception):
    """Something in the harness or its surroundings failed.

    The message says what failed, where, and what to do about it, in one line.
    """

    exit_code: ExitCode = ExitCode.HARNESS_FAILED


class UsageError(HarnessError):
    """What was asked for cannot be done; nothing was started."""

    exit_code = ExitCode.USAGE


class TargetFileError(UsageError):
    """A target file cannot be read or says something impossible."""


class HostNotAllowed(UsageError):
    """A host is neither loopback nor allowed by target file and command line."""


class PortTaken(UsageError):
    """A port that was asked for is in use."""


class RunDirectoryError(UsageError):
    """A folder is not a run directory, or one of another schema."""


class CutBeforeStart(HarnessError):
    """A signal came before anything was started; there is nothing to be judged."""

    exit_code = ExitCode.UNDECIDED


class HistoryError(HarnessError):
    """A history or evidence file is damaged elsewhere than in its last line."""


class StackError(HarnessError):
    """A process of the stack did not start, died, or did not stop in time."""


class FaultError(HarnessError):
    """A fault could not be injected or lifted."""


class TimeLimit(HarnessError):
    """Something that must end within a limit did not; the limit's name is in the message."""
