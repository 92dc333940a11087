"""Do the commands say what they did, and exit with the verdict's code?"""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.checks import CHECKS
from harness.errors import ExitCode
from harness.verdict import Status
from tests.lifecycle.playing import TARGET, Place

COMMANDS = ("gate", "check", "rerun", "explain", "token", "list", "up", "down", "rescue")


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
    assert all(name in harness("list", "checks").stdout for name in CHECKS)
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
def test_a_broken_promise_is_exit_code_1_for_gate_check_and_rerun(new_place: Callable[[], Place]) -> None:
    here = new_place()
    done = here.gate("Short", "--seed", "3", "--defect", "delete_on_failure")
    assert done.exit_code == ExitCode.BROKEN, done.out + done.err
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
