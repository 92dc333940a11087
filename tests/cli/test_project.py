"""Does a project that `harness init` wrote run as it is, and is nothing of anybody's overwritten?"""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import ExitCode
from harness.project import FILES, TEMPLATE
from harness.scenario import CLAIMED_ALWAYS
from harness.verdict import ASSUMPTIONS, Status
from tests.lifecycle.playing import Place, broken


def init(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "harness.cli", "init", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_every_file_of_the_template_has_a_place() -> None:
    assert {name for name in files(TEMPLATE) if "__pycache__" not in name} == FILES.keys()


def test_a_second_init_is_refused_and_names_what_is_in_the_way(tmp_path: Path) -> None:
    first = init(tmp_path, "own")
    assert (first.returncode, files(tmp_path / "own")) == (0, set(FILES.values()))
    (tmp_path / "own" / "README.md").write_text("mine\n")
    again = init(tmp_path, "own")
    assert again.returncode == ExitCode.USAGE
    assert again.stderr.startswith("harness: own/README.md, own/target.toml, ")
    assert "nothing is overwritten" in again.stderr
    assert (tmp_path / "own" / "README.md").read_text() == "mine\n"


def test_one_file_in_the_way_keeps_all_from_being_written(tmp_path: Path) -> None:
    (tmp_path / "target.toml").write_text("")
    refused = init(tmp_path)
    assert refused.returncode == ExitCode.USAGE
    assert refused.stderr.startswith("harness: target.toml: there already")
    assert files(tmp_path) == {"target.toml"}


def test_continuous_integration_runs_the_command_of_the_readme() -> None:
    (command,) = _commands(TEMPLATE / "README.md")
    assert f"- run: {command} " in (TEMPLATE / "payment-chaos.yml").read_text()


@pytest.mark.live
def test_the_one_command_of_a_new_project_gives_a_verdict(new_place: Callable[[], Place]) -> None:
    here = new_place()
    (here.folder / "scenarios" / "short.py").unlink()
    assert init(here.folder).returncode == 0
    (command,) = _commands(here.folder / "README.md")
    done = here.call(*shlex.split(command), "--seed", "1")
    assert done.exit_code in {ExitCode.PASS, ExitCode.BROKEN, ExitCode.UNDECIDED}, done.out + done.err
    verdict = here.verdict()
    (scenario,) = verdict.scenarios
    assert done.exit_code == verdict.exit_code
    # On a machine with much else to do answers may come late, which is a breach; nothing else may be one.
    about_money = CLAIMED_ALWAYS.keys() - {ASSUMPTIONS}
    judged = {check.check: check.status for check in scenario.checks if check.check in about_money}
    assert judged == dict.fromkeys(about_money, Status.PASS), broken(verdict)


def _commands(readme: Path) -> list[str]:
    """The lines of its shell blocks."""
    blocks = re.findall(r"^```sh\n(.*?)^```", readme.read_text(), flags=re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]
