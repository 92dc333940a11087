"""Does the compose file keep its promises: loopback only, no root, no shell where there is none, images by variable?"""

import json
import re
import tomllib
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from ruamel.yaml import YAML

from harness.targets.file import ServiceEntry, load_target

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "compose"
WRITTEN = [*sorted(FOLDER.glob("lab/*")), FOLDER / "compose.yaml", FOLDER / "Dockerfile", ROOT / ".dockerignore"]
HOSTS = re.compile(r"\b[a-z0-9][\w.-]*\.(?:io|org|com|net|dev)\b", re.IGNORECASE)
KNOWN = {"docker.io", "ghcr.io", "github.com"}
"""A package of Debian's, the public image of Toxiproxy, the module path of its source."""
PUBLIC = {
    "POSTGRES_IMAGE": "postgres:18",
    "TOXIPROXY_IMAGE": "ghcr.io/shopify/toxiproxy:2.12.0",
    "PROMETHEUS_IMAGE": "prom/prometheus:v3.5.0",
    "GRAFANA_IMAGE": "grafana/grafana:12.2.0",
    "REFERENCE_IMAGE": "payment-chaos-reference:local",
    "HARNESS_IMAGE": "payment-chaos-harness:local",
}
BY_VARIABLE = re.compile(r"\$\{([A-Z_]+):-([^}]+)\}")
SHELLS = {"CMD-SHELL", "sh", "bash", "/bin/sh"}


def document() -> dict[str, Any]:
    whole: dict[str, Any] = YAML(typ="safe").load(FOLDER / "compose.yaml")
    return whole


SERVICES: dict[str, dict[str, Any]] = document()["services"]
SERVERS = sorted(SERVICES.keys() - {"harness"})


def environment(entry: ServiceEntry) -> set[str]:
    return set(entry.environment)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_port_is_published_on_loopback_only_and_by_a_variable(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:\$\{[A-Z_]+:-\d+\}:\d+", port)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_an_image_is_named_by_a_variable_with_a_public_default(name: str) -> None:
    found = BY_VARIABLE.fullmatch(SERVICES[name]["image"])
    assert found is not None
    assert PUBLIC[found[1]] == found[2]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_nothing_runs_as_root_or_may_become_it_or_write_to_its_image(name: str) -> None:
    service = SERVICES[name]
    user = str(service["user"]).partition(":")[0]
    assert user not in {"", "root", "0"}
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service


@pytest.mark.parametrize("name", SERVERS)
def test_every_server_says_whether_it_is_healthy_without_a_shell(name: str) -> None:
    test = SERVICES[name]["healthcheck"]["test"]
    assert test[0] == "CMD"
    assert not SHELLS & set(test)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_service_exposes_the_one_port_that_it_listens_on(name: str) -> None:
    (port,) = SERVICES[name]["expose"]
    said = [value for key, value in (SERVICES[name].get("environment") or {}).items() if key.endswith("_PORT")]
    assert said in ([], [port])


def test_the_engine_s_socket_is_mounted_by_the_harness_alone() -> None:
    holders = {name for name, service in SERVICES.items() if "docker.sock" in json.dumps(service.get("volumes", []))}
    assert holders == {"harness"}


def test_the_target_file_sets_what_the_compose_file_sets_for_each_service() -> None:
    target = load_target(FOLDER / "reference.toml")
    assert target.compose is not None
    assert (target.folder / target.compose.file).samefile(FOLDER / "compose.yaml")
    for entry in target.service:
        assert set(SERVICES[entry.name]["environment"]) - {"PAYMENT_API_RELEASE"} <= set(entry.environment), entry.name
        assert SERVICES[entry.name]["command"] == ["python", *entry.command[1:]], entry.name
        assert SERVICES[entry.name]["healthcheck"]["test"][-1] == entry.ready, entry.name


def test_every_edge_of_the_target_file_has_a_proxy_that_leads_to_the_same_service() -> None:
    target = load_target(FOLDER / "reference.toml")
    proxies = {row["name"]: row["upstream"] for row in json.loads((FOLDER / "toxiproxy.json").read_text())}
    assert proxies == {edge.name: f"{edge.to}:{SERVICES[edge.to]['expose'][0]}" for edge in target.edge}


def test_no_file_names_a_registry_of_images_or_packages() -> None:
    named = {path.name: set(HOSTS.findall(path.read_text())) - KNOWN for path in WRITTEN if path.is_file()}
    assert {name: found for name, found in named.items() if found} == {}


def needed(roots: list[str]) -> set[str]:
    """Names of these requirements and of all that they need on this Python, as far as it is installed."""
    todo, found = [Requirement(root) for root in roots], set()
    seen: set[tuple[str, frozenset[str]]] = set()
    while todo:
        requirement = todo.pop()
        key = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        if key in seen:
            continue
        seen.add(key)
        found.add(str(key[0]))
        extras = key[1] | {""}
        for line in requires(requirement.name) or ():
            more = Requirement(line)
            if more.marker is None or any(more.marker.evaluate({"extra": extra}) for extra in extras):
                todo.append(more)
    return found


def test_an_image_holds_the_packages_that_its_code_needs_and_no_others() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    reference = project["optional-dependencies"]["reference"]
    server = [line for line in reference if "pgserver" in line]
    wanted = {
        # asyncpg and fastapi alone are not all that is imported: msgspec and prometheus-client are the project's own.
        "reference": needed([line for line in reference if line not in server] + ["msgspec", "prometheus-client"]),
        "harness": needed(project["dependencies"] + server),
        "build": needed(["hatchling", "editables"]),
    }
    listed = {name: set((FOLDER / "packages" / f"{name}.txt").read_text().split()) for name in wanted}
    assert listed == wanted


def test_what_an_image_holds_is_locked() -> None:
    locked = {
        str(canonicalize_name(line.partition("==")[0]))
        for line in (ROOT / "requirements.lock").read_text().splitlines()
        if "==" in line and not line.startswith((" ", "#"))
    }
    for path in sorted((FOLDER / "packages").glob("*.txt")):
        assert set(path.read_text().split()) <= locked, path.name
