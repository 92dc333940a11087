"""Does the page read as it is meant, whatever a target said? Read by a parser of CommonMark with GitHub's tables."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from harness.errors import HarnessError
from harness.money import Bearer
from harness.report import markdown
from harness.report.saved import SavedRun
from harness.verdict import Finding, Status
from tests.report.examples import BROKEN, EVERY, KNOWN, UNDECIDED
from tests.report.run import COURSE, finding, judged, saved

HOSTILE = "<script>alert(1)</script> | x | `a` ``` ~~~ # *b* __c__ [d](http://e) \\ ![f](g)"


def read(text: str) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(text)


def page(run: SavedRun) -> str:
    return markdown.render(run).decode()


def shown(tokens: list[Token]) -> list[str]:
    """The text of each paragraph, heading and cell, as a reader sees it."""
    return [
        "".join(child.content for child in token.children if child.type in {"text", "text_special", "code_inline"})
        for token in tokens
        if token.type == "inline" and token.children is not None
    ]


def blocks(run: SavedRun) -> list[str]:
    return [token.content for token in read(page(run)) if token.type == "fence"]


@pytest.mark.parametrize("name", EVERY)
def test_it_begins_with_the_verdict_and_ends_with_how_to_run_it_again(name: str) -> None:
    run = EVERY[name]
    told = shown(read(page(run)))
    assert told[0].startswith(f"{run.verdict.status} (exit code {run.verdict.exit_code}): ")
    assert told[-1] == "Run it again"
    assert "harness rerun runs/20261124-201500-1f3a" in blocks(run)[-1]
    assert markdown.render(run) == markdown.render(run)


def test_it_tells_the_loss_the_promises_worst_first_and_the_worst_order_s_story_first() -> None:
    told = shown(read(page(BROKEN)))
    assert told[0] == "FAIL (exit code 1): broken: no_double_charge, refund_in_window, money_conserved"
    assert told[1] == "32.50 CNY of 7 orders: taken from customers or owed to them, and not given back"
    cells = told[told.index("promise") + 7 :]
    assert cells[0:7] == ["no_double_charge", "FAIL", "0", "32.50 CNY", "30", "", "7"]
    assert cells[7:14] == ["refund_in_window", "FAIL", "8 s", "11.25 s", "30", "2", "2"]
    assert "Not claimed here, counted, no breach seen: latency." in told
    assert blocks(BROKEN)[0].startswith("Order ord_a is short of 1250 at [wechat].")
    assert f"201, the order is open, trace:{COURSE['history'][0]['trace_id']}\n" in blocks(BROKEN)[0]
    assert "    +2.600 s  wechat    took 12.50 CNY under P1" in blocks(BROKEN)[0]
    assert "harness explain runs/20261124-201500-1f3a ord_a" in blocks(BROKEN)[-1]


def test_what_is_undecided_says_why() -> None:
    told = shown(read(page(UNDECIDED)))
    assert "no_silence UNKNOWN: the check crashed: ValueError: [x]" in told
    assert "latency NOT_OFFERED: no such thing; waived: not sold here" in told
    assert blocks(UNDECIDED)[0].strip() == "Traceback of [x]"
    assert "Cut short: Ctrl-C" in told


def test_what_is_known_is_told_with_its_ticket() -> None:
    told = shown(read(page(KNOWN)))
    assert (
        "known: no_silence in AnswerLost (PAY-7, until 2026-12-31): known, so without effect on the exit code" in told
    )


def test_a_command_to_run_it_again_anywhere_is_given_where_the_run_knows_it() -> None:
    run = saved(judged("no_leak", Status.PASS), arguments=("AnswerLost", "--size", "scene", "--target", "my api.toml"))
    assert "harness gate AnswerLost --size scene --target 'my api.toml'" in blocks(run)[-1]


@pytest.mark.parametrize("said", [HOSTILE, "a\n\n| b |\n# c", "&lt;b&gt;", "```", "~~~", "__init__ *a*"])
def test_what_a_target_said_is_text_and_never_markup(said: str) -> None:
    calm, wild = (
        saved(
            judged("no_leak", Status.FAIL, reason=text, findings=(finding(text, Bearer.CUSTOMER, 1),), traceback=text),
            judged("no_silence", Status.UNKNOWN, reason=text),
            cut_short=text,
        )
        for text in ("calm", said)
    )

    def kinds(run: SavedRun) -> Counter[str]:
        tokens = read(page(run))
        inner = (child.type for token in tokens for child in token.children or ())
        return Counter(token.type for token in tokens) + Counter(kind for kind in inner if "text" not in kind)

    assert kinds(wild) == kinds(calm)
    assert not any(token.type.startswith("html") for token in read(page(wild)))
    assert f"no_silence UNKNOWN: {' '.join(said.split())}" in shown(read(page(wild)))


@given(st.text())
def test_any_text_reads_as_it_is(said: str) -> None:
    (paragraph,) = (token for token in read(f"a {markdown.plain(said)} z") if token.type == "inline")
    assert paragraph.children is not None
    assert {child.type for child in paragraph.children} <= {"text", "text_special"}
    assert "".join(child.content for child in paragraph.children) == f"a {' '.join(said.split())} z".replace(
        "\0", "\ufffd"
    )


@given(st.lists(st.text("`~ a\n")))
def test_any_lines_stay_inside_their_fence(lines: list[str]) -> None:
    tokens = read(f"{markdown.fenced(lines)}\n\nafter")
    assert [token.type for token in tokens] == ["fence", "paragraph_open", "inline", "paragraph_close"]


def test_a_page_that_is_too_long_tells_less_and_says_so() -> None:
    findings = tuple(
        Finding(subject=f"ord_{number}", message="so " * 500, evidence={"ledger": COURSE["ledger"]})
        for number in range(30)
    )
    run = saved(judged("no_leak", Status.FAIL, findings=findings), scenarios=23)
    made = markdown.render(run)
    assert len(made) <= markdown.MOST_BYTES
    assert "20 more stories stand in verdict.json." in shown(read(made.decode()))
    assert markdown.render(run, 200_000) != made
    with pytest.raises(HarnessError, match="and may have 1000"):
        markdown.render(run, 1_000)


def test_a_finding_of_a_thousand_lines_stays_one_block() -> None:
    run = saved(judged("no_leak", Status.FAIL, findings=(Finding(subject="a", message="```\n" * 1_000),)))
    assert len([token for token in read(page(run)) if token.type == "fence"]) == 2
