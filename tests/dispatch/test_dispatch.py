"""Is every call for a release written down, and does a repeated key have no second effect?"""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.stack.ports import Ports
from tests.dispatch.ground import Dispatch, running
from tests.payment_api.ground import ROOT

pytestmark = pytest.mark.live


@pytest.fixture
def dispatch(tmp_path: Path) -> Iterator[Dispatch]:
    with Ports() as ports, running(ports.take()[0], tmp_path) as process:
        yield process


def test_first_call_for_an_order_releases_it(dispatch: Dispatch) -> None:
    reply = dispatch.release("o-1", "k-1")
    assert (reply.status_code, reply.json()) == (200, {"order": "o-1", "kind": "released"})
    row = dispatch.rows()[-1]
    assert (row["seq"], row["order"], row["run"], row["line"], row["note"]) == (2, "o-1", "run-1", "ride", None)


def test_call_under_another_key_sends_the_courier_again(dispatch: Dispatch) -> None:
    dispatch.release("o-1", "k-1")
    dispatch.release("o-1", "k-2")
    assert dispatch.of("o-1") == [("released", None), ("released", "repeat")]


def test_repeated_key_is_written_down_and_has_no_effect(dispatch: Dispatch) -> None:
    dispatch.release("o-1", "k-1")
    assert dispatch.release("o-1", "k-1").json()["kind"] == "repeated_key"
    assert dispatch.of("o-1") == [("released", None), ("repeated_key", None)]
    assert dispatch.control("planned").json()["effects"] == 1


def test_key_of_another_order_is_refused(dispatch: Dispatch) -> None:
    dispatch.release("o-1", "k-1")
    assert dispatch.release("o-2", "k-1").status_code == 422
    assert dispatch.of("o-2") == []


def test_kill_loses_nothing_and_leaves_no_gap(dispatch: Dispatch) -> None:
    for number in range(5):
        dispatch.release(f"o-{number}", f"k-{number}")
    dispatch.kill()
    dispatch.start()
    assert dispatch.release("o-4", "k-4").json()["kind"] == "repeated_key"
    assert [row["seq"] for row in dispatch.rows()] == list(range(1, 9))
    assert [row["kind"] for row in dispatch.rows()] == ["started", *["released"] * 5, "started", "repeated_key"]


def test_ledger_can_be_neither_changed_nor_shortened(dispatch: Dispatch) -> None:
    dispatch.release("o-1", "k-1")
    with sqlite3.connect(dispatch.folder / "data" / "ledger.sqlite") as connection:
        for statement in ("UPDATE ledger SET note = 'x'", "DELETE FROM ledger"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(statement)
    connection.close()


def test_ledger_comes_in_pages_that_say_where_it_ends(dispatch: Dispatch) -> None:
    for number in range(3):
        dispatch.release(f"o-{number}", f"k-{number}")
    reply = dispatch.control("ledger?after=1&limit=2")
    assert (len(reply.text.splitlines()), reply.headers["X-Last-Seq"]) == (2, "4")
    assert dispatch.control("ledger?after=x").status_code == 422


def test_digest_moves_with_effects_only(dispatch: Dispatch) -> None:
    dispatch.release("o-1", "k-1")
    before = dispatch.control("planned").json()
    dispatch.release("o-1", "k-1")
    assert dispatch.control("planned").json() == before
    dispatch.release("o-1", "k-2")
    assert dispatch.control("planned").json()["digest"] != before["digest"]


def test_strangers_release_nothing_and_read_nothing(dispatch: Dispatch) -> None:
    assert dispatch.release("o-1", "k-1", token="wrong").status_code == 401
    assert dispatch.control("ledger", key="wrong").status_code == 401
    assert dispatch.client.get(f"{dispatch.url}/elsewhere").status_code == 404
    assert dispatch.of("o-1") == []


@pytest.mark.parametrize("body", ["", "{}", "[1]", '{"order": 7}'])
def test_call_that_names_no_order_is_refused(dispatch: Dispatch, body: str) -> None:
    headers = {"Authorization": "Bearer dispatch-key", "Idempotency-Key": "k"}
    assert dispatch.client.post(f"{dispatch.url}/v1/releases", content=body, headers=headers).status_code == 422


def test_call_without_a_key_is_refused(dispatch: Dispatch) -> None:
    headers = {"Authorization": "Bearer dispatch-key"}
    reply = dispatch.client.post(f"{dispatch.url}/v1/releases", json={"order": "o-1"}, headers=headers)
    assert reply.status_code == 422


def test_stop_ends_it_in_good_order_while_a_connection_is_open(dispatch: Dispatch) -> None:
    dispatch.release("o-1", "k-1")
    assert dispatch.child is not None
    dispatch.child.stop()
    assert (dispatch.folder / "log").read_text() == ""


def test_missing_setting_is_named(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "compose.dispatch"],
        cwd=ROOT,
        env={"DISPATCH_PORT": "1", "DISPATCH_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (done.returncode, done.stderr) == (
        2,
        "dispatch: DISPATCH_KEY is not set: set it in the environment of dispatch\n",
    )
