"""Does someone who reads the end of a log learn what got worse, and find the nights side by side above?"""

import io
from pathlib import Path

import pytest
from rich.console import Console

from harness.report.comparison import compare
from harness.report.nights import print_comparison
from harness.report.saved import SavedRun
from harness.verdict import Status
from tests.report.nights import clock, held, night, share, verdict
from tests.report.run import judged

TEXTS = Path(__file__).parent
IDLE = judged("no_leak", Status.NOT_EXERCISED, claimed=None, measured=0.0, unit="places")


def printed(runs: list[SavedRun], width: int) -> str:
    file = io.StringIO()
    print_comparison(compare(runs), Console(file=file, width=width, highlight=False))
    return "".join(f"{line.rstrip()}\n" for line in file.getvalue().splitlines())


WORSE = [
    night(1, verdict(held(), share(280, 280)), run={"size": "gate"}),
    night(2, verdict(held(), share(280, 280), IDLE, clocks=(clock(),)), verdict(held(), name="LateCharge")),
    night(
        3,
        verdict(
            judged("no_double_charge", Status.FAIL, measured=1_250.0, unit="minor units", reason="1 breach [x]"),
            share(260, 280),
            IDLE,
            clocks=(clock(longest_s=9.0),),
        ),
        verdict(held(), name="Overload", cut_short="Ctrl-C"),
        verdict(held(), name="NewOne"),
    ),
]
HELD = [night(day, held(), share(280, 280)) for day in (1, 2)]
BETTER = [night(1, judged("no_silence", Status.FAIL), held()), night(2, held("no_silence"), held())]


@pytest.mark.parametrize(
    ("runs", "name"),
    [
        pytest.param(WORSE, "nights-worse-100.txt", id="worse, one night of another size"),
        pytest.param(HELD, "nights-held-100.txt", id="nothing changed"),
        pytest.param(BETTER, "nights-better-100.txt", id="better"),
    ],
)
def test_nights_are_told_whole_and_in_the_same_order_each_time(runs: list[SavedRun], name: str) -> None:
    assert printed(runs, 100) == printed(runs, 100) == (TEXTS / name).read_text()


def test_nights_that_do_not_fit_beside_each_other_are_left_out_of_the_tables_from_the_oldest_on() -> None:
    runs = [night(day, share(280, 280)) for day in range(1, 13)]
    narrow, wide = printed(runs, 100), printed(runs, 250)
    assert "\npromise        7             8             9             10            11            12\n" in narrow
    assert "nights 1 to 6 are left out: too many for 100 columns" in narrow
    assert max(map(len, narrow.splitlines())) <= 100
    assert "left out" not in wide
    assert all(run.verdict.run_id in narrow for run in runs)
    assert "nights 1 to 10 are" in printed(runs, 20)  # two make a comparison, however narrow it is
