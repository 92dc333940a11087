"""How is a compose project taken over for a run, and put back as it was?"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.stack.compose_file import Part
from harness.stack.container_ground import ANY, ground_of, publish, take_over
from harness.stack.containers import Containers
from harness.stack.docker import Docker, check_compose
from harness.stack.layout import addresses, edge_of
from harness.stack.ports import Ports
from harness.stack.undo import Warden, rescue
from tests.stack.test_compose_file import project, target

ENGINE = """#!{python} -IS
import pathlib, sys
here = pathlib.Path({folder!r})
words = sys.argv[1:]
with (here / "calls.txt").open("a") as calls:
    calls.write(" ".join(words) + "\\n")
answer = here / (words[0] + ".txt")
sys.stdout.write(answer.read_text() if answer.exists() else "")
"""


@dataclass(kw_only=True)
class Engine:
    """A fake engine: says of its containers what it is told to, and writes down what is asked of it."""

    folder: Path
    docker: Docker

    def stands(self, *lines: str) -> None:
        (self.folder / "ps.txt").write_text("".join(f"{line}\n" for line in lines))

    def volumes(self, *names: str) -> None:
        (self.folder / "volume.txt").write_text("\n".join(names))

    def calls(self) -> list[str]:
        """What was asked since the last look, questions for containers and volumes left out."""
        path = self.folder / "calls.txt"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return [line.replace(str(self.folder), "F") for line in lines if not line.startswith(("ps ", "volume "))]

    def taken(self, *, inside: bool = False) -> Containers:
        entry = target().compose
        assert entry is not None
        containers = take_over(self.docker, project(), "r", entry, inside=inside)
        containers.folder = self.folder
        return containers


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    folder = tmp_path / "engine"
    folder.mkdir()
    (folder / "docker").write_text(ENGINE.format(python=sys.executable, folder=str(folder)))
    (folder / "docker").chmod(0o755)
    return Engine(folder=folder, docker=Docker(environ={"PATH": str(folder)}))


COMPOSE = "compose --project-name shop --file F"


def test_a_run_that_found_nothing_takes_everything_down_but_volumes_that_were_there(engine: Engine) -> None:
    engine.volumes("shop_data")
    containers = engine.taken()
    containers.put_back()
    assert engine.calls() == [f"{COMPOSE}/compose-as-it-was.json down --timeout=2 --volumes"]
    kept = json.loads((engine.folder / "compose-as-it-was.json").read_text())["volumes"]
    assert kept == {"data": {"name": "shop_data", "external": True}, "other": {"name": "shop_other"}}


def test_a_stack_that_stood_is_put_back_as_it_was_and_what_did_not_stand_goes(engine: Engine) -> None:
    engine.stands("c1\trunning\ttoxiproxy\t", "c2\trunning\tgrafana\t", "c3\texited\ta\t")
    containers = engine.taken()
    containers.published = {"a": {1: 2}, "postgres": {3: 4}, "toxiproxy": {5: 6}}
    containers.put_back()
    assert engine.calls() == [
        f"{COMPOSE}/compose-as-it-was.json rm --force --stop --volumes a postgres toxiproxy",
        f"{COMPOSE}/compose-as-it-was.json up --detach --no-build --no-recreate toxiproxy",
    ]


def test_from_inside_the_servers_stay_and_must_have_stood(engine: Engine) -> None:
    with pytest.raises(UsageError, match="postgres, toxiproxy of compose project shop must stand before a run"):
        engine.taken(inside=True)
    engine.stands("c1\trunning\ttoxiproxy\t", "c2\trunning\tpostgres\t", "c3\trunning\ta\t")
    containers = engine.taken(inside=True)
    containers.put_back()
    assert [call.partition(".json ")[2] for call in engine.calls()] == [
        "rm --force --stop --volumes a",
        "up --detach --no-build --no-recreate a",
    ]


def test_a_project_that_another_run_has_is_refused(engine: Engine) -> None:
    engine.stands("c1\trunning\ta\tother-run")
    with pytest.raises(UsageError, match="run other-run has the compose project shop; wait for its end"):
        engine.taken()


def test_a_service_is_started_in_place_of_its_old_container_and_that_one_s_volumes(engine: Engine) -> None:
    engine.stands("c1\trunning\ta\t", "c2\trunning\ttoxiproxy\t")
    containers = engine.taken()
    assert containers.start({"a": Part(published={}, environment={})}) == {"a": "c1"}
    assert engine.calls() == [
        "rm --force --volumes c1",
        f"{COMPOSE}/compose.json up --detach --no-build --no-deps a",
    ]


def test_the_warden_puts_back_what_a_killed_run_cannot(engine: Engine, tmp_path: Path) -> None:
    engine.stands("c1\trunning\tpostgres\t", "c2\trunning\ttoxiproxy\t", "c3\trunning\ta\t")
    containers = engine.taken(inside=True)
    engine.calls()
    with Warden(tmp_path / "state") as warden:
        containers.will_put_back(warden)
        containers.will_drop("payment_r", warden)
        engine.calls()
    told = [call.rpartition(".json ")[2] for call in engine.calls()]
    assert told == [
        "exec c1 dropdb --force --if-exists --username=owner payment_r",
        "rm --force --stop --volumes a",
        "up --detach --no-build --no-recreate a",
    ]
    assert rescue(tmp_path / "state") == []


def test_every_port_that_is_listened_on_is_published_once_and_a_proxy_s_under_its_own_number() -> None:
    entry = target().compose
    assert entry is not None
    with Ports() as ports:
        (edge,) = ports.take()
        published = publish(project(), entry, {"customer": edge}, ports)
    assert {name: sorted(ports.values()) for name, ports in published.items() if name != "toxiproxy"} == {
        "a": [8080],
        "postgres": [5432],
    }
    assert sorted(published["toxiproxy"].values()) == sorted([8474, edge])
    assert published["toxiproxy"][edge] == edge
    ours = [port for ports in published.values() for port in ports]
    assert len(set(ours)) == len(ours)


def test_a_compose_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\[compose\] file: there is no .*compose\.yaml"):
        check_compose(target(path=tmp_path / "small.toml"))


@pytest.mark.parametrize("inside", [False, True])
def test_services_have_addresses_of_their_own_side_and_we_of_ours(engine: Engine, tmp_path: Path, inside: bool) -> None:
    entry = target().compose
    assert entry is not None
    engine.stands("c1\trunning\tpostgres\t", "c2\trunning\ttoxiproxy\t")
    (engine.folder / "network.txt").write_text('[{"Subnet": "172.18.0.0/16"}]')
    containers = engine.taken(inside=inside)
    if not inside:
        containers.published = {"a": {20001: 8080}, "postgres": {20002: 5432}, "toxiproxy": {20003: 8474, 20004: 20004}}
    small = target(service=[{"name": "a", "group": "api", "command": ["x"], "environment": {"A": "{edge.customer}"}}])
    with Warden(tmp_path / "state") as warden:
        ground = ground_of(
            small, entry, containers, folder=tmp_path, warden=warden, edges={"customer": 20004}, inside=inside
        )
    ours = "toxiproxy:20004" if inside else "127.0.0.1:20004"
    assert addresses(ground, ground.at, "")["edge.customer"] == f"http://{ours}"
    assert addresses(ground, ground.within, "")["edge.customer"] == "http://toxiproxy:20004"
    edge = edge_of(ground, small.edge[0])
    assert (edge.listen, edge.upstream, edge.at) == (f"{ANY}:20004", "a:8080", ours)
    assert (edge.past, edge.relayed) == ("a:8080" if inside else "127.0.0.1:20001", not inside)
    assert [str(network) for network in ground.networks] == ["172.18.0.0/16"]
