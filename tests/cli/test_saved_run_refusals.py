"""Is what cannot be asked of a saved run refused in one line, with exit code 2 and the way out?"""

from pathlib import Path

import pytest

from tests.cli.saying_no import refusal
from tests.report.examples import HELD
from tests.report.nights import held, night
from tests.report.run import on_disk


def test_a_report_of_which_nothing_is_asked_says_what_can_be(tmp_path: Path) -> None:
    run = on_disk(HELD, tmp_path / "run")
    said = refusal(tmp_path, "report", str(run))
    assert (
        said == "nothing is asked for; name a file by one or more of --junit, --ctrf, --markdown, --html, --prometheus"
    )
    assert "cannot be written" in refusal(tmp_path, "report", str(run), "--ctrf", str(tmp_path))


def test_a_report_of_what_is_no_judged_run_is_refused(tmp_path: Path) -> None:
    said = refusal(tmp_path, "report", str(tmp_path), "--junit", "j.xml")
    assert "is no run directory: run.json cannot be read" in said
    run = on_disk(HELD, tmp_path / "run")
    (run / "verdict.json").unlink()
    said = refusal(tmp_path, "report", str(run), "--junit", "j.xml")
    assert said == f"{run}/verdict.json is missing; `harness check {run}` judges a run directory"
    assert not (tmp_path / "j.xml").exists()


def test_runs_that_cannot_be_compared_are_refused_with_the_way_out(tmp_path: Path) -> None:
    one, other = (str(on_disk(night(day, held()), tmp_path / str(day))) for day in (1, 2))
    said = refusal(tmp_path, "compare", one)
    assert said == "a comparison takes two runs or more, oldest first: harness compare RUN RUN"
    assert "are the same run 20261101-020000-0001; name it once" in refusal(tmp_path, "compare", one, one)
    said = refusal(tmp_path, "compare", one, str(tmp_path))
    assert "is no run directory: run.json cannot be read" in said
    (Path(other) / "verdict.json").unlink()
    said = refusal(tmp_path, "compare", one, other)
    assert said == f"{other}/verdict.json is missing; `harness check {other}` judges a run directory"


@pytest.mark.parametrize("command", ["check", "rerun"])
def test_a_folder_that_is_no_run_directory_is_refused(tmp_path: Path, command: str) -> None:
    assert "is no run directory: run.json cannot be read" in refusal(tmp_path, command, str(tmp_path))
