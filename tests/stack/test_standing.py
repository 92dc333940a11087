"""Does a stack stand between up and down, and only then?"""

import os
import signal
from pathlib import Path

import pytest

from harness.errors import PortTaken, StackError, UsageError
from harness.stack import warden
from harness.stack.ports import Ports
from harness.stack.process import wait_for
from harness.stack.standing import Asked, Standing, down, read_standing, up
from harness.stack.toxiproxy import VARIABLE, Toxiproxy
from tests.stack.small import pair

pytestmark = pytest.mark.live


def gone(standing: Standing, toxiproxy: Toxiproxy) -> bool:
    return not any(warden.start_ticks(service.pid) for service in standing.services.values()) and not any(
        name.startswith(f"{standing.run_id}.") for name in toxiproxy.proxies()
    )


def test_up_and_down_can_be_said_twice_and_leave_nothing(
    toxiproxy: Toxiproxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, toxiproxy.url)
    state, asked = tmp_path / "state", Asked(target_file=str(pair(tmp_path)), only=("rest", "toxiproxy"))
    standing, fresh = up(asked, state=state)
    assert fresh
    assert up(asked, state=state) == (standing, False)
    assert standing == read_standing(state)
    assert set(standing.services) == {"b"}
    assert set(standing.edges) == {"customer", "to-b"}
    assert standing.expected["a"]["ECHO_PORT"] == standing.edges["customer"].upstream.rpartition(":")[2]
    assert (state / "stack.json").stat().st_mode & 0o077 == 0  # it holds keys
    with pytest.raises(UsageError, match=r"another stack stands already .* `harness down`"):
        up(Asked(target_file=asked.target_file), state=state)
    assert down(state=state) == "ended: target small, b"
    assert gone(standing, toxiproxy)
    assert down(state=state) == "nothing stands"
    assert read_standing(state) is None


def test_a_killed_holder_leaves_nothing_and_its_file_means_nothing(
    toxiproxy: Toxiproxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, toxiproxy.url)
    state = tmp_path / "state"
    standing, _ = up(Asked(target_file=str(pair(tmp_path))), state=state)
    os.kill(standing.holder, signal.SIGKILL)
    wait_for(lambda: gone(standing, toxiproxy), 5.0, "the end of the stack")
    assert (state / "stack.json").exists()
    assert read_standing(state) is None
    down(state=state)
    assert not (state / "stack.json").exists()


def test_what_cannot_stand_is_told_in_its_own_words_and_class(
    toxiproxy: Toxiproxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, toxiproxy.url)
    target = str(pair(tmp_path, ECHO_SAY="no key"))
    with Ports() as ports:
        (port,) = ports.take()
        with pytest.raises(UsageError, match=f"port {port} on 127.0.0.1 is in use"):
            up(Asked(target_file=target, port_base=port), state=tmp_path / "state")
    with pytest.raises(StackError, match=r"b ended while starting; last lines of .*: no key"):
        up(Asked(target_file=target), state=tmp_path / "state")
    with pytest.raises(UsageError, match="unknown time profile 'gte'"):
        up(Asked(target_file=target, profile="gte"), state=tmp_path / "state")
    assert read_standing(tmp_path / "state") is None
    assert issubclass(PortTaken, UsageError)
