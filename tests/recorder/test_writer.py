"""Is each row that must be on disk there, whole, in order, and read back as it was?"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import HistoryError
from harness.operation import Op, Outcome
from harness.recorder.rows import SCHEMA_VERSION, Done, Footer, Header, Inv, Row
from harness.recorder.writer import ID_BITS, MAX_BUFFERED_NS, MAX_BUFFERED_ROWS, HistoryWriter


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at_ns = 0

    def __call__(self) -> int:
        return self.at_ns


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "3.jsonl"


@pytest.fixture
def writer(path: Path, clock: Clock) -> Iterator[HistoryWriter]:
    with HistoryWriter(path, worker=3, clock_ns=clock) as history:
        yield history


def rows(path: Path) -> list[Row]:
    return [msgspec.json.decode(line, type=Row) for line in path.read_bytes().splitlines()]


def inv(number: int, op: str = "create") -> Inv:
    return Inv(id=number, journey=1, intent=1, op=op, phase="steady", scheduled_ns=10, sent_ns=11)


def done(number: int) -> Done:
    return Done(id=number, outcome="ok", done_ns=12)


def test_file_begins_with_a_header_and_ends_with_a_footer_that_counts(path: Path, clock: Clock) -> None:
    with HistoryWriter(path, worker=3, clock_ns=clock) as history:
        history.invoke(inv(1))
        history.complete(done(1))
        history.invoke(inv(2, "read"))
    assert rows(path) == [
        Header(SCHEMA_VERSION, 3, "monotonic"),
        inv(1),
        done(1),
        inv(2, "read"),
        Footer(invocations=2, completions=1, cut_short=False),
    ]


def test_footer_says_cut_short_when_an_exception_ends_it(path: Path, clock: Clock) -> None:
    with pytest.raises(KeyboardInterrupt), HistoryWriter(path, worker=0, clock_ns=clock):
        raise KeyboardInterrupt
    assert rows(path)[-1] == Footer(invocations=0, completions=0, cut_short=True)


@pytest.mark.parametrize("op", ["create", "pay", "refund"])
def test_invocation_of_a_write_takes_everything_buffered_with_it(writer: HistoryWriter, path: Path, op: str) -> None:
    writer.invoke(inv(1, "read"))
    writer.complete(done(1))
    assert len(rows(path)) == 1
    writer.invoke(inv(2, op))
    assert rows(path)[1:] == [inv(1, "read"), done(1), inv(2, op)]


@pytest.mark.parametrize("op", ["journey", "read", "list", "request"])
def test_what_changes_nothing_is_buffered(writer: HistoryWriter, path: Path, op: str) -> None:
    writer.invoke(inv(1, op))
    assert len(rows(path)) == 1
    writer.flush()
    assert rows(path)[1:] == [inv(1, op)]


def test_caller_can_say_that_a_request_writes(writer: HistoryWriter, path: Path) -> None:
    writer.invoke(inv(1, "request"), flush=True)
    writer.invoke(inv(2, "create"), flush=False)
    assert rows(path)[1:] == [inv(1, "request")]


def test_full_buffer_is_handed_over(writer: HistoryWriter, path: Path) -> None:
    for number in range(1, MAX_BUFFERED_ROWS):
        writer.invoke(inv(number, "read"))
    assert len(rows(path)) == 1
    writer.complete(done(1))
    assert len(rows(path)) == 1 + MAX_BUFFERED_ROWS


def test_old_buffer_is_handed_over_with_the_next_row(writer: HistoryWriter, path: Path, clock: Clock) -> None:
    writer.invoke(inv(1, "read"))
    clock.at_ns += MAX_BUFFERED_NS - 1
    writer.invoke(inv(2, "read"))
    assert len(rows(path)) == 1
    clock.at_ns += 1
    writer.invoke(inv(3, "read"))
    assert len(rows(path)) == 4


def test_ids_carry_their_worker_and_never_repeat(writer: HistoryWriter) -> None:
    ids = [writer.next_id() for _ in range(3)]
    assert ids == [(3 << ID_BITS) + 1, (3 << ID_BITS) + 2, (3 << ID_BITS) + 3]


def test_order_gets_its_number_at_first_sight(writer: HistoryWriter) -> None:
    assert [writer.order_no(order) for order in ("a", "b", "a")] == [(1, True), (2, True), (1, False)]


def test_existing_history_is_never_appended_to(writer: HistoryWriter, path: Path, clock: Clock) -> None:
    writer.flush()
    with pytest.raises(HistoryError, match="cannot be created"), HistoryWriter(path, worker=0, clock_ns=clock):
        pass


def test_row_after_the_footer_is_an_error_and_a_second_close_is_none(path: Path, clock: Clock) -> None:
    with HistoryWriter(path, worker=0, clock_ns=clock) as history:
        pass
    history.close(cut_short=True)
    history.flush()
    with pytest.raises(HistoryError, match="is not open"):
        history.invoke(inv(1))
    assert rows(path)[-1] == Footer(invocations=0, completions=0, cut_short=False)


def test_full_disk_is_an_error_that_names_the_file(clock: Clock) -> None:
    full = HistoryWriter(Path("/dev/full"), worker=0, clock_ns=clock)
    full._descriptor = os.open("/dev/full", os.O_WRONLY)
    with pytest.raises(HistoryError, match="/dev/full cannot be written"):
        full.invoke(inv(1))
    os.close(full._descriptor)


def test_short_writes_lose_nothing(tmp_path: Path, clock: Clock) -> None:
    """A pipe that takes 4096 bytes at a time is the shortest way to a short write."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    history = HistoryWriter(tmp_path / "unused", worker=0, clock_ns=clock)
    history._descriptor = writing
    for number in range(MAX_BUFFERED_ROWS - 1):
        history.invoke(msgspec.structs.replace(inv(number, "read"), line="x" * 1000))
    whole = bytes(history._buffer)
    with pytest.raises(HistoryError):
        history.flush()  # the pipe is full after 64 KiB
    got = os.read(reading, 1 << 20)
    assert 0 < len(got) < len(whole)
    while history._buffer:
        try:
            history.flush()
        except HistoryError:
            got += os.read(reading, 1 << 20)
    os.set_blocking(reading, False)
    got += os.read(reading, 1 << 20)
    assert got == whole
    os.close(reading)
    os.close(writing)


KILLED = """
import os, signal, sys, time
from pathlib import Path
from harness.recorder.rows import Inv
from harness.recorder.writer import HistoryWriter
with HistoryWriter(Path(sys.argv[1]), worker=0, clock_ns=time.monotonic_ns) as history:
    for number in range(1, 1001):
        history.invoke(Inv(id=number, journey=1, intent=1, op="pay", phase="steady", scheduled_ns=1, sent_ns=2))
    history.invoke(Inv(id=1001, journey=1, intent=1, op="read", phase="steady", scheduled_ns=1, sent_ns=2))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_sigkill_loses_no_invocation_of_a_write(path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert ended.returncode == -signal.SIGKILL
    invoked = [row.id for row in rows(path)[1:] if isinstance(row, Inv)]
    assert invoked == list(range(1, 1001))


TEXT = st.text(max_size=20)
NUMBER = st.integers(min_value=0, max_value=2**62)
MAYBE_TEXT = st.none() | TEXT
MAYBE_NUMBER = st.none() | NUMBER
INVOCATIONS = st.builds(
    Inv,
    id=NUMBER,
    journey=NUMBER,
    intent=NUMBER,
    op=st.sampled_from([str(op) for op in Op]),
    phase=st.sampled_from(["warmup", "steady", "fault", "recovery"]),
    scheduled_ns=NUMBER,
    sent_ns=NUMBER,
    parent=MAYBE_NUMBER,
    user=MAYBE_TEXT,
    order_no=MAYBE_NUMBER,
    order=MAYBE_TEXT,
    method=MAYBE_TEXT,
    key_no=MAYBE_NUMBER,
    attempt=MAYBE_NUMBER,
    amount_minor=MAYBE_NUMBER,
    currency=MAYBE_TEXT,
    line=MAYBE_TEXT,
    leaves_early=st.booleans(),
)
COMPLETIONS = st.builds(
    Done,
    id=NUMBER,
    outcome=st.sampled_from([str(outcome) for outcome in Outcome]),
    done_ns=NUMBER,
    ending=MAYBE_TEXT,
    http=MAYBE_NUMBER,
    order_no=MAYBE_NUMBER,
    order=MAYBE_TEXT,
    result_id=MAYBE_TEXT,
    code=MAYBE_TEXT,
    state=st.none() | st.sampled_from(["open", "paid"]),
    amount_minor=MAYBE_NUMBER,
    paid_minor=MAYBE_NUMBER,
    refunded_minor=MAYBE_NUMBER,
    retry_after_s=st.none() | st.floats(min_value=0, max_value=1e6),
    pay_by_utc_ms=MAYBE_NUMBER,
    listed=MAYBE_NUMBER,
    listed_orders=st.lists(st.text(max_size=5), max_size=3).map(tuple),
)


@given(told=st.lists(INVOCATIONS | COMPLETIONS, max_size=20), flushes=st.sets(st.integers(0, 20)))
def test_every_row_is_read_back_as_it_was_written(
    told: list[Inv | Done], flushes: set[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("history") / "0.jsonl"
    with HistoryWriter(path, worker=0, clock_ns=lambda: 0) as history:
        for place, row in enumerate(told):
            if isinstance(row, Inv):
                history.invoke(row)
            else:
                history.complete(row)
            if place in flushes:
                history.flush()
    assert rows(path)[1:-1] == told
