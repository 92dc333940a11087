"""Does the stack come up in containers, pass where it should, fail where it must, and go without a trace?

Needs a Docker engine: `make compose-test`. In order: each test takes the stack as the one before left it.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.documents import read_run_record
from harness.errors import ExitCode
from tests.compose.standing import BUILD_LIMIT_S, Standing, answers, docker, project
from tests.readme import ROOT

pytestmark = pytest.mark.containers

SERVERS = ("alipay", "api", "card", "dispatch", "front", "postgres", "prometheus", "status", "toxiproxy", "wechat")
SCENE = ("--size", "scene", "--seed", "7")
DEFECT = ("--defect", "new_number_on_retry")
KILLED = re.compile(r'"service":"api","event":"(killed|started|ready)","pid":(\d+)')


@pytest.fixture(scope="module")
def standing() -> Iterator[Standing]:
    with project() as standing:
        before = standing.nameless()
        yield standing
    assert standing.left() == []
    assert standing.nameless() <= before


def healthy() -> set[str]:
    return {f"{name} healthy" for name in SERVERS}


def test_a_run_on_this_host_brings_up_its_own_containers_and_leaves_nothing(standing: Standing, tmp_path: Path) -> None:
    assert standing.compose("build", "--quiet", "api", "harness", limit_s=BUILD_LIMIT_S).code == 0
    ended = standing.gate("AnswerLost", "ApiKilled", *SCENE, "--runs", str(tmp_path), "--run-id", "own")
    assert ended.code == ExitCode.PASS, ended.output
    processes = (tmp_path / "own" / "ApiKilled" / "evidence" / "processes.jsonl").read_text()
    told = KILLED.findall(processes)
    assert [event for event, _ in told] == ["started", "ready", "killed", "started", "ready"]
    pids = [pid for _, pid in told]
    assert (pids[0], pids[3]) == (pids[2], pids[4]) != (pids[3], pids[0])
    logs = {path.name for path in (tmp_path / "own" / "ApiKilled" / "logs").iterdir()}
    assert logs >= {"api.log", "front.log", "wechat.log"}
    arguments = read_run_record(tmp_path / "own").arguments
    assert arguments[arguments.index("--stack") + 1] == "compose"
    assert standing.left() == []


def test_the_stack_comes_up_healthy_by_itself(standing: Standing) -> None:
    assert standing.compose("up", "--detach", "--wait").code == 0
    assert standing.services() == healthy()
    assert answers(f"{standing.url('CUSTOMER_PORT')}/healthz")
    assert answers(f"{standing.url('STATUS_PORT')}/healthz")


def test_nothing_runs_as_root_or_is_published_beyond_loopback(standing: Standing) -> None:
    for container in standing.compose("ps", "-q").output.split():
        name, user, published = docker(
            "inspect", "--format={{.Name}} {{.Config.User}} {{json .HostConfig.PortBindings}}", container
        ).split(" ", 2)
        assert user.partition(":")[0] not in {"", "0", "root"}, name
        assert set(re.findall(r'"HostIp":"([^"]*)"', published)) <= {"127.0.0.1"}, name


def test_a_defect_is_caught_on_a_stack_that_stands_which_is_then_as_it_was(standing: Standing, tmp_path: Path) -> None:
    ended = standing.gate("AnswerLost", *SCENE, *DEFECT, "--runs", str(tmp_path), "--run-id", "caught")
    assert ended.code == ExitCode.BROKEN, ended.output
    assert "broken: no_double_charge" in ended.output
    assert standing.compose("up", "--detach", "--wait", "--no-recreate").code == 0
    assert standing.services() == healthy()
    assert answers(f"{standing.url('CUSTOMER_PORT')}/healthz")
    assert docker("ps", "-aq", "--filter", "label=payment-chaos.run", "--filter", f"name={standing.project}") == ""


def test_a_killed_run_leaves_no_container_of_its_own(standing: Standing, tmp_path: Path) -> None:
    command = (sys.executable, "-m", "harness.cli", "gate", "--stack", "compose", "AnswerLost", *SCENE)
    with subprocess.Popen(
        (*command, "--runs", str(tmp_path)), cwd=ROOT, env=dict(standing.environ), stderr=subprocess.PIPE, text=True
    ) as gate:
        assert gate.stderr is not None
        for line in gate.stderr:
            if "AnswerLost load: " in line:
                break
        gate.kill()
        gate.stderr.read()  # ends when the last of its children has: the warden among them
    rescued = standing.run(sys.executable, "-m", "harness.cli", "rescue")
    assert rescued.code == ExitCode.PASS, rescued.output
    assert docker("ps", "-aq", "--filter", "label=payment-chaos.run", "--filter", f"name={standing.project}") == ""
    assert standing.compose("up", "--detach", "--wait", "--no-recreate").code == 0
    assert standing.services() == healthy()


def test_the_harness_passes_from_inside(standing: Standing) -> None:
    ended = standing.from_inside("ApiKilled", *SCENE)
    assert ended.code == ExitCode.PASS, ended.output


def test_the_harness_catches_a_defect_from_inside(standing: Standing) -> None:
    ended = standing.from_inside("AnswerLost", *SCENE, *DEFECT)
    assert ended.code == ExitCode.BROKEN, ended.output


def test_every_query_of_the_dashboard_has_an_answer_from_the_stack_s_prometheus(standing: Standing) -> None:
    where = standing.url("PROMETHEUS_PORT")
    asked = standing.run(
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/boards/test_answers.py"),
        *("--prometheus-url", where, "-m", ""),
    )
    assert asked.code == 0, asked.output
    assert "skipped" not in asked.output
