"""Does the tab show in a real browser, inside Locust's own UI, what is known?

Needs Chromium: `pytest -m proof tests/web_ui`. Screenshots lie in $HARNESS_SCREENSHOTS if that is set: look at them
after a change. A whole run, from the start form to the verdict: tests/lifecycle/test_web_ui_browser.py.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from harness.stack.ports import LOOPBACK, reserved
from tests.lifecycle.playing import await_
from tests.report.chromium import Tab, chromium, find_chromium
from tests.web_ui.told import BASE_PATH, EVIL

pytestmark = pytest.mark.proof

PROGRAM = find_chromium()
if PROGRAM is None:
    pytest.skip("there is no Chromium here (Debian: apt install chromium)", allow_module_level=True)
TOLD = "document.querySelector('payment-chaos').shadowRoot"
WORDS = f"{TOLD}.querySelector('div').innerText"


@dataclass(frozen=True, kw_only=True, slots=True)
class Served:
    """Locust's UI, and what it is made to know."""

    url: str
    folder: Path
    child: subprocess.Popen[bytes]

    def know(self, moment: str) -> None:
        (self.folder / "moment").write_text(moment)


@pytest.fixture(scope="module")
def tab() -> Iterator[Tab]:
    assert PROGRAM is not None
    with chromium(PROGRAM, loopback=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    with reserved(1) as (port,):
        command = [sys.executable, "-m", "tests.web_ui.serving", str(port), str(folder)]
        with subprocess.Popen(command, cwd=Path(__file__).parents[2], stdin=subprocess.DEVNULL) as child:
            served = Served(url=f"http://{LOOPBACK}:{port}{BASE_PATH}/", folder=folder, child=child)
            try:
                served.know("running")
                await_(lambda: answers(served.url), "the UI")
                yield served
            finally:
                child.kill()


def answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def picture(tab: Tab, name: str, tmp_path: Path) -> None:
    folder = Path(os.environ.get("HARNESS_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    tab.picture(folder / f"web-ui-{name}.png", whole=True)


def shown(tab: Tab, words: str) -> None:
    tab.until(f"document.querySelector('payment-chaos')?.shadowRoot && {WORDS}.includes({words!r})")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 390])
def test_locust_opens_with_the_tab_and_a_breach_stands_in_it_while_the_run_goes_on(
    tab: Tab, ui: Served, width: int, dark: bool, tmp_path: Path
) -> None:
    ui.know("running")
    tab.visit(ui.url, width=width, dark=dark)
    shown(tab, "Broken so far: no_double_charge (2)")
    assert tab.run("document.querySelector('[role=tab][aria-selected=true]').innerText").lower() == "payment chaos"
    assert tab.run(f"{TOLD}.querySelector('[aria-current=step]').innerText") == "faults"
    assert EVIL in tab.run(WORDS)
    assert tab.run("typeof window.struck") == "undefined"
    tab.until(f"[...{TOLD}.styleSheets].length && getComputedStyle({TOLD}.querySelector('.steps')).display === 'flex'")
    assert tab.run("document.documentElement.scrollWidth <= innerWidth")
    assert tab.run("document.querySelector('payment-chaos').dataset.theme") == ("dark" if dark else "light")
    assert tab.complaints() == []
    assert [url for url in tab.requests() if not url.startswith((ui.url, "data:"))] == []
    picture(tab, f"running-{width}-{'dark' if dark else 'light'}", tmp_path)


def test_the_verdict_comes_by_itself_though_locust_asks_for_nothing_any_more(
    tab: Tab, ui: Served, tmp_path: Path
) -> None:
    ui.know("running")
    tab.visit(ui.url)
    shown(tab, "Broken so far")
    ui.know("over")
    shown(tab, "3 promises broken: 32.50 CNY of 7 orders")
    assert "Broken so far" not in tab.run(WORDS)
    picture(tab, "over", tmp_path)
    tab.visit(tab.run(f"{TOLD}.querySelector('a.open').href"))
    assert tab.run("document.querySelector('h1').innerText") == "The page of 20261129-201903-724f"


def test_what_is_unfolded_or_selected_stays_so_while_figures_change(tab: Tab, ui: Served) -> None:
    ui.know("running")
    tab.visit(ui.url)
    shown(tab, "Broken so far")
    faults, table = f"{TOLD}.querySelector('[data-part=faults]')", f"{TOLD}.querySelector('table')"
    tab.run(f"window.before = {faults}; {faults}.querySelector('details').open = true; window.table = {table}")
    tab.until(f"window.before !== {faults}")  # it says for how long
    assert tab.run(f"{faults}.querySelector('details').open")
    assert tab.run(f"{table} === window.table")  # it says what it said, so it is not touched


def test_locusts_switch_between_light_and_dark_switches_the_tab_too(tab: Tab, ui: Served) -> None:
    ui.know("running")
    tab.visit(ui.url)
    shown(tab, "Broken so far")
    switch = "[...document.querySelectorAll('header button')].at(-1).click()"
    for theme in ("dark", "light"):
        tab.run(switch)
        tab.until(f"document.querySelector('payment-chaos').dataset.theme === '{theme}'")


@pytest.mark.parametrize("width", [1280, 390])
def test_it_stands_alone_on_a_page_of_its_own(tab: Tab, ui: Served, width: int, tmp_path: Path) -> None:
    ui.know("running")
    tab.visit(f"{ui.url}payment-chaos/", width=width)
    shown(tab, "Broken so far")
    assert tab.run("document.documentElement.scrollWidth <= innerWidth")
    assert tab.run("document.querySelector('a').href") == ui.url
    assert tab.complaints() == []
    picture(tab, f"alone-{width}", tmp_path)


def test_a_locust_that_is_gone_is_said_to_be_gone(tab: Tab, ui: Served) -> None:
    ui.know("running")
    tab.visit(ui.url)
    shown(tab, "Broken so far")
    ui.child.kill()
    tab.until(f"{TOLD}.querySelector('.silent').innerText.startsWith('Locust does not answer')")
    assert "Broken so far" in tab.run(WORDS)
