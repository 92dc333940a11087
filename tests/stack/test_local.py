"""Does a stack stand as its target file says, and can its processes be killed, brought back and proven?"""

import json
import socket
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from harness.errors import HostNotAllowed, StackError, UsageError
from harness.stack import postgres as postgresql
from harness.stack import warden
from harness.stack.local import Ground, Stack, open_ground, open_stack
from harness.stack.ports import is_free, reserved
from harness.stack.postgres import Postgres
from harness.stack.service import ticks_at
from harness.stack.toxiproxy import VARIABLE, Toxiproxy
from harness.targets.file import load_target
from tests.stack.small import FIXED, HEAD, WINDOWS, edge, pair

pytestmark = pytest.mark.live


@contextmanager
def ground_on(target: Path, toxiproxy: Toxiproxy, run_id: str = "r", **options: Any) -> Iterator[Ground]:
    folder = target.parent
    environ = {VARIABLE: toxiproxy.url, **options.pop("environ", {})}
    with open_ground(
        load_target(target), run_id=run_id, logs=folder / "logs", state=folder / "state", environ=environ, **options
    ) as ground:
        yield ground


@contextmanager
def stack_on(ground: Ground, scenario: str = "S", **options: Any) -> Iterator[Stack]:
    with open_stack(
        ground,
        scenario=scenario,
        seed=7,
        chosen=FIXED,
        windows=WINDOWS,
        logs=ground.target.path.parent / "logs",
        **options,
    ) as stack:
        yield stack


def environment(url: str) -> Mapping[str, str]:
    """What the service behind this URL was started with."""
    with urllib.request.urlopen(url, timeout=5) as reply:  # noqa: S310  # on loopback
        answer = json.loads(reply.read())["environment"]
    assert isinstance(answer, dict)
    return answer


def test_services_know_each_other_through_edges_and_nothing_of_our_environment(
    toxiproxy: Toxiproxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("PYTHONOPTIMIZE", "1")
    with ground_on(pair(tmp_path), toxiproxy) as ground, stack_on(ground) as stack:
        monkeypatch.delenv("HTTP_PROXY")
        a, b = environment(stack.endpoints["a"].url), environment(stack.base_url)
        assert stack.base_url == f"http://{stack.edges['customer'].listen}"
        assert a == b  # the customers' edge leads to a
        assert a["ECHO_OTHER"] == f"http://{stack.edges['to-b'].listen}/from/a"
        assert environment(a["ECHO_OTHER"])["ECHO_OTHER"] == f"{stack.base_url}/from/b"
        assert set(a) - {"LC_CTYPE"} <= {
            *("ECHO_PORT", "ECHO_DATA", "ECHO_BUILD", "ECHO_OTHER", "HARNESS_MARK"),
            *("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH"),
        }
        assert stack.settings == {"token": stack.secrets["token"]}


def test_each_scenario_gets_fresh_data_and_secrets_and_leaves_no_proxy_process_or_database(
    toxiproxy: Toxiproxy, postgres: Postgres, tmp_path: Path
) -> None:
    named = {postgresql.VARIABLE: postgres.url("postgres")}
    seen = []
    with ground_on(pair(tmp_path, database=True), toxiproxy, "r-1", environ=named) as ground:
        for scenario in ("AnswerLost", "AnswerLost"):
            with stack_on(ground, scenario) as stack:
                assert set(toxiproxy.proxies()) >= {"r-1.customer", "r-1.to-b", "r-1.database"}
                assert stack.edges["database"].upstream == f"127.0.0.1:{postgres.port}"
                data = Path(environment(stack.base_url)["ECHO_DATA"])
                assert list(data.iterdir()) == []
                (data / "ledger").touch()
                pids = [process.pid for name in "ab" if (process := stack.running(name)) is not None]
                seen.append((stack.secrets["token"], stack.database, stack.endpoints["a"].url))
            assert not any(name.startswith("r-1.") for name in toxiproxy.proxies())
            assert not any(warden.start_ticks(pid) for pid in pids)
            assert not data.exists()
    (token, database, url), (other_token, other_database, other_url) = seen
    assert (token != other_token, database != other_database, url == other_url) == (True, True, True)
    assert database is not None
    assert database.startswith("small_r_1_answerlost_")
    left = postgres.query("SELECT datname FROM pg_database WHERE datname LIKE 'small%'")
    assert left == []


def test_a_setting_is_the_scenarios_or_else_the_files_default(toxiproxy: Toxiproxy, tmp_path: Path) -> None:
    target = pair(tmp_path, "[defaults]\nslots = 64\nname = 'x'\n", ECHO_SLOTS="{setting.slots} {setting.name}")
    with ground_on(target, toxiproxy) as ground:
        with stack_on(ground) as stack:
            assert environment(stack.endpoints["b"].url)["ECHO_SLOTS"] == "64 x"
        with stack_on(ground, settings={"slots": 2}) as stack:
            assert environment(stack.endpoints["b"].url)["ECHO_SLOTS"] == "2 x"


def test_a_killed_service_is_gone_with_what_it_forked_and_comes_back_on_its_port_with_its_environment(
    toxiproxy: Toxiproxy, tmp_path: Path
) -> None:
    with ground_on(pair(tmp_path, ECHO_FORK="1"), toxiproxy) as ground, stack_on(ground) as stack:
        before, url = stack.running("b"), stack.endpoints["b"].url
        first = environment(url)
        assert before is not None
        family = {before.pid, *warden.descendants([before.pid])}
        assert len(family) == 2
        stack.kill("b")
        assert stack.running("b") is None
        assert not any(warden.start_ticks(pid) for pid in family)
        assert is_free(ground.services["b"])
        stack.start("b")
        after = stack.running("b")
        assert after is not None
        assert after.pid not in family
        assert environment(url) == first
        steps = [(event.event, event.pid) for event in stack.events if event.service == "b"]
        assert steps == [
            ("started", before.pid),
            ("ready", before.pid),
            ("killed", before.pid),
            ("started", after.pid),
            ("ready", after.pid),
        ]
        killed, started = [event for event in stack.events if event.service == "b"][2:4]
        assert started.start_time >= ticks_at(killed.at_ns)
        assert set(killed.row()) == {"service", "event", "pid", "start_time", "started_ns", "at_ns", "build"}
        assert started.build == "fixed"
        with pytest.raises(StackError, match="runs already"):
            stack.start("b")


def test_a_paused_service_stands_still_until_it_is_resumed_and_can_be_ended_while_paused(
    toxiproxy: Toxiproxy, tmp_path: Path
) -> None:
    with ground_on(pair(tmp_path), toxiproxy) as ground, stack_on(ground) as stack:
        process = stack.running("a")
        assert process is not None
        stack.pause("a")
        with socket.create_connection(("127.0.0.1", ground.services["a"]), timeout=0.2) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            with pytest.raises(TimeoutError):
                connection.recv(1)
        stack.resume("a")
        assert environment(stack.base_url)
        stack.pause("a")
    assert warden.start_ticks(process.pid) is None


def test_a_service_that_is_deaf_to_the_polite_signal_is_ended_all_the_same(
    toxiproxy: Toxiproxy, tmp_path: Path
) -> None:
    with ground_on(pair(tmp_path, ECHO_DEAF="1"), toxiproxy) as ground, stack_on(ground) as stack:
        process = stack.running("b")
        assert process is not None
    assert warden.start_ticks(process.pid) is None


def test_a_service_that_ends_while_starting_is_told_with_its_last_words(toxiproxy: Toxiproxy, tmp_path: Path) -> None:
    with ground_on(pair(tmp_path, ECHO_SAY="no database here"), toxiproxy, "r-2") as ground:
        with pytest.raises(StackError, match=r"b ended while starting; last lines of .*b\.log: no database here"):
            with stack_on(ground):
                pass
        assert is_free(ground.services["a"])
        assert "r-2.customer" not in toxiproxy.proxies()


class _Stranger(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the standard library's name
        """Say nothing."""


def test_an_answer_from_somebody_else_on_the_port_is_not_taken_for_the_service(
    toxiproxy: Toxiproxy, tmp_path: Path
) -> None:
    with ground_on(pair(tmp_path, ECHO_SILENT="1"), toxiproxy) as ground:
        with HTTPServer(("127.0.0.1", ground.services["b"]), _Stranger) as stranger:
            threading.Thread(target=stranger.serve_forever, daemon=True).start()
            with pytest.raises(StackError, match="b: somebody else answers at"), stack_on(ground):
                pass
            stranger.shutdown()


def test_only_the_groups_that_were_asked_for_are_started_and_the_others_told_what_they_need(
    toxiproxy: Toxiproxy, tmp_path: Path
) -> None:
    with ground_on(pair(tmp_path), toxiproxy, only=("rest", "toxiproxy")) as ground, stack_on(ground) as stack:
        assert set(stack.services) == {"b"}
        assert stack.edges["customer"].upstream == f"127.0.0.1:{ground.services['a']}"
        assert stack.expected["a"]["ECHO_PORT"] == str(ground.services["a"])
        assert stack.expected["a"]["ECHO_OTHER"] == f"http://{stack.edges['to-b'].listen}/from/a"
        with pytest.raises(StackError, match="no service 'a' of its own; there are: b"):
            stack.kill("a")
    with ground_on(pair(tmp_path), toxiproxy, only=("rest",)) as ground, stack_on(ground) as stack:
        assert stack.edges["customer"].listen == stack.edges["customer"].upstream
        assert stack.toxiproxy is None
    with (
        pytest.raises(UsageError, match=r"no group 'rests'; did you mean rest\?"),
        ground_on(pair(tmp_path), toxiproxy, only=("rests",)),
    ):
        pass


def test_a_port_base_fixes_every_port(toxiproxy: Toxiproxy, tmp_path: Path) -> None:
    with reserved(5) as ports:
        base = max(ports)
    with ground_on(pair(tmp_path), toxiproxy, port_base=base) as ground:
        assert [*ground.services.values(), *ground.edges.values()] == list(range(base, base + 4))


def test_hosts_beyond_loopback_are_refused_before_anything_is_started(toxiproxy: Toxiproxy, tmp_path: Path) -> None:
    for text in ('base_url = "http://203.0.113.7"\n', edge("customer", "203.0.113.7:80")):
        target = tmp_path / "far.toml"
        target.write_text(HEAD.replace("[settings]", f"{text}[settings]") if "base_url" in text else HEAD + text)
        with pytest.raises(HostNotAllowed), ground_on(target, toxiproxy):
            pass
    assert not (tmp_path / "state").exists()


def test_a_target_of_ones_own_is_started_and_stopped_by_its_commands(toxiproxy: Toxiproxy, tmp_path: Path) -> None:
    target = tmp_path / "own.toml"
    target.write_text(
        HEAD.replace("[settings]", 'base_url = "http://127.0.0.1:9"\n[settings]')
        + '[commands]\nstart = ["sh", "-c", "echo {run_id} > started"]\nstop = ["rm", "started"]\n'
    )
    with ground_on(target, toxiproxy, "r-9") as ground:
        with stack_on(ground) as stack:
            assert (tmp_path / "started").read_text() == "r-9\n"
            assert (stack.base_url, stack.services, stack.edges) == ("http://127.0.0.1:9", {}, {})
            assert stack.status_url == stack.base_url
        assert not (tmp_path / "started").exists()
        (tmp_path / "started").mkdir()  # so that the command fails
        with pytest.raises(StackError, match=r"\[commands\] start ended with code"), stack_on(ground):
            pass
