"""Does a log line name the trace that its request carries, and nothing else that a caller puts into that header?"""

import asyncio
import io
import logging
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from compose.payment_api.tracing import LINES, Traced, name_trace, trace_of
from harness.recorder.traces import TRACEPARENT, Traces

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE_ID}-b7ad6b7169203331-01"
MALFORMED = {
    "empty": "",
    "words": "00-order-of-19905556666-01",
    "upper case": PARENT.upper(),
    "no trace": f"00-{'0' * 32}-b7ad6b7169203331-01",
    "no span": f"00-{TRACE_ID}-{'0' * 16}-01",
    "a version that is none": f"ff-{PARENT[3:]}",
    "more than version 00 has": f"{PARENT}-more",
    "no flags": PARENT[:-3],
    "a line more": f"{PARENT}\nroot logged in",
    "short": f"00-{TRACE_ID[1:]}-b7ad6b7169203331-01",
}


def trace_in(*values: str) -> str | None:
    return trace_of([(b"host", b"here"), *((b"traceparent", value.encode()) for value in values)])


@pytest.mark.parametrize("value", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_header_is_as_if_there_were_none(value: str) -> None:
    assert trace_in(value) is None


@given(st.text())
def test_no_header_whatever_fails(value: str) -> None:
    assert trace_in(value) is None


def test_a_header_that_comes_twice_is_none() -> None:
    assert (trace_in(PARENT), trace_in(PARENT, PARENT), trace_in()) == (TRACE_ID, None, None)


def test_what_a_later_version_adds_is_read_over() -> None:
    assert trace_in(f"01-{PARENT[3:]}-what-will-come") == TRACE_ID
    assert trace_in(f"01-{PARENT[3:]}.what-will-come") is None


def test_what_the_load_sends_is_understood() -> None:
    traces = Traces(run_id="r1", scenario="AnswerLost")
    assert TRACEPARENT == "traceparent"
    assert trace_in(traces.traceparent(7, 2)) == traces.trace_id(7)


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A logger whose handler is that of the API, and what it writes, without instants."""
    written = io.StringIO()
    lines = logging.StreamHandler(written)
    lines.addFilter(name_trace)
    lines.setFormatter(logging.Formatter(LINES.replace("%(asctime)s ", "")))
    logger = logging.getLogger("payment_api of a test")
    logger.propagate = False
    logger.addHandler(lines)
    yield logger, written
    logger.removeHandler(lines)
    lines.close()


def test_requests_side_by_side_log_under_their_own_traces_and_so_does_what_they_leave_behind(
    log: tuple[logging.Logger, io.StringIO],
) -> None:
    logger, written = log
    left_behind: list[asyncio.Task[None]] = []

    async def behind(path: str) -> None:
        await asyncio.sleep(0)
        logger.warning("behind %s", path)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del receive, send
        await asyncio.sleep(0)
        logger.warning("during %s", scope["path"])
        left_behind.append(asyncio.create_task(behind(scope["path"])))

    async def nothing() -> Message:
        return {}

    async def nobody(_: Message) -> None: ...

    async def ask(path: str, *values: str) -> None:
        headers = [(b"traceparent", value.encode()) for value in values]
        await Traced(app)({"type": "http", "path": path, "headers": headers}, nothing, nobody)

    async def story() -> None:
        await asyncio.gather(ask("/a", PARENT), ask("/b"), ask("/c", "19905556666"))
        await asyncio.gather(*left_behind)
        logger.warning("of nobody")

    asyncio.run(story())
    assert sorted(written.getvalue().splitlines()) == [
        f"WARNING behind /a, trace:{TRACE_ID}",
        "WARNING behind /b",
        "WARNING behind /c",
        f"WARNING during /a, trace:{TRACE_ID}",
        "WARNING during /b",
        "WARNING during /c",
        "WARNING of nobody",
    ]
