"""Is a container's death and return believed only when the engine names another process that started later?"""

import json
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from harness.errors import StackError, UsageError
from harness.stack.container import Container
from harness.stack.docker import ContainerState, Docker, Listed, listed, stamp_ns, state
from harness.stack.service import ProcessEvent

NEVER = "0001-01-01T00:00:00Z"


class Ready(BaseHTTPRequestHandler):
    """Is ready, and says as which build."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"build": "fixed"}')

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the standard library's name
        """Say nothing."""


@dataclass(kw_only=True)
class Engine:
    """A fake engine with one container, and the service in it."""

    folder: Path
    docker: Docker
    service: Container
    events: list[ProcessEvent]
    ups: list[str | None] = field(default_factory=list)

    def tell(self, **state: object) -> None:
        path = self.folder / "state.json"
        known = json.loads(path.read_text()) if path.exists() else {"Next": 42}
        path.write_text(json.dumps(known | state))

    def story(self) -> list[tuple[str, int]]:
        return [(event.event, event.pid) for event in self.events]

    def up(self, service: Container) -> None:
        self.ups.append(service.release)
        self.tell(Status="exited", Running=False, Paused=False, Pid=0, StartedAt=NEVER)
        self.docker.call("start", "c1")
        service.adopt("c1")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    program = tmp_path / "docker"
    script = Path(__file__).with_name("fake_docker.py").read_text()
    program.write_text(f"#!{sys.executable} -IS\n{script}")
    program.chmod(0o755)
    docker = Docker(environ={"PATH": str(tmp_path)})
    events: list[ProcessEvent] = []

    def up(service: Container) -> None:
        made.up(service)

    with ThreadingHTTPServer(("127.0.0.1", 0), Ready) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        made = Engine(
            folder=tmp_path,
            docker=docker,
            service=Container(
                name="api",
                docker=docker,
                up=up,
                environment=lambda _: {},
                at=f"127.0.0.1:{server.server_port}",
                ready="/healthz",
                log=tmp_path / "api.log",
                build="fixed",
                events=events,
            ),
            events=events,
        )
        yield made
        server.shutdown()


def test_a_service_is_started_in_a_new_container_and_after_a_kill_in_the_same(engine: Engine) -> None:
    service = engine.service
    service.spawn()
    service.wait_ready()
    before = service.sight()
    assert before is not None
    service.kill()
    assert (service.running(), before.alive(), before.state()) == (None, (), None)
    service.spawn()
    service.wait_ready()
    after = service.sight()
    assert after is not None
    assert engine.story() == [("started", 42), ("ready", 42), ("killed", 42), ("started", 43), ("ready", 43)]
    assert engine.ups == [None]
    assert (after.alive(), after.state(), after.listens(service.url)) == ((43,), "running", True)
    assert after.running.start_ticks >= before.running.start_ticks
    assert (before.alive(), before.state(), before.listens(service.url)) == ((), None, False)


def test_one_start_is_one_instant_however_often_it_is_asked_for(engine: Engine) -> None:
    engine.service.spawn()
    assert len({engine.service.running() for _ in range(3)}) == 1


def test_a_process_that_started_before_the_kill_is_not_believed(engine: Engine) -> None:
    engine.service.spawn()
    engine.service.kill()
    engine.tell(Always="2020-01-01T00:00:00Z")
    with pytest.raises(StackError, match="api: pid 43 started before the kill that it follows"):
        engine.service.spawn()


def test_a_frozen_container_stands_still_and_goes_on_as_the_same_process(engine: Engine) -> None:
    engine.service.spawn()
    sight = engine.service.sight()
    assert sight is not None
    engine.service.pause()
    assert (sight.stands_still(), sight.state(), sight.alive()) == (True, "paused", (42,))
    engine.service.resume()
    assert (sight.stands_still(), sight.state()) == (False, "running")
    assert engine.story() == [("started", 42), ("paused", 42), ("resumed", 42)]


def test_another_release_is_another_container(engine: Engine) -> None:
    engine.service.spawn()
    engine.service.kill()
    engine.service.spawn("r2")
    engine.service.kill()
    engine.service.spawn("r2")
    assert engine.ups == [None, "r2"]


def test_what_every_container_of_a_service_said_is_kept(engine: Engine) -> None:
    engine.service.spawn()
    engine.service.keep_logs()
    engine.service.keep_logs()
    engine.service.kill()
    engine.service.spawn("r2")
    engine.service.keep_logs()
    assert sorted(engine.service.log.read_text().splitlines()) == [
        "first words",
        "first words",
        "last words",
        "last words",
    ]


def test_a_service_that_runs_is_not_started_twice(engine: Engine) -> None:
    engine.service.spawn()
    with pytest.raises(StackError, match="api is to be started and runs already"):
        engine.service.spawn()


def test_a_container_that_ended_at_once_is_told_with_its_last_words(engine: Engine) -> None:
    engine.tell(Status="exited", Running=False, Paused=False, Pid=0, StartedAt=NEVER)
    with pytest.raises(StackError, match=r"api ended while starting; its last words: first words \| last words"):
        engine.service.adopt("c1")


def test_without_an_engine_nothing_is_started(tmp_path: Path) -> None:
    docker = Docker(environ={"PATH": str(tmp_path)})
    with pytest.raises(UsageError, match="no Docker engine answers: docker ps"):
        docker.listed("shop")
    program = shutil.which("false")
    assert program is not None
    (tmp_path / "docker").symlink_to(program)
    with pytest.raises(UsageError, match="start it, or name it by DOCKER_HOST"):
        docker.listed("shop")


def test_the_engine_s_words_on_a_container_are_read() -> None:
    row = {"Status": "paused", "Running": True, "Paused": True, "Pid": 7, "StartedAt": "2026-11-29T20:15:45.73584958Z"}
    assert state(f"c1 {json.dumps(row)}\n") == ContainerState(
        id="c1", status="paused", running=True, paused=True, pid=7, started_ns=1_795_983_345_735_849_580
    )


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("c1\trunning\tapi\tr", Listed(id="c1", service="api", running=True, run_id="r")),
        ("c1\tpaused\tapi\t", Listed(id="c1", service="api", running=True, run_id="")),
        ("c1\texited\tapi\t", Listed(id="c1", service="api", running=False, run_id="")),
        ("c1\tcreated", Listed(id="c1", service="", running=False, run_id="")),
    ],
)
def test_a_line_on_a_project_s_container_is_read(line: str, read: Listed) -> None:
    assert listed(line) == read


@pytest.mark.parametrize(
    ("text", "instant_ns"),
    [
        (NEVER, 0),
        ("1970-01-01T00:00:01Z", 1_000_000_000),
        ("1970-01-01T00:00:01.5Z", 1_500_000_000),
        ("1970-01-01T00:00:01.000000001Z", 1_000_000_001),
        ("1970-01-01T00:00:01.25+00:00", 1_250_000_000),
    ],
)
def test_the_engine_s_instants_are_read_to_the_nanosecond(text: str, instant_ns: int) -> None:
    assert stamp_ns(text) == instant_ns


def test_an_instant_that_is_not_understood_is_told() -> None:
    with pytest.raises(StackError, match="names an instant that is not understood: 'yesterday'"):
        stamp_ns("yesterday")


def test_a_start_is_reckoned_on_the_clock_that_counts_processes() -> None:
    docker = Docker(environ={})
    ticks_a_second = os.sysconf("SC_CLK_TCK")
    booted_ns = -docker.utc_to_boot_ns
    assert docker.boot_ticks(booted_ns + 3_000_000_000) == 3 * ticks_a_second
    assert docker.boot_ticks(booted_ns + 2_999_999_999) == 3 * ticks_a_second - 1
