"""Does whatever was broken or started end when the conductor dies at any instant?"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.errors import StackError
from harness.stack import warden
from harness.stack.ports import is_free
from harness.stack.process import wait_for
from harness.stack.toxiproxy import VARIABLE, Toxiproxy
from harness.stack.undo import Warden, rescue
from tests.stack.small import pair

pytestmark = pytest.mark.live
LIFTED_LIMIT_S = 5.0
SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


@dataclass(kw_only=True)
class Victim:
    """A conductor with a stack, in a process of its own."""

    process: subprocess.Popen[str]
    pids: list[int]
    warden: int
    ports: list[int]
    proxy: str
    folder: str
    leaked: int

    def nothing_is_left(self, toxiproxy: Toxiproxy) -> bool:
        return (
            not any(warden.start_ticks(pid) for pid in self.pids)
            and all(is_free(port) for port in self.ports)
            and self.proxy not in toxiproxy.proxies()
            and not Path(self.folder).exists()
        )


@contextmanager
def victim(toxiproxy: Toxiproxy, tmp_path: Path, *rest: str, database: bool = False) -> Iterator[Victim]:
    target = pair(tmp_path, database=database)
    script = Path(__file__).with_name("victim.py")
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, str(script), str(target), str(tmp_path / "state"), str(tmp_path / "logs"), *rest],
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
        env={**os.environ, VARIABLE: toxiproxy.url, "PYTHONPATH": str(root)},
    )
    with process:
        assert process.stdout is not None
        found = Victim(process=process, **json.loads(process.stdout.readline()))
        try:
            yield found
        finally:
            process.kill()
            if found.leaked:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(found.leaked, signal.SIGKILL)


def test_a_killed_conductor_leaves_no_toxic_no_process_no_port_and_no_folder(
    toxiproxy: Toxiproxy, tmp_path: Path
) -> None:
    with victim(toxiproxy, tmp_path, database=True) as dead:
        assert [toxic.name for toxic in toxiproxy.proxies()[dead.proxy].toxics] == ["silence"]
        backends = warden.descendants(dead.pids)
        dead.process.kill()
        wait_for(lambda: dead.nothing_is_left(toxiproxy), LIFTED_LIMIT_S, "the lifting of everything")
        assert not any(warden.start_ticks(pid) for pid in backends)
        wait_for(lambda: not list((tmp_path / "state").iterdir()), LIFTED_LIMIT_S, "the end of the journal")


def test_a_forked_child_that_holds_the_pipe_open_does_not_keep_the_warden_from_its_work(
    toxiproxy: Toxiproxy, tmp_path: Path
) -> None:
    with victim(toxiproxy, tmp_path, "leak") as dead:
        dead.process.kill()
        wait_for(lambda: dead.nothing_is_left(toxiproxy), LIFTED_LIMIT_S, "the lifting of everything")
        assert warden.start_ticks(dead.leaked)


def test_signals_to_the_warden_change_nothing(toxiproxy: Toxiproxy, tmp_path: Path) -> None:
    with victim(toxiproxy, tmp_path) as dead:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(dead.warden, number)
        dead.process.kill()
        wait_for(lambda: dead.nothing_is_left(toxiproxy), LIFTED_LIMIT_S, "the lifting of everything")


def test_rescue_finishes_what_a_killed_warden_could_not(toxiproxy: Toxiproxy, tmp_path: Path) -> None:
    with victim(toxiproxy, tmp_path) as dead:
        os.kill(dead.warden, signal.SIGKILL)
        dead.process.kill()
        dead.process.wait()
        assert toxiproxy.proxies()[dead.proxy].toxics
        (rescued,) = rescue(tmp_path / "state", running=False)
        assert dead.nothing_is_left(toxiproxy)
        assert f"DELETE {toxiproxy.toxic_url(dead.proxy, 'silence')}" in rescued.lifted
        assert f"end process {dead.pids[0]}" in rescued.lifted
        assert rescued.failed == ()
        assert rescue(tmp_path / "state") == []


def test_rescue_can_leave_runs_alone_that_are_alive(toxiproxy: Toxiproxy, tmp_path: Path) -> None:
    with victim(toxiproxy, tmp_path) as alive:
        (left,) = rescue(tmp_path / "state", running=False)
        assert (left.running, left.lifted) == (True, ())
        assert toxiproxy.proxies()[alive.proxy].toxics
        (rescued,) = rescue(tmp_path / "state")
        assert rescued.running
        assert rescued.failed == ()
        assert alive.nothing_is_left(toxiproxy)


def test_a_process_with_another_start_time_is_left_alone() -> None:
    with subprocess.Popen(SLEEP) as other:
        ticks = warden.start_ticks(other.pid)
        assert ticks is not None
        reused = {"undo": 1, "how": "kill", "pid": other.pid, "ticks": ticks - 1, "signal": 15}
        assert warden.lift([reused], "no such mark") == set()
        assert warden.start_ticks(other.pid) == ticks
        assert warden.lift([{**reused, "ticks": ticks}], "no such mark") == set()
        assert warden.start_ticks(other.pid) is None


def test_a_process_that_was_never_reported_is_found_by_its_mark() -> None:
    with subprocess.Popen(SLEEP, env={"HARNESS_MARK": "mark-1"}) as unreported:
        with subprocess.Popen(SLEEP, env={"HARNESS_MARK": "mark-10"}) as of_another_run:
            wait_for(lambda: warden.marked("mark-1") == {unreported.pid}, LIFTED_LIMIT_S, "the mark")
            warden.lift([], "mark-1")
            assert warden.start_ticks(unreported.pid) is None
            assert warden.start_ticks(of_another_run.pid) is not None
            of_another_run.kill()


def test_whoever_still_fills_a_folder_is_ended_before_it_is_removed() -> None:
    folder = Path(tempfile.mkdtemp(prefix="harness-test-"))
    fill = (
        "import itertools, os, sys\nfor n in itertools.count(): os.makedirs(f'{sys.argv[1]}/{n % 1000}', exist_ok=True)"
    )
    with subprocess.Popen([sys.executable, "-c", fill, str(folder)], env={"HARNESS_MARK": "mark-2"}):
        wait_for((folder / "0").exists, LIFTED_LIMIT_S, "the first file")
        assert warden.lift([{"undo": 1, "how": "rmtree", "path": str(folder)}], "mark-2") == set()
        assert not folder.exists()


@pytest.mark.parametrize("name", ["harness-elsewhere", "mine"])
def test_only_folders_of_ours_below_a_temporary_folder_are_removed(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    folder.mkdir()
    assert warden.lift([{"undo": 1, "how": "rmtree", "path": str(folder)}], "m") == {1}
    assert folder.exists()


def test_a_request_without_an_answer_has_failed_and_a_server_that_is_gone_has_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf, socket.create_server(("127.0.0.1", 0)) as closed:
        ports = [deaf.getsockname()[1], closed.getsockname()[1]]
        closed.close()
        undos = [
            {"undo": number, "how": "http", "method": "DELETE", "url": f"http://127.0.0.1:{port}/x"}
            for number, port in enumerate(ports, start=1)
        ]
        assert warden.lift(undos, "m") == {1}


def test_a_fault_in_a_child_that_answers_no_more_ends_with_the_child() -> None:
    deaf = "import socket, time\ns = socket.create_server(('127.0.0.1', 0))\n"
    deaf += "print(s.getsockname()[1], flush=True)\ntime.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        port = int(child.stdout.readline())
        undos: list[warden.Undo] = [
            {"undo": 1, "how": "kill", "pid": child.pid, "ticks": warden.start_ticks(child.pid), "signal": 15},
            {"undo": 2, "how": "http", "method": "DELETE", "url": f"http://127.0.0.1:{port}/control/faults/x"},
        ]
        assert warden.lift(undos, "m") == set()


def test_what_is_done_is_not_undone_and_a_clean_end_leaves_no_journal(tmp_path: Path) -> None:
    with subprocess.Popen(SLEEP) as kept:
        with Warden(tmp_path) as keeper:
            number = keeper.will_kill(kept.pid, warden.start_ticks(kept.pid) or 0)
            assert [json.loads(line).get("how") for line in keeper.journal.read_text().splitlines()].count("kill") == 1
            keeper.done(number)
        assert warden.start_ticks(kept.pid) is not None
        assert list(tmp_path.iterdir()) == []
        with Warden(tmp_path) as keeper:
            keeper.will_kill(kept.pid, warden.start_ticks(kept.pid) or 0)
        assert warden.start_ticks(kept.pid) is None
        assert list(tmp_path.iterdir()) == []


def test_nothing_may_be_broken_any_more_once_the_warden_is_gone(tmp_path: Path) -> None:
    keeper = Warden(tmp_path)
    os.kill(keeper.pid, signal.SIGKILL)
    wait_for(lambda: warden.start_ticks(keeper.pid) is None, LIFTED_LIMIT_S, "the warden's death")
    with pytest.raises(StackError, match="nothing more may be broken"):
        keeper.will_delete("http://127.0.0.1:1/x")
    keeper.close()


def test_torn_and_foreign_lines_of_a_journal_are_passed_over() -> None:
    book = warden.Book()
    for line in ('{"undo": 1, "how": "rmtree", "path": "x"}', '{"undo": 2, "how"', "[]", "", '{"done": 1}'):
        book.read(line)
    assert (book.open, book.clean) == ({}, False)


def test_what_is_no_child_is_ended_by_commands_the_latest_first_and_only_with_what_they_are_told(
    tmp_path: Path,
) -> None:
    with Warden(tmp_path) as keeper:
        for word in ("first", "last"):
            keeper.will_run(
                ("/bin/sh", "-c", f'echo {word} "$TOLD" "$PATH" >> {tmp_path}/said'), {"TOLD": "told", "PATH": ""}
            )
    assert (tmp_path / "said").read_text() == "last told \nfirst told \n"
    assert [path.name for path in tmp_path.iterdir()] == ["said"]


def test_a_command_that_fails_stays_to_be_rescued_with_the_folder_that_it_needs(tmp_path: Path) -> None:
    folder = Path(tempfile.mkdtemp(prefix=warden.FOLDER_PREFIX))
    with Warden(tmp_path) as keeper:
        keeper.will_remove(folder)
        keeper.will_run(("/bin/sh", "-c", f"test -e {tmp_path}/mended"), {})
    assert folder.exists()
    (tmp_path / "mended").touch()
    (rescued,) = rescue(tmp_path, running=True)
    assert (len(rescued.lifted), rescued.failed) == (2, ())
    assert not folder.exists()
