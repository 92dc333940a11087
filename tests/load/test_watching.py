"""Is the status page looked at all along, and is a page that cannot be read a row too?"""

from collections.abc import Callable
from pathlib import Path

import gevent.event
import msgspec
import pytest

from harness.load.leaks import Scanner
from harness.load.watching import watching
from harness.targets.reference import Reference
from tests.load.raw_server import Peer, RawServer, Script, answer

JSON = ("Content-Type: application/json",)
OK = answer(b'{"status":"ok","since_utc_ms":7,"methods":[]}', headers=JSON)
CARD = b'{"status":"degraded","since_utc_ms":7,"methods":[{"method":"card","state":"down","since_utc_ms":7}]}'
SCANNER = Scanner(seed=1, run_id="r-1")
TARGET = Reference({"token_secret": "s", "operator_token": "o"})


def looks(script: Script, path: Path, *, count: int) -> list[dict[str, object]]:
    """Rows of as many looks as the script has seen; each row without its instants, which must be in order."""
    came = gevent.event.Event()

    def counted(peer: Peer) -> None:
        if peer.request():
            script(peer)
        if peer.number >= count:
            came.set()

    with RawServer(counted) as server, watching(TARGET, server.url, path, SCANNER):
        assert came.wait(10)
    rows = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
    assert all(row.pop("sent_ns") <= row.pop("done_ns") for row in rows)
    return rows[:count]


def in_turn(*answers: bytes) -> Callable[[Peer], None]:
    def script(peer: Peer) -> None:
        peer.send(answers[min(peer.number, len(answers)) - 1])

    return script


def test_each_look_is_a_row_with_what_the_page_said(tmp_path: Path) -> None:
    rows = looks(in_turn(OK, answer(CARD, headers=JSON)), tmp_path / "evidence" / "status.jsonl", count=2)
    fine = {"outcome": "ok", "ending": "answered", "http": 200, "since_utc_ms": 7}
    assert rows == [fine | {"degraded": False}, fine | {"degraded": True, "methods": ["card"]}]


@pytest.mark.parametrize(
    ("script", "row"),
    [
        (Peer.reset, {"outcome": "info", "ending": "reset"}),
        (in_turn(answer(b"{}", status="502 Bad Gateway")), {"outcome": "info", "ending": "answered", "http": 502}),
    ],
)
def test_a_page_that_cannot_be_read_is_a_row_that_says_nothing(
    tmp_path: Path, script: Script, row: dict[str, object]
) -> None:
    assert looks(script, tmp_path / "status.jsonl", count=1) == [row]


def test_a_silent_page_holds_up_no_later_look(tmp_path: Path) -> None:
    later = gevent.event.Event()

    def script(peer: Peer) -> None:
        peer.request()
        if peer.number > 1:
            later.set()
        peer.hold()

    with RawServer(script) as server, watching(TARGET, server.url, tmp_path / "status.jsonl", SCANNER):
        assert later.wait(10)
