"""Are the CI examples true? Servers take their YAML, their commands exist, and what they keep is written."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import typer.main
from ruamel.yaml import YAML

from harness.cli import app
from harness.errors import ExitCode
from harness.report.formats import FORMATS
from harness.verdict import Status
from tests.readme import ROOT
from tests.report import schemas
from tests.report.nights import held, night
from tests.report.run import judged, on_disk

FOLDER = ROOT / "compose" / "ci"
WORKFLOW = FOLDER / ".github" / "workflows" / "nightly.yml"
PIPELINE = FOLDER / ".gitlab-ci.yml"
SHELL = frozenset({"cat", "cp", "echo", "exit", "mkdir", "rm", "true", "[", "if", "then", "fi", "{", "}"})
ON_RUNNERS = frozenset({"gh"})
"""What GitHub's runners have and this machine need not."""
ENDS = frozenset({";", "&&", "||", "|", "\n"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """What is said of either server's example."""

    text: str
    document: Any
    scripts: tuple[str, ...]
    kept: tuple[str, ...]
    """Paths that are uploaded, whatever the verdict."""
    results: str
    """The JUnit file that the server shows."""


def _load(path: Path) -> tuple[str, Any]:
    return path.read_text(), YAML(typ="safe").load(path)


def github() -> Example:
    text, document = _load(WORKFLOW)
    steps = document["jobs"]["gate"]["steps"]
    uses = {step["uses"].partition("@")[0]: step for step in steps if "uses" in step}
    upload = uses["actions/upload-artifact"]
    assert upload["if"] == "always()"
    return Example(
        text=text,
        document=document,
        scripts=tuple(step["run"] for step in steps if "run" in step),
        kept=tuple(upload["with"]["path"].replace("${{ env.RUN_ID }}", "$RUN_ID").split()),
        results=uses["mikepenz/action-junit-report"]["with"]["report_paths"],
    )


def gitlab() -> Example:
    text, document = _load(PIPELINE)
    job = document["nightly"]
    assert job["artifacts"]["when"] == "always"
    return Example(
        text=text,
        document=document,
        scripts=(*job["script"], *job["after_script"]),
        kept=tuple(job["artifacts"]["paths"]),
        results=job["artifacts"]["reports"]["junit"],
    )


EXAMPLES = [pytest.param(github(), id="github"), pytest.param(gitlab(), id="gitlab")]


def calls(scripts: tuple[str, ...]) -> Iterator[list[str]]:
    """Every simple command of the scripts, as words; what a call is substituted with is one word of its own."""
    for script in scripts:
        for line in script.splitlines():
            inner = re.findall(r"\$\((.*)\)", line)
            words = shlex.shlex(re.sub(r"\$\(.*\)", "SUBSTITUTED", line), posix=True, punctuation_chars=";&|><")
            words.whitespace_split = True
            yield from _commands([*words])
            yield from calls(tuple(inner))


def _commands(words: list[str]) -> Iterator[list[str]]:
    command: list[str] = []
    for word in [*words, ";"]:
        if word in ENDS:
            if command:
                yield command
            command = []
        elif command or (word not in {"if", "then", "{"} and not re.match(r"\w+=", word)):
            command.append(word)


def harness_calls(example: Example) -> list[list[str]]:
    """What `harness` is called with, less where its output goes."""
    found = [words[1:] for words in calls(example.scripts) if words[0] == ".venv/bin/harness"]
    return [words[: words.index(">")] if ">" in words else words for words in found]


def test_the_examples_are_what_the_servers_take() -> None:
    for validator, example in ((schemas.github(), github()), (schemas.gitlab(), gitlab())):
        validator.validate(example.document)
        broken = example.document | {"jobs": {"gate": {"steps": 1}}, "nightly": {"script": 1}}
        with pytest.raises(jsonschema.ValidationError):
            validator.validate(broken)


@pytest.mark.parametrize("example", EXAMPLES)
def test_scripts_are_shell_and_every_command_in_them_is_known(example: Example) -> None:
    for script in example.scripts:
        told = subprocess.run(["sh", "-n", "-c", script], capture_output=True, text=True, check=False)
        assert (told.returncode, told.stderr) == (0, ""), script
    assert {words[0] for words in calls(example.scripts)} - SHELL - ON_RUNNERS == {"make", ".venv/bin/harness"}


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_make_target_exists(example: Example) -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    named = [words[1:] for words in calls(example.scripts) if words[0] == "make"]
    assert named == [["setup"]]
    assert "setup" in targets


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_call_of_harness_is_taken_by_its_command_line(example: Example) -> None:
    commands: Any = typer.main.get_command(app)
    parsed = {}
    for name, *arguments in harness_calls(example):
        parsed[name] = commands.commands[name].make_context(name, [*arguments]).params
        with pytest.raises(Exception, match="No such option"):
            commands.commands[name].make_context(name, [*arguments, "--no-such"])
    assert parsed.keys() == {"gate", "compare"}
    assert parsed["gate"]["every"] is True
    assert [str(run) for run in parsed["compare"]["runs"]][-1] == "runs/$RUN_ID"


@pytest.mark.parametrize("example", EXAMPLES)
def test_what_is_kept_and_shown_is_what_the_run_writes(example: Example) -> None:
    (gate,) = (call for call in harness_calls(example) if call[0] == "gate")
    options = dict(pairwise(gate))
    files = {name: options[f"--{name}"] for name in FORMATS if f"--{name}" in options}
    assert files.keys() == {"junit", "ctrf", "markdown", "html"}
    assert example.results == files["junit"]
    assert options["--run-id"] == "$RUN_ID"
    assert example.kept == ("reports/", "runs/$RUN_ID/")
    redirected = {after for words in calls(example.scripts) for word, after in pairwise(words) if word == ">"}
    assert {str(Path(file).parent) for file in (*files.values(), *redirected)} == {"reports"}


def test_the_night_before_is_looked_for_where_it_was_kept() -> None:
    name = WORKFLOW.name
    (listing, download) = (words for words in calls(github().scripts) if words[0] == "gh")
    assert listing[listing.index("--workflow") + 1] == name
    (upload,) = (s for s in github().document["jobs"]["gate"]["steps"] if "upload-artifact" in s.get("uses", ""))
    assert download[download.index("--name") + 1] == upload["with"]["name"]
    (compared,) = (call for call in harness_calls(github()) if call[0] == "compare")
    assert compared[1] == f"{download[download.index('--dir') + 1]}/runs/*"
    (compared,) = (call for call in harness_calls(gitlab()) if call[0] == "compare")
    kept = [path for cache in gitlab().document["nightly"]["cache"] for path in cache["paths"]]
    assert kept == [".venv/", compared[1].removesuffix("*")]


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """The folder of a job whose night broke what the night before held."""
    program = tmp_path / ".venv" / "bin" / "harness"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m harness.cli "$@"\n')
    program.chmod(0o755)
    (tmp_path / "reports").mkdir()
    on_disk(night(2, judged("no_double_charge", Status.FAIL)), tmp_path / "runs" / "night-2")
    return tmp_path


def played(script: str, folder: Path) -> int:
    """The exit code of a script, as the servers' shells run it."""
    environ = os.environ | {
        "RUN_ID": "night-2",
        "GITHUB_STEP_SUMMARY": str(folder / "summary"),
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.run(["bash", "-e", "-c", script], cwd=folder, env=environ, timeout=120, check=False).returncode


def test_github_s_step_compares_and_ends_with_the_comparison_s_code(job: Path) -> None:
    (script,) = (script for script in github().scripts if " compare " in script)
    on_disk(night(1, held()), job / "before" / "runs" / "night-1")
    assert played(script, job) == ExitCode.BROKEN
    compared = (job / "reports" / "compared.txt").read_text()
    assert compared.endswith("runs/night-2: 1 thing got worse (exit code 1)\n")
    assert (job / "summary").read_text() == f"```text\n{compared}```\n"


def test_gitlab_s_script_compares_and_keeps_the_night_for_the_next(job: Path) -> None:
    scripts = gitlab().document["nightly"]["after_script"]
    assert [played(script, job) for script in scripts] == [0, 0]  # the first night
    assert not (job / "reports" / "compared.txt").exists()
    assert [path.name for path in (job / "before").iterdir()] == ["night-2"]
    shutil.rmtree(job / "before")
    on_disk(night(1, held()), job / "before" / "night-1")
    assert [played(script, job) for script in scripts] == [0, 0]
    assert "1 thing got worse" in (job / "reports" / "compared.txt").read_text()
    assert [path.name for path in (job / "before").iterdir()] == ["night-2"]
    shutil.rmtree(job / "runs")
    assert [played(script, job) for script in scripts] == [0, 0]  # a set-up that failed forgets nothing
    assert [path.name for path in (job / "before").iterdir()] == ["night-2"]


def test_actions_are_named_by_their_major_version() -> None:
    uses = [step["uses"] for step in github().document["jobs"]["gate"]["steps"] if "uses" in step]
    assert len(uses) == 6
    assert all(re.fullmatch(r"[\w-]+/[\w/-]+@v\d+", each) for each in uses)


@pytest.mark.parametrize("example", EXAMPLES)
def test_what_the_comments_say_of_other_ways_exists(example: Example) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named, extra = re.findall(r'pip install "([\w-]+)\[(\w+)\]"', example.text)[0]
    assert (named, extra in project["optional-dependencies"]) == (project["name"], True)
    (module,) = re.findall(r"-m (harness\.\S+) --ensure", example.text)
    assert find_spec(module)
    commands: Any = typer.main.get_command(app)
    (told,) = re.findall(r"harness (gate --all --target \S+)", example.text)
    assert commands.commands["gate"].make_context("gate", told.split()[1:]).params["target"] == Path("my_api.toml")


@pytest.mark.parametrize("example", EXAMPLES)
def test_no_host_stands_in_an_example(example: Example) -> None:
    assert "://" not in example.text
    assert not re.search(r"\b[\w-]+\.(com|org|io|net)\b", example.text)
