"""Can a person start a run in Locust's start form, watch a promise break while it goes on, and open the verdict's page?

In a real Chromium over a whole run, about a minute: `pytest -m proof tests/lifecycle/test_web_ui_browser.py`.
Screenshots lie in $HARNESS_SCREENSHOTS if that is set.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from harness.stack.ports import LOOPBACK, reserved
from tests.lifecycle.playing import ROOT, Place, await_
from tests.report.chromium import Tab, chromium, find_chromium

pytestmark = [pytest.mark.live, pytest.mark.proof]

PROGRAM = find_chromium()
if PROGRAM is None:
    pytest.skip("there is no Chromium here (Debian: apt install chromium)", allow_module_level=True)
BASE_PATH = "/load"
LIMIT_S = 180.0
TOLD = "document.querySelector('payment-chaos')?.shadowRoot?.querySelector('div')?.innerText"
BUTTON = "[...document.querySelectorAll('button')].find((button) => button.innerText.toLowerCase() === {word})"


@pytest.fixture
def ui(new_place: Callable[[], Place]) -> Iterator[str]:
    """Locust's UI over all scenarios of a folder, which are Short, Endless, Nowhere and AnswerLost."""
    here = new_place()
    shutil.copy(ROOT / "scenarios" / "answer_lost.py", here.folder / "scenarios")
    with reserved(1) as (port,):
        child = here.start("locust", "--web-port", str(port), "--web-base-path", BASE_PATH)
        url = f"http://{LOOPBACK}:{port}{BASE_PATH}/"
        try:
            await_(lambda: answers(url), "the UI")
            yield url
        finally:
            child.terminate()
            here.end(child)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def fill_in(tab: Tab, **fields: str) -> None:
    """Type into the start form, and choose from its drop-downs."""
    for name, value in fields.items():
        field = f"document.querySelector('form [name={name}]')"
        tab.until(field)
        if tab.run(f"{field}.tagName") == "SELECT":
            tab.run(f"{{ const field = {field}; field.value = {json.dumps(value)};"
                    " field.dispatchEvent(new Event('change', { bubbles: true })); }")  # fmt: skip
            assert tab.run(f"{field}.value") == value
        else:
            tab.run(f"{field}.focus(); {field}.select()")
            tab.call("Input.insertText", text=value)


def press(tab: Tab, word: str) -> None:
    button = BUTTON.format(word=json.dumps(word))
    tab.until(button)  # after a run Locust asks once more before it offers the next one
    tab.run(f"{button}.click()")


def picture(tab: Tab, name: str, tmp_path: Path) -> None:
    folder = Path(os.environ.get("HARNESS_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    tab.picture(folder / f"run-{name}.png", whole=True)


def test_a_run_is_started_in_the_form_watched_while_a_promise_breaks_and_its_verdict_opened(
    ui: str, tmp_path: Path
) -> None:
    assert PROGRAM is not None
    with chromium(PROGRAM, loopback=True) as tab:
        tab.visit(ui)
        tab.until("document.querySelector('form [name=scenario]')?.getBoundingClientRect().height > 0")
        choices = "[...document.querySelectorAll('form [name=scenario] option')].map((option) => option.value)"
        assert tab.run(choices) == ["all", "AnswerLost", "Endless", "Nowhere", "Short"]
        fill_in(tab, scenario="AnswerLost", rate="1.5", size="scene", seed="1", defect="new_number_on_retry")
        picture(tab, "form", tmp_path)
        press(tab, "start")
        tab.until(f"{TOLD}?.includes('steady 6/s for 8 s (1.5 times')", LIMIT_S)
        tab.until(f"{TOLD}?.includes('cut_answers on wechat, alipay, card, for ')", LIMIT_S)
        picture(tab, "faults", tmp_path)
        tab.until(f"{TOLD}?.includes('Broken so far')", LIMIT_S)
        assert "Verdict on" not in tab.run(TOLD)
        picture(tab, "breach", tmp_path)
        tab.until(f"{TOLD}?.includes('Verdict on AnswerLost')", LIMIT_S)
        assert "promises broken" in tab.run(TOLD)
        assert tab.complaints() == []
        assert [url for url in tab.requests() if not url.startswith((ui, "data:"))] == []
        picture(tab, "verdict", tmp_path)
        page = tab.run("document.querySelector('payment-chaos').shadowRoot.querySelector('a.open').href")
        press(tab, "new")
        fill_in(tab, rate="11")
        press(tab, "start")
        tab.until("document.body.innerText.includes('rate 11: name a factor above 0, at most 10')")
        picture(tab, "refused", tmp_path)
        tab.visit(page)
        assert tab.run("document.title").startswith("FAIL: AnswerLost")
        picture(tab, "page", tmp_path)
