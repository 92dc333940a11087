"""How is a target of somebody's own started and stopped around each scenario?

By the commands in its file's [commands], with our environment.
"""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from harness.errors import StackError
from harness.targets.file import TargetFile
from harness.targets.template import fill

COMMAND_LIMIT_S = 300.0


@contextmanager
def commanded(target: TargetFile, values: Mapping[str, str]) -> Iterator[None]:
    """The target's own start command before, its stop command after; also after a start that failed half-way."""
    start, stop = target.commands.start, target.commands.stop
    try:
        if start is not None:
            run_command(target, "start", start, values)
        yield
    except BaseException:
        if stop is not None:
            with suppress(StackError):  # what went wrong first is what is told
                run_command(target, "stop", stop, values)
        raise
    if stop is not None:
        run_command(target, "stop", stop, values)


def run_command(target: TargetFile, name: str, command: Sequence[str], values: Mapping[str, str]) -> None:
    """Run one of the target's own commands with our environment; raises StackError with its last words."""
    where = f"{target.path}: [commands] {name}"
    argv = [fill(part, values, where=where) for part in command]
    try:
        done = subprocess.run(
            argv, cwd=target.folder, capture_output=True, text=True, timeout=COMMAND_LIMIT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise StackError(f"{where}: {exc}") from exc
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise StackError(f"{where} ended with code {done.returncode}: {' '.join(last)}")
