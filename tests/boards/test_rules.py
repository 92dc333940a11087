"""Are Prometheus' files true? Their metrics exist, each alert says what to do and has a test, promtool takes them."""

import re
import shutil
import subprocess
from itertools import pairwise
from typing import Any

import pytest
from ruamel.yaml import YAML

from harness.punctuality import CPU_SHARE_LIMIT, lateness_limit_ms
from harness.scenario import Objectives
from tests.boards import names
from tests.readme import ROOT

FOLDER = ROOT / "compose" / "prometheus"


def load(name: str) -> Any:
    return YAML(typ="safe").load(FOLDER / name)


RULES: list[dict[str, Any]] = [rule for group in load("rules.yml")["groups"] for rule in group["rules"]]
ALERTS = {rule["alert"]: rule for rule in RULES if "alert" in rule}
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (Debian: prometheus)")


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    assert PROMTOOL is not None
    return subprocess.run([PROMTOOL, *arguments], cwd=FOLDER, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.get("alert") or rule["record"])
def test_every_metric_of_a_rule_is_one_that_the_code_exposes(rule: dict[str, Any]) -> None:
    mentioned = names.named(rule["expr"])
    assert mentioned
    assert mentioned - names.known() == set()


def test_what_a_query_names_is_found_and_nothing_else() -> None:
    query = (
        'sum by (route, le) (rate(a_total{b="c"}[5m])) / on (x) job:d:ratio > 14.4 * 0.001 and max_over_time(e_f[1m]) '
        "unless up or vector(0)"
    )
    assert names.named(query) == {"a_total", "job:d:ratio", "e_f", "up"}


@pytest.mark.parametrize("name", ALERTS)
def test_every_alert_says_what_is_wrong_and_what_to_do(name: str) -> None:
    alert = ALERTS[name]
    assert alert["labels"]["severity"] in {"critical", "warning"}
    summary, description = alert["annotations"]["summary"], alert["annotations"]["description"]
    assert "\n" not in summary
    assert len(summary) < 120
    assert len(re.findall(r"[.:;] ", f"{description} ")) > 1  # what it means, and what to do
    assert not set("{|}") & set(description.partition(". ")[0])  # it stands in the README's table
    used = {label for text in (summary, description) for label in re.findall(r"\$labels\.(\w+)", text)}
    left = set(re.findall(r"by \(([^)]*)\)", alert["expr"])[:1])
    kept = {label.strip() for group in left for label in group.split(",")} or {"scenario", "instance", "job"}
    assert used <= kept


@pytest.mark.parametrize("name", ALERTS)
def test_every_alert_is_made_to_fire_and_not_to_fire(name: str) -> None:
    tests = load("rules_test.yml")["tests"]
    asked = [
        told["exp_samples"]
        for test in tests
        for told in test.get("promql_expr_test", ())
        if f'alertname="{name}"' in told["expr"]
    ]
    silent = [test for test in tests for told in test.get("alert_rule_test", ()) if told["alertname"] == name]
    assert any(asked)
    assert silent or [] in asked


def test_the_generator_s_limits_are_the_judge_s() -> None:
    limits = re.findall(r"> ([0-9.]+)", ALERTS["GeneratorLags"]["expr"])
    assert [float(limit) for limit in limits] == [
        lateness_limit_ms(Objectives().latency_limit_ms) / 1e3,
        CPU_SHARE_LIMIT,
    ]


def test_alerts_stand_below_the_recording_rules_that_they_use() -> None:
    kinds = ["alert" in rule for rule in RULES]
    assert all(before <= after for before, after in pairwise(kinds))


def test_what_prometheus_asks_are_services_of_the_compose_file_at_ports_that_they_expose() -> None:
    services = YAML(typ="safe").load(ROOT / "compose" / "compose.yaml")["services"]
    jobs = load("prometheus.yml")["scrape_configs"]
    named = [(name, str(way["port"])) for job in jobs for way in job.get("dns_sd_configs", ()) for name in way["names"]]
    fixed = [target for job in jobs for way in job.get("static_configs", ()) for target in way["targets"]]
    asked = [*named, *((target.partition(":")[0], target.partition(":")[2]) for target in fixed)]
    assert [name for name, _ in asked] == ["harness", "api-next", "api"]
    assert [name for name, port in asked if port not in services[name]["expose"]] == []
    mounts = {volume.split(":")[1] for name in ("prometheus", "grafana") for volume in services[name]["volumes"]}
    assert mounts >= {"/etc/prometheus", "/etc/grafana/provisioning", "/etc/grafana/dashboards"}


@needs_promtool
@pytest.mark.parametrize(
    "command", ["check config prometheus.yml", "check rules rules.yml", "test rules rules_test.yml"]
)
def test_promtool_takes_the_files(command: str) -> None:
    ended = promtool(*command.split())
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "FAILED" not in ended.stdout
