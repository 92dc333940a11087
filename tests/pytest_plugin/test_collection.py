"""Are scenarios collected without being imported, and is everything else left to pytest?"""

import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from harness.operation import Size
from harness.profile import PROFILES
from harness.pytest_plugin import declares_scenarios
from tests.lifecycle.playing import ROOT, SCENARIOS, TARGET
from tests.pytest_plugin.child import ALONE, Played, every_case, message, outcomes, play
from tests.pytest_plugin.saved import broken, held

LOADED = """
import sys

def pytest_unconfigure():
    print("loaded:", *sorted(name for name in sys.modules if name.partition(".")[0] in {"harness", "locust", "gevent"}))
"""
"""What of ours, and of what runs the load, came into pytest's process."""
INHERITED = '''
from harness import Plan, Steady
from played import Short


class Longer(Short):
    """A scenario that stands on another."""

    scene = Plan(load=Steady(rate_per_s=4, duration_s=3), claims={"no_leak": 1})
'''
AIMED = (f"--payment-target={TARGET}", "--payment-size=scene")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with scenarios that tests play elsewhere."""
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "played.py").write_text(SCENARIOS)
    return tmp_path


def loaded(done: Played) -> set[str]:
    (line,) = [line for line in done.lines if line.startswith("loaded:")]
    return set(line.split()[1:])


def test_a_scenarios_promises_are_known_before_anything_is_run(here: Path) -> None:
    done = play(here, "scenarios", "--payment-size=scene", "--collect-only", "-q", "-k", "Short")
    assert [line for line in done.lines if "::" in line] == [
        f"scenarios/played.py::Short::{name}"
        for name in (
            "assumptions",
            "money_conserved",
            "no_double_charge",
            "no_orphan_charge",
            "no_vanished_order",
            "unclaimed",
        )
    ]
    assert not (here / "runs").exists()


@pytest.mark.parametrize("path", ["scenarios", "scenarios/played.py"])
def test_neither_locust_nor_gevent_comes_into_pytests_process(here: Path, path: str) -> None:
    (here / "conftest.py").write_text(LOADED)
    done = play(here, path, "--payment-size=scene", "--collect-only", "-q")
    assert "scenarios/played.py::Endless::unclaimed" in done.lines
    assert {name.partition(".")[0] for name in loaded(done)} == {"harness"}
    assert "<Module" not in done.out


def test_a_suite_without_scenarios_pays_for_one_module(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(LOADED)
    (tmp_path / "test_it.py").write_text("def test_it(): pass")
    (tmp_path / "setup.py").write_text("class Harness(object): pass")
    done = play(tmp_path)
    assert "1 passed" in done.out
    assert loaded(done) == {"harness", "harness.pytest_plugin"}


def test_sizes_and_profiles_are_those_that_there_are(tmp_path: Path) -> None:
    told = play(tmp_path, "--help").out
    for option, names in (("size", Size), ("profile", PROFILES)):
        (choices,) = re.findall(rf"--payment-{option}=\{{(.*?)\}}", told)
        assert sorted(choices.split(",")) == sorted(names)


def test_the_plugin_comes_with_the_package() -> None:
    assert "harness.pytest_plugin" in {each.value for each in entry_points(group="pytest11")}


@pytest.mark.parametrize(
    ("name", "text", "is_one"),
    [
        ("answer_lost.py", (ROOT / "scenarios" / "answer_lost.py").read_text(), True),
        ("longer.py", INHERITED, True),
        ("by_module.py", "import harness\nclass A(harness.Customer): ...", True),
        ("torn.py", "from harness import Customer, Plan\nclass Torn(", True),
        ("_shared.py", SCENARIOS, False),
        ("test_own.py", "from harness import Customer\nclass Own(Customer): ...\ndef test_own(): ...", False),
        ("unit.py", "from harness import Plan\nclass T(Base):\n  def test_it(self): ...", False),
        ("quoted.py", f"TEXT = {SCENARIOS!r}", False),
        ("foreign.py", "from other.harness import Customer\nclass A(Customer): ...", False),
        ("plain.py", "class Customer(Base): ...", False),
        ("binary.py", "harness class Customer \0", False),
    ],
)
def test_a_files_text_says_whether_it_declares_scenarios(tmp_path: Path, name: str, text: str, is_one: bool) -> None:
    (tmp_path / name).write_text(text)
    assert declares_scenarios(tmp_path / name) is is_one


def test_a_file_that_only_stands_on_its_neighbours_scenario_declares_one_too(tmp_path: Path) -> None:
    (tmp_path / "played.py").write_text(SCENARIOS)
    (tmp_path / "again.py").write_text("from played import Short\nimport other\nclass Again(Short): ...")
    (tmp_path / "other.py").write_text("import again\nclass Other(again.Again): ...")
    (tmp_path / "plain.py").write_text("import json\nfrom missing import Short\nclass Plain(Short): ...")
    assert [path.name for path in sorted(tmp_path.iterdir()) if declares_scenarios(path)] == [
        "again.py",
        "other.py",
        "played.py",
    ]


def test_none_of_this_projects_tests_is_taken_for_a_scenario() -> None:
    files = [path for folder in ("tests", "harness", "compose") for path in (ROOT / folder).rglob("*.py")]
    assert len(files) > 100
    template = ROOT / "harness" / "project" / "template"  # what `harness init` writes is one, where it is written
    assert [path for path in files if declares_scenarios(path) and template not in path.parents] == []
    assert all(declares_scenarios(path) for path in (ROOT / "scenarios").glob("*.py"))


def test_a_scenario_belongs_to_the_file_that_defines_it(here: Path) -> None:
    (here / "scenarios" / "longer.py").write_text(INHERITED)
    done = play(here, "scenarios", "--payment-size=scene", "--collect-only", "-q", "-k", "Short or Longer")
    assert {line.rpartition("::")[0] for line in done.lines if "::" in line} == {
        "scenarios/longer.py::Longer",
        "scenarios/played.py::Short",
    }


def test_a_file_that_cannot_be_loaded_is_told_in_a_line_and_hides_no_other(here: Path) -> None:
    (here / "scenarios" / "torn.py").write_text("from harness import Customer\nclass Torn(")
    done = play(here, "scenarios", "--payment-size=scene", "--collect-only")
    assert done.code == pytest.ExitCode.INTERRUPTED
    assert "<Scenario Short>" in done.out
    assert "ERROR collecting scenarios/torn.py" in done.out
    assert any(
        line.startswith("scenario file ") and "torn.py cannot be loaded: SyntaxError" in line for line in done.lines
    )
    assert "Traceback" not in done.out


def test_two_scenarios_of_one_name_are_refused(here: Path) -> None:
    (here / "scenarios" / "twin.py").write_text(SCENARIOS)
    done = play(here, "scenarios", "--payment-size=scene", "--collect-only")
    assert "scenario Endless stands in twin.py too, and only one of them would be run" in done.lines
    assert done.code == pytest.ExitCode.INTERRUPTED


def test_a_scenario_without_that_size_is_skipped_and_nothing_is_started(here: Path) -> None:
    done = play(here, "scenarios", "--payment-size=gate", f"--payment-target={TARGET}", "-rs", "-k", "Short")
    assert done.counts == "6 skipped, 12 deselected"
    assert "SKIPPED [6] scenarios/played.py:1: Short declares no size 'gate'; it has scene" in done.lines
    assert not (here / "runs").exists()


@pytest.mark.parametrize("more", [(), ("-p", "xdist.plugin", "-n", "2")])
def test_what_cannot_be_done_is_refused_in_a_line_before_anything_is_started(here: Path, more: tuple[str, ...]) -> None:
    done = play(here, "scenarios", *AIMED, "--payment-defect=global_lok", *more)
    assert done.code == pytest.ExitCode.USAGE_ERROR
    told = "ERROR: payment scenarios: unknown defect 'global_lok' of target reference; did you mean global_lock?"
    assert told in done.lines
    assert "Traceback" not in done.out
    assert not (here / "runs").exists()


def test_a_rate_that_no_load_can_have_is_refused_in_a_line(here: Path) -> None:
    done = play(here, "scenarios", *AIMED, "--payment-rate=0")
    assert done.code == pytest.ExitCode.USAGE_ERROR
    assert (
        "ERROR: payment scenarios: rate 0: name a factor above 0, at most 10; 1 is the scenario's own rate"
        in done.lines
    )


def test_a_saved_run_answers_for_the_scenarios_of_a_folder(tmp_path: Path) -> None:
    text = SCENARIOS.replace("class Short", "class HandWritten").partition("class Endless")[0]
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "played.py").write_text(text)
    broken(tmp_path / "run", no_vanished_order=1, no_leak=1)
    done = play(tmp_path, "scenarios", "--run=run", "--payment-size=scene", "--junitxml=j.xml")
    assert done.code == pytest.ExitCode.TESTS_FAILED
    found = outcomes(tmp_path / "j.xml")
    # what the run claims and the file does not is no promise of its own here, and yet not lost
    assert (found["no_vanished_order"], found["no_double_charge"], found["unclaimed"]) == ("pass", "failure", "failure")
    assert message(tmp_path / "j.xml", "unclaimed")[0].startswith("10.00 CNY of order C was owed back")
    assert {case.classname for case in every_case(tmp_path / "j.xml")} == {"scenarios.played.HandWritten"}


def test_a_saved_run_knows_nothing_of_other_scenarios(here: Path) -> None:
    held(here / "run")
    done = play(here, "scenarios", "--run=run", "--payment-size=scene", "-k", "Short and vanished")
    assert done.counts == "17 deselected, 1 error"
    assert "UNKNOWN: run holds no run of Short" in done.lines


def test_a_saved_run_that_cannot_be_read_is_told_in_a_line(here: Path) -> None:
    done = play(here, "scenarios", "--run=nowhere", "--payment-size=scene", "-k", "Short and vanished")
    assert done.counts == "17 deselected, 1 error"
    assert "nowhere is no run directory: run.json cannot be read (No such file or directory)" in done.lines
    assert "Traceback" not in done.out


def test_this_projects_own_tests_are_collected_as_ever() -> None:
    command = [sys.executable, "-m", "pytest", *ALONE, "--collect-only", "-q", "tests/report"]
    child = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert child.returncode == 0, child.stdout
    assert "payment" not in child.stdout
