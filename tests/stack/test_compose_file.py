"""What does a run make of a compose file: the services asked for, its own environment and ports, and nothing else?"""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UsageError
from harness.stack.compose_file import Part, Project, keeping, read_project, rendered
from harness.targets.file import TargetFile

ENTRIES = {
    "schema_version": 1,
    "name": "small",
    "adapter": "adapter:Small",
    "postgres": {"database": "small"},
    "compose": {"file": "compose.yaml"},
    "service": [{"name": "a", "group": "api", "command": ["x"]}],
    "edge": [{"name": "customer", "to": "a"}],
    "path": Path("/nowhere/small.toml"),
}


def target(**more: object) -> TargetFile:
    return TargetFile.model_validate({**ENTRIES, **more})


def document(**services: object) -> dict[str, Any]:
    """As `docker compose config` prints it."""
    known: dict[str, object] = {
        "a": {
            "image": "small:local",
            "build": {"context": "/src"},
            "command": ["serve"],
            "depends_on": {"postgres": {"condition": "service_healthy"}},
            "environment": {"A_KEY": "development"},
            "expose": ["8080"],
            "healthcheck": {"test": ["CMD", "true"]},
            "labels": {"kept": "yes"},
            "ports": [{"target": 8080, "published": "8080", "host_ip": "127.0.0.1"}],
            "profiles": ["extra"],
            "read_only": True,
            "restart": "unless-stopped",
        },
        "postgres": {
            "image": "postgres:18",
            "environment": {"POSTGRES_USER": "owner", "POSTGRES_PASSWORD": "p"},
            "expose": ["5432"],
            "healthcheck": {"test": ["CMD", "pg_isready"]},
        },
        "toxiproxy": {"image": "toxiproxy", "expose": ["8474"]},
        "grafana": {"image": "grafana", "build": {"context": "/src"}},
    }
    return {
        "name": "shop",
        "services": {name: service for name, service in {**known, **services}.items() if service is not None},
        "networks": {"default": {"name": "shop_default"}},
        "volumes": {"data": {"name": "shop_data"}, "other": {"name": "shop_other"}},
    }


def project(**services: object) -> Project:
    return read_project(json.dumps(document(**services)), target())


def test_what_a_run_needs_of_a_compose_file_is_read_from_it() -> None:
    read = project()
    assert (read.name, read.network, dict(read.ports)) == ("shop", "shop_default", {"a": 8080})
    assert (read.user, read.password, read.postgres_port, read.toxiproxy_port) == ("owner", "p", 5432, 8474)


def test_a_service_of_a_run_has_its_environment_and_its_ports_and_is_marked_as_its_own() -> None:
    parts = {"a": Part(published={20001: 8080}, environment={"A_KEY": "fresh"})}
    assert rendered(project(), parts, run_id="r")["services"] == {
        "a": {
            "image": "small:local",
            "command": ["serve"],
            "environment": {"A_KEY": "fresh"},
            "expose": ["8080"],
            "healthcheck": {"disable": True},
            "labels": {"kept": "yes", "payment-chaos.run": "r"},
            "logging": {"driver": "json-file"},
            "ports": [
                {"mode": "host", "host_ip": "127.0.0.1", "published": "20001", "target": 8080, "protocol": "tcp"}
            ],
            "read_only": True,
            "restart": "no",
        }
    }


def test_a_server_keeps_environment_and_health_check_of_the_file() -> None:
    whole = rendered(project(), {"postgres": Part(published={})}, run_id="r")
    postgres = whole["services"]["postgres"]
    assert postgres["environment"] == {"POSTGRES_USER": "owner", "POSTGRES_PASSWORD": "p"}
    assert postgres["healthcheck"] == {"test": ["CMD", "pg_isready"]}
    assert postgres["ports"] == []
    assert (whole["name"], whole["networks"]) == ("shop", {"default": {"name": "shop_default"}})


def test_a_dollar_sign_in_a_value_begins_no_variable() -> None:
    parts = {"a": Part(published={}, environment={"A_KEY": "$HOME ${x}"})}
    assert rendered(project(), parts, run_id="r")["services"]["a"]["environment"] == {"A_KEY": "$$HOME $${x}"}


def test_volumes_that_were_there_before_are_somebody_else_s() -> None:
    kept = keeping(document(), {"shop_data", "unrelated"})
    assert kept["volumes"] == {"data": {"name": "shop_data", "external": True}, "other": {"name": "shop_other"}}
    assert kept["services"] == document()["services"]


def test_an_image_is_built_once_however_many_services_share_it() -> None:
    read = project(b=document()["services"]["a"])
    assert read.images(["a", "b", "postgres"]) == ("b",)


@pytest.mark.parametrize(
    ("services", "words"),
    [
        ({"a": None, "aa": {}}, "compose file compose.yaml of target small: there is no service 'a'"),
        ({"toxiproxy": None}, "there is no service 'toxiproxy'"),
        ({"a": {"image": "x"}}, "service a must expose the one port that it listens on, not 0"),
        ({"a": {"expose": ["1", "2"]}}, "service a must expose the one port that it listens on, not 2"),
    ],
)
def test_a_compose_file_that_lacks_something_is_refused_by_name(services: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        project(**services)


def test_a_target_without_a_compose_file_is_refused() -> None:
    with pytest.raises(UsageError, match=r"small cannot be started as containers: its file .* has no \[compose\]"):
        read_project(json.dumps(document()), target(compose=None))
