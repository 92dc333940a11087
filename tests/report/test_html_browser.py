"""Is the page what a person needs, in a real browser without a network? Skipped where there is no Chromium.

Screenshots lie in $HARNESS_SCREENSHOTS if that is set: look at them after a change.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.report.chromium import Tab, chromium, find_chromium
from tests.report.pages import (
    EVIL,
    broken_run,
    empty_run,
    held_run,
    judged_folder,
    page_of,
    three_in_one,
    undecided_run,
)

PROGRAM = find_chromium()
if PROGRAM is None:
    pytest.skip("there is no Chromium here (Debian: apt install chromium)", allow_module_level=True)
RUNS = {"broken": broken_run, "undecided": undecided_run, "held": held_run, "empty": empty_run}


@pytest.fixture(scope="module")
def tab() -> Iterator[Tab]:
    assert PROGRAM is not None
    with chromium(PROGRAM) as opened:
        yield opened


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    written = {}
    for name, run in RUNS.items():
        folder = judged_folder(run(), tmp_path_factory.mktemp(name))
        written[name] = folder / "report.html"
    written["three"] = three_in_one(tmp_path_factory.mktemp("three")) / "report.html"
    for path in written.values():
        path.write_text(page_of(path.parent))
    return written


def pictures(tmp_path: Path) -> Path:
    folder = Path(os.environ.get("HARNESS_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.mark.parametrize("width", [1280, 820, 390])
@pytest.mark.parametrize("name", ["broken", "undecided", "held", "empty", "three"])
def test_it_opens_without_a_complaint_or_a_request_at_any_width(
    tab: Tab, pages: dict[str, Path], name: str, width: int, tmp_path: Path
) -> None:
    tab.open(pages[name], width=width, height=800)
    picture = tab.picture(pictures(tmp_path) / f"{name}-{width}.png", whole=True)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert tab.complaints() == []
    assert tab.requests() == [pages[name].as_uri()]
    assert tab.run("document.documentElement.scrollWidth <= innerWidth")
    charts = tab.run("[...document.querySelectorAll('.chart')].map((place) => place.querySelectorAll('svg').length)")
    assert charts == [1] * (3 if name == "three" else 1)


def test_what_happened_to_the_money_can_be_seen_without_scrolling(tab: Tab, pages: dict[str, Path]) -> None:
    tab.open(pages["broken"], width=1280, height=800)
    last = "document.querySelector('tr.FAIL:last-of-type, tr.FAIL').getBoundingClientRect().bottom"
    assert tab.run(f"document.querySelector('.tile.loss').getBoundingClientRect().bottom < innerHeight && {last} < 800")
    assert "20.00 CNY" in tab.run("document.querySelector('h1').innerText")


def test_the_faults_stand_on_the_axis_by_name_and_observed_edge(tab: Tab, pages: dict[str, Path]) -> None:
    tab.open(pages["broken"])
    words = tab.run("[...document.querySelectorAll('.chart svg text')].map((each) => each.textContent)")
    for word in (
        "down at wechat",
        "3.0 to 6.0 s",
        "last fault lifted",
        "objective 1000 ms",
        "wechat, status page",
    ):
        assert word in words


def test_what_a_target_says_stays_text(tab: Tab, pages: dict[str, Path]) -> None:
    tab.open(pages["broken"])
    assert tab.run("typeof window.struck") == "undefined"
    tab.run("document.querySelectorAll('.tale').forEach((each) => { each.open = true })")
    assert EVIL in tab.run("[...document.querySelectorAll('.tale summary code')].map((each) => each.textContent)")
    assert tab.run("document.images.length") == 0


def test_a_story_stands_in_three_lanes_and_its_small_steps_when_asked_for(tab: Tab, pages: dict[str, Path]) -> None:
    tab.open(pages["broken"])
    heads = tab.run("[...document.querySelectorAll('.tale[open] .lanes th')].map((each) => each.textContent)")
    assert heads == ["when", "Customer", "API", "Providers"]
    rows = tab.run(
        "[...document.querySelectorAll('.tale[open] .lanes tbody tr:not(.minor, .fault)')].map((row) =>"
        " [...row.cells].flatMap((cell, at) => at && cell.textContent ? [at] : []).join())"
    )
    assert set(rows) == {"1,2", "2", "3"}  # a request with its answer, a step of the API's books, a provider's


def test_an_order_can_be_found_by_a_trace_that_one_click_marks_whole(tab: Tab, pages: dict[str, Path]) -> None:
    tab.open(pages["broken"])
    traces = tab.run("[...document.querySelectorAll('.tale[open] .trace')].map((each) => each.textContent)")
    assert traces
    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in traces)
    assert tab.run("getComputedStyle(document.querySelector('.trace')).userSelect") == "all"
    tab.run(f"{{ const find = document.querySelector('.find input'); find.value = '{traces[-1]}';"
            " find.dispatchEvent(new Event('input')); }")  # fmt: skip
    assert tab.run("document.querySelector('.find [role=status]').textContent") == "1 of 1 shown"


def test_orders_can_be_found(tab: Tab, pages: dict[str, Path]) -> None:
    tab.open(pages["broken"])
    tab.run("{ const find = document.querySelector('.find input'); find.value = 'A-2';"
            " find.dispatchEvent(new Event('input')); }")  # fmt: skip
    found = tab.run("[...document.querySelectorAll('.tale > summary > code')].map((each) => each.textContent)")
    assert found == ["A"]
    assert tab.run("document.querySelector('.find [role=status]').textContent") == "1 of 1 shown"


def test_everything_can_be_reached_and_opened_by_keyboard(tab: Tab, pages: dict[str, Path]) -> None:
    tab.open(pages["broken"])
    tab.press("Tab")
    assert tab.run("document.activeElement.className") == "skip"
    tab.run("document.querySelector('.figures > summary').focus()")
    tab.press("Enter")
    tab.run("new Promise((resume) => setTimeout(resume, 50))")
    assert tab.run("document.querySelectorAll('.figures tbody tr').length") > 0
    reached = (
        "[...document.querySelectorAll('summary, button, input, select, a, .scroll')].map((each) => each.tabIndex)"
    )
    assert set(tab.run(reached)) == {0}


def test_it_follows_the_dark_mode_down_to_the_chart(tab: Tab, pages: dict[str, Path], tmp_path: Path) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    ink = "getComputedStyle(document.querySelector('.chart svg text')).fill"
    tab.open(pages["broken"])
    light = {tab.run(ground), tab.run(ink)}
    tab.open(pages["broken"], dark=True)
    tab.picture(pictures(tmp_path) / "broken-dark.png", whole=True)
    dark = {tab.run(ground), tab.run(ink)}
    assert len(light) == len(dark) == 2
    assert not light & dark


def test_in_print_the_gravest_orders_are_open(tab: Tab, pages: dict[str, Path], tmp_path: Path) -> None:
    tab.open(pages["broken"])
    paper = tab.printed()
    (pictures(tmp_path) / "broken.pdf").write_bytes(paper)
    assert paper.startswith(b"%PDF")
    assert tab.run("document.querySelectorAll('.tale:not([open])').length") == 0
