"""How does a test call `harness` without starting a program for it?

A program takes most of a second of CPU to load what the tests have loaded already. Here `main` runs in this process:
arguments, folder and environment are its own for as long as it runs, and it must leave the process as it was. Not for
commands that start a program which writes to their output, and not for what two programs must say alike.
"""

import io
import signal
import sys
from collections.abc import Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from subprocess import CompletedProcess
from types import MappingProxyType

import pytest

from harness.cli import main
from harness.gate import PARENT

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)


def harness_here(
    *arguments: str, folder: Path | None = None, environ: Mapping[str, str] = MappingProxyType({})
) -> CompletedProcess[str]:
    """Exit code and output, as `subprocess.run` gives them of `python -m harness.cli`.

    `environ` is set beside what is there, of which a thread that plays scenes may start a program at any moment: so
    nothing in it that would change a scene. Fails where the command line left a signal handler or a search path behind.
    """
    out, err = io.StringIO(), io.StringIO()
    before = _left_alone()
    with (
        pytest.MonkeyPatch.context() as patched,
        chdir(folder or Path.cwd()),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        patched.setattr(sys, "argv", ["harness", *arguments])
        patched.delenv(PARENT, raising=False)
        for name, value in environ.items():
            patched.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            main()
    assert _left_alone() == before
    assert isinstance(ended.value.code, int | None)
    return CompletedProcess(arguments, ended.value.code or 0, out.getvalue(), err.getvalue())


def _left_alone() -> tuple[object, ...]:
    return (*(signal.getsignal(number) for number in SIGNALS), *sys.path)
