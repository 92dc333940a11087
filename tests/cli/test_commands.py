"""Do the commands say what they did, and exit with the verdict's code?"""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.checks import CHECKS
from harness.errors import ExitCode
from harness.report.formats import FORMATS
from harness.report.saved import SavedRun
from harness.verdict import Status
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


def harness(*arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "harness.cli", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_help_names_every_command_and_exit_code() -> None:
    text = harness("--help").stdout
    assert all(re.search(rf"\b{command}\b", text) for command in COMMANDS)
    assert all(f"{code.value} " in text for code in ExitCode)


def test_the_command_line_starts_without_locust_and_gevent() -> None:
    code = "import sys, harness.cli; sys.exit(any(name in sys.modules for name in ('locust', 'gevent')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_lists_show_what_there_is() -> None:
    checks = harness("list", "checks").stdout
    assert all(name in checks for name in CHECKS)
    assert "CutAnswers" in harness("list", "faults").stdout
    assert "global_lock" in harness("list", "defects", "--target", str(TARGET)).stdout


def test_without_a_stack_there_is_no_token(tmp_path: Path) -> None:
    token = harness("token", "u-1", folder=tmp_path)
    assert token.returncode == ExitCode.USAGE
    assert token.stderr == "harness: nothing stands, so there is no token; `harness up` brings a stack up\n"


def test_nothing_stands_and_nothing_is_left_in_an_empty_folder(tmp_path: Path) -> None:
    down, rescue = harness("down", folder=tmp_path), harness("rescue", folder=tmp_path)
    assert (down.returncode, down.stdout) == (0, "nothing stands\n")
    assert (rescue.returncode, rescue.stdout) == (0, "nothing was left to lift\n")


def test_a_run_is_told_in_every_format_with_the_same_bytes_each_time_and_exit_code_0(tmp_path: Path) -> None:
    run = on_disk(BROKEN, tmp_path / "run")
    first, second = (
        [argument for name in FORMATS for argument in (f"--{name}", str(tmp_path / folder / name))] for folder in "ab"
    )
    for options in (first, second):
        done = harness("report", str(run), *options)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    files = {name: (tmp_path / "a" / name).read_bytes() for name in FORMATS}
    assert files == {name: (tmp_path / "b" / name).read_bytes() for name in FORMATS}
    assert all(b"20261124-201500-1f3a" in text for text in files.values())


def test_a_report_can_go_to_a_pipe(tmp_path: Path) -> None:
    run = on_disk(BROKEN, tmp_path / "run")
    assert harness("report", str(run), "--junit", "/dev/stdout").stdout.startswith("<?xml version")


def test_the_files_for_machines_need_neither_locust_nor_gevent() -> None:
    code = "import sys, harness.report.formats; sys.exit(any(name in sys.modules for name in ('locust', 'gevent')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


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
    first, second = (harness("compare", *folders, folder=tmp_path) for _ in range(2))
    assert (first.returncode, first.stderr) == (code, "")
    assert first.stdout == second.stdout
    assert first.stdout.splitlines()[-1] == f"{folders[1]}: {end} (exit code {code.value})"


def test_comparing_needs_neither_locust_nor_the_tables_of_a_judge() -> None:
    names = ("locust", "gevent", "duckdb")
    code = f"import sys, harness.cli, harness.report.nights; sys.exit(any(name in sys.modules for name in {names}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.live
def test_up_prints_what_an_api_of_ones_own_needs_and_down_ends_it(tmp_path: Path) -> None:
    up = harness("up", "--target", str(TARGET), "--only", "providers,toxiproxy", folder=tmp_path)
    try:
        assert up.returncode == 0, up.stderr
        assert "start api yourself" in up.stdout
        assert re.search(r"^  PAYMENT_API_WECHAT_URL=http://127\.0\.0\.1:\d+$", up.stdout, re.MULTILINE)
        assert "wechat-control" in up.stdout
        token = harness("token", "u-1", folder=tmp_path)
        assert re.fullmatch(r"authorization: Bearer u-1\.[0-9a-f]{64}\n", token.stdout)
        again = harness("up", "--target", str(TARGET), folder=tmp_path)
        assert again.returncode == ExitCode.USAGE
        assert "another stack stands already" in again.stderr
    finally:
        down = harness("down", folder=tmp_path)
    assert down.stdout == "ended: target reference, alipay, card, wechat\n"


@pytest.mark.live
def test_a_broken_promise_is_exit_code_1_for_gate_check_and_rerun_and_stands_in_the_files(
    new_place: Callable[[], Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = new_place()
    summary = here.folder / "summary"
    summary.write_text("what a step before said\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    files = ("--junit", "reports/j.xml", "--prometheus", "reports/p.prom")
    done = here.gate("Short", "--seed", "3", "--defect", "delete_on_failure", *files)
    assert done.exit_code == ExitCode.BROKEN, done.out + done.err
    assert [path.name for path in sorted((here.folder / "reports").iterdir())] == ["j.xml", "p.prom"]
    assert '<failure type="FAIL"' in (here.folder / "reports" / "j.xml").read_text()
    assert summary.read_text().startswith("what a step before said\n## FAIL (exit code 1): broken: no_vanished_order")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY")
    assert here.verdict().status is Status.FAIL
    assert "load:" in done.err
    assert "\x1b" not in done.out + done.err
    run = here.run()
    assert here.call("harness", "check", str(run)).exit_code == ExitCode.BROKEN
    again = here.call("harness", "rerun", str(run), "--keep", "1")
    assert again.exit_code == ExitCode.BROKEN, again.out + again.err
    assert "seed 3" in again.out
    assert len(here.runs()) == 1  # the older one made room
    assert here.run() != run
