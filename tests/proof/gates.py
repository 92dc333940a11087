"""How does a proof run the harness, and read what came of it? As a user would: by its command line and its files."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from harness.documents import ConductRecord, read_run_record
from harness.recorder.rows import Done, Inv
from harness.verdict import JudgedCheck, ScenarioVerdict, Verdict
from harness.verdict_document import decode_verdict
from tests.lanes import ROOT
from tests.live.calls import contradicted
from tests.proof.item import JudgedFacts, NotProven, Room, RunFacts, need

LIMIT_S = 240.0
"""A scene takes 25 to 40 s alone, more beside others; the two default scenarios of gate size a minute and a half."""
LAST_LINES = 12
ERROR = re.compile(r"^[\w.]+(Error|Exception)\b")
"""How a traceback's last line begins; in Locust's log its statistics stand below it."""
OPERATIONS = (b'{"k":"inv"', b'{"k":"done"')
TARGET = ROOT / "compose" / "reference.toml"


@dataclass(frozen=True, kw_only=True, slots=True)
class Gated:
    """A gate that has ended."""

    exit_code: int
    output: str
    folder: Path
    """The run directory."""
    verdict: Verdict

    def scenario(self, name: str) -> ScenarioVerdict:
        """The verdict on one scenario."""
        return next(scenario for scenario in self.verdict.scenarios if scenario.scenario == name)

    def check(self, scenario: str, name: str) -> JudgedCheck:
        """The named promise as judged."""
        return next(check for check in self.scenario(scenario).checks if check.check == name)

    def evidence(self, scenario: str) -> Path:
        """Where the scenario's evidence lies."""
        return self.folder / scenario / "evidence"

    def conduct(self, scenario: str) -> ConductRecord:
        """The conductor's own account."""
        return msgspec.json.decode((self.evidence(scenario) / "conduct.json").read_bytes(), type=ConductRecord)

    def facts(self) -> tuple[RunFacts, ...]:
        """What tables need of it."""
        record = read_run_record(self.folder)
        return tuple(
            RunFacts(
                scenario=scenario.scenario,
                size=record.size,
                seed=record.seed,
                defect=record.defects[0] if record.defects else None,
                arrival_digest=self.conduct(scenario.scenario).arrival_digest,
                checks={
                    check.check: JudgedFacts(
                        status=check.status.value, claimed=check.claimed, decided=check.examined - check.undecided
                    )
                    for check in scenario.checks
                },
            )
            for scenario in self.verdict.scenarios
        )


def gate(
    room: Room,
    *arguments: str,
    scenarios: Path | None = None,
    target: Path = TARGET,
    environ: Mapping[str, str] | None = None,
    limit_s: float = LIMIT_S,
) -> Gated:
    """Run `harness gate` to its end.

    `scenarios` is a folder that holds a folder `scenarios`, for scenarios of the proof's own. Raises NotProven with
    the gate's last words where there is no verdict, or where what was called broken while it went on the verdict does
    not call so.
    """
    runs = room.folder / "runs"
    child = subprocess.run(
        [sys.executable, "-m", "harness.cli", "gate", *arguments, "--target", str(target), "--runs", str(runs)],
        cwd=scenarios or ROOT,
        env=shared(room) | dict(environ or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=limit_s,
        check=False,
    )
    (room.folder / "gate.log").write_text(child.stdout)
    found = sorted(runs.glob("*/verdict.json"))
    if not found:
        said = last_words(child.stdout)
        errors = [
            line for log in runs.glob("*/locust.log") for line in log.read_text().splitlines() if ERROR.match(line)
        ]
        raise NotProven(f"no verdict, exit {child.returncode}: {'; '.join(errors) or said}")
    folder, verdict = found[-1].parent, decode_verdict(found[-1].read_bytes())
    lies = list(contradicted(folder, verdict))
    need(not lies, "; ".join(lies))
    return Gated(exit_code=child.returncode, output=child.stdout, folder=folder, verdict=verdict)


def shared(room: Room) -> dict[str, str]:
    """Our environment, and the PostgreSQL that all items share."""
    return dict(os.environ) | {"HARNESS_POSTGRES": room.postgres}


def judge_again(run: Path) -> int:
    """`harness check` on a run directory; gives its exit code."""
    command = [sys.executable, "-m", "harness.cli", "check", str(run), "--quiet"]
    return subprocess.run(command, cwd=ROOT, check=False, timeout=LIMIT_S).returncode


def wrong(gated: Gated) -> str:
    """Every check of a run that neither passed nor was left out, in a line."""
    told = [
        f"{scenario.scenario} {check.check} {check.status.value}: {check.reason}"
        for scenario in gated.verdict.scenarios
        for check in scenario.checks
        if check.status.value in {"FAIL", "UNKNOWN"}
    ]
    return "; ".join([f"exit {gated.exit_code}", *told])


def own_scenario(room: Room, source: str) -> Path:
    """Write a scenario file of the proof's own; gives the folder for `gate(scenarios=...)`."""
    folder = room.folder / "own"
    (folder / "scenarios").mkdir(parents=True, exist_ok=True)
    (folder / "scenarios" / "own.py").write_text(source)
    return folder


def run_tests(room: Room, nodes: Sequence[str], limit_s: float = LIMIT_S) -> str:
    """Run tests by their node ids; gives pytest's last line, or raises NotProven with the end of its output."""
    child = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-m", "", "-p", "no:cacheprovider", *nodes],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=limit_s,
        check=False,
    )
    (room.folder / "pytest.log").write_text(child.stdout)
    if child.returncode:
        raise NotProven(f"pytest exit {child.returncode}: {last_words(child.stdout)}")
    return child.stdout.strip().splitlines()[-1]


def last_words(output: str) -> str:
    """The end of an output, in a line."""
    return " | ".join(line.strip() for line in output.strip().splitlines()[-LAST_LINES:])


def history(gated: Gated, scenario: str) -> Iterator[Inv | Done]:
    """A scenario's operations as they were written, without the file's head and footer."""
    decoder = msgspec.json.Decoder(Inv | Done)
    with (gated.folder / scenario / "history" / "0.jsonl").open("rb") as file:
        yield from (decoder.decode(line) for line in file if line.startswith(OPERATIONS))


Row = dict[str, object]
"""A line of a file of which a proof reads a few fields, by name."""


def rows(path: Path) -> Iterator[Row]:
    """Lines of an NDJSON file."""
    decoder = msgspec.json.Decoder(Row)
    with path.open("rb") as file:
        yield from (decoder.decode(line) for line in file)
