"""Is what cannot be done refused in one line, with exit code 2, before anything is started?"""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from harness.errors import ExitCode
from harness.stack.ports import LOOPBACK
from tests.cli.saying_no import refusal, refused
from tests.lifecycle.playing import SCENARIOS, TARGET

PLAIN = """schema_version = 1
name = "plain"
adapter = "harness.targets.reference:Reference"
base_url = "{base_url}"

[settings]
token_secret = "a"
operator_token = "b"
"""
LIMIT_S = 60


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("refusals")
    (folder / "scenarios").mkdir()
    (folder / "scenarios" / "short.py").write_text(SCENARIOS)
    (folder / "plain.toml").write_text(PLAIN.format(base_url="http://127.0.0.1:9"))
    (folder / "foreign.toml").write_text(PLAIN.format(base_url="http://192.0.2.1"))
    (folder / "torn.toml").write_text("schema_version = [")
    return folder


def program(folder: Path, *command: str, environ: Mapping[str, str] = os.environ) -> str:
    """What a program of its own says, `harness.cli` or `locust`."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    return refused(folder, done)


def gate_command(*arguments: str, target: Path | str = TARGET) -> tuple[str, ...]:
    return ("gate", "--size", "scene", "--target", str(target), *arguments)


def gate(folder: Path, *arguments: str, target: Path | str = TARGET) -> str:
    return refusal(folder, *gate_command(*arguments, target=target))


def gate_program(folder: Path, *arguments: str, target: Path | str = TARGET, **environ: str) -> str:
    command = gate_command(*arguments, target=target)
    return program(folder, "harness.cli", *command, environ=os.environ | environ)


def locust(folder: Path, *arguments: str, **environ: str) -> str:
    command = ("locust", "-f", "scenarios", "--size", "scene", "--target", str(TARGET), *arguments)
    return program(folder, *command, environ=os.environ | environ)


def test_an_unknown_scenario_is_told_with_what_was_probably_meant(folder: Path) -> None:
    assert gate(folder, "Shrt") == "unknown scenario 'Shrt'; did you mean Short?"


def test_a_size_that_a_scenario_does_not_have_is_refused(folder: Path) -> None:
    said = refusal(folder, "gate", "Short", "--size", "gate", "--target", str(TARGET))
    assert said == "scenario Short declares no size 'gate'; it has scene"


def test_a_setting_that_the_target_does_not_have_is_told_with_what_was_probably_meant(tmp_path: Path) -> None:
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "short.py").write_text(SCENARIOS.replace("load=", 'settings={"slot": 2}, load='))
    (tmp_path / "plain.toml").write_text(PLAIN.format(base_url="http://127.0.0.1:9") + "[defaults]\nslots = 8\n")
    said = gate(tmp_path, "Short", target="plain.toml")
    named = f"scenario Short sets 'slot', which [defaults] of target file {tmp_path / 'plain.toml'} does not name"
    assert said == f"{named}; did you mean slots?"


def test_an_unknown_defect_is_told_with_what_was_probably_meant(folder: Path) -> None:
    said = gate(folder, "Short", "--defect", "global_lok")
    assert said == "unknown defect 'global_lok' of target reference; did you mean global_lock?"


def test_an_unknown_build_is_refused(folder: Path) -> None:
    assert "did you mean incident?" in gate(folder, "Short", "--build", "incidnt")


def test_a_defect_of_a_target_that_has_none_is_refused(folder: Path) -> None:
    assert "target plain has no defect global_lock" in gate(
        folder, "Short", "--defect", "global_lock", target="plain.toml"
    )


def test_a_target_that_has_no_compose_file_is_not_started_as_containers(folder: Path) -> None:
    said = f"target plain cannot be started as containers: its file {folder / 'plain.toml'} has no [compose]"
    assert gate(folder, "Short", "--stack", "compose", target="plain.toml") == said
    assert gate_program(folder, "Short", target="plain.toml", HARNESS_STACK="compose") == said


def test_containers_without_docker_are_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "python").symlink_to(sys.executable)
    said = gate_program(folder, "Short", "--stack", "compose", PATH=str(tmp_path))
    assert said == "--stack compose needs the program docker with its plugin compose on PATH; there is none"


@pytest.mark.parametrize("file", ["torn.toml", "missing.toml"])
def test_an_unreadable_target_file_is_named(folder: Path, file: str) -> None:
    assert file in gate(folder, "Short", target=file)


@pytest.mark.parametrize("rate", ["0", "-1", "10.5", "nan"])
def test_a_rate_that_no_load_can_have_is_refused(folder: Path, rate: str) -> None:
    said = gate(folder, "Short", "--rate", rate)
    assert said == f"rate {rate}: name a factor above 0, at most 10; 1 is the scenario's own rate"


def test_locust_refuses_a_rate_and_a_scenario_that_there_are_not(folder: Path) -> None:
    assert "rate 11: name a factor above 0" in locust(folder, "--headless", "--rate", "11")
    assert "'Shrt' (choose from" in locust(folder, "--headless", "--scenario", "Shrt")
    said = locust(folder, "--headless", "Endless", "--scenario", "Short")
    assert said == "unknown scenario 'Short'; there are: Endless"


def test_a_taken_port_is_named(folder: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        assert f"port {port} on {LOOPBACK} is in use" in gate(folder, "Short", "--port-base", str(port))
        assert f"port {port} on {LOOPBACK} is in use" in locust(folder, "--headless", "--port-base", str(port))


def test_a_host_that_only_one_side_allows_is_refused(folder: Path) -> None:
    said = gate(folder, "Short", "--allow-host", "192.0.2.1", target="foreign.toml")
    assert "host '192.0.2.1' is not loopback" in said
    assert "missing in allow_hosts of the target file" in said


def test_a_foreign_host_on_locusts_command_line_is_refused(folder: Path) -> None:
    assert "host '192.0.2.1' is not loopback" in locust(folder, "--headless", "-H", "http://192.0.2.1")


def test_a_toxiproxy_that_does_not_answer_is_named(folder: Path) -> None:
    said = gate_program(folder, "Short", TOXIPROXY_URL="http://127.0.0.1:1")
    assert "no Toxiproxy answers at http://127.0.0.1:1" in said


def test_a_toxiproxy_that_does_not_answer_leaves_no_run_directory_of_locusts_either(folder: Path) -> None:
    command = ("locust", "-f", "scenarios", "Short", "--size", "scene", "--target", str(TARGET), "--headless")
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env=os.environ | {"TOXIPROXY_URL": "http://127.0.0.1:1"},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == ExitCode.USAGE, done
    assert "no Toxiproxy answers at http://127.0.0.1:1" in done.stderr
    assert list(folder.glob("runs/*")) == []


@pytest.mark.parametrize(("text", "say"), [("class Torn(", gate), ("import nothing_of_that_name", gate_program)])
def test_a_scenario_file_that_cannot_be_loaded_is_named(folder: Path, text: str, say: Callable[..., str]) -> None:
    broken = folder / "scenarios" / "torn.py"
    broken.write_text(text)
    try:
        assert "scenario file scenarios/torn.py cannot be loaded" in say(folder, "Short")
    finally:
        broken.unlink()


def test_a_folder_without_scenarios_is_named(folder: Path) -> None:
    said = gate(folder, "Short", "--scenarios", "elsewhere")
    assert said == "no scenario files in elsewhere; run this where that folder lies"


def test_all_scenarios_and_one_of_them_are_not_asked_for_at_once(folder: Path) -> None:
    assert gate(folder, "Short", "--all") == "--all runs every scenario; name none beside it"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[[known]", "."),
        ('[[known]]\ncheck = "no_silence"\nscenario = "Short"\nticket = "T-1"\n', "`expires`"),
        ('[[known]]\ncheck = "x"\nscenario = "Short"\nticket = "T-1"\nexpires = 2026-12-31\n', "no check 'x'"),
        (
            '[[known]]\ncheck = "no_silence"\nscenario = "Shrt"\nticket = "T-1"\nexpires = 2026-12-31\n',
            "unknown scenario 'Shrt'; did you mean Short?",
        ),
    ],
)
def test_known_breaches_that_cannot_be_read_are_refused(folder: Path, text: str, why: str) -> None:
    (folder / "known.toml").write_text(text)
    try:
        said = gate(folder, "Short")
        assert said.startswith("known breaches: known.toml: ")
        assert why in said
    finally:
        (folder / "known.toml").unlink()


def test_a_file_of_known_breaches_that_is_named_goes_before_the_one_that_lies_there(folder: Path) -> None:
    (folder / "known.toml").write_text("")
    try:
        assert "nowhere.toml cannot be read" in gate(folder, "Short", "--known", "nowhere.toml")
    finally:
        (folder / "known.toml").unlink()


def test_locust_refuses_known_breaches_that_cannot_be_read(folder: Path) -> None:
    assert "nowhere.toml cannot be read" in locust(folder, "--headless", "--known", "nowhere.toml")


def test_a_folder_for_runs_that_cannot_be_made_is_refused(folder: Path) -> None:
    assert "run directory /dev/null/" in gate(folder, "Short", "--runs", "/dev/null")


def test_a_report_that_cannot_be_written_is_refused_before_a_run(folder: Path) -> None:
    said = gate(folder, "Short", "--junit", "/dev/null/j.xml")
    assert said.startswith("--junit: /dev/null/j.xml cannot be written: ")
    assert gate(folder, "Short", "--junit", "j", "--ctrf", "j") == "--junit and --ctrf name the same file j"
    assert not (folder / "j").exists()


@pytest.mark.parametrize("arguments", [["--worker"], ["--master", "--headless"], ["--processes", "2", "--headless"]])
def test_a_run_with_workers_is_not_there_yet(folder: Path, arguments: list[str]) -> None:
    assert "not there yet" in locust(folder, *arguments)


def test_a_worker_that_the_environment_asks_for_is_not_there_yet(folder: Path) -> None:
    assert "not there yet" in locust(folder, LOCUST_MODE_WORKER="true")


def test_up_refuses_a_group_that_the_target_does_not_have(folder: Path) -> None:
    said = refusal(folder, "up", "--target", str(TARGET), "--only", "provider")
    assert said == "target reference has no group 'provider'; did you mean providers?"
