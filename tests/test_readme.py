"""Is what README.md says so? Its lists are the code's, its commands exist, its examples run."""

import re
import shlex
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.catalogue import known_scenarios
from harness.checks import CHECKS
from harness.evidence.tables import open_evidence
from harness.facts import ELSEWHERE, FACTS
from harness.faults import FAULTS
from harness.known_breaches import parse_known
from harness.scenario import Driver
from harness.targets.file import load_target
from harness.verdict import Status
from tests.command_line import harness_here
from tests.histories.order_stories import two_good_orders
from tests.histories.story import judged
from tests.pytest_plugin.saved import write
from tests.readme import END, PARTS, README, ROOT, entries, rewrite, unanswered

TEXT = README.read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", TEXT, flags=re.MULTILINE | re.DOTALL)
SPANS = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", TEXT, flags=re.MULTILINE | re.DOTALL))


def commands(program: str) -> list[list[str]]:
    """Every call of a program in the README, in a shell block or in running text, as words."""
    lines = [line for kind, block in BLOCKS if kind == "sh" for line in block.splitlines()]
    calls = [words for line in (*lines, *SPANS) if (words := _words(line))[:1] == [program]]
    return [words for words in calls if len(words) > 1]  # the name alone is no call


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line, comments=True)
    except ValueError:
        return []


def harness_calls() -> list[list[str]]:
    """Calls of `harness`, and what `make gate ARGS="..."` passes on to it."""
    passed = [word for words in commands("make") for word in words if word.startswith("ARGS=")]
    return [words[1:] for words in commands("harness")] + [
        ["gate", *shlex.split(word.removeprefix("ARGS="))] for word in passed if word != "ARGS=..."
    ]


def example(kind: str, holds: str) -> str:
    found: list[str] = [block for name, block in BLOCKS if name == kind and holds in block]
    assert len(found) == 1, f"README.md has {len(found)} {kind} blocks that hold {holds!r}"
    return found[0]


def run(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def said() -> dict[tuple[str, ...], str]:
    """What `harness <subcommand> --help` says, by subcommand; with a wide terminal, so that nothing is folded."""
    names = {(call[0],) for call in harness_calls() if call}
    wide = {"COLUMNS": "300"}
    return {name: harness_here(*name, "--help", environ=wide).stdout for name in names}


@pytest.mark.parametrize("name", PARTS)
def test_a_list_is_the_one_that_the_code_has(name: str) -> None:
    assert rewrite(TEXT, {name: PARTS[name]}) == TEXT, f"README.md: {name} has changed; `make readme` writes it anew"


def test_the_table_of_defects_has_its_place() -> None:
    assert TEXT.count("<!-- generated: ") == TEXT.count(END) == len(PARTS) + 1
    assert "<!-- generated: defects -->" in TEXT


def test_a_list_without_a_place_is_an_error() -> None:
    with pytest.raises(ValueError, match="no markers <!-- generated: more --> "):
        rewrite(TEXT, {"more": str})


def test_every_subcommand_and_option_of_harness_exists(said: dict[tuple[str, ...], str]) -> None:
    calls = harness_calls()
    assert {call[0] for call in calls} >= {"gate", "check", "rerun", "explain", "list", "up", "down", "rescue"}
    for call in calls:
        assert re.search(rf"Usage: .* {call[0]} ", said[call[0],]), call
        for option in (word for word in call if word.startswith("-")):
            assert option in said[call[0],], f"`harness {call[0]}` has no {option}"
    assert "--allow-host" in said["gate",]


def test_every_option_of_locust_exists() -> None:
    told = run(sys.executable, "-m", "locust", "--help").stdout
    options = {word for words in commands("locust") for word in words if word.startswith("-")}
    assert options | {"-u", "-t"} == {"-f", "-u", "-t", "--headless"}
    for option in options:
        assert re.search(rf"^\s+(-\w.*, )?{option}\b", told, flags=re.MULTILINE), option


def test_every_option_of_pytest_exists() -> None:
    told = run(sys.executable, "-m", "pytest", "-p", "harness.pytest_plugin", "--help").stdout
    words = [word.partition("=")[0] for call in commands("pytest") for word in call if word.startswith("-")]
    assert {"--run", "--junitxml", "-k", "-x", "--lf", "-n", "--payment-defect"} <= set(words)
    for option in words:
        shown = {"--junitxml": "--junit-xml"}.get(option, option)  # help names one of the two spellings
        assert re.search(rf"^\s+(-.*, )?{shown}\b", told, flags=re.MULTILINE), option


def test_the_example_of_a_suite_judges_a_saved_run(tmp_path: Path) -> None:
    write(two_good_orders(), tmp_path / "run", {"no_double_charge": 1}, name="AnswerLost")
    (tmp_path / "test_it.py").write_text(example("python", "assert_holds("))
    words = ("-m", "pytest", "-q", "-p", "harness.pytest_plugin", "--run=run", "test_it.py")
    told = subprocess.run(
        (sys.executable, *words), cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (told.returncode, "1 passed" in told.stdout) == (0, True), told.stdout


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    named = {words[1] for words in commands("make")}
    assert {"gate", "nightly", "test", "lint", "proof", "readme", "help"} <= named <= targets


@pytest.mark.parametrize("what", ["scenarios", "checks", "faults", "defects"])
def test_a_list_can_be_had_on_the_terminal(what: str) -> None:
    assert ["list", what] in harness_calls()
    told = harness_here("list", what, folder=ROOT)
    assert (told.returncode, told.stderr) == (0, "")
    assert len(told.stdout.splitlines()) > 5


def test_scenarios_and_defects_that_commands_name_exist() -> None:
    scenarios = {entry.name for entry in entries()}
    defects = harness_here("list", "defects", folder=ROOT).stdout
    gates = [call for call in harness_calls() if call[0] == "gate"]
    assert {call[1] for call in gates if len(call) > 1 and not call[1].startswith("-")} <= scenarios
    for call in gates:
        for option, value in pairwise(call):
            if option in {"--defect", "--build"}:
                assert value in defects


def test_the_example_of_a_verdict_has_the_promises_that_there_are() -> None:
    shown = example("text", "what broke")
    rows = re.findall(r"^([a-z_]+) .* (PASS|FAIL|UNKNOWN|NOT_EXERCISED) ", shown, flags=re.MULTILINE)
    assert len(rows) == 4
    assert {name for name, _ in rows} <= CHECKS.keys()
    for name, check in CHECKS.items():
        assert f"  {name}  " not in shown or check.promise in shown


def test_every_file_that_is_linked_to_exists() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", TEXT) if not link.startswith(("http", "#"))]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_example_of_a_scenario_is_one(tmp_path: Path) -> None:
    (tmp_path / "no_notice.py").write_text(example("python", "(Customer)"))
    assert [(entry.name, entry.what) for entry in known_scenarios(tmp_path)] == [
        ("NoNotice", "Paid, and the payment API is never told.")
    ]


def test_the_example_of_a_check_judges_a_history(tmp_path: Path) -> None:
    names: dict[str, Any] = {}
    exec(compile(example("python", "CHECK ="), "README.md", "exec"), names)  # noqa: S102
    check = names["CHECK"]
    with open_evidence(two_good_orders().write(tmp_path)) as evidence:
        verdict = judged(check, check.function(evidence))
    assert (verdict.check, verdict.status, verdict.examined) == ("no_free_order", Status.PASS, 2)


def test_every_fault_can_be_imported_from_where_scenario_files_import() -> None:
    assert {fault.make.__name__ for fault in FAULTS.values()} <= set(harness.__all__)


def test_the_example_of_a_fault_is_one_for_the_timeline() -> None:
    names: dict[str, Any] = {}
    exec(compile(example("python", "FaultSpec("), "README.md", "exec"), names)  # noqa: S102
    (fault,) = names["Narrow"]("wechat", kib_s=300).between(1, 2)
    assert (fault.kind, fault.driver, fault.where, fault.start_s) == ("narrow", Driver.NETWORK, "wechat", 1)


def test_the_example_of_a_target_can_be_loaded(tmp_path: Path) -> None:
    path = tmp_path / "my_api.toml"
    path.write_text(example("toml", "adapter"))
    target = load_target(path)
    assert (target.name, target.allow_hosts, target.waivers.keys() <= CHECKS.keys()) == (
        "my-api",
        ("payments.internal",),
        True,
    )


def test_every_fact_has_a_row_and_something_that_answers_to_it() -> None:
    rows = re.findall(r"^\| (F\d\d) \|", TEXT, flags=re.MULTILINE)
    assert rows == list(FACTS)
    assert not unanswered()


def test_facts_that_something_names_exist() -> None:
    named = {fact for entry in entries() for fact in entry.facts}
    named |= {fact for check in CHECKS.values() for fact in check.facts} | ELSEWHERE.keys()
    assert named <= FACTS.keys()


def test_the_example_of_known_breaches_can_be_read() -> None:
    (breach,) = parse_known(example("toml", "[[known]]").encode(), CHECKS)
    assert (breach.check, breach.scenario, breach.ticket) == ("no_silence", "Incident", "PAY-123")


def test_facts_are_numbered_without_a_gap() -> None:
    assert list(FACTS) == [f"F{number:02}" for number in range(1, 31)]
    assert all(fact.endswith(".") for fact in FACTS.values())
