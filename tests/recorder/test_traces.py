"""Does every operation have one trace of its own, the same one whenever it is asked for?"""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.recorder.traces import Traces
from harness.recorder.writer import ID_BITS

VALID = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01")
"""What the standard allows of version 00; sampled."""
MANY = 100_000
TRACES = Traces(run_id="20261124-201500-1f3a", scenario="AnswerLost")

ids = st.integers(min_value=1, max_value=2**63 - 1)


@given(run_id=st.text(max_size=300), scenario=st.text(max_size=300), operation=ids, nth=st.integers(1, 10_000))
def test_whatever_run_and_row_are_called_the_header_is_one(
    run_id: str, scenario: str, operation: int, nth: int
) -> None:
    traces = Traces(run_id=run_id, scenario=scenario)
    header = traces.traceparent(operation, nth)
    assert VALID.fullmatch(header)
    assert header.split("-")[1] == traces.trace_id(operation)
    assert Traces(run_id=run_id, scenario=scenario).traceparent(operation, nth) == header


def test_saved_runs_keep_the_ids_that_their_targets_were_sent() -> None:
    assert TRACES.traceparent(1, 1) == "00-c0885c4e8ef063bdf7ac1557996f8a96-982e937fe3266ec3-01"


def test_no_two_operations_share_a_trace_and_no_two_requests_a_span() -> None:
    workers = (0, 1)
    numbers = [worker << ID_BITS | seq for worker in workers for seq in range(1, MANY // len(workers) + 1)]
    assert len({TRACES.trace_id(number) for number in numbers}) == MANY
    assert len({TRACES.traceparent(number, nth).split("-")[2] for number in numbers[::2] for nth in (1, 2)}) == MANY


@pytest.mark.parametrize(
    "other",
    [
        Traces(run_id="20261124-201500-1f3b", scenario="AnswerLost"),
        Traces(run_id="20261124-201500-1f3a", scenario="ApiKilled"),
    ],
    ids=["another run", "another scenario of the same run"],
)
def test_ids_begin_anew_in_each_run_and_scenario_and_traces_do_not_meet(other: Traces) -> None:
    assert {other.trace_id(number) for number in range(1, 100)}.isdisjoint(map(TRACES.trace_id, range(1, 100)))
