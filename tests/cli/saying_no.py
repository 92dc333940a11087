"""What does a command say that cannot be carried out, and has it left nothing?"""

import subprocess
from pathlib import Path

from harness.errors import ExitCode
from tests.command_line import harness_here


def refused(folder: Path, done: subprocess.CompletedProcess[str]) -> str:
    """What it said in its one line; nothing was started or left."""
    assert done.returncode == ExitCode.USAGE, done
    assert not (folder / "runs").exists() or list((folder / "runs").iterdir()) == []
    assert list(folder.glob(".harness/*")) == []
    own = [line for line in done.stderr.splitlines() if "/INFO/locust" not in line]
    (line,) = [line for line in own if not line.startswith("stack: ")]
    return line.removeprefix("harness: ")


def refusal(folder: Path, *arguments: str) -> str:
    """What `harness` says in this process, which is what nearly all of these tests ask; some ask a program."""
    return refused(folder, harness_here(*arguments, folder=folder))
