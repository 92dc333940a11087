"""Does the page say what happened, whole, safely, and always in the same bytes?"""

import base64
import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import vl_convert
from typer.testing import CliRunner

from harness.cli import app
from harness.money import Bearer
from harness.report.html.bundle import chart_library
from harness.report.html.chart import chart
from harness.report.html.page import page
from harness.report.html.stakes import Flow, Loss, Money, money, sentence
from harness.report.saved import read_run
from harness.verdict import JudgedCheck, KnownBreach, Status
from tests.report.pages import EVIL, broken_run, held_run, judged_folder, page_of, three_in_one, undecided_run
from tests.report.run import finding, judged, saved


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return judged_folder(broken_run(), tmp_path_factory.mktemp("broken"))


@dataclass
class Parsed(HTMLParser):
    """What a browser would make of the page."""

    scripts: list[tuple[dict[str, str | None], str]] = field(default_factory=list)
    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    _open: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open = tag
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, _: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open == "script":
            attributes, text = self.scripts[-1]
            self.scripts[-1] = (attributes, text + data)
        elif self._open != "style" and data.strip():
            self.text.append(" ".join(data.split()))


def parsed(text: str) -> Parsed:
    parser = Parsed()
    parser.feed(text)
    return parser


def data_of(seen: Parsed) -> list[Any]:
    return [json.loads(text) for attributes, text in seen.scripts if attributes.get("type") == "application/json"]


def test_one_folder_gives_one_page(broken: Path) -> None:
    assert page_of(broken) == page_of(broken)


def test_a_report_that_lies_in_the_run_changes_nothing_in_the_next(broken: Path) -> None:
    first = page_of(broken)
    (broken / "report.html").write_text(first)
    assert page_of(broken) == first


def test_nothing_that_a_target_says_becomes_markup(broken: Path) -> None:
    seen = parsed(page_of(broken))
    assert [attributes for tag, attributes in seen.elements if tag == "img"] == []
    assert [attributes.get("type") for attributes, _ in seen.scripts] == ["application/json", "module", "module"]
    assert f"{EVIL}." in seen.text
    assert EVIL in {tale[0] for tale in data_of(seen)[0]["tales"]["told"]}


def test_only_the_two_scripts_of_the_page_may_run_and_nothing_may_be_fetched(broken: Path) -> None:
    seen = parsed(page_of(broken))
    (policy,) = (str(each["content"]) for tag, each in seen.elements if tag == "meta" and "http-equiv" in each)
    running = [text for attributes, text in seen.scripts if attributes.get("type") == "module"]
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in running]
    assert re.findall(r"'sha256-([^']+)'", policy) == digests
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in policy
    assert [each for tag, each in seen.elements if tag in {"link", "iframe", "object", "embed"} or "src" in each] == []


def test_the_sections_stand_in_the_order_in_which_they_are_needed(broken: Path) -> None:
    seen = parsed(page_of(broken))
    headings = [str(each["id"]) for tag, each in seen.elements if tag in {"h2", "h3"} and "id" in each]
    assert headings == ["name-1", "promises-1", "axis-1", "orders-1", "validity-1", "again", "raw"]


def test_the_verdict_comes_first_with_the_money_at_stake(broken: Path) -> None:
    content = page(read_run(broken))
    owed = "20.00 CNY of 2 orders taken from customers or owed to them, and not given back"
    assert content.sentence == f"2 promises broken: {owed}"
    assert content.money.losses[0] == Loss(
        money="20.00 CNY", orders=2, what="taken from customers or owed to them, and not given back"
    )
    assert content.money.flows == (Flow(taken="100.00 CNY", charges=10, back="0.00 CNY", refunds=0),)
    text = parsed(page_of(broken)).text
    assert text.index("20.00 CNY") < text.index("Promises")


def test_every_promise_is_told_with_what_was_examined(broken: Path) -> None:
    content = page(read_run(broken))
    (section,) = content.sections
    assert [(each.name, each.status.value, each.breaches, each.examined) for each in section.promises] == [
        (each.check, each.status.value, len(each.findings), each.examined)
        for status in ("FAIL", "UNKNOWN", "PASS")
        for each in content.verdict.scenarios[0].checks
        if each.status.value == status
    ]
    assert section.others == ()


def test_what_is_undecided_says_why_and_does_not_hide_what_is_not_known(tmp_path: Path) -> None:
    content = page(read_run(judged_folder(undecided_run(), tmp_path)))
    assert content.sentence.startswith("What was seen does not carry a verdict on 2 promises: ledgers_whole broken")
    assert content.money.blind == ("wechat",)
    assert content.money.sentence == "Whether money is in the wrong place could not be decided (no_double_charge)."


def test_a_run_that_held_says_that_no_money_is_lost(tmp_path: Path) -> None:
    content = page(read_run(judged_folder(held_run(), tmp_path)))
    assert content.sentence == "Every claimed promise held, 2 of 2. No money was found in the wrong place"
    assert content.money.sentence == "No money was found in the wrong place, in 4 orders examined."


def test_several_scenarios_have_a_table_of_contents_and_data_of_their_own(tmp_path: Path) -> None:
    seen = parsed(page_of(three_in_one(tmp_path)))
    links = [each["href"] for tag, each in seen.elements if tag == "a" and str(each["href"]).startswith("#scenario")]
    assert links == ["#scenario-1", "#scenario-2", "#scenario-3"]
    assert {str(each["id"]) for tag, each in seen.elements if tag == "article"} == {
        link[1:] for link in map(str, links)
    }
    assert [len(each["tales"]["told"]) for each in data_of(seen)] == [2, 0, 0]


def test_a_scenario_that_was_never_begun_is_named(broken: Path) -> None:
    judged_run = read_run(broken)
    never = saved(cut_short="the run was cut short").verdict.scenarios[0]
    verdict = judged_run.verdict
    run = type(judged_run)(
        folder=broken,
        run=judged_run.run,
        scenarios=judged_run.scenarios,
        verdict=type(verdict)(
            run_id=verdict.run_id,
            seed=verdict.seed,
            status=verdict.status,
            exit_code=verdict.exit_code,
            cut_short="cut",
            scenarios=(*verdict.scenarios, never),
        ),
    )
    assert [section.axis is None for section in page(run).sections] == [False, True]


def known(check: str) -> JudgedCheck:
    breach = KnownBreach(check=check, scenario="AnswerLost", ticket="PAY-1", expires=date(2027, 1, 1))
    return judged(check, Status.KNOWN, unit="minor units", known=breach, findings=(finding("a", Bearer.CUSTOMER, 5),))


@pytest.mark.parametrize(
    ("checks", "said"),
    [
        ([judged("no_leak", Status.FAIL, findings=(finding("a", Bearer.BOOKS, 5),))],
         "1 promise broken: 0.05 CNY of 1 order booked otherwise than the providers moved it"),
        ([judged("no_silence", Status.FAIL), judged("no_leak", Status.FAIL)],
         "2 promises broken: no_silence, no_leak. No promise about money was examined"),
        ([judged("no_leak", Status.UNKNOWN, reason="2 of 9 undecided")],
         "What was seen does not carry a verdict on 1 promise: no_leak: 2 of 9 undecided"),
        ([judged("no_leak", Status.PASS)], "Every claimed promise held, 1 of 1. No promise about money was examined"),
    ],
)  # fmt: skip
def test_the_verdict_is_one_sentence(checks: list[JudgedCheck], said: str) -> None:
    (scenario,) = saved(*checks).verdict.scenarios
    assert sentence(scenario.status, [scenario]) == said


def test_money_that_a_known_breach_lost_is_not_called_safe() -> None:
    told = money([known("no_double_charge"), judged("money_conserved", Status.PASS, unit="minor units")], [])
    assert told == Money(
        losses=(),
        flows=(),
        sentence="Known breaches lost money that is not counted here (no_double_charge).",
        blind=(),
    )


def test_the_chart_is_one_that_the_library_draws(broken: Path) -> None:
    (section,) = page(read_run(broken)).sections
    assert section.axis is not None
    drawing = vl_convert.vegalite_to_svg(dict(chart(section.axis)))
    for words in (
        "down at wechat",
        "3.0 to 6.0 s",
        "objective 1000 ms",
        "wechat, status page",
        "last fault lifted",
    ):
        assert words in drawing


def test_the_library_is_bundled_once_and_kept(tmp_path: Path) -> None:
    kept = tmp_path / "share"
    kept.mkdir()
    script = chart_library(kept)
    (file,) = kept.iterdir()
    assert "window.vegaEmbed" in script
    file.write_text("kept")
    assert chart_library(kept) == "kept"


def test_the_command_line_writes_the_page(broken: Path, tmp_path: Path) -> None:
    target = tmp_path / "here" / "report.html"
    assert CliRunner().invoke(app, ["report", str(broken), "--html", str(target)]).exit_code == 0
    assert target.read_text() == page_of(broken)
