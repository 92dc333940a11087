"""Do the commands say what they did, and exit with the verdict's code?"""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.checks import CHECKS
from harness.documents import read_run_record
from harness.errors import ExitCode
from harness.report.formats import FORMATS
from harness.report.saved import SavedRun
from harness.verdict import Status
from tests.command_line import harness_here
from tests.lifecycle.playing import TARGET, Place
from tests.report.examples import BROKEN
from tests.report.nights import held, night
from tests.report.run import judged, on_disk

COMMANDS = (
    "doctor",
    "init",
    "gate",
    "report",
    "check",
    "compare",
    "rerun",
    "explain",
    "token",
    "list",
    "up",
    "down",
    "rescue",
)


LIGHT = """import sys
def loaded(*names): return [name for name in names if name in sys.modules]
import harness.cli, harness.report.nights
print(loaded("locust", "gevent", "duckdb"))
import harness.report.formats
print(loaded("locust", "gevent"))
"""


def harness(*arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """A program of its own: where something is started, and where two programs must say the same."""
    command = [sys.executable, "-m", "harness.cli", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_help_names_every_command_and_exit_code() -> None:
    text = harness("--help").stdout
    assert all(re.search(rf"\b{command}\b", text) for command in COMMANDS)
    assert all(f"{code.value} " in text for code in ExitCode)


def test_neither_locust_nor_gevent_is_needed_to_begin_or_for_files_nor_a_judges_tables_to_compare() -> None:
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n[]\n", "")


def test_lists_show_what_there_is() -> None:
    checks = harness_here("list", "checks").stdout
    assert all(name in checks for name in CHECKS)
    assert "CutAnswers" in harness_here("list", "faults").stdout
    assert "global_lock" in harness_here("list", "defects", "--target", str(TARGET)).stdout


def test_without_a_stack_there_is_no_token(tmp_path: Path) -> None:
    token = harness_here("token", "u-1", folder=tmp_path)
    assert token.returncode == ExitCode.USAGE
    assert token.stderr == "harness: nothing stands, so there is no token; `harness up` brings a stack up\n"


def test_nothing_stands_and_nothing_is_left_in_an_empty_folder(tmp_path: Path) -> None:
    down, rescue = harness_here("down", folder=tmp_path), harness_here("rescue", folder=tmp_path)
    assert (down.returncode, down.stdout) == (0, "nothing stands\n")
    assert (rescue.returncode, rescue.stdout) == (0, "nothing was left to lift\n")


def test_a_run_is_told_in_every_format_with_the_same_bytes_each_time_and_exit_code_0(tmp_path: Path) -> None:
    run = on_disk(BROKEN, tmp_path / "run")
    first, second = (
        [argument for name in FORMATS for argument in (f"--{name}", str(tmp_path / folder / name))] for folder in "ab"
    )
    for told, options in ((harness, first), (harness_here, second)):
        done = told("report", str(run), *options)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    files = {name: (tmp_path / "a" / name).read_bytes() for name in FORMATS}
    assert files == {name: (tmp_path / "b" / name).read_bytes() for name in FORMATS}
    assert all(b"20261124-201500-1f3a" in text for text in files.values())


def test_a_report_can_go_to_a_pipe(tmp_path: Path) -> None:
    run = on_disk(BROKEN, tmp_path / "run")
    assert harness("report", str(run), "--junit", "/dev/stdout").stdout.startswith("<?xml version")


@pytest.mark.parametrize(
    ("nights", "code", "end"),
    [
        ((night(1, held()), night(2, held())), ExitCode.PASS, "nothing got worse"),
        ((night(1, held()), night(2, judged("no_double_charge", Status.FAIL))), ExitCode.BROKEN, "1 thing got worse"),
        (
            (night(1, held(), run={"size": "gate"}), night(2, held())),
            ExitCode.UNDECIDED,
            "nothing is seen to be worse, but not everything could be compared",
        ),
    ],
)
def test_runs_are_compared_and_the_exit_code_says_whether_something_got_worse(
    tmp_path: Path, nights: tuple[SavedRun, SavedRun], code: ExitCode, end: str
) -> None:
    folders = [on_disk(saved, tmp_path / saved.run.run_id).name for saved in nights]
    first, second = (compare("compare", *folders, folder=tmp_path) for compare in (harness, harness_here))
    assert (first.returncode, first.stderr) == (code, "")
    assert first.stdout == second.stdout
    assert first.stdout.splitlines()[-1] == f"{folders[1]}: {end} (exit code {code.value})"


@pytest.mark.live
def test_up_prints_what_an_api_of_ones_own_needs_and_down_ends_it(tmp_path: Path) -> None:
    up = harness("up", "--target", str(TARGET), "--only", "providers,toxiproxy", folder=tmp_path)
    try:
        assert up.returncode == 0, up.stderr
        assert "start api yourself" in up.stdout
        assert re.search(r"^  PAYMENT_API_WECHAT_URL=http://127\.0\.0\.1:\d+$", up.stdout, re.MULTILINE)
        assert "wechat-control" in up.stdout
        token = harness_here("token", "u-1", folder=tmp_path)
        assert re.fullmatch(r"authorization: Bearer u-1\.[0-9a-f]{64}\n", token.stdout)
        again = harness_here("up", "--target", str(TARGET), folder=tmp_path)
        assert again.returncode == ExitCode.USAGE
        assert "another stack stands already" in again.stderr
    finally:
        down = harness_here("down", folder=tmp_path)
    assert down.stdout == "ended: target reference, alipay, card, wechat\n"


@pytest.mark.live
def test_a_broken_promise_is_exit_code_1_for_rerun_which_is_a_gate_and_for_check_and_stands_in_the_files(
    new_place: Callable[[], Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = new_place()
    summary = here.folder / "summary"
    summary.write_text("what a step before said\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    chosen = ("--size", "scene", "--build", "fixed", "--target", str(TARGET), "--seed", "3", "--profile", "gate")
    asked = ("Short", *chosen, "--defect", "delete_on_failure")
    files = ("--no-live", "--junit", "reports/j.xml", "--prometheus", "reports/p.prom")  # of a gate, not of its record
    old = on_disk(night(1, held(), run={"arguments": asked + files}), here.folder / "runs" / "20261101-020000-0001")
    done = here.call("harness", "rerun", str(old), "--keep", "1")
    assert done.exit_code == ExitCode.BROKEN, done.out + done.err
    assert "seed 3" in done.out
    assert "load:" in done.err
    assert "\x1b" not in done.out + done.err
    assert [path.name for path in sorted((here.folder / "reports").iterdir())] == ["j.xml", "p.prom"]
    assert '<failure type="FAIL"' in (here.folder / "reports" / "j.xml").read_text()
    assert summary.read_text().startswith("what a step before said\n## FAIL (exit code 1): broken: no_vanished_order")
    assert here.run() != old  # the older one made room
    assert here.verdict().status is Status.FAIL
    assert read_run_record(here.run()).arguments == asked  # so that this one can be run again in its turn
    assert harness_here("check", str(here.run())).returncode == ExitCode.BROKEN
