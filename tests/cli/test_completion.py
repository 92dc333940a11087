"""Does a shell complete the names that commands take, without loading what a run needs?"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lifecycle.playing import SCENARIOS, TARGET

PROGRAM = """
import atexit, sys
from harness.cli import app
atexit.register(lambda: sys.stderr.write(str({"locust", "gevent", "duckdb"} & sys.modules.keys())))
app(prog_name="harness")
"""


def completed(folder: Path, *words: str) -> list[str]:
    """What bash is offered for the last of these words."""
    asked = {"_HARNESS_COMPLETE": "complete_bash", "COMP_WORDS": " ".join(("harness", *words))}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=folder,
        env=os.environ | asked | {"COMP_CWORD": str(len(words))},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == "set()", "completing loads what only a run needs"
    return done.stdout.split()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("completion")
    (folder / "scenarios").mkdir()
    (folder / "scenarios" / "short.py").write_text(SCENARIOS)
    return folder


def test_scenarios_complete_from_the_folder_that_is_there(folder: Path) -> None:
    assert completed(folder, "gate", "Sh") == ["Short"]
    assert completed(folder, "gate", "--scenarios", "nowhere", "Sh") == []


def test_defects_and_builds_complete_from_the_target(folder: Path) -> None:
    assert completed(folder, "gate", "--target", str(TARGET), "--defect", "new_n") == ["new_number_on_retry"]
    assert completed(folder, "up", "--target", str(TARGET), "--build", "") == ["fixed", "incident"]


def test_what_is_wrong_while_a_shell_completes_offers_nothing(folder: Path) -> None:
    assert completed(folder, "gate", "--target", "nowhere.toml", "--defect", "a") == []


def test_commands_and_what_can_be_listed_complete(folder: Path) -> None:
    assert completed(folder, "do") == ["doctor", "down"]
    assert completed(folder, "list", "ch") == ["checks"]
